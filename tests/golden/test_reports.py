"""Every report of the sample masks, against the files in ``expected/`` (see `make golden`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made.html import read
from made.sets import segeval

from segeval.reports.table import render, to_renderable

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
SCORE = ["score", "sample_masks/pred", "sample_masks/truth", "--labels", "sample_masks/labels.toml"]
GATES = ["--fail-under", "0.7", "--fail-under", "iou.pole=0.6", "--fail-under", "dice.*=0.5"]

PRINTED = {
    "table.txt": [],
    "table_percent.txt": ["--percent", "--exclude", "sky"],
    "table_by_image.txt": ["--pooling", "image", "--worst", "25"],
    "classes.csv": ["--format", "csv"],
    "document.json": ["--format", "json"],
    "table.md": ["--format", "markdown"],
    "total.txt": ["--format", "total"],
}
NEAR_EDGES = ["--boundary", "2%,3px", "--distances", "--hd-percentile", "95,99", "--nsd", "1,2"]
EDGES = {"edges.csv": "--csv", "edges.json": "--json", "edges.md": "--markdown"} | {
    "edges_per_image.csv": "--per-image"
}
WRITTEN = {"per_image.csv": "--per-image", "confusion.csv": "--confusion"}


def compare(request: pytest.FixtureRequest, name: str, text: str) -> None:
    path = HERE / "expected" / name
    if request.config.getoption("--refresh-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()


@pytest.mark.parametrize("name", PRINTED)
def test_what_is_printed(request: pytest.FixtureRequest, name: str) -> None:
    printed = segeval(*SCORE, *PRINTED[name], cwd=PROJECT).stdout
    compare(request, name, printed.replace('"counting": "numpy"', '"counting": "native"'))


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written(request: pytest.FixtureRequest, name: str, tmp_path: Path) -> None:
    segeval(*SCORE, WRITTEN[name], tmp_path / name, cwd=PROJECT)
    compare(request, name, (tmp_path / name).read_text("utf-8"))


def test_bands_and_distances(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    files = [word for name, option in EDGES.items() for word in (option, tmp_path / name)]
    few = ["--include", "street_0[0-3]", "--ci", "50"]
    printed = segeval(*SCORE, *NEAR_EDGES, *few, *files, cwd=PROJECT).stdout
    written = {name: (tmp_path / name).read_text("utf-8") for name in EDGES}
    for name, text in {"edges.txt": printed, **written}.items():
        compare(request, name, text.replace('"counting": "numpy"', '"counting": "native"'))


def test_the_structure_of_the_page(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    segeval(*SCORE, *GATES, "--group-by", "_(.)", "--html", page, expect=1, cwd=PROJECT)
    compare(request, "page_outline.txt", read(page).outline())


def test_gates_in_the_table_and_on_stderr(request: pytest.FixtureRequest) -> None:
    done = segeval(*SCORE, *GATES, expect=1, cwd=PROJECT)
    compare(request, "gates.txt", done.stdout + "--- stderr\n" + done.stderr)


def test_check_of_good_data(request: pytest.FixtureRequest) -> None:
    command = ["check", *SCORE[1:]]
    compare(request, "check.txt", segeval(*command, cwd=PROJECT).stdout)


def test_list_of_label_maps(request: pytest.FixtureRequest) -> None:
    compare(request, "labels.txt", segeval("labels").stdout)


def test_one_label_map(request: pytest.FixtureRequest) -> None:
    compare(request, "labels_voc.txt", segeval("labels", "voc").stdout)


def test_every_convention_side_by_side(request: pytest.FixtureRequest) -> None:
    command = ["explain", *SCORE[1:]]
    compare(request, "explain.txt", segeval(*command, "--all", cwd=PROJECT).stdout)


def test_the_conformance_suite_stays_the_same(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    segeval("conformance", tmp_path / "suite")
    text = (tmp_path / "suite" / "expected.json").read_text("utf-8")
    compare(request, "conformance.json", text)


@pytest.mark.parametrize(("classes", "width"), [(3, 80), (30, 200)])
def test_tables_of_any_size_look_right(
    request: pytest.FixtureRequest, classes: int, width: int
) -> None:
    content = json.loads((HERE / "expected" / "document.json").read_text("utf-8"))
    rows = [content["classes"][k % 8] | {"name": f"class {'x' * k}"} for k in range(classes)]
    averaged = content["averaged"] | {
        "classes": classes - 1, "of": classes, "absent": ["class x"]
    }  # fmt: skip
    content |= {"classes": rows, "averaged": averaged}
    text = render(to_renderable(content), width=width, color=False)
    assert max(map(len, text.splitlines())) <= width
    compare(request, f"table_{classes}x{width}.txt", text)
