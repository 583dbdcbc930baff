"""Measure the losses: against one pass of exp and log, and against a full sort in PyTorch.

Prints one line a measure, with its ratio to what it is held against and the target; then the peak
memory of the command on few and on many maps. What needs PyTorch is left out where it is not
installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measuring import interleave, peak_memory
from PIL import Image

from segeval.losses import (
    bce_loss,
    bce_with_logits_loss,
    focal_loss,
    lovasz_softmax_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHAPE: Final = (19, 512, 1024)
"""Classes, rows and columns: a Cityscapes image at half its size."""

ROUNDS: Final = 7
SEED: Final = 12345
SEGEVAL: Final = str(Path(sysconfig.get_path("scripts"), "segeval"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A call, what it is held against, and the ratio of their times that is asked for.

    Attributes
    ----------
    name, against : str
        What is measured, and against what.
    call, other : callable
        Both of them.
    target : float
        At most so many times the time of the other; below 1, the inverse is printed.
    """

    name: str
    against: str
    call: Callable[[], object]
    other: Callable[[], object]
    target: float


def made_logits(random: np.random.Generator, sharpness: float) -> tuple[Any, Any]:
    """Return logits in which the true class stands out, and the truth: blobs of 16 × 16."""
    classes, rows, columns = SHAPE
    small = random.integers(0, classes, (rows // 16, columns // 16))
    truth = small.repeat(16, axis=0).repeat(16, axis=1)
    logits = random.normal(size=SHAPE).astype(np.float32)
    logits += sharpness * (np.arange(classes)[:, None, None] == truth)
    return logits, truth


def softmax(logits: Any) -> Any:
    """Return probabilities of classes on the first axis."""
    powers = np.exp(logits - logits.max(axis=0))
    return (powers / powers.sum(axis=0)).astype(np.float32)


def plain_lovasz_softmax(probabilities: Any, truth: Any) -> float:
    """Sort every class with PyTorch, as the paper's formula says, and nothing else."""
    torch: Any = importlib.import_module("torch")
    losses = []
    for number in range(probabilities.shape[0]):
        foreground = (truth == number).float().flatten()
        if foreground.sum() == 0:
            continue
        errors = (foreground - probabilities[number].flatten()).abs()
        errors, order = torch.sort(errors, 0, descending=True)
        foreground = foreground[order]
        total = foreground.sum()
        inside = total - foreground.cumsum(0)
        union = total + (1 - foreground).cumsum(0)
        jaccard = 1 - inside / union
        jaccard[1:] = jaccard[1:] - jaccard[:-1].clone()
        losses.append(torch.dot(errors, jaccard))
    return float(torch.stack(losses).mean())


def pixel_measures() -> Iterator[Measure]:
    """Hold BCE and focal loss against exp and log of the same array."""
    random = np.random.default_rng(SEED)
    logits, _ = made_logits(random, 0)
    probabilities = 1 / (1 + np.exp(-logits))
    truth = random.random(SHAPE, np.float32) < probabilities

    def exp_and_log() -> object:
        return np.exp(logits), np.log(probabilities)

    calls: dict[str, Callable[[], object]] = {
        "bce_loss": lambda: bce_loss(probabilities, truth),
        "bce_with_logits_loss": lambda: bce_with_logits_loss(logits, truth),
        "focal_loss": lambda: focal_loss(probabilities, truth, alpha=0.25),
        "focal_loss, logits": lambda: focal_loss(logits, truth, alpha=0.25, logits=True),
    }
    for kind in (np.uint8, np.int64, np.float16, np.float32):
        converted = truth.astype(kind)
        calls[f"bce_loss, {np.dtype(kind)} truth"] = partial(bce_loss, probabilities, converted)
    for name, call in calls.items():
        yield Measure(name=name, against="exp and log", call=call, other=exp_and_log, target=2)


def lovasz_measures() -> Iterator[Measure]:
    """Hold Lovász-Softmax against PyTorch, on an untrained and on a good network's output."""
    torch: Any = importlib.import_module("torch")
    random = np.random.default_rng(SEED)
    for words, sharpness in (("flat", 0), ("sharp", 12)):
        logits, truth = made_logits(random, sharpness)
        values = softmax(logits)
        tensors = torch.from_numpy(values), torch.from_numpy(truth)
        yield Measure(
            name=f"lovasz_softmax_loss, {words}",
            against="full sort in PyTorch",
            call=partial(lovasz_softmax_loss, values, truth),
            other=partial(plain_lovasz_softmax, *tensors),
            target=1 / 3,
        )


def measure_memory() -> None:
    """Measure whether the memory of the command grows with the number of maps."""
    few, many = 5, 100
    with tempfile.TemporaryDirectory(prefix="segeval-bench-") as name:
        folder = Path(name)
        logits, truth = made_logits(np.random.default_rng(SEED), 5)
        np.save(folder / "map.npy", softmax(logits))
        Image.fromarray(truth.astype(np.uint8)).save(folder / "truth.png")
        peaks = []
        for count in (few, many):
            for kind, file in (("maps", "map.npy"), ("truths", "truth.png")):
                (folder / f"{kind}{count}").mkdir()
                for number in range(count):
                    link = folder / f"{kind}{count}" / f"{number:03}{Path(file).suffix}"
                    os.link(folder / file, link)
            paths = [str(folder / f"{kind}{count}") for kind in ("maps", "truths")]
            peaks.append(peak_memory([SEGEVAL, "losses", *paths, "--workers", "1", "--quiet"]))
    size = np.prod(SHAPE) * 4 / 1e6
    less, more = peaks
    print(f"segeval losses, peak memory: {less:.0f} MB on {few} maps, {more:.0f} MB on {many}")
    print(f"  {more - less:.1f} MB more (target ≤ 30), {more / size:.1f} times a map (target < 12)")


def seconds_of(call: Callable[[], object]) -> float:
    """Return how long a call keeps processors busy, whatever else the machine does."""
    start = time.process_time()
    call()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    measures = list(pixel_measures())
    if importlib.util.find_spec("torch"):
        measures += lovasz_measures()
    else:
        print("PyTorch is not installed: Lovász-Softmax is not measured")
    for measure in measures:
        taken = interleave(
            {
                "ours": partial(seconds_of, measure.call),
                "other": partial(seconds_of, measure.other),
            },
            ROUNDS,
        )
        ours, other = median(taken["ours"]), median(taken["other"])
        ratio = ours / other
        words = (
            f"{1 / ratio:.1f} times as fast as {measure.against} (target {1 / measure.target:.0f})"
            if measure.target < 1
            else f"{ratio:.2f} times {measure.against} (target {measure.target:.0f})"
        )
        print(f"{measure.name:30} {1000 * ours:7.0f} ms  {words}")
    measure_memory()


if __name__ == "__main__":
    main()
