"""Presets against what the tools themselves printed for the same masks.

Each record of ``peers/public_expected.json`` names a tool, its call and the numbers that came out.
The call leads to a preset (``made/calls.py``); nothing else of the record is used but the
treatment of void, which is laid on the counts. All numbers of a record are compared: its mean, its
vector over classes or images, its matrix.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from made.arguments import NotUnderstoodError
from made.calls import MATCHERS, VOID, Match, Record, match_of
from numpy.typing import NDArray

from segeval.counting.dataset import count_dataset
from segeval.counting.run import CountedRun
from segeval.labels.labelmap import Label, LabelMap
from segeval.presets.preset import load_presets, preset
from segeval.scoring.convention import Convention
from segeval.scoring.metrics import METRICS, OVERALL, ratio
from segeval.scoring.score import Scores, per_image, score_run
from segeval.settings import Source

PEERS = Path(__file__).parents[3] / "shared" / "peers"
EXPECTED = PEERS / "public_expected.json"
FLOAT32 = {"torchmetrics", "monai", "smp", "JDTLosses", "LovaszSoftmax iou()", "mmsegmentation"}
PERCENT = {"mmsegmentation", "detectron2", "JDTLosses", "LovaszSoftmax iou()"}

Values = NDArray[np.float64]


def records() -> list[Record]:
    return json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.is_file() else []


@cache
def counted(data_set: str) -> CountedRun:
    folder = PEERS / data_set
    return count_dataset(
        Source(prediction=folder / "prediction", truth=folder / "truth"), workers=1
    )


def rewritten(run: CountedRun, truth: int, new: tuple[int, int | None]) -> CountedRun:
    """Give the pixels of a truth value another truth, and another prediction if one is named."""
    at, counts = run.counts.truth == truth, run.counts
    predicted = counts.prediction if new[1] is None else np.where(at, new[1], counts.prediction)
    changed = counts.with_values(truth=np.where(at, new[0], counts.truth), prediction=predicted)
    return replace(run, counts=changed)


def classes(truths: Sequence[tuple[int, ...]], predictions: Sequence[tuple[int, ...]]) -> LabelMap:
    labels = tuple(
        Label(name=str(number), truth_values=truth, prediction_values=prediction)
        for number, (truth, prediction) in enumerate(zip(truths, predictions, strict=True))
    )
    values = {value for truth in truths for value in truth}
    return LabelMap(name="made", labels=labels, void=() if VOID in values else (VOID,))


def prepared(record: Record, match: Match) -> tuple[CountedRun, LabelMap]:
    """Lay the treatment of void, and what the call does to labels, on the counts."""
    run, number = counted(record["dataset"]), record["num_classes"]
    plain, treatment = [(value,) for value in range(number)], record.get("treatment")
    if match.labels == "categories":
        merged = [
            tuple(map(int, values.split(",")))
            for values in re.findall(r"\w+=\{([\d, ]+)\}", record["how_it_was_run"])
        ]
        return run, classes(merged, merged)
    if match.labels == "shifted":
        shifted = [(value + 1,) for value in range(number - 1)]
        return rewritten(run, 0, (VOID, None)), classes(shifted, plain[:-1])
    if treatment == "extra_class_kept":
        more = [*plain, (number,)]
        return rewritten(run, VOID, (number, number)), classes(more, more)
    if treatment == "untreated":
        return run, classes([*plain, (VOID,)], [*plain, ()])
    if treatment not in {None, "none", "drop", "native", "native_labelmap"}:
        raise NotUnderstoodError(f"no use is made of the treatment {treatment!r}")
    if match.ignored not in {VOID, None}:
        run = rewritten(run, match.ignored, (VOID, None))
    elif match.ignored is None and treatment != "drop" and (run.counts.truth == VOID).any():
        raise NotUnderstoodError("void is in the truth, and the call does not say so")
    return run, classes(plain, plain)


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What comes out here: a mean, and a vector or a matrix where a record has one."""

    mean: float
    per_class: Any = None
    per_image: Any = None
    per_image_class: Any = None


