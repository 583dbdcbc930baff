"""``segeval overlay``: pictures of what is right and wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, progress_bar, write_lines
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.pictures import PhotographOptions
from segeval.cli.runs import count
from segeval.errors import Problem, SettingError
from segeval.text import counted, listed, show_score

if TYPE_CHECKING:
    from segeval.inputs.pairing import Pair
    from segeval.labels.labelmap import LabelMap
    from segeval.pictures.folder import Job, Plan
    from segeval.pictures.layers import PictureLayer
    from segeval.pictures.overlay import Style
    from segeval.scoring.score import Scores
    from segeval.settings import Reading

_picture = options.in_panel("Pictures")


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions(PhotographOptions):
    """What is drawn, and where it goes."""

    out: Path = _picture(
        "Folder for the pictures; made if need be.",
        "--out",
        "-o",
        metavar="DIR",
        default=MISSING,
        common=True,
    )
    class_name: str | None = _picture(
        "Errors of this class; without it, of the foreground of two classes, or of all of many.",
        "--class",
        metavar="CLASS",
        common=True,
    )
    layer: Literal["errors", "boundary", "distances"] = _picture(
        "What is drawn: errors, those in bands along the edges, or how far borders are apart.",
        default="errors",
        common=True,
    )
    width: str | None = _picture(
        "Width of the bands, in percent of the diagonal or pixels, such as 5px.",
        metavar="W",
        show_default="2%",
    )
    opacity: float | None = _picture(
        "Opacity of the colours on photographs; without it 0.6, or 1 with --plain and for "
        "distances.",
        min=0,
        max=1,
        metavar="V",
    )
    worst: int | None = _picture(
        "Only the N images of lowest IoU of what is drawn, or lowest mIoU.",
        metavar="N",
        min=1,
        common=True,
    )
    plain: bool = _picture(
        "Write no words into the pictures; they have the size of the masks.",
        "--plain",
        default=False,
    )
    side_by_side: bool = _picture(
        "Also show the photograph, the truth and the prediction.",
        "--side-by-side",
        default=False,
        common=True,
    )
    overwrite: bool = _picture(
        "Replace pictures that are there.", "--overwrite", default=False, common=True
    )

    def drawn_layer(self) -> PictureLayer | None:
        """Return what is drawn instead of errors; a `SettingError` if it cannot be."""
        if self.width is not None and self.layer != "boundary":
            raise SettingError(
                f"--width {self.width} is that of bands; type it with --layer boundary"
            )
        if self.layer == "errors":
            return None
        from segeval.boundaries.widths import Width
        from segeval.distances.measure import check_scipy
        from segeval.pictures.layers import BandLayer, DistanceLayer

        if self.layer == "boundary":
            return BandLayer(width=Width.parse(self.width or "2%"))
        check_scipy()
        return DistanceLayer()

    def style(
        self, labels: LabelMap, position: int | None, layer: PictureLayer | None = None
    ) -> Style:
        """Return how pictures of a class, or of all, look."""
        from segeval.pictures.classmaps import drawn_labels
        from segeval.pictures.overlay import Style
        from segeval.pictures.palettes import palette_of

        drawn, place = drawn_labels(labels, position)
        full = self.plain or (layer is not None and layer.opaque)
        opacity = (1.0 if full else 0.6) if self.opacity is None else self.opacity
        scheme = palette_of(labels, position)
        return Style(
            scheme=scheme if layer is None else layer.scheme(scheme),
            position=place,
            classes=len(drawn.labels),
            plain=self.plain,
            side_by_side=self.side_by_side,
            opacity=opacity,
        )


@command
def overlay(
    reading: ReadingOptions,
    labels: options.LabelOptions,
    pictures: PictureOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Draw the errors of each image as a PNG: true positives, false positives, false negatives.

        # a picture of every image
        segeval overlay pred/ truth/ -o errors/
        # the errors of one class
        segeval overlay pred/ truth/ -o road/ --labels cityscapes --class road
        # errors near the edges; borders by how far they are apart
        segeval overlay pred/ truth/ -o edges/ --layer boundary --width 2%
        segeval overlay pred/ truth/ -o borders/ --layer distances
        # the five worst images, on their photographs
        segeval overlay pred/ truth/ -o worst/ --images photos/ --worst 5

    They are errors of the class of --class, or of the foreground, if there
    are two classes; else wrong pixels are hatched, in the colour of their
    true class. The masks are counted first, so that pictures show what
    `segeval score` says.
    """
    from segeval.cli.deliver import say_notices
    from segeval.counting.dataset import pair_up
    from segeval.pictures.caption import position_of, subject_of
    from segeval.pictures.folder import check_targets, draw_overlays
    from segeval.scoring.score import label_and_score

    layer, photographs, choice = pictures.drawn_layer(), pictures.photographs(), labels.choice()
    pairs = {pair.name: pair for pair in pair_up(reading.source()).pairs}
    files = [*(path for pair in pairs.values() for path in pair.files), *photographs.values()]
    _check_early(pairs, files, labels, pictures)
    run = count(reading, quiet=quiet, lossy=labels.threshold is not None)
    scores = label_and_score(run, choice, unknown=labels.unknown)
    position = subject_of(scores.labels, position_of(scores.labels, pictures.class_name))
    style = pictures.style(scores.labels, position, layer)
    jobs = _jobs(scores, position, pairs, photographs, pictures)
    check_targets(pictures.out, [job.target for job in jobs], files, overwrite=pictures.overwrite)
    if not style.plain:
        _say_letters([name for job in jobs for name in job.card.names], quiet=quiet)
    plan = _plan(scores, position, style, layer, reading.reading())
    odd = draw_overlays(jobs, plan, workers=reading.workers, progress=progress_bar(quiet=quiet))
    if pictures.worst is not None:
        write_lines(f"{show_score(job.card.scores[0][1])}  {job.target}" for job in jobs)
    say_notices(scores, quiet=quiet)
    if pictures.images is not None:
        kind = "no photograph of the name, grey is used"
        bare = [job.pair.name for job in jobs if job.photograph is None]
        odd += [Problem(name=name, kind=kind, detail="") for name in bare]
    _say_odd(odd, quiet=quiet)
    notify(f"{counted(len(jobs), 'picture')} in {pictures.out}", quiet=quiet)


