"""Arguments of recorded calls: each is used, or the record is not understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class NotUnderstoodError(Exception):
    """A record says something that the mapping makes no use of."""


class Arguments:
    """The arguments of a call, which have to be taken one by one."""

    def __init__(self, given: Mapping[str, Any], call: str) -> None:
        """Hold the arguments of a call."""
        self._left, self._call = dict(given), call

    def __contains__(self, name: str) -> bool:
        """Whether an argument is given and not yet taken."""
        return name in self._left

    def take(self, name: str, usual: Any = None) -> Any:
        """Return an argument, or its usual value."""
        return self._left.pop(name, usual)

    def one_of(self, name: str, *allowed: Any) -> Any:
        """Return an argument, by default the first of its values; others are not understood."""
        value = self.take(name, allowed[0])
        if not any(type(value) is type(known) and value == known for known in allowed):
            raise NotUnderstoodError(f"{self._call}: no use is made of {name}={value!r}")
        return value

    def flag(self, name: str, *, usual: bool = False) -> bool:
        """Return an argument that is true or false."""
        return bool(self.one_of(name, usual, not usual))

    def only(self, **expected: Any) -> None:
        """Take arguments that may have one value, the usual one."""
        for name, value in expected.items():
            self.one_of(name, value)

    def close(self) -> None:
        """Refuse arguments that nobody took."""
        if self._left:
            raise NotUnderstoodError(f"{self._call}: no use is made of {', '.join(self._left)}")
