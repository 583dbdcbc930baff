"""Objects that a server holds, by the address that fsspec knows them by.

Credentials come from where its libraries look for them: the environment and their own files, never
an address. What is read is what was listed, byte for byte in number; a cut connection is no end.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import lru_cache, partial
from typing import Any, Final

from segeval.storage.retries import POOL, answer
from segeval.storage.store import Entry, Fault, StorageError
from segeval.storage.windows import Windows

LIBRARIES: Final = {
    "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
    "https": "aiohttp", "http": "aiohttp", "hf": "huggingface_hub", "memory": "",
}  # fmt: skip
"""The schemes of addresses that are read, and the library that each needs beside fsspec."""
EXTRA: Final = {"", "s3fs", "gcsfs", "aiohttp"}  # what the extra brings
HOSTILE: Final = re.compile(r"[\x00-\x1f\x7f\\]|::|(?:^|/)\.\.?(?:/|$)")
MARKS: Final = "ETag", "etag", "content_md5", "md5Hash", "xet_hash", "blob_id", "Last-Modified"
TIMES: Final = "LastModified", "last_modified", "updated", "mtime", "created"
AHEAD: Final = 16 << 20  # bytes of a file that may be read before it is asked for


def remote_store(url: str) -> RemoteStore:
    """Return the store of an address; one that is no plain address is refused."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme not in LIBRARIES:
        known = ", ".join(f"{each}://" for each in LIBRARIES)
        raise StorageError(f"{scheme}:// is not read; expected {known} or a path")
    if "@" in rest.partition("/")[0] and scheme not in {"abfs", "az", "hf"}:
        raise StorageError("it holds a name or password; leave these to the environment")
    if not rest or HOSTILE.search(rest.partition("?")[0]):
        raise StorageError(
            "it is no plain address: no '..', no '::', no backslashes, no tabs or line ends"
        )
    return _store(scheme)


def is_object(url: str) -> bool:
    """Whether there is an object; one that cannot be asked about is taken for one, and says why."""
    try:
        remote_store(url).entry(url)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


@lru_cache(maxsize=16)
def _store(scheme: str) -> RemoteStore:
    return RemoteStore(scheme)


def look_again() -> None:
    """Forget what has been listed and read, so that what has changed is seen."""
    _store.cache_clear()


