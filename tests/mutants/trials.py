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
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the tests: the seconds of each, and which lines of which functions it runs.

    Of each function, the sets of lines that tests run are numbered.
    """

    tests: dict[str, tuple[float, dict[str, int]]]
    lines: dict[str, list[list[int]]]
    moved: set[str]  # modules that have changed since, so that their lines are unknown


class Reach:
    """What each test takes, and which lines it runs in some folders."""

    def __init__(self, folders: Collection[str], lines: dict[str, list[list[int]]]) -> None:
        self.tests: dict[str, tuple[float, dict[str, int]]] = {}
        self.lines = lines
        self._folders = folders
        self._now: dict[str, set[int]] = {}
        self._names: dict[Any, str | None] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Follow the calls of one test."""
        _forget()
        self._now = {}
        start = _spent()
        threading.settrace(self._call)
        sys.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            if item.nodeid in self.tests:
                ways = {name: self._number(name, lines) for name, lines in self._now.items()}
                self.tests[item.nodeid] = (_spent() - start, ways)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep tests that pass."""
        if report.when == "call" and report.passed:
            self.tests[report.nodeid] = (0.0, {})

    def _number(self, name: str, lines: set[int]) -> int:
        known, wanted = self.lines.setdefault(name, []), sorted(lines)
        if wanted not in known:
            known.append(wanted)
        return known.index(wanted)

    def _call(self, frame: Any, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code not in self._names:
            path = Path(code.co_filename)
            inside = path.is_relative_to(ROOT / "segeval")
            inside = inside and path.relative_to(ROOT / "segeval").parts[0] in self._folders
            name = code.co_qualname.partition(".<locals>")[0]
            name = MODULE if name.startswith("<") else name
            self._names[code] = f"{path.relative_to(ROOT)} {name}" if inside else None
        if (name := self._names[code]) is None:
            return None
        lines = self._now.setdefault(name, set())

        def line(frame: Any, _event: str, _argument: Any) -> Any:
            lines.add(frame.f_lineno)
            return line

        return line


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


def known_tests(folders: Collection[str]) -> Known:
    """Return what is known of the tests; they are run where their file has changed."""
    files = [*ROOT.glob("tests/**/test_*.py")]
    files = [file for file in files if ELSEWHERE.isdisjoint({file.parts[-2], file.stem})]
    files += [file for file in ROOT.glob("segeval/**/*.py") if ">>> " in file.read_text("utf-8")]
    marks = {str(file.relative_to(ROOT)): mark_of(file) for file in files}
    kept = json.loads(REACH.read_text()) if REACH.exists() else {"files": {}, "lines": {}}
    stale = [file for file, mark in marks.items() if kept["files"].get(file, [""])[0] != mark]
    if stale:
        print(f"running {len(stale)} files of tests, to see what they reach", flush=True)
        in_child(lambda: _trace(stale, marks, kept, folders))
        kept = json.loads(REACH.read_text())
    tests = {test: tuple(one) for file in marks for test, one in kept["files"][file][1].items()}
    moved = {path for path, mark in kept["sources"].items() if mark != mark_of(ROOT / path)}
    return Known(tests=tests, lines=kept["lines"], moved=moved)


def mark_of(file: Path) -> str:
    """Return what changes with a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _trace(
    stale: list[str], marks: dict[str, str], kept: dict[str, Any], folders: Collection[str]
) -> int:
    reach = Reach(folders, kept["lines"])
    run_tests(stale, reach)
    kept["files"] |= {file: [marks[file], {}] for file in stale}
    for test, found in reach.tests.items():
        kept["files"][test.partition("::")[0]][1][test] = found
    sources = [file for folder in folders for file in (ROOT / "segeval" / folder).rglob("*.py")]
    kept.setdefault("sources", {str(file.relative_to(ROOT)): mark_of(file) for file in sources})
    REACH.parent.mkdir(exist_ok=True)
    REACH.write_text(json.dumps(kept))
    return 0


def tests_of(mutant: Mutant, known: Known, near: tuple[str, ...]) -> list[list[str]]:
    """Return the tests that run a line, the quick ones first: of its room, then others."""
    file, name = f"{mutant.path} ", f"{mutant.path} {mutant.function}"
    ways = {number for number, on in enumerate(known.lines.get(name, ())) if mutant.line in on}
    tests = known.tests.items()
    found = [test for test, (_, names) in tests if names.get(name) in ways]
    if mutant.path in known.moved or not found:
        found = [test for test, (_, names) in tests if name in names]
    if mutant.function == MODULE or not found:
        found = [test for test, (_, names) in tests if any(n.startswith(file) for n in names)]
    stages: list[list[str]] = []
    for budget, mine in ((OWN, True), (OTHERS, False)):
        stage, spent = [], 0.0
        some = (test for test in found if test.startswith(near) == mine)
        for test in sorted(some, key=lambda test: known.tests[test][0]):
            spent += known.tests[test][0]
            if spent < budget:
                stage.append(test)
        stages.append(stage)
    return [stage for stage in stages if stage]


def outcome(mutant: Mutant | None, stages: list[list[str]], known: Known) -> str:
    """Return whether a mutant was killed, survived, or took too long; of None, what is there."""
    for tests in stages:
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))

        def work(tests: list[str] = tests, files: list[str] = files) -> int:
            if mutant:
                _import_changed(mutant)
            return run_tests(files, Chosen(tests), options=("-x",))

        expected = sum(known.tests[test][0] for test in tests) + len(files) / 4 + 4
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
