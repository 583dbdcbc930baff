"""Probability maps made for tests, and losses of them in plain NumPy, one definition at a time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from made.sets import Mask, save, segeval
from numpy.typing import NDArray

Floats = NDArray[Any]
Maps = dict[str, Floats]
VOID = 255


def save_map(path: Path, values: Floats) -> Path:
    """Write a map as ``.npy``, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, values)
    return path


def map_set(folder: Path, maps: Mapping[str, Floats], truths: Mapping[str, Mask]) -> list[Path]:
    """Write maps and truths as two folders; return that of the maps and that of the truths."""
    for name, values in maps.items():
        save_map(folder / "probs" / f"{name}.npy", values)
    for name, truth in truths.items():
        save(folder / "truth" / f"{name}.png", truth)
    return [folder / "probs", folder / "truth"]


def losses(*arguments: object, expect: int = 0) -> dict[str, Any]:
    """Run ``segeval losses … --format json`` in this process; check what always holds of it."""
    done = segeval("losses", *arguments, "--format", "json", expect=expect)
    content: dict[str, Any] = json.loads(done.stdout)
    pixels, bins = content["pixels"], content["calibration"]["bins"]
    assert pixels["total"] == pixels["judged"] + pixels["ignored"]
    assert pixels["judged"] == sum(row["pixels"] for row in bins)
    assert content["summary"] == {row["name"]: row["value"] for row in content["losses"]}
    return content


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=0))
    shares: Floats = powers / powers.sum(axis=0)
    return shares


def made_logits(seed: int, shape: tuple[int, ...], size: float = 2) -> Floats:
    return np.random.default_rng(seed).normal(0, size, shape)


def made_truth(seed: int, shape: tuple[int, int], classes: int, *, void: int = 0) -> Mask:
    """Draw class indices, of which the first pixels are void."""
    truth = np.random.default_rng(seed).integers(0, classes, shape).astype(np.uint8)
    truth.flat[:void] = VOID
    return truth


SHAPES = {"city a/one": (6, 7), "two": (3, 5), "ünder_3": (5, 4), "void": (2, 3)}


