"""Ways through a data set, as a program that is asked: ``python ways.py WAY [DATA]``.

It imports what the way needs once. Each line it reads is a data set; its answer is the processor
time and the time by the clock that the way took, and its mean IoU, or why it does not apply.
A data set on its command line is the only one.
Nothing of segeval is used but by the way of that name.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Run = Callable[["Data"], float | None]

VOID: Final = 255
KORNIA: Final = {"RGB": ("u8", "rgb"), "16-bit": ("u16", "mono")}


class DoesNotApplyError(Exception):
    """The way cannot take masks of this kind."""


@dataclass(frozen=True, slots=True)
class Data:
    """Two folders of masks; the two classes of ``binary`` ones are 0 and 255."""

    prediction: str
    truth: str
    form: str
    classes: int
    shape: list[int]
    options: list[str]

    @property
    def binary(self) -> bool:
        """Whether masks hold a foreground."""
        return self.classes == 2

    def pairs(self) -> Iterator[tuple[Path, Path]]:
        """Yield the files of predictions and truths."""
        for truth in sorted(Path(self.truth).iterdir()):
            yield Path(self.prediction, truth.name), truth

    def arrays(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Yield what Pillow reads of each pair; the two classes of binary masks are 0 and 1."""
        for pair in self.pairs():
            prediction, truth = (np.asarray(Image.open(path)) for path in pair)
            if self.binary:
                prediction, truth = prediction > 127, truth > 127
            yield prediction, truth


def mean_iou(counts: Any) -> float:
    """Return the mean IoU of a square of counts, truths in rows."""
    hits = np.diag(counts)
    union = counts.sum(axis=0) + counts.sum(axis=1) - hits
    return float(np.mean(hits[union > 0] / union[union > 0]))


def segeval() -> Run:
    """Score with segeval's command, one worker."""
    app: Any = importlib.import_module("segeval.cli").app

    def run(data: Data) -> None:
        command = ["score", data.prediction, data.truth, "--workers", "1", "--quiet", *data.options]
        with contextlib.redirect_stdout(io.StringIO()):
            app([*command, "--format", "total"], standalone_mode=False)

    return run


def kornia() -> Run:
    """Decode both masks with kornia-rs, where memory is used again, and hold both."""
    decoders: Any = importlib.import_module("kornia_rs.io")
    np.empty(24 << 20, np.uint8)  # freed, whereupon glibc keeps smaller blocks

    def run(data: Data) -> None:
        bits, channels = KORNIA.get(data.form, ("u8", "mono"))
        decode = getattr(decoders, f"decode_image_png_{bits}")
        for pair in data.pairs():
            masks = [decode(path.read_bytes(), tuple(data.shape), channels) for path in pair]
            del masks

    return run


def pillow() -> Run:
    """Decode both masks with Pillow."""

    def run(data: Data) -> None:
        for pair in data.pairs():
            masks = [np.asarray(Image.open(path)) for path in pair]
            del masks

    return run


def script() -> Run:
    """Count as most scripts do: one number for both classes of a pixel, and bincount."""

    def run(data: Data) -> float:
        n = data.classes
        counts = np.zeros((n, n), np.int64)
        for prediction, truth in data.arrays():
            known = truth < n
            codes = n * truth[known].astype(int) + prediction[known]
            counts += np.bincount(codes, minlength=n * n).reshape(n, n)
        return mean_iou(counts)

    return run


def scikit_learn() -> Run:
    """Count with ``sklearn.metrics.confusion_matrix``."""
    confusion_matrix: Any = importlib.import_module("sklearn.metrics").confusion_matrix

    def run(data: Data) -> float:
        labels = np.arange(data.classes)
        return mean_iou(
            sum(
                confusion_matrix(truth.ravel(), prediction.ravel(), labels=labels)
                for prediction, truth in data.arrays()
            )
        )

    return run


