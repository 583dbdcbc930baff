"""What the keys of a file of settings mean: the options of the commands, spelled as typed.

Every value is checked as the command line checks it, and its type more strictly: ``"yes"`` is no
flag and ``"19"`` no number.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from segeval.cli.configfile import ConfigFile
from segeval.cli.rivals import overridden_by
from segeval.errors import SettingError

KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "boolean": ((bool,), "true or false"),
    "int": ((int,), "a whole number"),
    "integer": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "str": ((str, int, float), "a string or a number"),
    "text": ((str, int, float), "a string or a number"),
    "path": ((str,), "a string, the path of a file or folder"),
    "choice": ((str,), "a string"),
}
"""By the name that Typer gives a type: the types of TOML that go with it, in words as well."""

NAMES: Final = {
    bool: "a Boolean",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The value of one option, and the keys that lead to it in the file."""

    option: str
    value: Any
    keys: tuple[str, ...]


def options_of(command: Any) -> dict[str, Any]:
    """Return the options of a command that a file can set, by the name that is typed."""
    return {
        spelled(parameter): parameter
        for parameter in command.params
        if parameter.name not in {"config", "no_config"}
        and (parameter.param_type_name == "option" or kind_of(parameter) == "path")
    }


def spelled(parameter: Any) -> str:
    """Return an option as it is typed, without dashes in front; an argument by its name."""
    if parameter.param_type_name == "argument":
        return str(parameter.name)
    return str(max(parameter.opts, key=len)).lstrip("-")


def kind_of(parameter: Any) -> str:
    """Name the type of a parameter, or of its parts; a range like the type that it limits."""
    return str(_type_of(parameter).name).split(" ", maxsplit=1)[0]


def _type_of(parameter: Any) -> Any:
    """Return the type of a parameter, or of the parts of one that takes several."""
    return parameter.type.types[0] if parameter.nargs > 1 else parameter.type


def settings_of(name: str, file: ConfigFile, commands: Mapping[str, Any]) -> dict[str, Setting]:
    """Return what a file says about the options of a command, by the name of the parameter.

    Raises
    ------
    SettingError
        If a key of the file is no option, a table no command, or a value does not fit here.
    """
    _check_keys(file, commands)
    options = options_of(commands[name])
    found: dict[str, Setting] = {}
    for keys, value in (*_pairs(file, commands), *_pairs_of_command(file, name)):
        option = _typed(keys[-1])
        if option in options:
            parameter = options[option]
            others = [options_of(other).get(option) for other in commands.values()]
            converted = _convert(file, keys, value, parameter, name, others=others)
            found[parameter.name] = Setting(option=option, value=converted, keys=keys)
    own = {option: setting.value for option, setting in found.items() if len(setting.keys) > 1}
    beaten = overridden_by(own, {parameter.name for parameter in options.values()}) - own.keys()
    return {option: setting for option, setting in found.items() if option not in beaten}


def _pairs(file: ConfigFile, commands: Mapping[str, Any]) -> Iterator[tuple[tuple[str], Any]]:
    """Yield the keys that stand at the top, and their values."""
    for key, value in file.content.items():
        if not (isinstance(value, dict) and key in commands):
            yield (key,), value


def _pairs_of_command(file: ConfigFile, name: str) -> Iterator[tuple[tuple[str, str], Any]]:
    """Yield the keys in the table of a command, and their values."""
    table = file.content.get(name)
    if isinstance(table, dict):
        for key, value in table.items():
            yield (name, key), value


def _typed(key: str) -> str:
    return key.replace("_", "-")


def _check_keys(file: ConfigFile, commands: Mapping[str, Any]) -> None:
    """Refuse keys that are no option, and options that are named twice."""
    everywhere = {option for command in commands.values() for option in options_of(command)}
    _check_table(file, [key for (key,), _ in _pairs(file, commands)], (), everywhere, commands)
    for name, command in commands.items():
        keys = [key for (_, key), _ in _pairs_of_command(file, name)]
        _check_table(file, keys, (name,), set(options_of(command)), {})


