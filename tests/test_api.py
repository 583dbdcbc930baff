"""The public face: what Python offers is what the command line offers, in one place."""

from __future__ import annotations

import inspect
import json
import tracemalloc
import typing
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from made.sets import data_set, frozen, save
from made.sets import segeval as program
from PIL import Image

import segeval
from segeval import api
from segeval.counting.runfile import read_run
from segeval.errors import RunError, SettingError
from segeval.reports import scorer
from segeval.scoring.gates import check_thresholds, parse_threshold

TRUTH = frozen([[0, 1, 1], [2, 2, 255]])
GUESS = frozen([[0, 1, 2], [2, 0, 0]])


def read(folder: Path) -> dict[str, Any]:
    """Read all masks of a folder, by name."""
    paths = sorted(folder.glob("*.png"))
    assert paths
    return {path.stem: np.asarray(Image.open(path)) for path in paths}


def grey_set(folder: Path) -> tuple[Path, Path]:
    """Write pairs of grey predictions, one of them in half the size, and one that is broken."""
    random = np.random.default_rng(3)
    truth = {f"{town}_{n}": random.integers(0, 2, (6, 8)) for town in "ab" for n in range(3)}
    pairs = {
        n: (mask * 255, mask * 60 + random.integers(0, 99, (6, 8))) for n, mask in truth.items()
    }
    pairs["a_0"] = (pairs["a_0"][0], pairs["a_0"][1][::2, ::2])
    folders = data_set(folder, typing.cast("dict[str, tuple[object, object]]", pairs))
    (folders[0] / "b_2.png").write_bytes(b"broken")
    return folders


# The names


def test_a_notebook_completes_the_public_names_and_no_others() -> None:
    assert dir(segeval) == sorted(segeval.__all__)
    assert {"score", "compare", "count", "open_run", "score_arrays", "Run"} < set(dir(segeval))
    assert set(api.__all__) < set(dir(segeval))
    for name in dir(segeval):
        assert getattr(segeval, name) is not None


def test_every_keyword_is_in_the_signature() -> None:
    scoring = typing.get_type_hints(scorer.Scoring)
    handed_on: dict[str, Any] = {
        "score": segeval.score,
        "arrays": segeval.score_arrays,
        "run": segeval.Run.score,
    }
    for name, function in handed_on.items():
        parameters = inspect.signature(function).parameters
        assert scoring.keys() < parameters.keys(), name
        assert not any(one.kind == one.VAR_KEYWORD for one in parameters.values()), name
    assert scoring.keys() < inspect.signature(segeval.compare).parameters.keys()


def test_settings_are_refused_before_anything_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "count_dataset", None)
    masks = iter([TRUTH])
    with pytest.raises(SettingError, match="--labels and --classes"):
        segeval.score_arrays(truth=masks, prediction=masks, labels="voc", classes=2)
    assert next(masks) is TRUTH
    sides: dict[str, Any] = {"prediction": tmp_path / "none", "truth": tmp_path / "none"}
    with pytest.raises(TypeError, match=r"^score\(\) got .* 'lables'; did you mean 'labels'"):
        segeval.score(**sides, lables="voc")  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError, match=r"'foo'; help\(segeval.score\) lists"):
        segeval.score(**sides, foo="image")  # type: ignore[call-arg]  # that is the test
    with pytest.raises(segeval.SegevalError, match="no label map or file is called 'vox'"):
        segeval.score(**sides, labels="vox")
    with pytest.raises(segeval.SegevalError, match="dog"):
        segeval.score(**sides, labels="voc", convention=segeval.Convention(exclude=("dogg",)))
    for given in ({"truth": tmp_path}, {"prediction": tmp_path}, {}, {**sides, "pairs": tmp_path}):
        with pytest.raises(SettingError, match="name prediction and truth, or pairs"):
            segeval.count(**given)


# Folders, as on the command line

FOLDERS: list[tuple[dict[str, Any], str]] = [
    ({}, ""),
    ({"labels": "sample_masks/labels.toml", "level": "class"}, "--labels sample_masks/labels.toml"),
    (
        {"labels": "sample_masks/labels.toml", "unknown": "wrong", "group_by": "street_0."},
        "--labels sample_masks/labels.toml --unknown wrong --group-by street_0.",
    ),
    ({"include": "*_0[0-4]", "ci": 50, "seed": 7}, "--include *_0[0-4] --ci 50 --seed 7"),
]


