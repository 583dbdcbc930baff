"""Rules in words, with what they meet on these very counts."""

from collections.abc import Callable
from typing import Final

import numpy as np

from segeval.counting.confusion import ClassCounts
from segeval.presets.explain import PresetScorer, Rule
from segeval.scoring.convention import CASES, GIVEN_WEIGHTS, TREATMENTS, WEIGHTS
from segeval.scoring.pooling import POOLINGS
from segeval.scoring.sample import sum_images
from segeval.text import counted

NAMED: Final = 2  # classes that a sentence names


def describe_rule(case: PresetScorer, rule: Rule) -> str:
    """Say in a sentence what a rule does to these counts, and how many points (1/100) it moves."""
    words = TELLERS.get(rule.axis, _plainly)(case, rule)
    return f"{words}: {100 * rule.change:+.1f} points ({rule.preset})"


def _met(case: PresetScorer, rule: Rule) -> str:
    """Name the classes that a rule meets in most images, or in the counts of all."""
    pooled = "sum images" in POOLINGS[case.convention(rule.preset).pooling].steps
    counts = sum_images(case.counts.images) if pooled else case.counts.images
    kind = CASES[rule.axis]
    images = kind.holds(counts).sum(axis=0)
    total = counts.total.size
    order = np.argsort(-images, kind="stable")[:NAMED]
    named = [
        f"class {case.labels.names[k]} {kind.verb} in "
        + ("the whole set" if pooled else f"{images[k]} of {counted(total, 'image')}")
        for k in order.tolist()
        if images[k]
    ]
    others = int(np.count_nonzero(images)) - len(named)
    place = "the whole set" if pooled else "some images"
    more = [f"{others} more class{'es' * (others > 1)} in {place}"] if others else []
    return f"{', '.join([*named, *more]) or 'no class'}; {TREATMENTS[rule.setting].there}"


def _pooling(case: PresetScorer, rule: Rule) -> str:
    counts = case.counts.images
    held, shown = (
        f"{classes.sum(axis=1).mean():.1f}"
        for classes in (counts.support > 0, (counts.support > 0) | (counts.predicted > 0))
    )
    names, pooling = len(case.labels.names), POOLINGS[rule.setting]
    if "sum classes" in pooling.steps:
        return f"{pooling.effect}; {_largest(case, counts)}"
    alone = "" if shown == held else f", and {shown} with those that are predicted alone"
    return f"{pooling.effect}; of {names} classes, an image holds {held} on average{alone}"


def _largest(case: PresetScorer, counts: ClassCounts) -> str:
    support = counts.support.sum(axis=0)
    largest = int(support.argmax())
    share = 100 * support[largest] / max(int(support.sum()), 1)
    return f"class {case.labels.names[largest]} holds {share:.0f} % of the true pixels"


def _classes(case: PresetScorer, rule: Rule) -> str:
    if rule.setting == "all":
        return "all classes are in the mean"
    background = case.labels.background
    if background is None:
        return "no class is the background, so all are in the mean"
    return f"class {case.labels.names[background]} is left out of the mean as background"


def _weights(case: PresetScorer, rule: Rule) -> str:
    words = WEIGHTS.get(rule.setting, GIVEN_WEIGHTS).effect
    return words if rule.setting == "none" else f"{words}; {_largest(case, case.counts.images)}"


def _void_image(case: PresetScorer, rule: Rule) -> str:
    void = int(np.count_nonzero(case.counts.images.total == 0))
    fate = "left out" if rule.setting == "skip" else "scored like any other"
    return f"{counted(void, 'image')} without a judged pixel, {fate}"


def _plainly(case: PresetScorer, rule: Rule) -> str:
    del case
    return PLAIN.get(rule.axis, f"{rule.axis} {{}}").format(rule.setting)


PLAIN: Final = {
    "smoothing": "{} is added above and below, which lifts what is small or empty",
    "floor": "class scores below {} count as 0",
    "thresholds": "a class score is the share of the thresholds {} that it exceeds",
    "generalized": "all classes make one score, in which rare ones weigh more ({} weights)",
    "unseen": "a class without true pixels weighs: {}",
    "empty": "an image or a class without any value: {}",
    "nothing": "a mean without any value: {}",
    "weightless": "classes that all weigh nothing: {}",
    "ends": "first and last frame of a sequence: {}",
    "outside": "pixels whose truth or prediction is no class: {}",
}

TELLERS: Final[dict[str, Callable[[PresetScorer, Rule], str]]] = {
    **dict.fromkeys(CASES, _met),
    "pooling": _pooling,
    "classes": _classes,
    "weights": _weights,
    "void_image": _void_image,
}
