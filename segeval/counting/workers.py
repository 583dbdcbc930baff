"""Run one function over many items, in order: here, or in worker processes.

Every engine gives the same results in the same order, so that counts do not depend on it.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final, TypeVar

from segeval.errors import SettingError, WorkerError

Item = TypeVar("Item")
Result = TypeVar("Result")

SMALL: Final = 64  # fewer items than this are done faster without starting processes

SHARE: Final = 8  # a worker is handed this part of its share of the rest: all end together
LARGEST: Final = 32  # items handed to a worker at a time, at most


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
    process. If a worker process dies, a `WorkerError` names the items that were in hand.
    """
    if workers is None:
        workers = default_workers(len(items))
    if workers < 1:
        raise SettingError(f"--workers must be 1 or more, not {workers}")
    if workers == 1:
        return (function(item) for item in items)
    return _in_processes(function, items, min(workers, max(1, len(items))))


def _in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> Generator[Result]:
    """Keep every worker busy with a chunk and another one waiting; never hold more in memory."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    chunks = _chunks(items, workers)
    hand: deque[tuple[Sequence[Item], Future[list[Result]]]] = deque()
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(workers, initializer=_start_worker)
    try:
        for chunk in itertools.chain(chunks, itertools.repeat(None)):
            if chunk is not None:
                with _holding_interrupts():  # a worker is made here; it must not be half made
                    hand.append((chunk, pool.submit(_apply, function, chunk)))
            if not hand:
                break
            if chunk is None or len(hand) > 2 * workers:
                yield from hand[0][1].result()
                hand.popleft()
        pool.shutdown()
    except BrokenProcessPool:
        names = [str(getattr(item, "name", item)) for chunk, _ in hand for item in chunk]
        raise WorkerError(
            "a worker process died (out of memory, or killed); the pairs in hand were "
            f"{', '.join(names)}; try --workers 1"
        ) from None
    finally:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(cancel_futures=True)


def _chunks(items: Sequence[Item], workers: int) -> Iterator[Sequence[Item]]:
    """Cut items into chunks that get smaller towards the end."""
    start = 0
    while start < len(items):
        size = min(LARGEST, max(1, (len(items) - start) // (workers * SHARE)))
        yield items[start : start + size]
        start += size


@contextmanager
def _holding_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait; processes made meanwhile never see it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _apply(function: Callable[[Item], Result], chunk: Sequence[Item]) -> list[Result]:
    return [function(item) for item in chunk]


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
