"""Plots as users ask for them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from made.sets import data_set, document, segeval
from PIL import Image

from segeval import open_run, score
from segeval.cli.commands.plot import PlotOptions
from segeval.reports.html.charts import lay_out_curve
from segeval.reports.plots.plots import PLOTS, draw_plot, plot_data
from segeval.reports.plots.style import save

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ["confusion", "classes", "images"]


def texts(path: Path) -> list[str]:
    return [element.text or "" for element in ET.parse(path).iter(f"{SVG}text")]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.segeval"
    segeval("score", samples / "pred", samples / "truth", "-o", path)
    return path


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Probabilities of the right half of an image, against the truth."""
    levels = np.add.outer(np.zeros(20), np.linspace(0, 250, 40)).astype(int)
    truth = (np.arange(40) >= 18) * np.ones((20, 1), int)
    return data_set(tmp_path_factory.mktemp("grey"), {"a": (truth * 255, levels)})


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_every_plot_comes_in_every_format_and_again_the_same(
    run: Path, tmp_path: Path, kind: str, ending: str, start: bytes
) -> None:
    plots = [tmp_path / f"{number}.{ending}" for number in range(2)]
    for path in plots:
        done = segeval("plot", run, "--kind", kind, "-o", path)
        assert not done.stdout + done.stderr
    content = plots[0].read_bytes()
    assert content.startswith(start)
    assert b"dc:date" not in content
    assert b"CreationDate" not in content
    assert plots[1].read_bytes() == content


