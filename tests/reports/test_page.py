"""The page: whole, small, escaped, and honest about what it leaves out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.html import Reader, read
from made.pages import HOSTILE, grey_masks, hostile_page, made_page, scored_page
from made.sets import made_run, save, segeval

from segeval.labels.labelmap import numbered
from segeval.pictures.caption import representative_images
from segeval.reports.document import make_document
from segeval.reports.html.charts import lay_out_curve, lay_out_histogram
from segeval.reports.html.findings import make_page
from segeval.reports.html.matrix import lay_out_matrix, list_confusions
from segeval.reports.html.page import LADDER, Findings, to_html
from segeval.scoring.score import Scores, score_run

TEMPLATES = Path(sys.modules["segeval.reports.html.page"].__file__ or "").parent / "templates"


def findings(classes: int = 3, **more: Any) -> Findings:
    """Findings of one image of noise."""
    random = np.random.default_rng(0)
    truth, prediction = random.integers(0, classes, (2, 64, 64)).astype(np.uint16)
    scores = score_run(made_run((truth, prediction)), numbered("numbers", range(classes)))
    content: dict[str, Any] = {
        "document": make_document(scores, settings={"unknown": "error"}),
        "values": np.array([0.5]),
        "colors": ["#123456"] * classes,
    }
    return Findings(**(content | more))


@pytest.mark.parametrize("classes", [1, 2, 3, 19, 24, 25, 150])
def test_a_page_is_whole_and_asks_for_nothing(classes: int, tmp_path: Path) -> None:
    page = read(made_page(tmp_path, classes, "--group-by", "(.)$", images=10))
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in {"style", "srcset", "action"}, (tag, name)
            if name in {"src", "href"}:
                assert str(value).startswith(("data:", "#")), value
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    assert len(page.all("img")) == 27
    assert len(page.all("canvas")) == (classes > 24)


def test_the_policy_allows_this_style_and_script_and_no_other(tmp_path: Path) -> None:
    text = made_page(tmp_path, 3).read_text("utf-8")
    policy = next(meta["content"] for meta in Reader(text).all("meta") if "http-equiv" in meta)
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    inline = re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", text, re.DOTALL)
    assert len(inline) == 2
    for content in inline:
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    text = hostile_page(tmp_path).read_text("utf-8")
    page = Reader(text)
    assert len(page.all("script")) == 2
    assert not [image for image in page.all("img") if "onerror" in image]
    assert "<script>window" not in text
    assert "<!--" not in text
    assert "\u2028" not in text
    assert "\u202e" not in text
    assert HOSTILE[0] in page.words
    assert "<!-- {{ 7 * 7 }} {% raw %}" in page.words
    assert max(map(len, page.words)) < 1000
    names = json.loads(page.scripts["application/json"])["truth"]
    assert names[:2] == HOSTILE[:2]


def test_many_classes_and_a_size_limit_leave_out_the_least_and_say_so() -> None:
    whole = to_html(findings(400))
    assert "matrix shows the 300 classes with the most wrong pixels, of 400" in whole
    small = to_html(findings(400), largest=400_000)
    assert len(small.encode()) <= 400_000 < len(whole.encode()) < 5_000_000
    assert re.search(r"\d+ of 400 classes are listed", small)
    assert "is listed" not in to_html(findings(3))
    assert "To keep this page small" not in to_html(findings(3))


@pytest.mark.parametrize(("classes", "worst_first"), [(30, False), (31, True)])
def test_many_rows_are_worst_first_and_undefined_last(classes: int, *, worst_first: bool) -> None:
    given = findings(classes)
    rows = [
        {**row, "iou": None if k == 7 else row["iou"]}
        for k, row in enumerate(given.document["classes"])
    ]
    groups = [
        {
            **given.document,
            "name": f"g{k}",
            "images": 1,
            "judged": 1,
            "averaged": {"images": 1},
            "summary": dict.fromkeys(given.document["summary"], 1 - k / 99),
        }
        for k in range(classes)
    ]
    text = to_html(
        findings(classes, document={**given.document, "classes": rows, "groups": groups})
    )
    places = [int(place) for place in re.findall(r'<tr data-place="(\d+)">', text)]
    order = sorted(range(classes), key=lambda k: (rows[k]["iou"] is None, rows[k]["iou"]))
    assert places[:classes] == (order if worst_first else list(range(classes)))
    assert places[classes:] == sorted(range(classes), reverse=worst_first)
    assert text.count('type="search"') == text.count('number" aria-sort=') == 2 * worst_first
    assert ("By default the lowest IoU comes first." in text) == worst_first


def test_a_page_that_cannot_be_small_enough_is_as_small_as_it_gets() -> None:
    smallest = to_html(findings(400), largest=1)
    assert f"{LADDER[-1].rows} of 400 classes are listed" in smallest
    Reader(smallest)


def test_thousands_do_not_break(tmp_path: Path) -> None:
    text = made_page(tmp_path, 2).read_text("utf-8")
    assert "<strong>34\N{NO-BREAK SPACE}560</strong>" in text
    assert re.search(r"\(\d\N{NO-BREAK SPACE}\d{3}&nbsp;pixels\)", text)
    assert not re.search(r">[^<{]*\d \d{3}\b[^<]*<", text)


@pytest.mark.parametrize(("rung", "shown"), [(0, "876543012"), (-1, "840")])
def test_pictures_have_an_order_that_is_stated(
    rung: int, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segeval.reports.html.page.LADDER", LADDER[rung:][:1])
    words = read(made_page(tmp_path, 3)).words
    assert "".join(dict.fromkeys(re.findall(r"image_(\d)", " ".join(words)))) == shown
    stated = "those around the median; lowest mIoU first"
    assert (stated in words) == (rung == 0)


def test_masks_that_are_gone_are_said(tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    made_page(tmp_path, 3, "-o", run)
    (tmp_path / "pred" / "image_8.png").unlink()
    again = tmp_path / "again.html"
    segeval("report", run, "--html", again)
    page = read(again)
    assert len(page.all("img")) == 24
    assert [words for words in page.words if words.startswith("no picture: ")]
    left = list((tmp_path / "pred").glob("*.png"))
    assert left
    for file in left:
        file.unlink()
    segeval("report", run, "--html", again)
    page = read(again)
    assert not page.all("img")
    assert [words for words in page.words if words.startswith("There are no pictures")]


def test_masks_that_have_changed_are_said(tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    made_page(tmp_path, 3, "-o", run)
    for changed in (np.full((48, 80), 9), np.full((48, 80), 1)):
        save(tmp_path / "truth" / "image_0.png", changed)
        segeval("report", run, "--html", tmp_path / "again.html")
        page = (tmp_path / "again.html").read_text("utf-8")
        assert "it holds other pixels than were counted" in page


def test_photographs_are_shown_where_there_are_any(tmp_path: Path) -> None:
    for number in (0, 1):
        colors = np.random.default_rng(number).integers(0, 255, (48 + number, 80, 3))
        save(tmp_path / "photos" / f"image_{number}_x.png", colors)
    save(tmp_path / "photos" / "image_2_x.png", np.zeros((48, 80))).write_bytes(b"nothing")
    photos = ["--images", tmp_path / "photos", "--image-suffix", "_x"]
    page = read(made_page(tmp_path, 3, *photos))
    layers = [image["data-layer"] for image in page.all("img")]
    assert layers.count("photograph") == 2
    assert "photograph resized" in page.words
    assert "no photograph of the name" in page.words
    assert [words for words in page.words if words.startswith("no photograph: ")]


def test_photographs_need_a_page(tmp_path: Path) -> None:
    done = segeval("score", "a", "b", "--images", tmp_path, expect=2)
    assert "--images needs a page to be shown on; name it with --html" in done.stderr
    done = segeval("score", "a", "b", "--image-suffix", "_x", expect=2)
    assert "--image-suffix needs photographs; name their folder with --images" in done.stderr


def test_a_missing_prediction_is_drawn_as_all_missed(tmp_path: Path) -> None:
    save(tmp_path / "truth" / "a.png", [[0, 1]])
    save(tmp_path / "truth" / "b.png", [[0, 1]])
    save(tmp_path / "pred" / "a.png", [[0, 1]])
    sides = [tmp_path / "pred", tmp_path / "truth"]
    page = read(scored_page(tmp_path, *sides, "--missing", "worst", "--classes", 2))
    assert "no prediction: all missed" in page.words
    assert "no class" in page.words


def test_a_prediction_that_was_resized_is_drawn_so(tmp_path: Path) -> None:
    sides = [
        save(tmp_path / "pred" / "a.png", np.kron([[0, 1]], np.ones((4, 4)))).parent,
        save(tmp_path / "truth" / "a.png", np.kron([[0, 1]], np.ones((8, 8)))).parent,
    ]
    page = read(scored_page(tmp_path, *sides, "--resize-prediction", "--classes", 3))
    assert len(page.all("img")) == 3
    assert "no wrong pixel" in page.words


def test_grey_predictions_have_a_curve(tmp_path: Path) -> None:
    page = read(scored_page(tmp_path, *grey_masks(tmp_path), "--threshold", 128))
    assert "Thresholds" in page.words
    assert page.all("path")[0]["d"]
    assert page.all("circle")


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_the_dot_of_a_curve_is_what_the_table_says(tmp_path: Path, threshold: float) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, (9, 9))
    sides = tmp_path / "pred", save(tmp_path / "truth" / "a.png", truth).parent
    sides[0].mkdir()
    share = np.clip(truth * 0.4 + random.random((9, 9)) * 0.6, 0, 1)
    share[0, :3] = threshold, threshold + 1e-4, threshold - 1e-4
    np.save(sides[0] / "a.npy", share)
    hit = (share >= threshold) & (truth == 1)
    precision, recall = hit.sum() / (share >= threshold).sum(), hit.sum() / truth.sum()
    page = read(scored_page(tmp_path, *sides, "--threshold", threshold))
    dot = f"The dot is threshold {threshold}, which is in force: "
    assert f"{dot}precision {precision:.4f}, recall {recall:.4f}." in " ".join(page.words)


def test_intervals_are_shown_if_there_are_any() -> None:
    given = findings()
    document = {**given.document, "intervals": {"miou": [0.1234, 0.2345]}}
    document["classes"] = [
        {**row, "intervals": {"iou": [0.3456, 0.4567]}} for row in document["classes"]
    ]
    page = Reader(to_html(findings(document=document)))
    assert "95 % interval: 0.1234 to 0.2345" in page.words
    assert page.words.count("0.3456 to 0.4567") == 3


def test_gates_have_a_word_for_how_they_went(tmp_path: Path) -> None:
    sides = [save(tmp_path / side / "a.png", [[0, 0, 1]]).parent for side in ("pred", "truth")]
    gates = [part for gate in ("iou.0=1", "iou.2=0.5", "miou=1") for part in ("--fail-under", gate)]
    page = read(scored_page(tmp_path, *sides, "--classes", 3, *gates, expect=1))
    assert page.words.index("Gates") < page.words.index("Classes")  # the links, as the page
    assert [words for words in page.words if words[0] in "✓✗–" and len(words) > 1] == [
        "– undefined",
        "✓ passed",
        "✓ passed",
    ]


def test_percent_is_kept_to_the_scores_of_the_page() -> None:
    run = made_run((np.array([[0, 1, 1]], np.uint8), np.array([[0, 1, 0]], np.uint8)))
    scores = score_run(run, numbered("numbers", range(2)))
    document = make_document(scores, settings={"unknown": "error"})
    assert "50.00" in Reader(make_page(scores, document, {}, percent=True)).words


@pytest.mark.parametrize("images", range(1, 12))
def test_no_image_is_worst_and_best_at_once(images: int) -> None:
    truth = np.arange(20, dtype=np.uint8)[None] % 2
    predictions = [np.where(np.arange(20) < n, 1 - truth, truth) for n in range(images)]
    scores = score_run(made_run(*((truth, p) for p in predictions)), numbered("two", range(2)))
    chosen = representative_images(scores, None, 3)
    shown = [number for numbers in chosen.values() for number in numbers]
    assert len(set(shown)) == len(shown) >= min(images, 3)
    assert all(len(numbers) <= 3 for numbers in chosen.values())
    first = {title: numbers[0] for title, numbers in chosen.items() if numbers}
    assert first["worst"] == scores_order(scores)[0]
    if images > 1:
        assert first["best"] == scores_order(scores)[-1]
    places = [scores_order(scores).index(number) for number in chosen["median"]]
    assert places == sorted(places)
    if images > 2:
        assert places[(len(places) - 1) // 2] == (images - 1) // 2


def scores_order(scores: Scores) -> list[int]:
    """Images by mIoU, in another way than the program sorts them; equal ones by position."""
    wrong = scores.counts.images.fn.sum(axis=1).tolist()
    return sorted(range(len(wrong)), key=lambda number: (-wrong[number], number))


def test_the_matrix_keeps_its_sums_when_it_is_cut() -> None:
    counts = np.array([[5, 1, 0], [0, 7, 0], [2, 0, 9]])
    confusion = {"counts": counts.tolist(), "unknown": [0, 3, 0], "labels": ["a", "b", "c"]}
    matrix = lay_out_matrix(confusion, str, 2)
    assert matrix["data"] == {
        "truth": ["a", "b"],
        "prediction": ["a", "b", "no class"],
        "support": [6, 10],
        "predicted": [7, 8, 3],
        "cells": [[0, 0, 5], [0, 1, 1], [1, 1, 7], [1, 2, 3]],
    }
    assert matrix["rows"][1] == [(0, ""), (9, "70"), (6, "30")]
    assert [tuple(row.values()) for row in list_confusions(confusion, str)] == [
        ("b", "no class", "30", 3),
        ("c", "a", "18", 2),
        ("a", "b", "17", 1),
    ]


def test_a_histogram_counts_every_image_once() -> None:
    values = np.array([0.0, 0.05, 0.999, 1.0, np.nan, 0.5])
    chart = lay_out_histogram(values)
    assert chart is not None
    assert sum(bar["images"] for bar in chart["bars"]) == chart["images"] == 5
    assert chart["bars"][-1]["images"] == 2
    assert chart["undefined"] == 1
    assert lay_out_histogram(np.array([np.nan])) is None


def test_a_curve_without_any_point_is_left_out() -> None:
    nothing = {"predicted": [1], "dataset": {"recall": [None], "precision": [0.5]}}
    assert lay_out_curve(nothing) is None


def brightness(color: str) -> float:
    """Relative luminance of ``#rrggbb``, as WCAG has it."""
    levels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_the_heat_is_one_scale_on_which_words_are_read(theme: int) -> None:
    style = (TEMPLATES / "page.css").read_text("utf-8")
    rule = re.compile(r"^\.h(\d+) \{ background: light-dark\((.*?), (.*?)\); color: light-dark\((.*?), (.*?)\)", re.MULTILINE)  # fmt: skip  # noqa: E501
    steps = [(match[1 + theme], match[3 + theme]) for match in rule.findall(style)]
    assert len(steps) == 11
    levels = [brightness(paper) for paper, _ in steps]
    assert levels == sorted(levels, reverse=theme == 0)
    for paper, ink in steps:
        low, high = sorted((brightness(paper), brightness(ink)))
        assert (high + 0.05) / (low + 0.05) >= 4.5
