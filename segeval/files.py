"""Write report files whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, Final

from segeval.errors import OutputError
from segeval.storage.path import StoredPath
from segeval.text import reason_of

STDOUT: Final = Path("-")  # typed for stdout in the place of a file
NO_PLACE: Final = "nothing is written into an archive or to an address; name a file of this machine"


def real_path(path: Path) -> Path:
    """Return where a path leads in the end; links in a circle are an OSError with its name."""
    try:
        found = Path(os.path.realpath(path))
    except FileNotFoundError as error:
        reason = "the working folder was deleted; change into one that is there"
        raise FileNotFoundError(error.errno, reason, str(path)) from error
    if found.is_symlink():
        raise OSError(errno.ELOOP, "its links lead in a circle", str(path))
    return found


def check_writable(texts: Iterable[Path], others: Iterable[Path] = ()) -> None:
    """Refuse, before any work is done, places where no file can be made; make their folders.

    A report that is a text never replaces what is none: a mask or a run is named by mistake.
    """
    seen: set[Path] = set()
    texts = [*texts]
    for path in (*texts, *others):
        if path in seen:
            raise OutputError(f"{path} is named for two reports; give each a file of its own")
        seen.add(path)
        if isinstance(path, StoredPath):
            raise OutputError(f"{path}: {NO_PLACE}")
        if path.is_dir():
            raise OutputError(f"{path} is a folder; give the name of a file in it")
        if path in texts and path.is_file() and not _is_text(path):
            raise OutputError(
                f"{path} is there, and no text that a report may replace; name another file"
            )
        if path != STDOUT and not _is_stream(path):
            os.unlink(_temporary(real_path(path)))


def write_text(path: Path, text: str) -> None:
    """Write a text; see `write_bytes`."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    try:
        with nullcontext(path) if _is_stream(path) else put_in_place(path) as target:
            target.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason_of(error)}") from error


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """Open a text that is written bit by bit; it is put in place at the end, or not at all."""
    try:
        with (
            nullcontext(path) if _is_stream(path) else put_in_place(path) as target,
            open(target, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
        ):
            yield file
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason_of(error)}") from error


@contextmanager
def put_in_place(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes its place when all is well, so that no half file is seen."""
    target = Path(_temporary(real_path(path)))
    try:
        yield target
        os.replace(target, real_path(path))
    except BaseException:
        with suppress(OSError):
            os.unlink(target)
        raise


def _is_text(path: Path) -> bool:
    """Whether a file begins like a text; one that cannot be read is said to when it is written."""
    try:
        with path.open("rb") as file:
            return b"\0" not in file.read(1024)
    except OSError:
        return True


def _is_stream(path: Path) -> bool:
    """Whether the path is a device or a pipe, which is written to and never replaced."""
    return path.exists() and not path.is_file()


def _temporary(path: Path) -> str:
    """Make an empty temporary file beside a path, with the permissions of an ordinary new file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: no file can be made in {path.parent}: {reason_of(error)}; "
            "choose another folder"
        ) from error
    mask = os.umask(0)
    os.umask(mask)
    os.chmod(name, 0o666 & ~mask)
    os.close(handle)
    return name
