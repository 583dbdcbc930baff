"""Worker processes that may be lost at any moment.

A worker has a connection of its own, and no end of it is left open elsewhere. So a worker that is
lost at any moment, in the middle of a result as well, closes its connection, which the parent sees;
a parent that is gone closes all of them, which the workers see. Nothing is shared: no lock, no
queue, no thread of the parent, so there is nothing else to wait for.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from segeval.counting.workers import AHEAD, Batches, apply_to
from segeval.errors import SegevalWarning, WorkerError
from segeval.text import reason_of

PATIENCE: Final = 0.5  # seconds for a worker to end before it is killed
LOST: Final = object()  # in place of what a worker would have answered


@dataclass(slots=True, eq=False)
class _Worker:
    """A process, the connection to it, and the numbers of the chunks that it has."""

    process: Any
    connection: Connection
    chunks: deque[int] = field(default_factory=deque)


def in_processes(
    function: Callable[[Any], Any], items: Sequence[Any], workers: int
) -> Generator[Any]:
    """Keep every worker busy, yield what is next in order, and never hold much more in memory."""
    team: list[_Worker] = []
    try:
        reason = _start(team, function, workers)
        if not team:
            warnings.warn(
                f"no worker process can be started ({reason}), so one process does the work",
                SegevalWarning,
                stacklevel=2,
            )
            yield from map(function, items)
            return
        yield from _collect(team, items)
    finally:
        with holding_interrupts():
            _stop(team)


def _collect(team: list[_Worker], items: Sequence[Any]) -> Generator[Any]:
    """Hand chunks to workers and take results, until all are yielded or one of them is lost."""
    batches = Batches(items, len(team))
    chunks = enumerate(batches)
    at_hand: dict[int, Sequence[Any]] = {}  # chunks that are not yielded yet
    results: dict[int, Any] = {}  # of those, the ones that are done, or lost
    for head in itertools.count():
        while head not in results:
            _hand_out(team, chunks, at_hand)
            if head not in at_hand:
                return
            _receive(team, results, batches)
        outcome, chunk = results.pop(head), at_hand.pop(head)
        if outcome is LOST:
            names = ", ".join(str(getattr(item, "name", item)) for item in chunk)
            raise WorkerError(
                "a worker process died (out of memory, or killed); the pairs in hand were "
                f"{names}; try --workers 1"
            )
        values, error = outcome
        yield from values
        if error is not None:
            raise error


def _hand_out(
    team: list[_Worker],
    chunks: Iterator[tuple[int, Sequence[Any]]],
    at_hand: dict[int, Sequence[Any]],
) -> None:
    """Give every worker what it can take, but never run far ahead of what is yielded."""
    while team and len(at_hand) <= AHEAD * len(team):
        worker = min(team, key=lambda each: len(each.chunks))
        number, chunk = next(chunks, (None, ())) if len(worker.chunks) < AHEAD else (None, ())
        if number is None:
            return
        at_hand[number] = chunk
        worker.chunks.append(number)
        with contextlib.suppress(OSError):  # it is lost, which is seen when results are due
            worker.connection.send(chunk)


def _receive(team: list[_Worker], results: dict[int, Any], batches: Batches[Any]) -> None:
    """Wait for results of any worker; mark the chunks of those that are gone."""
    ready = wait([worker.connection for worker in team if worker.chunks])
    for worker in [each for each in team if each.connection in ready]:
        try:
            values, error, seconds = worker.connection.recv()
            results[worker.chunks.popleft()] = values, error
            batches.measured(len(values), seconds)
        except (EOFError, OSError):
            results.update(dict.fromkeys(worker.chunks, LOST))
            team.remove(worker)
            _stop([worker])


def _start(team: list[_Worker], function: Callable[[Any], Any], workers: int) -> str:
    """Start as many workers as the system allows; return why there are not more."""
    with holding_interrupts():  # no worker may be half made; all of them let Ctrl-C wait for good
        for _ in range(workers):
            try:
                ours, theirs = multiprocessing.Pipe()
            except OSError as error:
                return reason_of(error)
            others = [worker.connection for worker in team] + [ours]
            process = multiprocessing.Process(
                target=_serve, args=(function, theirs, _inherited(others)), daemon=True
            )
            try:
                process.start()
            except OSError as error:
                ours.close()
                return reason_of(error)
            finally:
                theirs.close()
            team.append(_Worker(process, ours))
    return ""


def _inherited(connections: list[Connection]) -> list[Connection]:
    """Return the ends that a worker has without being given them, as it is forked."""
    return connections if multiprocessing.get_start_method() == "fork" else []


def _stop(team: Sequence[_Worker]) -> None:
    """End workers, whatever they are doing."""
    for worker in team:
        worker.connection.close()
        worker.process.terminate()
    for worker in team:
        worker.process.join(PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


@contextmanager
def holding_interrupts() -> Iterator[None]:
    """Let Ctrl-C wait; only the main thread is ever interrupted."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    try:
        signal.signal(signal.SIGINT, lambda number, _: caught.append(number))
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught:
            signal.raise_signal(signal.SIGINT)


def _serve(
    function: Callable[[Any], Any], connection: Connection, others: Sequence[Connection]
) -> None:
    """Work on chunks until the parent closes the connection, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        other.close()
    chunks: queue.SimpleQueue[Sequence[Any]] = queue.SimpleQueue()
    take: Callable[[], Sequence[Any]] = chunks.get
    try:
        threading.Thread(target=_take_in, args=(connection, chunks), daemon=True).start()
    except RuntimeError:  # the system allows no more threads
        take = connection.recv
    with contextlib.suppress(EOFError, OSError):  # nobody is there any more
        while True:
            batch = take()
            start = time.perf_counter()
            values, error = apply_to(function, batch)
            connection.send((values, portable(error), time.perf_counter() - start))


def _take_in(connection: Connection, chunks: queue.SimpleQueue[Sequence[Any]]) -> None:
    """Take chunks off the connection at once, so that the parent never waits to send one."""
    with contextlib.suppress(BaseException):
        while True:
            chunks.put(connection.recv())
    os._exit(0)


def portable(error: BaseException | None) -> BaseException | None:
    """Return an error that can be handed over; what cannot is told in words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever its parts refuse with
        return WorkerError(f"{type(error).__name__}: {error}")
    return error
