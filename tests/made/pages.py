"""Pages made for tests: of any number of classes, with names as odd as they come."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
from made.sets import Mask, data_set, save, segeval

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = [
    "<script>window.broken = 1</script>",
    "</script><script>window.broken = 2</script>",
    '"><img src=x onerror="window.broken = 3">',
    "<!-- {{ 7 * 7 }} {% raw %}",
    "it's & it's &amp; \u202eesrever\u0000",
    "Straße 道路 🚗 \u2028",
    "long " * 60,
]
"""Names that must do no harm: markup, quotes, templates, directions, and length."""


def blocks(classes: int, seed: int, wrong: float) -> tuple[Mask, Mask]:
    """Return a truth of square blocks, and a prediction of which a share is another class."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, (12, 20))
    near = (truth + random.integers(1, 3, truth.shape)) % classes
    prediction = np.where(random.random(truth.shape) < wrong, near, truth)
    big = np.ones((4, 4), np.uint8)
    return np.kron(truth, big).astype(np.uint8), np.kron(prediction, big).astype(np.uint8)


def made_page(
    folder: Path, classes: int, *options: object, images: int = 9, names: list[str] | None = None
) -> Path:
    """Score made masks and return their page."""
    pairs: dict[str, tuple[object, object]] = {
        f"image_{n}": blocks(classes, n, 0.08 * n) for n in range(images)
    }
    pred, truth = data_set(folder, pairs)
    labels = folder / "labels.yaml"
    known = [names[k % len(names)] + str(k) if names else f"class {k}" for k in range(classes)]
    labels.write_text(json.dumps({"names": known}), encoding="utf-8")
    return scored_page(folder, pred, truth, "--labels", labels, *options)


def hostile_page(folder: Path) -> Path:
    """Score masks whose classes, images and groups have hostile names; all in one page."""
    rows = []
    for number, name in enumerate(HOSTILE):
        truth, prediction = blocks(len(HOSTILE), number, 0.3)
        paths = [folder / side / f"{number} <script>'\"&.png" for side in ("pred", "truth")]
        for path, values in zip(paths, (prediction, truth), strict=True):
            save(path, values)
        kept = name.translate({0: None, 0x2028: None})
        rows.append([*map(str, paths), kept, kept[::2]])
    table, labels = folder / "pairs.csv", folder / "labels.yaml"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["prediction", "truth", "name", "group"], *rows])
    names = ["".join(c for c in name if c.isprintable()) for name in HOSTILE]
    labels.write_text(json.dumps({"names": names}, ensure_ascii=False), encoding="utf-8")
    gate = f"iou.{HOSTILE[0]}=0.99"
    arguments = ["--pairs", table, "--labels", labels, "--fail-under", gate]
    return scored_page(folder, *arguments, expect=1)


def scored_page(folder: Path, *arguments: object, expect: int = 0) -> Path:
    """Score masks with a page and return it."""
    page = folder / "page.html"
    segeval("score", *arguments, "--quiet", "--html", page, expect=expect)
    return page


def edge_masks(folder: Path) -> tuple[Path, Path]:
    """Write masks whose shares are 100 %, almost so, almost nothing, and 12.5 %."""
    truth = np.repeat([0, 1, 2], [1000, 500, 8])
    prediction = truth.copy()
    prediction[0], prediction[-1] = 1, 0
    return data_set(folder, {"edges": (truth[None], prediction[None])})


def grey_masks(folder: Path) -> tuple[Path, Path]:
    """Write grey predictions of a binary truth."""
    random = np.random.default_rng(0)
    for number in range(4):
        truth = (np.add.outer(np.arange(40), np.arange(60)) % 50 < 25).astype(np.uint8)
        grey = np.clip(truth * 120 + random.integers(0, 136, truth.shape), 0, 255)
        save(folder / "truth" / f"{number}.png", truth * 255)
        save(folder / "pred" / f"{number}.png", grey)
    return folder / "pred", folder / "truth"


def compared_page(folder: Path) -> Path:
    """Compare two models on masks whose classes have hostile names; return the page."""
    pairs = {name: blocks(4, number, 0.0) for number, name in enumerate("ab")}
    pred, truth = data_set(
        folder / "set", {name: (both[0], both[0]) for name, both in pairs.items()}
    )
    worse, labels = folder / "worse & <b>", folder / "names.txt"
    for name, (right, _) in pairs.items():
        save(worse / f"{name}.png", np.roll(right, 2, axis=1))
    labels.write_text("\n".join(HOSTILE[:4]), "utf-8")
    page = folder / "compared.html"
    segeval(
        *("compare", pred, worse, "--truth", truth, "--labels", labels),
        *("--html", page, "--quiet", "--ci", 100),
    )
    return page


def changed_runs(folder: Path, *options: object) -> list[Path]:
    """Count two models on five images, of which two get better and two worse; return the runs."""
    wrong = {
        "better_1": (2, 1),
        "better_2": (4, 1),
        "same": (2, 2),
        "worse_1": (1, 2),
        "worse_2": (1, 4),
    }
    for seed, (name, shares) in enumerate(wrong.items()):
        save(folder / "truth" / f"{name}.png", blocks(3, seed, 0.0)[0])
        for side, share in zip("ab", shares, strict=True):
            save(folder / side / f"{name}.png", blocks(3, seed, 0.1 * share)[1])
    runs = [folder / f"{side}.segeval" for side in "ab"]
    for side, run in zip("ab", runs, strict=True):
        segeval("score", folder / side, folder / "truth", "--quiet", *options, "-o", run)
    return runs


def changes_page(folder: Path) -> Path:
    """Compare these models with photographs, near edges as well; return the page."""
    page, asked = folder / "changes.html", ["--boundary", "2px", "--distances"]
    runs = changed_runs(folder, *asked)
    segeval("compare", *runs, *asked, "--quiet", "--html", page, "--images", folder / "truth")
    return page
