"""Worker threads, for work that mostly lets go of the interpreter lock.

They take chunks, as handing over single items would cost more than counting small masks. They stop
between two items, and are not waited on for long, so that an interrupt ends the program at once.
"""

import itertools
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from queue import SimpleQueue
from typing import Any, Final

from segeval.counting.workers import AHEAD, Batches, apply_to
from segeval.errors import SegevalWarning

PATIENCE: Final = 0.5  # seconds for a thread to end its item before it is left alone


class _Team:
    """Threads with a queue of chunks that wait, and one of those that are done."""

    def __init__(self, function: Callable[[Any], Any], workers: int) -> None:
        self.function = function
        self.tasks: SimpleQueue[tuple[int, Sequence[Any]] | None] = SimpleQueue()
        self.done: SimpleQueue[tuple[int, list[Any], BaseException | None, float]] = SimpleQueue()
        self.stopped = False
        self.threads: list[threading.Thread] = []
        for _ in range(workers):
            thread = threading.Thread(target=self._serve, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system allows no more
                break
            self.threads.append(thread)

    def _serve(self) -> None:
        while (task := self.tasks.get()) is not None:
            wanted = itertools.takewhile(lambda _: not self.stopped, task[1])
            start = time.perf_counter()
            done = apply_to(self.function, wanted)
            self.done.put((task[0], *done, time.perf_counter() - start))

    def stop(self) -> None:
        """Let every thread end after the item that it has in hand."""
        self.stopped = True
        for _ in self.threads:
            self.tasks.put(None)
        for thread in self.threads:
            thread.join(PATIENCE)


def in_threads(
    function: Callable[[Any], Any], items: Sequence[Any], workers: int
) -> Generator[Any]:
    """Keep every thread busy, yield what is next in order, and never hold much more in memory."""
    team = _Team(function, workers)
    try:
        if team.threads:
            yield from _collect(team, Batches(items, workers))
            return
        warnings.warn(
            "no worker thread can be started, so one does the work", SegevalWarning, stacklevel=2
        )
        yield from map(function, items)
    finally:
        team.stop()


def _collect(team: _Team, batches: Batches[Any]) -> Generator[Any]:
    """Hand out batches and take results, until all are yielded or one of them is an error."""
    results: dict[int, tuple[list[Any], BaseException | None]] = {}
    handed_out = 0
    for head in itertools.count():
        for batch in itertools.islice(batches, head + AHEAD * len(team.threads) - handed_out):
            team.tasks.put((handed_out, batch))
            handed_out += 1
        if head == handed_out:
            return
        while head not in results:
            number, values, error, seconds = team.done.get()
            batches.measured(len(values), seconds)
            results[number] = values, error
        values, error = results.pop(head)
        yield from values
        if error is not None:
            raise error
