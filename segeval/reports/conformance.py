"""The conformance suite as files: PNGs, the expected numbers, and how to use them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segeval.errors import OutputError
from segeval.files import write_bytes, write_text
from segeval.presets.conformance import SETS, expected_values, make_masks
from segeval.reports.json import to_json
from segeval.text import reason_of

README: Final = """\
# Conformance suite

Small masks at every edge, and the number that each convention gives for them.

`SET/truth/` and `SET/prediction/` hold 8-bit grey PNGs, paired by name; values 0 to K - 1 are the
classes. `expected.json` lists the sets (`classes` is K, `ignore` the void values of the truth) and
under `expected` one record a set and preset: the tool and call it stands for, the `metric`, its
`value`, and `per_class` in the order of the classes. Scores are fractions in full precision, and
null is undefined. A tool that rounds, or counts in 32-bit floats, agrees to its own precision.

To hold a tool against a preset: score every set with it, as the `call` says, and compare.

| set | at the edge |
|---|---|
"""


def write_suite(folder: Path) -> int:
    """Write the suite into a new or empty folder, and return the number of files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(f"{folder} is not empty; name a new folder")
        for masks in SETS:
            for side in ("truth", "prediction"):
                (folder / masks.name / side).mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {reason_of(error)}") from error
    files = 2
    for masks in SETS:
        for name, truth, prediction in make_masks(masks):
            write_bytes(folder / masks.name / "truth" / f"{name}.png", _png(truth))
            write_bytes(folder / masks.name / "prediction" / f"{name}.png", _png(prediction))
            files += 2
    write_text(folder / "expected.json", to_json(expected_values()))
    rows = "".join(f"| `{masks.name}` | {masks.about} |\n" for masks in SETS)
    write_text(folder / "README.md", README + rows)
    return files


def _png(mask: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    return buffer.getvalue()
