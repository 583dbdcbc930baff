"""Skeletons and Betti numbers against the numbers of others, and against plain definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from segeval.inputs.masks import read_mask
from segeval.topology import parts
from segeval.topology.betti import betti_numbers
from segeval.topology.parts import Parts
from segeval.topology.skeletons import cldice, skeleton_counts
from segeval.topology.skimage import library

pytest.importorskip("skimage")
PEERS = Path(__file__).parents[2].parent / "shared" / "peers2"


def plain_betti(inside: np.ndarray) -> list[int]:
    """Parts, holes and cavities of one class by SciPy's labels and Euler's definition."""
    from scipy import ndimage

    padded = np.pad(inside, 1)
    parts = ndimage.label(padded, np.ones((3,) * inside.ndim))[1]
    outside = ndimage.label(~padded)[1] - 1
    if inside.ndim == 2:
        return [parts, outside]
    return [
        parts,
        parts + outside - library("measure").euler_number(padded, connectivity=3),
        outside,
    ]


@pytest.mark.parametrize("shape", [(9, 12), (1, 1), (1, 7), (5, 6, 7)])
def test_random_masks(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(3)
    for density in (2, 3, 3, 6):
        mask = random.integers(0, density, shape).astype(np.uint8)
        got = betti_numbers(Parts.of(mask, 3))
        assert got.tolist() == [plain_betti(mask == index) for index in range(3)]


@pytest.mark.parametrize("call", [0, parts.CALL, 10**9])
@pytest.mark.parametrize("shape", [(40, 61), (1, 30), (9, 17, 14)])
def test_pieces_are_thinned_as_the_whole_is(
    shape: tuple[int, ...], call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "CALL", call)
    thinned = library("morphology").skeletonize
    random = np.random.default_rng(len(shape))
    for size in (1, 2, 3, 7):
        blocks = random.integers(0, 5, [2, *(-(-side // size) for side in shape)])
        for axis, side in enumerate(shape, 1):
            blocks = blocks.repeat(size, axis).take(range(side), axis)
        blocks[random.random(blocks.shape) < 0.02] = 9  # specks of no class
        truth, prediction = blocks
        found = skeleton_counts(Parts.of(truth, 5), Parts.of(prediction, 5))
        for k, row in enumerate(found.tolist()):
            one, two = truth == k, prediction == k
            skeletons = thinned(one), thinned(two)
            matched = (skeletons[0] & two).sum(), (skeletons[1] & one).sum()
            assert row == [skeletons[0].sum(), matched[0], skeletons[1].sum(), matched[1]]


def test_all_pieces_together_are_the_mask() -> None:
    mask = np.random.default_rng(0).integers(0, 3, (30, 40)).repeat(3, 0)
    mask[:, 20:] = 3
    mask[40:70, 22:39] = 0
    drawn = np.full(mask.shape, 3)
    for k, box, inside in Parts.of(mask, 3).pieces():
        assert (drawn[box][inside] == 3).all()
        drawn[box][inside] = k
    assert (drawn == mask).all()


def test_shapes_with_known_numbers() -> None:
    ring = np.ones((5, 5), np.uint8)
    ring[1:4, 1:4] = 0
    ring[2, 2] = 1
    assert betti_numbers(Parts.of(ring, 2)).tolist() == [[1, 1], [2, 1]]
    shell = np.zeros((5, 5, 5), np.uint8)
    shell[1:4, 1:4, 1:4] = 1
    shell[2, 2, 2] = 0
    assert betti_numbers(Parts.of(shell, 2))[1].tolist() == [1, 0, 1]
    torus = np.zeros((3, 5, 5), np.uint8)
    torus[1] = np.pad(ring[1:4, 1:4] == 0, 1)
    assert betti_numbers(Parts.of(torus, 2))[1].tolist() == [1, 1, 0]


@pytest.mark.skipif(not PEERS.is_dir(), reason="the records are not there")
@pytest.mark.parametrize("subset", ["A", "B", "D"])
def test_cldice_of_its_authors(subset: str) -> None:
    lines = (PEERS / "expected.json").read_text("utf-8").splitlines()
    found = [json.loads(line.strip().rstrip(",")) for line in lines if '"clDice"' in line]
    (record,) = (each for each in found if each["subset"] == subset)
    checked = 0
    for name, classes in record["per_image"].items():
        truth, prediction = (read(PEERS / subset / side, name) for side in ("truth", "prediction"))
        void = truth == 255
        truth, prediction = (np.where(void, 255, each) for each in (truth, prediction))
        values = cldice(skeleton_counts(*(Parts.of(each, 6) for each in (truth, prediction))))
        for index, value in classes.items():
            got = values[int(index)]
            if value == "nan":  # ours is 0 where one side is empty, or nothing overlaps
                assert np.isnan(got) or got == 0
            else:
                assert got == pytest.approx(value, abs=1e-12)
                checked += 1
    assert checked > 3


def read(folder: Path, name: str) -> np.ndarray:
    (path,) = folder.glob(f"{name}.*")
    if path.suffix == ".png":
        return read_mask(path).values
    nibabel = pytest.importorskip("nibabel")
    return np.asarray(nibabel.load(path).dataobj).astype(np.int64)


def test_one_side_or_neither() -> None:
    truth = np.zeros((9, 9), np.uint8)
    truth[4, 1:8] = 1
    prediction = np.zeros_like(truth)
    prediction[1, 1:8] = 2
    values = cldice(skeleton_counts(Parts.of(truth, 4), Parts.of(prediction, 4)))
    assert values[1:3].tolist() == [0, 0]
    assert np.isnan(values[3])
