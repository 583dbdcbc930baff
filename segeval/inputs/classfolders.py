"""Find the masks of single classes by a template of their names."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from segeval.errors import Problem
from segeval.inputs.annotations import Index
from segeval.inputs.folders import IMAGE_EXTENSIONS, index_folder, is_included, normal
from segeval.inputs.forms import CLASS_FILES
from segeval.inputs.perclass import (
    MOST_CLASSES,
    PLACE,
    SHOWN,
    ClassFiles,
    bits_of,
    form_of,
)
from segeval.settings import AnnotationChoice, PerClass
from segeval.storage.path import located
from segeval.text import counted, listed, quoted

FEW: Final = 5  # files of single classes that are told to be missing, one by one


def index_classes(
    folder: Path,
    side: str,
    choice: AnnotationChoice,
    truth: Index | None,
    *,
    suffix: str = "",
    include: str | None = None,
) -> Index:
    """Find the images of a folder whose classes have a file each; the truth says which there are.

    A class of an image without a file is a problem, unless it is said to be empty.
    """
    split = choice.split(side)
    index = index_folder(folder, side, suffix)
    found, left_out = _sorted_out(folder, index.files.values(), _pattern(split, suffix), include)
    classes = tuple(truth.names.values()) if truth is not None else ()
    classes = classes or split.classes or tuple(_in_order(c for each in found for c in found[each]))
    if not found and not index.problems:
        detail = (
            f"{folder}: none of {counted(len(index.files), 'mask')}, e.g. {left_out[0]}, has a "
            f"name like {split.template}; type what names are like with --per-class"
        )
        index.problems.append(Problem(name=str(folder), kind="no masks", detail=detail))
    index.problems.extend(_faults(folder, side, found, classes, split))
    lacking = _lacking(found, classes) if choice.missing_class == "error" else []
    index.problems.extend(_missing(lacking, len(found) * len(classes), classes, split))
    empty = ["empty"] if choice.missing_class == "empty" else []
    form = form_of(CLASS_FILES, classes=classes, missing=empty)
    masks = {
        name: ClassFiles(path=_place(files), key=name, form=form)
        for name, files in sorted(found.items())
    }
    return Index(
        files=masks,
        problems=index.problems,
        left_out=[*index.left_out, *left_out],
        facts=("missing-class:empty",) if empty else (),
        names=bits_of(classes),
        unread=frozenset(name for name, _, _ in lacking),
    )


def _pattern(split: PerClass, suffix: str) -> re.Pattern[str]:
    """Return what names match; a name of a class has no slash, and is short if it is not listed."""
    listed_first = sorted(map(re.escape, split.classes), key=len, reverse=True)
    words = {
        "name": "(?P<name>.+?)" if split.classes else "(?P<name>.+)",
        "class": f"(?P<class_>{'|'.join(listed_first) or '[^/]+?'})",
    }
    parts = re.split(r"\{(name|class)\}", split.template)
    text = "".join(words[p] if n % 2 else re.escape(p) for n, p in enumerate(parts))
    whole = os.path.splitext(suffix)[1].lower() in IMAGE_EXTENSIONS
    return re.compile(text + re.escape(suffix) + ("" if whole else r"\.[^./]+"))


def _sorted_out(
    folder: Path, files: Iterable[Path], pattern: re.Pattern[str], include: str | None
) -> tuple[dict[str, dict[str, Path]], list[str]]:
    """Return the paths of images by class, each with `PLACE` for the class, and other files."""
    found: dict[str, dict[str, Path]] = {}
    others = []
    for path in files:
        relative = path.relative_to(folder).as_posix()
        match = pattern.fullmatch(relative)
        if match is None:
            others.append(str(path))
        elif is_included(include, name := normal(match["name"])):
            start, end = match.span("class_")
            place = folder / f"{relative[:start]}{PLACE}{relative[end:]}"
            found.setdefault(name, {})[normal(match["class_"])] = place
    return found, others


def _in_order(names: Iterable[str]) -> list[str]:
    """Return names once each, numbers in the order of numbers."""
    return sorted(set(names), key=lambda n: (not n.isdecimal(), int(n) if n.isdecimal() else 0, n))


def _place(files: Mapping[str, Path]) -> Path:
    """Return where the files of an image are; of several endings that of most of them."""
    places = list(files.values())
    return max(sorted(set(places)), key=places.count)


def _faults(
    folder: Path,
    side: str,
    found: Mapping[str, Mapping[str, Path]],
    classes: Sequence[str],
    split: PerClass,
) -> list[Problem]:
    """Say which classes cannot be scored."""
    faults = []
    if len(classes) > MOST_CLASSES:
        faults.append(
            f"{folder}: {len(classes)} classes; a pixel may be of {MOST_CLASSES} at most, so list "
            f"those of one run: {_listing(split, ['a', 'b'])}"
        )
    held = {name for files in found.values() for name in files}
    if strange := _in_order(held - set(classes)):
        faults.append(
            f"{folder}: the {side} has masks of {listed(strange, SHOWN)}, and the classes are "
            f"{listed(classes, SHOWN)}; list those that are scored: {_listing(split, classes)}"
        )
    return [Problem(name=str(folder), kind="other classes", detail=fault) for fault in faults]


def _listing(split: PerClass, classes: Sequence[str]) -> str:
    text = split.template.replace(PLACE, f"{{class:{','.join(classes[:SHOWN])}}}")
    return f"--per-class {quoted(text)}"


def _lacking(
    found: Mapping[str, Mapping[str, Path]], classes: Sequence[str]
) -> list[tuple[str, str, Path]]:
    """Return which classes of which images have no file, and where it would be."""
    lacking = []
    for name, files in sorted(found.items()):
        place = _place(files)
        paths = ((each, located(str(place).replace(PLACE, each))) for each in classes)
        lacking += [(name, each, path) for each, path in paths if files.get(each) != place]
    return lacking


def _missing(
    lacking: Sequence[tuple[str, str, Path]], expected: int, classes: Sequence[str], split: PerClass
) -> list[Problem]:
    """Say which of the expected files are missing: one by one, or once if these are many."""
    advice = "add it, or type --missing-class empty if the class is not in the image"
    problems = [
        Problem(
            name=name,
            kind="missing class",
            detail=f"{path} does not exist, so image {name!r} has no mask of {each!r}; {advice}",
        )
        for name, each, path in lacking
    ]
    if len(problems) <= FEW:
        return problems
    some = (
        f"{len(problems)} of {expected} masks are missing, e.g. "
        f"{lacking[0][2]}; the classes are {listed(classes, SHOWN)}. If they are others, list "
        f"them: {_listing(split, ['a', 'b'])}; type --missing-class empty if classes without a "
        "file are not in the image"
    )
    return [Problem(name=lacking[0][0], kind="missing class", detail=some)]
