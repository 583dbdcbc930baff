"""Channels of files as classes, and one band or frame of files that hold several."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from segeval.errors import MaskError, Problem
from segeval.inputs.annotations import Masked
from segeval.inputs.forms import PART
from segeval.inputs.pairing import Pair, Pairing
from segeval.inputs.parts import FilePart
from segeval.inputs.perclass import SHOWN, ClassChannels, bits_of, form_of, number_of_channels
from segeval.inputs.volumes import is_volume
from segeval.settings import CHANNELS, AnnotationChoice, PerClass
from segeval.text import listed


def in_channels(pairing: Pairing, choice: AnnotationChoice) -> Pairing:
    """Let channels of files be classes, on the sides where they are said to be."""
    truths, predictions = choice.split("truth"), choice.split("prediction")
    if not (truths.channels or predictions.channels) or not pairing.pairs:
        return pairing
    try:
        classes = _classes(pairing, truths)
    except MaskError as error:
        name = pairing.pairs[0].name
        fault = Problem(name=name, kind="unreadable mask", detail=str(error))
        return replace(pairing, pairs=(), problems=(*pairing.problems, fault))
    problems = [*pairing.problems]
    if predictions.classes and set(predictions.classes) != set(classes):
        detail = (
            f"truths have the classes {listed(classes, SHOWN)}, predictions "
            f"{listed(predictions.classes, SHOWN)}; name the same ones on both sides"
        )
        problems.append(Problem(name="classes", kind="other classes", detail=detail))
    forms = {
        side: form_of(split.template, classes=classes, order=split.classes)
        for side, split in (("truth", truths), ("prediction", predictions))
        if split.channels
    }
    return replace(
        pairing,
        pairs=tuple(_with_channels(pair, forms) for pair in pairing.pairs),
        problems=tuple(problems),
        names=dict.fromkeys(("prediction", "truth"), bits_of(classes)),
    )


def _classes(pairing: Pairing, truths: PerClass) -> tuple[str, ...]:
    """Return the classes that are named, or else the numbers of the channels of the first truth."""
    if named_ones := truths.classes or tuple(pairing.names.get("truth", {}).values()):
        return named_ones
    (first, *_) = pairing.pairs[0].files
    number = number_of_channels(first, last=truths.template == CHANNELS[1])
    return tuple(map(str, range(number)))


def _with_channels(pair: Pair, forms: Mapping[str, str]) -> Pair:
    def of(mask: Masked | None, side: str) -> Masked | None:
        if side not in forms or not isinstance(mask, Path):
            return mask
        return ClassChannels(path=mask, key=mask.stem, form=forms[side])

    truth = of(pair.truth, "truth") or pair.truth
    return replace(pair, truth=truth, prediction=of(pair.prediction, "prediction"))


def in_parts(pairing: Pairing, choice: AnnotationChoice) -> Pairing:
    """Read one band or frame of every file, if it is asked for."""
    wanted = {"band": choice.band, "frame": choice.frame}
    stated = [f"{what}:{number}" for what, number in wanted.items() if number is not None]
    if not stated:
        return pairing

    def part(mask: Masked | None) -> Masked | None:
        if not isinstance(mask, Path) or is_volume(mask):
            return mask
        return FilePart(path=mask, key=mask.stem, form=",".join([PART, *stated]))

    pairs = (
        replace(pair, truth=part(pair.truth) or pair.truth, prediction=part(pair.prediction))
        for pair in pairing.pairs
    )
    return replace(pairing, pairs=tuple(pairs), facts=(*pairing.facts, *stated))
