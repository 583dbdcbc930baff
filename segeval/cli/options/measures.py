"""The options of what is measured in the pixels: edges, and how far they are apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segeval.cli.options.panels import Usual, in_panel
from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.distances.rules import DistanceRules
    from segeval.scoring.measured import Asked

_measures = in_panel("Edges and distances")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What is measured in the pixels of classes, beside their counts."""

    boundary: str | None = _measures(
        "Boundary IoU as well: IoU of bands along the edges, so many percent of the diagonal or "
        "pixels wide; 2% unless a width is given.",
        metavar="[W,W]",
        usual=Usual(value="2%", pattern=r"\.?\d[\d.]*(%|px|mm)?(,.*)?"),
        common=True,
    )

    trimap: str | None = _measures(
        "Scores of the pixels near an edge of the truth as well: within so many pixels, or percent "
        "of the diagonal.",
        metavar="W[,W]",
    )

    boundary_f: bool = _measures(
        "Boundary F as well, as DAVIS has it: edges that are matched within 0.8 % of the diagonal.",
        "--boundary-f",
        default=False,
    )

    topology: bool = _measures(
        "clDice of skeletons as well, and in JSON and CSV errors in the numbers of parts and "
        "holes; needs scikit-image.",
        "--topology",
        default=False,
    )

    distances: bool = _measures(
        "Distances between borders as well: HD, HD95, ASSD, MASD and NSD of every class; needs "
        "SciPy.",
        "--distances",
        default=False,
    )
    hd_percentile: str | None = _measures(
        "Percentiles of the Hausdorff distance, beside its maximum.",
        metavar="P,P",
        show_default="95",
    )
    nsd: str | None = _measures(
        "Tolerances of the NSD, the share of borders that are no farther apart.",
        metavar="T,T",
        show_default="1,2",
    )
    spacing: str | None = _measures(
        "Size of a pixel along x, y (and z), in mm, for distances; otherwise that of a volume, "
        "or 1 pixel.",
        metavar="S,S",
    )

    def distance_rules(self, like: str | None) -> DistanceRules | None:
        """Return how distances are scored, as the preset does if it has any, or None."""
        stated = {
            "--hd-percentile": self.hd_percentile,
            "--nsd": self.nsd,
            "--spacing": self.spacing,
        }
        if not self.distances:
            given = [name for name, value in stated.items() if value is not None]
            if given:
                verb = "needs" if len(given) == 1 else "need"
                raise SettingError(f"{' and '.join(given)} {verb} --distances")
            return None
        from segeval.distances.rules import parse_numbers, parse_spacing
        from segeval.presets.distances import distance_rules

        percentiles = parse_numbers(self.hd_percentile or "95", "--hd-percentile", "95,99")
        tolerances = parse_numbers(self.nsd or "1,2", "--nsd", "1,2")
        steps = parse_spacing(self.spacing) if self.spacing else None
        return distance_rules(like, percentiles, tolerances, steps)

    def asked(self) -> tuple[Asked, ...]:
        """Return the scores that are asked for."""
        further = {"boundary_f": self.boundary_f, "topology": self.topology}
        if self.boundary is None and self.trimap is None and not any(further.values()):
            return ()
        from segeval.reports.scorer import asked_of

        return asked_of(self.boundary, self.trimap, **further)
