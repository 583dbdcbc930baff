"""Runs side by side: the same images, against the same truths, or an error that says which not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from segeval.counting.run import CountedRun, Counts
from segeval.errors import RunError
from segeval.text import counted, listed

LISTED: Final = 5  # images that an error names


def align(runs: Sequence[CountedRun], *, common: bool = False) -> list[CountedRun]:
    """Bring runs to the same images: image n of one is image n of all others.

    Images that are not in all runs are left out if only the ``common`` ones are asked for.
    Otherwise they are an error, as are other truths.
    """
    names = [[image.name for image in run.images] for run in runs]
    shared = set(names[0]).intersection(*names[1:])
    if any(len(own) > len(shared) for own in names):
        if not shared:
            raise RunError("the runs have no image in common; names are compared as they stand")
        if not common:
            raise RunError(_differing(names, shared))
        runs = [
            run.select([n for n, name in enumerate(own) if name in shared])
            for run, own in zip(runs, names, strict=True)
        ]
    first = _truths(runs[0])
    for run in runs[1:]:
        if not np.array_equal(first, _truths(run)):
            raise RunError(_other_truth(runs[0], run, first))
    return list(runs)


def stack(runs: Sequence[CountedRun]) -> CountedRun:
    """Put the images of runs one after the other, as if they were different ones."""
    ends = np.cumsum([0, *map(len, runs)])
    counts = [run.counts for run in runs]
    return CountedRun(
        images=tuple(image for run in runs for image in run.images),
        counts=Counts(
            image=np.concatenate([c.image + start for c, start in zip(counts, ends, strict=False)]),
            truth=np.concatenate([c.truth for c in counts]),
            prediction=np.concatenate([c.prediction for c in counts]),
            pixels=np.concatenate([c.pixels for c in counts]),
        ),
    )


def _differing(names: Sequence[Sequence[str]], shared: Collection[str]) -> str:
    lines = ["the runs are not over the same images, so they cannot be compared image by image:"]
    for number, own in enumerate(names, 1):
        missing = sorted(set().union(*names) - set(own))
        if missing:
            lacks = f"{counted(len(missing), 'image')}: {listed(missing, LISTED)}"
            lines.append(f"  run {number} lacks {lacks}")
    images = counted(len(shared), "image")
    lines.append(f"type --common to compare the {images} that all of them hold")
    return "\n".join(lines)


def _truths(run: CountedRun) -> NDArray[np.int64]:
    """Return (image, value, pixels) of all true values of a run, as (3, M) in ascending order."""
    counts = run.counts
    order = np.lexsort((counts.truth, counts.image))
    image, truth = counts.image[order], counts.truth[order]
    new = (np.diff(image, prepend=-1) != 0) | (np.diff(truth, prepend=0) != 0)
    starts = np.flatnonzero(new)
    pixels = np.add.reduceat(counts.pixels[order], starts) if starts.size else counts.pixels
    return np.stack([image[starts], truth[starts], pixels])


def _other_truth(baseline: CountedRun, run: CountedRun, truths: NDArray[np.int64]) -> str:
    ours, theirs = (set(map(tuple, part.T.tolist())) for part in (truths, _truths(run)))
    differing = sorted({row[0] for row in ours ^ theirs})
    first, other = baseline.images[differing[0]], run.images[differing[0]]
    names = listed([baseline.images[number].name for number in differing], 1, " and {} more")
    return (
        f"{names}: the truth {first.truth_path} of the baseline and {other.truth_path} "
        "of the other run hold other numbers of pixels of each value; compare runs that are "
        "counted against the same truths"
    )


def with_waivers(run: CountedRun, runs: Sequence[CountedRun]) -> CountedRun:
    """Return a run that states the waivers of all runs."""
    waivers = tuple(dict.fromkeys(waiver for r in runs for waiver in r.provenance.waivers))
    return replace(run, provenance=replace(run.provenance, waivers=waivers))