def _tensors(torch: Any, data: Data) -> Iterator[tuple[Any, Any]]:
    for pair in data.arrays():
        prediction, truth = (torch.from_numpy(mask.astype(np.int64)) for mask in pair)
        yield prediction, truth


def torchmetrics() -> Run:
    """Score with ``torchmetrics.classification.MulticlassJaccardIndex``."""
    torch: Any = importlib.import_module("torch")
    index: Any = importlib.import_module("torchmetrics.classification").MulticlassJaccardIndex
    torch.set_num_threads(1)

    def run(data: Data) -> float:
        metric = index(data.classes, ignore_index=None if data.binary else VOID)
        for prediction, truth in _tensors(torch, data):
            metric.update(prediction, truth)
        return float(metric.compute())

    return run


def monai() -> Run:
    """Count with ``monai.metrics.get_confusion_matrix``, which takes one channel a class."""
    torch: Any = importlib.import_module("torch")
    count: Any = importlib.import_module("monai.metrics").get_confusion_matrix
    torch.set_num_threads(1)

    def run(data: Data) -> float:
        counts = 0
        for prediction, truth in _tensors(torch, data):
            known = truth < data.classes
            channels = [
                torch.nn.functional.one_hot(mask * known, data.classes) * known[..., None]
                for mask in (prediction, truth)
            ]
            counts = counts + count(*(each.permute(2, 0, 1)[None] for each in channels))
        tp, fp, _, fn = np.asarray(counts)[0].T
        return float(np.mean((tp / (tp + fp + fn))[tp + fp + fn > 0]))

    return run


def cityscapes() -> Run:
    """Count with the benchmark's code, ``evaluatePair``, without its scores of instances."""
    tool: Any = importlib.import_module(
        "cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling"
    )
    tool.args.evalInstLevelScore = tool.args.evalPixelAccuracy = False

    def run(data: Data) -> float:
        if data.form != "label ids":
            raise DoesNotApplyError("has its own classes")
        counts = tool.generateMatrix(tool.args)
        for prediction, truth in data.pairs():
            tool.evaluatePair(str(prediction), str(truth), counts, {}, {}, tool.args)
        scores = {
            label.name: tool.getIouScoreForLabel(label.id, counts, tool.args)
            for label in tool.labels
            if not label.ignoreInEval
        }
        return float(tool.getScoreAverage(scores, tool.args))

    return run


def hotcoco() -> Run:
    """Score with ``hotcoco.semantic.SemanticEval``, which reads folders itself."""
    evaluator: Any = importlib.import_module("hotcoco.semantic").SemanticEval

    def run(data: Data) -> float:
        if data.binary:
            raise DoesNotApplyError("255 is void to it")
        scores = evaluator(data.classes, ignore_index=VOID)
        scores.update_folders(data.truth, data.prediction)
        return float(scores.results()["mIoU"])

    return run


WAYS: Final[dict[str, Callable[[], Run]]] = {
    "segeval": segeval,
    "kornia-rs decodes": kornia,
    "Pillow decodes": pillow,
    "usual script": script,
    "hotcoco": hotcoco,
    "cityscapesScripts": cityscapes,
    "scikit-learn": scikit_learn,
    "torchmetrics": torchmetrics,
    "MONAI": monai,
}


def answer(run: Run, data: Data) -> dict[str, Any]:
    """Go through a data set, and say what that took and gave."""
    used, start = time.process_time(), time.perf_counter()
    try:
        figure = run(data)
    except DoesNotApplyError as reason:
        return {"reason": str(reason)}
    clock = time.perf_counter() - start
    return {"processor": time.process_time() - used, "clock": clock, "figure": figure}


def main() -> None:
    """Go through the data set of the command line, or through each that standard input names."""
    run, out = WAYS[sys.argv[1]](), sys.stdout
    print("{}", flush=True)
    for line in sys.argv[2:] or sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            said = answer(run, Data(**json.loads(line)))
        print(json.dumps(said), file=out, flush=True)


if __name__ == "__main__":
    main()
