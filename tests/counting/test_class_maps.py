"""The kernel makes classes of PNG files as NumPy does of pixels, or leaves the files to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.png import made_png
from made.scanlines import FORMATS, any_damaged_file, any_file, any_shape

from segeval.counting import native
from segeval.counting.kernel import KERNEL
from segeval.inputs.masks import read_mask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled, or not wanted")

SIZE: dict[str, Any] = {"max_pixels": 1 << 20}


def by_pixels(path: Path) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the values of a file, a code of each, and the codes of its pixels."""
    mask = read_mask(path, **SIZE).values.astype(np.int64)
    values, place = np.unique(mask, return_inverse=True)
    codes = (np.arange(values.size) * 89 + 3).astype(np.uint8)
    return values, codes, codes[place].reshape(mask.shape)


@pytest.mark.parametrize("kind", FORMATS, ids=str)
def test_classes_of_every_form_of_storage_are_those_of_its_pixels(
    tmp_path: Path, kind: tuple[int, int]
) -> None:
    path = tmp_path / "a.png"
    for seed in range(24):
        random = np.random.default_rng([5, *kind, seed])
        path.write_bytes(any_file(random, any_shape(random), *kind))
        values, codes, expected = by_pixels(path)
        found = native.class_map(path, values, codes, **SIZE)
        assert found is not None
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert np.array_equal(found, expected), seed


@pytest.mark.parametrize(
    "mask", [np.arange(12, dtype=np.uint8), np.arange(12, dtype=np.uint16) << 12], ids=str
)
def test_a_mask_that_holds_a_value_that_is_not_listed_is_left_to_others(
    tmp_path: Path, mask: NDArray[Any]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(made_png(mask.reshape(3, 4), color_type=0, bits=8 * mask.itemsize))
    values, codes, expected = by_pixels(path)
    more = np.append(-1, values), np.append(codes[:1], codes)  # the other side may hold it
    found = native.class_map(path, *more, **SIZE)
    assert found is not None
    assert np.array_equal(found, expected)
    for missing in range(values.size):
        left = np.delete(values, missing), np.delete(codes, missing)
        assert native.class_map(path, *left, **SIZE) is None


def test_a_damaged_file_is_no_map_that_its_pixels_are_not(tmp_path: Path) -> None:
    path, read = tmp_path / "a.png", 0
    for seed in range(200):
        random = np.random.default_rng([6, seed])
        kind = FORMATS[random.integers(0, len(FORMATS))]
        path.write_bytes(any_damaged_file(random, any_shape(random), *kind))
        every = np.append(np.arange(1 << 16), (1 << 62) + np.arange(1 << 8))
        found = native.class_map(path, every, every.astype(np.uint8), **SIZE)
        if found is not None:
            read += 1
            assert np.array_equal(found, read_mask(path, **SIZE).values.astype(np.uint8))
    assert 20 < read < 120


def test_transparent_pixels_large_files_and_files_that_are_gone_are_left_to_others(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.png"
    values, codes = np.array([-1, 1]), np.zeros(2, np.uint8)
    assert native.class_map(path, values, codes, **SIZE) is None
    path.write_bytes(made_png(np.full((1, 2, 2), 1, np.uint8), color_type=4, bits=8))
    assert native.class_map(path, values, codes, **SIZE) is None
    path.write_bytes(made_png(np.ones((3, 4), np.uint8), color_type=0, bits=8))
    assert native.class_map(path, values, codes, max_pixels=11) is None
    assert native.class_map(path, values, codes, max_pixels=12) is not None


@pytest.mark.parametrize(
    ("change", "to"),
    [(0, 5), (1, 4), (0, 0), (2, bytes(14)), (5, bytes(9)), (6, bytes(2)), (7, bytearray(11))],
)
def test_arguments_that_do_not_fit_are_refused(change: int, to: Any) -> None:
    assert KERNEL is not None
    arguments: list[Any] = [4, 3, bytes(15), 8, 1, bytes(8), bytes(1), bytearray(12)]
    assert KERNEL.fill(*arguments)
    arguments[change] = to
    assert not KERNEL.fill(*arguments)
