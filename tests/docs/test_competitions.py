"""The commands of docs/competitions.md: files as competitions want them, and their scores."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from made.sets import save, segeval
from numpy.typing import NDArray

Mask = NDArray[Any]
Pairs = list[tuple[Mask, Mask]]  # truths and predictions

PAGE: Final = Path(__file__).parents[2] / "docs" / "competitions.md"
PART: Final = re.compile(r"^## (.*)\n((?:(?!## ).*\n)*)", re.MULTILINE)
LEVELS: Final = np.arange(10, 20) / 20


@dataclass(frozen=True, kw_only=True)
class Competition:
    """What a part of the page is about: sizes, how its tables are written, and its score."""

    shape: tuple[int, int]
    score: Callable[[Pairs], float]
    table: str = ""  # of the truth
    head: str | None = None
    row: str = ""  # of an image: its name, run lengths, class
    nothing: str = ""
    along: str = "F"
    relative: bool = False
    values: int = 1
    classes: bool = False  # each has a row
    ending: str = ""  # of names of masks

    def rows(self, masks: dict[str, Mask]) -> list[str]:
        """Write masks in the plainest way."""
        lines = [] if self.head is None else [self.head]
        for name, mask in masks.items():
            held = range(1, self.values + 1) if self.classes else [v for v in np.unique(mask) if v]
            for value in held or [1]:
                runs = self.runs(mask == value)
                lines.append(self.row.format(name=name, runs=runs, value=value, shape=mask.shape))
        return lines

    def runs(self, mask: Mask) -> str:
        flat = mask.ravel(order="F" if self.along == "F" else "C").astype(np.int8)
        edges = np.flatnonzero(np.diff(flat, prepend=0, append=0))
        words, last = [], 0
        for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            words += [start - last if self.relative else start + 1, end - start]
            last = end
        return " ".join(map(str, words)) or self.nothing


def dice(truth: Mask, prediction: Mask) -> float:
    both = 2 * np.sum(truth & prediction)
    size = truth.sum() + prediction.sum()
    return float(both / size) if size else 1.0


def iou(truth: Mask, prediction: Mask) -> float:
    union = np.sum(truth | prediction)
    return float(np.sum(truth & prediction) / union) if union else 1.0


def mean_dice(pairs: Pairs) -> float:
    return float(np.mean([dice(one > 0, two > 0) for one, two in pairs]))


def global_dice(pairs: Pairs) -> float:
    return dice(*(np.stack([pair[side] > 0 for pair in pairs]) for side in (0, 1)))


def dice_of_classes(pairs: Pairs) -> float:
    return float(np.mean([dice(one == k, two == k) for one, two in pairs for k in range(1, 5)]))


def salt(pairs: Pairs) -> float:
    return float(np.mean([iou(one > 0, two > 0) > LEVELS for one, two in pairs]))


def jaccard(pairs: Pairs) -> float:
    found = [iou(one > 0, two > 0) for one, two in pairs]
    return float(np.mean([value if value >= 0.65 else 0 for value in found]))


def nuclei(pairs: Pairs) -> float:
    shares = []
    for truth, prediction in pairs:
        ids = [np.unique(side[side > 0]) for side in (truth, prediction)]
        grid = np.array([[iou(truth == a, prediction == b) for b in ids[1]] for a in ids[0]])
        for level in LEVELS:
            hits = np.sum(grid > level)
            shares.append(hits / (len(ids[0]) + len(ids[1]) - hits))
    return float(np.mean(shares))


COMPETITIONS: Final = {
    "SIIM-ACR Pneumothorax": Competition(
        shape=(1024, 1024),
        score=mean_dice,
        table="train-rle.csv",
        head="ImageId,EncodedPixels",
        row="{name},{runs}",
        nothing="-1",
        relative=True,
    ),
    "Carvana": Competition(
        shape=(1280, 1918),
        score=mean_dice,
        table="train_masks.csv",
        head="img,rle_mask",
        row="{name}.jpg,{runs}",
        along="C",
    ),
    "Severstal": Competition(
        shape=(256, 1600),
        score=dice_of_classes,
        table="train.csv",
        head="ImageId,EncodedPixels,ClassId",
        row="{name}.jpg,{runs},{value}",
        values=4,
        classes=True,
    ),
    "Google Contrails": Competition(
        shape=(256, 256),
        score=global_dice,
        table="truth.csv",
        head="record_id,encoded_pixels",
        row="{name},{runs}",
        nothing="-",
    ),
    "Tianchi buildings": Competition(
        shape=(512, 512),
        score=mean_dice,
        table="train_mask.csv",
        row="{name}.jpg\t{runs}",
    ),
    "TGS Salt": Competition(
        shape=(101, 101),
        score=salt,
        table="train.csv",
        head="id,rle_mask",
        row="{name},{runs}",
    ),
    "Data Science Bowl 2018": Competition(
        shape=(90, 70),
        score=nuclei,
        table="stage1_solution.csv",
        head="ImageId,EncodedPixels,Height,Width,Usage",
        row="{name},{runs},{shape[0]},{shape[1]},Private",
        values=3,
    ),
    "ISIC 2018": Competition(shape=(60, 80), score=jaccard, ending="_segmentation"),
}


def masks_of(competition: Competition) -> tuple[dict[str, Mask], dict[str, Mask]]:
    """Return truths and predictions: boxes that are moved a little, a miss, and an empty pair."""
    height, width = competition.shape
    truths, predictions = {}, {}
    for number, name in enumerate(["a1", "b.2", "c", "none"]):
        truth, prediction = (np.zeros(competition.shape, np.uint8) for _ in range(2))
        for value in range(1, competition.values + 1):
            top, left = height * value // 5, width * value // 5
            box = (slice(top, top + height // 6), slice(left, left + width // 6))
            moved = (box[0], slice(left + number * width // 40, left + width // 6))
            if name != "none" and (value, number) != (4, 0):
                truth[box] = value
                prediction[moved] = value
        truths[name], predictions[name] = truth, prediction
    if competition.score is nuclei:  # each image holds some
        del truths["none"], predictions["none"]
    return truths, predictions


def test_every_part_of_the_page_is_tested() -> None:
    assert [title for title, _ in PART.findall(PAGE.read_text("utf-8"))] == [*COMPETITIONS]


@pytest.mark.parametrize("title", COMPETITIONS)
def test_a_submission_is_as_wanted_and_scored_as_the_rules_say(title: str, tmp_path: Path) -> None:
    competition = COMPETITIONS[title]
    part = dict(PART.findall(PAGE.read_text("utf-8")))[title]
    commands = [shlex.split(line)[1:] for line in part.splitlines() if line[:8] == "segeval "]
    truths, predictions = masks_of(competition)
    for name, mask in predictions.items():
        shown = mask * 255 if competition.values == 1 else mask
        save(tmp_path / "masks" / f"{name}{competition.ending}.png", shown)
    if competition.table:
        lines = competition.rows(truths)
        if "--missing" in commands[-1]:
            lines.append("unseen,3 4")
        (tmp_path / competition.table).write_text("\n".join(lines) + "\n", "utf-8")
        segeval(*commands[0], cwd=tmp_path)
        wanted = competition.rows(predictions)
        written = (tmp_path / commands[-1][1]).read_text("utf-8").splitlines()
        if title == "Data Science Bowl 2018":  # sizes are in the truth alone
            wanted = [",".join(line.split(",")[:2]) for line in wanted]
        assert written == wanted
    else:
        for name, mask in truths.items():
            save(tmp_path / "truth" / f"{name}{competition.ending}.png", mask * 255)
    found = json.loads(segeval(*commands[-1], "--format", "json", cwd=tmp_path).stdout)
    if competition.score is nuclei:
        score = np.mean(found["objects"]["ap"])
    else:
        score = found["summary"]["miou" if competition.score in {salt, jaccard} else "mdice"]
    expected = competition.score([(truths[name], predictions[name]) for name in truths])
    assert score == pytest.approx(expected, rel=1e-12)
    assert 0.3 < expected < 0.95
