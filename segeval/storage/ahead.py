"""Objects are read ahead while masks are decoded; files of this machine are not."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final, TypeVar

from segeval.storage.path import is_remote

Item = TypeVar("Item")

AHEAD: Final = 8  # items whose objects are on their way


def read_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield items, and begin to read what the next ones tell of as their ``masks``."""
    waiting: deque[Item] = deque()
    for item in items:
        masks: Iterable[Any] = getattr(item, "masks", ())
        objects = [mask for mask in masks if is_remote(mask)]
        if not objects and not waiting:
            yield item
            continue
        for each in objects:
            expect(each)
        waiting.append(item)
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting


def expect(path: Any) -> None:
    """Begin to read an object; what is wrong with it is told when it is asked for."""
    with suppress(OSError):
        store, name = path.store()
        store.expect(name)
