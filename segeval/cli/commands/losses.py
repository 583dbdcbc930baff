"""``segeval losses``: losses and calibration of probability maps."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, progress_bar
from segeval.cli.options.output import (
    ReportFiles,
    csv_column_names,
    csv_float_format,
    csv_safe_flag,
    document_file,
    report_file,
)
from segeval.cli.options.pairing import ReadingOptions
from segeval.cli.options.panels import argument
from segeval.cli.runs import say_decoder
from segeval.errors import SettingError
from segeval.settings import HALF, Channels, ClassesMode, LossChoice, LossPooling, VoidLoss

if TYPE_CHECKING:
    from segeval.losses.dataset import LossScores

_pairing = options.in_panel("Pairing and reading")
_losses = options.in_panel("Losses")
_output = options.in_panel("Output and gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions(ReadingOptions):
    """Which maps and truths belong together, and how they are read."""

    checkable: ClassVar[bool] = False

    prediction: Path | None = argument(
        "Folder of probability maps: .npy or .npz of (K, H, W) or (H, W), or grey PNG.",
        metavar="PROBS",
    )
    logits: bool = _pairing(
        "The maps hold logits, not probabilities.", "--logits", default=False, common=True
    )
    channels: Channels = _pairing(
        "Axis of the classes: first as (K, H, W), or last as (H, W, K).", default="first"
    )
    out: Path | None = _pairing(
        "Keep the counts of the most probable classes in a run file, e.g. run.segeval.",
        "--out",
        "-o",
        metavar="RUN",
        common=True,
    )
    overwrite: bool = _pairing("Replace the run file.", "--overwrite", default=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOptions:
    """Which losses, with which parameters."""

    loss: list[str] | None = _losses(
        "Only these losses, e.g. bce,focal,dice.", metavar="NAME,...", common=True
    )
    threshold: float | None = _losses(
        "Maps of one foreground: it is where p is V or more; for grey PNG, where the stored level "
        "is. Without it 0.5.",
        metavar="V",
        common=True,
    )
    alpha: str | None = _losses(
        "Focal: factor A of the foreground and 1 - A of the background, or one for each class: "
        "1,2,1.",
        metavar="A",
    )
    gamma: float = _losses("Focal: exponent of 1 - p of the true class.", metavar="G", default=2.0)
    smooth: float = _losses(
        "Dice, Jaccard, Tversky: added to numerator and denominator, e.g. 1.",
        metavar="S",
        default=0.0,
    )
    tversky: str | None = _losses(
        "Tversky: weights of false positives and of misses, e.g. 0.3,0.7.", metavar="A,B"
    )
    positive_weight: float | None = _losses("BCE: weight of the foreground, e.g. 2.", metavar="W")
    class_weights: str | None = _losses(
        "Cross-entropy: a weight for each class, e.g. 1,2,0.5; the mean divides by their sum.",
        metavar="W,...",
    )
    label_smoothing: float = _losses(
        "Cross-entropy: share of the truth that is spread over all classes, e.g. 0.1.",
        metavar="E",
        default=0.0,
    )
    normalized: bool = _losses(
        "Focal: divide by the sum of (1 - p_t)^gamma, not by the pixels.",
        "--normalized",
        default=False,
    )
    squared: bool = _losses(
        "Dice, Jaccard: squares in the denominator.", "--squared", default=False
    )
    log: bool = _losses("Dice, Jaccard, Tversky: -ln of the overlap.", "--log", default=False)
    loss_classes: str | None = _losses(
        "Only these classes in the means of Dice, Jaccard, Tversky and Lovász.", metavar="NAME,..."
    )
    classes_mode: ClassesMode | None = _losses(
        "Classes in the mean of an image; without it, those present for Lovász, and all for the "
        "others."
    )
    pooling: LossPooling = _losses(
        "Losses of overlap: the mean over images, or of sums over the data set, as of one batch.",
        default="image",
    )
    void_image: VoidLoss = _losses(
        "An image without judged pixels is left out of the means (skip), or its losses are 0 "
        "(zero).",
        default="skip",
    )
    bins: int | None = _losses(
        "Show the table of reliability, in N bins; without it, calibration is of 15.",
        min=1,
        metavar="N",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOutput(ReportFiles):
    """What comes out, and when it counts as failed."""

    printed: ClassVar = {"table": "losses:to_renderable"}

    output_format: Literal["table", "csv", "json"] = _output(
        "What is printed.", "--format", default="table", common=True
    )
    csv: Path | None = report_file("losses:to_csv", "Write the losses as CSV.")
    per_image: Path | None = report_file(
        "losses:images_csv", "Write the losses of the images as CSV.", common=True
    )
    csv_columns: str | None = csv_column_names()
    float_format: str = csv_float_format()
    csv_safe: bool = csv_safe_flag()
    json: Path | None = document_file()
    plot: Path | None = report_file(
        "plots.reliability:draw",
        "Draw the reliability diagram, as .svg, .png or .pdf.",
        common=True,
    )
    fail_over: list[str] | None = _output(
        "Exit 1 if a loss is above: bce=0.2, ece=0.05.", metavar="LOSS=VALUE", common=True
    )


@command
def losses(
    maps: MapOptions,
    labels: options.TruthOptions,
    which: LossOptions,
    output: LossOutput,
    *,
    quiet: options.Quiet = False,
) -> None:
    """Compute losses of the probability maps in PROBS against the masks in TRUTH.

        # maps of the probability of each class: losses, calibration
        segeval losses probs/ truth/
        # two of them, and the names of the classes
        segeval losses probs/ truth/ --labels voc --loss focal,dice
        # is the model too sure of itself? a diagram
        segeval losses probs/ truth/ --plot reliability.svg
        # fail in CI if the expected calibration error is over 0.2
        segeval losses probs/ truth/ --fail-over ece=0.2

    Shows BCE, cross-entropy, focal, soft Dice and Jaccard, and Lovász; the
    calibration; and scores of the most probable classes. Without --labels,
    channel k is the class of value k and 255 is void.
    """
    from segeval.cli.deliver import deliver, enforce
    from segeval.counting.runfile import write_run
    from segeval.losses.dataset import evaluate_losses
    from segeval.losses.table import LOSSES
    from segeval.reports.losses import CALIBRATION, make_document
    from segeval.scoring.gates import check_values, parse_ceiling

    choice = _choice(maps, which)
    thresholds = [parse_ceiling(text) for text in output.fail_over or ()]
    check_values(dict.fromkeys((*LOSSES, *CALIBRATION), 0.0), thresholds)
    source, reading = maps.source(), maps.reading()
    _check_places(maps, labels, output)
    say_decoder(quiet=quiet)
    valuation = evaluate_losses(
        source,
        labels.choice(),
        choice,
        reading,
        workers=maps.workers,
        progress=progress_bar(quiet=quiet),
    )
    calibration = {name: getattr(valuation.calibration, name) for name in CALIBRATION}
    gates = check_values({**valuation.summary, **calibration}, thresholds)
    settings = {**valuation.scores.run.provenance.source, **asdict(labels), **_settings(choice)}
    document = make_document(valuation, settings=settings, gates=gates)
    given = {"reliability": which.bins is not None, "name": str(output.plot)}
    deliver(output, document=document, valuation=valuation, **given)
    if maps.out is not None:
        write_run(valuation.scores.run, maps.out, overwrite=maps.overwrite)
    _say_notices(valuation, quiet=quiet)
    enforce(gates)


def _settings(choice: LossChoice) -> dict[str, object]:
    """Return what is said about losses, without the options of a few that are as usual."""
    from segeval.losses.table import OPTIONS, stated_options

    unsaid = {*OPTIONS} - {*stated_options(choice)}
    settings = {name: value for name, value in asdict(choice).items() if name not in unsaid}
    return settings | {"threshold": HALF if choice.threshold is None else choice.threshold}


def _check_places(maps: MapOptions, labels: options.TruthOptions, output: LossOutput) -> None:
    from segeval.cli.places import check_reports
    from segeval.counting.runschema import check_free
    from segeval.files import check_writable
    from segeval.reports.plots.style import plot_format

    if output.plot is not None:
        plot_format(output.plot.name)
    output.csv_style()
    texts = [path for name, path in output.files().items() if name != "plot"]
    check_reports(texts, maps, labels, plots=[output.plot] if output.plot is not None else [])
    if maps.out is not None:
        check_writable((), [maps.out])
        check_free(maps.out, overwrite=maps.overwrite)
    elif maps.overwrite:
        raise SettingError("--overwrite needs a run file; name it with -o")


def _choice(maps: MapOptions, which: LossOptions) -> LossChoice:
    tversky = _numbers("--tversky", which.tversky)
    if len(tversky) not in {0, 2}:
        raise SettingError(f"--tversky takes two numbers, A,B, not {which.tversky!r}")
    return LossChoice(
        losses=tuple(dict.fromkeys(",".join(which.loss or ()).replace(",", " ").split())),
        logits=maps.logits,
        channels=maps.channels,
        threshold=which.threshold,
        alpha=_numbers("--alpha", which.alpha),
        gamma=which.gamma,
        smooth=which.smooth,
        tversky=(tversky[0], tversky[1]) if tversky else None,
        classes_mode=which.classes_mode,
        pooling=which.pooling,
        void_image=which.void_image,
        bins=15 if which.bins is None else which.bins,
        positive_weight=which.positive_weight,
        class_weights=_numbers("--class-weights", which.class_weights),
        label_smoothing=which.label_smoothing,
        normalized=which.normalized,
        squared=which.squared,
        log=which.log,
        loss_classes=tuple(name.strip() for name in (which.loss_classes or "").split(",") if name),
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...]:
    if text is None or text == "none":
        return ()
    try:
        return tuple(float(word) for word in text.split(","))
    except ValueError:
        raise SettingError(f"{option} {text!r} is not a number, or numbers with commas") from None


def _say_notices(valuation: LossScores, *, quiet: bool) -> None:
    from segeval.cli.deliver import say_left_out
    from segeval.losses.table import LOSSES, applicable_losses, sums_images
    from segeval.text import counted

    labels, impossible = valuation.scores.labels, valuation.calibration.impossible
    choice = valuation.choice
    void = int((valuation.judged == 0).sum())
    if labels.name == "binary(found)":
        notify(
            "notice: the truths hold nothing but 0 and 255, so 255 is the foreground", quiet=quiet
        )
    if impossible:
        notify(
            f"notice: {counted(impossible, 'pixel')} gave the truth the probability 0; "
            "each counts 100 where a loss takes its logarithm",
            quiet=quiet,
        )
    by_image = replace(choice, pooling="image")
    usual = applicable_losses(by_image, binary=valuation.binary)
    if unpooled := [LOSSES[name].title for name in usual if name not in valuation.summary]:
        notify(
            f"notice: {' and '.join(unpooled)} left out: --pooling dataset would need the "
            "pixels of all images at once",
            quiet=quiet,
        )
    if void:
        fate = {
            "skip": "not in the means over images (--void-image zero counts 0)",
            "zero": "0 in the means over images",
        }[choice.void_image]
        fate = "nothing in the sums" if sums_images(choice) else fate
        notify(f"notice: {counted(void, 'image')} without a judged pixel; {fate}", quiet=quiet)
    say_left_out(valuation.scores.run, quiet=quiet)