@pytest.mark.parametrize(("given", "options"), FOLDERS, ids=lambda value: str(value)[:30])
def test_documents_are_those_of_the_command_line(
    given: dict[str, Any], options: str, tmp_path: Path
) -> None:
    sides: dict[str, Any] = {"prediction": "sample_masks/pred", "truth": "sample_masks/truth"}
    files = {name: tmp_path / f"cli.{name}" for name in ("json", "csv", "html")}
    written = [word for name, path in files.items() for word in (f"--{name}", path)]
    program("score", *sides.values(), *options.split(), *written)
    result = segeval.score(**sides, **given)
    result.to_json(tmp_path / "api.json")
    result.to_csv(tmp_path / "api.csv")
    result.html(tmp_path / "api.html")
    for name, path in files.items():
        assert (tmp_path / f"api.{name}").read_bytes() == path.read_bytes()


def test_reading_is_set_as_on_the_command_line(tmp_path: Path) -> None:
    prediction, truth = grey_set(tmp_path)
    save(truth / "c.png", [[0, 255]])
    (tmp_path / "labels.csv").write_text("name,value\nroad,0\ncar,255\n", "utf-8")
    settings: list[tuple[dict[str, Any], str]] = [
        (
            {"missing": "skip", "on_error": "skip", "resize_prediction": True},
            "--missing skip --on-error skip --resize-prediction",
        ),
        (
            {"missing": "worst", "on_error": "skip", "max_pixels": 24, "include": "[abc]*"},
            "--missing worst --on-error skip --max-pixels 24 --include [abc]*",
        ),
    ]
    for given, options in settings:
        expected = program(
            "score",
            prediction,
            truth,
            "--threshold",
            99,
            "--labels",
            "binary",
            *options.split(),
            "--format",
            "json",
        )
        result = segeval.score(
            prediction=prediction, truth=truth, threshold=99, labels="binary", **given
        )
        assert json.loads(expected.stdout)["signature"] == result.signature
        assert json.loads(expected.stdout)["summary"] == pytest.approx(
            result.document["summary"], nan_ok=True
        )
    run = segeval.count(prediction=prediction, truth=truth)
    assert {problem.kind for problem in run.problems} == {
        "missing prediction",
        "sizes differ",
        "unreadable mask",
    }
    assert repr(run) == "Run(4 images, 3 problems)"
    with pytest.raises(segeval.DataError, match="unreadable mask"):
        run.score(threshold=99)


def test_pairs_are_listed_in_a_table(tmp_path: Path) -> None:
    save(tmp_path / "p.png", GUESS)
    save(tmp_path / "t.png", TRUTH)
    (tmp_path / "pairs.csv").write_text("prediction,truth,name,group\np.png,t.png,one,night\n")
    result = segeval.score(pairs=tmp_path / "pairs.csv", group_by=None)
    assert result.images[["image", "group"]].values.tolist() == [["one", "night"]]
    assert "miou@night" in result.flat()


# Runs


def test_a_run_is_counted_once_saved_opened_added_and_scored(samples: Path, tmp_path: Path) -> None:
    sides: dict[str, Any] = {"prediction": samples / "pred", "truth": samples / "truth"}
    expected = segeval.score(**sides)
    halves = [segeval.count(**sides, shard=f"{number}/2") for number in (1, 2)]
    assert [len(half) for half in halves] == [6, 6]
    run = halves[0] + halves[1]
    run.save(tmp_path / "run.segeval")
    with pytest.raises(RunError, match="exists"):
        run.save(tmp_path / "run.segeval")
    run.save(tmp_path / "run.segeval", overwrite=True)
    opened = segeval.open_run(str(tmp_path / "run.segeval"))
    assert type(opened) is segeval.Run
    assert repr(opened) == "Run(12 images)"
    assert opened.score().document == expected.document
    assert [image.name for image in opened.images] == sorted(read(samples / "truth"))
    assert opened.per_image()["miou"].tolist() == expected.images["miou"].tolist()
    table = opened.contingency()
    assert table["pixels"].sum() == sum(mask.size for mask in read(samples / "truth").values())
    assert table.query("image == 'street_00' and truth == prediction")["pixels"].sum() > 0
    program("score", *sides.values(), "-o", tmp_path / "cli.segeval")
    theirs = read_run(tmp_path / "cli.segeval")
    assert (theirs.images, theirs.provenance) == (opened.images, opened.counted.provenance)
    assert theirs.total() == opened.counted.total()
    with pytest.raises(RunError, match="there is no such run file"):
        segeval.open_run(tmp_path / "none")


