"""What a user can say about a job, as plain records and closed choices.

Nothing here computes or imports NumPy: the command line knows its options without it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypedDict, get_args

from segeval.errors import SettingError
from segeval.storage.path import located
from segeval.text import quoted

if TYPE_CHECKING:
    from segeval.labels.labelmap import LabelMap

Missing = Literal["error", "skip", "worst"]
Match = Literal["path", "stem"]
RleOrder = Literal["column", "row"]
RleStarts = Literal["absolute", "relative"]
RleRows = Literal["mask", "objects"]
MissingClass = Literal["error", "empty"]
OnError = Literal["stop", "skip"]
Engine = Literal["local", "dask"]
Unknown = Literal["error", "wrong", "ignore"]
Pooling = Literal[
    "dataset",
    "image",
    "class",
    "pair",
    "micro",
    "image-micro",
    "group",
    "dataset-mm3",
    "track",
    "track-decay",
]
Absent = Literal["skip", "zero", "one", "undefined"]
Treatment = Literal["formula", "skip", "zero", "one", "undefined"]
Classes = Literal["all", "foreground"]
Weights = Literal["none", "support", "support-or-one"]
Weightless = Literal["skip", "zero", "mean"]
Weighting = Literal["none", "simple", "square", "uniform"]
Unseen = Literal["largest", "zero"]
VoidImage = Literal["score", "skip"]
Ends = Literal["score", "skip"]
Scale = Literal["none", "min-max"]
Outside = Literal["unknown", "ignore"]

Level = Literal["class", "category"]
Channels = Literal["first", "last"]
ClassesMode = Literal["present", "all"]
VoidLoss = Literal["skip", "zero"]
LossPooling = Literal["image", "dataset"]

MAX_BINS: Final = 10_000
HALF: Final = 0.5  # the foreground is where the probability is this or more
MAX_PIXELS: Final = 1 << 28  # default limit on the number of pixels of one mask


@dataclass(frozen=True, slots=True, kw_only=True)
class PerClass:
    """Where the masks of single classes are: files of names like a template, or channels."""

    template: str = ""  # with {name} and {class}, or one of `CHANNELS`; empty if there are none
    classes: tuple[str, ...] = ()  # in their order; empty for those that are found

    @property
    def channels(self) -> bool:
        """Whether each channel of a file is a class."""
        return self.template in CHANNELS

    @property
    def by_name(self) -> bool:
        """Whether each class has a file, which is told by its name."""
        return bool(self.template) and not self.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationChoice:
    """What the user says about masks that are not one file an image with one value a pixel."""

    size: tuple[int, int] | None = None  # rows and columns, where neither side states them
    columns: tuple[tuple[str, str], ...] = ()  # what a table calls its columns, e.g. (image, id)
    rle_order: RleOrder = "column"
    rle_base: int = 1  # number of the first pixel
    rle_starts: RleStarts = "absolute"  # relative: counted from the end of the run before
    rle_rows: RleRows = "mask"  # what the rows of an image are together, where they have no class
    score_threshold: float | None = None  # predicted annotations below it are left out
    per_class: PerClass = field(default_factory=PerClass)  # of both sides,
    predicted_per_class: PerClass | None = None  # unless predictions have their own
    missing_class: MissingClass = "error"  # a class without a file
    band: int | None = None  # of files of several, counted from 1
    frame: int | None = None  # the same

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        _check_choice("rle_order", self.rle_order, RleOrder)
        _check_choice("rle_starts", self.rle_starts, RleStarts)
        _check_choice("rle_rows", self.rle_rows, RleRows)
        _check_choice("missing_class", self.missing_class, MissingClass)
        if self.rle_base not in {0, 1}:
            raise SettingError(f"--rle-base is 0 or 1, not {self.rle_base}")
        for name, number in (("band", self.band), ("frame", self.frame)):
            if number is not None and number < 1:
                raise SettingError(f"--{name} is counted from 1, so it cannot be {number}")
        one, other = self.per_class, self.predicted_per_class
        if not one.template and (other is not None or self.missing_class != "error"):
            raise SettingError("--pred-per-class and --missing-class need --per-class")
        if one.template and (self.band, self.frame) != (None, None):
            raise SettingError("--per-class and --band or --frame contradict each other")
        if other is not None and any(each.channels and not each.classes for each in (one, other)):
            raise SettingError("--per-class and --pred-per-class need names, as in channels:a,b")

    @classmethod
    def of(
        cls,
        *,
        size: str | tuple[int, int] | None = None,
        columns: str | None = None,
        rle_order: RleOrder = "column",
        rle_base: int = 1,
        rle_starts: RleStarts = "absolute",
        rle_rows: RleRows = "mask",
        score_threshold: float | None = None,
        per_class: str | None = None,
        prediction_per_class: str | None = None,
        missing_class: MissingClass = "error",
        band: int | None = None,
        frame: int | None = None,
    ) -> AnnotationChoice:
        """Return the choice that is written as on the command line; a size may be two numbers."""
        written = size if size is None or isinstance(size, str) else "x".join(map(str, size))
        own = prediction_per_class
        return cls(
            size=None if written is None else parse_size(written),
            columns=() if columns is None else parse_columns(columns),
            rle_order=rle_order,
            rle_base=rle_base,
            rle_starts=rle_starts,
            rle_rows=rle_rows,
            score_threshold=score_threshold,
            per_class=PerClass() if per_class is None else parse_per_class(per_class),
            predicted_per_class=None if own is None else parse_per_class(own),
            missing_class=missing_class,
            band=band,
            frame=frame,
        )

    @property
    def within_files(self) -> bool:
        """Whether masks are channels, bands or frames of files."""
        channels = self.split("truth").channels or self.split("prediction").channels
        return channels or (self.band, self.frame) != (None, None)

    def split(self, side: str) -> PerClass:
        """Return where the masks of single classes of a side are."""
        own = self.predicted_per_class if side == "prediction" else None
        return own or self.per_class

    @property
    def said_size(self) -> str:
        """The size as a fact of the signature."""
        return "" if self.size is None else f"size:{self.size[0]}x{self.size[1]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the masks are and how they are paired; see `find_pairs` and `read_pairs`.

    ``shard="I/N"`` takes every N-th pair, from the I-th on. ``roi`` is a folder of fields of view.
    Columns are those of a table of images.
    """

    prediction: Path | None = None
    truth: Path | None = None
    pairs: Path | None = None
    pred_suffix: str = ""
    truth_suffix: str = ""
    match: Match = "path"
    include: str | None = None
    missing: Missing = "error"
    shard: str | None = None
    roi: Path | None = None
    roi_suffix: str = ""
    prediction_column: str | None = None
    truth_column: str | None = None
    name_column: str | None = None
    annotations: AnnotationChoice = field(default_factory=AnnotationChoice)

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        for side in ("prediction", "truth", "pairs", "roi"):
            if (path := getattr(self, side)) is not None:
                object.__setattr__(self, side, located(path))
        _check_choice("missing", self.missing, Missing)
        _check_choice("match", self.match, Match)
        if self.pairs is not None and self.annotations.per_class.by_name:
            raise SettingError("--per-class finds names in folders; with --pairs, type channels")
        if self.roi_suffix and self.roi is None:
            raise SettingError("--roi-suffix needs --roi, the folder of the fields of view")
        if self.image_columns and self.pairs is None:
            raise SettingError("columns of images need --pairs, e.g. --pairs set.parquet")

    @property
    def image_columns(self) -> dict[str, str]:
        """The columns of a table of images that are named."""
        sides = ("prediction", "truth", "name")
        named = {side: getattr(self, f"{side}_column") for side in sides}
        return {side: column for side, column in named.items() if column is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How masks are read."""

    max_pixels: int = MAX_PIXELS
    resize_prediction: bool = False  # to the size of the truth, nearest
    ignore_geometry: bool = False  # volumes may lie elsewhere than their truths
    lossy: bool = False
    on_error: OnError = "stop"  # a pair that cannot be read

    def __post_init__(self) -> None:
        """Refuse what is no choice."""
        _check_choice("on_error", self.on_error, OnError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A Dask cluster that does the work: the one of a scheduler, or one of this machine."""

    scheduler: str | None = None  # e.g. tcp://10.0.0.5:8786
    say: Callable[[str], None] | None = None  # told once where the dashboard is

    @classmethod
    def of(
        cls, engine: Engine, scheduler: str | None, say: Callable[[str], None] | None = None
    ) -> Cluster | None:
        """Return the cluster of an engine, or None for workers of this program."""
        _check_choice("engine", engine, Engine)
        if engine == "local":
            if scheduler is not None:
                raise SettingError("--scheduler is of Dask; add --engine dask, or leave it out")
            return None
        if scheduler is not None and not re.fullmatch(r"[a-z]+://[^\s/]+(/\S*)?", scheduler):
            raise SettingError(
                f"--scheduler {quoted(scheduler)} is no address; type e.g. tcp://10.0.0.5:8786"
            )
        return cls(scheduler=scheduler, say=say)


class ReadingKeywords(TypedDict, total=False):
    """How masks are paired and read, as keywords; see `segeval.count`."""

    pred_suffix: str
    truth_suffix: str
    match: Match
    include: str | None
    missing: Missing
    shard: str | None
    roi: str | PathLike[str] | None
    roi_suffix: str
    prediction_column: str | None
    truth_column: str | None
    name_column: str | None
    max_pixels: int
    resize_prediction: bool
    ignore_geometry: bool
    on_error: OnError
    size: str | tuple[int, int] | None
    columns: str | None
    rle_order: RleOrder
    rle_base: int
    rle_starts: RleStarts
    rle_rows: RleRows
    score_threshold: float | None
    per_class: str | None
    prediction_per_class: str | None
    missing_class: MissingClass
    band: int | None
    frame: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelChoice:
    """What the user says about classes; everything is optional."""

    labels: str | PathLike[str] | LabelMap | None = None
    prediction_labels: str | PathLike[str] | LabelMap | None = None  # if stored differently
    classes: int | None = None  # values 0…N-1
    ignore: tuple[int, ...] | None = None  # added to a map, else in place of 255
    threshold: float | None = None  # foreground where value >= threshold
    truth_threshold: float | None = None
    prediction_offset: int = 0  # added to predicted values before they are looked up
    level: Level = "class"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossChoice:
    """What the user says about losses."""

    losses: tuple[str, ...] = ()  # names; empty for all that the data allow
    logits: bool = False
    channels: Channels = "first"  # (K, H, W) or (H, W, K)
    threshold: float | None = None  # of the foreground: a probability, or a level of integers
    alpha: tuple[float, ...] = ()  # one that balances, or one a class; empty for 1
    gamma: float = 2.0
    smooth: float = 0.0  # added to both terms of the losses of overlap
    tversky: tuple[float, float] | None = None  # prices of false positives and misses
    classes_mode: ClassesMode | None = None  # None leaves it to each loss
    pooling: LossPooling = "image"  # of the losses of overlap: a mean over images, or of sums
    void_image: VoidLoss = "skip"  # of images without judged pixels
    bins: int = 15  # of the reliability table
    positive_weight: float | None = None  # factor of positives in the binary cross-entropy
    class_weights: tuple[float, ...] = ()  # of the cross-entropy, which divides by their sum
    label_smoothing: float = 0.0  # share of the truth that is spread over all classes
    normalized: bool = False  # the focal loss divides by the sum of (1 - p_t)^gamma
    squared: bool = False  # the losses of overlap have squares below
    log: bool = False  # -ln of the overlap
    loss_classes: tuple[str, ...] = ()  # names of classes in the means over classes

    def __post_init__(self) -> None:
        """Refuse what no loss is defined for."""
        if self.bins > MAX_BINS:
            raise SettingError(f"--bins is at most {MAX_BINS}, not {self.bins}")
        lowest = {"gamma": self.gamma, "smooth": self.smooth, "bins": self.bins - 1}
        for name, value in lowest.items():
            if not 0 <= value < math.inf:
                raise SettingError(f"--{name} must be {int(name == 'bins')} or more, and finite")
        several = {
            "alpha": self.alpha,
            "tversky": self.tversky or (),
            "class-weights": self.class_weights,
            "positive-weight": (self.positive_weight or 0,),
        }
        for name, values in several.items():
            if any(not 0 <= value < math.inf for value in values):
                raise SettingError(f"--{name} must be 0 or more, and finite")
        if not 0 <= self.label_smoothing <= 1:
            raise SettingError(f"--label-smoothing is a share, 0 to 1, not {self.label_smoothing}")
        if self.loss_classes and self.classes_mode:
            raise SettingError("--loss-classes lists the classes; leave out --classes-mode")
        if len(self.alpha) == 1 and self.alpha[0] > 1:
            raise SettingError(
                f"one --alpha weighs positives against negatives: 0 to 1, not {self.alpha[0]:g}"
            )
        threshold = HALF if self.threshold is None else self.threshold
        if not 0 < threshold < (1 + 1e-9 if self.logits else math.inf):
            raise SettingError(f"--threshold is a probability above 0, not {threshold:g}")

    @property
    def decision(self) -> str:
        """How maps of the foreground are decided, for the signature."""
        threshold = HALF if self.threshold is None else self.threshold
        return f"{'value' if threshold >= 1 and not self.logits else 'p'}>={threshold:g}"


def _check_choice(name: str, value: str, choices: object) -> None:
    if value not in get_args(choices):
        raise SettingError(f"{name} is one of {', '.join(get_args(choices))}, not {value!r}")


def parse_size(text: str) -> tuple[int, int]:
    """Parse ``HxW``: rows, then columns.

    >>> parse_size("768x1024")
    (768, 1024)
    """
    match = re.fullmatch(r"([1-9]\d{0,8})[x×]([1-9]\d{0,8})", text)
    if match is None:
        raise SettingError(f"--size {quoted(text)} is not HEIGHTxWIDTH, e.g. 768x1024")
    return int(match[1]), int(match[2])


COLUMNS: Final = "image", "rle", "class", "height", "width"  # of a table of run lengths


def parse_columns(text: str) -> tuple[tuple[str, str], ...]:
    """Parse what a table calls its columns.

    >>> parse_columns("image=file,rle=runs")
    (('image', 'file'), ('rle', 'runs'))
    """
    columns: dict[str, str] = {}
    for part in text.split(","):
        what, equals, name = (word.strip() for word in part.partition("="))
        if what not in COLUMNS or not equals or what in columns:
            raise SettingError(
                f"--columns {quoted(text)}: {quoted(part)} is not one of "
                f"{', '.join(f'{column}=NAME' for column in COLUMNS)}, each once"
            )
        columns[what] = name
    return tuple(columns.items())


CHANNELS: Final = "channels", "channels-last"  # (K, H, W) of NumPy, or (H, W, K)


def parse_per_class(text: str) -> PerClass:
    """Parse a template of names, or ``channels``; the names of the classes may follow a colon.

    >>> parse_per_class("{name}_{class:car,road}")
    PerClass(template='{name}_{class}', classes=('car', 'road'))
    """
    template, colon, listed = text.partition(":")
    if template not in CHANNELS:
        found = re.search(r"\{class(:?)([^{}]*)\}", text)
        colon, listed = found.groups() if found else ("", "")
        template = text.replace(found[0], "{class}") if found else text
        rest = template.replace("{class}", "", 1).replace("{name}", "", 1)
        if found is None or "{name}" not in template or "{" in rest or "}" in rest:
            raise SettingError(
                f"--per-class {quoted(text)} is neither a template of names with {{name}} and "
                "{class}, nor channels; type e.g. --per-class '{class}/{name}', "
                "--per-class '{name}_{class:car,road}' or --per-class channels:car,road"
            )
    classes = tuple(name.strip() for name in listed.split(",")) if colon else ()
    if len(set(classes)) < len(classes) or "" in classes:
        raise SettingError(f"--per-class {quoted(text)}: each class needs a name of its own")
    return PerClass(template=template, classes=classes)


def parse_values(given: Collection[int | str] | int | None) -> tuple[int, ...] | None:
    """Parse values that are void: numbers, colours, ``nodata``; ``none`` is no value.

    >>> parse_values(["0,255", "none"])
    (0, 255)
    """
    from segeval.values import COLOR, NO_DATA, integer_fault

    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        given = [given]
    values = []
    for word in ",".join(map(str, given)).replace(" ", ",").split(","):
        if word in {"", "none"}:
            continue
        if word == "nodata":
            values.append(NO_DATA)
            continue
        if re.fullmatch("#[0-9a-fA-F]{6}", word):
            values.append(COLOR + int(word[1:], 16))
            continue
        try:
            values.append(int(word))
        except ValueError:
            raise SettingError(
                f"--ignore {word!r} is neither a whole number, nor #rrggbb, nodata or none"
            ) from None
        if fault := integer_fault(values[-1]):
            raise SettingError(f"--ignore {fault}")
    return tuple(values)


def parse_shard(text: str) -> tuple[int, int]:
    """Parse ``I/N`` with 1 <= I <= N.

    >>> parse_shard("2/4")
    (2, 4)
    """
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    number, count = (int(part) for part in match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise SettingError(f"--shard {quoted(text)} is not I/N with I from 1 to N, e.g. 2/4")
    return number, count
