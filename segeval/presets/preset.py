"""Presets: the conventions of other tools, one row each, in the files of ``presets/``."""

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib import resources
from typing import Any, Final

from segeval.errors import SettingError
from segeval.scoring.convention import CASES, Convention
from segeval.scoring.metrics import METRICS, title_of

NOT_AXES: Final = frozenset({"like", "origin", "exclude", "overrides"})
AXES: Final = frozenset(axis.name for axis in fields(Convention)) - NOT_AXES
TEXTS: Final = ("tool", "version", "source", "call", "flatters", "punishes", "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What is told of one call of a tool."""

    name: str  # ``tool`` or ``tool:variant``
    tool: str
    version: str
    call: str
    source: str  # where the rules can be read
    flatters: str  # when the number reads too high
    punishes: str  # when it reads too low
    fault: str = ""  # a defect of the tool that is not repeated
    also: Mapping[str, str] = field(default_factory=dict)  # further calls of the same row, by mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset(ToolCall):
    """What one call of a tool does, as a point on the axes of a convention."""

    convention: Convention

    @property
    def title(self) -> str:
        """The headline, as people write it."""
        return title_of(self.convention.headline)

    @property
    def facts(self) -> list[str]:
        """Every axis on which it is not the default."""
        return self.convention.signature_parts()[1:]


def preset(name: str, **axes: Any) -> Convention:
    """Return the convention of a preset, or one that departs from it on some axes, by name.

    What an axis says holds for every metric. All departures but ``exclude`` and ``worst``, which
    change no other number, become part of its name; so do those by ``dataclasses.replace``.

    Raises
    ------
    SettingError
        If there is none of that name; names the nearest ones. If it is a worst share itself, and
        ``worst`` is given.

    Examples
    --------
    >>> preset("monai").pooling, preset("monai", absent="zero").like
    ('image', 'monai+absent:zero')
    """
    convention = find_preset(name).convention
    worst = axes.get("worst", convention.worst)
    if convention.worst not in {None, worst}:
        raise SettingError(f"{name} is a worst share itself; leave out --worst")
    kept = tuple(override for override in convention.overrides if override[1] not in axes)
    return replace(convention, **{"overrides": kept, **axes})


def find_preset(name: str) -> Preset:
    """Return a preset with all that is said of it; an unknown name is a `SettingError`."""
    presets = load_presets()
    if name in presets:
        return presets[name]
    if any(row["name"] == name for kind in ("distances", "objects") for row in read_rows(kind)):
        raise SettingError(f"{name} has rules for distances or objects, and none for pixels")
    near = difflib.get_close_matches(name, presets, n=3, cutoff=0.5)
    near += [known for known in presets if known.partition(":")[0] == name.partition(":")[0]]
    hint = f"did you mean {', '.join(dict.fromkeys(near))}? " if near else ""
    raise SettingError(f"no preset is called {name!r}; {hint}`segeval presets` lists them")


@cache
def load_presets() -> Mapping[str, Preset]:
    """Return all presets by name, in alphabetical order."""
    rows = [row for each in read_rows(".") for row in _with_foreground(each)]
    return {row["name"]: _preset(row) for row in sorted(rows, key=lambda row: row["name"])}


def read_rows(place: str) -> list[dict[str, Any]]:
    """Read the rows of all files in a folder of ``tools/``, each with what holds for its file."""
    folder = resources.files("segeval.presets") / "tools" / place
    files = (file for file in folder.iterdir() if file.name.endswith(".toml"))
    contents = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]
    rows = [content | row for content in contents for row in content.pop("presets")]
    return sorted(rows, key=lambda row: str(row["name"]))


def _with_foreground(row: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a row, and that of its foreground if it has one."""
    foreground = row.pop("foreground", None)
    yield row
    if foreground is not None:
        yield {**row, "also": {}, "classes": "foreground", **foreground}


def _preset(row: Mapping[str, Any]) -> Preset:
    known = {"name", "also", *TEXTS, *AXES, *METRICS}
    if unknown := row.keys() - known:
        raise ValueError(f"preset {row['name']}: no axis is called {', '.join(sorted(unknown))}")
    overrides = tuple(
        (metric, case, row[metric][case])
        for metric in METRICS
        for case in CASES
        if case in row.get(metric, {})
    )
    axes = {axis: row[axis] for axis in AXES & row.keys()}
    axes |= {axis: tuple(value) for axis, value in axes.items() if isinstance(value, list)}
    convention = Convention(like=row["name"], overrides=overrides, **axes)
    convention = replace(convention, origin=convention)
    texts = {text: row.get(text, "") for text in TEXTS}
    return Preset(name=row["name"], convention=convention, also=row.get("also", {}), **texts)