# Arrays


def test_arrays_score_as_files_do(samples: Path) -> None:
    truth, prediction = read(samples / "truth"), read(samples / "pred")
    result = segeval.score_arrays(
        truth=truth.values(),
        prediction=(prediction[name] for name in truth),
        names=truth,
        labels=samples / "labels.toml",
        convention=segeval.preset("monai"),
        ci=30,
    )
    expected = segeval.score(
        prediction=samples / "pred",
        truth=samples / "truth",
        labels=str(samples / "labels.toml"),
        convention=segeval.preset("monai"),
        ci=30,
    )
    where = {"prediction": "", "truth": "", "pairs": ""}
    document = expected.document
    document["settings"] = {n: v for n, v in document["settings"].items() if n not in where}
    assert result.document == document


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", ">i2", "uint16", "int64", "uint64"])
def test_masks_of_any_whole_numbers_score_alike(dtype: str) -> None:
    truth, guess = frozen([[0, 1, 1], [1, 0, 0]], dtype), frozen([[0, 1, 0], [1, 1, 0]], dtype)
    result = segeval.score_arrays(truth=truth, prediction=guess.astype("int32"), classes=2)
    assert result.classes["iou"].tolist() == [0.5, 0.5]
    assert (
        segeval.score_arrays(truth=truth.T, prediction=guess.T, classes=2).summary == result.summary
    )
    with pytest.raises(segeval.DataError, match=r"prediction holds float32.* say threshold=0\.5"):
        segeval.score_arrays(truth=truth, prediction=guess.astype("float32"))


def test_one_pair_a_stack_and_an_iterable_are_told_apart() -> None:
    alone = segeval.count_arrays(truth=TRUTH, prediction=GUESS, names="a", groups="night")
    assert [(image.name, image.group) for image in alone.images] == [("a", "night")]
    stack = segeval.count_arrays(truth=np.stack([TRUTH] * 11), prediction=[GUESS] * 11)
    assert [image.name for image in stack.images] == [f"{n:06}" for n in range(11)]
    assert stack.score(ignore={255}).summary == alone.score(ignore=255).summary
    assert len(segeval.count_arrays(truth=[], prediction=[])) == 0
    with pytest.raises(segeval.DataError, match="nothing to score"):
        segeval.score_arrays(truth=[], prediction=[])


def test_groups_of_arrays_are_resampled_as_a_whole() -> None:
    random = np.random.default_rng(1)
    masks = random.integers(0, 2, (2, 30, 9, 9))
    groups = [f"patient {n // 3}" for n in range(30)]
    result = segeval.score_arrays(truth=masks[0], prediction=masks[1], groups=groups, ci=40)
    assert "ci:40,95%,seed:12345,groups" in result.signature
    assert len(result.scores.groups) == 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"prediction": [GUESS, GUESS.T]},
            r"pair b: prediction has shape \(3, 2\), truth has shape \(2, 3\)",
        ),
        (
            {"prediction": [GUESS, GUESS[0]]},
            r"pair b: prediction has shape \(3,\); a mask has shape",
        ),
        ({"truth": [TRUTH, TRUTH[:0]]}, r"pair b: truth has shape \(0, 3\)"),
        ({"truth": [TRUTH, TRUTH / 2]}, r"pair b: truth holds float64; .*argmax"),
        (
            {"truth": [TRUTH, frozen(TRUTH, "uint64") + (1 << 63)]},
            r"pair b: truth: 9223372036854775808 is no value of a mask.*\^61",
        ),
        ({"prediction": [GUESS]}, r"prediction end after 1, truth, names hold more"),
        ({"names": ["b", "b"]}, "pair b: give each pair a name of its own"),
        (
            {"truth": TRUTH[None, None], "prediction": [GUESS], "names": "b"},
            r"pair b: truth has shape \(1, 2, 3\)",
        ),
    ],
)
def test_what_is_no_pair_of_masks_is_named(given: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"truth": [TRUTH, TRUTH], "prediction": [GUESS, GUESS], "names": "ab"}
    usual["names"] = list(usual["names"])
    with pytest.raises(segeval.DataError, match=message) as caught:
        segeval.score_arrays(**usual | given)
    assert len(caught.value.problems) == 1


