"""Parts of an object of a server: fetched in windows, of which the last ones are held.

Masks are small and lie one behind another, so one request brings many of them. Who goes through
windows in order finds the next ones on their way.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

from segeval.storage.retries import POOL, answer

SIZE: Final = 1 << 20  # bytes of a window: as long on its way as a request without any
HELD: Final = 32  # windows
AHEAD: Final = 4  # windows that are on their way for who reads in order


class Windows:
    """An object of a server that is read from any place, by threads and forked processes."""

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        self._fetch, self.size = fetch, size
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._coming: OrderedDict[int, Future[bytes]] = OrderedDict()
        self._last = -1  # window that was asked for

    def read_at(self, place: int, size: int) -> bytes:
        """Return so many bytes from a place on; less at the end."""
        size = min(size, self.size - place)
        if size <= 0:
            return b""
        parts = [answer(each) for each in self._ask(place, size)]
        start = place % SIZE
        return (parts[0] if len(parts) == 1 else b"".join(parts))[start : start + size]

    def expect(self, place: int, size: int) -> None:
        """Begin to fetch what will be read."""
        if min(size, self.size - place) > 0:
            self._ask(place, min(size, self.size - place))

    def _ask(self, place: int, size: int) -> list[Future[bytes]]:
        """Return the windows of a part, each on its way, and have the next ones fetched."""
        first, last = place // SIZE, (place + size - 1) // SIZE
        with self._lock:
            if self._process != os.getpid():  # no thread of a process that was forked will answer
                self._process = os.getpid()
                self._coming.clear()
            wanted = [self._window(number) for number in range(first, last + 1)]
            if first <= self._last + 1 <= last:
                final = min(last + AHEAD, (self.size - 1) // SIZE)
                for number in range(last + 1, final + 1):
                    self._window(number)
            self._last = last
            while len(self._coming) > max(HELD, len(wanted)):
                self._coming.popitem(last=False)
        return wanted

    def _window(self, number: int) -> Future[bytes]:
        """Return a window, which is fetched unless it is held."""
        if number not in self._coming:
            start, end = number * SIZE, min((number + 1) * SIZE, self.size)
            self._coming[number] = POOL.submit(partial(self._fetch, start, end))
        self._coming.move_to_end(number)
        return self._coming[number]
