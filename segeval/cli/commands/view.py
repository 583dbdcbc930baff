"""``segeval view``: browse the images of a run in a browser."""

from __future__ import annotations

import webbrowser
from contextlib import suppress
from dataclasses import dataclass

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, write_stdout
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.pictures import PhotographOptions
from segeval.cli.runs import count_or_read

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
    their pictures, drawn when they are looked at.
    """
    from segeval.cli.deliver import say_notices
    from segeval.pictures.caption import position_of
    from segeval.pictures.classmaps import lookup_of
    from segeval.scoring.score import label_and_score
    from segeval.viewer.catalogue import Catalogue
    from segeval.viewer.renderer import Renderer
    from segeval.viewer.routes import Routes
    from segeval.viewer.server import Viewer

    photographs, rules = viewing.photographs(), convention.convention()
    run = count_or_read(reading, quiet=quiet, lossy=labels.threshold is not None)
    scores = label_and_score(
        run, labels.choice(), rules, unknown=labels.unknown, group_by=convention.group_by
    )
    position = position_of(scores.labels, viewing.class_name)
    translation = lookup_of(run, scores.labels, unknown=scores.unknown)
    catalogue = Catalogue(scores, translation, convention.group_by)
    drawer = Renderer(
        scores, translation, photographs, opacity=viewing.opacity, max_pixels=reading.max_pixels
    )
    with Viewer(Routes(catalogue, drawer, position), viewing.port) as server:
        say_notices(scores, quiet=quiet)
        write_stdout(f"{server.url}\n")
        notify("served to this machine only; Ctrl-C ends it", quiet=quiet)
        if viewing.opened and not webbrowser.open(server.url):
            notify("notice: no browser could be opened; open the address yourself", quiet=quiet)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
