"""``segeval show``: the errors of one image, in the terminal."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import terminal_width, write_stdout
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.panels import argument
from segeval.cli.runs import count
from segeval.errors import DataError, Problem, SettingError
from segeval.settings import LabelChoice

if TYPE_CHECKING:
    from segeval.counting.run import CountedRun
    from segeval.inputs.pairing import Pair
    from segeval.pictures.terminal import Colors

_picture = options.in_panel("Picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownOptions:
    """Which image is shown, and how."""

    name: str | None = argument(
        "Name of the pair; not needed if there is only one.", metavar="NAME"
    )
    class_name: str | None = _picture(
        "Errors of this class; without it, of the foreground of two classes, or of all of many.",
        "--class",
        metavar="CLASS",
        common=True,
    )
    colors: Literal["auto", "24bit", "256", "none"] = _picture(
        "Colours of the terminal: auto uses what it has, none draws characters.",
        default="auto",
        common=True,
    )
    width: int | None = _picture(
        "Columns of the picture; without it, those of the terminal.",
        min=10,
        metavar="N",
        common=True,
    )


@command
def show(
    reading: ReadingOptions,
    shown: ShownOptions,
    labels: options.LabelOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Draw the errors of one image in the terminal, with its scores.

        # the pair that is called city_01
        segeval show pred/ truth/ city_01
        # the errors of one class
        segeval show pred/ truth/ city_01 --labels cityscapes --class road

    A cell of the picture is wrong if any of its pixels is, so that small
    errors are seen.
    """
    from segeval.cli.notices import say_classes
    from segeval.labels.lookups import lookup_of
    from segeval.pictures.caption import describe_images, position_of, subject_of
    from segeval.pictures.classmaps import drawn_labels, read_picture
    from segeval.pictures.errormaps import error_codes
    from segeval.pictures.palettes import palette_of
    from segeval.pictures.terminal import draw_text
    from segeval.scoring.score import label_and_score

    reading, name = _arguments(reading, shown.name)
    pair = _find_pair(reading, name)
    run = _count(reading, pair, labels.choice(), quiet=quiet)
    scores = label_and_score(run, labels.choice(), unknown=labels.unknown)
    position = subject_of(scores.labels, position_of(scores.labels, shown.class_name))
    number = _number(run, pair.name)
    (card,) = describe_images(scores, position, [number])
    drawn, place = drawn_labels(scores.labels, position)
    translation = lookup_of(run, drawn, unknown=labels.unknown)
    truth, prediction, note = read_picture(pair, reading.reading(), translation, run.image(number))
    codes = error_codes(truth, prediction, place, translation.classes)
    columns = shown.width or terminal_width()
    colors = _colors(os.environ) if shown.colors == "auto" else shown.colors
    scheme = palette_of(scores.labels, position)
    write_stdout(
        draw_text(codes, scheme, card.noted(note), columns=columns, colors=colors), drawn=True
    )
    say_classes(run, scores.counts, scores.labels, quiet=quiet)


def _arguments(reading: ReadingOptions, name: str | None) -> tuple[ReadingOptions, str | None]:
    """Take the only argument beside a table of pairs for the name."""
    if reading.pairs is not None and reading.truth is None and name is None:
        given = reading.prediction
        return replace(reading, prediction=None), None if given is None else str(given)
    return reading, name


def _find_pair(reading: ReadingOptions, name: str | None) -> Pair:
    from segeval.counting.dataset import pair_up

    pairing = pair_up(reading.source())
    pairs = {pair.name: pair for pair in pairing.pairs}
    if not pairs:
        raise DataError(
            pairing.problems or [Problem(name="data", kind="no pairs", detail="nothing to show")]
        )
    if name is None and len(pairs) == 1:
        return next(iter(pairs.values()))
    if name in pairs:
        return pairs[name]
    if name is None:
        some = ", ".join(list(pairs)[:3])
        raise SettingError(f"which of {len(pairs)} images? Name one as third argument: {some}, …")
    missing = [problem for problem in pairing.problems if problem.name == name]
    if missing:
        raise DataError(missing)
    raise SettingError(f"there is no pair {name!r}; {_nearest(name, list(pairs))}")


def _nearest(name: str, names: list[str]) -> str:
    bare = os.path.splitext(name)[0]
    inside = [other for other in names if bare.lower() in other.lower()]
    close = difflib.get_close_matches(bare, names, n=3, cutoff=0.5)
    near = list(dict.fromkeys([*inside[:3], *close]))[:3]
    return f"the nearest names are {', '.join(near)}" if near else f"names are like {names[0]}"


def _count(reading: ReadingOptions, pair: Pair, choice: LabelChoice, *, quiet: bool) -> CountedRun:
    """Count the pair alone if no other mask can change its classes or raise a doubt, or all."""
    from segeval.counting.dataset import count_pair
    from segeval.counting.run import CountedRun
    from segeval.labels.choose import explicit_labels
    from segeval.labels.labelmap import WHITE
    from segeval.values import COLOR

    labels = explicit_labels(choice)
    if labels is not None and not labels.thresholds:
        counted = count_pair(pair, reading.reading())
        if isinstance(counted, Problem):
            raise DataError([counted])
        truth = counted.table.truth
        doubtful = WHITE in truth and WHITE not in labels.void
        if not doubtful and max(truth.max(), counted.table.prediction.max()) < COLOR:
            return CountedRun.of([counted])
    return count(reading, quiet=quiet, lossy=choice.threshold is not None)


def _number(run: CountedRun, name: str) -> int:
    if name in run.images.names:
        return run.images.names.index(name)
    raise SettingError(f"{name}: it cannot be read, and was left out as --on-error skip says")


def _colors(environment: Mapping[str, str]) -> Colors:
    """Return what the terminal can, or characters for anything else and with NO_COLOR."""
    terminal = environment.get("TERM", "")
    try:
        "▀█".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "none"
    if environment.get("NO_COLOR") or not sys.stdout.isatty() or terminal == "dumb":
        return "none"
    if environment.get("COLORTERM") in {"truecolor", "24bit"} or terminal.endswith("-direct"):
        return "24bit"
    return "256" if "256" in terminal else "none"
