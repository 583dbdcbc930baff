"""Which classes do probability maps hold? Found out before any loss is valued."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial

from segeval.counting.dataset import count_pair, map_pairs, pair_up
from segeval.counting.run import CountedRun, ImageCounts
from segeval.errors import DataError, LabelError, MaskError, Problem, SettingError
from segeval.inputs.masks import read_mask
from segeval.inputs.pairing import Pair, Pairing
from segeval.inputs.probabilities import read_probabilities
from segeval.labels.choose import explicit_labels
from segeval.labels.diagnose import threshold_of
from segeval.labels.doubts import foreground_of
from segeval.labels.infer import values_on_side
from segeval.labels.labelmap import WHITE, Label, LabelMap
from segeval.settings import LabelChoice, LossChoice, Reading, Source
from segeval.values import NO_DATA, describe_values


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstMap:
    """The first map that can be read: its file, and its shape, (K, H, W) or (H, W)."""

    path: str
    shape: tuple[int, ...]

    @property
    def binary(self) -> bool:
        """Whether it holds the foreground only."""
        return len(self.shape) == 2

    @property
    def classes(self) -> int:
        """Number of classes."""
        return 2 if self.binary else self.shape[0]


def first_map(pairing: Pairing, choice: LossChoice, reading: Reading) -> FirstMap:
    """Find the first map that can be read; if there is none, raise all problems."""
    problems = list(pairing.problems)
    for pair in pairing.pairs:
        if pair.prediction is None:
            continue
        try:
            maps = read_probabilities(pair.prediction, choice, max_pixels=reading.max_pixels)
        except MaskError as error:
            problems.append(Problem(name=pair.name, kind="unreadable file", detail=str(error)))
            continue
        shape = maps.values.shape
        if len(shape) == 3 and choice.channels == "first":
            _check_channels(pair, shape, reading)
        return FirstMap(path=str(pair.prediction), shape=shape)
    raise DataError(problems)


def _check_channels(pair: Pair, shape: tuple[int, ...], reading: Reading) -> None:
    """Refuse a map whose first two axes, and not its last two, are those of its truth."""
    try:
        truth = read_mask(pair.truth, max_pixels=reading.max_pixels).values.shape
    except MaskError:
        return
    if shape[:2] == truth != shape[1:]:
        raise SettingError(
            f"{pair.prediction} is of shape {shape} and its truth of {truth}, so its classes come "
            "last; type --channels last"
        )


def map_labels(
    source: Source, choice: LabelChoice, first: FirstMap, reading: Reading, workers: int | None
) -> LabelMap:
    """Return the classes that were stated, or those that the channels and the truths show."""
    labels = explicit_labels(choice)
    if NO_DATA in (choice.ignore or ()):
        raise SettingError("--ignore nodata is not known to losses; type the value, e.g. 255")
    if labels is not None:
        labels.apart("a loss")
    if labels is None and first.classes > 2:
        usual = (WHITE,) if first.classes <= WHITE else ()
        void = usual if choice.ignore is None else choice.ignore
        return _of_channels("channels", {str(k): (k,) for k in range(first.classes)}, void)
    if labels is None:
        return _found(source, choice.ignore, first, reading, workers)
    if len(labels.labels) != first.classes:
        held = "the foreground only" if first.binary else f"{first.classes} classes"
        raise SettingError(
            f"the maps hold {held} ({first.path}), but {labels.name} names {len(labels.labels)} "
            "classes; name the classes of the maps with --labels or --classes"
        )
    for label in labels.labels:
        if not (label.prediction_values or label.colors_of("prediction")):
            raise LabelError(
                f"{labels.name} gives {label.name} no value in predictions, so no channel can mean "
                "it; name one, e.g. prediction_values = 0"
            )
    return labels.two_classes("a map of the foreground") if first.binary else labels


def _found(
    source: Source,
    ignore: tuple[int, ...] | None,
    first: FirstMap,
    reading: Reading,
    workers: int | None,
) -> LabelMap:
    """Find out from the truths of all shards which value is the foreground: 1, or 255 beside 0."""
    pairs = pair_up(replace(source, shard=None)).pairs
    alone = [replace(pair, prediction=pair.truth) for pair in pairs]
    images: list[ImageCounts] = []
    count = partial(count_pair, reading=reading)
    map_pairs(count, alone, images.append, workers=workers, progress=None)
    found = values_on_side(CountedRun.of(images), "truth")
    foreground = foreground_of(found, ignore)
    if foreground is not None:
        white = WHITE in foreground
        void = ignore if ignore is not None else () if white else (WHITE,)
        classes = {"background": (0,), "foreground": foreground}
        return _of_channels("binary(found)" if white else "found", classes, void)
    held, level = "the foreground only" if first.binary else "two classes", threshold_of(found)
    raise LabelError(
        f"the maps hold {held}, and truth holds {describe_values(found)}: which is the "
        f"foreground? Type --truth-threshold {level or 128} if it is all from there on, --labels "
        "with a label map of two classes, or --ignore for what is void; masks of classes are "
        "scored by `segeval score`"
    )


def _of_channels(
    name: str, values: Mapping[str, tuple[int, ...]], void: Collection[int]
) -> LabelMap:
    """Return a map of one class a channel, which a truth cannot hold if its value is void."""
    labels = tuple(
        Label(
            name=word,
            truth_values=tuple(value for value in held if value not in void),
            prediction_values=held,
        )
        for word, held in values.items()
    )
    return LabelMap(name=name, labels=labels, void=tuple(sorted(void)))
