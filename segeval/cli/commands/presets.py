"""``segeval presets``: the conventions of other tools."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from segeval.cli.command import command
from segeval.cli.console import columns, write_lines

if TYPE_CHECKING:
    from typing import TypeAlias

    from segeval.presets.distances import DistancePreset
    from segeval.presets.objects import ObjectPreset
    from segeval.presets.preset import Preset

    ToolPreset: TypeAlias = Preset | ObjectPreset | DistancePreset


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
    reports for the same masks, with --objects ids for those that score objects and
    --distances for those of distances.
    """
    from segeval.presets.distances import load_distance_presets
    from segeval.presets.objects import load_object_presets
    from segeval.presets.preset import find_preset, load_presets

    known: list[Mapping[str, ToolPreset]] = [
        load_presets(),
        load_object_presets(),
        load_distance_presets(),
    ]
    if name is None:
        write_lines(columns([_row(each) for presets in known for each in presets.values()]))
        return
    found = [presets[name] for presets in known if name in presets] or [find_preset(name)]
    for number, each in enumerate(found):
        write_lines([*([""] if number else []), *columns(list(_facts(each)))])


def _row(preset: ToolPreset) -> tuple[str, ...]:
    return preset.name, f"{preset.tool} {preset.version}", preset.title, preset.call


def _facts(preset: ToolPreset) -> Iterator[tuple[str, str]]:
    from segeval.distances.names import is_distance_score
    from segeval.scoring.metrics import title_of

    yield "preset", preset.name
    yield "tool", f"{preset.tool} {preset.version}"
    yield preset.title, preset.call
    for mean, call in preset.also.items():
        yield mean if is_distance_score(mean) else title_of(mean), call
    yield "rules", " ".join(preset.facts)
    yield "flatters", preset.flatters
    yield "punishes", preset.punishes
    if preset.fault:
        yield "fault", preset.fault
    yield "source", preset.source
