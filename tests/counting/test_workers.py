"""Every engine gives the same results in the same order, and leaves no process behind."""

from __future__ import annotations

import errno
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, save, segeval

from segeval.counting import workers as engines
from segeval.counting.contingency import count_values
from segeval.counting.workers import Batches, Sizes, default_workers, ordered_map
from segeval.errors import SegevalWarning, SettingError, WorkerError
from segeval.inputs.masks import read_mask


def slow_square(number: int) -> int:
    time.sleep(0.002 * (number % 3))
    return number * number


def process_of(_: int) -> int:
    time.sleep(0.01)
    return os.getpid()


def wait_after(last: int, number: int) -> int:
    time.sleep(30 if number > last else 0)
    return number


def die_at(fatal: int, number: int) -> int:
    if number == fatal:
        os._exit(1)
    return number


def fail_at(fatal: int, number: int) -> int:
    if number == fatal:
        raise ValueError(f"no {number}")
    return number


def no_children() -> bool:
    """Wait a moment for processes that are being ended."""
    end = time.monotonic() + 5
    while multiprocessing.active_children() and time.monotonic() < end:
        time.sleep(0.01)
    return not multiprocessing.active_children()


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("workers", [1, 2, 3, None])
@pytest.mark.parametrize("count", [0, 1, 5, 50])
def test_results_come_in_the_order_of_the_items(
    workers: int | None, count: int, *, threads: bool
) -> None:
    results = list(ordered_map(slow_square, range(count), workers=workers, threads=threads))
    assert results == [number * number for number in range(count)]
    assert no_children()


def test_work_is_done_here_or_by_the_number_of_workers() -> None:
    assert set(ordered_map(process_of, range(20), workers=1)) == {os.getpid()}
    others = set(ordered_map(process_of, range(40), workers=2))
    assert os.getpid() not in others
    assert 1 <= len(others) <= 2


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_below_one_are_refused_at_once(workers: int) -> None:
    with pytest.raises(SettingError, match=f"^--workers must be 1 or more, not {workers}$"):
        ordered_map(slow_square, range(3), workers=workers)


def test_threads_share_the_work_of_this_process_and_never_run_far_ahead() -> None:
    started: list[int] = []
    names: set[str] = set()

    def work(number: int) -> int:
        started.append(number)
        names.add(threading.current_thread().name)
        time.sleep(0.001)
        return number

    results = ordered_map(work, range(2000), workers=2, threads=True)
    assert next(results) == 0
    time.sleep(0.2)
    assert len(started) <= 2 * engines.AHEAD * engines.CHEAP.largest
    results.close()
    held = len(started)
    time.sleep(0.05)
    assert len(started) == held < 2000
    assert len(names) == 2
    assert not names & {thread.name for thread in threading.enumerate()}


def test_a_thread_that_hangs_is_left_alone() -> None:
    results = ordered_map(partial(wait_after, 5), range(20), workers=2, threads=True)
    assert next(results) == 0
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 3


def test_where_no_thread_can_start_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.warns(SegevalWarning, match="no worker thread can be started"):
        assert list(ordered_map(slow_square, range(9), workers=2, threads=True))[-1] == 64


def tasks() -> int:
    """Return the threads of this process, those of libraries as well."""
    return len(os.listdir("/proc/self/task"))


def tasks_after_counting(path: Path, number: int) -> int:
    values = read_mask(path).values
    count_values(truth=values, prediction=np.roll(values, number))
    return tasks()


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are not listed")
def test_counting_starts_no_threads_of_its_own(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (600, 600), np.uint8)
    work, before = partial(tasks_after_counting, save(tmp_path / "a.png", noise)), tasks()
    work(0)  # which may load a library
    before = tasks()
    assert set(ordered_map(work, range(8), workers=3)) == {2}  # one takes orders, one counts
    assert max(ordered_map(work, range(8), workers=3, threads=True)) <= before + 3


def test_more_workers_than_processors_are_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "processors", lambda: 2)
    sides = data_set(tmp_path, {str(number): ([[0, 1]], [[0, 1]]) for number in range(9)})
    said = segeval("score", *sides, "--workers", 3).stderr
    assert said.count("notice: --workers 3 are more than the 2 processors that") == 1
    assert "processors" not in segeval("score", *sides, "--workers", 2).stderr
    assert not segeval("score", *sides, "--workers", 3, "-q").stderr


def test_few_items_need_no_processes() -> None:
    assert default_workers(engines.FEW - 1, threads=True) == 1
    assert default_workers(engines.SMALL - 1) == 1
    assert default_workers(engines.SMALL) >= 1


def test_batches_shrink_to_end_together_but_not_to_nothing() -> None:
    batches = Batches(range(100_000), 2, Sizes(largest=1000, share=4, seconds=0.5))
    sizes = [len(next(batches))]
    batches.measured(1000, 1.0)  # so that one of 0.5 seconds has 500
    sizes += map(len, batches)
    assert sum(sizes) == 100_000
    assert (sizes[0], sizes[1], max(sizes)) == (1, 500, 500)
    assert sizes[1:-1] == sorted(sizes[1:-1], reverse=True)
    assert set(sizes[-8:-1]) == {50}


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("fatal", [0, 37, 59])
def test_a_dying_worker_is_an_error_that_names_the_items_in_hand(workers: int, fatal: int) -> None:
    start = time.monotonic()
    with pytest.raises(WorkerError, match=r"a worker process died .* try --workers 1$") as caught:
        list(ordered_map(partial(die_at, fatal), range(60), workers=workers))
    assert time.monotonic() - start < 10
    (listed,) = re.findall(r"in hand were (.*); try", str(caught.value))
    assert str(fatal) in listed.split(", ")
    assert no_children()


