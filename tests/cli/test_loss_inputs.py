"""Which maps and truths the losses take, and every problem at once, by file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made.interrupts import interrupted
from made.maps import (
    SHAPES,
    VOID,
    losses,
    made_logits,
    made_set,
    made_truth,
    map_set,
    plain_losses,
    save_map,
    softmax,
)
from made.sets import save, segeval
from PIL import Image

from segeval.cli import app

SHARES = softmax(made_logits(0, (3, 4, 5)))
TRUTH = made_truth(0, (4, 5), 3)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    return map_set(tmp_path, *made_set(several=True, logits=False))


def test_maps_are_read_in_every_form(tmp_path: Path) -> None:
    maps, truths = made_set(several=True, logits=True)
    probs, truth = map_set(tmp_path, maps, truths)
    usual = losses(probs, truth, "--logits")["summary"]
    for name, values in maps.items():
        save_map(tmp_path / "last" / f"{name}.npy", np.moveaxis(values, 0, -1))
        save_map(tmp_path / "half" / f"{name}.npy", values.astype("float16"))
    last = losses(tmp_path / "last", truth, "--logits", "--channels", "last")["summary"]
    assert last == pytest.approx(usual, rel=1e-12)
    half = losses(tmp_path / "half", truth, "--logits")["summary"]
    assert half == pytest.approx(usual, abs=0.01)


def test_pictures_and_archives_are_maps_too(tmp_path: Path) -> None:
    truths = {name: made_truth(seed, (4, 5), 2) for seed, name in enumerate("abc")}
    levels = np.random.default_rng(0).integers(1, 255, (4, 5))
    probs, truth = map_set(tmp_path, {"a": levels.astype("uint8")}, truths)
    save(probs / "b.png", levels)
    np.savez(probs / "c.npz", levels / np.float32(255))
    expected, _ = plain_losses(dict.fromkeys("abc", levels / 255), truths)
    del expected["tversky"]
    assert losses(probs, truth)["summary"] == pytest.approx(expected, rel=1e-5)


def test_the_foreground_may_come_first_in_a_label_map(tmp_path: Path) -> None:
    maps, truths = made_set(several=False, logits=False)
    folders = map_set(tmp_path, maps, truths)
    rows = {"lesion": 1, "skin": 0}
    labels = tmp_path / "labels.csv"
    labels.write_text("name,value\n" + "".join(f"{n},{v}\n" for n, v in rows.items()), "utf-8")
    usual = losses(*folders, "--ignore", 255)
    named = losses(*folders, "--labels", labels, "--ignore", 255)
    assert (named["summary"], named["hard"]) == (usual["summary"], usual["hard"])


def test_a_label_map_says_which_values_are_which_channel(tmp_path: Path) -> None:
    maps, truths = {"a": SHARES}, {"a": TRUTH}
    usual = losses(*map_set(tmp_path, maps, truths))
    stored = {"a": np.choose(TRUTH, [7, 26, 11]).astype("uint8")}
    stored["a"][0, 0] = 3
    void = TRUTH.copy()
    void[0, 0] = VOID
    other = losses(*map_set(tmp_path / "void", maps, {"a": void}))
    labels = tmp_path / "labels.toml"
    rows = [
        f'[[labels]]\nname = "{n}"\nvalues = [{v}]\n'
        for n, v in zip("xyz", (7, 26, 11), strict=True)
    ]
    labels.write_text("void = [3]\n" + "".join(rows), "utf-8")
    named = losses(*map_set(tmp_path / "named", maps, stored), "--labels", labels)
    assert named["summary"] == other["summary"] != usual["summary"]
    assert named["hard"] == other["hard"]
    assert named["pixels"]["ignored"] == 1
    assert "labels:labels|classes:3|ignore:3|" in named["signature"]


def test_a_class_may_be_a_negative_number_in_predictions(tmp_path: Path) -> None:
    folders = map_set(tmp_path, {"a": SHARES}, {"a": TRUTH})
    labels = tmp_path / "labels.toml"
    rows = (f"{{name = '{k}', truth_values = {k}, prediction_values = {k - 1}}}" for k in range(3))
    labels.write_text(f"labels = [{', '.join(rows)}]", "utf-8")
    assert losses(*folders, "--labels", labels)["hard"] == losses(*folders)["hard"]
    silent = labels.read_text("utf-8").replace("prediction_values = 1", "prediction_values = []")
    labels.write_text(silent, "utf-8")
    said = segeval("losses", *folders, "--labels", labels, expect=3).stderr
    assert "gives 2 no value in predictions" in said


def test_truths_may_be_colours_that_a_label_map_names(tmp_path: Path) -> None:
    colors = np.array([[128, 64, 128], [244, 35, 232], [70, 70, 70]], np.uint8)
    probs, truth = map_set(tmp_path, {"a": SHARES}, {"a": TRUTH})
    usual = losses(probs, truth)["summary"]
    Image.fromarray(colors[TRUTH]).save(truth / "a.png")
    (tmp_path / "c.csv").write_text("name,r,g,b\nx,128,64,128\ny,244,35,232\nz,70,70,70\n", "utf-8")
    assert losses(probs, truth, "--labels", tmp_path / "c.csv")["summary"] == usual
    done = segeval("losses", probs, truth, expect=3)
    assert "#804080" in done.stderr
    assert "--labels" in done.stderr


@pytest.mark.parametrize(
    ("kind", "options", "labels"),
    [
        ("0/1", [], "found"),
        ("0/1/255", ["--ignore", "255"], "found"),
        ("0/255", [], "binary(found)"),
        ("0/255", ["--labels", "binary"], "binary"),
        ("grey as RGB", [], "binary(found)"),
        ("grey", ["--truth-threshold", "100"], "binary"),
    ],
)
def test_the_foreground_is_found_in_the_truths(
    tmp_path: Path, kind: str, options: list[str], labels: str
) -> None:
    bits = TRUTH // 2
    maps, truths = {"a": SHARES[0]}, {"a": bits.copy()}
    if kind == "0/1/255":
        truths["a"][0] = VOID
    expected, _ = plain_losses(maps, truths)
    stored = truths["a"] if kind.startswith("0/1") else bits * 255
    if kind == "grey":
        stored = np.where(bits, 100 + TRUTH, 99 - bits)
    probs, truth = map_set(tmp_path, maps, {"a": stored})
    if kind == "grey as RGB":
        Image.fromarray(np.stack([stored] * 3, -1)).save(truth / "a.png")
    document = losses(probs, truth, *options)
    assert document["summary"]["bce"] == pytest.approx(expected["bce"])
    assert document["signature"].startswith(f"labels:{labels}|")


def test_truths_of_doubtful_foreground_are_refused(tmp_path: Path) -> None:
    pair = map_set(tmp_path, {"a": SHARES[0]}, {"a": TRUTH})
    done = segeval("losses", *pair, expect=3)
    assert "truth holds 0..2: which is the foreground?" in done.stderr
    assert "Type --truth-threshold 1 if" in done.stderr
    done = segeval("losses", *pair, "--classes", 3, expect=2)
    assert "the maps hold the foreground only" in done.stderr


def test_more_classes_than_bytes_have_values_leave_no_void(tmp_path: Path) -> None:
    maps = {"a": softmax(made_logits(0, (300, 3, 4))).astype("float16")}
    truth = np.array([[0, 255, 299, 256]] * 3, np.uint16)
    probs, folder = map_set(tmp_path, maps, {})
    save_map(folder / "a.npy", truth)
    document = losses(probs, folder)
    assert document["pixels"]["judged"] == 12
    assert "classes:300|ignore:none" in document["signature"]


@pytest.mark.parametrize("filling", [np.nan, np.inf, -np.inf, 77.0])
@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("options", [["--ignore", "255"], ["--ignore", "255", "--logits"]])
def test_void_pixels_may_hold_anything(
    tmp_path: Path, filling: float, options: list[str], *, several: bool
) -> None:
    maps, truths = made_set(several=several, logits="--logits" in options)
    usual = losses(*map_set(tmp_path, maps, truths), *options)
    for name, values in maps.items():
        values[..., truths[name] == VOID] = filling
    other = losses(*map_set(tmp_path, maps, truths), *options)
    parts = ("summary", "calibration", "hard")
    assert [other[part] for part in parts] == [usual[part] for part in parts]


def test_huge_logits_are_finite(tmp_path: Path) -> None:
    logits = np.where(np.arange(3)[:, None, None] == TRUTH, -1e4, 1e4).astype("float32")
    pair = map_set(tmp_path, {"a": logits}, {"a": TRUTH})
    summary = losses(*pair, "--logits")["summary"]
    assert summary["cross_entropy"] == pytest.approx(2e4 + np.log(2), rel=1e-6)
    assert summary["dice"] == 1


def put(values: object) -> Callable[[Path], object]:
    return lambda path: np.save(path, np.asarray(values))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "b outside": (put(SHARES * 9), "values outside [0, 1] on"),
    "c sums": (put(SHARES * 0.9), "but to 0.9 to 0.9; type --logits"),
    "d nan": (put(SHARES * np.nan), "NaN or infinity on 20 judged pixels; mend the map"),
    "e classes": (put(softmax(made_logits(0, (4, 4, 5)))), "(4, 4, 5); expected (3, 4, 5)"),
    "f size": (put(SHARES[:, :2]), "is 5×2 pixels, its truth"),
    "g last": (put(np.moveaxis(SHARES, 0, -1)), "or type --channels last"),
    "h foreground": (put(SHARES[0]), "is of shape (4, 5); expected (3, 4, 5)"),
    "i missing": (Path.unlink, "has no prediction 'i missing'"),
    "j empty": (lambda path: path.write_bytes(b""), "the file is empty (0 bytes)"),
    "k cut": (lambda path: path.write_bytes(path.read_bytes()[:-9]), "the file is broken"),
}


@pytest.fixture
def damaged(tmp_path: Path) -> list[Path]:
    names = ["a good", *DAMAGE]
    pair = map_set(tmp_path, dict.fromkeys(names, SHARES), dict.fromkeys(names, TRUTH))
    for name, (damage, _) in DAMAGE.items():
        damage(pair[0] / f"{name}.npy")
    return pair


def test_all_problems_are_reported_together(damaged: list[Path]) -> None:
    for workers in (1, 2):
        lines = segeval("losses", *damaged, "--workers", workers, expect=3).stderr.splitlines()
        assert lines[0] == f"segeval: {len(DAMAGE)} problems in the data; nothing was scored"
        assert len(lines) == len(DAMAGE) + 1
        for name, (_, message) in DAMAGE.items():
            assert [line for line in lines if f"{name}" in line and message in line], name


def test_pairs_are_left_out_only_as_told(damaged: list[Path], tmp_path: Path) -> None:
    some = losses(*damaged, "--on-error", "skip", "--missing", "skip")
    assert some["images"]["skipped"] == sorted(set(DAMAGE) - {"i missing"})
    assert some["images"]["missing"] == ["i missing"]
    assert "|missing:skip|on-error:skip|" in some["signature"]
    alone = losses(*map_set(tmp_path / "alone", {"a": SHARES}, {"a": TRUTH}))
    assert some["summary"] == alone["summary"]
    done = segeval("losses", *damaged, "--missing", "worst", expect=2)
    assert "a prediction that is missing has no loss; type --missing skip" in done.stderr


def test_a_map_of_another_size_is_resized_as_told(tmp_path: Path) -> None:
    small, truth = SHARES, np.kron(TRUTH, np.ones((2, 3), np.uint8))
    large = np.kron(small, np.ones((1, 2, 3)))
    usual = losses(*map_set(tmp_path / "large", {"a": large}, {"a": truth}))
    other = losses(*map_set(tmp_path, {"a": small}, {"a": truth}), "--resize-prediction")
    assert other["summary"] == usual["summary"]
    assert "|resize:nearest|" in other["signature"]


def test_shards_and_tables_of_pairs_choose_images(folders: list[Path], tmp_path: Path) -> None:
    names = sorted(SHAPES)[::2]
    rows = [f"probs/{n}.npy,truth/{n}.png,{n},g" for n in names]
    (tmp_path / "pairs.csv").write_text("\n".join(["prediction,truth,name,group", *rows]), "utf-8")
    shard = losses(*folders, "--shard", "1/2")
    table = losses("--pairs", tmp_path / "pairs.csv")
    assert shard["summary"] == table["summary"]
    assert shard["images"]["scored"] == 2
    assert "|shard:1/2|" in shard["signature"]
    assert losses(*folders, "--include", "t*")["images"]["scored"] == 1


REFUSED = {
    "--loss bce": "--loss bce: the maps hold several classes; take cross_entropy",
    "--loss nothing": "no loss is called 'nothing'; they are bce, ",
    "--loss tversky": "type --tversky 0.3,0.7",
    "--loss lovasz_hinge": "type --logits",
    "--alpha 1,2": "--alpha takes 1 number, or 3: one for each class",
    "--alpha 2": "0 to 1, not 2",
    "--alpha 1,x,1": "--alpha '1,x,1' is not a number, or numbers with commas",
    "--tversky 1": "--tversky takes two numbers",
    "--gamma -1": "--gamma must be 0 or more",
    "--smooth nan": "--smooth must be 0 or more",
    "--threshold 0": "--threshold is a probability",
    "--plot a.jpg": "the name of a picture ends in .svg, .png, .pdf",
    "--shard 3/2": "--shard '3/2' is not I/N",
}


@pytest.mark.parametrize("words", REFUSED)
def test_an_option_that_makes_no_sense_is_refused(
    folders: list[Path], capsys: pytest.CaptureFixture[str], words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        app(["losses", *map(str, folders), *words.split()])
    assert end.value.code == 2
    assert REFUSED[words] in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_stops_before_anything_is_read(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folders[1])
    (tmp_path / "no").touch()
    for option in ("--csv", "--json", "--per-image", "--plot", "-o"):
        with pytest.raises(SystemExit):
            app(["losses", *map(str, folders), option, str(tmp_path / "no" / "a.svg")])
        assert "does not exist" not in capsys.readouterr().err


def test_an_interrupt_ends_quietly_and_leaves_no_file(tmp_path: Path) -> None:
    shares = np.broadcast_to(np.float32(1 / 19), (19, 256, 256))
    names = [f"{n}" for n in range(1500)]
    pair = map_set(tmp_path, {"0": shares}, {"0": np.zeros((256, 256))})
    for name in names[1:]:
        os.link(pair[0] / "0.npy", pair[0] / f"{name}.npy")
        os.link(pair[1] / "0.png", pair[1] / f"{name}.png")
    found = interrupted("losses", *pair, "-o", "a.run", folder=tmp_path)
    assert found == (130, "segeval: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probs", "truth"]


def test_a_reader_that_goes_away_is_no_error(folders: list[Path]) -> None:
    command = f"{sys.executable} -m segeval losses {folders[0]} {folders[1]} -q | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, check=True
    )
    assert done.stdout.startswith(b"loss")
    assert not done.stderr
