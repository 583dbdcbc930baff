"""The options of what is measured in the pixels: edges, and how far they are apart."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from segeval.cli.options.panels import Usual, in_panel
from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.scoring.measured import Asked

OURS: Final = "segeval"  # the rules of no other tool


def _is_preset(word: str) -> bool:
    from segeval.presets.distances import load_distance_presets

    return word == OURS or word in load_distance_presets()


NUMBERS: Final = {"hd_percentile": "hd_percentiles", "nsd": "nsd", "spacing": "spacing"}
"""Options of several numbers, and what the library calls them."""
_measures = in_panel("Edges and distances")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What is measured in the pixels of classes, beside their counts."""

    boundary: str | None = _measures(
        "Boundary IoU as well: IoU of bands along the edges, so many percent of the diagonal or "
        "pixels wide; 2% unless a width is given.",
        metavar="[W,W]",
        usual=Usual(value="2%", fits=re.compile(r"[\d.]+(%|px)(,.*)?").fullmatch),
        common=True,
    )
    trimap: str | None = _measures(
        "Scores of the pixels near an edge of the truth as well: within so many pixels, or percent "
        "of the diagonal.",
        metavar="W[,W]",
    )
    distances: str | None = _measures(
        "Distances between borders as well: HD, HD95, ASSD, MASD and NSD; by the rules of PRESET, "
        "if one is named. The extra surface (SciPy) is needed.",
        metavar="[PRESET]",
        usual=Usual(value=OURS, fits=_is_preset),
    )
    hd_percentile: str | None = _measures(
        "Percentiles of the Hausdorff distance, beside HD itself.",
        metavar="P,P",
        show_default="95",
    )
    nsd: str | None = _measures(
        "Tolerances of the NSD, in pixels or in mm where there is a spacing.",
        metavar="T,T",
        show_default="1,2",
    )
    spacing: str | None = _measures(
        "Size of a pixel in mm: rows, columns; slices first in volumes, in place of their header.",
        metavar="S,S",
    )

    def asked(self) -> tuple[Asked, ...]:
        """Return the scores that are asked for."""
        stated = asdict(self).items()
        given: dict[str, Any] = {name: value for name, value in stated if value is not None}
        if not given:
            return ()
        from segeval.reports.asked import asked_of

        for name in NUMBERS.keys() & given.keys():
            given[NUMBERS[name]] = _numbers(name, given.pop(name))
        return asked_of(**given)


def _numbers(name: str, text: str) -> tuple[float, ...]:
    """Read numbers that commas part, each once but for a spacing."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        option = f"--{name.replace('_', '-')}"
        raise SettingError(f"{option} {text!r}: expected numbers that commas part, e.g. 1,2")
    return tuple(numbers if name == "spacing" else dict.fromkeys(numbers))
