"""Panoptic segmentation of COCO: a PNG whose colours are segments, and JSON with their classes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Shape
from segeval.inputs.cocofile import read_entries
from segeval.inputs.files import Stamp
from segeval.jsonfiles import parse_entry
from segeval.text import quoted
from segeval.values import COLOR, OUTSIDE, class_values, object_values


@dataclass(frozen=True, slots=True, kw_only=True)
class PanopticMask(Annotation):
    """The segments of one image: their classes where the JSON says them, their ids in a PNG.

    What is no segment, id 0, is void in the truth, and no prediction in a prediction.
    """

    rows: NDArray[Any]
    stamp: Stamp
    folder: Path  # of the PNGs
    crowd_is_void: bool

    def content(self) -> bytes:
        """Return the entry of this image, and the bytes of its PNG."""
        (entry,) = read_entries(self.path, self.stamp, self.rows)
        try:
            return entry + self._png(parse_entry(entry)).read_bytes()
        except OSError as error:
            raise MaskError(f"image {self.key}: {error}") from error

    def ids(self, shape: Shape) -> NDArray[np.int64]:
        """Return the id of the segment of every pixel, (H, W)."""
        (entry,) = read_entries(self.path, self.stamp, self.rows)
        return self._ids(parse_entry(entry), shape)

    def values(self, shape: Shape) -> NDArray[np.int64]:
        """Return the category of every pixel, (H, W)."""
        return self._painted(shape, class_values)

    def objects(self, shape: Shape) -> NDArray[np.int64]:
        """Return category and id of the segment of every pixel, (H, W)."""
        return self._painted(shape, lambda values: values)

    def _painted(
        self, shape: Shape, change: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        (data,) = read_entries(self.path, self.stamp, self.rows)
        entry = parse_entry(data)
        ids = self._ids(entry, shape).ravel()
        starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
        found, place = np.unique(ids[starts], return_inverse=True)
        lengths = np.diff(starts, append=ids.size)
        values = change(self._segments(entry, found))
        return np.repeat(values[place], lengths).reshape(shape)

    def _segments(self, entry: dict[str, Any], ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the values of segments, of which 0 is none."""
        stated = {segment["id"]: segment for segment in entry["segments_info"]}
        if strange := sorted(set(ids.tolist()) - stated.keys() - {0}):
            raise MaskError(
                f"image {self.key}: {self._png(entry)} holds segment {strange[0]}, which "
                "segments_info does not list"
            )
        listed = [stated.get(each, {"category_id": OUTSIDE}) for each in ids.tolist()]
        categories = np.array([segment["category_id"] for segment in listed], np.int64)
        crowds = np.array([bool(segment.get("iscrowd")) for segment in listed])
        return object_values(categories, ids, crowds & self.crowd_is_void)

    def _png(self, entry: dict[str, Any]) -> Path:
        return self.folder.joinpath(entry["file_name"])

    def _ids(self, entry: dict[str, Any], shape: Shape) -> NDArray[np.int64]:
        """Read the ids of segments: red is the lowest of three bytes."""
        from segeval.inputs.masks import read_mask

        path = self._png(entry)
        values = read_mask(path).values.astype(np.int64)
        if values.shape != shape:
            raise MaskError(
                f"image {self.key}: {path} is {values.shape[1]}×{values.shape[0]} pixels, the "
                f"image {shape[1]}×{shape[0]}"
            )
        if not (values >= COLOR).any():
            return values
        colors = values - COLOR
        return colors >> 16 | colors & 0xFF00 | (colors & 0xFF) << 16


def folder_of_pngs(path: Path) -> Path:
    """Return the folder of the PNGs of a panoptic JSON: that of its name, beside it."""
    folder = path.with_suffix("")
    if not folder.is_dir():
        raise MaskError(f"there is no folder {quoted(str(folder))} beside it with the PNGs")
    return folder
