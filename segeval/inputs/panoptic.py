"""Panoptic segmentation of COCO: a PNG whose colours are segments, and JSON with their classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segeval.errors import MaskError
from segeval.inputs.annotations import Annotation, Shape
from segeval.inputs.cocofile import Stamp, read_entries
from segeval.jsonfiles import parse_entry
from segeval.text import quoted
from segeval.values import COLOR, OUTSIDE


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
        (data,) = read_entries(self.path, self.stamp, self.rows)
        entry = parse_entry(data)
        table = {0: OUTSIDE}
        for segment in entry["segments_info"]:
            void = self.crowd_is_void and segment.get("iscrowd")
            table[segment["id"]] = OUTSIDE if void else segment["category_id"]
        ids = self._ids(entry, shape).ravel()
        starts = np.flatnonzero(np.concatenate(([True], ids[1:] != ids[:-1])))
        found = ids[starts].tolist()
        if strange := sorted(set(found) - table.keys()):
            raise MaskError(
                f"image {self.key}: {self._png(entry)} holds segment {strange[0]}, which "
                "segments_info does not list"
            )
        lengths = np.diff(starts, append=ids.size)
        return np.repeat(np.array([table[each] for each in found], np.int64), lengths).reshape(
            shape
        )

    def _png(self, entry: dict[str, Any]) -> Path:
        return Path(self.folder, entry["file_name"])

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
