"""Requests to a server: asked again where that may help, and never waited for without end."""

from __future__ import annotations

import os
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from segeval.storage.store import StorageError
from segeval.text import counted, reason_of

Answer = TypeVar("Answer")

ATTEMPTS: Final = 6
FIRST_WAIT: Final = (
    0.2  # seconds; each wait is up to twice the one before, and half of it by chance
)
LONGEST_WAIT: Final = 5.0
LAST_ATTEMPT: Final = 30.0  # seconds after which none is begun; libraries make some of their own
PATIENCE: Final = 180.0  # seconds in which an answer is there, whatever was tried for it
THREADS: Final = 16
MEANT: Final = (
    FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError,
    ImportError, ValueError, TypeError, AttributeError, LookupError, NotImplementedError,
)  # fmt: skip
"""What a server, or a library, says again however often it is asked."""
AGAIN: Final = {408, 425, 429}  # answers to a fault of the caller that time may mend


def ask(request: Callable[[], Answer]) -> Answer:
    """Return the answer to a request; one that fails by chance is made again, after a while."""
    begun = time.monotonic()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return request()
        except Exception as error:
            if is_meant(error):
                if isinstance(error, OSError):
                    raise
                raise StorageError(reason_of(error) or type(error).__name__) from error
            if attempt == ATTEMPTS or time.monotonic() - begun > LAST_ATTEMPT:
                reason = reason_of(error) or type(error).__name__
                raise StorageError(
                    f"no answer in {counted(attempt, 'attempt')}: {reason}"
                ) from error
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1))
        time.sleep(wait * random.uniform(0.5, 1))  # noqa: S311 - so that callers come one by one
    raise AssertionError


def is_meant(error: Exception) -> bool:
    """Whether it is of no use to ask again."""
    cause = error.__cause__
    if isinstance(cause, ImportError):
        return True
    status = getattr(error, "status", getattr(cause, "status", None))
    if isinstance(status, int) and status >= 400:
        return status < 500 and status not in AGAIN
    if type(cause).__module__.startswith("aiohttp"):
        return False  # fsspec takes a server that does not answer for one without the file
    return isinstance(error, MEANT) or "Credential" in type(error).__name__


class Pool:
    """Threads that wait for answers; they never keep the program from ending."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._process = os.getpid()
        self._threads = 0

    def submit(self, request: Callable[[], Answer]) -> Future[Answer]:
        """Have a request made by the next thread that is free."""
        if self._process != os.getpid():  # threads do not come along when a process is forked
            self.__init__()  # type: ignore[misc]
        future: Future[Answer] = Future()
        self._tasks.put((future, request))
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._serve, daemon=True).start()
        return future

    def _serve(self) -> None:
        while True:
            future, request = self._tasks.get()
            try:
                future.set_result(ask(request))
            except BaseException as error:  # noqa: BLE001 - who waits for the answer raises it
                future.set_exception(error)


POOL: Final = Pool()


def answer(request: Callable[[], Answer] | Future[Answer]) -> Answer:
    """Wait for the answer to a request, but not for ever."""
    future = request if isinstance(request, Future) else POOL.submit(request)
    try:
        return future.result(PATIENCE)
    except TimeoutError as error:
        raise StorageError(f"no answer in {PATIENCE:g} seconds") from error
