"""A Dask cluster gives what one process gives, and says what is wrong with itself."""

from __future__ import annotations

import logging
import os
import pickle
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

import segeval as library
from segeval.counting import cluster as engine
from segeval.counting.workers import SMALL, ordered_map
from segeval.errors import SettingError, WorkerError
from segeval.settings import Cluster

pytest.importorskip("distributed")


PROFILE = "distributed.worker.profile.enabled"


def square(number: int) -> int:
    return number * number


def fail_at(fatal: int, number: int) -> int:
    if number == fatal:
        raise ValueError(f"no {number}")
    return number


class Seen(int):
    """A number with files, as pairs have them."""

    files: tuple[str, ...] = (__file__,)


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    """Return a folder of masks, one of which cannot be read."""
    random = np.random.default_rng(0)
    pairs: dict[str, Any] = {
        f"{number:03}": tuple(random.integers(0, 4, (2, 8, 8))) for number in range(40)
    }
    pred, _ = data_set(tmp_path, pairs)
    (pred / "007.png").write_bytes(b"nothing")
    return tmp_path


def test_a_cluster_gives_the_bytes_of_one_process(masks: Path) -> None:
    given = "score", "pred", "truth", "--on-error", "skip", "--csv", "c.csv"
    plain = segeval(*given, "--json", "one.json", "-o", "one.segeval", cwd=masks)
    dask = "--engine", "dask", "--workers", 2
    done = segeval(*given, *dask, "--json", "two.json", "-o", "two.segeval", cwd=masks)
    assert (masks / "one.json").read_bytes() == (masks / "two.json").read_bytes()
    assert done.stdout == plain.stdout
    said = set(done.stderr.splitlines()) - set(plain.stderr.splitlines())
    (dashboard,) = said
    assert dashboard.startswith("notice: the dashboard of Dask is at http://localhost:")
    one, two = (library.open_run(masks / f"{name}.segeval") for name in ("one", "two"))
    assert one.contingency().equals(two.contingency())
    assert (one + two).images == one.images  # the same files, by path and by fingerprint
    resumed = segeval(*given, *dask, "-q", "-o", "two.segeval", "--resume", cwd=masks)
    assert resumed.stdout == plain.stdout
    assert not resumed.stderr


def test_one_cluster_counts_and_measures(masks: Path) -> None:
    given = "score", "pred", "truth", "--on-error", "skip", "--boundary", "1px"
    plain = segeval(*given, cwd=masks)
    done = segeval(*given, "--engine", "dask", "--workers", 2, cwd=masks)
    assert done.stdout == plain.stdout
    assert done.stderr.count("the dashboard of Dask is at") == 1
    assert not engine._SHARED


def place_of(_: int) -> tuple[int, bool]:
    from dask import config

    return os.getpid(), config.get(PROFILE)


def test_work_that_lets_go_of_the_lock_needs_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    from dask import config

    started: list[bool] = []
    start = engine._start
    enabled = config.get(PROFILE, None)

    def noted(workers: int, *, threads: bool) -> Any:
        started.append(threads)
        return start(workers, threads=True)

    monkeypatch.setattr(engine, "_start", noted)
    how: Any = {"workers": 2, "cluster": Cluster()}
    with engine.shared(how["cluster"]):
        places = list(ordered_map(place_of, range(SMALL + 1), threads=True, **how))
        assert set(places) == {(os.getpid(), False)}
        list(ordered_map(square, range(SMALL + 1), **how))
        list(ordered_map(square, range(SMALL + 1), **how))
    assert started == [True, False]  # each kind once
    assert config.get(PROFILE, None) == enabled


def test_the_library_counts_on_a_cluster(masks: Path) -> None:
    given: Any = {"prediction": masks / "pred", "truth": masks / "truth", "on_error": "skip"}
    assert (
        library.count(**given, engine="dask")
        .contingency()
        .equals(library.count(**given).contingency())
    )
    with pytest.raises(SettingError, match=r"^engine is one of local, dask, not 'ray'$"):
        library.count(**given, engine="ray")  # type: ignore[arg-type]


def test_an_error_of_the_function_is_raised_in_its_place() -> None:
    levels = logging.getLogger("distributed.client").level
    results = ordered_map(partial(fail_at, 9), range(20), threads=True, cluster=Cluster())
    assert [next(results) for _ in range(8)] == list(range(8))
    with pytest.raises(ValueError, match="no 9"):
        list(results)
    assert logging.getLogger("distributed.client").level == levels


