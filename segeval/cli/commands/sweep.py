"""``segeval sweep``: every threshold of grey predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify
from segeval.cli.options.output import ReportFiles, report_file
from segeval.cli.options.pairing import PairingOptions
from segeval.cli.options.panels import label_maps, preset_names
from segeval.cli.runs import count_or_read
from segeval.settings import Absent, LabelChoice, Scale, parse_values

if TYPE_CHECKING:
    from segeval.scoring.convention import Convention

_option = options.in_panel()
FLATTERS = (
    "notice: a threshold chosen on the very images that it is reported on flatters the model; "
    "choose it on others"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions(ReportFiles):
    """What is foreground, and what comes out."""

    printed: ClassVar = {"table": "sweep:to_renderable"}

    labels: str = _option(
        "Label map of the truth, with two classes.",
        metavar="NAME|FILE",
        common=True,
        autocompletion=label_maps,
        default="binary",
    )
    ignore: list[str] | None = _option(
        "Truth values that are void, so not judged, e.g. 128.", metavar="VALUE", common=True
    )
    truth_threshold: float | None = _option(
        "Truths are grey: foreground where the stored value is V or more.", metavar="V", common=True
    )
    like: str | None = _option(
        "Treat images without foreground on one or both sides as another tool does; see `segeval "
        "presets`.",
        common=True,
        metavar="PRESET",
        autocompletion=preset_names,
    )
    absent: Absent | None = _option(
        "An image without foreground on either side is left out of the means over images (skip), "
        "counts as 0 or 1, or makes them undefined; left out at some thresholds only, it is 0 "
        "there.",
        show_default="skip",
    )
    scale: Scale = _option(
        "Stretch each prediction from its least to its greatest value first (min-max).",
        common=True,
        default="none",
    )
    beta2: float = _option(
        "Squared beta of the F-beta score, e.g. 0.3.", metavar="B", default=1.0, common=True
    )
    output_format: Literal["table", "csv", "json"] = _option(
        "What is printed.", "--format", default="table", common=True
    )
    csv: Path | None = report_file(
        "sweep:to_csv", "Write every threshold as CSV.", panel=None, common=True
    )
    json: Path | None = report_file(
        "json:to_json", "Write everything as one JSON document.", panel=None, common=True
    )

    def choice(self) -> LabelChoice:
        """Return what the user says about the truth."""
        void = parse_values(self.ignore)
        return LabelChoice(labels=self.labels, ignore=void, truth_threshold=self.truth_threshold)

    def convention(self) -> Convention:
        """Return how absent and one-sided foreground is treated."""
        return options.ConventionOptions(like=self.like, absent=self.absent).convention()


@command
def sweep(pairing: PairingOptions, sweeping: SweepOptions, *, quiet: options.Quiet = False) -> None:
    """Score every threshold of grey predictions in PRED, or of a saved run in its place.

        # grey maps against truths of 0 and 255
        segeval sweep maps/ masks/
        # every threshold in a file
        segeval sweep maps/ masks/ --csv thresholds.csv
        # as saliency is evaluated: each map stretched, beta squared 0.3
        segeval sweep maps/ masks/ --scale min-max --beta2 0.3

    Shows precision, recall, Dice, IoU, specificity and F-beta of the
    foreground, over the data set and as means over images; average precision,
    AUROC, MAE, the adaptive F-beta, and the best thresholds.
    """
    from segeval.cli.deliver import deliver
    from segeval.cli.places import check_reports
    from segeval.labels.choose import choose_labels
    from segeval.reports.sweep import make_document
    from segeval.scoring.sweep import sweep as sweep_run

    check_reports(sweeping.files().values(), pairing, sweeping)
    convention = sweeping.convention()
    run = count_or_read(pairing, quiet=quiet, lossy=True)
    labels = choose_labels(run, sweeping.choice(), sides=("truth",))
    swept = sweep_run(run, labels, convention, beta2=sweeping.beta2, scale=sweeping.scale)
    deliver(sweeping, document=make_document(swept))
    notify(FLATTERS, quiet=quiet)
