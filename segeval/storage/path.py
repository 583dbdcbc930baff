"""Paths into archives and object stores, which go wherever a path goes.

``masks.zip/val/a.png`` names an entry of an archive, ``s3://bucket/val/a.png`` an object, and
``set.parquet/mask/17`` a row of a table. Such a path answers as that of a file or folder does;
nothing is ever unpacked beside the archive.
"""

from __future__ import annotations

import os
import pathlib
import re
import sys
from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from segeval.storage.store import Entry, Fault, Store

    LocalPath = Path
else:
    LocalPath = type(pathlib.Path())

ARCHIVE: Final = re.compile(r"\.(?:zip|tar|tgz|tar\.gz|tar\.zst)(?=/|$)", re.IGNORECASE)
TABLES: Final = ".parquet", ".arrow", ".feather"  # of images, whose rows are files
HOLDER: Final = re.compile(
    rf"{ARCHIVE.pattern}|(?:{'|'.join(map(re.escape, TABLES))})(?=/|$)", re.IGNORECASE
)
URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")  # one letter is a drive of Windows


class StoredPath(LocalPath):
    """The path of a file or folder in an archive or an object store."""

    __slots__ = ("_written",)

    def __str__(self) -> str:
        """Write the path as it is typed; `pathlib` keeps one slash of two."""
        try:
            return self._written
        except AttributeError:
            text = super().__str__()
            found = URL.match(text)
            self._written: str = text if found is None else f"{found[1]}://{text[found.end() :]}"
            return self._written

    def __fspath__(self) -> str:
        """Return the path as text."""
        return str(self)

    def store(self) -> tuple[Store, str]:
        """Return where it lies, and its name there; what cannot be opened is an OSError."""
        text = str(self)
        archive, name = _parted(text)
        if archive:
            from segeval.storage.archives import archive_at

            return archive_at(archive), name
        if URL.match(text):
            from segeval.storage.remote import remote_store

            return remote_store(text), text
        raise FileNotFoundError(2, "it is no path into an archive, and no address", text)

    def entry(self) -> Entry:
        """Return what is known of the file without reading it."""
        store, name = self.store()
        return store.entry(name)

    def read_entry(self) -> tuple[Entry, bytes]:
        """Return what is known of the file, and all of its bytes; a large one is refused."""
        from segeval.storage.store import RECENT

        store, name = self.store()
        entry = store.entry(name)
        return entry, RECENT.read(store, entry)

    def read_bytes(self) -> bytes:
        """Return all bytes of the file."""
        store, name = self.store()
        return store.read(store.entry(name))

    def stream(self) -> IO[bytes]:
        """Return the file as a stream of bytes that can be read in any order."""
        from segeval.storage.store import stream_of

        store, name = self.store()
        return stream_of(store, store.entry(name))

    def names(self) -> list[str]:
        """Return the names of all files below the folder, in order."""
        store, name = self.store()
        return store.names(name)

    def faults(self) -> list[Fault]:
        """Return what stands in the way below the folder, under whole names."""
        store, name = self.store()
        text = str(self)
        base = text if name == text else text[: -len(name) - 1 if name else None]
        return [each._replace(name=f"{base}/{each.name}") for each in store.faults(name)]

    def is_file(self, **_: Any) -> bool:
        """Whether there is such a file."""
        try:
            self.entry()
        except (OSError, ValueError):
            return False
        return True

    def is_dir(self, **_: Any) -> bool:
        """Whether there is such a folder, or the whole is an archive."""
        try:
            store, name = self.store()
            return store.has_folder(name)
        except (OSError, ValueError):
            return False

    def exists(self, **_: Any) -> bool:
        """Whether there is such a file or folder."""
        return self.is_file() or self.is_dir()


def located(path: str | PathLike[str]) -> Path:
    """Return a path as what it is: of a file of the system, or into a store.

    >>> type(located("masks/a.png")) is StoredPath, str(located("s3://bucket/a.png"))
    (False, 's3://bucket/a.png')
    """
    text = os.fspath(path).replace(os.sep, "/")
    return StoredPath(path) if URL.match(text) or _parted(text)[0] else Path(path)


def _parted(text: str) -> tuple[str, str]:
    """Part the path of an archive from a name in it; there may be no archive."""
    folder, slash, name = text.replace(os.sep, "/").rpartition("/")
    archive, inner = _archive_in(folder + slash)
    if not archive and HOLDER.search(name):
        return _archive_in(folder + slash + name)
    return archive, inner + name


@lru_cache(maxsize=1024)  # many files lie in one folder
def _archive_in(text: str) -> tuple[str, str]:
    """Part a path; folders may be called as archives are."""
    ends = (text[: match.end()] for match in HOLDER.finditer(text, _first_place(text)))
    archive = next((each for each in ends if _may_be_archive(each)), "")
    return archive, text[len(archive) + 1 if archive else 0 :]


def _first_place(text: str) -> int:
    """Return where an archive may be named: behind a server; nowhere before a question."""
    if (address := URL.match(text)) is None:
        return 0
    slash = text.find("/", address.end())
    return len(text) if slash < 0 or "?" in text else slash


def _may_be_archive(path: str) -> bool:
    if URL.match(path) is None:
        return not os.path.isdir(path)
    from segeval.storage.remote import is_object

    return is_object(path)


def is_file(path: Path) -> bool:
    """Whether there is a file, here or in a store; False for what can be no path."""
    return path.is_file() if isinstance(path, StoredPath) else os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Whether there is a folder, here or in a store; False for what can be no path."""
    return path.is_dir() if isinstance(path, StoredPath) else os.path.isdir(path)


def is_remote(path: object) -> bool:
    """Whether a path is that of an object, which is worth reading ahead."""
    return isinstance(path, StoredPath) and "://" in str(path)


def look_again() -> None:
    """Forget which objects were listed, so that what has changed is seen."""
    if remote := sys.modules.get("segeval.storage.remote"):
        remote.look_again()
        _archive_in.cache_clear()


def open_stored(path: str | PathLike[str]) -> IO[bytes] | None:
    """Open a file in a store; None for one of the system."""
    found = path if isinstance(path, StoredPath) else located(path)
    return found.stream() if isinstance(found, StoredPath) else None
