"""The errors that segeval raises, one child for each thing the user must do next.

Each message names the file, what was found, what was expected and what to type next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SegevalError(Exception):
    """Base of every error that segeval raises on purpose."""


class MaskError(SegevalError):
    """A file cannot be read as a mask: mend or replace that file."""


class LabelError(SegevalError):
    """Values and classes do not fit together: name another label map, or mend the label file."""


class SettingError(SegevalError):
    """An option or argument is not understood: spell it otherwise."""


class RunError(SegevalError):
    """A run file cannot be used: name another one, or count again."""


class OutputError(SegevalError):
    """A report cannot be written: choose another place."""


class WorkerError(SegevalError):
    """A worker process died: score with fewer workers, or without the pairs that it names."""


class SegevalWarning(UserWarning):
    """The work is done, in another way than was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that keeps a data set from being scored."""

    name: str  # of a pair, or a folder
    kind: str  # in two or three words, e.g. missing prediction
    detail: str  # the file, what was found, what was expected, what to do


class DataError(SegevalError):
    """A data set has problems, all of which are listed: mend them, or waive them by option."""

    outcome = "nothing was scored"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{problem.kind}: {problem.detail}" for problem in problems))
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        """Rebuild from the problems, so that the error survives a process border."""
        return type(self), (self.problems,)


class WritingError(DataError):
    """Masks or run lengths have problems, and so no file was made of them."""

    outcome = "nothing was written"
