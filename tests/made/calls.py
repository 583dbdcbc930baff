"""The recorded calls of other tools, read to the last argument.

Each call leads to a preset, and to what the test has to lay on the counts before or after it. An
argument, a subscript or a remark that is made no use of is an error.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from made.arguments import Arguments, NotUnderstoodError

Record: TypeAlias = dict[str, Any]

VOID: Final = 255
CODE: Final = re.compile(
    r"(?P<code>.*?[\])])\s*(?P<remark>(?:# | on | in |\[(?:multiclass|binary)\]|\(own mean\)).*)?$"
)
PLACES: Final = re.compile(r"\.\.\.|pred|gt|args|preds|gts|predictions|references|results|labels|"
                           r"label|tp|fp|fn|tn|intersect|gdth_img|pred_img")  # fmt: skip
"""What stands for the masks and their counts in a recorded call."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a record stands for: a preset, changes to it, and what the test does beside it.

    Attributes
    ----------
    preset, measure : str
        The convention, and the score.
    changes : dict
        Axes that are set.
    exclude : tuple of int
        Classes that are left out of the mean.
    divisor : float
        What the tool divides its mean by once more.
    worst : tuple of float
        Shares whose worst means are averaged.
    ignored : int, optional
        The value of the truth that is void.
    labels : {"plain", "categories", "shifted"}
        Values are classes, are merged, or those of the truth are one higher.
    fill : float
        What the tool writes for an undefined value of a class.
    listed : tuple of int
        Classes of the vector; empty for those of the mean.
    rule : str
        What is computed from counts where it is no score; empty for scores.
    option : str
        What the rule needs.
    """

    preset: str
    measure: str = "iou"
    changes: dict[str, Any] = field(default_factory=dict)
    exclude: tuple[int, ...] = ()
    divisor: float = 1.0
    worst: tuple[float, ...] = ()
    ignored: int | None = VOID
    labels: Literal["plain", "categories", "shifted"] = "plain"
    fill: float = math.nan
    listed: tuple[int, ...] = ()
    rule: str = ""
    option: str = ""


def match_of(record: Record) -> Match:
    """Return what a record stands for.

    Raises
    ------
    NotUnderstoodError
        If no use is made of some of its call.
    """
    if record["peer"] not in MATCHERS:
        raise NotUnderstoodError(f"no preset is known for {record['peer']}")
    name, args = read_call(record["call"])
    match = MATCHERS[record["peer"]](name, args, record)
    args.close()
    return match


def read_call(call: str) -> tuple[str, Arguments]:
    """Take a call apart: the functions, and all that they are given."""
    if not (found := CODE.fullmatch(call)):
        return call, Arguments({}, call)
    code = found["code"].replace("gdth_img, pred_img, ", "")  # these stand after a keyword
    code = re.sub(r"\[1\.\.(\d+)\]", lambda m: f"[*range(1, {int(m[1]) + 1})]", code)
    given: dict[str, Any] = {"remark": found["remark"].strip()} if found["remark"] else {}
    try:
        return _chain(ast.parse(code, mode="eval").body, given), Arguments(given, call)
    except SyntaxError:
        return call, Arguments({}, call)


def _chain(node: ast.expr, given: dict[str, Any]) -> str:
    """Return the functions of a call, and hold what is given to them."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_chain(node.value, given)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        name = _chain(node.value, given)
        given[f"[{sum(key[0] == '[' for key in given)}]"] = _value(node.slice)
        return name
    if not isinstance(node, ast.Call):
        raise NotUnderstoodError(f"{ast.unparse(node)} is no call")
    name = _chain(node.func, given)
    texts = [ast.unparse(argument) for argument in node.args]
    added = {text: True for text in texts if not PLACES.fullmatch(text)}
    added |= {str(word.arg): _value(word.value) for word in node.keywords}
    if twice := given.keys() & added:
        raise NotUnderstoodError(f"{name}: {', '.join(twice)} is given twice")
    given |= added
    return name


def _value(node: ast.expr) -> Any:
    """Return a literal, a range as a tuple of numbers, or the source of anything else."""
    text = ast.unparse(node)
    if ranges := re.fullmatch(r"\[?\*?range\((\d+)(?:, (\d+))?\)\]?", text):
        first, last = (0, ranges[1]) if ranges[2] is None else (ranges[1], ranges[2])
        return tuple(range(int(first), int(last)))
    try:
        return ast.literal_eval(node)
    except ValueError:
        return text


