"""Files of COCO, made from plain lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from segeval.inputs.annotations import Index
from segeval.inputs.sides import index_sides
from segeval.settings import AnnotationChoice

CATEGORIES = ((1, "leaf"), (7, "root"))
SQUARE = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0]


def coco(
    *annotations: dict[str, Any],
    images: Sequence[tuple[Any, str, int, int]] = ((5, "a.jpg", 4, 6),),
    categories: Sequence[tuple[int, str]] = CATEGORIES,
) -> dict[str, Any]:
    """Return a file of annotations; images are (id, file_name, height, width)."""
    return {
        "images": [
            {"id": key, "file_name": name, "height": height, "width": width}
            for key, name, height, width in images
        ],
        "annotations": [*annotations],
        "categories": [{"id": key, "name": name} for key, name in categories],
    }


def annotation(segmentation: Any, **more: Any) -> dict[str, Any]:
    """Return an annotation of image 5 and category 1, unless others are said."""
    return {"id": 1, "image_id": 5, "category_id": 1, "segmentation": segmentation} | more


def result(segmentation: Any, score: float, **more: Any) -> dict[str, Any]:
    """Return a result of image 5 and category 1, unless others are said."""
    found = annotation(segmentation, score=score) | more
    del found["id"]
    return found


def written(path: Path, content: object) -> Path:
    """Write JSON, or a text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def side_of(path: Path, side: str, *, truth: Path | None = None, **choice: Any) -> Index:
    """Index one side; beside itself, unless a truth is said."""
    prediction, true = index_sides((path, truth or path), AnnotationChoice(**choice))
    return true if side == "truth" else prediction
