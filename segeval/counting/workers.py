"""Run one function over many items, in order: here, in threads, or in worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from segeval.errors import SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")

SMALL: Final = 64  # fewer items than this are done faster without starting processes
FEW: Final = 4  # fewer than this without starting threads
SHARE: Final = 8  # a worker is handed this part of its share of the rest: all end together
LARGEST: Final = 32  # items handed to a worker at a time, at most
AHEAD: Final = 2  # chunks that a worker has: one in hand and one waiting


def default_workers(items: int, *, threads: bool = False) -> int:
    """Return 1 for a small number of items, else the number of processors at hand."""
    if items < (FEW if threads else SMALL):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunks_of(items: Sequence[Item], workers: int) -> Iterator[Sequence[Item]]:
    """Cut items into chunks for so many workers, smaller ones towards the end."""
    start = 0
    while start < len(items):
        size = min(LARGEST, max(1, (len(items) - start) // (workers * SHARE)))
        yield items[start : start + size]
        start += size


def apply_to(
    function: Callable[[Any], Any], items: Iterable[Any]
) -> tuple[list[Any], BaseException | None]:
    """Return results, up to an error; a decoder may raise what is no `Exception`."""
    results: list[Any] = []
    try:
        results.extend(map(function, items))
    except BaseException as error:  # noqa: BLE001 - who asked for the results raises it
        return results, error
    return results, None


def ordered_map(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    threads: bool = False,
) -> Generator[Result]:
    """Apply a function to every item, and yield the results in the order of the items.

    For processes, the function must be importable by name, or a `functools.partial` of such a one.
    The number of workers is decided by the number of items unless it is given; 1 stays in this
    process. If a worker process dies, a `WorkerError` names the items that it had in hand. Where
    no process or thread can be started, a `SegevalWarning` says so, and the work is done here.
    ``threads`` is for a function that lets go of the interpreter lock.
    """
    if workers is None:
        workers = default_workers(len(items), threads=threads)
    if workers < 1:
        raise SettingError(f"--workers must be 1 or more, not {workers}")
    if workers == 1 or len(items) < 2:
        return (function(item) for item in items)
    if threads:
        from segeval.counting.threads import in_threads

        return in_threads(function, items, min(workers, len(items)))
    from segeval.counting.processes import in_processes

    return in_processes(function, items, min(workers, len(items)))
