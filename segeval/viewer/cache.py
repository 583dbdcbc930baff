"""What was made last is kept for the next one who asks, up to a size."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class SizedCache(Generic[Key, Value]):
    """Values by key, made one at a time; those not used for longest are dropped."""

    def __init__(self, room: int, size: Callable[[Value], int] = lambda _: 1) -> None:
        self._room, self._size, self._used = room, size, 0
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._making, self._reading = threading.Lock(), threading.Lock()

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not kept; its errors are not kept."""
        found = self._find(key)
        if found is None:
            with self._making:
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
