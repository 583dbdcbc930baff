"""Keywords that one function hands on to others, in the signature of the first."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar, cast

from segeval.text import did_you_mean

Function = TypeVar("Function", bound=Callable[..., object])


def taking(
    *takers: Callable[..., object],
    but: Collection[str] = (),
    instead: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """List the keywords that a function hands on in its signature, and refuse any others.

    Of some that are refused it is known what to type instead.
    """

    def spell_out(function: Function) -> Function:
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        others = {name: one for each in takers for name, one in _parameters(each).items()}
        said = {*signature.parameters, *but}
        handed_on = [other for name, other in others.items() if name not in said]
        spelled = signature.replace(parameters=[*own, *handed_on])

        @functools.wraps(function)
        def checked(*positional: object, **given: object) -> object:
            for name in given.keys() - spelled.parameters.keys():
                known = (instead or {}).get(name)
                near = f"; type {known}" if known else did_you_mean(name, spelled.parameters)
                hint = near or f"; help(segeval.{function.__name__}) lists what it takes"
                called = f"{function.__name__}() got an unexpected keyword argument {name!r}"
                raise TypeError(called + hint)
            return function(*positional, **given)

        checked.__signature__ = spelled  # type: ignore[attr-defined]  # inspect reads it
        return cast("Function", checked)

    return spell_out


def parted(given: Mapping[str, Any], *takers: Callable[..., object]) -> list[dict[str, Any]]:
    """Part keywords among functions that are to take them; the last one refuses what is unknown."""
    parts: list[dict[str, Any]] = [{} for _ in takers]
    known = [_parameters(each) for each in takers]
    for name, value in given.items():
        place = next((n for n, names in enumerate(known) if name in names), -1)
        parts[place][name] = value
    return parts


def _parameters(function: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters
