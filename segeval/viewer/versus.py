"""Two runs side by side: over the images that both hold, scored with the same classes."""

from collections.abc import Iterator, Sequence
from typing import Final

from segeval.counting.alignment import alone, of_shared_images, other_truths
from segeval.counting.run import CountedRun
from segeval.errors import DataError
from segeval.labels.choose import choose_shared
from segeval.scoring.convention import Convention
from segeval.scoring.score import score_run
from segeval.settings import LabelChoice, Unknown
from segeval.text import counted, listed
from segeval.viewer.catalogue import Baseline, Catalogue

NAMED: Final = 3  # images that a note names


def side_by_side(
    runs: tuple[CountedRun, CountedRun],
    names: tuple[str, str],
    choice: LabelChoice,
    convention: Convention,
    *,
    unknown: Unknown = "error",
    group_by: str | None = None,
) -> Catalogue:
    """Hold the second run against the first.

    Images of one run only are left out, and other truths are no error: the notes say both.
    """
    if faults := [problem for run in runs for problem in run.provenance.problems]:
        raise DataError(faults)
    shared = of_shared_images(runs)
    labels = choose_shared(shared, choice)
    before, after = [
        score_run(run, labels, convention, unknown=unknown, group_by=group_by) for run in shared
    ]
    differing = other_truths(before.run, after.run)
    held = [before.run.images[number].name for number in differing]
    baseline = Baseline(
        catalogue=Catalogue(before, group_by),
        names=names,
        notes=[*_left_out(runs, shared), *_differing(held)],
        other_truths=frozenset(differing),
    )
    return Catalogue(after, group_by, baseline)


def _left_out(runs: Sequence[CountedRun], shared: Sequence[CountedRun]) -> Iterator[str]:
    for letter, run, aligned in zip("AB", runs, shared, strict=True):
        if names := alone(run, aligned):
            images = counted(len(names), "image")
            yield f"{images} of {letter} only, left out: {listed(names, NAMED)}"


def _differing(names: Sequence[str]) -> Iterator[str]:
    if names:
        images = counted(len(names), "image")
        yield f"the truths of A and B differ in {images}: {listed(names, NAMED)}"
