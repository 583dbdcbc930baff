"""Combinations of options and data in which every pair of values meets."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Final

from made.option_sets import MAPS, UNSET, WORLDS, Row

INDICES: Final = (
    "pillow", "pillow palette", "index", "interlaced", "palette 2-bit", "nibble", "1-bit", "16-bit",
    "grey rgb", "grey rgba", "bmp", "tiff", "tiff 16-bit", "npy", "mixed", "colour", "colour alpha",
)  # fmt: skip
FACTORS: Final[dict[str, tuple[str, ...]]] = {
    "world": tuple(WORLDS),
    "labels": ("file", UNSET, "both files", "classes", "binary"),
    "truth form": INDICES,
    "prediction form": (*INDICES, *MAPS),
    "ignore": (UNSET, "none", "255", "0", "0,255", "2", "1", "#000000", "#00008e"),
    "unknown": (UNSET, "wrong", "ignore"),
    "strange": (UNSET, "unknown prediction", "void predicted", "nan"),
    "missing": (UNSET, "skip", "worst"),
    "absent": ("skip", "zero", "one", "undefined"),
    "lacking": (UNSET, "prediction"),
    "threshold": (UNSET, "0.5", "0.3", "1", "128", "100.5", "30000"),
    "truth-threshold": (UNSET, "1", "128", "2"),
    "level": (UNSET, "category"),
    "offset": (UNSET, "1", "-1"),
    "sizes": (UNSET, "other"),
    "resize": (UNSET, "on"),
    "broken": (UNSET, "prediction"),
    "on-error": (UNSET, "skip"),
    "roi": (UNSET, "index", "1-bit", "npy", "grey rgb"),
    "pooling": (UNSET, "image", "class", "pair", "micro", "image-micro", "group"),
    "exclude": (UNSET, "first", "last"),
    "groups": (UNSET, "first letter", "some"),
    "source": ("folders", "suffix", "stem", "pairs"),
    "route": ("score", "shard", "report", "merge", "altered", "deleted", "added"),
    "counting": ("native", "numpy"),
}
SPOILERS: Final[dict[str, tuple[str, ...]]] = {
    "labels": ("file and classes", "prediction alone"),
    "strange": ("unknown truth",),
    "roi": ("lacks one", "other size"),
    "exclude": ("nonsense",),
    "groups": ("none",),
}  # values that are refused with almost anything; one row has one of them
COLORED: Final = {"colour", "colour alpha", "mixed"}
TRIES: Final = 8
Pair = tuple[str, str, str, str]


def all_pairs() -> list[Pair]:
    """Return every pair of values of two factors, as factor, value, factor, value."""
    values = {name: (*FACTORS[name], *SPOILERS.get(name, ())) for name in FACTORS}
    return [
        (one, a, other, b)
        for one, other in itertools.combinations(FACTORS, 2)
        for a, b in itertools.product(values[one], values[other])
    ]


def pairs_of(row: Row) -> Iterator[Pair]:
    """Yield the pairs that a combination covers."""
    for one, other in itertools.combinations(FACTORS, 2):
        yield one, row[one], other, row[other]


def rows(seed: int, fits: Callable[[Row, int], bool]) -> Iterator[tuple[Row, int]]:
    """Yield combinations and seeds without end; every pair comes before any comes a second time.

    Each has a pair that waits, and of some ways to fill up the rest, if there are any that
    ``fits`` takes, the one that covers the most pairs.
    """
    source = random.Random(seed)
    while True:
        waiting = all_pairs()
        source.shuffle(waiting)
        left = set(waiting)
        for pair in waiting:
            if pair in left:
                drawn = [(_drawn(pair, source), source.getrandbits(32)) for _ in range(TRIES)]
                fitting = [candidate for candidate in drawn if fits(*candidate)]
                best = max(
                    fitting or drawn, key=lambda each: sum(p in left for p in pairs_of(each[0]))
                )
                left.difference_update(pairs_of(best[0]))
                yield best


def _drawn(pair: Pair, source: random.Random) -> dict[str, str]:
    """Draw values for a pair; half of the rest is as usual, so that not all rows are refused."""
    row = {
        name: values[0] if source.random() < 0.5 else source.choice(values)
        for name, values in FACTORS.items()
    }
    row["world"] = source.choice(FACTORS["world"])
    for name in ("truth form", "prediction form"):
        row[name] = source.choice(INDICES)
    fixed = {pair[0]: pair[1], pair[2]: pair[3]}
    row |= fixed
    if source.random() < 0.9:
        row |= _fitting(row, source) | fixed
    return row


def _fitting(row: dict[str, str], source: random.Random) -> dict[str, str]:
    """Return what the rest of a combination wants, so that there is something to count."""
    wanted = _fitting_labels(row, source)
    if row["strange"] or row["ignore"] not in {UNSET, "none", "255"} or row["offset"]:
        wanted["unknown"] = source.choice(("wrong", "ignore"))
    if row["lacking"]:
        wanted["missing"] = source.choice(("skip", "worst"))
    if row["sizes"]:
        wanted |= source.choice(({"resize": "on"}, {"on-error": "skip"}))
    if row["broken"]:
        wanted["on-error"] = "skip"
    if row["pooling"] == "group":
        wanted["groups"] = "first letter"
    return wanted


def _fitting_labels(row: dict[str, str], source: random.Random) -> dict[str, str]:
    """Return which classes and thresholds go with the forms of the masks."""
    wanted: dict[str, str] = {}
    levels = row["prediction form"]
    if levels in MAPS or row["threshold"] or row["truth-threshold"]:
        grey = {"grey map": ("1", "128", "100.5"), "16-bit map": ("128", "30000")}
        fit = grey.get(levels, ("0.5", "0.3") if levels in MAPS else ("1", "128"))
        wanted = {"threshold": source.choice(fit), "offset": UNSET, "world": "binary"}
        wanted["labels"] = source.choice(("file", "binary", UNSET))
        if wanted["labels"] == "file":
            wanted["world"] = source.choice(("binary", "white", "tumour"))
            wanted["level"] = "category" if wanted["world"] == "tumour" else row["level"]
    elif row["labels"] == "binary":
        wanted["world"] = "binary"
    elif row["labels"] == "classes":
        wanted = {"world": "plain", "ignore": "255"}
    elif row["labels"] == UNSET:
        wanted["world"] = source.choice(("plain", "several", "binary", "white"))
    if wanted.get("labels", row["labels"]) not in {"file", "both files"}:
        indices = source.choice(("pillow", "grey rgb", "npy"))
        forms = ("truth form", "prediction form")
        wanted |= {name: indices for name in forms if row[name] in COLORED} | {"level": UNSET}
    return wanted
