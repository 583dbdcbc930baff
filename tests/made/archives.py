"""Archives made for tests, of folders and of hostile entries."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

Entries = Iterable[tuple[str, bytes]]


def contents(folder: Path) -> list[tuple[str, bytes]]:
    """Return the names and bytes of all files below a folder, in order."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]


def zipped(path: Path, entries: Entries, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a ZIP archive."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def tarred(path: Path, entries: Entries, mode: Literal["w", "w:gz"] = "w") -> Path:
    """Write a tar archive."""
    with tarfile.open(path, mode) as archive:
        for name, data in entries:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def packed(path: Path, entries: Entries) -> Path:
    """Write an archive of the kind that its name says."""
    if path.suffix == ".zip":
        return zipped(path, entries)
    return tarred(path, entries, "w" if path.suffix == ".tar" else "w:gz")
