"""Tables of run lengths, COCO, panoptic JSON and YOLO: valid ones, and what may come of damage.

What is accepted is read twice, as pixels and as run lengths; both must be the same, and so must be
what is made of a table or a JSON that is written of it.
"""

from __future__ import annotations

import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from fuzz.mutate import Mutator
from fuzz.target import FindingError, Read, Target, attempt
from made.sets import save

from segeval.inputs.annotations import Annotation, Index
from segeval.inputs.masks import read_mask
from segeval.inputs.rle import Runs
from segeval.inputs.sides import index_sides, mask_at
from segeval.reports.rleforms import WRITERS, Encoding
from segeval.settings import AnnotationChoice
from segeval.values import class_values

SIZE: Final = (5, 7)
MAX_PIXELS: Final = 1 << 16
LONGEST: Final = 20_000  # characters of all messages of a file
MOST_IMAGES: Final = 20
SQUARE: Final = [1.0, 1.0, 5.5, 1.0, 5.5, 4.0, 1.0, 4.0]


VALUES: Final[list[Any]] = [
    *(0, 1, 2, 3, -1, 5, 7, 34, 35, 36, 255, 1 << 31, 1 << 62, -1 << 63, 1 << 63, 1 << 70),
    *(0.5, -0.0, 1e300, 6.999999, True, None, "", "a", "a.png", "61X13mN000`0", "~", "\x00"),
    *([], {}, [[]], [1], [35], [0, 35], [1.0] * 6, [0.5] * 7, {"id": 1}, {"size": [5, 7]}),
]
"""What may stand in JSON for something else."""


