"""Run one function over many items, in order: here, or in worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from typing import Final, TypeVar

from segeval.errors import SettingError

Item = TypeVar("Item")
Result = TypeVar("Result")

SMALL: Final = 64  # fewer items than this are done faster without starting processes


def default_workers(items: int) -> int:
    """Return 1 for a small number of items, else the number of processors at hand."""
    if items < SMALL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int | None = None
) -> Generator[Result]:
    """Apply a function to every item, and yield the results in the order of the items.

    For processes, the function must be importable by name, or a `functools.partial` of such a one.
    The number of workers is decided by the number of items unless it is given; 1 stays in this
    process. If a worker process dies, a `WorkerError` names the items that it had in hand. Where
    no process can be started, a `SegevalWarning` says so, and the work is done here.
    """
    if workers is None:
        workers = default_workers(len(items))
    if workers < 1:
        raise SettingError(f"--workers must be 1 or more, not {workers}")
    if workers == 1 or len(items) < 2:
        return (function(item) for item in items)
    from segeval.counting.processes import in_processes

    return in_processes(function, items, min(workers, len(items)))
