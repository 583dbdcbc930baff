"""README and docs say what is so: their examples are run."""

from __future__ import annotations

import doctest
import math
import re
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import segeval

from segeval.counting.dataset import count_dataset
from segeval.presets.objects import load_object_presets
from segeval.presets.preset import load_presets
from segeval.scoring.score import label_and_score, per_image
from segeval.settings import LabelChoice, Source

PROJECT = Path(__file__).parents[2]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"```console\n\$ segeval (.*)\n((?:.*\n)*?)```")
EXAMPLES = [
    pytest.param(page, command, output, id=f"{page.name}: {command[:50]}")
    for page in PAGES
    for command, output in CONSOLE.findall(page.read_text("utf-8"))
    if "sample_masks" in command  # others have tests of their own
]


@pytest.mark.parametrize(("page", "command", "output"), EXAMPLES)
def test_console_examples_print_what_they_show(
    page: Path, command: str, output: str, request: pytest.FixtureRequest
) -> None:
    failing = 1 if "gate failed" in output else 0
    done = segeval(*shlex.split(command), expect=failing, cwd=PROJECT)
    printed = done.stdout + done.stderr
    if request.config.getoption("--refresh-golden"):
        shown, fresh = (f"$ segeval {command}\n{each}```" for each in (output, printed))
        page.write_text(page.read_text("utf-8").replace(shown, fresh), "utf-8")
    else:
        assert printed == output


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if ">>> " in page.read_text("utf-8")],
    ids=lambda page: page.name,
)
def test_python_examples_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    failures, _ = doctest.testfile(
        str(page), module_relative=False, encoding="utf-8", optionflags=doctest.ELLIPSIS
    )
    assert not failures


def test_some_examples_are_found() -> None:
    assert len(EXAMPLES) >= 3


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page, as code hosts and the site make them of its titles."""
    titles = re.findall(r"^#+ (.*)", page.read_text("utf-8"), re.MULTILINE)
    kept = (re.sub(r"\]\([^)]*\)|[^\w\s-]", "", title.lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)]+)", page.read_text("utf-8")):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), (page.name, link)
            assert not anchor or anchor in anchors(target), (page.name, link)


@pytest.mark.slow
@pytest.mark.parametrize("name", [".", "cells", "lesions"])
def test_sample_masks_are_made_the_same_again(
    name: str, tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = samples / name
    script = tmp_path / "make.py"
    script.write_text((samples / "make.py").read_text("utf-8"), encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__", "__file__": str(script)}
    monkeypatch.chdir(tmp_path)
    exec(compile(script.read_text("utf-8"), str(script), "exec"), namespace)
    maps = sorted(samples.glob("probs/*.npz"))
    assert len(maps) == (12 if name == "." else 0)
    pictures = [file for side in tmp_path.iterdir() for file in side.glob("*.png")]
    assert len(pictures) in {8, 16, 24}
    for file in pictures:
        assert (samples / file.parent.name / file.name).read_bytes() == file.read_bytes()
    for file in maps:
        with np.load(tmp_path / file.parent.name / file.name) as made, np.load(file) as kept:
            np.testing.assert_array_equal(made["probabilities"], kept["probabilities"])


def test_the_pages_of_conventions_are_fresh() -> None:
    script = PROJECT / "docs" / "make_conventions.py"
    namespace: dict[str, Any] = {"__name__": "made", "__file__": str(script)}
    exec(compile(script.read_text("utf-8"), str(script), "exec"), namespace)
    pages = namespace["pages"]()
    for name, page in pages.items():
        assert page == (PROJECT / "docs" / name).read_text("utf-8"), "type `make docs`"
    assert all(f"`{name}`" in "".join(pages.values()) for name in load_presets())


QUERIES = re.findall(
    r"```sql\n(.*?)```", (PROJECT / "docs" / "runs.md").read_text("utf-8"), re.DOTALL
)


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory, samples: Path
) -> Iterator[sqlite3.Connection]:
    path = tmp_path_factory.mktemp("run") / "run.segeval"
    segeval("score", samples / "pred", samples / "truth", "-o", path)
    opened = sqlite3.connect(path)
    yield opened
    opened.close()


def test_the_queries_of_the_docs_say_what_segeval_says(
    connection: sqlite3.Connection, samples: Path
) -> None:
    totals, accuracies, confusions = (connection.execute(query).fetchall() for query in QUERIES)
    run = count_dataset(Source(prediction=samples / "pred", truth=samples / "truth"))
    table = run.total()
    expected = zip(
        table.truth.tolist(), table.prediction.tolist(), table.pixels.tolist(), strict=True
    )
    assert totals == list(expected)
    scores = per_image(label_and_score(run, LabelChoice()))
    accuracy = dict(accuracies)
    for image, value in zip(run.images, scores["pixel_accuracy"].tolist(), strict=True):
        assert math.isclose(accuracy[image.name], value, rel_tol=1e-12)
    most = {
        image.info.name: int(
            image.table.pixels[(image.table.truth == 2) & (image.table.prediction == 4)].sum()
        )
        for image in run
    }
    assert confusions[0] == max(most.items(), key=lambda item: item[1])


def test_python_examples_need_nothing_from_inside() -> None:
    imports = [
        line
        for page in PAGES
        for line in re.findall(r"^>>> (?:from|import) .*", page.read_text("utf-8"), re.MULTILINE)
    ]
    assert imports
    assert not [line for line in imports if re.search(r"segeval\.(?!losses\b)", line)]


def test_the_comparison_names_presets_that_exist_and_a_source_for_each_tool() -> None:
    page = (PROJECT / "docs" / "why.md").read_text("utf-8")
    presets = re.findall(r"--like ([\w:-]+)", page)
    assert len(presets) >= 12
    assert set(presets) <= load_presets().keys() | load_object_presets().keys()
    rows = re.findall(r"^\| (?!tool|-)(.*) \|$", page, re.MULTILINE)
    assert len(rows) >= 14
    for row in rows:
        _, _, number, source = row.split(" | ")
        assert "](https://" in source, row
        assert number.startswith(("`--like ", "none")), row
