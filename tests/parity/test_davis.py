"""Objects of sequences against the numbers that DAVIS prints, and against plain loops."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, save, segeval

PEERS = Path(__file__).parents[2].parent / "shared" / "peers2"
VARIANTS = {"J-Mean": "", "J-Recall": "recall", "J-Decay": "decay"}
LABELS = """overlap = false
labels = [
    { name = "background", truth_values = [0, 255], prediction_values = [0] },
    { name = "1", values = [1] }, { name = "2", values = [2] }, { name = "3", values = [3] },
]
"""


def preset_of(inner: bool, variant: str) -> str:  # noqa: FBT001
    parts = [*(["inner"] if inner else []), *([variant] if variant else [])]
    return ":".join(["davis", *(["-".join(parts)] if parts else [])])


@pytest.mark.skipif(not PEERS.is_dir(), reason="the records are not there")
@pytest.mark.parametrize("task", ["semi-supervised", "unsupervised"])
def test_records_of_davis(task: str, tmp_path: Path) -> None:
    lines = (PEERS / "expected.json").read_text("utf-8").splitlines()
    found = [json.loads(line.strip().rstrip(",")) for line in lines if "davis2017" in line]
    (record,) = (each for each in found if f"task='{task}'" in each["call"])
    inner, options = task.startswith("semi"), []
    if inner:
        (tmp_path / "davis.toml").write_text(LABELS)
        options = ["--labels", tmp_path / "davis.toml"]
    folders = PEERS / "F" / "prediction", PEERS / "F" / "Annotations" / "480p"
    for name, variant in VARIANTS.items():
        got = document(*folders, *options, "--like", preset_of(inner, variant))
        assert got["summary"]["miou"] == pytest.approx(record["value"][name], abs=1e-9)
    table = tmp_path / "frames.csv"
    got = document(*folders, *options, "--like", preset_of(inner, ""), "--per-image", table)
    frames = {row["image"]: row for row in csv.DictReader(table.read_text().splitlines())}
    for group in got["groups"]:
        objects = record["per_image"][group["name"]]
        means = [np.mean(each["J"]) for each in objects.values()]
        assert group["summary"]["miou"] == pytest.approx(np.mean(means), abs=1e-9)
        for number, each in objects.items():
            for frame, value in zip(each["frames"], each["J"], strict=True):
                row = frames[f"{group['name']}/{frame}"]
                assert float(row[f"iou_{number}"]) == pytest.approx(value, abs=1e-9)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Sequences of 9, 4 and 1 frames; a third object appears late in one, and is none."""
    random = np.random.default_rng(5)
    for sequence, frames, objects in (("a", 9, 2), ("b", 4, 1), ("c", 1, 2)):
        for frame in range(frames):
            truth = random.integers(0, objects + 1, (6, 7))
            truth[0, :2] = (objects, 0)
            prediction = np.where(random.random((6, 7)) < 0.1 * frame, 0, truth)
            if sequence == "a" and frame > 4:
                truth[1, 1:3] = 3
            for side, mask in (("truth", truth), ("pred", prediction)):
                save(tmp_path / side / sequence / f"{frame:05}.png", mask)
    return tmp_path / "pred", tmp_path / "truth"


def slow_objects(folders: tuple[Path, Path], *, inner: bool) -> dict[str, list[list[float]]]:
    """Return the IoU of each object in each frame, sequence by sequence."""
    from PIL import Image

    found: dict[str, list[list[float]]] = {}
    for place in sorted(folders[1].iterdir()):
        pairs = [
            [np.array(Image.open(side / place.name / file.name)) for side in folders[::-1]]
            for file in sorted(place.iterdir())
        ]
        numbers = range(1, int(pairs[0][0].max()) + 1)
        found[place.name] = [
            [
                float((t & p).sum() / (t | p).sum()) if (t | p).any() else 1.0
                for t, p in ((t == k, p == k) for t, p in (pairs[1:-1] if inner else pairs))
            ]
            for k in numbers
        ]
    return found


def decay(values: list[float]) -> float:
    cuts = np.round(np.linspace(1, len(values), 5) + 1e-10).astype(int) - 1
    first, last = values[cuts[0] : cuts[1] + 1], values[cuts[3] : cuts[4] + 1]
    return float(np.mean(first) - np.mean(last))


@pytest.mark.parametrize("inner", [False, True])
def test_presets_are_plain_loops(folders: tuple[Path, Path], inner: bool) -> None:  # noqa: FBT001
    found = slow_objects(folders, inner=inner).values()
    objects = [each for sequence in found for each in sequence if each]  # inner ones of c are none
    wanted: dict[str, Any] = {
        "": np.mean([np.mean(each) for each in objects]),
        "recall": np.mean([np.mean(np.array(each) > 0.5) for each in objects]),
        "decay": np.mean([decay(each) for each in objects]),
    }
    for variant, value in wanted.items():
        got = document(*folders, "--like", preset_of(inner, variant), "--ci", "20")
        assert got["summary"]["miou"] == pytest.approx(value, abs=1e-12)
        low, high = got["intervals"]["miou"]
        assert low <= value <= high
    assert [group["name"] for group in got["groups"]] == ["a", "b", "c"]


def test_the_table_says_what_the_mean_is_over(folders: tuple[Path, Path]) -> None:
    done = segeval("score", *folders, "--like", "davis")
    said = done.stdout
    assert not done.stderr
    assert "mean over the frames of each object, then over the objects of 3 groups" in said
    assert "like:davis|pooling:track|absent:one|mean:foreground|groups:3" in said
    assert "pixel accuracy       –" in said
