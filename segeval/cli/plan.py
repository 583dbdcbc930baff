"""What a command will do, understood before any work is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segeval.cli.options.labels import LabelOptions
from segeval.cli.options.measures import MeasureOptions
from segeval.cli.options.objects import ObjectOptions
from segeval.cli.options.output import OutputOptions
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.pictures import photographs_in
from segeval.cli.options.scoring import ConventionOptions, GroupedOptions
from segeval.cli.places import check_reports
from segeval.counting.run import CountedRun
from segeval.distances.gates import parse_floor, parse_limit
from segeval.distances.rules import DistanceRules
from segeval.errors import SettingError
from segeval.labels.choose import check_names
from segeval.objectdistances.gates import check_asked, check_dropped
from segeval.objects.rules import ObjectRules
from segeval.reports.csv import check_columns
from segeval.scoring.convention import Convention
from segeval.scoring.gates import Threshold
from segeval.scoring.measured import Asked
from segeval.scoring.resampling import Resampling
from segeval.settings import LabelChoice

if TYPE_CHECKING:
    from segeval.scoring.baseline import Baseline, Drop


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a run will be scored and shown, understood before any work is done."""

    labels: LabelOptions
    choice: LabelChoice
    convention: Convention
    group_by: str | None
    resampling: Resampling | None
    output: OutputOptions
    objects: ObjectRules | None
    measures: tuple[Asked, ...]
    distances: DistanceRules | None
    thresholds: list[Threshold]
    held: BaselineCheck | None
    photographs: Mapping[str, Path]

    def scoring(self) -> dict[str, Any]:
        """Return how every run is scored, as keywords."""
        names = ("choice", "convention", "group_by", "measures")
        return {name: getattr(self, name) for name in names} | {"unknown": self.labels.unknown}

    def check(self, run: CountedRun) -> None:
        """Refuse a run that lacks what was to be measured."""
        if self.measures or self.distances is not None:
            from segeval.objectdistances.further import check_measured

            check_measured(run, self.measures, self.objects, self.distances)

    def measure(self, run: CountedRun, **how: Any) -> CountedRun:
        """Return a run with what is measured in its masks for the scores that are asked for."""
        if not self.measures and self.distances is None:
            return run
        from segeval.objectdistances.further import measure_all

        asked = self.measures, self.objects, self.distances
        how |= {"convention": self.convention, "unknown": self.labels.unknown}
        return measure_all(run, self.choice, *asked, **how)


def prepare(
    labels: LabelOptions,
    convention: GroupedOptions,
    output: OutputOptions,
    read: ReadingOptions | Path,
    *,
    objects: ObjectOptions,
    measures: MeasureOptions,
) -> Plan:
    """Check that options make sense and that files can be written, none over what is read."""
    check_reports(output.files().values(), read, labels, convention, output)
    distances = measures.distance_rules(convention.like)
    chosen = convention.convention(
        objects=objects.objects is not None, distances=distances is not None
    )
    rules = objects.rules(convention.like)
    asked = measures.asked()
    _check_tables(output, rules, asked, distances)
    headline = (rules.headline if rules is not None else "") or chosen.headline
    thresholds = _bounds(output, headline)
    check_asked(thresholds, objects=rules is not None, distances=distances is not None)
    plan = Plan(
        labels=labels,
        choice=labels.choice(),
        convention=chosen,
        group_by=convention.group_by,
        resampling=convention.resampling(),
        output=output,
        objects=rules,
        measures=asked,
        distances=distances,
        thresholds=thresholds,
        held=plan_baseline(output, convention, chosen.headline),
        photographs=check_page(output.html, output.images, output.image_suffix),
    )
    check_names(plan.choice, chosen.exclude)
    return plan


def _check_tables(
    output: OutputOptions,
    rules: ObjectRules | None,
    asked: Sequence[Asked],
    distances: DistanceRules | None,
) -> None:
    """Refuse tables, and columns of them, of what is not scored."""
    if rules is None and output.per_object is not None:
        raise SettingError("--per-object needs --objects ids or components")
    check_columns(
        output.csv_style(),
        classes=output.csv is not None or output.output_format == "csv",
        images=output.per_image is not None,
        objects=rules is not None,
        measured=[name for each in asked for name in each.names],
        distances=distances is not None,
    )


def _bounds(output: OutputOptions, headline: str) -> list[Threshold]:
    """Return what scores are held against: floors, and ceilings of distances and errors."""
    floors = [parse_floor(text, default=headline) for text in output.fail_under or ()]
    return floors + [parse_limit(text) for text in output.fail_over or ()]


def check_page(page: Path | None, images: Path | None, suffix: str) -> Mapping[str, Path]:
    """Refuse early what cannot be made, and return the photographs by name."""
    if page is None and images is not None:
        raise SettingError("--images needs a page to be shown on; name it with --html")
    return photographs_in(images, suffix)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineCheck:
    """What a run is held against, and how; a resampling if only certain drops fail."""

    baseline: Baseline | CountedRun
    drops: list[Drop]
    allowed: tuple[str, ...]
    resampling: Resampling | None


def plan_baseline(
    output: OutputOptions, convention: ConventionOptions, headline: str
) -> BaselineCheck | None:
    """Understand the options of the baseline before any work is done."""
    if output.baseline is None:
        if output.max_drop or output.significant or output.allow_missing:
            raise SettingError("--max-drop, --significant and --allow-missing need --baseline FILE")
        return None
    if not output.baseline.exists():
        raise SettingError(f"--baseline {output.baseline}: there is no such file")
    if not output.baseline.is_file():
        raise SettingError(f"--baseline {output.baseline}: it is no file")
    from segeval.scoring.baseline import parse_drop, read_baseline

    texts = output.max_drop or ["0"]
    check_dropped(texts)
    return BaselineCheck(
        baseline=read_baseline(output.baseline),
        drops=[parse_drop(text, default=headline) for text in texts],
        allowed=tuple(output.allow_missing or ()),
        resampling=convention.resampling(always=True) if output.significant else None,
    )