def made_set(*, several: bool, logits: bool) -> tuple[Maps, dict[str, Mask]]:
    """Draw images of unlike sizes: some void, one all void, one without two of the classes."""
    maps: Maps = {}
    truths = {}
    for seed, (name, shape) in enumerate(SHAPES.items()):
        truth = made_truth(seed, shape, 3 if several else 2, void=seed)
        if name == "two":
            truth[truth != VOID] = 0
        if name == "void":
            truth[:] = VOID
        values = made_logits(seed + 9, (3, *shape) if several else shape)
        if not logits:
            values = softmax(values) if several else 1 / (1 + np.exp(-values))
        maps[name], truths[name] = values, truth
    return maps, truths


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Parameters of the losses, as in the options of the command."""

    gamma: float = 2
    alpha: tuple[float, ...] = ()
    smooth: float = 0
    tversky: tuple[float, float] = (0.5, 0.5)
    present: bool | None = None


def towards(probabilities: Floats, truth: NDArray[Any]) -> Floats:
    """Return the probability that is given to the truth of each pixel."""
    if probabilities.ndim == 1:
        return np.where(truth == 1, probabilities, 1 - probabilities)
    picked: Floats = probabilities[truth, np.arange(truth.size)]
    return picked


def pixel_sums(probabilities: Floats, truth: NDArray[Any], how: Settings) -> dict[str, float]:
    """Add up what judged pixels cost: values (P,) or (K, P), truth (P,)."""
    given = towards(probabilities, truth)
    surprise = -np.log(given)
    factors = np.ones(truth.size)
    if how.alpha:
        balanced = (1 - how.alpha[0], *[how.alpha[0]] * 400)
        factors = np.array(balanced if len(how.alpha) == 1 else how.alpha)[truth]
    name = "bce" if probabilities.ndim == 1 else "cross_entropy"
    focal = factors * (1 - given) ** how.gamma * surprise
    return {name: float(surprise.sum()), "focal": float(focal.sum())}


def lovasz(errors: Floats, members: NDArray[np.bool_]) -> float:
    """Add up, from the largest error down, each error times the rise of the Jaccard loss."""
    total, before, missed, wrong = 0.0, 0.0, 0, 0
    for position in np.argsort(-errors, kind="stable"):
        missed += bool(members[position])
        wrong += not members[position]
        loss = 1 - (members.sum() - missed) / (members.sum() + wrong)
        total += float(errors[position]) * (loss - before)
        before = loss
    return total


def image_values(probabilities: Floats, truth: NDArray[Any], how: Settings) -> dict[str, float]:
    """Return the losses that are one number an image."""
    binary = probabilities.ndim == 1
    rows: dict[str, list[float]] = {}
    for label in [1] if binary else range(len(probabilities)):
        p, t = probabilities if binary else probabilities[label], truth == label
        common, both = float((p * t).sum()), float(p.sum() + t.sum())
        false, missed = float((p * ~t).sum()), float(((1 - p) * t).sum())
        alpha, beta = how.tversky
        ratios = {
            "dice": (2 * common, both),
            "jaccard": (common, both - common),
            "tversky": (common, common + alpha * false + beta * missed),
        }
        values = {
            name: 1 - (above + how.smooth) / (below + how.smooth)
            for name, (above, below) in ratios.items()
        }
        values["lovasz_softmax"] = lovasz(np.abs(t - p), t)
        for name, value in values.items():
            usual = name == "lovasz_softmax"
            if t.any() or not (usual if how.present is None else how.present):
                rows.setdefault(name, []).append(value)
    names = ("dice", "jaccard", "tversky", "lovasz_softmax")
    return {name: float(np.mean(rows[name])) if name in rows else 0.0 for name in names}


def plain_losses(
    maps: Maps, truths: Mapping[str, Mask], how: Settings | None = None, *, logits: bool = False
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return each loss of a set, pooled over pixels or averaged over images, and of each image."""
    how, each, sums, judged = how or Settings(), {}, dict[str, float](), 0
    for name, values in maps.items():
        valid = truths[name] != VOID
        truth, given = truths[name][valid].astype(int), values[..., valid].astype(np.float64)
        binary = values.ndim == 2
        shares = given
        if logits:
            shares = 1 / (1 + np.exp(-given)) if binary else softmax(given)
        by_pixel = pixel_sums(shares, truth, how)
        by_image = image_values(shares, truth, how) if truth.size else {}
        if logits and binary:
            by_pixel["bce_with_logits"] = by_pixel["bce"]
            hinge = np.maximum(0, 1 - given * (2 * truth - 1))
            by_image |= {"lovasz_hinge": lovasz(hinge, truth == 1)} if truth.size else {}
        for loss, value in by_pixel.items():
            sums[loss] = sums.get(loss, 0) + value
        judged += truth.size
        count = max(truth.size, 1)
        each[name] = {loss: value / count for loss, value in by_pixel.items()} | by_image
    means = {loss: total / judged for loss, total in sums.items()}
    other = {loss for row in each.values() for loss in row} - means.keys()
    return means | {n: float(np.mean([r[n] for r in each.values() if n in r])) for n in other}, each


def plain_calibration(
    stated: Floats, hits: NDArray[np.bool_], bins: int
) -> tuple[float, float, list[int]]:
    """Return ECE, MCE and the pixels of each bin, pixel by pixel."""
    table = [[0.0, 0.0, 0.0] for _ in range(bins)]
    for value, hit in zip(stated.tolist(), hits.tolist(), strict=True):
        number = max(b for b in range(bins) if b / bins <= value)
        for column, part in enumerate((1, value, hit)):
            table[number][column] += part
    gaps = [(n, abs(hit - sure) / n) for n, sure, hit in table if n]
    total = sum(n for n, _ in gaps)
    ece = sum(n * gap for n, gap in gaps) / total
    return ece, max(gap for _, gap in gaps), [int(n) for n, _, _ in table]
