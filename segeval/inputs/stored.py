"""Folders in archives and stores of objects: what they hold, and what stands in the way."""

from collections.abc import Iterator

from segeval.errors import Problem
from segeval.storage.path import ARCHIVE, StoredPath
from segeval.text import printable, reason_of


def no_stored_folder(folder: StoredPath, side: str) -> Problem | None:
    """Say why a folder cannot be walked, or return nothing."""
    what = "archive" if ARCHIVE.search(str(folder)) else "folder"
    try:
        store, name = folder.store()
        if store.has_folder(name):
            return None
        kind, reason = "no such folder", "there is no such folder in the archive, or it is empty"
        if folder.is_file():
            kind, reason = "not a folder", "it is a file; give two folders or two files"
        elif name == str(folder):
            reason = "there is nothing at this address"
    except FileNotFoundError:
        kind, reason = f"no such {what}", "it does not exist"
    except (OSError, ValueError) as error:
        kind, reason = f"unreadable {what}", f"cannot be read: {reason_of(error)}"
    detail = f"{side} {printable(str(folder))}: {reason}; check the path"
    return Problem(name=str(folder), kind=kind, detail=detail)


def stored_files(folder: StoredPath, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield relative and whole paths of all files below a folder; a hidden folder counts as one."""
    try:
        names, faults = folder.names(), folder.faults()
    except (OSError, ValueError):  # is told where the folder is looked for
        return
    for fault in faults:
        detail = f"{printable(fault.name)}: {fault.detail}"
        problems.append(Problem(name=fault.name, kind=fault.kind, detail=detail))
    top, hidden = str(folder), ""
    for name in names:
        if name.startswith(".") or "/." in name:
            cut = name.find("/", 0 if name[0] == "." else name.index("/.") + 1)
            if cut >= 0 and name[:cut] == hidden:
                continue
            hidden = name[: cut if cut >= 0 else None]
            yield hidden, f"{top}/{hidden}"
        else:
            yield name, f"{top}/{name}"
