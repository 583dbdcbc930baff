"""A picture of errors a file, for many images: which files, drawn by as many workers as counting.

Names of pairs become names of files that stay below the folder, whatever they hold.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from segeval.counting.run import CountedRun, ImageCounts
from segeval.counting.workers import ordered_map
from segeval.errors import MaskError, OutputError, Problem
from segeval.files import real_path, write_bytes
from segeval.inputs.geometry import spacing_of
from segeval.inputs.pairing import Pair
from segeval.inputs.photographs import read_photograph
from segeval.labels.labelmap import VOID
from segeval.labels.lookups import RunLookup
from segeval.memory import keep_memory
from segeval.pictures.caption import Caption
from segeval.pictures.classmaps import Sheet, read_values
from segeval.pictures.layers import PictureLayer, Subject, lay_out
from segeval.pictures.overlay import Style, draw_picture
from segeval.settings import Reading
from segeval.text import listed, reason_of

UNFIT: Final = ":\\"  # part drives and folders on some systems; names have them of odd bytes too


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture: the masks and their counts, what is written, the file, and the photograph."""

    pair: Pair
    counted: ImageCounts
    card: Caption
    target: Path
    photograph: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What all pictures have in common."""

    style: Style
    translation: RunLookup
    reading: Reading
    subject: Subject | None = None
    layer: PictureLayer | None = None  # instead of errors


def target_names(names: Iterable[str]) -> dict[str, str]:
    """Return the file of each name, relative to the folder; only slashes part folders.

    >>> target_names(["city/one", "../two", "/three.v2"])
    {'city/one': 'city/one.png', '../two': '__/two.png', '/three.v2': 'three.v2.png'}
    """
    targets: dict[str, str] = {}
    owners: dict[str, str] = {}
    for name in names:
        parts = [part for part in name.split("/") if part not in {"", "."}]
        parts = ["__" if part == ".." else part for part in parts] or ["_"]
        kept = "".join(c if c.isprintable() and c not in UNFIT else "_" for c in "/".join(parts))
        targets[name] = f"{kept}.png"
        owner = owners.setdefault(targets[name], name)
        if owner != name:
            raise OutputError(
                f"{owner!r} and {name!r} would both be written to {targets[name]}; "
                "rename one of them"
            )
    return targets


def check_targets(
    folder: Path, targets: Iterable[Path], sources: Iterable[Path], *, overwrite: bool
) -> None:
    """Refuse early a folder that cannot be written, files that are there, and the sources."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the pictures")
    read = {real_path(path) for path in sources}
    there = [target for target in targets if target.exists()]
    for target in there:
        if real_path(target) in read:
            raise OutputError(f"{target} is one of the masks or photographs; name another folder")
    if there and not overwrite:
        names = listed(list(map(str, there)), 1, " and {} more pictures")
        raise OutputError(
            f"{names}: already there; type --overwrite to replace, or name another folder"
        )
    _check_folder(folder)


def _check_folder(folder: Path) -> None:
    """Check that files can be made in a folder, or in the first one above it that is there."""
    there = next(place for place in (folder, *real_path(folder).parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise OutputError(
            f"{folder}: no picture can be written there: {reason_of(error)}; choose another folder"
        ) from error


def draw_overlays(
    jobs: Sequence[Job],
    plan: Plan,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Problem]:
    """Draw and write all pictures; what is odd about photographs comes back."""
    odd: list[Problem] = []
    keep_memory()
    with closing(ordered_map(partial(_draw, plan=plan), jobs, workers=workers)) as outcomes:
        for done, outcome in enumerate(outcomes, 1):
            if outcome is not None:
                odd.append(outcome)
            if progress is not None:
                progress(done, len(jobs))
    return odd


def _draw(job: Job, plan: Plan) -> Problem | None:
    sides = plan.translation.pair(*read_values(job.pair, plan.reading, job.counted))
    sheet = Sheet.of(*sides)
    truth, prediction = (sheet.lay_out(side, VOID) for side in sides)
    card, panel = job.card.noted(sheet.note), None
    if plan.layer is not None and plan.subject is not None:
        spacing = spacing_of(job.counted.info.truth_form)
        drawing = plan.layer.draw(*sides, plan.subject, spacing and spacing[::-1])
        panel, unseen = lay_out(drawing, sheet, plan.layer.name, plan.style.scheme.void)
        card = drawing.card(card).noted(unseen)
    photograph, odd = None, None
    if job.photograph is not None:
        height, width = truth.shape
        try:
            photograph, resized = read_photograph(
                job.photograph, (height, width), max_pixels=plan.reading.max_pixels
            )
            if resized:
                odd = Problem(
                    name=job.pair.name, kind="photograph of another size, resized", detail=""
                )
        except MaskError as error:
            kind = "photograph that cannot be read, grey is used"
            odd = Problem(name=job.pair.name, kind=kind, detail=str(error))
    content = draw_picture(truth, prediction, plan.style, card, photograph, panel=panel)
    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{job.target.parent}: cannot be made: {reason_of(error)}") from error
    write_bytes(job.target, content)
    return odd


def plan_jobs(
    folder: Path,
    pairs: Mapping[str, Pair],
    run: CountedRun,
    cards: Iterable[Caption],
    photographs: Mapping[str, Path],
) -> list[Job]:
    """Say which picture of which pair goes where."""
    cards = list(cards)
    targets = target_names(card.name for card in cards)
    counted = {image.info.name: image for image in run}
    return [
        Job(
            pair=pairs[card.name],
            counted=counted[card.name],
            card=card,
            target=folder / targets[card.name],
            photograph=photographs.get(card.name),
        )
        for card in cards
    ]