class RemoteStore:
    """The objects of one scheme."""

    def __init__(self, scheme: str) -> None:
        self.scheme = scheme
        self._lock = threading.Lock()
        self._known: dict[str, Entry] = {}  # what was listed
        self._listed: dict[str, tuple[list[str], list[Fault]]] = {}  # by folder
        self._faults: dict[str, StorageError] = {}  # of what could not be asked about
        self._coming: dict[tuple[int, str], Future[bytes | None]] = {}  # read ahead here

    @property
    def system(self) -> Any:
        """The file system, which fsspec keeps for each process."""
        library = LIBRARIES[self.scheme]
        try:
            import fsspec

            return fsspec.filesystem(self.scheme)
        except ImportError as error:
            extra = '"segeval-masks[remote]"' if library in EXTRA else f"fsspec {library}"
            raise StorageError(
                f"{self.scheme}:// is read by libraries that are not installed; "
                f"type pip install {extra}"
            ) from error

    def faults(self, folder: str) -> list[Fault]:
        """Return what is refused below a folder."""
        return self._list(folder)[1]

    def names(self, folder: str) -> list[str]:
        """Return the names of all files below a folder, from the folder on, in order."""
        return self._list(folder)[0]

    def has_folder(self, folder: str) -> bool:
        """Whether there is anything below a folder."""
        return any(self._list(folder))

    def _list(self, folder: str) -> tuple[list[str], list[Fault]]:
        self._check(folder)
        if folder not in self._listed:
            if self.scheme.startswith("http"):
                raise StorageError(
                    "servers list no folders; name the files in a table of --pairs, or an archive "
                    "that is there"
                )
            system = self.system
            root = system._strip_protocol(folder)  # noqa: SLF001 - fsspec has no other name for it
            try:
                found = self._answer(folder, partial(self._find, system, root))
            except FileNotFoundError:
                found = {}
            self._listed[folder] = self._sort_out(folder, root, found)
        return self._listed[folder]

    @staticmethod
    def _find(system: Any, root: str) -> Mapping[str, Any]:
        system.invalidate_cache()
        found: Mapping[str, Any] = system.find(root, detail=True)
        return found

    def _sort_out(
        self, folder: str, root: str, found: Mapping[str, Any]
    ) -> tuple[list[str], list[Fault]]:
        names, faults = [], []
        for path, facts in found.items():
            name = path.removeprefix(root.rstrip("/")).removeprefix("/")
            if not name or name.endswith("/") or facts.get("type") == "directory":
                continue
            if HOSTILE.search(name) or "//" in name:
                detail = "its name is no path; give the object another one"
                faults.append(Fault(name, "unsafe entry", detail))
                continue
            names.append(name)
            self._known[f"{folder}/{name}"] = _entry(f"{folder}/{name}", facts)
        return sorted(names), faults

    def entry(self, name: str) -> Entry:
        """Return an object; the server is asked about it unless it was listed."""
        self._check(name)
        if (known := self._known.get(name)) is None:
            try:
                facts = self._answer(name, partial(self.system.info, name))
            except FileNotFoundError:
                facts = {"type": "directory"}
            if facts.get("type") == "directory":
                raise FileNotFoundError(2, "there is nothing at this address", name)
            known = self._known[name] = _entry(name, facts)
        return known

    def _answer(self, name: str, request: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return what a server says; who was waited for in vain is not asked again."""
        try:
            return answer(request)
        except StorageError as error:
            self._faults[name] = error
            raise

    def _check(self, name: str) -> None:
        if (fault := self._faults.get(name)) is not None:
            raise StorageError(*fault.args)

    def read(self, entry: Entry) -> bytes:
        """Return all bytes of an object."""
        with self._lock:
            coming = self._coming.pop((os.getpid(), entry.name), None)
        data = None if coming is None else answer(coming)
        return answer(partial(self._fetch, entry)) if data is None else data

    def expect(self, name: str) -> None:
        """Begin to read an object that will be asked for."""
        key = os.getpid(), name  # no thread of a process that was forked will answer
        with self._lock:
            if key not in self._coming:
                self._coming[key] = POOL.submit(partial(self._fetch_named, name))

    def _fetch_named(self, name: str) -> bytes | None:
        """Fetch an object that is not large."""
        if (entry := self._known.get(name)) is None:
            entry = self._known[name] = _entry(name, self.system.info(name))
        return self._fetch(entry) if entry.st_size <= AHEAD else None

    def _fetch(self, entry: Entry, start: int = 0, end: int | None = None) -> bytes:
        """Fetch a part, as all of an object is asked about once more by the library of S3."""
        end = entry.st_size if end is None else end
        if (wanted := end - start) <= 0:
            return b""
        data: bytes = self.system.cat_file(entry.name, start=start, end=end)
        if len(data) == entry.st_size > wanted:
            raise ValueError("the server gives no parts of files; fetch it to this machine first")
        if len(data) != wanted:
            raise StorageError(f"{len(data)} bytes came, and not {wanted}")
        return data

    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads parts of a large object."""
        return Windows(partial(self._fetch, entry), entry.st_size).read_at

    def source(self, name: str) -> Windows:
        """Return what reads any part of an object."""
        entry = self.entry(name)
        return Windows(partial(self._fetch, entry), entry.st_size)


def _entry(name: str, facts: Mapping[str, Any]) -> Entry:
    """Return an object as a server tells of it."""
    if (size := facts.get("size")) is None:
        raise StorageError("the server does not say how many bytes it has")
    tells = next((facts[key] for key in (*MARKS, *TIMES) if facts.get(key)), "")
    mark = re.sub(r"[^\w.:+-]", "", str(tells))
    return Entry(name, int(size), mark and f"etag:{mark}")