def _named(name: str, table: dict[str, Any]) -> Any:
    if name not in table:
        raise NotUnderstoodError(f"no use is made of {name!r}")
    return table[name]


def _joined(tool: str, *parts: str) -> str:
    variant = "-".join(filter(None, parts))
    return f"{tool}:{variant}" if variant else tool


def _classes(args: Arguments, record: Record, name: str = "num_classes", less: int = 0) -> None:
    """Take the number of classes: that of the set, and one more where void is a class."""
    extra = record.get("treatment") == "extra_class_kept"
    args.one_of(name, record["num_classes"] + extra - less)


def cityscapes(name: str, args: Arguments, _record: Record) -> Match:
    """Return what a record of cityscapesScripts stands for."""
    _named(name, {"evaluateImgLists": 1})
    key = args.one_of("[0]", "averageScoreClasses", "averageScoreCategories")
    labels: Any = "plain" if key == "averageScoreClasses" else "categories"
    return Match(preset="cityscapes", labels=labels)


def mmseg(name: str, args: Arguments, _record: Record) -> Match:
    """Return what a record of mmsegmentation stands for."""
    _named(name, {"IoUMetric.compute_metrics": 1})
    measures = {
        "mIoU": {"aAcc": "pixel_accuracy", "mIoU": "iou", "mAcc": "recall"},
        "mDice": {"aAcc": "pixel_accuracy", "mDice": "dice", "mAcc": "recall"},
        "mFscore": {"aAcc": "pixel_accuracy", "mFscore": "dice", "mPrecision": "precision"}
        | {"mRecall": "recall"},
    }
    known = {
        k: m for asked in args.take("iou_metrics", ["mIoU"]) for k, m in measures[asked].items()
    }
    key, fill = args.take("[0]"), args.one_of("nan_to_num", None, 0, 1)
    fscore = "fscore" if key == "mFscore" and fill != 0 else ""
    preset = _joined("mmseg", fscore, "" if fill is None else f"nan-to-{fill}")
    return Match(preset=preset, measure=_named(key, known), ignored=args.take("ignore_index", VOID))


