"""What the command line says: data on stdout, speech on stderr.

A name may hold whatever a terminal or a CI server obeys. So people see it as `visible`; what is
data keeps it, but on a terminal.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TextIO

import typer

from segeval.cli.github import annotated, harmless
from segeval.errors import OutputError, Problem
from segeval.text import listed as in_short
from segeval.text import reason_of, shortened, visible

LISTED: Final = 20  # problems of one kind that are listed before the rest is only counted
ALIKE: Final = 3  # problems that differ in nothing but the name, before they become one line
SHOWN: Final = 3  # names in a notice
LONGEST: Final = 10_000  # characters of a line that is said: two paths, and what is wrong with them
WIDEST: Final = 1000  # columns that are filled, whatever the environment says


def write_lines(lines: Iterable[str]) -> None:
    """Write lines for people to stdout."""
    write_stdout("".join(f"{visible(line)}\n" for line in lines))


def write_stdout(content: str | bytes, *, drawn: bool = False) -> None:
    """Write data to stdout; a reader that has gone away (``| head``) is no error.

    What is drawn has colours of its own, and names in it are visible already.
    """
    try:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            text = content if drawn or not sys.stdout.isatty() else visible(content, keep="\n")
            sys.stdout.write(text if _is_file(sys.stdout) else harmless(text))
        sys.stdout.flush()
    except OSError as error:
        _let_go(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"stdout cannot be written: {reason_of(error)}") from error


def _let_go(stream: TextIO) -> None:
    """Write no more to a stream that nobody reads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_file(stream: TextIO) -> bool:
    """Whether a stream ends in a regular file, which nobody reads while it is written."""
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # it has no file at all
        return False


def notify(*lines: str, quiet: bool = False) -> None:
    """Write lines of speech to stderr; on GitHub, notices and errors as one annotation."""
    if not quiet:
        said = "\n".join(shortened(visible(line), LONGEST) for line in lines)
        try:
            typer.echo(_colored(annotated(said)), err=True)
        except BrokenPipeError:  # as of `2>&1 | head`
            _let_go(sys.stderr)


def _colored(message: str) -> str:
    """Colour how speech begins, on a terminal."""
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        for start, color in (("segeval:", "red"), ("notice:", "yellow")):
            if message.startswith(start):
                return typer.style(start, fg=color, bold=True) + message.removeprefix(start)
    return message


def describe_problems(
    problems: Sequence[Problem], *, listed: int | None = LISTED, more: str = ""
) -> list[str]:
    """Write every problem on a line, kind by kind; those alike but for the name may share one."""
    kinds: dict[str, dict[str, list[Problem]]] = defaultdict(lambda: defaultdict(list))
    for problem in problems:
        kinds[problem.kind][problem.name if listed is None else _pattern(problem)].append(problem)
    lines = []
    for kind, alike in kinds.items():
        single = [
            p for each in alike.values() if listed is None or len(each) <= ALIKE for p in each
        ]
        lines += [f"  {kind}: {problem.detail}" for problem in single[:listed]]
        for group in (each for each in alike.values() if listed is not None and len(each) > ALIKE):
            names = in_short([problem.name for problem in group], ALIKE)
            lines.append(f"  {kind} ({len(group)}: {names}{more}): {group[0].detail}")
        if listed is not None and len(single) > listed:
            lines.append(f"  {kind}: and {len(single) - listed} more{more}")
    return lines


def _pattern(problem: Problem) -> str:
    """Return what a problem says, without its name where that stands in a path or in quotes."""
    return re.sub(rf"(?<=[/']){re.escape(problem.name)}(?![^\W_])", "", problem.detail)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines, their cells in columns."""
    rows = [[*map(visible, row)] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return [line.rstrip() for line in lines]


def terminal_width() -> int:
    """Return the columns of the terminal, or what the environment says of it within reason."""
    return min(shutil.get_terminal_size().columns, WIDEST)


def progress_bar(*, quiet: bool) -> Callable[[int, int], None] | None:
    """Return a callback that draws progress on stderr, if anyone can see it."""
    if quiet or not sys.stderr.isatty():
        return None
    from tqdm import tqdm

    bar = tqdm(unit="pair", leave=False, file=sys.stderr)

    def advance(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return advance
