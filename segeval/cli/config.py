"""Settings in files: ``segeval.toml``, or ``[tool.segeval]`` of ``pyproject.toml``.

Keys are options as they are typed. Values become defaults of the parser, as text, so that Typer
checks and converts them itself. What is typed wins, also over settings that contradict it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import typer
from typer.core import TyperCommand

from segeval.cli.console import notify
from segeval.cli.help import write_help
from segeval.cli.hints import EXPECTED, hints_of, kinds_of, refusal
from segeval.cli.options import in_panel
from segeval.cli.options.panels import with_usual
from segeval.cli.usage import USAGE, in_one_line
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError
from segeval.scoring.pooling import POOLINGS
from segeval.storage.path import URL
from segeval.text import did_you_mean, quoted, shortened
from segeval.textfiles import TextError, named, parse_toml, read_text, toml_lines

CONFIG: Final = "segeval.config"  # where a context keeps the file of settings
SETTINGS: Final = "segeval.settings"  # where a context keeps what the command takes from the file
SHARED: Final = "pyproject.toml"
UNSET: Final = {"config", "no-config", "help-all"}  # options that no file sets
REPORT: Final = "F"  # what stands for the file of a report in the help
WRITTEN: Final = "out", "folder"  # other options that name what is written
RIVALS: Final = (
    ({"pairs"}, {"prediction", "truth"}),
    ({"labels"}, {"classes"}),
    ({"threshold", "truth_threshold"}, {"classes", "pred_labels"}),
    ({"threshold", "truth_threshold"}, {"pred_offset"}),
    ({"resume"}, {"overwrite"}),
    ({"like"}, {"pooling", "absent", "worst"}),
)  # options that exclude each other in a command that has all of them
POINTLESS: Final[tuple[tuple[str, Callable[[Any], bool], set[str]], ...]] = (
    ("classes", lambda _: True, {"pred_labels", "level"}),
    ("pooling", lambda pooling: pooling in POOLINGS and not POOLINGS[pooling].has_worst, {"worst"}),
    ("baseline", lambda path: not is_run_file(path), {"significant"}),
)  # an option, which of its values count, and what makes no sense beside them

_files = in_panel("Files of settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigOptions:
    """The options that every command has."""

    config: Path | None = _files(
        "Settings: this file, not the nearest segeval.toml or pyproject.toml.",
        metavar="FILE",
        show_default=False,
    )
    no_config: bool = _files("Ignore files of settings.", "--no-config", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """A file of settings: the table that holds them, its content, and the line of every key."""

    path: Path
    table: str
    content: Mapping[str, Any]
    lines: Mapping[str, int]
    found: bool = False  # by looking for it, so that nobody has named it

    def dotted(self, *keys: str) -> str:
        """Return the full name of a key or table."""
        return ".".join(filter(None, [self.table, *keys]))

    def place(self, *keys: str) -> str:
        """Return the file, with the line of a key if it was found."""
        line = self.lines.get(self.dotted(*keys))
        return f"{self.path}:{line}" if line else str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a file says about an option: the value as text, and how the file puts it."""

    option: str
    keys: tuple[str, ...]
    text: Any
    quoted: str


