"""Rows of run lengths of one image, from a seed: whole, or damaged in what a kernel depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = ("", "-", "-1")
DAMAGE = (*"0123456789", " ", " 0 ", "-", "+", "x", "  ", " 1 1", "99999999999999999999", "\t")


def written(spans: Sequence[tuple[int, int]], *, base: int, relative: bool) -> str:
    """Write starts and ends as ``start length`` pairs."""
    words, last = [], -base
    for start, end in spans:
        words += [start - last if relative else start + base, end - start]
        last = end
    return " ".join(map(str, words))


def any_rows(
    random: np.random.Generator, shape: tuple[int, int], *, base: int, relative: bool
) -> list[str]:
    """Draw the rows of an image: mostly apart from each other, and now and then damaged."""
    pixels = shape[0] * shape[1]
    edges = np.unique(random.integers(0, pixels + 1, 2 * random.integers(0, 12)))
    spans = [(int(a), int(b)) for a, b in zip(edges[:-1:2], edges[1::2], strict=False)]
    if spans and random.random() < 0.3:  # one that touches the next
        spans = sorted({*spans, (spans[0][1], spans[1][0] if len(spans) > 1 else pixels)})
        spans = [span for span in spans if span[0] < span[1]]
    place = random.integers(0, random.integers(1, 5), len(spans))
    parts = [[span for span, at in zip(spans, place, strict=True) if at == n] for n in range(5)]
    rows = [written(part, base=base, relative=relative) for part in parts if part]
    if random.random() < 0.2:
        rows.append(str(random.choice(NOTHING)))
    random.shuffle(rows)
    if rows and random.random() < 0.35:
        at = int(random.integers(0, len(rows)))
        rows[at] = damaged(random, rows[at])
    return rows or [""]


def damaged(random: np.random.Generator, text: str) -> str:
    """Put something into a text, take something out, or double it."""
    at = int(random.integers(0, len(text) + 1))
    kind = random.integers(0, 4)
    if kind == 0:
        return text[:at] + str(random.choice(DAMAGE)) + text[at:]
    if kind == 1:
        return text[:at] + text[at + int(random.integers(1, 4)) :]
    if kind == 2:
        return text[:at] + str(random.choice(DAMAGE)) + text[at + 1 :]
    return f"{text} {text}"
