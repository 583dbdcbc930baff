"""Probability maps are read as their files store them, or refused with the reason."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.maps import made_logits, save_map, softmax
from made.png import made_png
from made.sets import frozen
from numpy.typing import NDArray
from PIL import Image

from segeval.errors import MaskError
from segeval.inputs.probabilities import Probabilities, read_probabilities, sum_tolerance
from segeval.settings import LossChoice

SHARES = softmax(made_logits(0, (3, 4, 5)))
STEPS = {"uint8": 255, "uint16": 65535}


def read(path: Path, max_pixels: int = 10_000, **choice: Any) -> Probabilities:
    return read_probabilities(path, LossChoice(**choice), max_pixels=max_pixels)


def stored_as(values: NDArray[Any], dtype: str) -> NDArray[Any]:
    steps = STEPS.get(np.dtype(dtype).name)
    return values.astype(dtype) if steps is None else np.round(values * steps).astype(dtype)


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("archive", [None, np.savez, np.savez_compressed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("bytes_order", ["<", ">"])
@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "u1", "u2"])
def test_arrays_of_every_type_and_layout_are_read(
    tmp_path: Path,
    kind: str,
    bytes_order: str,
    order: Any,
    archive: Callable[..., None] | None,
    *,
    several: bool,
) -> None:
    written = np.asarray(
        stored_as(SHARES if several else SHARES[0], bytes_order + kind), order=order
    )
    path = tmp_path / ("a.npy" if archive is None else "a.npz")
    (archive or np.save)(path, written)
    found = read(path)
    name = np.dtype(kind).name
    expected = written.astype("float64") / STEPS.get(name, 1)
    np.testing.assert_allclose(found.values, expected, rtol=6e-8)
    assert found.values.dtype == ("float64" if kind == "f8" else "float32")
    assert found.values.dtype.isnative
    assert (found.stored, found.form) == (name, f"NumPy {name}")
    assert found.values.shape == written.shape


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
def test_floats_are_read_without_a_change(tmp_path: Path, kind: str) -> None:
    path = save_map(tmp_path / "a.npy", SHARES.astype(kind))
    np.testing.assert_array_equal(read(path).values, SHARES.astype(kind))


def test_the_highest_whole_number_is_1(tmp_path: Path) -> None:
    for kind in ("uint8", "uint16"):
        path = save_map(tmp_path / f"{kind}.npy", np.array([[0, np.iinfo(kind).max]], kind))
        assert read(path).values.tolist() == [[0, 1]]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("archive", [False, True])
def test_classes_may_come_last(tmp_path: Path, order: Any, *, archive: bool) -> None:
    last = np.asarray(np.moveaxis(SHARES, 0, -1), order=order)
    path = tmp_path / ("a.npz" if archive else "a.npy")
    (np.savez if archive else np.save)(path, last)
    np.testing.assert_array_equal(read(path, channels="last").values, SHARES)
    assert read(path).values.shape == (4, 5, 3)


def test_a_map_of_the_foreground_has_no_axis_of_classes(tmp_path: Path) -> None:
    path = save_map(tmp_path / "a.npy", SHARES[0])
    np.testing.assert_array_equal(read(path, channels="last").values, SHARES[0])


@pytest.mark.parametrize(
    ("color_type", "bits", "dtype"), [(0, 8, "uint8"), (0, 16, "uint16"), (4, 8, "uint8")]
)
def test_grey_pictures_are_probabilities_of_the_foreground(
    tmp_path: Path, color_type: int, bits: int, dtype: str
) -> None:
    highest = (1 << bits) - 1
    samples = np.random.default_rng(bits).integers(0, highest + 1, (7, 6, 1 + color_type // 4))
    if color_type == 4:
        samples[..., 1] = highest
    path = tmp_path / "a.png"
    path.write_bytes(made_png(frozen(samples, "int64"), color_type=color_type, bits=bits))
    found = read(path)
    np.testing.assert_allclose(found.values, samples[..., 0] / highest, rtol=6e-8)
    assert (found.stored, found.values.dtype.name) == (dtype, "float32")
    assert found.form == f"PNG grey{' and alpha' if color_type else ''} {bits}-bit"


PICTURES: dict[str, tuple[Callable[[Path], object], str]] = {
    "palette": (lambda p: Image.new("P", (3, 2)).save(p), "it is PNG palette 1-bit"),
    "colour": (lambda p: Image.new("RGB", (3, 2)).save(p), "it is PNG RGB 8-bit"),
    "1-bit": (lambda p: Image.new("1", (3, 2)).save(p), "it is PNG grey 1-bit"),
    "grey JPEG": (lambda p: Image.new("L", (3, 2)).save(p, "JPEG"), "it is JPEG"),
    "float TIFF": (lambda p: Image.new("F", (3, 2)).save(p, "TIFF"), "it is TIFF"),
    "BMP": (lambda p: Image.new("L", (3, 2)).save(p, "BMP"), "it is BMP"),
}
ADVICE = {
    "grey JPEG": "predict again, .* or `segeval score --threshold 128`",
    "float TIFF": r"type numpy.save\('a.npy', .*\('a.tif'\)\)\), or `segeval score --thr",
    "BMP": "",
}


@pytest.mark.parametrize("kind", PICTURES)
def test_other_pictures_are_refused(tmp_path: Path, kind: str) -> None:
    write, message = PICTURES[kind]
    write(tmp_path / "a.png")
    advice = ADVICE.get(kind, "masks of classes are for `segeval score`")
    expected = f"a.png: {message}; probabilities are read from .npy, .*{advice}"
    with pytest.raises(MaskError, match=expected):
        read(tmp_path / "a.png")


def pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)


def cut(path: Path) -> None:
    np.save(path, SHARES)
    path.write_bytes(path.read_bytes()[:-1])


def cut_archive(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, SHARES)
    path.write_bytes(path.read_bytes()[:-40])


def two_arrays(path: Path) -> None:
    with open(path, "wb") as file:
        np.savez(file, x=SHARES, y=SHARES)


def no_array(path: Path) -> None:
    zipfile.ZipFile(path, "w").close()


def other_archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", "no array")


def new_format(path: Path) -> None:
    content = io.BytesIO()
    np.lib.format.write_array(content, SHARES, version=(3, 0))
    path.write_bytes(content.getvalue())


def saved(values: object, dtype: str) -> Callable[[Path], object]:
    return lambda path: np.save(path, np.array(values, dtype))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _: None, "cannot be opened: No such file"),
    "folder": (Path.mkdir, "cannot be opened: Is a directory"),
    "empty": (lambda path: path.write_bytes(b""), r"the file is empty \(0 bytes\)"),
    "text": (lambda path: path.write_text("0.5 0.5"), "it starts with '0.5 0.5'; probabilities"),
    "header": (lambda path: path.write_bytes(b"\x93NUMPY\x01\0"), "the file is broken"),
    "pickle": (pickled, r"it holds object of shape \(1,\)"),
    "bare pickle": (lambda path: path.write_bytes(pickle.dumps([0.5])), "it starts with"),
    "truncated": (cut, "the file is broken: .*; write it again"),
    "truncated archive": (cut_archive, "the file is broken: .*; write it again"),
    "two arrays": (two_arrays, r"the archive holds 2 arrays \['x.npy', 'y.npy'\]; expected one"),
    "no array": (no_array, "the archive holds 0 arrays"),
    "other archive": (other_archive, "the file is broken"),
    "new format": (new_format, r"NumPy format \(3, 0\)"),
    "boolean": (saved([[True]], "bool"), r"it holds bool of shape \(1, 1\); expected float16, "),
    "signed": (saved([[1]], "int8"), "it holds int8 .*expected float16, float32, float64, uint16"),
    "wide": (saved([[1]], "uint32"), "it holds uint32"),
    "complex": (saved([[1]], "complex64"), "it holds complex64"),
    "text array": (saved([["a"]], "U1"), "it holds <U1"),
    "number": (saved(0.5, "float32"), r"it has shape \(\); expected \(K, H, W\) of K classes"),
    "row": (saved([0.5], "float32"), r"it has shape \(1,\); expected"),
    "batch": (saved(np.zeros((1, 3, 4, 5)), "float32"), "expected .*one image a file"),
    "no class": (saved(np.ones((0, 4, 5)), "float32"), "no class at all"),
    "no pixel": (saved(np.ones((3, 0, 5)), "float32"), "5×0: no pixel at all"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    damage, message = BROKEN[kind]
    path = tmp_path / "a b.npy"
    damage(path)
    with pytest.raises(MaskError, match=f"(?s)^{path}: .*{message}"):
        read(path)


def test_the_shape_that_is_expected_is_that_of_the_caller(tmp_path: Path) -> None:
    path = save_map(tmp_path / "a.npy", np.zeros((1, 3, 4, 5)))
    with pytest.raises(MaskError, match=r"expected \(H, W, K\) of K classes"):
        read(path, channels="last")


def test_one_channel_is_that_of_the_foreground(tmp_path: Path) -> None:
    first = save_map(tmp_path / "a.npy", np.zeros((1, 4, 5)))
    last = save_map(tmp_path / "b.npy", np.zeros((4, 5, 1)))
    assert read(first).values.shape == read(last, channels="last").values.shape == (4, 5)


@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_whole_numbers_cannot_be_logits(tmp_path: Path, kind: str) -> None:
    path = save_map(tmp_path / "a.npy", stored_as(SHARES, kind))
    with pytest.raises(MaskError, match="cannot be logits; leave out --logits"):
        read(path, logits=True)


def test_a_picture_cannot_hold_logits(tmp_path: Path) -> None:
    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    with pytest.raises(MaskError, match="it holds uint8, which cannot be logits"):
        read(tmp_path / "a.png", logits=True)


@pytest.mark.parametrize("channels", ["first", "last"])
def test_the_numbers_of_all_classes_together_are_limited(tmp_path: Path, channels: Any) -> None:
    values = SHARES if channels == "first" else np.moveaxis(SHARES, 0, -1)
    for path, write in ((tmp_path / "a.npy", np.save), (tmp_path / "a.npz", np.savez)):
        write(path, values)
        assert read(path, 60, channels=channels).values.shape == (3, 4, 5)
        with pytest.raises(MaskError, match=r"3 classes × 5×4 = 60 numbers, more than 59; .*--m"):
            read(path, 59, channels=channels)


def test_a_picture_is_limited_too(tmp_path: Path) -> None:
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", 20).values.shape == (4, 5)
    with pytest.raises(MaskError, match="more than 19"):
        read(tmp_path / "a.png", 19)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_an_array_is_read_only_and_outlives_its_file(tmp_path: Path, kind: str) -> None:
    path = save_map(tmp_path / "a.npy", SHARES.astype(kind))
    values = read(path).values
    assert not values.flags.writeable
    os.truncate(path, 0)
    np.testing.assert_array_equal(values, SHARES.astype(kind))


@pytest.mark.parametrize("end", [-1, 1])
def test_an_array_with_fewer_or_more_bytes_than_its_header_tells_is_refused(
    tmp_path: Path, end: int
) -> None:
    path = save_map(tmp_path / "a.npy", SHARES)
    os.truncate(path, path.stat().st_size + end)
    with pytest.raises(MaskError, match=f"{480 + end} bytes are there, .* of 480; write it again"):
        read(path)


@pytest.mark.parametrize(
    ("stored", "classes", "tolerance"),
    [
        ("float64", 2, 0.001),
        ("float32", 19, 0.001),
        ("float16", 2, 0.001 + 2**-11),
        ("uint8", 19, 0.001 + 19 / 510),
        ("uint16", 300, 0.001 + 150 / 65535),
    ],
)
def test_sums_may_be_off_by_half_a_step_a_class(
    stored: str, classes: int, tolerance: float
) -> None:
    assert sum_tolerance(stored, classes) == pytest.approx(tolerance)


@given(
    seed=st.integers(0, 10_000),
    classes=st.integers(2, 40),
    kind=st.sampled_from(["float16", "float32", "uint8", "uint16"]),
)
def test_rounded_probabilities_are_within_the_tolerance(seed: int, classes: int, kind: str) -> None:
    shares = stored_as(softmax(made_logits(seed, (classes, 3))), kind).astype("float64")
    sums = shares.sum(axis=0) / STEPS.get(kind, 1)
    assert np.abs(sums - 1).max() <= sum_tolerance(kind, classes)
