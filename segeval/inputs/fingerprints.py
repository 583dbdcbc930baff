"""Tell whether a file is still the one that was counted, mostly without reading it."""

import hashlib
import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Place, stored_path
from segeval.inputs.files import OpenFile, opened
from segeval.storage.path import StoredPath
from segeval.storage.store import Entry

PIECE: Final = 1 << 20  # bytes that are read at once
GRAIN: Final = 20_000_000  # nanoseconds in which two changes may bear the same time stamp


def fingerprint(status: os.stat_result | Entry, content: bytes) -> str:
    """Return the fingerprint of a file that has just been read, parted by spaces.

    Size in bytes, times of the last change of content and entry and of reading in nanoseconds, and
    half of the SHA-256 of the content. Of what lies in a store, its mark stands for the times.
    """
    return _written(len(content), status, _digest(content))


def fingerprint_of(*files: OpenFile) -> str:
    """Return the fingerprint of a file too large to be held, which must be as it was opened.

    That of a file with another one beside it fits no file, so that both are always read again.
    """
    digest = hashlib.sha256()
    for file in files:
        file.stream.seek(0)
        for piece in iter(partial(file.stream.read, PIECE), b""):
            digest.update(piece)
        status = file.status
        if isinstance(status, os.stat_result):
            now = os.stat(file.path)
            if (now.st_size, now.st_mtime_ns) != (status.st_size, status.st_mtime_ns):
                raise MaskError("it changes while it is read; wait until it is written")
    half = digest.hexdigest()[:32]
    return f"-1 0 0 0 {half}" if len(files) > 1 else _written(status.st_size, status, half)


def still(path: Path | str, known: str) -> str | None:
    """Return the fingerprint of a file if size and times, or else its content, are as they were."""
    size, changed, entered, read, digest = known.split()
    try:
        if isinstance(path, StoredPath):
            entry = path.entry()
            if (entry.st_size, entry.mark) == (int(size), changed):
                return known
            content = path.read_bytes() if entry.st_size == int(size) else b""
            return fingerprint(entry, content) if _digest(content) == digest else None
        times = int(changed), int(entered)
        status = os.stat(path)
        if status.st_size != int(size):
            return None
        settled = max(times) < int(read) - GRAIN
        if (status.st_mtime_ns, status.st_ctime_ns) == times and settled:
            return known
        with opened(Path(path)) as file:
            content = file.content(int(size))
    except (OSError, ValueError, MaskError):
        return None
    return fingerprint(status, content) if _digest(content) == digest else None


def still_all(masks: Sequence[Place], stored: Sequence[str], known: str) -> str | None:
    """Return the fingerprints, a line each, of the masks of a pair if none has changed or moved."""
    marks = known.splitlines()
    if list(map(stored_path, masks)) != list(filter(None, stored)):
        return None
    now = [
        still_rows(mask, mark) if isinstance(mask, Annotation) else still(mask, mark)
        for mask, mark in zip(masks, marks, strict=False)
    ]
    return None if None in now or len(now) < len(masks) else "\n".join(filter(None, now))


def still_rows(annotation: Annotation, known: str) -> str | None:
    """Return the fingerprint of an annotation if its rows are as they were."""
    try:
        return known if annotation.fingerprint() == known else None
    except MaskError:
        return None


def same_files(one: str, other: str) -> bool:
    """Whether fingerprints, a line a file, are known, and of the same files."""
    marks = [[mark.split() for mark in each.splitlines()] for each in (one, other)]
    first, second = ([mark[:3] + mark[4:] for mark in each] for each in marks)  # not when read
    return bool(first) and first == second


def _written(size: int, status: os.stat_result | Entry, digest: str) -> str:
    if isinstance(status, Entry):
        return f"{size} {status.mark or 0} 0 0 {digest}"
    return f"{size} {status.st_mtime_ns} {status.st_ctime_ns} {time.time_ns()} {digest}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
