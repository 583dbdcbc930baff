"""Work on a Dask cluster: on one that is there, or on one of this machine that ends with the work.

Only batches and their results travel: paths, a small record of settings, and sparse counts. What
Dask does if a worker is lost, it does: its batches run elsewhere. If the scheduler is lost, the
work ends with what has been yielded so far.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import pickle
import platform
import signal
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from segeval.counting.processes import holding_interrupts, portable
from segeval.counting.workers import SMALL, Batches, Sizes, apply_to, processors
from segeval.errors import SettingError, WorkerError
from segeval.memory import keep_memory
from segeval.settings import Cluster
from segeval.text import reason_of
from segeval.version import __version__

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

SIZES: Final = Sizes(largest=1024, share=3, seconds=0.5)  # as a batch costs some milliseconds
WAITING: Final = 4  # batches for each thread of the cluster that are not yielded yet
PULSE: Final = 1.0  # seconds between two looks at a cluster that is waited for
PATIENCE: Final = 60.0  # seconds without any worker, or without an answer of the scheduler
CONNECTING: Final = 10.0  # seconds to reach the scheduler
UNREADABLE: Final = ImportError, AttributeError  # where segeval is not there, or another one
UNABLE: Final = f"{{}} cannot run segeval ({{}}); install segeval {__version__} there"
SCRIPT: Final = (
    "; a script of yours must begin its work under `if __name__ == '__main__':`, as workers of "
    "this machine import it"
)
LOST: Final = (
    "the connection to the scheduler {} is lost; what was counted so far is kept if -o names a run "
    "file: type the same command with --resume"
)


class _Unfit(str):
    """Why a worker does no batch: it is of other versions, or does not see the files."""

    __slots__ = ()


def in_cluster(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    cluster: Cluster,
    workers: int | None,
    *,
    threads: bool = False,
) -> Generator[Any]:
    """Keep a cluster busy, yield what is next in order, and never run far ahead of that.

    Without the address of a scheduler, there is a cluster of so many workers on this machine:
    threads of this process if those serve or the items are few, else processes.
    """
    threads = threads or len(items) < SMALL
    resting = not gc.isenabled()
    try:
        with _connected(cluster, workers, threads=threads) as client:
            gc.enable()  # Dask makes cycles
            if cluster.scheduler is not None:
                _compare_versions(client)
            if cluster.say is not None:
                cluster.say(f"the dashboard of Dask is at {client.dashboard_link}")
            yield from _collect(client, function, items, local=cluster.scheduler is None)
    finally:
        if resting:
            gc.disable()


class _Crew:
    """The workers of a cluster, which come and go; they are asked for about once a second."""

    def __init__(self, client: Client, *, local: bool) -> None:
        self.client, self.local = client, local
        self.address = client.scheduler.address
        self.threads, self.asked, self.seen = 0, -PULSE, time.monotonic()

    def look(self) -> int:
        """Return the threads of all workers; an error if there has been none for long."""
        now = time.monotonic()
        if now - self.asked >= PULSE:
            with _scheduler_there(self.client):
                ask = self.client.scheduler.ncores
                found = self.client.sync(ask, workers=None, callback_timeout=PATIENCE)
            self.threads, self.asked = sum(found.values()), now
        if self.threads:
            self.seen = now
        elif now - self.seen > PATIENCE:
            raise WorkerError(
                f"the scheduler {self.address} has had no worker for {PATIENCE:g} seconds; start "
                f"some, as with `dask worker {self.address}`{SCRIPT if self.local else ''}"
            )
        return self.threads

    def wait(self, head: Future) -> None:
        """Wait for a batch while there is somebody to do it."""
        from distributed import wait

        while True:
            self.look()
            with _scheduler_there(self.client), contextlib.suppress(TimeoutError):
                with self.client.as_current():
                    wait(head, timeout=PULSE)
                return


def _collect(
    client: Client, function: Callable[[Any], Any], items: Sequence[Any], *, local: bool
) -> Generator[Any]:
    """Hand out batches and take results, until all are yielded or one of them is an error."""
    import cloudpickle

    crew, batches = _Crew(client, local=local), Batches(items, 1, SIZES)
    here = stated_versions(), os.getcwd()
    waiting: deque[tuple[Sequence[Any], Future]] = deque()
    while True:
        batches.workers = max(1, crew.look())
        for batch in itertools.islice(batches, max(0, WAITING * batches.workers - len(waiting))):
            places = [place for place in map(str, _files(batch[0])) if os.path.exists(place)]
            order = cloudpickle.dumps((function, batch, places))  # the scheduler need not read it
            waiting.append((batch, client.submit(work_on, order, *here, pure=False)))
        if not waiting:
            return
        crew.wait(waiting[0][1])
        done = [*itertools.takewhile(lambda each: each[1].status == "finished", waiting)]
        for answer in _answers(client, done or [waiting[0]]):
            waiting.popleft()
            if isinstance(answer, _Unfit):
                raise WorkerError(f"a worker of the cluster, {answer}")
            values, error, seconds = answer
            batches.measured(len(values), seconds)
            yield from values
            if error is not None:
                raise error


def _answers(client: Client, done: Sequence[tuple[Sequence[Any], Future]]) -> Sequence[Any]:
    """Fetch what became of batches; a batch whose workers die again and again is an error."""
    from distributed import KilledWorker

    with _scheduler_there(client):
        try:
            answers: Sequence[Any] = client.gather([future for _, future in done])
        except KilledWorker:
            names = ", ".join(str(getattr(item, "name", item)) for item in done[0][0])
            raise WorkerError(
                "several workers of the cluster died with the same pairs in hand (out of memory?), "
                f"which were {names}; try workers with more memory"
            ) from None
        except UNREADABLE as error:
            raise WorkerError(UNABLE.format("a worker of the cluster", error)) from error
    return answers


@contextmanager
def _scheduler_there(client: Client) -> Iterator[None]:
    """Tell in one way that the scheduler is gone, or answers no more."""
    from concurrent.futures import CancelledError

    address = client.scheduler.address if client.scheduler is not None else ""
    try:
        yield
    except (CancelledError, OSError, TimeoutError) as error:
        raise WorkerError(LOST.format(address)) from error


@dataclass(slots=True, kw_only=True)
class _Shared:
    """What was started for the first work that needed it, and ends what was."""

    stack: contextlib.ExitStack
    clients: dict[bool, Client] = field(default_factory=dict)  # of threads, and of processes


_SHARED: Final[dict[Cluster, _Shared]] = {}


@contextmanager
def shared(cluster: Cluster) -> Iterator[None]:
    """Let all work that a cluster is given meanwhile be done by one, started for the first."""
    stack = contextlib.ExitStack()
    _SHARED[cluster] = _Shared(stack=stack)
    try:
        yield
    finally:
        del _SHARED[cluster]
        with _silenced():
            stack.close()


@contextmanager
def _connected(cluster: Cluster, workers: int | None, *, threads: bool) -> Iterator[Client]:
    """Give a client of the cluster, and end what was started for it, unless it is shared."""
    try:
        import distributed  # noqa: F401 - whose loggers are silenced
    except ImportError:
        raise SettingError(
            'the engine dask needs distributed; type `pip install "segeval-masks[dask]"`'
        ) from None

    with _silenced(), contextlib.ExitStack() as stack:
        share = _SHARED.get(cluster) or _Shared(stack=stack)
        kind = threads and cluster.scheduler is None
        if kind not in share.clients:
            share.clients[kind] = _connect(share.stack, cluster, workers, threads=threads)
        yield share.clients[kind]


def _connect(
    stack: contextlib.ExitStack, cluster: Cluster, workers: int | None, *, threads: bool
) -> Client:
    """Return a client of the cluster; the stack will end what is started for it."""
    from distributed import Client

    address = cluster.scheduler
    if address is None:
        if not threads:
            resource_tracker.ensure_running()  # which lets interrupts through at its start
        stack.enter_context(_resting())
        with _blocking_interrupts():
            started = _start(workers or processors(), threads=threads)
            stack.callback(_quietly, started.close, timeout=PULSE)
        address = started.scheduler_address
    try:
        client = Client(address, timeout=CONNECTING, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise WorkerError(
            f"the scheduler {cluster.scheduler} cannot be reached: {reason_of(error)}"
        ) from error
    stack.callback(_quietly, client.close, timeout=PULSE)
    return client


def _start(workers: int, *, threads: bool) -> LocalCluster:
    """Start a cluster on this machine, for itself alone."""
    from distributed import LocalCluster

    cluster = LocalCluster(
        n_workers=0,
        threads_per_worker=workers if threads else 1,
        processes=not threads,
        memory_limit=0,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )
    cluster.shutdown_on_close = False  # that is for who made it
    cluster.scale(1 if threads else workers)
    return cluster


def _resting() -> AbstractContextManager[Any]:
    """Let a cluster watch itself less closely, which else is a thirtieth of a processor's time."""
    from dask import config

    return config.set(
        {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
    )


@contextmanager
def _blocking_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from threads, and from processes of theirs, that are started meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _quietly(close: Callable[..., Any], **how: Any) -> None:
    """Close one end of a cluster of which the other may be gone; Ctrl-C waits."""
    with holding_interrupts(), contextlib.suppress(Exception):
        close(**how)


@contextmanager
def _silenced() -> Iterator[None]:
    """Let Dask say nothing: what it would is said as an error, or is mended by itself."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def stated_versions() -> dict[str, str]:
    """Return the versions on which the counts, and what is sent, may depend."""
    python, numpy = platform.python_version(), np.__version__
    versions = {"Python": python, "NumPy": numpy}
    short = {name: ".".join(version.split(".")[:2]) for name, version in versions.items()}
    return {"segeval": __version__, **short}


def _difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say which versions differ, or nothing."""
    others = [name for name, version in here.items() if there[name] != version]
    return ", ".join(f"{name} {there[name]} there and {here[name]} here" for name in others)


def _compare_versions(client: Client) -> None:
    """Refuse a cluster of other versions than those of this program, as far as it is there yet."""
    with _scheduler_there(client):
        found = client.run(stated_versions, on_error="return")
        try:
            found["scheduler"] = client.run_on_scheduler(stated_versions)
        except UNREADABLE as error:
            found["scheduler"] = error
    for place, said in found.items():
        if isinstance(said, OSError):  # lost since: each batch compares them once more
            continue
        if isinstance(said, BaseException):
            raise WorkerError(UNABLE.format(place, said))
        if difference := _difference(said, stated_versions()):
            raise WorkerError(f"{place} has {difference}; install the same versions")


def work_on(
    order: bytes, versions: Mapping[str, str], folder: str
) -> tuple[list[Any], BaseException | None, float] | _Unfit:
    """Do a batch on a worker that has the same versions, and sees what the client sees."""
    host, here = platform.node(), os.getcwd()
    if difference := _difference(stated_versions(), versions):
        return _Unfit(f"{host}, has {difference}; install the same versions")
    function, batch, places = pickle.loads(order)  # noqa: S301 - our own
    if here != folder and not all(map(os.path.isabs, places)):
        return _Unfit(f"{host}, works in {here}, not {folder}; name the masks by absolute paths")
    for place in places:
        if not os.path.exists(place):
            return _Unfit(
                f"{host}, does not see {place}, which is here; share the folder under this path, "
                "as by NFS or a volume"
            )
    keep_memory()
    start = time.perf_counter()
    values, error = apply_to(function, batch)
    return values, portable(error), time.perf_counter() - start


def _files(item: Any) -> Sequence[Any]:
    """Return the files of an item; of a pair, those of its masks."""
    return getattr(item, "files", ())
