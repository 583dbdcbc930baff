"""Feed damaged scan lines and run lengths to the kernel, built with sanitizers, and files to all.

``make fuzz-native`` runs it; a sanitizer ends the program at the first wrong access. Every table
must hold all pixels. Rows of run lengths and pairs of files, half of them damaged, must be counted,
or refused, as without the kernel, whether kornia-rs decodes or Pillow.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter, defaultdict
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from made.rows import any_rows
from made.scanlines import FORMATS, any_lines, any_shape, damaged_file, file_of

from segeval.counting import dataset, native
from segeval.counting.contingency import count_values, tabulate
from segeval.errors import MaskError, Problem
from segeval.inputs.formats import png
from segeval.inputs.masks import read_mask
from segeval.inputs.pairing import Pair
from segeval.inputs.rle import Runs, check_runs, parse_pairs, unite
from segeval.objects.components import Components
from segeval.settings import Reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PROJECT: Final = Path(__file__).parents[2]
SOURCES: Final = sorted((PROJECT / "segeval" / "counting" / "scanlines").glob("*.c"))
SIZE: Final = (9, 12)  # of images of rows
BASES: Final = 400  # whole inputs from which damaged ones are made
MASKS: Final = 10 * BASES
FLAGS: Final = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
Kernel = Any


def sanitized(target: Path, sources: Sequence[Path]) -> Path:
    """Compile a kernel with sanitizers."""
    include = f"-I{sysconfig.get_path('include')}"
    shared = ("-shared", "-fPIC", "-std=c11", include)
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *FLAGS, *shared, *map(str, sources), "-o", str(target)], check=True)
    return target


def again_with_sanitizer(library: Path) -> int:
    """Run this program once more, with the sanitizer loaded before all else."""
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-print-file-name=libasan.so"]
    asan = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    environment = {"LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0", "KERNEL": str(library)}
    return subprocess.run([sys.executable, *sys.argv], env=os.environ | environment).returncode  # noqa: PLW1510


def load(library: str) -> Any:
    """Load the kernel that was compiled, as a module."""
    name = Path(library).name.partition(".")[0]
    loader = ExtensionFileLoader(name, library)
    spec = spec_from_file_location(name, library, loader=loader)
    assert spec is not None
    return module_from_spec(spec)


def base(*seed: int) -> list[Any]:
    """Return arguments for the kernel: whole scan lines of two masks of one size."""
    numbers = np.random.default_rng([9, *seed])
    shape = any_shape(numbers)
    kinds = [FORMATS[numbers.integers(0, len(FORMATS))] for _ in range(2)]
    sides = [any_lines(numbers, shape, *kind) for kind in kinds]
    return [shape[1], shape[0], *sides[0], *sides[1]]


def damage(chance: random.Random, arguments: list[Any]) -> list[Any]:
    """Change some bytes, and now and then a size or a kind of samples."""
    found = list(arguments)
    for position in (2, 5):
        lines = bytearray(found[position])
        for _ in range(chance.randrange(4)):
            lines[chance.randrange(len(lines))] = chance.choice(
                (0, 1, 2, 3, 4, chance.randrange(256))
            )
        found[position] = lines
    if chance.random() < 0.05:
        found[chance.choice((0, 1, 3, 4, 6, 7))] = chance.choice((0, 1, 2, 3, 4, 8, 16, 1 << 31))
    return found


def check_filled(kernel: Any, arguments: list[Any], columns: NDArray[np.int64]) -> None:
    """Make codes of the truth that was counted; each must be there as often as its value."""
    values, pixels = tabulated(columns[0], columns[2])
    codes = (np.arange(values.size) * 89 + 3).astype(np.uint8)
    out = np.empty(arguments[:2], np.uint8)
    assert kernel.fill(*arguments[:5], values.data, codes.data, out.data)
    expected = np.bincount(codes, pixels, minlength=256)
    assert (np.bincount(out.ravel(), minlength=256) == expected).all(), arguments
    assert not kernel.fill(*arguments[:5], values[1:].data, codes[1:].data, out.data)


def tabulated(values: NDArray[Any], pixels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return each value once, ascending, and its pixels."""
    found, place = np.unique(values, return_inverse=True)
    return found, np.bincount(place, pixels).astype(np.int64)


