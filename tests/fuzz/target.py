"""What a target of fuzzing is, and how a reader is asked."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fuzz.mutate import Mutator

from segeval.errors import SegevalError

Read = Callable[[Path, bytes], str]


class FindingError(Exception):
    """Something came of an input that may not."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Valid inputs by name, what damages them, and what reads a file."""

    seeds: Callable[[], dict[str, bytes]]
    mutators: Sequence[Mutator]
    read: Read


def attempt(read: Callable[[], Any]) -> tuple[Any, str]:
    """Return what was read, or nothing and the reason why it was refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return read(), ""
    except SegevalError as error:
        if "not enough memory" in str(error):
            raise FindingError(str(error)) from error
        return None, str(error)
