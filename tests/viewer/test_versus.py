"""Two runs side by side, against a slow model that reads the masks itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made.sets import frozen, made_run
from made.viewer import MASKS, OTHER, SHARED, Served, serve, serve_two

from segeval.errors import DataError, RunError
from segeval.scoring.convention import Convention
from segeval.settings import LabelChoice
from segeval.text import show_score
from segeval.viewer.versus import side_by_side


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_two(tmp_path_factory.mktemp("two")) as running:
        yield running


def score(letter: str, name: str, position: int | None = None) -> float:
    """IoU of a class in an image, or the mean over those that are there."""
    truth, prediction = MASKS[letter][name]
    judged = truth != 255
    truth, prediction = truth[judged], prediction[judged]
    classes = range(4) if position is None else [position]
    found = {k: (truth == k) | (prediction == k) for k in classes}
    ious = [((truth == k) & (prediction == k)).sum() / f.sum() for k, f in found.items() if f.any()]
    return float(np.mean(ious)) if ious else math.nan


def pixels(letter: str, name: str, pair: tuple[int, int]) -> int:
    truth, prediction = MASKS[letter][name]
    return int(((truth == pair[0]) & (prediction == pair[1])).sum())


@pytest.mark.parametrize(("order", "sign"), [("lost", 1), ("gained", -1)])
@pytest.mark.parametrize("position", [None, 2])
def test_images_are_ordered_by_the_difference(
    served: Served, order: str, sign: int, position: int | None
) -> None:
    chosen = "" if position is None else f"&class={position}"
    rows = served.json(f"api/images?order={order}{chosen}")["rows"]
    expected = {name: [score(letter, name, position) for letter in "AB"] for name in SHARED}
    deltas = {name: round(after - before, 12) for name, (before, after) in expected.items()}
    there = [name for name in SHARED if not all(map(math.isnan, expected[name]))]
    ranked = sorted(there, key=lambda n: (math.isnan(deltas[n]), sign * deltas[n]))
    assert [row["name"] for row in rows] == ranked
    for row in rows:
        texts = [show_score(None if math.isnan(v) else v) for v in expected[row["name"]]]
        assert row["shown"] == " → ".join(texts)
        delta = deltas[row["name"]]
        shown = "–" if math.isnan(delta) else ("+" if delta > 0 else "") + show_score(delta)
        assert row["difference"] == shown
    assert len({row["difference"][0] for row in rows}) > 1


def test_confusions_are_those_of_either_run(served: Served) -> None:
    rows = served.json("api/images?pair=3-0&order=lost")["rows"]
    counts = {name: [pixels(letter, name, (3, 0)) for letter in "AB"] for name in SHARED}
    found = [name for name in SHARED if any(counts[name])]
    more = {name: after - before for name, (before, after) in counts.items()}
    assert [row["name"] for row in rows] == sorted(found, key=lambda name: -more[name])
    assert [row["pixels"] for row in rows] == [
        " → ".join(map(str, counts[row["name"]])) for row in rows
    ]
    number = SHARED.index("bonn/street 5")
    (said,) = (
        row
        for row in served.json(f"api/image?image={number}")["confusions"]
        if row["pair"] == [0, 1]
    )
    expected = [pixels(letter, "bonn/street 5", (0, 1)) for letter in "AB"]
    assert said["pixels"] == " → ".join(map(str, expected))


def test_what_is_not_alike_is_said(served: Served) -> None:
    said = served.json("api/run")
    assert said["runs"] == ["a.segeval", "b.segeval"]
    assert said["images"] == len(SHARED)
    assert said["notes"] == [
        "2 images of A only, left out: only in A, perfect",
        "1 image of B only, left out: only in B",
        f"the truths of A and B differ in 1 image: {OTHER}",
    ]
    notes = {
        name: served.json(f"api/image?image={number}")["notes"]
        for number, name in enumerate(SHARED)
    }
    assert notes == {
        name: ["the truths of A and B differ"] if name == OTHER else [] for name in SHARED
    }


def test_an_image_has_both_scores_and_their_difference(served: Served) -> None:
    name = "köln/street 4"
    said = served.json(f"api/image?image={SHARED.index(name)}")
    before, after = (score(letter, name) for letter in "AB")
    title, text = said["scores"][0]
    assert title == "mIoU"
    assert text == f"{before:.4f} → {after:.4f} ({after - before:+.4f})"
    assert [side["scores"] for side in said["sides"]] == [
        [f"mIoU {before:.4f}"],
        [f"mIoU {after:.4f}"],
    ]
    rows = {row["index"]: row for row in said["classes"]}
    assert rows[1]["before"] == show_score(score("A", name, 1))
    assert rows[1]["after"] == show_score(score("B", name, 1))
    deltas = [float(row["difference"]) for row in said["classes"]]
    assert deltas == sorted(deltas)
    assert served.json("api/run")["columns"]["image"].keys() <= rows[1].keys()


def test_each_run_has_its_pictures_and_values(served: Served) -> None:
    truth, number = SHARED.index(OTHER), SHARED.index("köln/street 4")
    for image, kind in ((truth, "truth"), *((number, k) for k in ("prediction", "errors"))):
        before, after = (
            served.get(f"picture?image={image}&kind={kind}&run={run}")[1] for run in (0, 1)
        )
        assert before != after
        assert served.get(f"picture?image={image}&kind={kind}")[1] == after
    (y, *_), (x, *_) = np.nonzero(MASKS["A"][OTHER][0] != MASKS["B"][OTHER][0])
    cells = served.json(f"api/pixel?image={truth}&x={x}&y={y}")["runs"]
    assert [cell["truth"]["value"] for cell in cells] == ["0", "1"]
    photographs = [served.get(f"picture?image=0&kind=photograph&run={run}")[:2] for run in (0, 1)]
    assert photographs[0] == photographs[1]
    assert photographs[0][0] == 200


def test_one_run_has_no_second_one(tmp_path: Path, served: Served) -> None:
    assert served.get("picture?image=0&run=2")[0] == 404
    assert served.json("api/run")["orders"][0] == ["lost", "largest loss first"]
    assert served.json("api/run")["orders_of_pair"][2] == [
        "worst",
        "most confused pixels of B first",
    ]
    assert served.json("api/images") == served.json("api/images?order=lost")
    with serve(tmp_path) as alone:
        assert alone.get("picture?image=0&run=0")[0] == 200
        for route in ("picture?image=0&run=1", "api/images?order=lost", "api/images?order=gained"):
            assert alone.get(route)[0] == 404
        assert alone.json("api/run")["runs"] == alone.json("api/run")["notes"] == []


def test_runs_without_a_common_image_or_class_are_refused() -> None:
    right = frozen([[0, 1]])
    one, two = made_run((right, right)), made_run((right, right), (right, right)).select([1])
    names = "a.segeval", "b.segeval"
    with pytest.raises(RunError, match="no image in common"):
        side_by_side((one, two), names, LabelChoice(), Convention())
    odd = made_run((right, frozen([[0, 9]])))
    with pytest.raises(DataError, match="9"):
        side_by_side((one, odd), names, LabelChoice(classes=2), Convention())
