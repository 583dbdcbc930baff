"""``segeval view``: browse the images of a run in a browser."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, write_stdout
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.pictures import PhotographOptions
from segeval.cli.runs import count_or_read, read_counted
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError
from segeval.text import printable

if TYPE_CHECKING:
    from segeval.viewer.catalogue import Catalogue

_view = options.in_panel("View")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewOptions(PhotographOptions):
    """What is shown at first, and where."""

    class_name: str | None = _view(
        "The class that is chosen at first; others are a click away.",
        "--class",
        metavar="CLASS",
        common=True,
    )
    opacity: float = _view(
        "Opacity of the errors on photographs.", min=0, max=1, metavar="V", default=0.6
    )
    port: int = _view(
        "Port of this machine; 0 is any free one.",
        min=0,
        max=65535,
        metavar="N",
        default=0,
        common=True,
    )
    opened: bool = _view("Open the page in the browser.", "--open", default=False, common=True)


@command
def view(
    reading: ReadingOptions,
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    viewing: ViewOptions,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Browse the images of PRED against TRUTH, or of a saved run in its place, in a browser.

        # open the page at once
        segeval view pred/ truth/ --open
        # the errors are drawn on photographs
        segeval view pred/ truth/ --images photos/
        # a run that was saved by `segeval score`
        segeval view run.segeval --labels cityscapes

    Prints the address of a page that only this machine can open, and serves
    it until Ctrl-C: images by score, class, confusion, group or name, and
    their pictures, drawn when they are looked at. Two runs, A.segeval and
    B.segeval, stand side by side, with the differences of their scores.
    """
    from segeval.pictures.caption import position_of
    from segeval.viewer.renderer import Renderer
    from segeval.viewer.routes import Routes
    from segeval.viewer.server import Viewer

    photographs = viewing.photographs()
    catalogue = _catalogue(reading, labels, convention, quiet=quiet)
    position = position_of(catalogue.scores.labels, viewing.class_name)
    drawer = Renderer(
        [(side.scores, side.translation) for side in catalogue.sides],
        photographs,
        opacity=viewing.opacity,
        max_pixels=reading.max_pixels,
    )
    with Viewer(Routes(catalogue, drawer, position), viewing.port) as server:
        _say(catalogue, quiet=quiet)
        write_stdout(f"{server.url}\n")
        notify("served to this machine only; Ctrl-C ends it", quiet=quiet)
        if viewing.opened and not webbrowser.open(server.url):
            notify("notice: no browser could be opened; open the address yourself", quiet=quiet)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


def _catalogue(
    reading: ReadingOptions,
    labels: options.LabelOptions,
    convention: options.GroupedOptions,
    *,
    quiet: bool,
) -> Catalogue:
    """Score one run, or two of which the first is the baseline of the second."""
    from segeval.scoring.score import label_and_score
    from segeval.viewer.catalogue import Catalogue
    from segeval.viewer.versus import side_by_side

    choice, rules = labels.choice(), convention.convention()
    how: Any = {"unknown": labels.unknown, "group_by": convention.group_by}
    first, second = reading.prediction, reading.truth
    if first is not None and second is not None and (is_run_file(first) or is_run_file(second)):
        for path in (first, second):
            if path.exists() and not is_run_file(path):
                raise SettingError(
                    f"{path} is no run file, and stands beside one; count its masks with "
                    f"`segeval score {path} TRUTH -o RUN`, and type RUN in its place"
                )
        runs = read_counted(first, reading), read_counted(second, reading)
        names = printable(str(first)), printable(str(second))
        return side_by_side(runs, names, choice, rules, **how)
    run = count_or_read(reading, quiet=quiet, lossy=labels.threshold is not None)
    return Catalogue(label_and_score(run, choice, rules, **how), convention.group_by)


def _say(catalogue: Catalogue, *, quiet: bool) -> None:
    """Say what a reader of the numbers might not expect."""
    from segeval.cli.deliver import say_notices

    for side in catalogue.sides:
        say_notices(side.scores, quiet=quiet)
    for note in catalogue.baseline.notes if catalogue.baseline is not None else ():
        notify(f"notice: {note}", quiet=quiet)