def _check_table(
    file: ConfigFile,
    keys: list[str],
    table: tuple[str, ...],
    options: set[str],
    commands: Mapping[str, Any],
) -> None:
    """Refuse keys of one table."""
    seen: set[str] = set()
    for key in keys:
        option = _typed(key)
        if option in seen:
            raise SettingError(f"{file.place(*table, key)}: {key!r} stands there twice")
        seen.add(option)
        if option in options:
            continue
        where = f"{file.place(*table, key)}:{_header(file, table)}"
        if key in commands:
            raise SettingError(f"{where} {key!r} is a command: its options stand in a table")
        if key == "tool" and not file.table:
            raise SettingError(
                f"{where} in a file of its own, settings stand at the top, without [tool.segeval]"
            )
        what = f"segeval {table[0]} has no option" if table else "no option or command is called"
        near = _nearest(option, [*sorted(options), *commands])
        near = near.replace("-", "_") if "_" in key else near
        raise SettingError(f"{where} {what} {key!r}{_advice(near) or _list(options)}")


def _header(file: ConfigFile, table: tuple[str, ...]) -> str:
    """Write the table as the file does, if there is one."""
    dotted = file.dotted(*table)
    return f" [{dotted}]" if dotted else ""


def _list(options: set[str]) -> str:
    return f"; there are {', '.join(sorted(options))}" if options else ""


def _nearest(word: str, words: list[str]) -> str:
    """Return the word that is spelled most alike, or nothing."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, words, n=1, cutoff=0.6)), "")


def _advice(near: str) -> str:
    return f"; did you mean {near!r}?" if near else ""


def _convert(
    file: ConfigFile,
    keys: tuple[str, ...],
    value: Any,
    parameter: Any,
    command: str,
    *,
    others: Sequence[Any],
) -> Any:
    """Return a value as the command line would have it."""
    many = parameter.multiple or parameter.nargs != 1
    values = value if many and isinstance(value, list) else [value]
    where = f"{file.place(*keys)}: {keys[-1]}"
    if len(values) != parameter.nargs > 1:
        raise SettingError(f"{where} takes {parameter.nargs} values, as a list")
    if not values:
        raise SettingError(f"{where} is an empty list, which says nothing; leave the key out")
    converted = []
    for item in values:
        stated = f"{where} = {_show(item)}"
        types, expected = KINDS.get(kind_of(parameter), KINDS["str"])
        if type(item) not in types:
            found = NAMES.get(type(item), "a date or time")
            several = ", or a list of such" if many else ""
            raise SettingError(f"{stated} is {found}; expected {expected}{several}")
        placed = _placed(item, parameter, file.path.parent)
        try:
            _type_of(parameter)(placed, parameter, None)
        except typer.BadParameter as error:
            refusal = _refusal(stated, item, parameter, command, error)
            if len(keys) == 1 and any(_takes(other, item) for other in others):
                refusal += "; what only one command takes stands in the table of that command"
            raise SettingError(refusal) from error
        converted.append(placed)
    return converted if many else converted[0]


def _takes(parameter: Any, value: Any) -> bool:
    """Whether an option of another command, if it has one of that name, takes a value."""
    if parameter is None:
        return False
    try:
        _type_of(parameter)(value, parameter, None)
    except typer.BadParameter:
        return False
    return True


def _show(value: Any) -> str:
    """Write a value as TOML does, if it is short."""
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _placed(value: Any, parameter: Any, folder: Path) -> Any:
    """Return numbers for texts as texts, and a path as seen from the working folder."""
    kind = kind_of(parameter)
    if kind == "path":
        return str(folder / os.path.expanduser(value))
    if kind not in {"str", "text"}:
        return value
    if isinstance(value, str) and "FILE" in (parameter.metavar or "") and _is_file(value, folder):
        return str(folder / os.path.expanduser(value))
    return str(value)


def _is_file(value: str, folder: Path) -> bool:
    """Whether a value that is a name or a file means a file: a name has no point and no slash."""
    if any(mark in value for mark in "./\\~"):
        return True
    if not os.path.isfile(folder / value):
        return False
    from segeval.labels.load import builtin_names

    return value not in builtin_names()


def _refusal(stated: str, item: Any, parameter: Any, command: str, error: Any) -> str:
    """Say that a value is no choice of a command, or out of range."""
    if kind_of(parameter) != "choice":
        return f"{stated}: {str(error.message).rstrip('.')}"
    choices = [str(choice) for choice in parameter.type.choices]
    near = _advice(_nearest(str(item), choices))
    return f"{stated} is no choice of segeval {command}; choose {', '.join(choices)}{near}"
