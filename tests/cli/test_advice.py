"""Every message about classes names options that, typed, lead to the right number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.sets import data_set, document, segeval

if TYPE_CHECKING:
    from numpy.typing import NDArray

RANDOM = np.random.default_rng(12)


def drawn(classes: int, size: tuple[int, int] = (48, 64)) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a truth of every class, in stripes, and a prediction that is right in nine of ten."""
    truth = np.sort(np.resize(np.arange(classes), size[0] * size[1])).reshape(size)
    wrong = RANDOM.random(size) < 0.1
    return truth, np.where(wrong, RANDOM.integers(0, classes, size), truth)


def miou(folder: Path, truth: NDArray[Any], prediction: NDArray[Any], *options: object) -> float:
    """Return the mIoU of a pair of masks, written into a folder."""
    folders = data_set(folder, {"a": (truth, prediction)})
    value: float = document(*folders, *options)["summary"]["miou"]
    return value


def test_an_offset_scores_as_shifted_masks_do(tmp_path: Path) -> None:
    truth, prediction = drawn(5)
    expected = miou(tmp_path / "plain", truth, prediction)
    folders = data_set(tmp_path / "shifted", {"a": (truth + 1, prediction)})
    for options in ((), ("--classes", 6)):
        found = document(*folders, "--pred-offset", 1, *options)
        assert found["summary"]["miou"] == expected
        assert "|pred-offset:1|" in found["signature"]
        assert found["settings"]["pred_offset"] == 1
    back = data_set(tmp_path / "back", {"a": (truth, prediction + 1)})
    assert document(*back, "--pred-offset", -1)["summary"]["miou"] == expected


def test_pictures_and_comparisons_know_the_offset(tmp_path: Path) -> None:
    truth, prediction = drawn(5)
    plain = data_set(tmp_path / "plain", {"a": (truth + 1, prediction + 1)})
    shifted = data_set(tmp_path / "shifted", {"a": (truth + 1, prediction)})
    offset = "--pred-offset", 1
    assert segeval("show", *shifted, *offset).stdout == segeval("show", *plain).stdout
    for folders, options in ((plain, ()), (shifted, offset)):
        segeval("overlay", *folders, "-o", folders[0].parent / "drawn", *options)
    drawings = [
        (folders[0].parent / "drawn" / "a.png").read_bytes() for folders in (plain, shifted)
    ]
    assert drawings[0] == drawings[1]
    said = segeval(
        "plot", *shifted, "--kind", "curves", "-o", tmp_path / "a.svg", *offset, expect=2
    )
    assert "leave out --threshold and --pred-offset" in said.stderr


@pytest.mark.parametrize("name", ["ade20k", "loveda", "pascal-context"])
def test_maps_that_count_from_one_are_scored_against_train_ids(tmp_path: Path, name: str) -> None:
    count = {"ade20k": 150, "loveda": 7, "pascal-context": 59}[name]
    truth, prediction = drawn(count)
    expected = miou(tmp_path / "plain", truth, prediction)
    truth = truth + 1
    truth[0], prediction[0] = 0, 3
    maps = miou(
        tmp_path / "maps", truth, prediction, "--labels", name, "--pred-labels", f"{name}-train"
    )
    offset = miou(tmp_path / "offset", truth, prediction, "--labels", name, "--pred-offset", 1)
    assert maps == offset == pytest.approx(expected, abs=0.05)