def computed(record: Record, match: Match) -> Numbers:
    """Score the masks as a record says."""
    run, labels = prepared(record, match)
    untreated = (record["num_classes"],) if record.get("treatment") == "untreated" else ()
    exclude = tuple(map(str, (*match.exclude, *untreated)))
    convention = replace(preset(match.preset), **match.changes, exclude=exclude)
    scores = score_run(run, labels, convention, unknown="wrong")
    if match.rule:
        return RULES[match.rule](scores, match)
    measure = match.measure
    if measure in OVERALL:
        return Numbers(mean=scores.summary[measure])
    mean = scores.summary[f"m{measure}"]
    if match.worst:
        mean = float(np.mean([worst(scores, convention, measure, q) for q in match.worst]))
    first = 0 if convention.classes == "all" else 1
    shown = match.listed or range(first, len(labels.labels))
    values = scores.class_scores[measure][[*shown]]
    return Numbers(
        mean=mean / match.divisor,
        per_class=np.where(np.isnan(values), match.fill, values),
        per_image=per_image(scores)[f"m{measure}"],
        per_image_class=convention.score_classes(METRICS[measure], scores.counts.images),
    )


def worst(scores: Scores, convention: Convention, measure: str, share: float) -> float:
    changed = replace(convention, worst=float(share))
    summary = score_run(scores.run, scores.labels, changed, unknown="wrong").summary
    return summary[f"m{measure}_worst{share:g}"]


def placeholder(scores: Scores, match: Match) -> Numbers:
    """Average the worst share of each class, a million for a class that no truth shows."""
    names, means = scores.labels.names, []
    for share in match.worst:
        of_classes = []
        for name in names:
            others = tuple(other for other in names if other != name)
            alone = replace(scores.convention, exclude=others)
            value = worst(scores, alone, match.measure, share)
            of_classes.append(1e6 if math.isnan(value) else value)
        means.append(np.mean(of_classes))
    return Numbers(mean=float(np.mean(means)))


