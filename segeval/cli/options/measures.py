"""The options of what is measured in the pixels: edges, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segeval.cli.options.panels import Usual, in_panel

if TYPE_CHECKING:
    from segeval.scoring.measured import Asked

_measures = in_panel("Edges and distances")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What is measured in the pixels of classes, beside their counts."""

    boundary: str | None = _measures(
        "Boundary IoU as well: IoU of bands along the edges, so many percent of the diagonal or "
        "pixels wide; 2% unless a width is given.",
        metavar="[W,W]",
        usual=Usual(value="2%", pattern=r"[\d.]+(%|px)(,.*)?"),
        common=True,
    )

    trimap: str | None = _measures(
        "Scores of the pixels near an edge of the truth as well: within so many pixels, or percent "
        "of the diagonal.",
        metavar="W[,W]",
    )

    def asked(self) -> tuple[Asked, ...]:
        """Return the scores that are asked for."""
        if self.boundary is None and self.trimap is None:
            return ()
        from segeval.reports.scorer import asked_of

        return asked_of(self.boundary, self.trimap)
