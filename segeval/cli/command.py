"""What every command has in common: option families spread into options, and a good end."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

import typer

from segeval.cli import INTERRUPTED
from segeval.cli.config import USAGE, ConfigPath, NoConfig, origins
from segeval.cli.console import describe_problems, notify
from segeval.cli.github import on_github
from segeval.errors import DataError, SegevalError, SettingError

GATE_FAILED = 1
NOT_SCORED = 3
ANNOTATED = 5
"""Problems in an annotation of GitHub."""
CONFIG_OPTIONS = (
    inspect.Parameter(
        "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=ConfigPath
    ),
    inspect.Parameter(
        "no_config", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=NoConfig
    ),
)
"""Options that every command has."""
CONTEXT = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
"""What Typer gives to a function that asks for it."""


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function fit for Typer.

    A parameter that is a family (a dataclass) becomes one option a field, and the options of the
    file of settings are added; see `segeval.cli.config`, which reads them. Errors become one
    message and an exit code: 2 for settings, 3 for data that cannot be scored, 130 for Ctrl-C.
    """
    hints = get_type_hints(function, include_extras=True)
    families = {
        name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)
    }
    checkable = all(getattr(family, "checkable", True) for family in families.values())

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        for option in CONFIG_OPTIONS:
            del given[option.name]
        for name, family in families.items():
            given[name] = family(**{field.name: given.pop(field.name) for field in fields(family)})
        if CONTEXT.name in hints:
            given[CONTEXT.name] = ctx
        try:
            function(**given)
        except SettingError as error:
            notify(f"segeval: {error}{origins(str(error), ctx)}")
            raise typer.Exit(USAGE) from None
        except SegevalError as error:
            _explain(error, checkable=checkable)
            raise typer.Exit(NOT_SCORED) from None
        except KeyboardInterrupt:
            notify("segeval: interrupted")
            raise typer.Exit(INTERRUPTED) from None

    spread = (p for p in _spread(function, hints, families) if p.name != CONTEXT.name)
    parameters = [*spread, *CONFIG_OPTIONS, CONTEXT]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _spread(
    function: Callable[..., None], hints: Mapping[str, Any], families: Mapping[str, type]
) -> Iterator[inspect.Parameter]:
    """Yield the parameters of a function, with the fields of each family in its place."""
    for parameter in inspect.signature(function).parameters.values():
        family = families.get(parameter.name)
        if family is None:
            annotation = hints[parameter.name]
            yield parameter.replace(annotation=annotation, kind=inspect.Parameter.KEYWORD_ONLY)
            continue
        yield from _members(family)


@functools.cache
def _members(family: Any) -> list[inspect.Parameter]:
    """Return the fields of a family as parameters; many commands share one."""
    hints = get_type_hints(family, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(family)
    ]


def _explain(error: SegevalError, *, checkable: bool) -> None:
    if not isinstance(error, DataError):
        notify(f"segeval: {error}")
        return
    count = len(error.problems)
    said = f"segeval: {count} problem{'s' if count > 1 else ''} in the data; nothing was scored"
    more = "; `segeval check` lists them all" if checkable else ""
    if on_github():  # an annotation shows one message only
        said += "\n" + describe_problems(error.problems[:ANNOTATED])
        said += f"\n  and {count - ANNOTATED} more" if count > ANNOTATED else ""
    notify(said)
    notify(describe_problems(error.problems, more=more))