def fuzz_lines(kernel: Any, inputs: int, seed: int) -> Counter[str]:
    """Count damaged scan lines; all pixels must be in the table, and in an array of codes."""
    bases = [base(seed, number) for number in range(BASES)]
    chance, seen = random.Random(seed), Counter[str]()
    for _ in range(inputs):
        arguments = damage(chance, chance.choice(bases))
        neighbours = chance.choice((0, 4, 8))  # of connected parts, in two further columns
        found = kernel.count(*arguments, neighbours)
        seen["left" if found is None else "counted"] += 1
        if found is not None:
            columns = np.frombuffer(found, np.int64).reshape(5 if neighbours else 3, -1)
            assert columns[2].sum() == arguments[0] * arguments[1], arguments
            check_filled(kernel, arguments, columns)
        check_settled(kernel, chance, arguments)
    return seen


def counted_by_numpy(rows: list[bytes], how: dict[str, Any]) -> Runs | None:
    """Return the runs of rows that hold 1, 2, …; None if they are damaged."""
    spans = []
    try:
        for value, text in enumerate(rows, 1):
            starts, ends = parse_pairs(text.strip(), how["base"], relative=how["relative"])
            if [*check_runs(starts, ends, SIZE, how["base"])]:
                return None
            spans.append((starts, ends, value))
    except MaskError:
        return None
    return unite(spans, SIZE, "column" if how["down"] else "row")


def any_side(random: np.random.Generator) -> tuple[tuple[Any, ...], Runs | None]:
    """Return a side as the kernel takes it, and its runs by NumPy unless it is damaged.

    It is rows of run lengths in some order, their runs, or the scan lines of these.
    """
    how: dict[str, Any] = {
        "down": random.random() < 0.5,
        "base": int(random.integers(0, 2)),
        "relative": random.random() < 0.3,
    }
    drawn = {what: how[what] for what in ("base", "relative")}
    rows = [row.encode() for row in any_rows(random, SIZE, **drawn)]
    runs, kind = counted_by_numpy(rows, how), random.integers(0, 4)
    if runs is None or kind > 1:
        told = [(b"a;" + row, number) for number, row in enumerate(rows, 1)]
        return (*how.values(), ord(";"), 1, told), runs
    if kind == 0:
        lines = np.zeros((SIZE[0], 1 + SIZE[1]), np.uint8)
        lines[:, 1:] = runs.mask()
        return (lines.tobytes(), 8, 1), runs
    return (how["down"], np.stack((runs.starts, runs.ends, runs.values)).tobytes()), runs


def fuzz_rows(kernel: Any, inputs: int, seed: int) -> Counter[str]:
    """Count rows of run lengths; what is counted must be what NumPy counts."""
    seen, random = Counter[str](), np.random.default_rng([6, seed])
    for number in range(inputs):
        (truth, true_runs), (prediction, predicted_runs) = any_side(random), any_side(random)
        neighbours = (0, 0, 4, 8)[number % 4]
        found = kernel.count_sides(SIZE[1], SIZE[0], truth, prediction, neighbours)
        seen["left" if found is None else "counted"] += 1
        if found is not None:
            assert true_runs is not None, truth
            assert predicted_runs is not None, prediction
            columns = np.frombuffer(found, np.int64).reshape(5 if neighbours else 3, -1)
            expected = count_values(truth=true_runs.mask(), prediction=predicted_runs.mask())
            assert tabulate(*columns[:3]) == expected, (truth, prediction)
        runs = random.integers(-1, random.choice([4, 30, 150, 1 << 40]), 3 * number % 20)
        found = kernel.count_sides(SIZE[1], SIZE[0], truth, (number % 2 == 0, runs.tobytes()))
        if found is not None:
            assert np.frombuffer(found, np.int64).reshape(3, -1)[2].sum() == SIZE[0] * SIZE[1]
            seen["counted of any runs"] += 1
    return seen


