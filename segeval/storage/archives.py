"""Archives and tables are told by their first bytes, and listed once a process."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import Final

from segeval.storage.path import URL
from segeval.storage.source import LocalSource, Source
from segeval.storage.store import StorageError, Store, stream_at

BLOCK: Final = 512  # bytes of a header in a tar
USTAR: Final = slice(257, 262)  # where it says what it is
PACKINGS: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstandard"}
PARQUET: Final = b"PAR1"
TABLES: Final = PARQUET, b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"  # of images
_LOCK: Final = threading.Lock()


def archive_at(path: str) -> Store:
    """Return an archive or a table, which is listed anew only where it has changed."""
    if URL.match(path):
        from segeval.storage.remote import remote_store

        entry = remote_store(path).entry(path)
        stamp: tuple[object, ...] = entry.st_size, entry.mark
        mark = entry.mark
    else:
        status = os.stat(path)
        stamp = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
        mark = f"{status.st_size}.{status.st_mtime_ns}"
    with _LOCK:
        return _opened(path, stamp, mark)


@lru_cache(maxsize=8)
def _opened(path: str, stamp: tuple[object, ...], mark: str) -> Store:  # noqa: ARG001 - a key
    source = _source(path)
    start = source.read_at(0, BLOCK)
    if start.startswith(b"PK"):
        from segeval.storage.zips import ZipArchive

        return ZipArchive(source)
    if start.startswith(TABLES):
        return _table(path, source, start)
    packing = next((name for magic, name in PACKINGS.items() if start.startswith(magic)), "")
    if not packing and start[USTAR] != b"ustar" and (len(start) < BLOCK or any(start)):
        found = ascii(start[:8].decode("latin-1"))
        raise StorageError(
            f"no archive: it starts with {found}; expected .zip, .tar, .tar.gz, .parquet or .arrow"
        )
    from segeval.storage.tars import TarArchive

    return TarArchive(source, mark, packing)


def _table(path: str, source: Source, start: bytes) -> Store:
    """Return a table of images."""
    from segeval.storage.tables import ImageTable, ParquetGroups

    if not start.startswith(PARQUET):
        from segeval.storage.arrows import ArrowGroups

        return ImageTable(lambda: ArrowGroups(source, start))
    if URL.match(path) is None:
        return ImageTable(lambda: ParquetGroups(lambda: path))
    return ImageTable(lambda: ParquetGroups(lambda: stream_at(source.read_at, source.size)))


def _source(path: str) -> Source:
    """Return what reads a file of this machine, or an object."""
    if URL.match(path) is None:
        return LocalSource(path)
    from segeval.storage.remote import remote_store

    return remote_store(path).source(path)
