"""A mask a class, of which a pixel may be in several: files by their names, and channels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import save, segeval
from numpy.typing import NDArray

from segeval.counting.dataset import count_dataset
from segeval.errors import SettingError
from segeval.labels.choose import choose_labels
from segeval.pictures.caption import in_parts
from segeval.presets.preset import find_preset
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS
from segeval.scoring.score import score_run
from segeval.settings import AnnotationChoice, LabelChoice, Source, parse_per_class

CLASSES = "car", "traffic_light", "sky"
SHAPE = 6, 7
BY_FOLDER = "{class}/{name}"
BY_END = "{name}_{class:car,traffic_light,sky}"
CHANNELS = "channels:car,traffic_light,sky"
Planes = NDArray[np.bool_]  # (K, H, W)


def planes(seed: int, classes: int = 3) -> Planes:
    return np.random.default_rng(seed).random((classes, *SHAPE)) > 0.6


TRUTHS = {f"city/i{n}": planes(n) for n in range(3)}
PREDICTIONS = {f"city/i{n}": planes(10 + n) for n in range(3)}


def write(folder: Path, kind: str) -> tuple[Path, Path]:
    """Write predictions and truths in one of the ways that are read."""
    for side, images in (("pred", PREDICTIONS), ("truth", TRUTHS)):
        for name, masks in images.items():
            if kind == CHANNELS:
                (folder / side / "city").mkdir(parents=True, exist_ok=True)
                np.save(folder / side / f"{name}.npy", masks.astype(np.float32))
                continue
            for place, word in enumerate(CLASSES):
                path = f"{word}/{name}" if kind == BY_FOLDER else f"{name}_{word}"
                save(folder / side / f"{path}.png", masks[place] * (255 if place else 1))
    return folder / "pred", folder / "truth"


def counts() -> list[list[int]]:
    """Count tp, fp and fn of every class as two binary masks."""
    p, t = (np.stack([*images.values()]) for images in (PREDICTIONS, TRUTHS))
    parts = [part.sum(axis=(0, 2, 3)) for part in (p & t, p & ~t, ~p & t)]
    rows: list[list[int]] = np.stack(parts, axis=1).tolist()
    return rows


def document(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segeval(*arguments, "--format", "json").stdout)
    return found


@pytest.mark.parametrize("kind", [BY_FOLDER, BY_END, CHANNELS])
def test_every_class_is_scored_against_the_rest(tmp_path: Path, kind: str) -> None:
    sides = write(tmp_path, kind)
    found = document("score", *sides, "--per-class", kind, "--workers", 2)
    rows = {row["name"]: [row[part] for part in ("tp", "fp", "fn")] for row in found["classes"]}
    order = sorted(CLASSES) if kind == BY_FOLDER else CLASSES
    assert rows == dict(zip(CLASSES, counts(), strict=True))
    assert [*rows] == [*order]
    assert found["confusion"]["counts"] is None
    assert found["summary"]["pixel_accuracy"] is found["summary"]["kappa"] is None
    assert found["images"]["scored"] == 3
    assert "|multilabel:yes|" in found["signature"]


def test_sides_may_be_stored_in_two_ways(tmp_path: Path) -> None:
    truth = write(tmp_path / "a", BY_FOLDER)[1]
    prediction = write(tmp_path / "b", CHANNELS)[0]
    how = ("--per-class", BY_FOLDER, "--pred-per-class", CHANNELS)
    found = document("score", prediction, truth, *how)
    assert {row["name"]: row["tp"] for row in found["classes"]} == dict(
        zip(CLASSES, [row[0] for row in counts()], strict=True)
    )


def test_channels_come_last_or_first_and_have_numbers_without_names(tmp_path: Path) -> None:
    for side, seed in (("p", 1), ("t", 2)):
        np.save(tmp_path / f"{side}.npy", np.moveaxis(planes(seed, 20), 0, -1))
    found = document(
        "score", tmp_path / "p.npy", tmp_path / "t.npy", "--per-class", "channels-last"
    )
    both = planes(1, 20) & planes(2, 20)
    assert [row["tp"] for row in found["classes"]] == both.sum(axis=(1, 2)).tolist()
    assert [row["name"] for row in found["classes"]] == [str(n) for n in range(20)]


def test_a_run_is_resumed_sharded_and_scored_without_the_masks(tmp_path: Path) -> None:
    sides, run = write(tmp_path, BY_END), tmp_path / "run.segeval"
    how = (*sides, "--per-class", BY_END)
    segeval("score", *how, "-o", run)
    save(sides[0] / "city/i1_sky.png", np.ones(SHAPE))
    first = document("score", *how, "-o", run, "--resume")
    assert first["classes"][2]["tp"] > counts()[2][0]
    shards = [tmp_path / f"{n}.segeval" for n in (1, 2)]
    for number, shard in enumerate(shards, 1):
        segeval("score", *how, "--shard", f"{number}/2", "-o", shard)
    segeval("merge", *shards, "-o", tmp_path / "all.segeval")
    merged = document("report", tmp_path / "all.segeval")
    assert merged["classes"] == first["classes"] == document("report", run)["classes"]
    segeval("overlay", *how, "--out", tmp_path / "pictures", "--class", "sky")
    assert len([*(tmp_path / "pictures").rglob("*.png")]) == 3
    segeval("show", *how, "city/i1")
    assert "per-class: car, traffic_light, sky" in segeval("check", *how).stdout


@pytest.mark.parametrize("kind", [BY_FOLDER, CHANNELS])
def test_pictures_find_the_masks_that_were_counted(tmp_path: Path, kind: str) -> None:
    sides = write(tmp_path, kind)
    choice = AnnotationChoice(per_class=parse_per_class(kind))
    run = count_dataset(Source(prediction=sides[0], truth=sides[1], annotations=choice))
    scores = score_run(run, choose_labels(run, LabelChoice()))
    assert in_parts(scores).labels.names[-1] == "no class"
    for image in run.images:
        values = image.pair.truth.values(SHAPE)  # type: ignore[union-attr]  # it is no path
        order = scores.labels.names
        expected = sum(
            TRUTHS[image.name][CLASSES.index(name)].astype(int) << place
            for place, name in enumerate(order)
        )
        np.testing.assert_array_equal(values, expected)


def ratio(part: NDArray[Any], whole: NDArray[Any], empty: float) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), empty)


@pytest.mark.parametrize("empty", [0.0, 1.0])
def test_presets_of_smp_are_its_formulas_in_multilabel_mode(tmp_path: Path, empty: float) -> None:
    """Counts of image and class; over sums, over images, and over classes of each image."""
    sides = write(tmp_path, CHANNELS)
    for side in sides:
        np.save(side / "city" / "i3.npy", np.zeros((3, *SHAPE)))
    choice = AnnotationChoice(per_class=parse_per_class(CHANNELS))
    run = count_dataset(Source(prediction=sides[0], truth=sides[1], annotations=choice))
    p, t = (
        np.concatenate([np.stack([*images.values()]), np.zeros((1, 3, *SHAPE), bool)])
        for images in (PREDICTIONS, TRUTHS)
    )
    tp, either = (p & t).sum(axis=(2, 3)), (p | t).sum(axis=(2, 3))
    zero = "" if empty else "-zero"
    wanted = {
        f"smp{':zero' if not empty else ''}": ratio(tp.sum(0), either.sum(0), empty),
        f"smp:macro-imagewise{zero}": ratio(tp, either, empty),
        f"smp:micro-imagewise{zero}": ratio(tp.sum(1), either.sum(1), empty),
        "smp:micro": ratio(tp.sum(keepdims=True), either.sum(keepdims=True), empty),
    }
    for name, cells in wanted.items():
        scores = score_run(run, choose_labels(run, LabelChoice()), find_preset(name).convention)
        assert scores.summary["miou"] == pytest.approx(cells.mean(), abs=1e-12), name


def bad(folder: Path, text: str) -> tuple[Path, Path]:
    """Write a data set with one fault."""
    sides = write(folder, BY_FOLDER)
    sky = sides[1] / "sky" / "city" / "i1.png"
    if text == "missing":
        sky.unlink()
    elif text == "size":
        save(sky, np.zeros((3, 3)))
    elif text == "grey":
        save(sky, np.arange(42).reshape(SHAPE))
    elif text == "void":
        save(sky, np.where(np.eye(*SHAPE), 255, np.arange(42).reshape(SHAPE) % 2))
    elif text == "strange":
        save(sides[0] / "dog" / "city" / "i1.png", np.zeros(SHAPE))
    else:
        sky.write_bytes(b"\x89PNG\r\n\x1a\n")
    return sides


BAD = {
    "missing": "truth/sky/city/i1.png does not exist, so image 'city/i1' has no mask of 'sky'; add "
    "it, or type --missing-class empty",
    "size": "truth/sky/city/i1.png: it is 3×3 pixels, and ",
    "grey": "truth/sky/city/i1.png: it holds 0..9; a mask of one class holds 0 and 1, or 0 and 255",
    "void": "truth/sky/city/i1.png: it holds 0,1,255; a mask of one class",
    "strange": "the prediction has masks of dog, and the classes are car, sky, traffic_light; list "
    "those that are scored: --per-class '{class:car,sky,traffic_light}/{name}'",
    "broken": "truth/sky/city/i1.png: the file is broken",
}


@pytest.mark.parametrize("fault", BAD)
def test_what_is_no_mask_of_a_class_is_named(tmp_path: Path, fault: str) -> None:
    said = segeval("check", *bad(tmp_path, fault), "--per-class", BY_FOLDER, expect=3)
    assert BAD[fault] in " ".join(said.stdout.split()).replace(f"{tmp_path}/", "")
    assert "problems    1\n" in said.stdout


def test_a_class_without_a_file_may_be_empty(tmp_path: Path) -> None:
    sides = bad(tmp_path, "missing")
    found = document("score", *sides, "--per-class", BY_FOLDER, "--missing-class", "empty")
    lost = int((TRUTHS["city/i1"][2] & PREDICTIONS["city/i1"][2]).sum())
    assert found["classes"][1]["tp"] == counts()[2][0] - lost
    assert "|missing-class:empty|" in found["signature"]


def test_many_missing_files_are_one_problem(tmp_path: Path) -> None:
    sides = write(tmp_path, BY_END)
    said = segeval("score", *sides, "--per-class", "{name}_{class}", expect=3)
    assert said.stderr.count("masks are missing") == 2
    assert said.stderr.startswith("segeval: 2 problems in the data; nothing was scored\n")
    assert "list them: --per-class '{name}_{class:a,b}'" in " ".join(said.stderr.split())


REFUSED = {
    "a number of channels": ((), "channels:a,b", "it holds 3 channels, and there are 2 classes"),
    "values of classes": (("--classes", 3), CHANNELS, "so leave out --labels, --classes"),
    "void": (("--ignore", 255), CHANNELS, "where nothing is judged is said by --roi"),
    "objects": (("--objects", "ids"), CHANNELS, "--objects"),
    "another order": (("--pred-per-class", "channels:a"), CHANNELS, "name the same ones on both"),
    "no names": (("--pred-per-class", "channels"), CHANNELS, "need names, as in channels:a,b"),
    "no template": ((), "{class}", "is neither a template of names with {name} and {class}"),
    "two of one name": ((), "channels:a,a", "each class needs a name of its own"),
    "no class": (("--missing-class", "empty"), None, "--missing-class need --per-class"),
    "no such names": ((), "{name}-{class}", "has a name like {name}-{class}"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_does_not_go_together_is_refused(tmp_path: Path, kind: str) -> None:
    options, template, reason = REFUSED[kind]
    how = () if template is None else ("--per-class", template)
    said = segeval("score", *write(tmp_path, CHANNELS), *how, *options, expect=None)
    assert said.returncode in {2, 3}
    assert reason in " ".join(said.stderr.split())


def test_a_loss_needs_one_class_a_pixel(tmp_path: Path) -> None:
    sides = write(tmp_path, CHANNELS)
    said = segeval("losses", *sides, "--per-class", CHANNELS, expect=2)
    assert "a loss needs one class a pixel; leave out --per-class" in said.stderr


def test_names_are_for_folders_and_channels_for_tables_of_pairs(tmp_path: Path) -> None:
    prediction, truth = write(tmp_path, CHANNELS)
    table = tmp_path / "pairs.csv"
    table.write_text(f"prediction,truth\n{prediction}/city/i0.npy,{truth}/city/i0.npy\n", "utf-8")
    found = document("score", "--pairs", table, "--per-class", CHANNELS)
    assert [row["name"] for row in found["classes"]] == [*CLASSES]
    with pytest.raises(SettingError, match="with --pairs, type channels"):
        Source(pairs=table, annotations=AnnotationChoice(per_class=parse_per_class(BY_END)))


def test_empty_pictures_have_all_scores_undefined(tmp_path: Path) -> None:
    for side in "pt":
        np.save(tmp_path / f"{side}.npy", np.zeros((2, 3, 3), np.uint8))
    choice = AnnotationChoice(per_class=parse_per_class("channels:a,b"))
    source = Source(prediction=tmp_path / "p.npy", truth=tmp_path / "t.npy", annotations=choice)
    run = count_dataset(source)
    scores = score_run(run, choose_labels(run, LabelChoice()), Convention())
    assert all(np.isnan(scores.class_scores[name]).all() for name in METRICS if name != "accuracy")


@pytest.mark.parametrize("asked", ["channels", "channels-last"])
def test_channels_along_the_other_axis_are_told(tmp_path: Path, asked: str) -> None:
    meant = {"channels": "channels-last", "channels-last": "channels"}[asked]
    shape = (70, 80, 3) if asked == "channels" else (3, 70, 80)
    np.save(side := tmp_path / "a.npy", np.ones(shape, np.uint8))
    said = segeval("score", side, side, "--per-class", asked, expect=3).stderr
    assert "a pixel may be of 61 classes at most" in said
    assert f"type --per-class {meant} if they lie along the other axis" in said
    said = segeval("score", side, side, "--per-class", f"{asked}:a,b,c", expect=3).stderr
    assert f"type --per-class {meant}:a,b,c" in said
    assert segeval("score", side, side, "--per-class", meant, "--format", "total").stdout == "1.0\n"


def test_an_array_of_channels_says_how_they_are_read(tmp_path: Path) -> None:
    said = segeval("score", *write(tmp_path, CHANNELS), expect=3).stderr
    assert "type --per-class channels if each is the mask of a class" in said
