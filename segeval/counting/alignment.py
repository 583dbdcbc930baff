"""Runs side by side: the same images, against the same truths, or an error that says which not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from segeval.counting.counts import COLUMNS, Counts
from segeval.counting.run import CountedRun, Images, Provenance
from segeval.errors import RunError
from segeval.text import counted, listed

LISTED: Final = 5  # images that an error names


def align(runs: Sequence[CountedRun], *, common: bool = False) -> list[CountedRun]:
    """Bring runs to the same images; their truths must be the same.

    Images that are not in all runs are an error, or left out if ``common`` ones are asked for.
    """
    aligned = of_shared_images(runs)
    if not common and any(map(alone, runs, aligned)):
        raise RunError(_differing(runs, aligned))
    for run in aligned[1:]:
        if differing := other_truths(aligned[0], run):
            raise RunError(_other_truth(aligned[0], run, differing))
    return aligned


def of_shared_images(runs: Sequence[CountedRun]) -> list[CountedRun]:
    """Return the runs of the images that all of them hold; an error if there are none."""
    names = [run.images.names for run in runs]
    shared = set(names[0]).intersection(*names[1:])
    if any(names) and not shared:
        raise RunError("the runs have no image in common; names are compared as they stand")
    return [
        run
        if len(own) == len(shared)
        else run.select([n for n, name in enumerate(own) if name in shared])
        for run, own in zip(runs, names, strict=True)
    ]


def alone(run: CountedRun, aligned: CountedRun) -> list[str]:
    """Name the images of a run that are left out of it."""
    kept = set(aligned.images.names)
    return [name for name in run.images.names if name not in kept]


def other_truths(baseline: CountedRun, run: CountedRun) -> list[int]:
    """Return the positions of images whose truths hold other numbers of pixels of each value."""
    ours, theirs = _truths(baseline), _truths(run)
    if all(np.array_equal(ours.column(name), theirs.column(name)) for name in COLUMNS):
        return []
    rows = (
        set(zip(part.image.tolist(), part.truth.tolist(), part.pixels.tolist(), strict=True))
        for part in (ours, theirs)
    )
    return sorted({image for image, *_ in set.symmetric_difference(*rows)})


def stack(runs: Sequence[CountedRun]) -> CountedRun:
    """Put the images of runs one after the other, as if they were different ones."""
    images, parts = Images(), []
    for run in runs:
        places = np.arange(len(images), len(images) + len(run))
        parts.append(run.counts.renumbered(places))
        images.join(run.images)
    kept = Provenance(names=runs[0].provenance.names)
    return CountedRun(images=images, counts=Counts.joined(parts), provenance=kept)


def _differing(runs: Sequence[CountedRun], aligned: Sequence[CountedRun]) -> str:
    lacking = []
    names = [set(run.images.names) for run in runs]
    for number, own in enumerate(names, 1):
        missing = sorted(set().union(*names) - own)
        if missing:
            lacks = f"{counted(len(missing), 'image')}: {listed(missing, LISTED)}"
            lacking.append(f"run {number} lacks {lacks}")
    images = counted(len(aligned[0]), "image")
    return (
        "the runs are not over the same images, so they cannot be compared image by image: "
        f"{'; '.join(lacking)}; type --common to compare the {images} that all of them hold"
    )


def _truths(run: CountedRun) -> Counts:
    """Return the pixels of all true values of a run, in ascending order, against nothing."""
    return Counts.joined(map(_without_predictions, run.counts.blocks()))


def _without_predictions(block: Counts) -> Counts:
    order = np.lexsort((block.truth, block.image))
    image, truth = block.image[order], block.truth[order]
    new = (np.diff(image, prepend=-1) != 0) | (np.diff(truth, prepend=0) != 0)
    starts = np.flatnonzero(new)
    return Counts(
        image=image[starts],
        truth=truth[starts],
        prediction=np.zeros(starts.size, np.int64),
        pixels=np.add.reduceat(block.pixels[order], starts),
    )


def _other_truth(baseline: CountedRun, run: CountedRun, differing: Sequence[int]) -> str:
    first, other = baseline.images[differing[0]], run.images[differing[0]]
    names = listed([baseline.images.names[number] for number in differing], 1, " and {} more")
    return (
        f"{names}: the truth {first.truth_path} of the baseline and {other.truth_path} "
        "of the other run hold other numbers of pixels of each value; compare runs that are "
        "counted against the same truths"
    )


def with_waivers(run: CountedRun, runs: Sequence[CountedRun]) -> CountedRun:
    """Return a run that states the waivers of all runs."""
    waivers = tuple(dict.fromkeys(waiver for r in runs for waiver in r.provenance.waivers))
    return replace(run, provenance=replace(run.provenance, waivers=waivers))
