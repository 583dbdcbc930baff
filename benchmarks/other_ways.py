"""Other ways to go through a data set, as programs: ``python other_ways.py WAY KIND PRED TRUTH``.

Each way is what people write, or the least that anyone has to do. Nothing of segeval is used.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import made_masks
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from made_masks import Kind
    from numpy.typing import NDArray

__all__ = ["WAYS"]


def decode_with_kornia(prediction: Path, truth: Path, kind: Kind) -> None:
    """Decode both masks with the fastest decoder there is, and hold both."""
    import kornia_rs.io as kornia

    shape = kind.height, kind.width
    paths = (prediction, truth)
    masks = [kornia.decode_image_png_u8(path.read_bytes(), shape, "mono") for path in paths]
    del masks


def decode_in_kept_memory(prediction: Path, truth: Path, kind: Kind) -> None:
    """Do the same where memory is reused, not returned and fetched anew: nobody can do less."""
    keep_memory()
    decode_with_kornia(prediction, truth, kind)


@functools.cache
def keep_memory() -> None:
    """Free a large block, whereupon glibc keeps smaller ones for the next mask."""
    np.empty(24 << 20, np.uint8)


def decode_with_pillow(prediction: Path, truth: Path, _kind: Kind) -> None:
    """Decode both masks with Pillow."""
    masks = [np.asarray(Image.open(path)) for path in (prediction, truth)]
    del masks


def read_classes(path: Path, kind: Kind) -> NDArray[Any]:
    """Read a mask with Pillow; the two classes of a binary one are 0 and 1."""
    mask = np.asarray(Image.open(path))
    return mask if kind.classes > 2 else (mask > 127).astype(np.uint8)


def count_as_usual(prediction: Path, truth: Path, kind: Kind) -> NDArray[np.int64]:
    """Count as most scripts do: one number for both classes of a pixel, and bincount."""
    predicted, true, n = read_classes(prediction, kind), read_classes(truth, kind), kind.classes
    known = true < n
    codes = n * true[known].astype(int) + predicted[known]
    return np.bincount(codes, minlength=n * n).reshape(n, n)


def count_with_sklearn(prediction: Path, truth: Path, kind: Kind) -> NDArray[np.int64]:
    """Count with scikit-learn."""
    from sklearn.metrics import confusion_matrix

    predicted, true = read_classes(prediction, kind), read_classes(truth, kind)
    labels = np.arange(kind.classes)
    counts: NDArray[np.int64] = confusion_matrix(true.ravel(), predicted.ravel(), labels=labels)
    return counts


WAYS: Final[dict[str, Callable[[Path, Path, Kind], NDArray[np.int64] | None]]] = {
    "floor": decode_in_kept_memory,
    "kornia": decode_with_kornia,
    "pillow": decode_with_pillow,
    "usual": count_as_usual,
    "sklearn": count_with_sklearn,
}
KINDS: Final = {
    kind.name: kind for kind in (made_masks.STREETS, made_masks.SMALL_STREETS, made_masks.OBJECTS)
}


def main() -> None:
    """Go through all pairs, and print the sum of the counts if the way counts."""
    way, kind, prediction, truth = sys.argv[1:]
    counts: Any = 0
    for path in sorted(Path(truth).iterdir()):
        counted = WAYS[way](Path(prediction, path.name), path, KINDS[kind])
        counts = counts if counted is None else counts + counted
    print(np.asarray(counts).tolist())


if __name__ == "__main__":
    main()
