"""Run one function over many items, in order: here, in threads, or in worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

from segeval.errors import SettingError
from segeval.settings import Cluster
from segeval.storage.ahead import read_ahead

Item = TypeVar("Item")
Result = TypeVar("Result")

SMALL: Final = 64  # fewer items than this are done faster without starting processes
FEW: Final = 4  # fewer than this without starting threads
LEAST: Final = 0.1  # of what a batch should take, in the end: handing over has its cost, too
AHEAD: Final = 2  # chunks that a worker has: one in hand and one waiting


def processors() -> int:
    """Return the number of processors that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers(items: int, *, threads: bool = False) -> int:
    """Return 1 for a small number of items, else the number of processors at hand."""
    return 1 if items < (FEW if threads else SMALL) else processors()


class Sizes(NamedTuple):
    """How large batches are: the more handing one over costs, the larger."""

    largest: int = 32  # items handed to a worker at a time, at most
    share: int = 8  # a worker is handed this part of its share of the rest: all end together
    seconds: float = 0.2  # that a batch should take


CHEAP: Final = Sizes()  # within this machine


class Batches(Generic[Item]):
    """Items cut into batches for so many workers, as large as their cost so far allows.

    The first ones are of single items, and those towards the end smaller again: all end together.
    """

    def __init__(self, items: Sequence[Item], workers: int, sizes: Sizes = CHEAP) -> None:
        self._items, self.workers, self._sizes = items, workers, sizes
        self._start = 0
        self._done, self._seconds = 0.0, 0.0

    def __iter__(self) -> Self:
        """Return the batches that are left."""
        return self

    def __next__(self) -> Sequence[Item]:
        """Return the next batch."""
        left = len(self._items) - self._start
        if not left:
            raise StopIteration
        most, share, seconds = self._sizes
        fitting = self._done * seconds / self._seconds if self._seconds else 1
        fair = max(left / (self.workers * share), fitting * LEAST)
        size = max(1, int(min(most, left, fair, fitting)))
        self._start += size
        return self._items[self._start - size : self._start]

    def measured(self, items: int, seconds: float) -> None:
        """Take note of how long a batch took; the last ones tell most."""
        self._done, self._seconds = self._done / 2 + items, self._seconds / 2 + seconds


def apply_to(
    function: Callable[[Any], Any], items: Iterable[Any]
) -> tuple[list[Any], BaseException | None]:
    """Return results, up to an error; a decoder may raise what is no `Exception`."""
    results: list[Any] = []
    try:
        results.extend(map(function, read_ahead(items)))
    except BaseException as error:  # noqa: BLE001 - who asked for the results raises it
        return results, error
    return results, None


def ordered_map(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    workers: int | None = None,
    threads: bool = False,
    cluster: Cluster | None = None,
) -> Generator[Result]:
    """Apply a function to every item, and yield the results in the order of the items.

    For processes, the function must be importable by name, or a `functools.partial` of such a one.
    The number of workers is decided by the number of items unless it is given; 1 stays in this
    process. If a worker process dies, a `WorkerError` names the items that it had in hand. Where
    no process or thread can be started, a `SegevalWarning` says so, and the work is done here.
    ``threads`` is for a function that lets go of the interpreter lock. A ``cluster`` does the work
    whatever the number of items.
    """
    if cluster is not None and items:
        from segeval.counting.cluster import in_cluster

        return in_cluster(function, items, cluster, workers, threads=threads)
    if workers is None:
        workers = default_workers(len(items), threads=threads)
    if workers < 1:
        raise SettingError(f"--workers must be 1 or more, not {workers}")
    if workers == 1 or len(items) < 2:
        return (function(item) for item in read_ahead(items))
    if threads:
        from segeval.counting.threads import in_threads

        return in_threads(function, items, min(workers, len(items)))
    from segeval.counting.processes import in_processes

    return in_processes(function, items, min(workers, len(items)))
