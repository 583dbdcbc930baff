"""What form the masks of a side have: a folder of them, of texts, a table, or annotations.

What reads another form than files of masks is imported where a side has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from segeval.errors import Problem
from segeval.inputs.annotations import Index, Masked, Place
from segeval.inputs.folders import holds_masks, index_folder, is_included, normal, pair_name
from segeval.inputs.forms import BIT_FORMS, COCO_FORMS, PART, TABLE_FORMS, YOLO
from segeval.settings import AnnotationChoice
from segeval.storage.path import is_file, is_folder, located

TABLES: Final = {".csv", ".tsv", ".txt"}  # extensions of tables of run lengths


def index_sides(
    places: tuple[Path, Path],
    choice: AnnotationChoice,
    suffixes: tuple[str, str] = ("", ""),
    include: str | None = None,
) -> tuple[Index, Index]:
    """Find the masks of predictions and truths; what one side says may be needed for the other."""
    files = [path for path in places if is_table(path) or is_json(path)]
    if tables := [path for path in files if is_table(path)]:
        from segeval.inputs.tables import index_table, meaning_of

        meaning = meaning_of(tables, choice)

    def index(path: Path, side: str, suffix: str, truth: Index | None) -> Index:
        if choice.split(side).by_name:
            from segeval.inputs.classfolders import index_classes

            return index_classes(path, side, choice, truth, suffix=suffix, include=include)
        if is_table(path):
            found = index_table(path, meaning)
        elif is_json(path):
            from segeval.inputs.coco import index_coco

            found = index_coco(path, side, choice, truth)
        elif files and is_mask_file(path):
            found = Index(files={path.name: path})
        elif (texts := _index_texts(path, side, choice, suffix, include)) is not None:
            return texts
        else:
            folder = index_folder(path, side, suffix, include)
            masks: Mapping[str, Place] = folder.files if folder.stored else folder.paths
            return Index(files=masks, problems=folder.problems, left_out=folder.left_out)
        return _named(found, side, suffix, include)

    truth = index(places[1], "truth", suffixes[1], None)
    return index(places[0], "prediction", suffixes[0], truth), truth


def _index_texts(
    path: Path, side: str, choice: AnnotationChoice, suffix: str, include: str | None
) -> Index | None:
    """Find the texts of a folder that holds no masks; None if it holds none of numbers."""
    if not is_folder(path) or holds_masks(path):
        return None
    from segeval.inputs.yolo import holds_texts, index_texts

    return index_texts(path, side, choice, suffix, include) if holds_texts(path) else None


def is_mask_file(path: Path) -> bool:
    """Whether a path is that of a file, and no table or file of annotations."""
    return is_file(path) and not is_table(path) and not is_json(path)


def is_json(path: Path) -> bool:
    """Whether a path is that of a file of annotations, by its name."""
    return path.suffix.lower() == ".json" and is_file(path)


def is_table(path: Path) -> bool:
    """Whether a path is that of a table, by its name."""
    return path.suffix.lower() in TABLES and is_file(path)


def _named(index: Index, side: str, suffix: str, include: str | None) -> Index:
    """Call masks as files of these names would be called, below a folder."""
    found: dict[str, Place] = {}
    problems = [*index.problems]
    for key, mask in index.files.items():
        name = pair_name(normal(key), suffix)
        if name is None or not is_included(include, name, normal(key)):
            continue
        if name in found:
            detail = f"{found[name]}, {mask}: the same name on the {side} side; keep one of them"
            problems.append(Problem(name=name, kind="two files of one name", detail=detail))
        found.setdefault(name, mask)
    if index.files and not found:
        asked = f"ends in {suffix!r}" if suffix else f"matches {include!r}"
        detail = f"no name of the {side} side, such as {next(iter(index.files))!r}, {asked}"
        problems.append(Problem(name=side, kind="no masks", detail=detail))
    return replace(index, files=found, problems=problems)


def mask_at(path: str, form: str, size: tuple[int, int]) -> Masked:
    """Return the mask that a run tells of: a file, or rows of one, as its form says."""
    file, key = _parted(path)
    kind = form.partition(",")[0]
    if kind in TABLE_FORMS and file:
        from segeval.inputs.tables import StoredMask

        return StoredMask(path=located(file), key=key, form=form, size=size)
    if kind in COCO_FORMS and file:
        from segeval.inputs.coco import StoredCoco

        return StoredCoco(path=located(file), key=key, form=form, size=size)
    if kind in BIT_FORMS:
        from segeval.inputs.perclass import stored_bits

        return stored_bits(path, form, size)
    if kind == PART:
        from segeval.inputs.parts import FilePart

        return FilePart(path=located(path), key=Path(path).stem, form=form, size=size)
    if kind == YOLO:
        from segeval.inputs.yolo import YoloMask

        return YoloMask(path=located(path), key=Path(path).stem, form=form, size=size)
    return located(path)


def _parted(path: str) -> tuple[str, str]:
    """Part the file from the name of an image in it; either may hold ``#``."""
    places = [number for number, letter in enumerate(path) if letter == "#"] or [len(path)]
    end = next((place for place in places if is_file(located(path[:place]))), places[-1])
    return path[:end], path[end + 1 :]
