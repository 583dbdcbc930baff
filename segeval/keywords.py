"""Keywords that one function hands on to another, in the signature of the first."""

import inspect
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


def taking(keywords: Callable[..., object]) -> Callable[[Function], Function]:
    """List the keywords that a function hands on in its signature, for help and completion."""

    def spell_out(function: Function) -> Function:
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        others = inspect.signature(keywords).parameters.items()
        handed_on = [other for name, other in others if name not in signature.parameters]
        spelled = signature.replace(parameters=[*own, *handed_on])
        function.__signature__ = spelled  # type: ignore[attr-defined]  # inspect reads it
        return function

    return spell_out