def huggingface(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of evaluate stands for."""
    if name == "evaluate.load.compute":
        args.one_of("'mean_iou'", *[True])
    else:
        _named(name, {"mean_iou": 1})
    shifted = args.flag("reduce_labels")
    _classes(args, record, "num_labels", less=shifted)
    measures = {"mean_iou": "iou", "mean_accuracy": "recall", "overall_accuracy": "pixel_accuracy"}
    fill = args.one_of("nan_to_num", None, 0)
    args.one_of("remark", None, "# the trap of issue #421")
    return Match(
        preset="huggingface",
        measure=_named(record["metric"], measures),
        fill=math.nan if fill is None else float(fill),
        labels="shifted" if shifted else "plain",
        ignored=args.take("ignore_index"),
    )


def detectron2(name: str, args: Arguments, _record: Record) -> Match:
    """Return what a record of detectron2 stands for."""
    _named(name, {"SemSegEvaluator.evaluate": 1})
    args.flag("distributed", usual=True)
    args.one_of("[0]", "sem_seg")
    key = args.take("[1]")
    measures = {"mIoU": "iou", "fwIoU": "iou", "mACC": "recall", "pACC": "pixel_accuracy"}
    preset = "detectron2:fwiou" if key == "fwIoU" else "detectron2"
    return Match(preset=preset, measure=_named(key, measures))


def torchmetrics(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of torchmetrics stands for."""
    if name.startswith("classification.Binary"):
        measure = _named(name.removeprefix("classification.Binary"), STATISTICS)
        return Match(preset="torchmetrics:binary", measure=measure)
    _classes(args, record)
    if name.startswith("classification.Multiclass"):
        measure = _named(name.removeprefix("classification.Multiclass"), STATISTICS)
        average = args.one_of("average", "macro", "micro", "weighted", "none")
        fill = float(args.one_of("zero_division", 0, 1))  # of a vector only
        return Match(
            preset=_joined("torchmetrics", "macro" if average == "none" else average),
            measure=measure,
            fill=fill if average == "none" else math.nan,
            ignored=args.take("ignore_index"),
        )
    args.one_of("input_format", "one-hot", "index")
    foreground = "" if args.flag("include_background", usual=True) else "foreground"
    kind, measure, match = "", "dice", Match(preset="torchmetrics")
    if name == "segmentation.GeneralizedDiceScore":
        weights = args.one_of("weight_type", "square", "simple", "linear")
        kind = "generalized" if weights == "square" else f"generalized-{weights}"
        args.flag("per_class")  # weights fall out of the score of one class
        if args.one_of("remark", None, "in batches of equal-sized images"):
            match = replace(match, rule="batched", option=weights)
    elif name == "segmentation.DiceScore":
        level = args.one_of("aggregation_level", "samplewise", "global")
        average = args.one_of("average", "macro", "micro", "weighted", "none")
        kind = "dice-global" if level == "global" else "dice"
        kind += f"-{average}" if average in {"micro", "weighted"} else ""
    else:
        measure = "iou"
        functional = _named(
            name, {"segmentation.MeanIoU": 0, "functional.segmentation.mean_iou": 1}
        )
        of_classes = args.flag("per_class")
        kind = "per-class" if of_classes else "per-image" if functional else ""
        match = replace(match, fill=-1.0 if of_classes else math.nan)
        if of_classes and record.get("treatment") == "extra_class_kept":
            match = replace(match, exclude=(record["num_classes"],))
    return replace(match, preset=_joined("torchmetrics", kind, foreground), measure=measure)


STATISTICS: Final = {
    "JaccardIndex": "iou",
    "F1Score": "dice",
    "Precision": "precision",
    "Recall": "recall",
    "Accuracy": "recall",
}


def monai(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of MONAI stands for."""
    if "num_classes" in args:
        _classes(args, record)
    batch = "mean-batch" if args.one_of("reduction", "mean", "mean_batch") == "mean_batch" else ""
    remark = args.one_of("remark", None, "on (1,1,H,W) binary tensors", "# 255 left in gt")
    whole = args.flag("include_background", usual=True) and not str(remark).startswith("on")
    measure = "dice"
    if name == "GeneralizedDiceScore":
        weights = args.one_of("weight_type", "square", "simple", "uniform")
        kind = f"generalized-{batch or weights}".removesuffix("-square")
        parts = [kind]
    elif name == "ConfusionMatrixMetric":
        measures = {"f1 score": "dice", "precision": "precision", "recall": "recall"}
        measure = _named(args.take("metric_name"), measures)
        parts = ["f1", "" if args.flag("compute_sample") else "pooled", batch]
    else:
        measure = _named(name, {"MeanIoU": "iou", "DiceMetric": "dice"})
        parts = [batch, "" if args.flag("ignore_empty", usual=True) else "keep-empty"]
    return Match(
        preset=_joined("monai", *parts, "" if whole else "foreground"),
        measure=measure,
        ignored=args.take("ignore_index"),
    )


def smp(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of segmentation-models-pytorch stands for."""
    measures = {"iou_score": "iou", "f1_score": "dice", "precision": "precision"}
    measure = _named(name, {**measures, "recall": "recall"})
    remark = args.one_of(
        "remark", None, "[multiclass]", "[binary]",
        "# get_stats without ignore_index, 255 left in gt",
    )  # fmt: skip
    ways = ("micro", "macro", "weighted", "micro-imagewise", "macro-imagewise")
    reduction = args.one_of("reduction", *ways, "weighted-imagewise", "none")
    if reduction == "none":
        args.one_of("tp.sum(0)", *[True])
    weights, binary = args.take("class_weights"), remark == "[binary]"
    if weights is not None and binary and len(weights) > 1:
        raise NotUnderstoodError("several weights of one class")
    level = reduction.replace("weighted", "macro").replace("none", "macro")
    zero = args.one_of("zero_division", 1.0, 0.0) == 0 and level != "micro"
    parts = ["" if level == "macro" else level, "zero" if zero else "", "binary" if binary else ""]
    weighted = weights is not None and not binary
    if weighted and (reduction.startswith("micro") or len(weights) != record["num_classes"]):
        raise NotUnderstoodError("weights that do not fit the reduction")
    return Match(
        preset=_joined("smp", *parts),
        measure=measure,
        changes={"weights": tuple(map(float, weights))} if weighted else {},
        divisor=float(len(weights)) if weighted and reduction != "weighted" else 1.0,
    )


def scikit_learn(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of scikit-learn stands for."""
    numbers = tuple(range(record["num_classes"]))
    if name in {"accuracy_score", "balanced_accuracy_score", "matthews_corrcoef"}:
        preset, measure = {
            "accuracy_score": ("sklearn", "pixel_accuracy"),
            "balanced_accuracy_score": ("sklearn:balanced-accuracy", "recall"),
            "matthews_corrcoef": ("sklearn", "mcc"),
        }[name]
        return Match(preset=preset, measure=measure)
    listed = args.one_of("labels", None, numbers) is not None
    if name == "confusion_matrix":
        way = args.one_of("normalize", None, "true", "pred", "all")
        return Match(preset="sklearn", rule="matrix", option=way or "")
    if name == "cohen_kappa_score":
        weights = args.one_of("weights", None, "linear", "quadratic")
        rule = "kappa" if weights else ""
        return Match(preset="sklearn", measure="kappa", rule=rule, option=weights or "")
    measures = {"jaccard_score": "iou", "f1_score": "dice", "precision_score": "precision"}
    measure = _named(name, {**measures, "recall_score": "recall"})
    remark = args.one_of("remark", None, "# no labels=", "# binary default")
    if remark == "# binary default":
        return Match(preset="sklearn:binary", measure=measure)
    average = args.one_of("average", "macro", "micro", "weighted", None)
    one = args.one_of("zero_division", 0, 1) == 1
    if listed == (remark == "# no labels="):
        raise NotUnderstoodError("whether labels are listed is said in two ways")
    if average in {"micro", "weighted"}:
        return Match(
            preset=_joined("sklearn", average, "1" if one and average == "weighted" else ""),
            measure=measure,
        )
    variant = "labels" + ("-1" if one else "") if listed else "zero-division-1" if one else ""
    return Match(preset=_joined("sklearn", variant), measure=measure)


def miseval(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of miseval stands for."""
    _named(name, {"evaluate": 1})
    metric = args.take("metric")
    if args.one_of("remark", None, "# binary default, class 1"):
        return Match(preset="miseval:binary", measure=_named(metric, MISEVAL))
    args.one_of("multi_class", *[True])
    _classes(args, record, "n_classes")
    if metric in {"ACC", "Kappa", "MCC"}:
        return Match(preset="miseval", rule="one against the rest", option=metric)
    return Match(preset="miseval", measure=_named(metric, MISEVAL))


MISEVAL: Final = {"DSC": "dice", "IoU": "iou", "SENS": "recall", "PREC": "precision"}


def jdt(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of JDTLosses stands for."""
    _named(name, {"AccuracyMetric.value": 1})
    _classes(args, record)
    key, q = args.take("[0]"), args.take("q", 1)
    binary = "binary" if args.flag("binary") else ""
    ignored = args.take("ignore_index")
    if key == "Acc":
        measure = "recall" if binary else "pixel_accuracy"
        return Match(preset=_joined("jdt-dataset", binary), measure=measure, ignored=ignored)
    if not (found := re.fullmatch(r"m(Acc|IoU|Dice)([DIC])(\d+|Q|)", key)):
        raise NotUnderstoodError(f"no use is made of {key}")
    if found[3] not in {"", "Q", str(q)}:
        raise NotUnderstoodError(f"{key} with q={q}")
    shares = tuple(range(10, 110, 10)) if found[3] == "Q" else (int(found[3]),) if found[3] else ()
    level = {"D": "dataset", "I": "image", "C": "class"}[found[2]]
    return Match(
        preset=_joined(f"jdt-{level}", binary),
        measure={"Acc": "recall", "IoU": "iou", "Dice": "dice"}[found[1]],
        worst=shares,
        ignored=ignored,
        rule=_rule_of_shares(level, binary, found[1]) if shares else "",
    )


def _rule_of_shares(level: str, binary: str, measure: str) -> str:
    if level == "class" and not binary:
        return "placeholder"
    return "undefined last" if level == "image" and binary and measure == "Acc" else ""


def nnunet(name: str, _args: Arguments, record: Record) -> Match:
    """Return what a record of nnU-Net stands for."""
    found = re.fullmatch(
        r"nnUNetv2_evaluate_simple GT PRED -l ([\d ]+?)(?: -il (\d+))? -np \d+ +-> "
        r"foreground_mean(?:\.(Dice|IoU)| (counts))",
        name,
    )
    if not found:
        raise NotUnderstoodError(f"no use is made of {name!r}")
    listed = tuple(map(int, found[1].split()))
    others = {*range(record["num_classes"])} - {0, *listed}
    return Match(
        preset="nnunet",
        measure="iou" if found[3] == "IoU" else "dice",
        exclude=tuple(sorted(others)),
        listed=listed,
        ignored=int(found[2]) if found[2] else None,
        rule="mean counts" if found[4] else "",
    )


def metrics_reloaded(name: str, args: Arguments, _record: Record) -> Match:
    """Return what a record of MetricsReloaded stands for."""
    if name == "BinaryPairwiseMeasures.to_dict_meas":
        args.one_of("pred == c", *[True])
        args.one_of("gt == c", *[True])
        (measure,) = args.take("measures")
        known = {"ppv": "precision", "sensitivity": "recall"}
        return Match(preset="metricsreloaded", measure=_named(measure, known))
    means = _named(name, {"ProcessEvaluation.stats_all": 1, "ProcessEvaluation.grouped_lab": 0})
    measure, _, way = args.take("[0]").partition("_")
    args.one_of(*(("[1]", "mean") if means else ("remark", "(own mean)")))
    variant = _named(way, {"average": "", "prevalence": "prevalence"})
    known = {"dsc": "dice", "iou": "iou", "fbeta": "dice"}
    return Match(preset=_joined("metricsreloaded", variant), measure=_named(measure, known))


def paddleseg(name: str, args: Arguments, _record: Record) -> Match:
    """Return what a record of PaddleSeg stands for."""
    if name == "class_measurement":
        place = args.one_of("[0]", 0, 1, 2)
        return Match(preset="paddleseg", measure=("pixel_accuracy", "precision", "recall")[place])
    known = {"mean_iou": "iou", "dice": "dice", "kappa": "kappa"}
    return Match(preset="paddleseg", measure=_named(name, known))


def lovasz(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of the IoU of LovaszSoftmax stands for."""
    binary = _named(name, {"iou": "", "iou_binary": "binary"})
    if not binary:
        args.one_of("C", record["num_classes"])
    per_image = args.flag("per_image", usual=bool(binary))
    zero = args.one_of("EMPTY", 1.0, 0.0) == 0
    preset = _joined("lovasz", "per-image" if per_image else "", "zero" if zero else "", binary)
    return Match(preset=preset, ignored=args.take("ignore"))


def seg_metrics(name: str, args: Arguments, record: Record) -> Match:
    """Return what a record of seg-metrics stands for."""
    _named(name, {"write_metrics": 1})
    args.one_of("labels", tuple(range(record["num_classes"])))
    (metric,) = args.take("metrics")
    known = {"dice": "dice", "jaccard": "iou", "precision": "precision", "recall": "recall"}
    return Match(preset="seg-metrics", measure=_named(metric, known))


def kaggle(name: str, _args: Arguments, _record: Record) -> Match:
    """Return what a record of the script in the style of Kaggle stands for."""
    known = {
        "mean over images of Dice of class 1, empty/empty = 1": "kaggle-dice",
        "one global Dice of class 1 over all pixels": "kaggle-dice:global",
    }
    return Match(preset=_named(name, known), measure="dice")


MATCHERS: Final[dict[str, Callable[[str, Arguments, Record], Match]]] = {
    "cityscapesScripts": cityscapes,
    "mmsegmentation": mmseg,
    "hf-evaluate": huggingface,
    "detectron2": detectron2,
    "torchmetrics": torchmetrics,
    "monai": monai,
    "nnunetv2": nnunet,
    "smp": smp,
    "scikit-learn": scikit_learn,
    "miseval": miseval,
    "MetricsReloaded": metrics_reloaded,
    "JDTLosses": jdt,
    "PaddleSeg": paddleseg,
    "LovaszSoftmax iou()": lovasz,
    "seg-metrics": seg_metrics,
    "kaggle-style (own script, no peer code)": kaggle,
}
"""The tools of the records, and how their calls are read."""