def undefined_last(scores: Scores, match: Match) -> Numbers:
    """Average the worst share of the images, those without a value taken for the best ones."""
    counts = scores.counts.images
    values = scores.convention.score_classes(METRICS[match.measure], counts)
    values = np.sort(values[counts.total > 0, 1])
    worst = [values[: max(1, values.size * share // 100)].mean() for share in match.worst]
    return Numbers(mean=float(np.mean(worst)))


def batched(scores: Scores, match: Match) -> Numbers:
    """Score batches of images of one size; absent classes take weights in transposed order."""
    counts, run = scores.counts.images, scores.run
    power, values = {"linear": 0, "simple": 1, "square": 2}[match.option], []
    sizes = [(image.height, image.width) for image in run.images]
    for size in dict.fromkeys(sizes):
        rows = [place for place, own in enumerate(sizes) if own == size]
        tp, support, predicted = counts.tp[rows], counts.support[rows], counts.predicted[rows]
        weights = np.nan_to_num(ratio(np.ones(support.shape), support.astype(float) ** power))
        largest = weights.max(axis=0).repeat(len(rows)).reshape(support.shape)
        weights = np.where(support > 0, weights, largest)
        above = (2 * tp * weights).sum(axis=1)
        values.append(np.nan_to_num(ratio(above, ((support + predicted) * weights).sum(axis=1))))
    return Numbers(mean=float(np.concatenate(values).mean()))


def mean_counts(scores: Scores, match: Match) -> Numbers:
    """Average the counts of pixels over images, then over the foreground that is listed."""
    counts = scores.counts.images
    columns = (counts.tp, counts.fp, counts.fn, counts.tn, counts.predicted, counts.support)
    chosen = [label for label in match.listed if label != 0]
    return Numbers(mean=math.nan, per_class=np.array([c[:, chosen].mean() for c in columns]))


def cells_of(scores: Scores) -> Any:
    """Return the confusion matrix."""
    assert scores.counts.confusion is not None
    return scores.counts.confusion.counts.astype(np.float64)


def matrix(scores: Scores, match: Match) -> Numbers:
    """Return the confusion matrix, by the sums of rows, columns or all if it is normalised."""
    counts = cells_of(scores)
    axes = {"": None, "true": 1, "pred": 0, "all": (0, 1)}[match.option]
    sums = np.ones((1, 1)) if axes is None else counts.sum(axis=axes, keepdims=True)
    return Numbers(mean=math.nan, per_class=np.nan_to_num(ratio(counts, sums)))


def kappa(scores: Scores, match: Match) -> Numbers:
    """Weigh confusions of classes by their distance, or its square."""
    counts = cells_of(scores)
    place = np.arange(counts.shape[0])
    weights = np.abs(place[:, None] - place) ** {"linear": 1, "quadratic": 2}[match.option]
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return Numbers(mean=1 - float((weights * counts).sum() / (weights * by_chance).sum()))


def one_against_the_rest(scores: Scores, match: Match) -> Numbers:
    """Score each class of each image against all other pixels, void among them."""
    counts, pixels = scores.counts.images, scores.counts.pixels[:, None].astype(np.float64)
    tp, support, predicted = (
        part.astype(np.float64) for part in (counts.tp, counts.support, counts.predicted)
    )
    right = pixels - support - predicted + 2 * tp
    if match.option == "ACC":
        values = right / pixels
    elif match.option == "Kappa":
        chance = (support * predicted + (pixels - support) * (pixels - predicted)) / pixels
        values = ratio(right - chance, pixels - chance)
    else:
        spread = support * (pixels - support) * predicted * (pixels - predicted)
        values = ratio(tp * pixels - support * predicted, np.sqrt(spread))
    return Numbers(mean=math.nan, per_image_class=np.nan_to_num(values))


RULES: Final[dict[str, Callable[[Scores, Match], Numbers]]] = {
    "placeholder": placeholder,
    "undefined last": undefined_last,
    "batched": batched,
    "mean counts": mean_counts,
    "matrix": matrix,
    "kappa": kappa,
    "one against the rest": one_against_the_rest,
}
"""What is computed from counts: faults of tools that no preset repeats, and what is no score."""


def agree(record: Record, ours: Any, theirs: Any) -> bool:
    """Whether numbers are the same at the precision that the tool has."""
    expected = np.array(theirs, np.float64)  # None is NaN
    found = np.asarray(ours, np.float64)
    if found.shape != expected.shape:
        return False
    expected = expected / (100 if record["peer"] in PERCENT else 1)
    relative = 1e-6 if record["peer"] in FLOAT32 else 1e-9
    if record["peer"] == "MetricsReloaded":
        relative = 1e-7  # some of its fractions have a tiny number added to the denominator
    if record["peer"] == "mmsegmentation" and expected.ndim:
        relative = 0.51e-4  # its table is printed with two decimals of a percentage
    return np.allclose(found, expected, rtol=relative, atol=relative, equal_nan=True)


PARTS = ("per_class", "per_image", "per_image_class")
UNUSED = {
    "peer", "version_or_commit", "call", "dataset", "metric", "how_it_was_run", "axes", "special",
    "num_classes", "verified", "treatment", "mode", "jdt", "labels",
}  # fmt: skip
"""Fields that say how numbers came about; the others are numbers."""


def differences(record: Record) -> list[str]:
    """Compare all numbers of a record with what comes out here."""
    match = match_of(record)
    numbers = computed(record, match)
    if unknown := record.keys() - UNUSED - {"value", "flag", "unrounded", *PARTS}:
        raise NotUnderstoodError(f"no use is made of {unknown}")
    found = []
    if record.get("flag") != "no scalar (see per_class)":
        theirs = record.get("unrounded", record["value"])
        if not agree(record, numbers.mean, theirs):
            found.append(f"{match.preset}: mean {numbers.mean!r}, tool {theirs!r}")
    return found + [
        f"{match.preset}: {part} {getattr(numbers, part)}, tool {record[part]}"
        for part in PARTS
        if record.get(part) is not None and not agree(record, getattr(numbers, part), record[part])
    ]


@pytest.fixture(scope="module", autouse=True)
def _peers_are_there() -> None:
    if not EXPECTED.is_file():
        pytest.skip("the records of other tools are not there")


@pytest.mark.parametrize("peer", MATCHERS)
def test_presets_give_what_the_tools_printed(peer: str) -> None:
    of_peer = [record for record in records() if record["peer"] == peer]
    differing = [
        (record["dataset"], record["call"], record["metric"], found)
        for record in of_peer
        if (found := differences(record))
    ]
    assert not differing


def test_every_record_is_of_a_known_tool_and_has_a_number() -> None:
    assert len(records()) > 1000
    for record in records():
        assert record["peer"] in MATCHERS
        numbers = [record["value"], *(record.get(part) for part in PARTS)]
        assert any(number is not None for number in numbers) or record["flag"] == "nan"


def test_an_argument_that_is_not_used_fails() -> None:
    for record in records():
        call = record["call"]
        if record["peer"] in {"nnunetv2", "kaggle-style (own script, no peer code)"}:
            changed = f"{call} --unheard-of"
        else:
            changed = re.sub(r"\((.*?)\)", r"(\1, unheard_of=1)", call, count=1)
            changed = changed.replace("(, ", "(")
        with pytest.raises(NotUnderstoodError, match="unheard"):
            match_of({**record, "call": changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"peer": "scikit-learn", "call": "accuracy_score(gt, pred, normalize=False)"},
        {"peer": "scikit-learn", "call": "jaccard_score(gt, pred, average='samples')"},
        {"peer": "torchmetrics", "call": "segmentation.MeanIoU(num_classes=7)"},
        {"peer": "monai", "call": "DiceMetric(reduction='sum')"},
        {"peer": "monai", "call": "DiceMetric(get_not_nans=True)"},
        {"peer": "miseval", "call": "evaluate(gt, pred, metric='AHD')"},
        {
            "peer": "smp",
            "call": "iou_score(tp, fp, fn, tn, reduction='micro', class_weights=[1..6])",
        },
        {"peer": "JDTLosses", "call": "AccuracyMetric(q=5, num_classes=6).value()['mIoUI25']"},
        {"peer": "mmsegmentation", "call": "IoUMetric(beta=2).compute_metrics(results)['mIoU']"},
        {"peer": "a tool of tomorrow", "call": "iou(gt, pred)"},
    ],
)
def test_a_value_of_an_argument_that_is_not_understood_fails(changed: Record) -> None:
    with pytest.raises(NotUnderstoodError):
        match_of({"num_classes": 6, "metric": "", **changed})


def test_rules_move_records_and_each_is_met() -> None:
    """Each rule gives another number than the preset alone: it is no empty word."""
    met = set()
    for record in records():
        match = match_of(record)
        if not match.rule:
            continue
        met.add(match.rule)
        alike = match.rule == "kappa" and record["num_classes"] == 2
        if match.rule in {"placeholder", "batched", "kappa"} and not alike:
            plain = computed(record, replace(match, rule=""))
            same = agree(record, plain.mean, record["value"])
            shown = placeholder_is_due(record, match) if match.rule == "placeholder" else True
            assert same != shown, (record["dataset"], record["call"])
    assert met == RULES.keys()


def placeholder_is_due(record: Record, match: Match) -> bool:
    run, labels = prepared(record, match)
    scores = score_run(run, labels, unknown="wrong")
    return bool((scores.counts.classes.support == 0).any())


@pytest.mark.parametrize("normalize", ["true", "pred", "all"])
def test_a_normalised_matrix_has_shares(normalize: str) -> None:
    record = next(r for r in records() if r["call"].startswith("confusion_matrix"))
    call = record["call"].replace("labels", f"normalize='{normalize}', labels")
    shares = computed(record, match_of({**record, "call": call})).per_class
    counts = np.array(record["per_class"], np.float64)
    totals = {"true": counts.sum(axis=1)[:, None], "pred": counts.sum(axis=0), "all": counts.sum()}
    np.testing.assert_allclose(shares * totals[normalize], counts)


def test_every_preset_but_a_few_is_met_by_a_record() -> None:
    met = {match_of(record).preset for record in records()}
    elsewhere = {"emc", "hotcoco", "transunet", "ultralytics", "vernier"}  # in test_new_peers.py
    elsewhere.add("davis")  # in test_davis.py
    unmet = {name for name in load_presets() if name not in met}
    assert {name for name in unmet if name.partition(":")[0] not in elsewhere} == {
        "jdt-class:worst",  # the share is set on jdt-class
        "jdt-image:worst",
        "smoothed-dice",  # no tool among the records
        "smoothed-dice:dataset",
        "smoothed-dice:tiny",
        "isic2018",  # in test_competitions.py
        "severstal",
        "tgs-salt",
    }
