"""Lists, scores and confusions of the viewer, against a slow model that reads the masks itself."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made.sets import frozen, made_run
from made.viewer import NAMES, Served, make_pairs, serve

from segeval.labels.labelmap import numbered
from segeval.pictures.caption import image_scores
from segeval.scoring.convention import Convention
from segeval.scoring.score import label_and_score, score_run
from segeval.settings import LabelChoice
from segeval.text import show_score
from segeval.viewer.catalogue import Catalogue, Query
from segeval.viewer.payloads import _percent, describe_image, scores_of_image
from segeval.viewer.renderer import Renderer

PAIRS = {name: (np.asarray(t), np.asarray(p)) for name, (t, p) in make_pairs().items()}
CITIES = ["(none)", "bonn", "köln", "ulm"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("lists"), position=2) as running:
        yield running


def ious(name: str) -> dict[int, float]:
    """IoU of each class that is on either side, pixel by pixel."""
    cells = [(t, p) for t, p in zip(*(m.ravel().tolist() for m in PAIRS[name]), strict=True)]
    judged = [(t, p) for t, p in cells if t != 255]
    result = {}
    for k in range(4):
        either = sum(k in cell for cell in judged)
        if either:
            result[k] = sum(cell == (k, k) for cell in judged) / either
    return result


IOUS = {name: ious(name) for name in NAMES}


def pixels(name: str, pair: tuple[int, int]) -> int:
    truth, prediction = PAIRS[name]
    return int(((truth == pair[0]) & (prediction == pair[1])).sum())


def matches(name: str, query: Query) -> bool:
    scores, city = IOUS[name], name.partition("/")[0] if "/" in name else "(none)"
    k = query.position
    return (
        query.text.casefold() in name.casefold()
        and (query.group is None or city == CITIES[query.group])
        and (k is None or k in scores)
        and (k is None or not query.lowest or scores[k] == min(scores.values()))
        and (query.pair is None or pixels(name, query.pair) > 0)
    )


def value(name: str, query: Query) -> float:
    if query.pair is not None:
        return -pixels(name, query.pair)
    scores = IOUS[name]
    mean = sum(scores.values()) / len(scores)
    return round(mean if query.position is None else scores[query.position], 12)


def model(query: Query) -> list[str]:
    """Names that a query finds, in its order."""
    found = [name for name in sorted(NAMES) if matches(name, query)]
    if query.order == "name":
        return found
    sign = 1 if query.order == "worst" else -1
    return sorted(found, key=lambda name: sign * value(name, query))


QUERIES = st.builds(
    Query,
    text=st.sampled_from(["", "street", "STREET 1", "KÖLN", "<script>", '"', "no such", "per"]),
    position=st.none() | st.integers(0, 3),
    lowest=st.booleans(),
    pair=st.none()
    | st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(lambda pair: pair[0] != pair[1]),
    group=st.none() | st.integers(0, 3),
    order=st.sampled_from(["worst", "best", "name"]),
)


def parameters(query: Query) -> str:
    from urllib.parse import urlencode

    given_ = {
        "q": query.text,
        "class": query.position,
        "lowest": 1 if query.lowest else None,
        "pair": None if query.pair is None else "{}-{}".format(*query.pair),
        "group": query.group,
        "order": query.order,
    }
    return urlencode({name: value for name, value in given_.items() if value is not None})


@given(QUERIES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_lists_are_those_of_a_slow_model(served: Served, query: Query) -> None:
    answer = served.json(f"api/images?{parameters(query)}")
    assert [row["name"] for row in answer["rows"]] == model(query)
    assert answer["count"] == len(answer["rows"])
    for row in answer["rows"]:
        scores = IOUS[row["name"]]
        mean = sum(scores.values()) / len(scores)
        expected = mean if query.position is None else scores[query.position]
        assert math.isclose(row["score"], expected, rel_tol=1e-12)
        assert row["shown"] == show_score(row["score"])
        assert served.catalogue.names[row["position"]] == row["name"]
        assert query.pair is None or int(row["pixels"]) == pixels(row["name"], query.pair)


def test_the_model_tells_queries_apart() -> None:
    found = {tuple(model(Query(position=k, lowest=low))) for k in range(4) for low in (True, False)}
    assert len(found) >= 6
    assert 0 < len(model(Query(pair=(3, 0)))) < len(NAMES)
    assert model(Query()) != model(Query(order="best")) != model(Query(order="name"))


def test_pages_of_a_list_join_and_ranks_are_places_in_it(served: Served) -> None:
    whole = served.json("api/images?order=best")["rows"]
    pages = [
        served.json(f"api/images?order=best&offset={n}&limit=3")["rows"] for n in range(0, 24, 3)
    ]
    assert list(itertools.chain.from_iterable(pages)) == whole
    for rank, row in enumerate(whole):
        answer = served.json(f"api/images?order=best&limit=0&at={row['position']}")
        assert (answer["rank"], answer["rows"]) == (rank, [])
    other = served.catalogue.names.index("perfect")
    assert served.json(f"api/images?q=street&at={other}")["rank"] is None


def test_names_are_found_however_accents_are_written(served: Served) -> None:
    from urllib.parse import quote

    for text in ("köln", unicodedata.normalize("NFD", "KÖLN")):
        assert served.json(f"api/images?q={quote(text)}")["count"] == 6


def counts(text: str) -> int:
    return int(text.replace("\N{NO-BREAK SPACE}", ""))


def test_an_image_has_its_own_scores_and_confusions(served: Served) -> None:
    for number, name in enumerate(served.catalogue.names):
        said: Any = served.json(f"api/image?image={number}")
        assert said["name"] == name
        assert {row["index"]: row["iou"] for row in said["classes"]} == {
            k: show_score(v) for k, v in IOUS[name].items()
        }
        assert [row["iou"] for row in said["classes"]] == sorted(r["iou"] for r in said["classes"])
        listed = [(counts(row["pixels"]), tuple(row["pair"])) for row in said["confusions"]]
        all_pairs = [(t, p) for t in range(4) for p in range(4) if t != p]
        largest = sorted((-pixels(name, pair), pair) for pair in all_pairs if pixels(name, pair))
        assert [(-size, pair) for size, pair in listed] == largest[:8]
        mean = sum(IOUS[name].values()) / len(IOUS[name])
        assert said["scores"][0] == ["mIoU", show_score(round(mean, 12))]
        assert said["size"] == "40×24 pixels"


def test_an_image_of_a_class_has_the_scores_of_the_class(served: Served) -> None:
    number = served.catalogue.names.index("bonn/street 4")
    said = served.json(f"api/image?image={number}&class=1")
    assert said["subject"] == "1"
    assert said["scores"][0] == ["IoU", show_score(IOUS["bonn/street 4"][1])]
    truth, prediction = PAIRS["bonn/street 4"]
    judged = truth != 255
    legend = {row["name"]: counts(row["pixels"]) for row in said["sides"][0]["legend"]["errors"]}
    assert legend["true positive"] == int(((truth == 1) & (prediction == 1)).sum())
    assert legend["false positive"] == int((judged & (truth != 1) & (prediction == 1)).sum())
    assert legend["false negative"] == int(((truth == 1) & (prediction != 1)).sum())


@pytest.mark.parametrize("absent", ["skip", "zero", "one"])
@pytest.mark.parametrize("pooling", ["dataset", "image", "micro", "image-micro"])
def test_scores_of_a_single_image_are_those_of_the_table(
    served: Served, pooling: Any, absent: Any
) -> None:
    convention = Convention(pooling=pooling, absent=absent, exclude=("0",))
    scores = label_and_score(served.scores.run, LabelChoice(), convention)
    for position in (None, 3):
        table = image_scores(scores, position)
        for number in range(len(NAMES)):
            alone = image_scores(scores_of_image(scores, number), position)
            assert alone.keys() == table.keys()
            for name, column in table.items():
                np.testing.assert_array_equal(alone[name], column[number : number + 1])


def test_the_run_is_described_with_its_groups_and_its_largest_confusions(served: Served) -> None:
    said = served.json("api/run")
    assert (said["images"], said["class"], said["photographs"]) == (len(NAMES), 2, True)
    assert said["groups"] == [["(none)", 2], ["bonn", 6], ["köln", 6], ["ulm", 6]]
    sums = {
        (t, p): sum(pixels(name, (t, p)) for name in NAMES)
        for t in range(4)
        for p in range(4)
        if t != p
    }
    listed = {tuple(row["pair"]): counts(row["pixels"]) for row in said["confusions"]}
    assert listed == {pair: size for pair, size in sums.items() if size}
    assert list(listed.values()) == sorted(listed.values(), reverse=True)
    assert said["signature"] == served.scores.signature


def test_what_is_no_class_and_what_is_not_judged() -> None:
    truth, prediction = frozen([[0, 1, 1, 255]]), frozen([[7, 7, 1, 0]])
    run, labels = made_run((truth, prediction)), numbered("two", [0, 1], void=[255])
    for unknown, expected in (("wrong", {(0, 2): 1, (1, 2): 1}), ("ignore", {})):
        scores = score_run(run, labels, unknown=unknown)  # type: ignore[arg-type]
        catalogue = Catalogue(scores)
        assert catalogue.confusions(0) == catalogue.confusions(None) == expected
    assert catalogue.find(Query(pair=(0, 2))).tolist() == []


def test_what_is_no_class_has_a_place_in_the_legend() -> None:
    truth, prediction = frozen([[0, 1, 1, 255]]), frozen([[7, 7, 1, 0]])
    run, labels = made_run((truth, prediction)), numbered("two", [0, 1], void=[255])
    catalogue = Catalogue(score_run(run, labels, unknown="wrong"))
    drawer = Renderer([(catalogue.scores, catalogue.translation)], {}, opacity=1, max_pixels=9)
    said = describe_image(catalogue, drawer, 0, None)
    legends = {
        kind: {row["name"]: row["pixels"] for row in said["sides"][0]["legend"][kind]}
        for kind in ("truth", "prediction")
    }
    assert legends == {
        "truth": {"1": "2", "0": "1", "void": "1"},
        "prediction": {"1": "1", "void or no class": "3"},
    }
    assert [row["prediction"] for row in said["confusions"]] == ["no class", "no class"]


def test_images_without_a_score_come_last() -> None:
    void, right = frozen([[255, 255]]), frozen([[0, 1]])
    run, labels = made_run((void, right), (right, right)), numbered("two", [0, 1], void=[255])
    catalogue = Catalogue(score_run(run, labels))
    for order in ("worst", "best"):
        assert catalogue.find(Query(order=order)).tolist() == [1, 0]


def test_shares_are_never_rounded_to_all_or_nothing() -> None:
    shown = [_percent(*of) for of in ((1, 10**6), (999_999, 10**6), (5, 5), (1, 8))]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in shown] == [
        *("< 0.1 %", "99.9 %", "100 %", "12.5 %"),
    ]
