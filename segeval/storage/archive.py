"""Archives: a list of entries, of which only what is plain is read.

Entries whose names lead elsewhere or stand twice, links, encrypted ones, archives in archives and
whatever inflates to far more than it could hold are refused by name.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable
from functools import cached_property
from typing import Final

from segeval.storage.path import ARCHIVE
from segeval.storage.source import Source
from segeval.storage.store import AT_ONCE, Entry, Fault, StorageError

RATIO: Final = 200  # how many times more than its bytes an entry may hold that is large
ELSEWHERE: Final = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:[/\\]|\\|\0")
REFUSED: Final = {
    "unsafe entry": "its name leads out of the archive",
    "entry twice": "it stands in the archive twice; keep one of them",
    "link in archive": "it is a link or a device, no file; store the file itself",
    "encrypted entry": "it is encrypted; write the archive without a password",
    "archive in archive": "it is an archive itself; store the files in it, or name it by itself",
    "overlapping entries": "its bytes belong to another entry too, as in a bomb",
    "unknown compression": "it is compressed in a way that is not read; use deflate, or store it",
    "entry too large": f"it inflates to over {RATIO} times its size, as a bomb does",
}
"""What is said of entries, by kind."""


class Archive(ABC):
    """The entries of an archive by name, and what is refused of them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.entries: dict[str, Entry] = {}
        self.refused: list[Fault] = []

    def take(self, name: str, size: int, mark: str, where: object, kind: str) -> None:
        """Add an entry; one that is of a kind of fault is refused."""
        if ELSEWHERE.search(name):
            kind = "unsafe entry"
        elif "//" in name or "./" in name:
            name = "/".join(part for part in name.split("/") if part not in {"", "."})
        if not kind and ARCHIVE.search(name, max(0, len(name) - 8)):
            kind = "archive in archive"
        if not kind and name in self.entries:
            kind = "entry twice"
        if kind:
            self.refused.append(Fault(name, kind, REFUSED[kind]))
        else:
            self.entries[name] = Entry(name, size, mark, where)

    @cached_property
    def ordered(self) -> list[str]:
        """The names of all files, in order."""
        return sorted(self.entries)

    @cached_property
    def _said(self) -> dict[str, str]:
        """What is said of refused entries, by name; the first of two is one of them."""
        return {each.name: each.detail for each in self.refused}

    def faults(self, folder: str) -> list[Fault]:
        """Return what is refused below a folder, or lies nowhere."""
        start = folder and f"{folder}/"
        return [
            each
            for each in self.refused
            if each.name.startswith(start) or each.kind == "unsafe entry"
        ]

    def names(self, folder: str) -> list[str]:
        """Return the names of all files below a folder, from the folder on, in order."""
        if not folder:
            return self.ordered
        start = f"{folder}/"
        first = bisect_left(self.ordered, start)
        last = bisect_left(self.ordered, f"{folder}0", first)  # 0 comes after the slash
        return [name[len(start) :] for name in self.ordered[first:last]]

    def has_folder(self, folder: str) -> bool:
        """Whether there is such a folder, with a file in it or something that is refused."""
        refused = any(each.name.startswith(f"{folder}/") for each in self.refused)
        return not folder or refused or bool(self.names(folder))

    def entry(self, name: str) -> Entry:
        """Return a file; what is refused is said."""
        if (detail := self._said.get(name)) is not None:
            raise StorageError(detail)
        if (found := self.entries.get(name)) is not None:
            return found
        raise FileNotFoundError(2, "the archive holds no such entry", name)

    def expect(self, name: str) -> None:
        """Begin to fetch a file that will be asked for, if the archive is far away."""
        if (entry := self.entries.get(name)) is not None:
            self.source.expect(*self.span(entry))

    @abstractmethod
    def span(self, entry: Entry) -> tuple[int, int]:
        """Return where the bytes of a file begin in the archive, and how many there are."""

    @abstractmethod
    def read(self, entry: Entry) -> bytes:
        """Return all bytes of a file, which are what they were when it was written."""

    @abstractmethod
    def reader(self, entry: Entry) -> Callable[[int, int], bytes]:
        """Return what reads so many bytes of a file from a place on."""


def is_bomb(size: int, packed: int) -> bool:
    """Whether an entry is large, and larger than files of masks are."""
    return size > AT_ONCE and size > RATIO * packed
