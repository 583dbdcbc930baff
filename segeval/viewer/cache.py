"""What was made last is kept for the next one who asks, up to a size.

Making is the costly part, so it happens one at a time, in the order of asking.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")

WAITING: Final = 32  # how many wait for their turn at most; others are to come back later


class BusyError(Exception):
    """As many wait as may wait."""


class Turns:
    """A lock that is had in the order of asking, or not at all: no one waits for ever."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._given = self._current = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn and have it; BusyError if too many wait already."""
        with self._changed:
            if self._given - self._current > WAITING:
                raise BusyError
            mine = self._given
            self._given += 1
            self._changed.wait_for(lambda: self._current == mine)
        try:
            yield
        finally:
            with self._changed:
                self._current += 1
                self._changed.notify_all()


class SizedCache(Generic[Key, Value]):
    """Values by key, made one at a time; those not used for longest are dropped."""

    def __init__(self, room: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._room, self._size, self._used = room, size, 0
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._making, self._reading = Turns(), threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not kept; its errors are not kept."""
        found = self._find(key)
        if found is None:
            with self._making.taken():
                found = self._find(key)
                if found is None:
                    found = make()
                    self._keep(key, found)
        return found

    @property
    def used(self) -> int:
        """Sum of the sizes of what is kept now."""
        return self._used

    def _find(self, key: Key) -> Value | None:
        with self._reading:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def _keep(self, key: Key, value: Value) -> None:
        with self._reading:
            self._values[key] = value
            self._used += self._size(value)
            while self._used > self._room:
                _, dropped = self._values.popitem(last=False)
                self._used -= self._size(dropped)