def _plan(
    scores: Scores,
    position: int | None,
    style: Style,
    layer: PictureLayer | None,
    reading: Reading,
) -> Plan:
    from segeval.labels.lookups import lookup_of
    from segeval.pictures.classmaps import drawn_labels
    from segeval.pictures.folder import Plan
    from segeval.pictures.layers import Subject

    drawn, place = drawn_labels(scores.labels, position)
    return Plan(
        style=style,
        translation=lookup_of(scores.run, drawn, unknown=scores.unknown),
        reading=reading,
        subject=Subject(
            position=place, names=tuple(drawn.names), overlap=bool(scores.labels.overlap)
        ),
        layer=layer,
    )


def _jobs(
    scores: Scores,
    position: int | None,
    pairs: Mapping[str, Pair],
    photographs: Mapping[str, Path],
    pictures: PictureOptions,
) -> list[Job]:
    from segeval.pictures.caption import describe_images, ranked_images
    from segeval.pictures.folder import plan_jobs

    chosen: Sequence[int] = range(len(scores.run))
    if pictures.worst is not None:
        chosen = ranked_images(scores, position)[: pictures.worst]
    cards = describe_images(scores, position, chosen)
    return plan_jobs(pictures.out, pairs, scores.run, cards, photographs)


def _check_early(
    names: Iterable[str], files: list[Path], labels: options.LabelOptions, pictures: PictureOptions
) -> None:
    from segeval.labels.choose import check_names
    from segeval.pictures.folder import check_targets, target_names

    check_names(labels.choice(), [] if pictures.class_name is None else [pictures.class_name])
    targets = target_names(names).values() if pictures.worst is None else ()
    paths = [pictures.out / target for target in targets]
    check_targets(pictures.out, paths, files, overwrite=pictures.overwrite)


def _say_letters(names: Iterable[str], *, quiet: bool) -> None:
    """Say which letters are written as code points, and what has a font for them."""
    from segeval.pictures.fonts import missing_letters, packages_for

    letters = missing_letters(names)
    if letters:
        notify(
            f"notice: no font draws {listed(letters, 5, ' and {} more letters')}: they are written "
            f"as code points, like {letters[0].encode('unicode_escape').decode()}; install "
            f"{' and '.join(packages_for(letters))} (Debian, Ubuntu) or another font that has them",
            quiet=quiet,
        )


def _say_odd(odd: Iterable[Problem], *, quiet: bool) -> None:
    kinds: dict[str, list[str]] = defaultdict(list)
    for problem in odd:
        kinds[problem.kind].append(problem.detail or problem.name)
    for kind, names in kinds.items():
        notify(f"notice: {len(names)} × {kind}: {listed(names, 3)}", quiet=quiet)
