"""Masks, runs and commands made for tests."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segeval.cli import app
from segeval.counting.contingency import count_values
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Mask = NDArray[Any]


def frozen(values: object, dtype: str = "uint8") -> Mask:
    """Return a read-only array."""
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def save(path: Path, values: object) -> Path:
    """Write a mask as 8-bit grey PNG, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(values, np.uint8)).save(path)
    return path


def data_set(folder: Path, pairs: Mapping[str, tuple[object, object]]) -> tuple[Path, Path]:
    """Write ``{name: (truth, prediction)}`` as two folders; return prediction and truth folder."""
    for name, (truth, prediction) in pairs.items():
        save(folder / "truth" / f"{name}.png", truth)
        save(folder / "pred" / f"{name}.png", prediction)
    return folder / "pred", folder / "truth"


def noise(names: Iterable[str]) -> dict[str, tuple[Mask, Mask]]:
    """Return pairs of masks of three classes without any structure, the same ones every time."""
    source = np.random.default_rng(7)
    return {name: (source.integers(0, 3, (6, 9)), source.integers(0, 3, (6, 9))) for name in names}


def made_run(*pairs: tuple[Mask, Mask]) -> CountedRun:
    """Count pairs of (truth, prediction) arrays as a run."""
    images = [
        ImageCounts(
            info=ImageInfo(
                name=f"image_{number}",
                height=truth.shape[0],
                width=truth.shape[1],
                truth_path=f"truth/image_{number}.png",
                prediction_path=f"pred/image_{number}.png",
                truth_form="array",
                prediction_form="array",
            ),
            table=count_values(truth=truth, prediction=prediction),
        )
        for number, (truth, prediction) in enumerate(pairs)
    ]
    return CountedRun.of(images)


def segeval(
    *arguments: object, expect: int | None = 0, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in this process; it must end with the expected code, or None for any.

    It does not know how wide the terminal is, nor that GitHub may be running these tests. What is
    said to the interpreter itself (PYTHON…) needs a process of its own: see `segeval_process`.
    """
    printed, said = (_stream() for _ in range(2))
    folder = os.getcwd()
    with (
        _environment(environment),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(said),
    ):
        try:
            os.chdir(cwd or folder)
            app([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            os.chdir(folder)
    out, err = _text(printed), _text(said)
    assert expect in {None, code}, out + err
    return subprocess.CompletedProcess([*map(str, arguments)], code, out, err)


def segeval_process(
    *arguments: object, expect: int = 0, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own; it must end with the expected code."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "segeval", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=_kept() | environment,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def _kept() -> dict[str, str]:
    """Return the environment without what depends on who runs the tests."""
    return {n: v for n, v in os.environ.items() if n != "COLUMNS" and not n.startswith("GITHUB_")}


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before, wanted = dict(os.environ), _kept() | changes
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def document(*arguments: object, expect: int = 0) -> dict[str, Any]:
    """Run ``segeval score … --format json``, check what holds for every document, and return it."""
    done = segeval("score", *arguments, "--format", "json", expect=expect)
    content: dict[str, Any] = json.loads(done.stdout)
    pixels, confusion = content["pixels"], content["confusion"]
    assert pixels["total"] == pixels["judged"] + pixels["ignored"]
    cells = sum(map(sum, confusion["counts"])) + sum(confusion["unknown"])
    assert pixels["judged"] == cells
    assert pixels["unknown"] == sum(confusion["unknown"])
    return content
