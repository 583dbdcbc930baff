"""What every command has in common: option families spread into options, and a good end."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from segeval.cli import INTERRUPTED
from segeval.cli.config import ConfigOptions, origins
from segeval.cli.console import describe_problems, notify
from segeval.cli.github import on_github
from segeval.cli.help import LONG, HelpOptions
from segeval.cli.usage import USAGE
from segeval.errors import DataError, SegevalError, SegevalWarning, SettingError
from segeval.storage.path import located
from segeval.text import reason_of

GATE_FAILED = 1
NOT_SCORED = 3
ANNOTATED = 5  # lines of problems in an annotation of GitHub
CONTEXT = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
"""What Typer gives to a function that asks for it."""


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function fit for Typer.

    A parameter that is a family (a dataclass) becomes one option a field, and the options of the
    file of settings are added; see `segeval.cli.config`, which reads them. Where this makes many
    options, one is added that shows them all. Errors become one message and an exit code: 2 for
    settings, 3 for data that cannot be scored, 130 for Ctrl-C.
    """
    hints = get_type_hints(function, include_extras=True)
    families: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    checkable = all(getattr(family, "checkable", True) for family in families.values())
    spread = (_spread(each, hints) for each in inspect.signature(function).parameters.values())
    own = [*chain(*spread)]
    added = [*_members(ConfigOptions), *(_members(HelpOptions) if len(own) > LONG else ())]

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        for option in added:
            del given[option.name]
        for name, family in families.items():
            stated = {field.name: _placed(given.pop(field.name)) for field in fields(family)}
            given[name] = family(**stated)
        given = {name: _placed(value) for name, value in given.items()}
        if CONTEXT.name in hints:
            given[CONTEXT.name] = ctx
        _call(function, given, ctx, checkable=checkable)

    parameters = [*own, *added, CONTEXT]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _placed(value: Any) -> Any:
    """Return paths, in lists too, as what they are; see `located`."""
    if isinstance(value, list):
        return [_placed(each) for each in value]
    return located(value) if isinstance(value, Path) else value


def _call(
    function: Callable[..., None], given: Mapping[str, Any], ctx: typer.Context, *, checkable: bool
) -> None:
    """Call a command; say what went wrong in one message, and exit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", SegevalWarning)
            warnings.showwarning = functools.partial(_notice, given, warnings.showwarning)
            function(**given)
    except SettingError as error:
        notify(f"segeval: {error}{origins(str(error), ctx)}")
        raise typer.Exit(USAGE) from None
    except SegevalError as error:
        _explain(error, checkable=checkable)
        raise typer.Exit(NOT_SCORED) from None
    except MemoryError:
        notify("segeval: there is not enough memory; try --workers 1, or a smaller --max-pixels")
        raise typer.Exit(NOT_SCORED) from None
    except OSError as error:  # what no reader or writer has put in better words
        where = f"{error.filename}: " if error.filename is not None else ""
        notify(f"segeval: {where}{reason_of(error)}")
        raise typer.Exit(NOT_SCORED) from None
    except KeyboardInterrupt:
        kept = any(
            getattr(each, "resume", None) is not None and each.out for each in given.values()
        )
        notify("segeval: interrupted" + "; --resume goes on where it stopped" * kept)
        raise typer.Exit(INTERRUPTED) from None


def _notice(
    given: Mapping[str, Any],
    show: Callable[..., None],
    message: Warning | str,
    category: type[Warning],
    *place: Any,
) -> None:
    """Say a warning of our own as a notice, and leave others to Python."""
    if issubclass(category, SegevalWarning):
        quiet = given.get("quiet") or any(getattr(each, "quiet", 0) for each in given.values())
        notify(f"notice: {message}", quiet=bool(quiet))
    else:
        show(message, category, *place)


def _spread(parameter: inspect.Parameter, hints: Mapping[str, Any]) -> list[inspect.Parameter]:
    """Return the fields of a family, or else the parameter itself; the context is added once."""
    if is_dataclass(hints[parameter.name]):
        return _members(hints[parameter.name])
    if parameter.name == CONTEXT.name:
        return []
    return [parameter.replace(annotation=hints[parameter.name], kind=CONTEXT.kind)]


@functools.cache
def _members(family: Any) -> list[inspect.Parameter]:
    """Return the fields of a family as parameters; many commands share one."""
    hints = get_type_hints(family)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=Annotated[hints[field.name], *field.metadata["typer"]],
        )
        for field in fields(family)
    ]


def _explain(error: SegevalError, *, checkable: bool) -> None:
    if not isinstance(error, DataError):
        notify(f"segeval: {error}")
        return
    count = len(error.problems)
    said = f"segeval: {count} problem{'s' if count > 1 else ''} in the data; {error.outcome}"
    if any(problem.kind == "unreadable mask" for problem in error.problems):
        said += "; --on-error skip leaves out pairs that cannot be read"
    more = "; `segeval check` lists them all" if checkable else ""
    described = describe_problems(error.problems, more=more)
    first = described[:ANNOTATED] if on_github() else []  # an annotation shows one message only
    left = len(described) - ANNOTATED
    notify(said, *first, *([f"  and {left} more"] if first and left > 0 else []))
    notify(*described)