@pytest.mark.slow
def test_a_run_and_its_masks_give_the_same_plot(run: Path, tmp_path: Path, samples: Path) -> None:
    segeval("plot", run, "-o", tmp_path / "a.svg")
    segeval("plot", samples / "pred", samples / "truth", "-o", tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_cells_of_the_matrix_are_shares_of_the_true_class(tmp_path: Path) -> None:
    truth, prediction = [[0] * 4, [1] * 4], [[0, 0, 0, 1], [1] * 4]
    folders = data_set(tmp_path, {"a": (truth, prediction)})
    segeval("plot", *folders, "-o", tmp_path / "a.svg")
    words = texts(tmp_path / "a.svg")
    assert [word for word in words if word in {"75", "25", "100"}] == ["75", "25", "100"]
    assert {"truth", "prediction"} <= set(words)


def test_bars_are_the_scores_of_the_classes_from_best_to_worst(
    tmp_path: Path, samples: Path
) -> None:
    folders = samples / "pred", samples / "truth", "--labels", samples / "labels.toml"
    for metric in ("iou", "recall"):
        path = tmp_path / f"{metric}.svg"
        segeval("plot", *folders, "--kind", "classes", "--metric", metric, "-o", path)
        rows = document(*folders)["classes"]
        order = sorted(rows, key=lambda row: -row[metric])
        words = texts(path)
        assert [word for word in words if word in {row["name"] for row in rows}] == [
            row["name"] for row in order
        ]
        assert f"{order[0][metric]:.4f}" in words


def test_the_convention_and_signature_are_those_of_score(run: Path, tmp_path: Path) -> None:
    segeval("plot", run, "--kind", "images", "--exclude", "3", "-o", tmp_path / "a.svg")
    joined = "".join(texts(tmp_path / "a.svg"))
    assert "labels:found|classes:8|ignore:255|pooling:dataset|absent:skip|mean:all-3|" in joined
    assert "12 images" in joined


def test_curves_of_grey_predictions(grey: tuple[Path, Path], tmp_path: Path) -> None:
    segeval("plot", *grey, "--kind", "curves", "-o", tmp_path / "a.svg")
    assert "average precision 1.0000" in texts(tmp_path / "a.svg")
    assert "highest Dice 1.0000 at 109" in texts(tmp_path / "a.svg")
    done = segeval(
        "plot", *grey, "--kind", "curves", "--threshold", "3", "-o", tmp_path / "b.svg", expect=2
    )
    assert "leave out --threshold" in done.stderr


def test_curves_have_no_point_where_nothing_is_predicted(grey: tuple[Path, Path]) -> None:
    document = json.loads(segeval("sweep", *grey, "--json", "-").stdout)
    assert document["predicted"][250:] == [20, 0, 0, 0, 0, 0]
    left, right = draw_plot("curves", document | {"metric": "iou"}).axes
    assert min(np.asarray(left.lines[0].get_ydata())) > 0.4
    assert np.isnan(np.asarray(right.lines[0].get_ydata())[-5:]).all()
    path = lay_out_curve(document)
    assert path is not None
    assert "L0.00 100.00" not in path["path"]


def test_images_of_two_classes_are_shown_by_the_foreground(grey: tuple[Path, Path]) -> None:
    scored = score(prediction=grey[0], truth=grey[1], labels="binary", threshold=200)
    data = plot_data(scored.scores)
    assert data["name"] == "IoU of foreground"
    assert data["values"] == [scored.scores.class_scores["iou"][1]]


def test_what_cannot_be_written_is_said_before_anything_is_counted(
    run: Path, tmp_path: Path
) -> None:
    assert "ends in .svg, .png, .pdf" in segeval("plot", run, "-o", "a.gif", expect=2).stderr
    segeval("plot", run, "-o", run / "a.svg", expect=3)
    linked = tmp_path / "run.svg"
    linked.symlink_to(run)
    assert "is the run" in segeval("plot", linked, "-o", linked, expect=2).stderr
    done = segeval("plot", run, "--include", "x", "-o", tmp_path / "a.svg", expect=2)
    assert "is counted already" in done.stderr


def test_a_plot_goes_to_stdout_as_svg(run: Path, tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.svg"
    assert segeval("plot", run, "-o", file).stdout == ""
    assert segeval("plot", run, "-o", "-").stdout == file.read_text("utf-8")


def test_a_missing_matplotlib_is_one_message(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from segeval.cli import app\n"
        f"app(['plot', 'p', 't', '-o', {str(tmp_path / 'a.svg')!r}])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'need Matplotlib; type pip install "segeval-masks[report]"' in done.stderr


def made_document(classes: int) -> dict[str, Any]:
    """Make a document of any number of classes; one is absent, one has formula signs."""
    random = np.random.default_rng(classes)
    counts = random.integers(0, 9, (classes, classes)) + np.diag([90] * classes)
    counts[-1] = 0
    names = [f"class {k}" for k in range(classes)]
    names[0] = "$x_1$ & <b>"
    scores: list[float | None] = random.random(classes).tolist()
    scores[-1] = None
    return {
        "signature": "labels:made|classes:many",
        "summary": {"miou": 0.5},
        "classes": [{"name": n, "iou": s} for n, s in zip(names, scores, strict=True)],
        "confusion": {
            "labels": names,
            "counts": counts.tolist(),
            "unknown": [1] * (classes - 1) + [0],
        },
        "values": [*random.random(classes).tolist(), float("nan")],
        "name": "mIoU",
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [1, 2, 3, 19, 51, 150])
def test_plots_of_any_number_of_classes_fit(kind: Any, classes: int) -> None:
    content = save(draw_plot(kind, made_document(classes)), "png")
    with Image.open(io.BytesIO(content)) as image:
        assert max(image.size) <= 200 * 20
        margins = np.asarray(image.convert("L"))[[0, -1]]
    assert (margins > 200).all()


def test_names_are_text_and_no_formula() -> None:
    root = ET.fromstring(save(draw_plot("classes", made_document(3)), "svg"))
    assert "$x_1$ & <b>" in [element.text for element in root.iter(f"{SVG}text")]


def test_every_kind_is_an_option() -> None:
    assert set(PlotOptions.__annotations__) >= {"kind", "out"}
    assert set(PLOTS) == {*KINDS, "curves", "boundary", "distances"}


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with bands and distances: a square, 3 pixels to the right, and one that is missed."""
    pytest.importorskip("scipy")
    truth = np.zeros((20, 30), int)
    truth[5:15, 5:15] = 1
    folder = tmp_path_factory.mktemp("edges")
    folders = data_set(folder, {"a": (truth, np.roll(truth, 3, 1)), "b": (truth, truth * 0)})
    run = folder / "run.segeval"
    segeval("score", *folders, "--boundary", "1px,3px", "--distances", "-o", run)
    return run


def test_the_histogram_holds_every_border_pixel(edges: Path, tmp_path: Path) -> None:
    how = ["--kind", "distances", "--class", "1"]
    segeval("plot", edges, *how, "-o", tmp_path / "a.svg")
    words = texts(tmp_path / "a.svg")
    assert "1: 72 border pixels, 1 case of one side only" in words
    # of 36 pixels, two rows of 7 are at 0; beside them 2 pixels, and 2 below a row, at 1
    assert "from the truth: 0.5000 within 1 px" in words
    assert "distance to the other border (px)" in words


def test_the_curve_is_the_boundary_iou_of_each_width(edges: Path, tmp_path: Path) -> None:
    scores = open_run(edges).score(boundary="1px,3px")
    data = plot_data(scores.scores, "boundary", 1)
    assert data["widths"] == [1, 3]
    assert data["unit"] == "pixels"
    flat = scores.flat()
    assert data["lines"] == {"1": [flat["boundary_iou.1"], flat["boundary_iou@3px.1"]]}
    scores.plot("boundary", tmp_path / "a.svg")
    assert {"0", "1", "mean over classes"} <= set(texts(tmp_path / "a.svg"))
    segeval("plot", edges, "--kind", "boundary", "-o", tmp_path / "a.svg")
    assert {"0", "1", "mean over classes"} <= set(texts(tmp_path / "a.svg"))


def test_letters_that_the_font_lacks_are_said(edges: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("道\n路\n", "utf-8")
    for kind in ("boundary", "confusion"):
        how = ["plot", edges, "--labels", tmp_path / "names.txt", "--kind", kind, "-o"]
        said = segeval(*how, tmp_path / "a.png").stderr
        assert "the font of plots lacks 路, 道: they are boxes; an .svg holds" in said
        assert "lacks" not in segeval(*how, tmp_path / "a.svg").stderr
        assert "道" in texts(tmp_path / "a.svg")


@pytest.mark.parametrize(("kind", "option"), [("boundary", "0.5%"), ("distances", "--distances")])
def test_a_run_without_edges_says_what_to_type(
    run: Path, tmp_path: Path, kind: str, option: str
) -> None:
    said = segeval("plot", run, "--kind", kind, "-o", tmp_path / "a.svg", expect=2).stderr
    assert option in said


def test_a_class_is_of_plots_of_edges(run: Path, tmp_path: Path) -> None:
    said = segeval("plot", run, "--class", "1", "-o", tmp_path / "a.svg", expect=2).stderr
    assert "--class needs --kind boundary" in said
