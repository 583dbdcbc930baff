"""The kernel counts rows of run lengths as NumPy does, or leaves them to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from made.rows import NOTHING, any_rows
from made.sets import save

from segeval.counting import dataset, native, processes, workers
from segeval.counting.kernel import KERNEL
from segeval.counting.run import ImageCounts
from segeval.objects.components import Components
from segeval.settings import AnnotationChoice, Reading, Source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(KERNEL is None, reason="the kernel is not compiled, or not wanted")

SIZE = (9, 12)
COMMA = ord(",")
CHOICES: list[dict[str, Any]] = [
    {},
    {"rle_order": "row", "rle_base": 0},
    {"rle_starts": "relative", "rle_rows": "objects"},
]


def table(path: Path, texts: list[list[str]], *, classes: bool) -> Path:
    """Write the rows of every image, with a class each if there are classes."""
    lines = ["ImageId,ClassId,EncodedPixels" if classes else "ImageId,EncodedPixels"]
    for number, rows in enumerate(texts):
        labels = [f"{1 + place % 4}," if classes else "" for place in range(len(rows))]
        lines += [f"{number},{label}{row}" for label, row in zip(labels, rows, strict=True)]
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_tables_on_both_sides_are_counted_or_refused_as_without_the_kernel(
    tmp_path: Path, choice: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *, classes: bool
) -> None:
    how = {"base": choice.get("rle_base", 1), "relative": "rle_starts" in choice}
    random = np.random.default_rng([len(choice), classes])
    sides = [[any_rows(random, SIZE, **how) for _ in range(250)] for _ in range(2)]
    paths = [
        table(tmp_path / f"{name}.csv", texts, classes=classes)
        for name, texts in zip(("t", "p"), sides, strict=True)
    ]
    source = Source(
        truth=paths[0], prediction=paths[1], annotations=AnnotationChoice(size=SIZE, **choice)
    )
    pairs = dataset.pair_up(source).pairs
    found = [dataset.count_pair(pair, Reading(), fingerprints=True) for pair in pairs]
    taken = [
        native.count_files(*pair.masks, max_pixels=999, fingerprints=False) is not None
        for pair in pairs
    ]
    few: dict[str, Any] = {"max_pixels": SIZE[0] * SIZE[1] - 1, "fingerprints": False}
    assert not any(native.count_files(*pair.masks, **few) for pair in pairs)
    monkeypatch.setattr(native, "KERNEL", None)
    for pair, ours, kernel in zip(pairs, found, taken, strict=True):
        theirs = dataset.count_pair(pair, Reading(), fingerprints=True)
        assert ours == theirs
        assert not kernel or isinstance(ours, ImageCounts)
        if isinstance(ours, ImageCounts) and isinstance(theirs, ImageCounts):
            assert ours.info.fingerprints == theirs.info.fingerprints
    assert 60 < sum(taken) < 200


@pytest.mark.parametrize("numbering", [None, Components()], ids=["values", "parts"])
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_a_table_beside_png_is_counted_or_refused_as_without_the_kernel(
    tmp_path: Path,
    choice: dict[str, Any],
    numbering: Components | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    how = {"base": choice.get("rle_base", 1), "relative": "rle_starts" in choice}
    random = np.random.default_rng([2, len(choice)])
    texts = [any_rows(random, SIZE, **how) for _ in range(120)]
    for number, rows in enumerate(texts):
        if number % 6 == 0:
            rows[:] = [row for row in rows if row in NOTHING] or [""]
        mask = random.choice([0, 1, 2, 255], (3, 4)).astype(np.uint8)
        save(tmp_path / "truth" / f"{number}.png", mask.repeat(3, 0).repeat(3, 1))
    submitted = table(tmp_path / "p.csv", texts, classes=True)
    annotations = AnnotationChoice(**choice)
    source = Source(truth=tmp_path / "truth", prediction=submitted, annotations=annotations)
    pairs = [*dataset.pair_up(source).pairs]
    pairs += [replace(p, truth=p.masks[1], prediction=p.truth) for p in pairs[:20]]
    found = [dataset.count_pair(pair, Reading(), numbering=numbering) for pair in pairs]
    taken = [
        native.count_files(*pair.masks, max_pixels=999, fingerprints=False, numbering=numbering)
        for pair in pairs
    ]
    monkeypatch.setattr(native, "KERNEL", None)
    assert found == [dataset.count_pair(pair, Reading(), numbering=numbering) for pair in pairs]
    assert 60 < sum(each is not None for each in taken) < 130


def test_rows_are_not_handed_to_processes_unless_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_processes(*_: object) -> None:
        raise AssertionError("a process")

    monkeypatch.setattr(workers, "processors", lambda: 2)
    monkeypatch.setattr(processes, "in_processes", in_processes)
    path = table(tmp_path / "t.csv", [["1 2"]] * workers.SMALL, classes=False)
    source = Source(truth=path, prediction=path, annotations=AnnotationChoice(size=SIZE))
    assert len(dataset.count_dataset(source)) == workers.SMALL
    with pytest.raises(AssertionError, match="a process"):
        dataset.count_dataset(source, workers=2)


def texts(*rows: str) -> list[tuple[bytes, int]]:
    return [(row.encode(), 1) for row in rows]


@pytest.mark.parametrize(
    "rows",
    [
        texts("1"),
        texts("1 2 3"),
        texts("0 2"),
        texts("1 0"),
        texts("1 2 2 1"),
        texts("3 1 1 1"),
        texts("12 2"),
        texts("13 1"),
        texts("1 2", "2 2"),
        texts("1 2", "1 2"),
        texts("\u00a01 2"),
        texts('"1 2"'),
        texts("1 +2"),
        texts("1 2x"),
        texts("1\t2"),
        texts("1 2\0"),
        texts("-1 2"),
        texts("--"),
        texts("1 9007199254740993"),
        texts("18446744073709551617 2"),
        [(b"1 2", -1)],
        [(b"1 2", 1 << 32)],
    ],
    ids=str,
)
def test_rows_that_are_not_plain_are_left_to_others(rows: list[tuple[bytes, int]]) -> None:
    assert KERNEL is not None
    good = texts("2 3", "1 1", "", "-", "-1", " 007 002  11 2 \r\n")
    plain, other = (False, 1, False, COMMA, 0, good), (False, 1, False, COMMA, 0, rows)
    scan_lines = bytes(3 * (1 + 4)), 8, 1
    for side in (plain, (True, 1, False, COMMA, 0, good), scan_lines):
        assert KERNEL.count_sides(4, 3, plain, side) is not None
        assert KERNEL.count_sides(4, 3, side, other) is None
        assert KERNEL.count_sides(4, 3, other, side) is None
    nothing: Any = (False, 1, False, COMMA, 0, [])
    for size in ((0, 1), (1, 0), (1 << 31, 1), (1 << 22, 1 << 31), (-1, 1)):
        assert KERNEL.count_sides(*size, nothing, nothing) is None


@pytest.mark.parametrize("end", ["", "\r\n", " ", ",", ", 5 1", "\t,"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_cell_that_is_wanted_is_read(place: int, end: str) -> None:
    assert KERNEL is not None
    line = f"{'é,' * place} 2 3{end}".encode()
    found = KERNEL.count_sides(
        4, 3, (True, 1, False, COMMA, place, [(line, 7)]), (True, 1, False, COMMA, 4, [(line, 7)])
    )
    assert np.frombuffer(found, np.int64).tolist() == [0, 7, 0, 0, 9, 3]


def test_a_class_that_no_integer_of_64_bits_holds_is_left_to_others() -> None:
    assert KERNEL is not None
    with pytest.raises(OverflowError):
        KERNEL.count_sides(4, 3, (True, 1, False, COMMA, 0, [(b"1 2", 1 << 64)]), (True, b""))
    with pytest.raises(TypeError):
        KERNEL.count_sides(4, 3, (True, 1, False, COMMA, 0, [("1 2", 1)]), (True, b""))
    wrong: list[Any] = [(), (True,), (True, 1, False, COMMA, 0, [], 1), (True, "")]
    for side in wrong:
        with pytest.raises(TypeError):
            KERNEL.count_sides(4, 3, side, (True, b""))
