"""Commands that take what is not typed from a file of settings.

The values become defaults of the command line, so that Typer reads them as if they had been typed,
and whatever is typed wins: also where it contradicts another option of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from segeval.cli.configfile import ConfigFile, find_config, read_config
from segeval.cli.configvalues import Setting, rivals_of, settings_of
from segeval.cli.speech import say
from segeval.errors import SettingError

__all__ = [
    "CONFIG",
    "USAGE",
    "ConfigPath",
    "ConfiguredCommand",
    "NoConfig",
    "configurable",
    "is_run_file",
]

USAGE: Final = 2
CONFIG: Final = "segeval.config"
"""Where a context keeps the file of settings that was found."""

PAIRING: Final = "Pairing and reading"
RUN_FILE: Final = b"SQLite format 3\0"

NoConfig = Annotated[
    bool,
    typer.Option(
        "--no-config", help="Ignore files of settings.", rich_help_panel="Files of settings"
    ),
]
ConfigPath = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Settings: this file, not the nearest segeval.toml or pyproject.toml.",
        rich_help_panel="Files of settings",
        show_default=False,
    ),
]


class ConfiguredCommand(TyperCommand):
    """A command whose defaults may stand in a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the file of settings, unless it is help that is asked for; then parse."""
        typed = self._typed(ctx, args)
        if not ctx.resilient_parsing and "help" not in typed:
            try:
                file = _file(typed)
                ctx.meta[CONFIG] = file
                if file is not None:
                    self._take(ctx, file, typed)
            except SettingError as error:
                say(f"segeval: {error}")
                raise typer.Exit(USAGE) from None
        return super().parse_args(ctx, args)

    def _typed(self, ctx: Any, args: list[str]) -> dict[str, Any]:
        """Return what is typed, by the name of the parameter."""
        options, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        return {name: value for name, value in options.items() if value not in (None, ())}

    def _take(self, ctx: Any, file: ConfigFile, typed: Mapping[str, Any]) -> None:
        """Make the values of a file the defaults of this command."""
        commands = configurable(ctx.find_root().command)
        if self.name not in commands:
            return
        settings = settings_of(self.name, file, commands)
        for name in _beaten(typed, self.params):
            settings.pop(name, None)
        ctx.default_map = {name: setting.value for name, setting in settings.items()}
        if settings:
            say(f"settings from {file.path}", quiet=_is_quiet(typed, settings))


def configurable(group: Any) -> dict[str, Any]:
    """Return the commands whose options may stand in a file, by their names."""
    return {name: command for name, command in group.commands.items() if name != "config"}


def _file(typed: Mapping[str, Any]) -> ConfigFile | None:
    """Return the file of settings that is named, or the nearest one, or none."""
    if "config" not in typed:
        return None if "no_config" in typed else find_config()
    if "no_config" in typed:
        raise SettingError("--config and --no-config contradict each other; give one of them")
    path = Path(typed["config"])
    file = read_config(path)
    if file is None:
        raise SettingError(f"{path}: it holds no [tool.segeval]")
    return file


def _beaten(typed: Mapping[str, Any], parameters: Collection[Any]) -> set[str]:
    """Name the options of a file that do not count beside what is typed."""
    beaten = {*typed, *rivals_of(typed.keys())}
    runs = typed.get("runs") or [typed.get("prediction")]
    if "truth" not in typed and all(map(is_run_file, runs)):
        beaten |= {p.name for p in parameters if getattr(p, "rich_help_panel", None) == PAIRING}
        beaten.add("truth")
    return beaten


def is_run_file(path: str | Path | None) -> bool:
    """Whether an argument is a run file, which is counted already."""
    try:
        with open(path or "", "rb") as file:
            return file.read(len(RUN_FILE)) == RUN_FILE
    except (OSError, ValueError):
        return False


def _is_quiet(typed: Mapping[str, Any], settings: Mapping[str, Setting]) -> bool:
    return "quiet" in typed or ("quiet" in settings and bool(settings["quiet"].value))