class ConfiguredCommand(TyperCommand):
    """A command whose defaults may stand in a file, and whose help is short."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help itself; nothing is left to the formatter."""
        del formatter
        write_help(ctx)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Make settings the defaults, unless help is asked for; then parse."""
        args = with_usual(args, hints_of(self))
        with in_one_line(ctx, args):
            options, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            typed = {name: value for name, value in options.items() if value not in (None, ())}
            settings: dict[str, Setting] = {}
            if not ctx.resilient_parsing and typed.keys().isdisjoint({"help", "help_all"}):
                settings = self._configure(ctx, typed)
            # Typer 0.27 has no such default
            runs = settings["runs"].text if "runs" in settings else []
            return super().parse_args(ctx, [*args, *runs])

    def _configure(self, ctx: Any, typed: Mapping[str, Any]) -> dict[str, Setting]:
        """Read the file of settings, hand over what it says to this command, and say so."""
        settings: dict[str, Setting] = {}
        try:
            ctx.meta[CONFIG] = file = _find(typed)
            if file and self.name in configurable(ctx):
                settings = ctx.meta[SETTINGS] = settings_of(ctx, file, typed)
                hand_over(ctx, settings)
        except SettingError as error:
            notify(f"segeval: {error}")
            raise typer.Exit(USAGE) from None
        if settings:
            quiet = "quiet" in typed or ctx.params.get("quiet", False)
            notify(f"settings from {ctx.meta[CONFIG].path}", quiet=quiet)
        return settings


def configurable(ctx: Any) -> dict[str, Any]:
    """Return the commands whose options may stand in a file, by their names."""
    commands = ctx.find_root().command.commands
    return {name: command for name, command in commands.items() if name != "config"}


def origins(message: str, ctx: Any) -> str:
    """Say which options that a message speaks of come from the file, and where they stand."""
    places = [
        f"{setting.option} stands in {ctx.meta[CONFIG].place(*setting.keys)}"
        for setting in ctx.meta.get(SETTINGS, {}).values()
        if re.search(rf"(?<![\w\-.]|/)(--)?{re.escape(setting.option)}(?![\w\-./])", message)
    ]
    return f" ({', '.join(places)})" if places else ""


def overridden_by(values: Mapping[str, Any], options: Collection[str]) -> set[str]:
    """Return which options of a command make no sense beside these values.

    >>> sorted(overridden_by({"pooling": "micro", "ci": 100}, {"pooling", "worst", "ci"}))
    ['worst']
    """
    rivals = [pair for pair in RIVALS if (pair[0] | pair[1]).issubset(options)]
    beaten = [b for pair in rivals for a, b in (pair, pair[::-1]) if not a.isdisjoint(values)]
    beaten += [b for name, counts, b in POINTLESS if name in values and counts(values[name])]
    return set().union(*beaten).intersection(options)


def settings_of(ctx: Any, file: ConfigFile, typed: Mapping[str, Any]) -> dict[str, Setting]:
    """Return what a file says to a command, by the name of the parameter, beside what is typed."""
    options = {name: options_of(command) for name, command in configurable(ctx).items()}
    own = options[ctx.command.name]
    entries = list(_entries(file, options))
    _check_keys(file, [keys for keys, _ in entries], options)
    panels = {each.name: getattr(each, "rich_help_panel", "") for each in ctx.command.params}
    settings: dict[str, Setting] = {}
    for table in ((), (ctx.command.name,)):
        closer = {
            own[option][0].name: _setting(file, keys, value, *own[option])
            for keys, value in entries
            if keys[:-1] == table and (option := _option(keys[-1])) in own
        }
        texts = {name: setting.text for name, setting in closer.items()}
        settings = _without(settings, overridden_by(texts, panels)) | closer
    settings = _without(settings, {*typed, *overridden_by(typed, panels)})
    values = {**{name: setting.text for name, setting in settings.items()}, **typed}
    runs = values.get("runs") or [values.get("prediction")]
    if "truth" not in typed and all(map(is_run_file, runs)):  # counted already: nothing is read
        pairing = {name for name, panel in panels.items() if panel == "Pairing and reading"}
        settings = _without(settings, pairing | {"truth"})
    for parameter in ctx.command.params if file.found else ():
        written = parameter.name in WRITTEN or parameter.metavar == REPORT
        if written and (setting := settings.get(parameter.name)):
            _check_inside(setting, file)
    return settings


def hand_over(ctx: Any, settings: Mapping[str, Setting]) -> None:
    """Make settings the defaults of a command, and refuse values that Typer refuses."""
    ctx.default_map = {name: setting.text for name, setting in settings.items()}
    for parameter in ctx.command.params:
        if setting := settings.get(parameter.name):
            try:
                parameter.handle_parse_result(ctx, {}, [])
            except typer.BadParameter as error:
                reason = refusal(setting.text, hints_of(ctx.command)[parameter.name])
                raise SettingError(f"{setting.quoted}: {reason}{_hint(ctx, setting)}") from error


def _hint(ctx: Any, setting: Setting) -> str:
    """Say which choice is meant, or that another command has it."""
    options = {name: options_of(each) for name, each in configurable(ctx).items()}
    choices = {name: each.get(setting.option, (None, []))[1] for name, each in options.items()}
    if len(setting.keys) == 1 and any(setting.text in each for each in choices.values()):
        return "; what only one command takes stands in the table of that command"
    return _advice(setting.text, choices[ctx.command.name])


def options_of(command: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Return what a file can set, as it is typed: the parameter, and its types or choices."""
    options = {}
    hints = hints_of(command)
    for parameter in sorted(command.params, key=lambda each: each.param_type_name):
        kinds = kinds_of(hints[parameter.name])
        if parameter.param_type_name == "option" or Path in kinds:
            options[max(parameter.opts, key=len).lstrip("-")] = (parameter, kinds)
    return {name: found for name, found in options.items() if name not in UNSET}


