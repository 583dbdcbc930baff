"""The rules by which distances become scores: what tools disagree on, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from segeval.distances.measure import DistanceMeasure, Elements, Void, along_axes
from segeval.errors import SettingError

Directions = Literal["max", "pooled", "prediction"]
Averaged = Literal["pooled", "of-two", "prediction"]
Shares = Literal["counts", "of-two"]
Rank = Literal["linear", "covered"]
Case = Literal["diagonal", "undefined"] | float
Family = Literal["hd", "percentile", "mean", "nsd"]
CaseName = Literal["missed", "false_alarm", "empty"]
CASES: Final[tuple[CaseName, ...]] = ("missed", "false_alarm", "empty")
OF_NSD: Final[dict[CaseName, Case]] = {"missed": 0.0, "false_alarm": 0.0, "empty": "undefined"}
DIGITS: Final = 1e-9  # share of a tolerance that rounding may add


@dataclass(frozen=True, slots=True, kw_only=True)
class DistanceRules:
    """How the distances of two borders become scores, and what one empty side counts."""

    percentiles: tuple[float, ...] = (95.0,)
    tolerances: tuple[float, ...] = (1.0, 2.0)  # of the NSD, in pixels or in units of the spacing
    hausdorff: Directions = "max"  # of two percentiles; of all distances; only of the prediction's
    rank: Rank = "linear"  # between neighbours; or the first that so large a share is within
    assd: Averaged = "pooled"
    nsd: Shares = "counts"  # both borders together, or the mean of the shares of two
    elements: Elements = "pixels"
    void: Void = "apart"
    spacing: Literal["applied", "ignored"] = "applied"
    missed: Case = "diagonal"  # a distance where the prediction has nothing
    false_alarm: Case = "diagonal"  # a distance where the truth has nothing
    empty: Case = "undefined"  # a distance where neither side has anything
    exceptions: tuple[tuple[Family, CaseName, Case], ...] = ()  # of one family of scores
    disjoint: Literal["scored", "missed"] = "scored"  # two masks without a common pixel
    steps: tuple[float, ...] | None = None  # size of a pixel, if not that of the files; z, y, x
    like: str = ""
    objects: tuple[tuple[str, Any], ...] = ()  # names of rules that objects have otherwise

    def __post_init__(self) -> None:
        """Refuse what is no percentile or no tolerance."""
        for value in self.percentiles:
            if not 0 < value <= 100:
                raise SettingError(
                    f"--hd-percentile {value:g}: percentiles are above 0 and at most 100, e.g. 95"
                )
        for value in self.tolerances:
            if not 0 <= value < float("inf"):
                raise SettingError(f"--nsd {value:g}: tolerances are 0 or more, e.g. 1,2")

    def case(self, family: Family, name: CaseName) -> Case:
        """Return what a score of a family counts where a side is empty, or both."""
        stated = {(of, case): value for of, case, value in self.exceptions}
        usual: Case = OF_NSD[name] if family == "nsd" else getattr(self, name)
        return stated.get((family, name), usual)

    @property
    def measure(self) -> DistanceMeasure:
        """What is measured for these rules."""
        ignored = self.spacing == "ignored"
        return DistanceMeasure(
            elements=self.elements,
            void=self.void,
            spacing=None if ignored else self.steps,
            ignored=ignored,
        )

    @property
    def measures(self) -> list[DistanceMeasure]:
        """What is measured for these rules, and by default, so that other rules can be asked."""
        usual = DistanceMeasure(spacing=self.steps)
        return list(dict.fromkeys([usual, self.measure]))

    @property
    def kinds(self) -> list[str]:
        """The kinds of measures that serve these rules, if at all, the right one first."""
        return list(
            dict.fromkeys([self.measure.kind, DistanceMeasure(elements=self.elements).kind])
        )

    @property
    def option(self) -> str:
        """What is typed to measure for these rules."""
        like = f" --like {self.like}" if self.measure.kind != DistanceMeasure().kind else ""
        return f"--distances{like}{f' --spacing {along_axes(self.steps)}' if self.steps else ''}"

    def at(
        self,
        percentiles: tuple[float, ...],
        tolerances: tuple[float, ...],
        steps: tuple[float, ...] | None = None,
    ) -> DistanceRules:
        """Return the rules at other percentiles and tolerances, and for pixels of a size."""
        return replace(self, percentiles=percentiles, tolerances=tolerances, steps=steps)

    def of_objects(self) -> DistanceRules:
        """Return the rules by which objects are scored."""
        return replace(self, objects=(), **dict(self.objects))

    def signature_parts(self) -> list[str]:
        """Return the parts of a signature: what is the default is told as well.

        >>> DistanceRules().signature_parts()
        ['hd:max-directed', 'assd:pooled', 'nsd:counts', 'one-sided:diagonal']
        """
        return [
            *([f"distances:{self.like}"] if self.like else []),
            f"hd:{HAUSDORFF[self.hausdorff]}{'' if self.rank == 'linear' else ',weighted'}",
            f"assd:{self.assd}",
            f"nsd:{self.nsd}",
            *([f"border:{self.elements}"] if self.elements != "pixels" else []),
            *([f"void:{self.void}"] if self.void != "apart" else []),
            *(["spacing:ignored"] if self.spacing == "ignored" else []),
            f"one-sided:{_said(self.missed)}"
            + ("" if self.missed == self.false_alarm else f",{_said(self.false_alarm)}"),
            *([] if self.empty == "undefined" else [f"empty:{_said(self.empty)}"]),
            *(f"{of}-{name}:{_said(value)}" for of, name, value in self.exceptions),
            *([] if self.disjoint == "scored" else ["disjoint:missed"]),
        ]


HAUSDORFF: Final = {"max": "max-directed", "pooled": "pooled", "prediction": "prediction"}


def _said(case: Case) -> str:
    return case if isinstance(case, str) else f"{case:g}"


def parse_numbers(text: str, option: str, example: str) -> tuple[float, ...]:
    """Parse numbers with commas, each once, in ascending order but for sizes.

    >>> parse_numbers("95,99", "--hd-percentile", "95,99")
    (95.0, 99.0)
    """
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise SettingError(
            f"{option} {text}: expected numbers with commas, e.g. {option} {example}"
        ) from None


def parse_spacing(text: str) -> tuple[float, ...]:
    """Parse the size of a pixel along x, y (and z), and return it along the axes of an array.

    >>> parse_spacing("0.8,1.1,2.5")
    (2.5, 1.1, 0.8)
    """
    steps = parse_numbers(text, "--spacing", "0.5,0.5")
    if not (2 <= len(steps) <= 3 and all(0 < step < float("inf") for step in steps)):
        raise SettingError(
            f"--spacing {text}: expected the size of a pixel along x, y (and z), e.g. "
            "--spacing 0.5,0.5"
        )
    return steps[::-1]
