"""``segeval presets``: the conventions of other tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from segeval.cli.command import command
from segeval.cli.console import columns, write_lines

if TYPE_CHECKING:
    from segeval.presets.preset import Preset


@command
def presets(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this preset.", show_default=False)
    ] = None,
) -> None:
    """List the conventions of other tools, or show one of them in full.

        segeval presets
        segeval presets mmseg

    Type `segeval score PRED TRUTH --like NAME` for the number that the tool
    reports for the same masks.
    """
    from segeval.presets.preset import find_preset, load_presets

    if name is None:
        rows = [_row(preset) for preset in load_presets().values()]
    else:
        rows = list(_facts(find_preset(name)))
    write_lines(columns(rows))


def _row(preset: Preset) -> tuple[str, ...]:
    from segeval.scoring.metrics import title_of

    title = title_of(preset.convention.headline)
    return preset.name, f"{preset.tool} {preset.version}", title, preset.call


def _facts(preset: Preset) -> Iterator[tuple[str, str]]:
    from segeval.scoring.metrics import title_of

    yield "preset", preset.name
    yield "tool", f"{preset.tool} {preset.version}"
    yield title_of(preset.convention.headline), preset.call
    for mean, call in preset.also.items():
        yield title_of(mean), call
    yield "rules", " ".join(preset.convention.signature_parts()[1:])
    yield "flatters", preset.flatters
    yield "punishes", preset.punishes
    if preset.fault:
        yield "fault", preset.fault
    yield "source", preset.source