def _entries(file: ConfigFile, commands: Collection[str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys at the top, and the keys of a command behind its name, with their values."""
    for key, value in file.content.items():
        if key in commands and isinstance(value, dict):
            yield from (((key, inner), value[inner]) for inner in value)
        else:
            yield (key,), value


def _option(key: str) -> str:
    return key.replace("_", "-")


def _without(settings: dict[str, Setting], names: Collection[str]) -> dict[str, Setting]:
    return {name: setting for name, setting in settings.items() if name not in names}


def _check_keys(
    file: ConfigFile, entries: Collection[tuple[str, ...]], options: Mapping[str, Collection[str]]
) -> None:
    """Refuse keys that are no option, and options that are named twice."""
    seen = set()
    for *table, key in entries:
        known = options[table[0]] if table else {name for each in options.values() for name in each}
        if (option := _option(key)) in known and (*table, option) not in seen:
            seen.add((*table, option))
            continue
        names = [name.replace("-", "_") if "_" in key else name for name in sorted(known)]
        near = _advice(key, [*names, *([] if table else options)])
        what = f"segeval {table[0]} has no option" if table else "no option or command is called"
        others = f"; there are {', '.join(names)}" if names else ""
        reason = f"{what} {quoted(key)}{near or others}"
        if option in known:
            reason = f"{quoted(key)} stands there twice"
        elif key in options and not table:
            reason = f"{key!r} is a command: its options stand in a table"
        elif key == "tool" and not file.table:
            reason = "in a file of its own, settings stand at the top, without [tool.segeval]"
        header = f" [{file.dotted(*table)}]" if file.dotted(*table) else ""
        raise SettingError(f"{file.place(*table, key)}:{header} {reason}")


def _advice(word: Any, words: Collection[Any]) -> str:
    return did_you_mean(str(word), [each for each in words if isinstance(each, str)])


def _setting(
    file: ConfigFile, keys: tuple[str, ...], value: Any, parameter: Any, kinds: list[Any]
) -> Setting:
    """Return a value as it would be typed; refuse other types."""
    several = parameter.multiple or parameter.nargs != 1
    items = value if several and isinstance(value, list) else [value]
    allowed, expected = EXPECTED.get(kinds[0], EXPECTED[str])
    fit = all(isinstance(i, allowed) and isinstance(i, bool) == (allowed is bool) for i in items)
    shown = shortened(json.dumps(value, default=str, ensure_ascii=False))
    quoted = f"{file.place(*keys)}: {keys[-1]} = {shown}"
    if not fit or not items or len(items) != parameter.nargs > 1:
        if parameter.nargs > 1:
            expected = f"a list of {parameter.nargs} values, each {expected}"
        elif several:
            expected += ", or a list of such"
        raise SettingError(f"{quoted}; expected {expected}")
    path = "path" if Path in kinds else parameter.metavar or ""
    texts = [_text(item, path, file.path.parent) for item in items]
    text = texts if several else texts[0]
    return Setting(option=_option(keys[-1]), keys=keys, text=text, quoted=quoted)


def _check_inside(setting: Setting, file: ConfigFile) -> None:
    """Refuse to write outside the folder of a file of settings that nobody has named."""
    folder, path = map(os.path.realpath, (file.path.parent, setting.text))
    if setting.text != "-" and not Path(path).is_relative_to(folder):
        raise SettingError(
            f"{setting.quoted}: a file of settings that was found writes below its own folder "
            f"only; type --{setting.option} {shlex.quote(setting.text)}, or --config "
            f"{shlex.quote(str(file.path))}"
        )


def _text(value: Any, metavar: str, folder: Path) -> str:
    """Return a value as it would be typed in the working folder; a name is no path."""
    if not isinstance(value, str):
        return str(value).lower()
    if (metavar == "path" and value != "-") or ("FILE" in metavar and _is_file(value, folder)):
        return value if URL.match(value) else str(folder / os.path.expanduser(value))
    return value


def _is_file(value: str, folder: Path) -> bool:
    """Whether a value that is a name or a file means a file: a name has no point and no slash."""
    from segeval.labels.load import builtin_names

    if re.search(r"[./\\~]", value):
        return True
    return os.path.isfile(folder / value) and value not in builtin_names()


def _find(typed: Mapping[str, Any]) -> ConfigFile | None:
    """Return the file that is named, or the nearest one from the working folder upward."""
    if "config" in typed and "no_config" in typed:
        raise SettingError("--config and --no-config contradict each other; give one of them")
    if "config" in typed:
        file = _read(Path(typed["config"]))
        if file is None:
            raise SettingError(f"{typed['config']}: it holds no [tool.segeval]")
        return file
    try:
        depth = 0 if "no_config" in typed else len(Path.cwd().parts)
    except FileNotFoundError:  # the working folder was deleted: no file is near
        return None
    try:
        return _nearest(depth)
    except SettingError as error:
        raise SettingError(f"{error}; --no-config ignores it") from error


def _nearest(depth: int) -> ConfigFile | None:
    """Look for a file in the working folder, and in so many folders above it."""
    paths = (Path(*[".."] * up, name) for up in range(depth) for name in ("segeval.toml", SHARED))
    for path in filter(os.path.isfile, paths):
        if (file := _read(path)) is not None:
            _check_owner(path)
            return replace(file, found=True)
    return None


def _check_owner(path: Path) -> None:
    """Refuse a file of settings that others have written, or can write; nobody has named it."""
    status = os.stat(path)
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid not in {os.geteuid(), 0}:
        reason = "it belongs to another user"
    elif status.st_mode & stat.S_IWOTH:
        reason = "every user can write it"
    else:
        return
    raise SettingError(f"{path}: {reason}; --config {shlex.quote(str(path))} takes it all the same")


def _read(path: Path) -> ConfigFile | None:
    """Read a file of settings; None for a ``pyproject.toml`` without ``[tool.segeval]``."""
    table = ["tool", "segeval"] if path.name == SHARED else []
    with named(path, SettingError):
        text = read_text(path)
        if table and "segeval" not in text:
            return None
        content: Any = parse_toml(text)
        for key in table:
            content = content.get(key)
            if content is None:
                return None
            if not isinstance(content, dict):
                raise TextError("[tool.segeval] is not a table")
    return ConfigFile(path=path, table=".".join(table), content=content, lines=toml_lines(text))
