"""Measure the losses: beside one pass of exp and log, and beside a full sort in PyTorch.

With the word ``memory``, measure the peak memory of the command on few and on many maps instead.
What needs PyTorch is left out where it is not installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from measuring import SEGEVAL, Took, interleave, peak_memory
from PIL import Image
from tables import add_ratio, ratios, show, times

from segeval.losses import (
    bce_loss,
    bce_with_logits_loss,
    focal_loss,
    lovasz_softmax_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

SHAPE: Final = (19, 512, 1024)
"""Classes, rows and columns: a Cityscapes image at half its size."""

ROUNDS: Final = 5
SORT_ROUNDS: Final = 3
EXP_AND_LOG: Final = "exp and log"
SORT: Final = "full sort in PyTorch"
SEED: Final = 12345


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


def pixel_calls() -> dict[str, Callable[[], object]]:
    """Return exp and log of an array, and the losses of the same one."""
    random = np.random.default_rng(SEED)
    logits, _ = made_logits(random, 0)
    probabilities = 1 / (1 + np.exp(-logits))
    truth = random.random(SHAPE, np.float32) < probabilities
    calls: dict[str, Callable[[], object]] = {
        EXP_AND_LOG: lambda: (np.exp(logits), np.log(probabilities)),
        "bce_with_logits_loss, bool": partial(bce_with_logits_loss, logits, truth),
        "focal_loss of probabilities, bool": partial(focal_loss, probabilities, truth, alpha=0.25),
    }
    for kind in ("bool", "uint8", "int32", "int64", "float16", "float32", "float64"):
        given = truth.astype(kind)
        calls[f"bce_loss, {kind}"] = partial(bce_loss, probabilities, given)
        calls[f"focal_loss of logits, {kind}"] = partial(
            focal_loss, logits, given, alpha=0.25, logits=True
        )
    calls[f"  control: {EXP_AND_LOG} again"] = calls[EXP_AND_LOG]
    return calls


def lovasz_calls(sharpness: float) -> dict[str, Callable[[], object]]:
    """Return a full sort in PyTorch, and Lovász-Softmax of the same arrays and tensors."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    logits, truth = made_logits(np.random.default_rng(SEED), sharpness)
    values = softmax(logits)
    tensors = torch.from_numpy(values), torch.from_numpy(truth)
    plain = partial(plain_lovasz_softmax, *tensors)
    return {
        SORT: plain,
        "lovasz_softmax_loss of tensors": partial(lovasz_softmax_loss, *tensors),
        "lovasz_softmax_loss of arrays": partial(lovasz_softmax_loss, values, truth),
        f"  control: {SORT} again": plain,
    }


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
            peaks.append(peak_memory([*SEGEVAL, "losses", *paths, "--workers", "1", "--quiet"]))
    size = np.prod(SHAPE) * 4 / 1e6
    less, more = peaks
    print(f"segeval losses, peak memory: {less:.0f} MB on {few} maps, {more:.0f} MB on {many}")
    print(f"  {more - less:.1f} MB more (target ≤ 30), {more / size:.1f} times a map (target < 12)")


def took(call: Callable[[], object]) -> Took:
    """Return what a call takes."""
    used, start = time.process_time(), time.perf_counter()
    call()
    clock = time.perf_counter() - start
    return Took(time.process_time() - used, clock)


def measure(
    title: str, calls: dict[str, Callable[[], object]], base: str, target: str, rounds: int
) -> Table:
    """Measure calls beside the one that is named, after one round that does not count."""
    measures = {name: partial(took, call) for name, call in calls.items()}
    interleave(measures, 1)
    taken = interleave(measures, rounds)
    milliseconds = 1000 * median(times(taken[base], "processor"))
    table = ratios(title, f"1 = {milliseconds:.0f} ms")
    for name in calls:
        asked = "" if name == base or "control" in name else target
        add_ratio(table, name, taken[name], taken[base], asked)
    return table


def main() -> None:
    """Measure and print."""
    if sys.argv[1:] == ["memory"]:
        measure_memory()
        return
    show(measure("Losses of 19 maps of 1024×512", pixel_calls(), EXP_AND_LOG, "≤ 2.0", ROUNDS))
    if not importlib.util.find_spec("torch"):
        print("Lovász-Softmax is skipped: PyTorch is not installed")
        return
    for words, sharpness in (("untrained", 0), ("good", 12)):
        title = f"Lovász-Softmax, output of a network that is {words}"
        show(measure(title, lovasz_calls(sharpness), SORT, "≤ 1.0", SORT_ROUNDS))


if __name__ == "__main__":
    main()
