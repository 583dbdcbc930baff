"""The masks below a folder by name: links are followed once, and nothing is dropped in silence."""

from __future__ import annotations

import fnmatch
import itertools
import operator
import os
import stat
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final

from segeval.errors import Problem
from segeval.files import real_path
from segeval.inputs.stored import no_stored_folder, stored_files
from segeval.storage.path import StoredPath
from segeval.text import printable, reason_of

IMAGE_EXTENSIONS: Final = frozenset(
    ".png .tif .tiff .bmp .gif .npy .npz .jpg .jpeg .jpe .jp2 .webp "
    ".nii .nii.gz .mha .mhd .nrrd".split()
)  # extensions of the files that are looked at; all others are left alone

EXTENSIONS: Final = IMAGE_EXTENSIONS | {".txt", ".dcm"}  # that are no part of names
LOSSY: Final = (".jpg", ".jpeg", ".jpe", ".jp2", ".webp")  # of photographs
TABULAR: Final = (".json", ".csv", ".tsv")  # of files that are named themselves
FILES: Final = EXTENSIONS | {*TABULAR}  # of what may stand for a folder
DATA: Final = {".raw", ".zraw"}  # extensions of what stands beside a .mhd

LITTER: Final = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # of systems, not of users

Identity = tuple[int, int]  # device and number of a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderIndex:
    """The masks of a folder by name, its problems, and files that are no masks by their names.

    The names ascend. Paths are texts, as there may be millions.
    """

    paths: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    stored: bool = False  # in an archive or an object store

    @property
    def files(self) -> dict[str, Path]:
        """The masks by name."""
        made = StoredPath if self.stored else path_of
        return {name: made(path) for name, path in self.paths.items()}


def index_folder(
    folder: Path,
    side: str,
    suffix: str = "",
    include: str | None = None,
    *,
    wanted: Callable[[str], bool] | None = None,
) -> FolderIndex:
    """Find the masks below a folder, and what stands in the way; or other files, by their names."""
    if (problem := _no_folder(folder, side)) is not None:
        return FolderIndex(paths={}, problems=[problem])
    found: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    index = FolderIndex(paths={}, stored=isinstance(folder, StoredPath))
    for relative, path in _walk_any(folder, index.problems):
        name = pair_name(relative, suffix)
        if name is None or not is_included(include, name, relative):
            continue
        if (wanted or is_mask)(relative):
            if (first := found.setdefault(name, path)) is not path:
                several.setdefault(name, [first]).append(path)
        elif split_extension(relative)[1].lower() not in DATA:
            index.left_out.append(printable(path))
    if not found:
        asked = f" with names ending in {suffix!r}" if suffix else ""
        asked += f" that match {include!r}" if include else ""
        detail = (
            f"{side} folder {folder} holds no masks{asked} ({' '.join(sorted(IMAGE_EXTENSIONS))})"
        )
        others = [path for path in index.left_out if path.lower().endswith(TABULAR)]
        detail += f"; a table or JSON is named itself, as {others[0]}" if others else ""
        index.problems.append(Problem(name=str(folder), kind="no masks", detail=detail))
    for name, paths in sorted(several.items()):
        files, found[name] = ", ".join(sorted(paths)), min(paths)
        detail = f"{files}: the same name on the {side} side; keep one of them"
        index.problems.append(Problem(name=name, kind="two files of one name", detail=detail))
    if not all(map(operator.lt, found, itertools.islice(found, 1, None))):
        found = {name: found[name] for name in sorted(found)}
    return replace(index, paths=found)


def path_of(text: str) -> Path:
    """Return the path of a file of the system; each folder is parsed once."""
    folder, _, file = text.rpartition(os.sep)
    return _folder(folder) / file


_folder = lru_cache(maxsize=64)(Path)


def is_mask(relative: str) -> bool:
    """Whether the name of a file is that of a mask: not hidden, and with a known extension."""
    hidden = relative.startswith(".", relative.rfind("/") + 1)
    return not hidden and split_extension(relative)[1].lower() in IMAGE_EXTENSIONS


@lru_cache(maxsize=1)  # each name is asked for twice
def split_extension(path: str) -> tuple[str, str]:
    """Part a path from its extension, which may be of two parts.

    >>> split_extension("a/b.1.nii.gz"), split_extension("b.1.png")
    (('a/b.1', '.nii.gz'), ('b.1', '.png'))
    """
    stem, _, extension = path.rpartition(".")
    if stem[-1:].isalnum() and extension.isalnum():  # as most are, in half the time
        extension = f".{extension}"
    else:
        stem, extension = os.path.splitext(path)
    if extension.lower() == ".gz" and stem.lower().endswith(".nii"):
        return stem[:-4], path[len(stem) - 4 :]
    return stem, extension


