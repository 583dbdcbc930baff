"""What every command has in common: option families spread into options, and a good end."""

from __future__ import annotations

import functools
import inspect
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from segeval.cli.configured import USAGE, ConfigPath, NoConfig
from segeval.cli.speech import describe_problems, say
from segeval.errors import DataError, SegevalError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["GATE_FAILED", "NOT_SCORED", "command"]

GATE_FAILED = 1
NOT_SCORED = 3
INTERRUPTED = 130
CONFIG_OPTIONS = (
    inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigPath
    ),
    inspect.Parameter(
        "no_config", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=NoConfig
    ),
)
"""Options that every command has."""


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function fit for Typer.

    A parameter that is a family (a dataclass) becomes one option a field, and the options of the
    file of settings are added; see `segeval.cli.configured`, which reads them. Errors become one
    message and an exit code: 2 for settings, 3 for data that cannot be scored, 130 for Ctrl-C.
    """
    families = {
        name: hint
        for name, hint in get_type_hints(function).items()
        if isinstance(hint, type) and is_dataclass(hint)
    }

    checkable = all(getattr(family, "checkable", True) for family in families.values())

    @functools.wraps(function)
    def run(**given: Any) -> None:
        for option in CONFIG_OPTIONS:
            del given[option.name]
        for name, family in families.items():
            given[name] = family(**{field.name: given.pop(field.name) for field in fields(family)})
        try:
            function(**given)
        except SegevalError as error:
            _explain(error, checkable=checkable)
            raise typer.Exit(USAGE if isinstance(error, SettingError) else NOT_SCORED) from None
        except KeyboardInterrupt:
            say("segeval: interrupted")
            raise typer.Exit(INTERRUPTED) from None

    parameters = [*_spread(function, families), *CONFIG_OPTIONS]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _spread(
    function: Callable[..., None], families: dict[str, type]
) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a function, with the fields of each family in its place."""
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        family = families.get(parameter.name)
        if family is None:
            annotation = hints[parameter.name]
            yield parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        field_hints = get_type_hints(family, include_extras=True)
        for field in fields(family):
            yield inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=field_hints[field.name],
            )


def _explain(error: SegevalError, *, checkable: bool) -> None:
    if not isinstance(error, DataError):
        say(f"segeval: {error}")
        return
    count = len(error.problems)
    say(f"segeval: {count} problem{'s' if count > 1 else ''} in the data; nothing was scored")
    more = "; `segeval check` lists them all" if checkable else ""
    say(describe_problems(error.problems, more=more))