def test_the_client_never_runs_far_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        return number

    monkeypatch.setattr(engine, "SIZES", engine.SIZES._replace(largest=8))
    results = ordered_map(work, range(3000), workers=2, threads=True, cluster=Cluster())
    assert [next(results) for _ in range(30)] == list(range(30))
    time.sleep(0.1)
    results.close()
    assert len(started) <= 30 + 8 * (2 * engine.WAITING + 1)
    assert list(ordered_map(square, range(0), cluster=Cluster())) == []


@pytest.fixture
def there() -> Iterator[Cluster]:
    """Return a cluster that somebody else started."""
    started = engine._start(1, threads=True)
    try:
        yield Cluster(scheduler=started.scheduler_address)
    finally:
        started.close()


def test_a_cluster_of_other_versions_is_refused_first(
    there: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = engine.stated_versions()

    def stated() -> dict[str, str]:
        here = threading.current_thread() is threading.main_thread()
        return ours if here else ours | {"NumPy": "1.9"}

    monkeypatch.setattr(engine, "stated_versions", stated)
    message = rf" has NumPy 1\.9 there and {ours['NumPy']} here; install the same versions$"
    with pytest.raises(WorkerError, match=message):
        list(ordered_map(square, range(9), cluster=there))
    monkeypatch.setattr(engine, "_compare_versions", lambda _: None)  # it came later
    with pytest.raises(WorkerError, match=f"^a worker of the cluster, .*{message}"):
        list(ordered_map(square, range(9), cluster=there))


def test_a_worker_that_dies_as_the_work_starts_is_left_out(
    there: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    dead: dict[str, Exception] = {"tcp://127.0.0.1:9": OSError("the stream is closed")}
    monkeypatch.setattr(Client, "run", lambda *_, **__: dict(dead))
    assert list(ordered_map(square, range(9), cluster=there)) == [number**2 for number in range(9)]
    dead["tcp://127.0.0.1:9"] = ImportError("no segeval")
    with pytest.raises(WorkerError, match="9 cannot run segeval"):
        list(ordered_map(square, range(9), cluster=there))


def test_a_cluster_without_workers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PATIENCE", 1.0)
    monkeypatch.setattr("distributed.LocalCluster.scale", lambda *_: None)
    message = r"has had no worker for 1 seconds; start some, .*`; a script .* `if __name__ == "
    with pytest.raises(WorkerError, match=message):
        list(ordered_map(square, range(9), threads=True, cluster=Cluster()))


def test_masks_that_a_worker_does_not_see_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def exists(_: str) -> bool:
        return threading.current_thread() is threading.main_thread()

    monkeypatch.setattr("os.path.exists", exists)
    message = rf"^a worker of the cluster, .*, does not see {__file__}, which is here; share"
    with pytest.raises(WorkerError, match=message):
        list(ordered_map(square, [Seen(n) for n in range(9)], threads=True, cluster=Cluster()))


def test_relative_paths_need_the_folder_of_the_program() -> None:
    versions = engine.stated_versions()
    order, here = pickle.dumps((square, [3], ["pred/one.png"])), (versions, "/elsewhere")
    refused = engine.work_on(order, *here)
    assert isinstance(refused, str)
    assert refused.endswith("not /elsewhere; name the masks by absolute paths")
    order = pickle.dumps((square, [3], [__file__]))
    assert engine.work_on(order, *here)[:2] == ([9], None)


def test_a_scheduler_that_is_not_there(masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CONNECTING", 0.2)
    dask = "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"
    done = segeval("score", "pred", "truth", *dask, "-o", "run.segeval", cwd=masks, expect=3)
    assert "segeval: the scheduler tcp://127.0.0.1:9 cannot be reached: " in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--scheduler tcp://a:1", "--scheduler is of Dask; add --engine dask, or leave it out"),
        ("--engine dask --scheduler a:1", "--scheduler 'a:1' is no address; type e.g. tcp://"),
        (
            "--engine dask --scheduler tcp://a:1 --workers 2",
            "--workers are of this machine; leave it out, or leave out --scheduler",
        ),
        ("--engine ray", "'ray' is not one of 'local', 'dask'"),
    ],
)
def test_engines_that_make_no_sense_are_refused(masks: Path, options: str, message: str) -> None:
    done = segeval("score", "pred", "truth", *options.split(), cwd=masks, expect=2)
    assert message in done.stderr


def test_without_dask_its_extra_is_named(masks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    done = segeval("score", "pred", "truth", "--engine", "dask", cwd=masks, expect=2)
    assert 'type `pip install "segeval-masks[dask]"`' in done.stderr