def test_results_before_the_death_were_handed_over_and_are_not_named() -> None:
    done: list[int] = []
    with pytest.raises(WorkerError, match="in hand were") as caught:
        done.extend(ordered_map(partial(die_at, 59), range(60), workers=2))
    assert done == list(range(len(done)))
    assert len(done) >= 60 - (2 * 2 + 1) * engines.CHEAP.largest
    assert re.search(rf"in hand were {len(done)}[,;]", str(caught.value))


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_function_is_raised_in_its_place(workers: int, *, threads: bool) -> None:
    results = ordered_map(partial(fail_at, 9), range(20), workers=workers, threads=threads)
    assert [next(results) for _ in range(8)] == list(range(8))
    with pytest.raises(ValueError, match="no 9"):
        list(results)
    assert no_children()


class Panic(BaseException):
    """What a decoder raises that is no `Exception`."""


class OddError(Exception):
    """An error that can be pickled, and not be read again."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def panic(_: int) -> int:
    raise Panic("no way")


def odd(_: int) -> int:
    raise OddError(1, 2)


def stop_while_sending(_: int) -> bytes:
    """Send more than a connection holds, and be killed meanwhile."""
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return bytes(1 << 28)


def test_what_is_no_exception_is_raised_in_its_place() -> None:
    with pytest.raises(Panic, match="no way"):
        list(ordered_map(panic, range(4), workers=2))
    assert no_children()


def test_an_error_that_cannot_be_handed_over_is_told_in_words() -> None:
    with pytest.raises(WorkerError, match=r"^OddError: 1 and 2$"):
        list(ordered_map(odd, range(4), workers=2))


def test_large_results_and_items_never_block_each_other() -> None:
    items = [bytes(1 << 20)] * 24
    assert [len(r) for r in ordered_map(len_of_twice, items, workers=2)] == [2 << 20] * 24


def len_of_twice(item: bytes) -> bytes:
    return item * 2


def test_a_worker_that_is_killed_while_it_sends_is_noticed() -> None:
    start = time.monotonic()
    with pytest.raises(WorkerError, match=r"in hand were \d+; try"):
        list(ordered_map(stop_while_sending, range(8), workers=2))
    assert time.monotonic() - start < 30
    assert no_children()


@pytest.mark.parametrize("first", [0, 1])
def test_where_no_process_can_start_the_work_is_done_by_what_there_is(
    monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    start = multiprocessing.Process.start
    started: list[multiprocessing.Process] = []

    def refuse(process: multiprocessing.Process) -> None:
        if len(started) == first:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        started.append(process)
        start(process)

    monkeypatch.setattr(multiprocessing.Process, "start", refuse)
    message = r"no worker process can be started \(Resource temporarily unavailable\)"
    with nullcontext() if first else pytest.warns(SegevalWarning, match=message):
        assert list(ordered_map(slow_square, range(20), workers=3)) == [n * n for n in range(20)]
    assert no_children()


def test_where_no_pipe_can_be_made_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(multiprocessing, "Pipe", refuse)
    message = r"no worker process can be started \(Too many open files\)"
    with pytest.warns(SegevalWarning, match=message):
        assert list(ordered_map(abs, range(-3, 0), workers=2)) == [3, 2, 1]


@pytest.mark.slow
def test_workers_serve_however_they_are_started() -> None:
    program = (
        "import multiprocessing\n"
        "from segeval.counting.workers import ordered_map\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    print(list(ordered_map(abs, range(-9, 0), workers=2)))\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{[*range(9, 0, -1)]}\n", done.stderr


def test_workers_end_when_the_parent_is_killed() -> None:
    program = (
        "import time\n"
        "from segeval.counting.workers import ordered_map\n"
        "from multiprocessing import active_children\n"
        "for _ in ordered_map(time.sleep, [0.05] * 4 + [60] * 40, workers=2):\n"
        "    print(*(child.pid for child in active_children()), flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        parent.kill()
    end = time.monotonic() + 2
    while any(is_running(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.01)
    assert len(workers) == 2
    assert not any(is_running(pid) for pid in workers)


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only waits for someone to ask how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("taken", [0, 1, 6])
def test_closing_early_leaves_no_process_behind(taken: int) -> None:
    results = ordered_map(slow_square, range(200), workers=2)
    assert [next(results) for _ in range(taken)] == [number**2 for number in range(taken)]
    results.close()
    assert no_children()


def test_closing_early_does_not_wait_for_the_work_in_hand() -> None:
    results = ordered_map(partial(wait_after, 3), range(20), workers=2)
    assert next(results) == 0
    results.close()
    assert no_children()


def test_other_processes_are_left_alone() -> None:
    context = multiprocessing.get_context("spawn")
    mine = context.Process(target=time.sleep, args=(30,))
    mine.start()
    try:
        results = ordered_map(slow_square, range(200), workers=2)
        next(results)
        results.close()
        time.sleep(0.05)
        assert mine.is_alive()
    finally:
        mine.terminate()
        mine.join()
