"""What the command line says: data on stdout, speech on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

import typer

from segeval.cli.github import annotated
from segeval.errors import OutputError, Problem
from segeval.text import listed as shown

LISTED: Final = 20  # problems of one kind that are listed before the rest is only counted
ALIKE: Final = 3  # problems that differ in nothing but the name, before they become one line
SHOWN: Final = 3  # names in a notice


def write_stdout(content: str | bytes) -> None:
    """Write data to stdout; a reader that has gone away (``| head``) is no error."""
    try:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(content)
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputError(f"stdout cannot be written: {error.strerror or error}") from error


def notify(message: str, *, quiet: bool = False) -> None:
    """Write speech to stderr; on GitHub, notices and errors as annotations."""
    if not quiet:
        typer.echo(_colored(annotated(message)), err=True)


def _colored(message: str) -> str:
    """Colour how speech begins, on a terminal."""
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        for start, color in (("segeval:", "red"), ("notice:", "yellow")):
            if message.startswith(start):
                return typer.style(start, fg=color, bold=True) + message.removeprefix(start)
    return message


def describe_problems(
    problems: Sequence[Problem], *, listed: int | None = LISTED, more: str = ""
) -> str:
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
            names = shown([problem.name for problem in group], ALIKE)
            lines.append(f"  {kind} ({len(group)}: {names}{more}): {group[0].detail}")
        if listed is not None and len(single) > listed:
            lines.append(f"  {kind}: and {len(single) - listed} more{more}")
    return "\n".join(lines)


def _pattern(problem: Problem) -> str:
    """Return what a problem says, without its name where that stands in a path or in quotes."""
    return re.sub(rf"(?<=[/']){re.escape(problem.name)}(?![^\W_])", "", problem.detail)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Write rows below each other, their cells in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)


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
