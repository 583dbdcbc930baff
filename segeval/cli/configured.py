"""Commands that take what is not typed from a file of settings.

The values become defaults of the command line, so that Typer reads them as if they had been typed,
and whatever is typed wins: also where it contradicts another option of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from segeval.cli.configfile import ConfigFile, find_config, read_config
from segeval.cli.configvalues import Setting, settings_of
from segeval.cli.console import notify
from segeval.cli.rivals import overridden_by
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError

USAGE: Final = 2
CONFIG: Final = "segeval.config"
"""Where a context keeps the file of settings that was found."""

SETTINGS: Final = "segeval.settings"
"""Where a context keeps what the command takes from the file."""

PAIRING: Final = "Pairing and reading"

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
                notify(f"segeval: {error}")
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
        settings = _kept(settings_of(self.name, file, commands), typed, self.params)
        ctx.meta[SETTINGS] = settings
        ctx.default_map = {name: setting.value for name, setting in settings.items()}
        if settings:
            notify(f"settings from {file.path}", quiet=_is_quiet(typed, settings))


def configurable(group: Any) -> dict[str, Any]:
    """Return the commands whose options may stand in a file, by their names."""
    return {name: command for name, command in group.commands.items() if name != "config"}


def origins(message: str, ctx: Any) -> str:
    """Say which options that a message speaks of come from the file, and where they stand."""
    places = [
        f"{setting.option} stands in {ctx.meta[CONFIG].place(*setting.keys)}"
        for setting in ctx.meta.get(SETTINGS, {}).values()
        if re.search(rf"(?<![\w\-.]|/)(--)?{re.escape(setting.option)}(?![\w\-./])", message)
    ]
    return f" ({', '.join(places)})" if places else ""


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


def _kept(
    settings: Mapping[str, Setting], typed: Mapping[str, Any], parameters: Collection[Any]
) -> dict[str, Setting]:
    """Return the settings of a file that count beside what is typed."""
    beaten = {*typed, *overridden_by(typed, {parameter.name for parameter in parameters})}
    kept = {name: setting for name, setting in settings.items() if name not in beaten}
    values = {**{name: setting.value for name, setting in kept.items()}, **typed}
    runs = values.get("runs") or [values.get("prediction")]
    if "truth" not in typed and all(map(is_run_file, runs)):
        panels = {
            parameter.name: getattr(parameter, "rich_help_panel", "") for parameter in parameters
        }
        kept = {name: kept[name] for name in kept if name != "truth" and panels[name] != PAIRING}
    return kept


def _is_quiet(typed: Mapping[str, Any], settings: Mapping[str, Setting]) -> bool:
    return "quiet" in typed or ("quiet" in settings and bool(settings["quiet"].value))
