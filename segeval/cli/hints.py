"""What the annotations of options say: which values they take, in words as well."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from segeval.text import quoted

LONGEST: Final = 200  # characters of a value that is refused
EXPECTED: Final[Mapping[Any, tuple[Any, str]]] = {
    bool: (bool, "true or false"),
    int: (int, "a whole number"),
    float: (int | float, "a number"),
    Path: (str, "a string, the path of a file or folder"),
    str: (str | int | float, "a string or a number"),
}  # by the type of an option: what a file may hold, in words as well


def hints_of(command: Any) -> dict[str, Any]:
    """Return the annotations of the parameters of a command, by their names."""
    found = inspect.signature(command.callback).parameters
    return {name: parameter.annotation for name, parameter in found.items()}


def kinds_of(hint: Any) -> list[Any]:
    """Return the types or choices of an annotation, without what else it says of the option."""
    return _leaves(get_args(hint)[0])


def _leaves(hint: Any) -> list[Any]:
    return [leaf for part in get_args(hint) for leaf in _leaves(part)] or [hint]


def choices_of(hint: Any) -> tuple[str, ...]:
    """Return the words of a literal type, or of one that may be None as well.

    >>> choices_of(Literal["skip", "zero"] | None), choices_of(int)
    (('skip', 'zero'), ())
    """
    if get_origin(hint) is Literal:
        return get_args(hint)
    return next(filter(None, map(choices_of, get_args(hint))), ())


def range_of(hint: Any) -> str:
    """Return how small and large a number may be, in words; nothing if it may be any."""
    for option in get_args(hint)[1:]:
        least, most = getattr(option, "min", None), getattr(option, "max", None)
        if least is not None:
            return f"{least} or more" if most is None else f"{least} to {most}"
    return ""


def refusal(value: Any, hint: Any) -> str:
    """Say why a value is refused: what was expected."""
    if choices := choices_of(hint):
        return f"{quoted(value, LONGEST)} is not one of {', '.join(map(repr, choices))}"
    if kinds_of(hint)[0] is Path:
        return f"{quoted(value, LONGEST)} cannot be read; look at its permissions"
    _, words = EXPECTED[kinds_of(hint)[0]]
    return f"{quoted(value, LONGEST)} is not {', '.join(filter(None, [words, range_of(hint)]))}"
