"""Which tests reach a function, and what they say of a change in it; all of it runs in forks."""

import functools
import hashlib
import importlib.machinery
import json
import math
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import Phase, settings
from mutants.changes import MODULE, Mutant, mutated

ROOT: Final = Path(__file__).parents[2]
REACH: Final = ROOT / "build" / "mutants.json"
ELSEWHERE: Final = set("browser docs fuzz viewer pictures storage mutants test_benchmarks".split())
OWN, OTHERS = 40.0, 20.0  # seconds of tests that are tried on one mutant: of its room, of others
PATIENCE: Final = 5  # times as long as tests take otherwise, after which they are ended
UNLIMITED: Final = resource.RLIM_INFINITY

Tests = dict[str, tuple[float, list[str]]]  # seconds of each test, and the functions it reaches


class Reach:
    """What each test takes, and which functions of the rooms it calls."""

    def __init__(self) -> None:
        self.tests: Tests = {}
        self._now: set[str] = set()
        self._names: dict[Any, str | None] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Follow the calls of one test."""
        _forget()
        self._now = set()
        start = _spent()
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            if item.nodeid in self.tests:
                self.tests[item.nodeid] = (_spent() - start, sorted(self._now))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep tests that pass."""
        if report.when == "call" and report.passed:
            self.tests[report.nodeid] = (0.0, [])

    def _call(self, frame: Any, _event: str, _argument: Any) -> None:
        code = frame.f_code
        if code not in self._names:
            path = Path(code.co_filename)
            inside = path.is_relative_to(ROOT / "segeval")
            name = code.co_qualname.partition(".<locals>")[0]
            name = MODULE if name.startswith("<") else name
            self._names[code] = f"{path.relative_to(ROOT)} {name}" if inside else None
        if (name := self._names[code]) is not None:
            self._now.add(name)


class Chosen:
    """Some tests, run in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}

    def pytest_sessionstart(self) -> None:
        """Have random examples that are always the same, and the first that fails."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", deadline=None, database=None, derandomize=True, phases=phases
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all other tests."""
        chosen = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(chosen, key=lambda item: self.place[item.nodeid])


def _spent() -> float:
    """Return the seconds of the processor, those of programs that have ended included."""
    return sum(os.times()[:4])


def _forget() -> None:
    """Empty what functions remember, so that each test calls them again."""
    for name, module in list(sys.modules.items()):
        if name.startswith("segeval"):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()


def run_tests(files: list[str], *plugins: Any, options: tuple[str, ...] = ()) -> int:
    """Run tests in this process, without output."""
    base = Path(tempfile.gettempdir()) / f"mutants-{os.getppid()}"
    plain = "-q -p no:cacheprovider -p no:xdist --assert=plain --basetemp".split()
    return int(pytest.main([*plain, str(base), *options, *files], list(plugins)))


def in_child(work: Callable[[], int], seconds: float = math.inf) -> int | None:
    """Return the exit code of some work in a fork, or None if it took too long."""
    if (child := os.fork()) == 0:
        code = 70
        try:
            os.setsid()
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(silence, stream)
            if seconds < math.inf:
                resource.setrlimit(
                    resource.RLIMIT_CPU, (math.ceil(seconds), resource.RLIM_INFINITY)
                )
            code = work()
        finally:
            os._exit(code)
    end = time.monotonic() + 4 * seconds  # others may use the processor
    try:
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                late = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
                return None if late else os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        return None
    finally:
        try:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def reach_of_tests() -> Tests:
    """Return what each test reaches; tests are run whose files have changed."""
    kept = json.loads(REACH.read_text()) if REACH.exists() else {}
    files = [
        f for f in ROOT.glob("tests/**/test_*.py") if ELSEWHERE.isdisjoint({f.parts[-2], f.stem})
    ]
    files += [f for f in ROOT.glob("segeval/**/*.py") if ">>> " in f.read_text()]
    marks = {str(f.relative_to(ROOT)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    stale = [file for file, mark in marks.items() if kept.get(file, [""])[0] != mark]
    if stale:
        print(f"running {len(stale)} files of tests, to see what they reach", flush=True)
        in_child(lambda: _trace(stale, marks, kept))
        kept = json.loads(REACH.read_text())
    return {t: found for file in marks for t, found in kept[file][1].items()}


def _trace(stale: list[str], marks: dict[str, str], kept: dict[str, Any]) -> int:
    reach = Reach()
    run_tests(stale, reach)
    kept |= {file: [marks[file], {}] for file in stale}
    for test, found in reach.tests.items():
        kept[test.partition("::")[0]][1][test] = found
    REACH.parent.mkdir(exist_ok=True)
    REACH.write_text(json.dumps(kept))
    return 0


def tests_of(mutant: Mutant, reach: Tests, near: tuple[str, ...]) -> list[list[str]]:
    """Return the tests that reach a function, the quick ones first: of its room, and others."""
    name = f"{mutant.path} {mutant.function}"
    found = [t for t, (_, names) in reach.items() if name in names]
    if mutant.function == MODULE or not found:
        file = f"{mutant.path} "
        found = [t for t, (_, names) in reach.items() if any(n.startswith(file) for n in names)]
    stages: list[list[str]] = []
    for budget, mine in ((OWN, True), (OTHERS, False)):
        stage, spent = [], 0.0
        for test in sorted((t for t in found if t.startswith(near) == mine), key=reach.__getitem__):
            spent += reach[test][0]
            if spent < budget:
                stage.append(test)
        stages.append(stage)
    return [stage for stage in stages if stage]


def outcome(mutant: Mutant | None, stages: list[list[str]], reach: Tests) -> str:
    """Return whether a mutant was killed, survived, or took too long; of None, what is there."""
    for tests in stages:
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))

        def work(tests: list[str] = tests, files: list[str] = files) -> int:
            if mutant:
                _import_changed(mutant)
            return run_tests(files, Chosen(tests), options=("-x",))

        expected = sum(reach[test][0] for test in tests) + len(files) / 4 + 4
        code = in_child(work, PATIENCE * expected)
        if code != 0:
            return "killed" if code else "timeout"
    return "survived"


def _import_changed(mutant: Mutant) -> None:
    """Import a module with its change from now on."""
    loader: Any = importlib.machinery.SourceFileLoader
    usual, code = loader.get_code, mutated(ROOT, mutant)

    def get_code(self: Any, name: str) -> Any:
        return code if self.path == str(ROOT / mutant.path) else usual(self, name)

    loader.get_code = get_code
