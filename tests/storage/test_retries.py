"""Requests are made again where that may help, and no more often than is said."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from segeval.storage import retries
from segeval.storage.ahead import read_ahead
from segeval.storage.retries import answer, ask
from segeval.storage.store import StorageError


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Write down what is waited for, and do not wait."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


class Server:
    """What fails so many times before it answers."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = [*faults]
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        return "answer"


def with_status(status: int) -> Exception:
    error = Exception("as web servers say it")
    error.status = status  # type: ignore[attr-defined]
    return error


def not_there(cause: Exception) -> FileNotFoundError:
    """Return what fsspec says when a web server answers a question for a file with an error."""
    error = FileNotFoundError("a")
    error.__cause__ = cause
    return error


Unreachable = type("ClientConnectorError", (OSError,), {"__module__": "aiohttp.client_exceptions"})


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.EBUSY, "Slow Down"),
        TimeoutError("late"),
        ConnectionResetError("cut"),
        StorageError("3 bytes came, and not 9"),
        with_status(503),
        with_status(429),
        not_there(with_status(503)),
        not_there(Unreachable("refused")),
    ],
)
def test_what_fails_by_chance_is_asked_again(fault: Exception, waits: list[float]) -> None:
    server = Server(fault, fault, fault)
    assert ask(server) == "answer"
    assert server.asked == 4
    assert all(0.1 * 2**n <= wait <= 0.2 * 2**n for n, wait in enumerate(waits))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FileNotFoundError("a"), FileNotFoundError),
        (PermissionError("a"), PermissionError),
        (ValueError("a"), StorageError),
        (with_status(403), StorageError),
        (not_there(with_status(404)), FileNotFoundError),
        (type("NoCredentialsError", (Exception,), {})("none found"), StorageError),
    ],
)
def test_what_is_meant_is_told_at_once(
    fault: Exception, told: type[Exception], waits: list[float]
) -> None:
    server = Server(fault)
    with pytest.raises(told, match=str(fault)):
        ask(server)
    assert server.asked == 1
    assert not waits


def test_attempts_are_bounded_in_number_and_time(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(*[OSError(errno.EBUSY, "Slow Down")] * 99)
    with pytest.raises(StorageError, match="no answer in 6 attempts: Slow Down"):
        answer(server)
    assert server.asked == 6
    assert sum(waits) < 6.5
    monkeypatch.setattr(retries, "LAST_ATTEMPT", -1)
    with pytest.raises(StorageError, match="no answer in 1 attempt: Slow Down"):
        ask(server)


def test_an_answer_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "PATIENCE", 0.01)
    with pytest.raises(StorageError, match=r"no answer in 0\.01 seconds"):
        answer(Future())


def test_what_lies_on_this_machine_is_not_read_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    first = read_ahead(items())
    assert next(first) == 0
    assert taken == [0]