def masks_below(folder: Path, wanted: Callable[[str], bool] = is_mask) -> Iterator[Path]:
    """Yield every mask that is read from a folder, whatever its name is matched with."""
    kind = type(folder)
    return (kind(path) for relative, path in _walk_any(folder, []) if wanted(relative))


def holds_masks(folder: Path) -> bool:
    """Whether a folder holds masks that are no photographs, by the names of files."""
    return any(not path.name.lower().endswith(LOSSY) for path in masks_below(folder))


def is_included(include: str | None, *names: str) -> bool:
    """Whether one of the names of a mask matches a pattern, if there is one."""
    if include is None:
        return True
    return any(fnmatch.fnmatch(normal(name), normal(include)) for name in names)


def _no_folder(folder: Path, side: str) -> Problem | None:
    """Say why a folder cannot be walked, or return nothing."""
    if isinstance(folder, StoredPath):
        return no_stored_folder(folder, side)
    try:
        mode = os.stat(folder).st_mode
    except FileNotFoundError:
        what = "file" if split_extension(folder.name)[1].lower() in FILES else "folder"
        detail = f"{side} {what} {folder} does not exist; check the path"
        return Problem(name=str(folder), kind=f"no such {what}", detail=detail)
    except (OSError, ValueError) as error:
        detail = f"{side} folder {folder} cannot be opened: {reason_of(error)}; check the path"
        return Problem(name=str(folder), kind="no such folder", detail=detail)
    if (place := real_path(folder)).parent == place:
        detail = f"{side} folder {folder} is the root of all folders; name that of the masks"
        return Problem(name=str(folder), kind="not a folder of masks", detail=detail)
    if stat.S_ISDIR(mode):
        return None
    what = "a file" if stat.S_ISREG(mode) else "no folder and no regular file"
    names = " (tables end in .csv, .tsv or .txt, annotations in .json)" * stat.S_ISREG(mode)
    detail = f"{side} {folder} is {what}; give two folders or two files{names}"
    return Problem(name=str(folder), kind="not a folder", detail=detail)


def _walk_any(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield relative and whole paths of all files below a folder, wherever it is."""
    if not isinstance(folder, StoredPath):
        yield from _walk(str(folder), problems)
        return
    for name, path in stored_files(folder, problems):
        last = name.rpartition("/")[2]
        if LITTER.isdisjoint(name.split("/")) and not last.startswith("._"):
            yield normal(name), path


def _walk(top: str, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield relative and whole paths of all files below a folder.

    Each folder is walked under its own name, and once more under that of each link that leads to
    it, unless it lies above the link. Names of fewer links come first.
    """
    waiting: deque[tuple[str, str, tuple[Identity, ...]]] = deque([(top, "", ())])
    followed: set[tuple[Identity, str]] = set()
    while waiting:
        folder, prefix, above = waiting.popleft()
        try:
            status = os.stat(folder)
            here = (status.st_dev, status.st_ino)
            if here in above:
                continue
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=attrgetter("name"))
        except OSError as error:
            detail = f"{folder}: the folder cannot be read: {reason_of(error)}"
            problems.append(Problem(name=folder, kind="unreadable folder", detail=detail))
            continue
        below = []
        for entry in ordered:
            name = entry.name
            if name in LITTER or name.startswith("._"):
                continue
            if name.startswith(".") or not _is_folder(entry):
                yield normal(prefix + name), entry.path
            elif not entry.is_symlink():
                below.append((entry.path, f"{prefix}{name}/", (*above, here)))
            elif (here, name) not in followed:
                followed.add((here, name))
                waiting.append((entry.path, f"{prefix}{name}/", (*above, here)))
        waiting.extendleft(reversed(below))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle: what cannot be opened is told where it is read
        return False


def pair_name(relative: str, suffix: str) -> str | None:
    """Strip extension and suffix from a relative path; None if it lacks the suffix.

    Names of tables may end in anything, as the numbers of DICOM do: that is no extension.
    """
    stem, extension = split_extension(relative)
    name = stem if extension.lower() in EXTENSIONS else relative
    if suffix := normal(suffix):
        ending = next((text for text in (relative, name) if text.endswith(suffix)), None)
        if ending is None:
            return None
        name = ending.removesuffix(suffix)
    return name if name and not name.endswith("/") else None


def normal(text: str) -> str:
    """Write accents in one way, as file systems differ in it, and any bytes so that they show."""
    return text if text.isascii() else unicodedata.normalize("NFC", printable(text))
