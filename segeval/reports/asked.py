"""Keywords -> the scores that are measured in the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypedDict

from segeval.boundaries.rules import WidthRules
from segeval.boundaries.scores import BoundaryRules
from segeval.boundaries.trimap import TrimapRules
from segeval.errors import SettingError
from segeval.presets.distances import distance_rules
from segeval.scoring.measured import Asked

OURS: Final = "segeval"  # in the place of a preset: the rules of no other tool


class Measuring(TypedDict, total=False):
    """What is measured in the pixels, as keywords; see `segeval.score`."""

    boundary: str | None
    trimap: str | None
    distances: bool | str
    hd_percentiles: Sequence[float] | None
    nsd: Sequence[float] | None
    spacing: Sequence[float] | None


def asked_of(
    *,
    boundary: str | None = None,
    trimap: str | None = None,
    distances: bool | str = False,
    hd_percentiles: Sequence[float] | None = None,
    nsd: Sequence[float] | None = None,
    spacing: Sequence[float] | None = None,
) -> tuple[Asked, ...]:
    """Return the scores that are measured in the pixels, after a check of all that is said."""
    kinds: tuple[tuple[type[WidthRules], str | None], ...]
    kinds = (BoundaryRules, boundary), (TrimapRules, trimap)
    found: list[Asked] = [rules.parse(text) for rules, text in kinds if text is not None]
    if not distances:
        details = {"--hd-percentile": hd_percentiles, "--nsd": nsd, "--spacing": spacing}
        for option, value in details.items():
            if value is not None:
                raise SettingError(f"{option} needs --distances")
        return tuple(found)
    if spacing is not None and (len(spacing) not in {2, 3} or not min(spacing) > 0):
        raise SettingError(
            f"--spacing {','.join(map(str, spacing))}: expected the height and width of a pixel, "
            "or three lengths of a voxel, all above 0, e.g. 0.5,0.5"
        )
    from segeval.distances.scores import Distances

    rules = distance_rules(
        "" if distances in {True, OURS} else str(distances),
        percentiles=tuple(hd_percentiles or (95.0,)),
        tolerances=tuple(nsd or (1.0, 2.0)),
    )
    found.append(Distances(rules=rules, spacing=None if spacing is None else tuple(spacing)))
    return tuple(found)
