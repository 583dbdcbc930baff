"""``segeval presets``: the conventions of other tools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from segeval.cli.command import command
from segeval.cli.console import columns, write_lines

if TYPE_CHECKING:
    from segeval.presets.objects import ObjectPreset
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
    reports for the same masks, with --objects ids for those that score objects.
    """
    from segeval.presets.objects import load_object_presets
    from segeval.presets.preset import find_preset, load_presets

    objects = load_object_presets()
    if name is None:
        rows = [*map(_row, load_presets().values()), *map(_row, objects.values())]
    else:
        rows = list(_facts(objects[name] if name in objects else find_preset(name)))
    write_lines(columns(rows))


def _row(preset: Preset | ObjectPreset) -> tuple[str, ...]:
    return preset.name, f"{preset.tool} {preset.version}", preset.title, preset.call


def _facts(preset: Preset | ObjectPreset) -> Iterator[tuple[str, str]]:
    from segeval.scoring.metrics import title_of

    yield "preset", preset.name
    yield "tool", f"{preset.tool} {preset.version}"
    yield preset.title, preset.call
    for mean, call in preset.also.items():
        yield title_of(mean), call
    yield "rules", " ".join(preset.facts)
    yield "flatters", preset.flatters
    yield "punishes", preset.punishes
    if preset.fault:
        yield "fault", preset.fault
    yield "source", preset.source