def test_pixels_are_not_kept() -> None:
    def masks(shift: int) -> Iterator[Any]:
        for number in range(200):
            yield np.full((256, 256), (number + shift) % 3, np.int64)

    tracemalloc.start()
    run = segeval.count_arrays(truth=masks(0), prediction=masks(1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(run) == 200
    assert peak < 20 * 256 * 256 * 8


def test_unknown_values_of_arrays_name_the_pair() -> None:
    with pytest.raises(segeval.DataError, match="prediction of left: 2 on 2 pixels is no class"):
        segeval.score_arrays(truth=TRUTH > 0, prediction=GUESS, names="left", classes=2)


# Results


def test_flat_numbers_are_named_as_gates_name_them(samples: Path) -> None:
    result = segeval.score(
        prediction=samples / "pred",
        truth=samples / "truth",
        labels="cityscapes-train",
        unknown="wrong",
        group_by="street_0",
        ci=20,
    )
    numbers = result.flat("val/")
    assert all(name.startswith("val/") and type(value) is float for name, value in numbers.items())
    assert json.dumps(numbers, allow_nan=False)
    assert numbers["val/miou.low"] < numbers["val/miou"] < numbers["val/miou.high"]
    assert {"val/iou.road.low", "val/miou@street_0", "val/iou.road@street_0"} < numbers.keys()
    for name, value in numbers.items():
        threshold = parse_threshold(f"{name.removeprefix('val/')}=0", default="miou")
        (gate,) = check_thresholds(result.scores, [threshold])
        assert gate.value == value, name
    undefined = result.classes.query("iou != iou")["name"].tolist()
    assert undefined
    assert not {f"val/iou.{name}" for name in undefined} & numbers.keys()


def test_a_notebook_shows_the_tables_escaped() -> None:
    labels = segeval.LabelMap(
        name="x",
        labels=tuple(
            segeval.Label(name=name, truth_values=(n,), prediction_values=(n,))
            for n, name in enumerate(["<b>bold</b>", "a & b", "\udcff"])
        ),
        void=(255,),
    )
    pair: dict[str, Any] = {
        "truth": [TRUTH, GUESS],
        "prediction": [GUESS, GUESS],
        "groups": ["<i>", ""],
    }
    result = segeval.score_arrays(**pair, labels=labels, ci=10)
    root = ET.fromstring(result._repr_html_().encode("utf-8").decode("utf-8"))
    words = [text.strip() for text in root.itertext()]
    assert {"<b>bold</b>", "a & b", "\\udcff", "<i>", "mIoU", result.signature} <= set(words)
    assert root.find(".//b") is None
    assert len(root.findall(".//table")) == 4
    shown = program("score", "sample_masks/pred", "sample_masks/truth").stdout
    html = segeval.score(prediction="sample_masks/pred", truth="sample_masks/truth")._repr_html_()
    cells = " ".join(ET.fromstring(html).itertext())
    for word in shown.split():
        assert word in cells, word


@pytest.mark.parametrize("kind", ["confusion", "classes", "images", "curves"])
def test_plots_are_those_of_the_command_line(kind: Any, tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    prediction, truth = grey_set(tmp_path)
    (prediction / "b_2.png").unlink()
    how: dict[str, Any] = {"missing": "skip", "resize_prediction": True, "labels": "binary"}
    options = "--missing skip --resize-prediction --labels binary".split()
    threshold = [] if kind == "curves" else ["--threshold", 99]
    program(
        "plot",
        prediction,
        truth,
        *options,
        *threshold,
        "--kind",
        kind,
        "--metric",
        "dice",
        "-o",
        tmp_path / "a.svg",
    )
    result = segeval.score(prediction=prediction, truth=truth, threshold=99, **how)
    figure = result.plot(kind, tmp_path / "b.svg", metric="dice")
    written = [(tmp_path / name).read_text("utf-8") for name in ("a.svg", "b.svg")]
    assert figure.axes
    if kind != "curves":  # their signature has the threshold
        assert written[0] == written[1]
    assert dict(mpl.rcParams) == before


def test_plots_that_cannot_be_made_say_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = segeval.score_arrays(truth=TRUTH, prediction=GUESS)
    with pytest.raises(SettingError, match=r"one of confusion, classes, .*, not 'pie'"):
        result.plot("pie")  # type: ignore[arg-type]  # that is the test
    with pytest.raises(SettingError, match=r"one of iou, dice, .*, not 'miou'"):
        result.plot("classes", metric="miou")
    with pytest.raises(SettingError, match=r"ends in \.svg"):
        result.plot("classes", tmp_path / "a.gif")
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(SettingError, match=r'pip install "segeval-masks\[report\]"'):
        result.plot()


def test_a_page_of_arrays_has_no_pictures_and_says_so(tmp_path: Path) -> None:
    result = segeval.score_arrays(truth=TRUTH, prediction=GUESS, names="<left>")
    result.html(tmp_path / "page.html", percent=True)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "&lt;left&gt;" in page
    assert "<left>" not in page


# Comparisons


def made_comparison(**how: Any) -> segeval.Comparison:
    """Compare two sets of predictions for the same truths."""
    random = np.random.default_rng(2)
    truth, *predictions = random.integers(0, 3, (3, 12, 8, 8))
    runs = [segeval.count_arrays(truth=truth, prediction=prediction) for prediction in predictions]
    return segeval.compare(*runs, **{"classes": 3, "ci": 100} | how)


def test_comparisons_are_shown_and_written(tmp_path: Path) -> None:
    comparison = made_comparison(labels=None, classes=3)
    root = ET.fromstring(comparison._repr_html_())
    assert root.find(".//table") is not None
    assert comparison.signature in set(root.itertext())
    comparison.html(tmp_path / "page.html")
    comparison.to_json(tmp_path / "a.json")
    comparison.to_csv(tmp_path / "a.csv")
    assert comparison.signature in (tmp_path / "page.html").read_text("utf-8")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == comparison.document
    assert len((tmp_path / "a.csv").read_text("utf-8").splitlines()) > len(comparison.summary)
    assert comparison.document["settings"]["classes"] == 3


def test_comparisons_take_every_choice_of_labels() -> None:
    binary = {"labels": "binary", "classes": None, "threshold": 2, "truth_threshold": 1}
    comparison = made_comparison(**binary)
    assert comparison.signature.startswith("labels:binary|")
    assert comparison.classes["name"].unique().tolist() == ["background", "foreground"]


def test_boundaries_of_arrays_runs_and_folders_agree(samples: Path) -> None:
    folders: Any = {"prediction": samples / "pred", "truth": samples / "truth"}
    whole = segeval.score(**folders, boundary="5px,2%")
    run = segeval.count(**folders)
    with pytest.raises(SettingError, match="the run holds nothing of the kind"):
        run.score(boundary="2%")
    measured = run.measure(boundary="5px,2%")
    assert (
        measured.score(boundary="2%").summary["mboundary_iou"] == whole.summary["mboundary_iou@2%"]
    )
    sides = [[np.array(Image.open(p)) for p in sorted(f.iterdir())] for f in folders.values()]
    arrays = segeval.score_arrays(prediction=sides[0], truth=sides[1], boundary="5px")
    assert arrays.summary["mboundary_iou"] == whole.summary["mboundary_iou"]
    assert whole.flat()["boundary_iou.3"] == whole.classes["boundary_iou"][3]
    compared = segeval.compare(measured, measured, boundary="5px", ci=20)
    assert compared.summary["mboundary_iou"]["delta"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"boundary": 5}, r"type boundary='5px' for pixels, or boundary='5%'"),
        ({"trimap": True}, r"type trimap='2px'"),
        ({"objects": True}, r"objects=True: type objects='ids'"),
        ({"distances": 5}, r"distances=5: type distances=True"),
        ({"like": "monai"}, r"'like'; type convention=segeval.preset\(\"NAME\"\)"),
        ({"exclude": ["a"]}, r"type convention=segeval.Convention\(exclude="),
        ({"nsd": 1}, r"type distances=.*DistanceRules\(tolerances="),
    ],
)
def test_a_keyword_of_another_form_is_told_with_what_to_type(given: Any, said: str) -> None:
    run: Any = segeval.count_arrays(truth=[TRUTH] * 2, prediction=[TRUTH] * 2)
    for call in (run.score, partial(segeval.compare, run, run)):
        with pytest.raises((SettingError, TypeError), match=said):
            call(**given)
