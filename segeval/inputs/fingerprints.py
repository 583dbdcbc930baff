"""Tell whether a file is still the one that was counted, mostly without reading it."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Fingerprint", "is_same", "take_fingerprint"]

GRAIN: Final = 20_000_000
"""Nanoseconds within which two changes of a file may bear the same time stamp."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Size in bytes, time of change and time of reading in nanoseconds, digest of the content."""

    size: int
    changed: int
    read: int
    digest: str

    def as_list(self) -> list[int | str]:
        """Return the four values."""
        return list(astuple(self))


def take_fingerprint(path: Path) -> Fingerprint:
    """Take the fingerprint of a file, reading it."""
    status, now = os.stat(path), time.time_ns()
    return Fingerprint(
        size=status.st_size, changed=status.st_mtime_ns, read=now, digest=_digest(path)
    )


def is_same(path: Path, fingerprint: Fingerprint) -> bool:
    """Whether a file is unchanged: by size and time, and by content where these do not tell."""
    try:
        status = os.stat(path)
        if status.st_size != fingerprint.size:
            return False
        settled = fingerprint.changed < fingerprint.read - GRAIN
        if status.st_mtime_ns == fingerprint.changed and settled:
            return True
        return _digest(path) == fingerprint.digest
    except OSError:
        return False


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