def put_value(chance: random.Random, data: bytes) -> bytes:
    """Put another value, or one from elsewhere, in the place of one in JSON; or drop it."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places = [*_places(content)]
    if not places:
        return data
    holder, key = chance.choice(places)
    if chance.random() < 0.15 and isinstance(holder, dict):
        del holder[key]
    elif chance.random() < 0.4:
        other, place = chance.choice(places)
        holder[key] = json.loads(json.dumps(other[place]))
    else:
        holder[key] = chance.choice(VALUES)
    return json.dumps(content).encode()


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    pairs: Any = ()
    if isinstance(content, dict):
        pairs = list(content.items())
    elif isinstance(content, list):
        pairs = list(enumerate(content))
    for key, value in pairs:
        yield content, key
        yield from _places(value)


def tables() -> dict[str, bytes]:
    return {
        "kaggle": b"ImageId,EncodedPixels\na.png,1 3 9 2\nb,4 4\na.png,30 5\nc,\nd,-1\n",
        "classes": b'Image_Label,EncodedPixels\n"a_Fish","1 3 9 2"\na_Sugar,2 5\nb#c_Fish,\n',
        "sizes": b"id,class,predicted,height,width\na,2,1 3 9 2,5,7\na,7,3 30,5,7\nb,1,,6,4\n",
        "tianchi": b"a.jpg\t1 3 9 2\nb.jpg\t\nc.jpg\t35 1\n",
    }


def cocos() -> dict[str, bytes]:
    images = [
        {"id": n, "file_name": f"{name}.jpg", "height": SIZE[0], "width": SIZE[1]}
        for n, name in enumerate("ab", 1)
    ]
    masks: list[Any] = [
        {"size": [*SIZE], "counts": [3, 4, 20, 2, 6]},
        [SQUARE, [0, 0, 3, 0, 3, 3]],
        {"size": [*SIZE], "counts": "34D2f0"},
    ]
    entries = [
        {"id": n, "image_id": 1 + n % 2, "category_id": n % 3, "iscrowd": n // 2, "segmentation": m}
        for n, m in enumerate(masks)
    ]
    categories = [{"id": n, "name": name} for n, name in enumerate(("sky", "leaf", "root"))]
    whole = {"images": images, "annotations": entries[:2], "categories": categories}
    results = [
        {
            "image_id": e["image_id"],
            "category_id": 1,
            "score": 0.5,
            "segmentation": e["segmentation"],
        }
        for e in (entries[0], entries[0])
    ]
    return {"whole": json.dumps(whole, indent=1).encode(), "results": json.dumps(results).encode()}


def panoptics() -> dict[str, bytes]:
    segments = [{"id": 3, "category_id": 1}, {"id": 9, "category_id": 2, "iscrowd": 1}]
    whole = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": SIZE[0], "width": SIZE[1]}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": segments}],
        "categories": [{"id": 1, "name": "leaf"}, {"id": 2, "name": "root"}],
    }
    return {"whole": json.dumps(whole, indent=1).encode()}


def texts() -> dict[str, bytes]:
    return {
        "polygons": b"0 0.1 0.1 0.9 0.1 0.9 0.8\n7 0 0 .5 0 .5 .5 0 .5\n",
        "confidence": b"1 0.1 0.1 0.9 0.1 0.9 0.8 0.25\n1 0 0 .5 0 .5 .5 0 .5 1.0\n",
    }


def laid_out(path: Path, data: bytes, kind: str) -> tuple[Path, Path]:
    """Write an input as a prediction, with a truth beside it where that needs one."""
    folder = path.parent / kind
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if kind == "yolo":
        (folder / "texts").mkdir()
        (folder / "texts" / "a.txt").write_bytes(data)
        return folder / "texts", folder / "texts"
    if kind == "panoptic":
        save(folder / "a" / "a.png", np.arange(35).reshape(SIZE) // 18 * 6 + 3)
    file = folder / ("a.csv" if kind == "table" else "a.json")
    file.write_bytes(data)
    if kind == "coco" and data.lstrip()[:1] == b"[":
        (folder / "truth.json").write_bytes(cocos()["whole"])
        return file, folder / "truth.json"
    return file, file


def reading(kind: str) -> Read:
    """Read the masks of a file, and hold one reading against the other."""
    choice = AnnotationChoice(size=SIZE)

    def read(path: Path, data: bytes) -> str:
        sides, reason = attempt(lambda: index_sides(laid_out(path, data, kind), choice))
        if sides is None:
            return _refused(reason)
        index: Index = sides[0]
        if index.problems:
            return _refused("; ".join(problem.detail for problem in index.problems))
        outcomes = [_check(mask, path) for mask in [*index.files.values()][:MOST_IMAGES]]
        return "confirmed" if outcomes and all(outcomes) else "refused"

    return read


def _refused(reason: str) -> str:
    if not reason or len(reason) > LONGEST:
        raise FindingError(f"this is said: {reason[:200]!r}")
    return "refused"


def _check(mask: Any, path: Path) -> bool:
    """Read one mask in every way; whether it can be read."""
    mask_read, reason = attempt(lambda: read_mask(mask, shape=SIZE, max_pixels=MAX_PIXELS))
    if mask_read is None:
        _refused(reason)
        return False
    assert isinstance(mask, Annotation)
    values, shape = mask_read.values, mask_read.values.shape
    again = mask_at(str(mask), mask.form, shape)
    _same(values, read_mask(again, shape=SIZE).values, "a run")
    runs = mask.runs(shape, objects=True)
    if runs is not None:
        _same(values, class_values(runs.mask().astype(np.int64)), "run lengths")
        _same(mask.objects(shape), runs.mask(), "objects")
    _written(values, path.parent / "again.csv")
    return True


def _written(values: Any, path: Path) -> None:
    """Write a mask as a table of all of its classes, and read that."""
    if values.max(initial=0) >= 1 << 31:
        return
    plain = np.where(values > 0, values, 0)
    choice = AnnotationChoice(size=values.shape, columns=(("class", "ClassId"),))
    text = io.StringIO()
    WRITERS["kaggle"](text, Encoding(choice=choice)).add("a", Runs.of(plain, "column"))
    path.write_text(text.getvalue(), "utf-8")
    again = index_sides((path, path), choice)[0].files["a"]
    _same(read_mask(again).values, plain, "what is written of it")


def _same(one: Any, other: Any, what: str) -> None:
    if one.shape != other.shape or not np.array_equal(one, other):
        raise FindingError(f"{what} holds other values")


def targets(mutators: tuple[Mutator, ...]) -> dict[str, Target]:
    """Return a target for each kind; those of polygons need pycocotools."""
    seeds: dict[str, Callable[[], dict[str, bytes]]] = {"table": tables, "panoptic": panoptics}
    if find_spec("pycocotools") is not None:
        seeds |= {"coco": cocos, "yolo": texts}
    return {
        kind: Target(
            seeds=made,
            mutators=(*mutators, *([put_value] * 40 if kind in {"coco", "panoptic"} else ())),
            read=reading(kind),
        )
        for kind, made in seeds.items()
    }
