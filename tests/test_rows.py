"""Adding a row is adding a row: what is added at run time appears everywhere, and where it says."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any, Final, get_args

import numpy as np
import pytest
import typer
from made.html import read
from made.maps import made_set, map_set
from made.pages import grey_masks
from made.sets import segeval
from made.viewer import serve
from typer.testing import CliRunner

import segeval as public
from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.commands import score as score_command
from segeval.cli.options.output import OutputOptions, report_file
from segeval.counting.confusion import ClassCounts
from segeval.labels.load import builtin_names
from segeval.losses.table import LOSSES, Loss
from segeval.presets.preset import load_presets
from segeval.scoring.metrics import (
    METRICS,
    OVERALL,
    Metric,
    OverallMetric,
    Place,
    mean_titles,
    ratio,
    shown,
)

PLACES: Final = get_args(Place)
KEYS: Final = (*PLACES, "everywhere", "nowhere")
"""For each place a metric that is seen there alone, and two that are seen at all and at none."""

SAMPLES: Final = ("sample_masks/pred", "sample_masks/truth")
PROJECT: Final = Path(__file__).parents[1]
PRESET: Final = """
tool = "Made-up tool"
version = "1.2"
source = "nowhere"
[[presets]]
name = "made-up"
call = "made.up(masks)"
headline = "mx_everywhere"
pooling = "image"
also = { mx_nowhere = "made.down(masks)" }
x_everywhere = { absent = "one" }
"""


def places_of(key: str) -> frozenset[Place]:
    return frozenset(place for place in PLACES if key in {place, "everywhere"})


def class_metric(key: str) -> Metric:
    """Return the volume similarity, 1 - |fp - fn| / (2 tp + fp + fn), under a name of its own."""

    def terms(c: ClassCounts) -> Any:
        both = 2 * c.tp + c.fp + c.fn
        return both - np.abs(c.fp - c.fn), both

    name = f"x_{key}"
    return Metric(
        name=name,
        title=f"x{key}",
        formula="1 - |fp - fn| / (2 tp + fp + fn)",
        terms=terms,
        symmetric=True,
        swapped=name,
        reference="Taha and Hanbury 2015, doi:10.1186/s12880-015-0068-x",
        shown=places_of(key),
    )


def overall_metric(key: str) -> OverallMetric:
    """Return the share of pixels that are not a correct pixel of the first class."""
    return OverallMetric(
        name=f"y_{key}",
        title=f"y{key}",
        formula="1 - tp of the first class / total",
        value=lambda counts: ratio(counts.total - counts.tp[..., 0], counts.total),
        symmetric=True,
        range=(0.0, 1.0),
        reference="made up",
        shown=places_of(key),
    )


def add_files(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Add a preset and a label map: a file each, beside the others."""
    real = resources.files
    added = {"segeval.presets": "tools", "segeval.labels": "builtin"}
    for package, name in added.items():
        shutil.copytree(str(real(package) / name), folder / package / name)
    (folder / "segeval.presets/tools/made_up.toml").write_text(PRESET, "utf-8")
    text = (PROJECT / "sample_masks/labels.toml").read_text("utf-8").replace("street", LABELS[1])
    (folder / "segeval.labels/builtin/made-up-street.toml").write_text(text, "utf-8")
    patch.setattr(resources, "files", lambda of: folder / of if of in added else real(of))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Add metrics, overall metrics, a loss, a preset and a label map; return their folder."""
    folder = tmp_path_factory.mktemp("rows")
    before = list(METRICS), list(OVERALL), list(LOSSES), list(load_presets()), builtin_names()
    with pytest.MonkeyPatch.context() as patch:
        for key in KEYS:
            patch.setitem(METRICS, f"x_{key}", class_metric(key))
            patch.setitem(OVERALL, f"y_{key}", overall_metric(key))
        loss = Loss(
            name="doubt",
            title="made-up doubt",
            formula="1 - max p",
            mean="images",
            value=lambda given: float(1 - given.probabilities.max(axis=0).mean()),
        )
        patch.setitem(LOSSES, loss.name, loss)
        add_files(patch, folder)
        load_presets.cache_clear()
        yield folder
    load_presets.cache_clear()
    assert before == (
        *(list(METRICS), list(OVERALL), list(LOSSES)),
        *(list(load_presets()), builtin_names()),
    )


SCORE_FILES: Final = "csv per_image per_group json markdown html junit badge".split()
COMPARE_FILES: Final = "csv per_image json markdown html".split()
LABELS: Final = ("--labels", "made-up-street")
GROUPED: Final = (*LABELS, "--group-by", "_(.)")


def scored(folder: Path, *arguments: object, expect: int = 0) -> dict[str, str]:
    """Return every report of scores, and what is printed."""
    return reported("score", folder, SCORE_FILES, *SAMPLES, *GROUPED, *arguments, expect=expect)


def reported(
    name: str, folder: Path, files: list[str], *arguments: object, expect: int = 0
) -> dict[str, str]:
    """Run a command with all its files; return their texts, and what it prints."""
    folder.mkdir()
    paths = {file: folder / file for file in files}
    asked = [part for file, path in paths.items() for part in (f"--{dashed(file)}", path)]
    done = segeval(name, *arguments, *asked, "--quiet", expect=expect, cwd=PROJECT)
    texts = {f"{name} {file}": path.read_text("utf-8") for file, path in paths.items()}
    return texts | {f"{name} table": done.stdout}


def dashed(name: str) -> str:
    return name.replace("_", "-")


PARTS: Final = {
    "table": ("classes", "means", "bounds", "groups", "signature"),
    "markdown": ("classes", "bounds", "rest", "signature"),
}
"""What stands between empty lines."""


@pytest.fixture(scope="module")
def views(rows: Path) -> dict[str, str]:
    """Every view of the same masks, as text, by its name."""
    folder = rows / "views"
    folder.mkdir()
    both = (SAMPLES[1], SAMPLES[0], "--truth", SAMPLES[1], *LABELS, "--ci", 20)
    maps = [*map_set(folder / "maps", *made_set(several=True, logits=False)), "--workers", 1]
    grey = grey_masks(folder / "grey")
    one = ("show", *SAMPLES, "street_00", *LABELS)
    texts = {
        **scored(folder / "score", "--ci", 20),
        **reported("compare", folder / "compare", COMPARE_FILES, *both),
        **reported("losses", folder / "losses", ["csv", "per_image", "json"], *maps),
        **reported("sweep", folder / "sweep", ["csv", "json"], *grey),
        "show": segeval(*one, cwd=PROJECT).stdout,
        "show class": segeval(*one, "--class", "pole", cwd=PROJECT).stdout,
    }
    for view, parts in PARTS.items():
        blocks = texts[f"score {view}"].split("\n\n")
        texts |= dict(zip((f"{view} {part}" for part in parts), blocks, strict=True))
    bars = ("--kind", "classes", "--metric", "x_everywhere")
    plots = {"plot classes": (*SAMPLES, *bars), "plot curves": (*grey, "--kind", "curves")}
    for name, arguments in plots.items():
        segeval("plot", *arguments, "-o", folder / f"{name}.svg", cwd=PROJECT)
        texts[name] = (folder / f"{name}.svg").read_text("utf-8")
    with serve(folder / "viewer") as served:
        said = served.json("api/run")
        texts |= {f"viewer {name}": json.dumps(said[name]) for name in ("summary", "classes")}
        texts |= {
            f"viewer columns {name}": json.dumps(said["columns"][name]) for name in said["columns"]
        }
        texts["viewer image"] = json.dumps(served.json("api/image?image=0")["scores"])
        texts["viewer class"] = json.dumps(served.json("api/image?image=0&class=0")["scores"])
        texts["viewer rows"] = json.dumps(served.json("api/image?image=0")["classes"])
    return texts


def seen(text: str, before: str) -> set[str]:
    """Return the keys of the made metrics whose name or title, which begin alike, a text holds."""
    return {key for key in KEYS if re.search(rf"(?<!\w){before}{key}(?![a-z])", text)}


CLASSES, BREAKDOWN = {"classes", "everywhere"}, {"breakdown", "everywhere"}
FILES = {"files"}
SUMMARY, BRIEF = {"summary", "everywhere"}, {"brief", "everywhere"}
CURVES, ALL, NONE = {"curves", "everywhere"}, set(KEYS), set[str]()

WHERE: Final[dict[str, Mapping[str, set[str]]]] = {
    "table classes": {"x": CLASSES, "mX": NONE},
    "table means": {"x": NONE, "mX": SUMMARY, "y": SUMMARY},
    "table bounds": {"x": CLASSES, "mX": NONE},
    "table groups": {"x": NONE, "mX": SUMMARY, "y": SUMMARY},
    "markdown classes": {"x": CLASSES},
    "markdown bounds": {"x": CLASSES},
    "markdown rest": {"x": NONE, "Y": BRIEF},
    "score html": {"x": CLASSES, "mX": SUMMARY | BRIEF, "y": SUMMARY | BRIEF},
    "score csv": {"x_": CLASSES | FILES, "mx_": NONE},
    "score per_image": {"x_": BREAKDOWN | FILES, "mx_": ALL, "y_": ALL},
    "score per_group": {"x_": BREAKDOWN | FILES, "mx_": ALL, "y_": ALL},
    "score junit": {"x_": BREAKDOWN | FILES},
    "score json": {"x_": ALL, "mx_": ALL, "y_": ALL},
    "compare table": {"mX": SUMMARY, "y": SUMMARY},
    "compare markdown": {"mX": SUMMARY, "y": SUMMARY},
    "compare html": {"x": BREAKDOWN, "mX": ALL, "y": ALL},
    "compare csv": {"x_": ALL, "mx_": ALL, "y_": ALL},
    "compare json": {"x_": ALL, "mx_": ALL, "y_": ALL},
    "losses table": {"mX": BRIEF, "y": BRIEF},
    "losses json": {"mx_": ALL, "y_": ALL},
    "sweep table": {"x_": CURVES, "x": CURVES},
    "sweep csv": {"x_": CURVES},
    "sweep json": {"x_": CURVES, "best_x_": CURVES},
    "plot classes": {"x": {"everywhere"}},
    "plot curves": {"x": CLASSES & CURVES},
    "show": {"mX": BRIEF, "y": BRIEF, "x": NONE},
    "show class": {"x": CLASSES, "mX": NONE},
    "viewer summary": {"mX": BRIEF, "y": BRIEF},
    "viewer classes": {"x_": BREAKDOWN},
    "viewer columns run": {"x": BREAKDOWN, "x_": BREAKDOWN},
    "viewer columns image": {"x": CLASSES, "x_": CLASSES},
    "viewer image": {"mX": BRIEF, "y": BRIEF},
    "viewer class": {"x": CLASSES},
    "viewer rows": {"x_": CLASSES},
}
"""By the view, and how a name or title begins there: the metrics that are to be seen."""


@pytest.mark.parametrize("view", WHERE)
def test_a_metric_is_seen_where_its_row_says(views: dict[str, str], view: str) -> None:
    found = {before: seen(views[view], before) for before in WHERE[view]}
    assert found == WHERE[view]


@pytest.mark.parametrize("part", ["classes", "bounds"])
def test_tables_in_markdown_have_as_many_cells_in_every_row(
    views: dict[str, str], part: str
) -> None:
    cells = {line.count(" | ") for line in views[f"markdown {part}"].splitlines()}
    assert len(cells) == 1


@pytest.mark.usefixtures("rows")
def test_the_worst_share_of_an_added_metric_is_seen_like_its_mean(
    tmp_path: Path,
) -> None:
    worst = ("--pooling", "image", "--worst", 25)
    texts = scored(tmp_path / "a", *worst)
    two = (SAMPLES[1], SAMPLES[0], "--truth", SAMPLES[1], *LABELS, "--ci", 20, *worst)
    texts |= reported("compare", tmp_path / "b", COMPARE_FILES, *two)
    for view in ("score table", "score html", "compare table"):
        assert "mXsummary worst 25 %" in texts[view], view
    assert "mXclasses worst 25 %" not in texts["compare table"]
    assert "mXclasses worst 25 %" in texts["compare html"]


def test_a_metric_that_is_seen_nowhere_has_values_and_intervals(views: dict[str, str]) -> None:
    document = json.loads(views["score json"])
    matrix = np.array(document["confusion"]["counts"])
    truth, prediction = matrix.sum(axis=1), matrix.sum(axis=0)
    expected = 1 - np.abs(truth - prediction) / (truth + prediction)
    values = [row["x_nowhere"] for row in document["classes"]]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert document["summary"]["mx_nowhere"] == pytest.approx(expected.mean(), rel=1e-12)
    others = 1 - matrix[0, 0] / document["pixels"]["judged"]
    assert document["summary"]["y_nowhere"] == pytest.approx(others, rel=1e-12)
    for row in [document, *document["classes"]]:
        (name,) = {"mx_nowhere", "x_nowhere"} & row["intervals"].keys()
        low, high = row["intervals"][name]
        assert 0 < low <= row.get("summary", row)[name] <= high <= 1
    assert len({*document["intervals"]["mx_nowhere"], document["summary"]["mx_nowhere"]}) == 3


def test_the_table_of_the_images_has_the_scores_of_each_of_them(views: dict[str, str]) -> None:
    document = json.loads(views["score json"])
    rows = list(csv.DictReader(views["score per_image"].splitlines()))
    assert len(rows) == document["images"]["scored"]
    first = [*mean_titles("brief")]
    assert {"mx_brief", "mx_everywhere", "y_brief", "y_everywhere"} < set(first)
    assert [*rows[0]][4 : 4 + len(first)] == first
    for row in rows:
        classes = [row[f"x_breakdown_{label['name']}"] for label in document["classes"]]
        defined = [float(value) for value in classes if value]
        assert float(row["mx_breakdown"]) == pytest.approx(np.mean(defined), rel=1e-12)
        assert 0 < float(row["y_nowhere"]) <= 1


def test_a_score_of_a_comparison_has_its_difference(views: dict[str, str]) -> None:
    document = json.loads(views["compare json"])
    classes = [row["x_nowhere"] for row in document["classes"]]
    for row in (document["summary"]["mx_nowhere"], *classes):
        assert row["baseline"] == 1
        assert row["low"] <= row["delta"] == row["value"] - 1 <= 0
        assert row["p"] <= 1
    assert document["summary"]["mx_nowhere"]["low"] < 0
    _, *tables = re.split("<h3>x(breakdown|everywhere) of the classes</h3>", views["compare html"])
    for key, table in zip(tables[::2], tables[1::2], strict=True):
        found = re.findall(r'data-value="([^"]*)"', table.partition("</table>")[0])[3::6]
        values = [repr(row[f"x_{key}"]["value"]) for row in document["classes"]]
        assert sorted(found) == sorted(values)


GATES: Final = {
    "x_nowhere.*": 0.5,
    "x_nowhere.pole": 0.1,
    "mx_nowhere": 0.1,
    "y_nowhere": 0.1,
    "mx_nowhere.low": 0.1,
    "x_nowhere.pole.high": 0.1,
    "mx_nowhere@worst": 0.1,
    "x_nowhere.*@0": 0.1,
}


@pytest.mark.usefixtures("rows")
def test_gates_know_added_metrics(tmp_path: Path) -> None:
    gates = [f"--fail-under={name}={least}" for name, least in GATES.items()]
    texts = scored(tmp_path / "a", "--ci", 20, *gates)
    found = {gate["metric"] for gate in json.loads(texts["score json"])["gates"]}
    assert {name.replace("*", "sky") for name in GATES} <= found
    for view in ("table", "markdown", "html", "junit"):
        assert "x_nowhere.sky@0" in texts[f"score {view}"].replace("\\", ""), view
    drops = ["--baseline", tmp_path / "a/json", "--max-drop", "x_nowhere.*=0"]
    texts = scored(tmp_path / "b", *drops)
    assert "x_nowhere.sky" in {g["metric"] for g in json.loads(texts["score json"])["gates"]}
    scored(tmp_path / "c", "--fail-under", "x_nowhere.sky=1", expect=1)


def test_a_baseline_from_before_a_metric_was_added_still_counts(
    views: dict[str, str], tmp_path: Path
) -> None:
    before = json.loads(views["score json"])
    for part in (before, *before["groups"]):
        for row in (part["summary"], *part["classes"]):
            for key in [key for key in row if key.startswith(("x_", "mx_", "y_"))]:
                del row[key]
    (tmp_path / "before").write_text(json.dumps(before), "utf-8")
    drops = ["--baseline", tmp_path / "before", "--max-drop"]
    scored(tmp_path / "a", *drops, "iou.*=0")
    done = scored(tmp_path / "b", *drops, "x_everywhere.sky=0", expect=1)
    assert "a defined value in the baseline" in done["score table"]


@pytest.mark.usefixtures("rows")
def test_an_added_metric_can_be_the_headline_of_an_added_preset(tmp_path: Path) -> None:
    texts = scored(tmp_path / "score", "--like", "made-up")
    document = json.loads(texts["score json"])
    value = document["summary"]["mx_everywhere"]
    assert document["averaged"]["classes"] == document["averaged"]["classes_of"]["mx_everywhere"]
    assert ["x_everywhere", "absent", "one"] in document["settings"]["overrides"]
    assert re.match(rf"mXeverywhere +{value:.4f} ", texts["score table"].split("\n\n")[1])
    assert f"As made-up reports it: mXeverywhere {value:.4f}." in texts["score markdown"]
    assert json.loads(texts["score badge"])["label"] == "mXeverywhere"
    assert read(tmp_path / "score/html").words[:2] == [
        f"mXeverywhere {value:.4f} – segeval",
        "segeval report",
    ]
    done = segeval("score", *SAMPLES, *LABELS, "--like", "made-up", "--format=total", cwd=PROJECT)
    assert float(done.stdout) == value
    both = (SAMPLES[1], SAMPLES[0], "--truth", SAMPLES[1], *LABELS, "--ci", 20)
    compared = reported("compare", tmp_path / "b", COMPARE_FILES, *both, "--like", "made-up")
    assert "x_everywhere.pole" in compared["compare table"]
    assert "x_everywhere.pole" in compared["compare markdown"].replace("\\", "")


@pytest.mark.usefixtures("rows")
def test_an_added_preset_is_explained_listed_and_in_the_suite(tmp_path: Path) -> None:
    explained = segeval("explain", *SAMPLES, *LABELS, cwd=PROJECT).stdout
    assert re.search(r"^made-up +mXeverywhere +0\.\d{4} ", explained, re.MULTILINE)
    listed = segeval("presets").stdout
    assert re.search(r"^made-up +Made-up tool 1.2 +mXeverywhere +made.up", listed, re.MULTILINE)
    told = segeval("presets", "made-up").stdout
    assert "made.up(masks)" in told
    assert "mXnowhere" in told
    segeval("conformance", tmp_path / "suite")
    suite = json.loads((tmp_path / "suite/expected.json").read_text("utf-8"))
    assert {row["set"] for row in suite["expected"] if row["preset"] == "made-up"} == {
        row["name"] for row in suite["sets"]
    }


def test_an_added_preset_is_on_the_page(views: dict[str, str]) -> None:
    assert re.search(r'<th scope="row">made-up</th><td>mXeverywhere</td>', views["score html"])


@pytest.mark.usefixtures("rows")
def test_an_added_label_map_is_listed_and_scores_like_the_file() -> None:
    assert re.search(r"^made-up-street +8 ", segeval("labels").stdout, re.MULTILINE)
    assert "pole" in segeval("labels", "made-up-street").stdout
    prediction, truth = (PROJECT / folder for folder in SAMPLES)
    named = public.score(prediction=prediction, truth=truth, labels="made-up-street")
    file = PROJECT / "sample_masks/labels.toml"
    filed = public.score(prediction=prediction, truth=truth, labels=file)
    assert named.summary == filed.summary
    assert {"mx_nowhere", "y_nowhere", "x_breakdown_pole"} <= {*named.images.columns}


@pytest.mark.usefixtures("rows")
def test_frames_hold_an_added_metric_as_numbers_also_where_it_is_undefined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undefined = replace(class_metric("nowhere"), terms=lambda c: (0 * c.tp, 0 * c.tp))
    monkeypatch.setitem(METRICS, "x_nowhere", undefined)
    prediction, truth = (PROJECT / folder for folder in SAMPLES)
    frame = public.score(prediction=prediction, truth=truth, labels=LABELS[1], ci=20).classes
    names = ["x_nowhere", "x_nowhere_low", "x_nowhere_high"]
    assert set(frame[names].dtypes) == {np.dtype("float64")}
    assert frame[names].isna().all(axis=None)


def test_an_added_loss_is_in_every_report_and_a_gate(views: dict[str, str], tmp_path: Path) -> None:
    document = json.loads(views["losses json"])
    value = document["summary"]["doubt"]
    assert re.search(rf"made-up doubt +{value:.4f}  1 - max p; mean over", views["losses table"])
    assert f"doubt,{value!r},images,1 - max p," in views["losses csv"]
    images = csv.DictReader(views["losses per_image"].splitlines())
    assert np.mean([float(row["doubt"]) for row in images if row["doubt"]]) == pytest.approx(
        value, rel=1e-12
    )
    maps = map_set(tmp_path, *made_set(several=True, logits=False))
    arguments = ("losses", *maps, "--workers", 1, "--loss", "doubt", "--fail-over")
    segeval(*arguments, f"doubt={value + 0.01}")
    assert f"gate failed: doubt = {value!r}" in segeval(*arguments, "doubt=0", expect=1).stderr


@pytest.mark.usefixtures("rows")
def test_only_what_tables_of_classes_show_can_be_plotted(tmp_path: Path) -> None:
    arguments = ("plot", *SAMPLES, "--kind", "classes", "-o", tmp_path / "a.svg", "--metric")
    done = segeval(*arguments, "x_nowhere", expect=2, cwd=PROJECT)
    names = [metric.name for metric in shown(METRICS, "classes")]
    assert names[-2:] == ["x_classes", "x_everywhere"]
    assert f"choose {', '.join(names)}\n" in done.stderr


def test_the_scripts_of_the_viewer_name_no_score() -> None:
    scripts = sorted((PROJECT / "segeval/viewer/static").glob("*.js"))
    assert scripts
    for script in scripts:
        found = re.findall(r"\b(?:m?iou|m?dice|recall)\b", script.read_text("utf-8"), re.IGNORECASE)
        assert not found, script


def test_a_report_is_a_module_and_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("poem")
    module.write = lambda document, scores: (  # type: ignore[attr-defined]  # what a file would hold
        f"{len(scores.run)} masks, {document['summary']['miou']:.1f}\n"
    )
    monkeypatch.setitem(sys.modules, "segeval.reports.poem", module)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Poetic(OutputOptions):
        poem: Path | None = report_file("poem:write", "Write a poem.")

    monkeypatch.setattr(options, "OutputOptions", Poetic)
    program = typer.Typer()
    program.command()(command(score_command.score.__wrapped__))  # type: ignore[attr-defined]
    monkeypatch.chdir(PROJECT)
    path = tmp_path / "poem"
    done = CliRunner().invoke(program, [*SAMPLES, "--poem", str(path), "--format", "total"])
    assert done.exit_code == 0, done.output
    assert path.read_text("utf-8") == "12 masks, 0.9\n"
    assert "Write a poem." in CliRunner().invoke(program, ["--help"]).output
    done = CliRunner().invoke(program, [*SAMPLES, "--poem", str(path / "poem")])
    assert done.exit_code == 3
