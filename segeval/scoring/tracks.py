"""Objects over the frames of a sequence: the classes of its images, in the order of their names.

The objects of a sequence are the classes up to the last one that its first truth shows; others that
appear later are none. (S, F, K) counts have the frames of S sequences, and NaN where there is no
frame, or no such object.

Perazzi et al. 2016, doi:10.1109/CVPR.2016.85; Pont-Tuset et al. 2017, arXiv:1704.00675.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.groups import group_names
from segeval.counting.run import CountedRun
from segeval.scoring.metrics import ratio

FOLDER: Final = re.compile(r"(.*)/[^/]*")
ALONE: Final = "(all)"  # sequence of images that lie in no folder
BINS: Final = 4  # parts of a sequence, of which decay compares the first and the last


def sequence_names(run: CountedRun, group_by: str | None) -> list[str]:
    """Return the sequence of every image: its group, or else its folder."""
    groups = group_names(run, group_by)
    if group_by is not None or any(groups):
        return groups
    folders = map(FOLDER.fullmatch, run.images.names)
    return [ALONE if folder is None else folder[1] for folder in folders]


def along_frames(images: ClassCounts, sequence: NDArray[np.int64], *, ends: bool) -> ClassCounts:
    """Return the counts of (N, K) images as those of (S, F, K) frames, with the ends or without."""
    members = [np.flatnonzero(sequence == each) for each in range(int(sequence.max()) + 1)]
    last = [np.flatnonzero(images.support[frames[0]]).max(initial=-1) for frames in members]
    kept = [frames if ends else frames[1:-1] for frames in members]
    most = max(map(len, kept))

    def laid_out(part: NDArray[np.int64]) -> NDArray[np.int64]:
        whole = np.full((len(kept), most, *part.shape[1:]), np.nan)
        for number, frames in enumerate(kept):
            whole[number, : len(frames)] = part[frames]
            if part.ndim > 1:
                whole[number, :, last[number] + 1 :] = np.nan
        counts: NDArray[Any] = whole  # but for what is not there
        return counts

    return images.map(laid_out)


def mean_of_frames(scores: NDArray[np.float64], _: object = None) -> NDArray[np.float64]:
    """Average (S, F, K) scores over frames, as far as they are defined; (S, K)."""
    return ratio(np.nansum(scores, axis=1), (~np.isnan(scores)).sum(axis=1))


def decay_of_frames(scores: NDArray[np.float64], frames: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Subtract the mean over the last quarter of the frames from that over the first; (S, K).

    Quarters share the frame at which they meet.
    """
    decays = np.full((len(scores), scores.shape[-1]), np.nan)
    for number, there in enumerate(frames):
        count = int(there.sum())
        if count:
            cuts = np.round(np.linspace(1, count, BINS + 1) + 1e-10).astype(int) - 1
            ends = (slice(cuts[0], cuts[1] + 1), slice(cuts[-2], cuts[-1] + 1))
            first, last = (scores[number : number + 1, end] for end in ends)
            decays[number] = (mean_of_frames(first) - mean_of_frames(last))[0]
    return decays


REDUCTIONS: Final[dict[str, Callable[..., NDArray[np.float64]]]] = {
    "mean": mean_of_frames,
    "decay": decay_of_frames,
}
"""What becomes of the scores of an object in its frames."""