def check_settled(kernel: Any, chance: random.Random, arguments: list[Any]) -> None:
    """Settle any bytes as if they were codes; the rest must be counted."""
    nothing, skipped = chance.randrange(256), chance.randrange(256)
    length = min(len(arguments[2]), len(arguments[5]))
    sides = [bytearray(arguments[place][:length]) for place in (2, 5)]
    judged = length - sum(t == nothing or p == skipped for t, p in zip(*sides, strict=True))
    counts = np.frombuffer(kernel.settle(*sides, nothing, skipped), np.int64).reshape(2, 256)
    assert counts.sum(axis=1).tolist() == [judged, judged]


def masks(seed: int) -> dict[tuple[int, int], list[tuple[int, int, bytes]]]:
    """Make masks by their shape: colour type, bits a sample and scan lines of each."""
    found = defaultdict(list)
    for number in range(MASKS):
        numbers = np.random.default_rng([8, seed, number])
        shape, kind = any_shape(numbers), FORMATS[numbers.integers(0, len(FORMATS))]
        found[shape].append((*kind, any_lines(numbers, shape, *kind)[0]))
    return found


def in_each_way(kernel: Any, pair: Pair, numbering: Components | None) -> list[Any]:
    """Count a pair with the kernel, by kornia-rs and NumPy, and by Pillow and NumPy."""
    outcomes, decoders = [], dict(png.DECODERS)
    for used, hidden in ((kernel, False), (None, False), (None, True)):
        vars(native)["KERNEL"] = used
        vars(png)["DECODERS"] = {} if hidden else decoders
        found = dataset.count_pair(pair, Reading(max_pixels=1 << 20), numbering=numbering)
        outcomes.append(getattr(found, "table", found))
    vars(png)["DECODERS"] = decoders
    return outcomes


def check_class_map(path: Path) -> None:
    """Read a file as codes; they must be those of its pixels, or it must be for others."""
    try:
        mask = read_mask(path, max_pixels=1 << 20).values.astype(np.int64)
    except MaskError:
        mask = np.zeros((1, 1), np.int64)
    values, place = np.unique(mask, return_inverse=True)
    codes = (np.arange(values.size) * 89 + 3).astype(np.uint8)
    found = native.class_map(path, values, codes, max_pixels=1 << 20)
    assert found is None or np.array_equal(found, codes[place].reshape(mask.shape)), path


def fuzz_pairs(kernel: Any, inputs: int, seed: int, folder: Path) -> Counter[str]:
    """Count pairs of files, half of them damaged, in three ways; all must come to the same."""
    seen, chance, pool = Counter[str](), np.random.default_rng([7, seed]), masks(seed)
    shapes, pair = [*pool], Pair(name="a", truth=folder / "t", prediction=folder / "p")
    for number in range(inputs):
        shape = shapes[chance.integers(0, len(shapes))]
        for name, write in (("t", file_of), ("p", (file_of, damaged_file)[number % 2])):
            mask = pool[shape][chance.integers(0, len(pool[shape]))]
            (folder / name).write_bytes(write(chance, shape, *mask))
        numbering = (None, Components(connectivity="4"), Components())[number % 3]
        first, *others = in_each_way(kernel, pair, numbering)
        assert others == [first, first], (seed, number, first, others)
        vars(native)["KERNEL"] = kernel
        check_class_map(folder / "t")
        check_class_map(folder / "p")
        seen["refused" if isinstance(first, Problem) else "counted"] += 1
    return seen


def main() -> None:
    """Build, feed, and print how many inputs there were."""
    options = argparse.ArgumentParser()
    options.add_argument("--lines", type=int, default=1_000_000)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--pairs", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    wanted = options.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        if "KERNEL" not in os.environ:
            sys.exit(again_with_sanitizer(sanitized(Path(name) / "_scanlines.so", SOURCES)))
        kernel = load(os.environ["KERNEL"])
        lines = fuzz_lines(kernel, wanted.lines, wanted.seed)
        print(f"scan lines: {dict(lines)}, no wrong access", flush=True)
        rows = fuzz_rows(kernel, wanted.rows, wanted.seed)
        print(f"rows of run lengths: {dict(rows)}, no wrong access", flush=True)
        pairs = fuzz_pairs(kernel, wanted.pairs, wanted.seed, Path(name))
        print(f"pairs of files: {dict(pairs)}, all as without the kernel")
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
