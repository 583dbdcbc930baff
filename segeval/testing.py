"""Hold masks to their scores in a test, of pytest or of any other framework."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segeval.errors import SettingError
from segeval.text import did_you_mean

if TYPE_CHECKING:
    from segeval.api import Result


def assert_segmentation(
    prediction: Any,
    truth: Any,
    *,
    fail_under: Iterable[str] = (),
    fail_over: Iterable[str] = (),
    **given: Any,
) -> Result:
    """Score masks and fail where a score is too low, or a distance or an error too high.

    Parameters
    ----------
    prediction, truth : path, (H, W) array, or iterable of (H, W) arrays
        Two folders, two files or two tables, as `segeval.score` takes them, or masks in memory, as
        `segeval.score_arrays` takes them.
    fail_under : iterable of str
        Bounds as ``--fail-under`` takes them, ``"iou.road=0.8"``.
    fail_over : iterable of str
        Ceilings as ``--fail-over`` takes them, ``"hd95.liver=5"``.
    **given : optional
        Bounds of scores by their names, ``miou=0.7`` or ``hd95=5``; everything else is a keyword of
        `segeval.score` or `segeval.score_arrays`, e.g. ``labels="voc"`` or ``distances=True``.

    Returns
    -------
    Result
        Of masks that pass.

    Raises
    ------
    AssertionError
        If a score misses its bound, or is undefined; it says by how much, and shows the table.
    SettingError
        If nothing is asked for, or something that there is not.

    Examples
    --------
    >>> result = assert_segmentation("sample_masks/pred", "sample_masks/truth", miou=0.7)
    >>> result.summary["miou"] >= 0.7
    True
    """
    __tracebackhide__ = True
    checked = check(prediction, truth, fail_under=fail_under, fail_over=fail_over, **given)
    if checked.failures:
        raise AssertionError(checked.message())
    return checked.result


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Scores, and the document that says which bounds they keep."""

    result: Result
    document: Mapping[str, Any]

    @property
    def failures(self) -> list[Mapping[str, Any]]:
        """The gates that failed."""
        return [gate for gate in self.document["gates"] if not gate["passed"]]

    def message(self) -> str:
        """Say what missed by how much, and show the table."""
        from segeval.reports.table import render, to_renderable
        from segeval.reports.wording import failure

        lines = [failure(gate) + _missed(gate) for gate in self.failures]
        table = render(to_renderable(self.document), width=None, color=False)
        return "\n".join([*lines, "", *(line.rstrip() for line in table.splitlines())])

    def html(self, path: os.PathLike[str]) -> None:
        """Write the page of ``--html``, with the bounds."""
        from pathlib import Path

        from segeval.files import write_text
        from segeval.reports.html.findings import make_page

        result = self.result
        page = make_page(result.scores, self.document, {}, result.distance_scores, percent=False)
        write_text(Path(path), page)


def _missed(gate: Mapping[str, Any]) -> str:
    """Say how far a value is from its bound, if it has one."""
    value = gate["value"]
    if value is None:
        return ""
    if "maximum" in gate:
        return f"; {value - gate['maximum']:.4g} too high"
    return f"; {gate['minimum'] - value:.4g} too low"


def check(
    prediction: Any,
    truth: Any,
    *,
    fail_under: Iterable[str] = (),
    fail_over: Iterable[str] = (),
    **given: Any,
) -> Checked:
    """Score masks under bounds; see `assert_segmentation`."""
    from inspect import signature

    from segeval import api
    from segeval.distances.gates import is_to_be_low, parse_floor, parse_limit
    from segeval.objectdistances.gates import check_all
    from segeval.reports.document import make_document
    from segeval.scoring.gates import split_bound

    files = [isinstance(side, str | os.PathLike) for side in (prediction, truth)]
    if files[0] != files[1]:
        raise SettingError("one side is a path, the other is not; give two paths, or two arrays")
    score: Any = api.score if files[0] else api.score_arrays
    known = signature(score).parameters
    options = {name: value for name, value in given.items() if name in known}
    bounds = [_bound(name, value, known) for name, value in given.items() if name not in known]
    ceilings = [text for text in bounds if is_to_be_low(split_bound(text)[0])]
    floors = [text for text in bounds if text not in ceilings]
    thresholds = [parse_floor(text) for text in (*floors, *fail_under)]
    thresholds += [parse_limit(text) for text in (*ceilings, *fail_over)]
    if not thresholds:
        raise SettingError("nothing is asked for; name a score and its least value, e.g. miou=0.7")
    result = score(prediction=prediction, truth=truth, **options)
    further: Any = {"objects": result.object_scores, "distances": result.distance_scores}
    gates = [*check_all(result.scores, thresholds, **further)]
    document = make_document(result.scores, settings=result.settings, gates=gates, **further)
    return Checked(result=result, document=document)


def _bound(name: str, value: Any, known: Iterable[str]) -> str:
    """Write a bound as it is typed; what has no number was meant as another keyword."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        near = did_you_mean(name, known) or "; a bound is a number"
        raise SettingError(f"there is no keyword {name!r}{near}")
    return f"{name}={value!r}"
