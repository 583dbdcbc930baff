"""``segeval labels``: the built-in label maps."""

from __future__ import annotations

from typing import Annotated

import typer

from segeval.cli.command import command
from segeval.cli.console import columns, write_lines


@command
def labels(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME|FILE", help="Show this label map.", show_default=False),
    ] = None,
) -> None:
    """List the built-in label maps, or show one of them, or a file of yours.

        segeval labels
        segeval labels cityscapes

    A label map says which values mean which class; the other commands take
    it with --labels NAME|FILE.
    """
    from segeval.labels.load import builtin_names, load_labels
    from segeval.values import describe_values, hex_color

    if name is None:
        rows = [
            (
                m.name,
                f"{len(m.labels)} classes",
                f"void {describe_values(m.void) or 'none'}",
                m.source,
            )
            for m in map(load_labels, builtin_names())
        ]
    else:
        chosen = load_labels(name)
        rows = [("class", "values", "colours", "group")]
        for label in chosen.labels:
            values = describe_values(label.truth_values)
            if label.prediction_values != label.truth_values:
                values += f" (prediction {describe_values(label.prediction_values)})"
            colors = " ".join(hex_color(color) for color in label.colors)
            rows.append((label.name, values or "-", colors or "-", label.group))
        void = " ".join(
            filter(None, [describe_values(chosen.void), *map(hex_color, chosen.void_colors)])
        )
        rows.append(("void", void or "none", "", ""))
        if chosen.overlap:
            rows.append(("overlap", "a value may be of several classes", "", ""))
    write_lines(columns(rows))
