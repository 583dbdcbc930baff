"""A picture shows what was counted: pixels by colour are the counts of the run."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made.sets import Mask, frozen, made_run
from PIL import Image

from segeval.counting.contingency import count_values
from segeval.counting.run import CountedRun, ImageCounts, ImageInfo
from segeval.labels.labelmap import Label, LabelMap
from segeval.labels.lookups import lookup_of
from segeval.pictures.caption import describe_images
from segeval.pictures.errormaps import Kind, all_errors, class_errors, error_codes, hatched
from segeval.pictures.overlay import Style, draw_picture
from segeval.pictures.palettes import Palette, class_palette, full_palette
from segeval.scoring.score import Scores, score_run
from segeval.settings import Unknown
from segeval.values import COLOR

GREYS = [COLOR + level * 0x010101 for level in (0, 1, 2, 7)]
LABELS = LabelMap(
    name="made",
    labels=(
        Label(name="one", truth_values=(0,), prediction_values=(0,), colors=((0, 0, 0),)),
        Label(name="two", truth_values=(1, 3), prediction_values=(1,)),
        Label(name="three", truth_values=(2,), prediction_values=(2, 200), colors=((0, 0, 0),)),
    ),
    void=(255, 7),
)
"""Two classes of one colour, two values of one class, and two of void."""

TRUTHS = st.sampled_from([0, 1, 2, 3, 7, 255])
PREDICTIONS = st.sampled_from([0, 1, 2, 200, 9, 255])
SHAPE = st.tuples(st.integers(1, 9), st.integers(1, 13))


@st.composite
def pairs(draw: Any) -> list[tuple[Mask, Mask | None]]:
    """Make some images; predictions may be missing, wide or narrow."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(SHAPE)
        truth = draw(
            arrays(draw(st.sampled_from(["uint8", "uint16", "int64"])), shape, elements=TRUTHS)
        )
        kind = draw(st.sampled_from(["uint8", "uint16", "int32"]))
        predicted = draw(arrays(kind, shape, elements=PREDICTIONS))
        made.append((truth, None if draw(st.integers(0, 3)) == 0 else predicted))
    return made


def counted(masks: list[tuple[Mask, Mask | None]]) -> CountedRun:
    return CountedRun.of(
        ImageCounts(
            info=ImageInfo(
                name=f"image_{number}",
                height=truth.shape[0],
                width=truth.shape[1],
                truth_path="truth.png",
                prediction_path="" if prediction is None else "prediction.png",
                truth_form="",
                prediction_form="",
            ),
            table=count_values(truth=truth, prediction=prediction),
        )
        for number, (truth, prediction) in enumerate(masks)
    )


def plain_pictures(
    scores: Scores, masks: list[tuple[Mask, Mask | None]], position: int | None, unknown: Unknown
) -> list[tuple[Mask, Palette]]:
    """Draw every image as `segeval overlay --plain` does, and read the colours back."""
    scheme = full_palette(scores.labels) if position is None else class_palette()
    style = Style(scheme=scheme, position=position, classes=len(scores.labels.names), plain=True)
    translation = lookup_of(scores.run, scores.labels, unknown=unknown)
    cards = describe_images(scores, position)
    drawn = []
    for (truth, prediction), card in zip(masks, cards, strict=True):
        classes = translation.pair(truth, prediction)
        with Image.open(io.BytesIO(draw_picture(*classes, style, card))) as image:
            colors = np.asarray(image.convert("RGB"))
        assert colors.shape == (*truth.shape, 3)
        drawn.append((colors, scheme))
    return drawn


def pixels_of(picture: Mask, scheme: Palette, *codes: int) -> int:
    return sum(int((picture == scheme.colors[code]).all(axis=-1).sum()) for code in codes)


@settings(deadline=None, max_examples=60)
@given(masks=pairs(), unknown=st.sampled_from(["wrong", "ignore"]), position=st.integers(0, 2))
def test_pixels_of_each_colour_are_the_counts_of_the_class(
    masks: list[tuple[Mask, Mask | None]], unknown: Unknown, position: int
) -> None:
    scores = score_run(counted(masks), LABELS, unknown=unknown)
    counts = scores.counts.images
    for number, (picture, scheme) in enumerate(plain_pictures(scores, masks, position, unknown)):
        found = {kind: pixels_of(picture, scheme, kind) for kind in Kind}
        found[Kind.VOID] += pixels_of(picture, scheme, Kind.VOID + 1)
        assert found == {
            Kind.TRUE_POSITIVE: counts.tp[number, position],
            Kind.FALSE_POSITIVE: counts.fp[number, position],
            Kind.FALSE_NEGATIVE: counts.fn[number, position],
            Kind.TRUE_NEGATIVE: counts.tn[number, position],
            Kind.VOID: scores.counts.pixels[number] - counts.total[number],
        }


@settings(deadline=None, max_examples=60)
@given(masks=pairs(), unknown=st.sampled_from(["wrong", "ignore"]))
def test_wrong_pixels_by_true_class_are_the_misses_of_the_class(
    masks: list[tuple[Mask, Mask | None]], unknown: Unknown
) -> None:
    scores = score_run(counted(masks), LABELS, unknown=unknown)
    counts = scores.counts.images
    for number, (picture, scheme) in enumerate(plain_pictures(scores, masks, None, unknown)):
        for k in range(3):
            assert pixels_of(picture, scheme, 3 + k, 6 + k) == counts.fn[number, k]
            assert pixels_of(picture, scheme, k) == counts.tp[number, k]
        void = scores.counts.pixels[number] - counts.total[number]
        assert pixels_of(picture, scheme, 9, 10) == void


@settings(deadline=None, max_examples=40)
@given(masks=pairs(), position=st.one_of(st.none(), st.integers(0, 2)))
def test_the_legend_counts_the_pixels_of_the_picture(
    masks: list[tuple[Mask, Mask | None]], position: int | None
) -> None:
    scores = score_run(counted(masks), LABELS, unknown="wrong")
    translation = lookup_of(scores.run, LABELS, unknown="wrong")
    for card, (truth, prediction) in zip(describe_images(scores, position), masks, strict=True):
        codes = error_codes(*translation.pair(truth, prediction), position, 3)
        assert all(pixels == (codes == code).sum() for code, _, pixels in card.legend)


@pytest.mark.parametrize("colored_elsewhere", [False, True])
def test_grey_colours_are_indices_only_if_the_whole_run_says_so(*, colored_elsewhere: bool) -> None:
    """One image cannot know: its three channels are equal either way."""
    truth = frozen([[0, 1], [1, 1]])
    grey = frozen(np.array([[0, 1], [1, 0]]) * 0x010101 + COLOR, "int64")
    other = frozen([[COLOR + 0xFF0000] * 2] * 2, "int64") if colored_elsewhere else grey
    labels = LabelMap(
        name="made",
        labels=tuple(
            Label(name=str(v), truth_values=(v,), prediction_values=(v,), colors=((v, 99, 0),))
            for v in (0, 1)
        ),
    )
    run = made_run((truth, grey), (truth, other))
    scores = score_run(run, labels, unknown="wrong")
    translation = lookup_of(run, labels, unknown="wrong")
    codes = class_errors(*translation.pair(truth, grey), 1)
    expected = [[0, 2], [2, 2]] if colored_elsewhere else [[0, 3], [3, 2]]
    assert codes.tolist() == expected
    assert scores.counts.images.tp[0, 1] == (codes == Kind.TRUE_POSITIVE).sum()


def test_a_value_that_was_not_counted_is_refused() -> None:
    truth = frozen([[0, 1]])
    translation = lookup_of(made_run((truth, truth)), LABELS)
    for dtype in ("uint8", "uint16"):
        with pytest.raises(ValueError, match="other values than when it was counted"):
            translation.pair(truth, frozen([[0, 2]], dtype))


@pytest.mark.parametrize("classes", [1, 2, 74, 75, 200, 4000])
def test_any_number_of_classes_has_its_own_colours(classes: int) -> None:
    labels = LabelMap(
        name="made",
        labels=tuple(
            Label(name=str(v), truth_values=(v,), prediction_values=(v,), colors=((9, 9, 9),))
            for v in range(classes)
        ),
    )
    scheme = full_palette(labels)
    assert len(np.unique(scheme.colors, axis=0)) == len(scheme.colors) == 3 * classes + 18
    truth = frozen([[0, classes - 1, -1]], "int16")
    codes = all_errors(truth, frozen([[-2, classes - 1, 0]], "int16"), classes)
    assert codes.tolist() == [[classes, classes - 1, 3 * classes]]
    assert np.isin(
        hatched(codes, scheme.striped),
        [classes, 2 * classes, classes - 1, 3 * classes, 3 * classes + 1],
    ).all()


def test_what_is_written_stays_dark_on_white_beside_black_and_white_classes() -> None:
    ends = ((0, 0, 0), (255, 255, 255))
    labels = LabelMap(
        name="made",
        labels=tuple(
            Label(name=str(v), truth_values=(v,), prediction_values=(v,), colors=(ends[v % 2],))
            for v in range(6)
        ),
    )
    scheme = full_palette(labels)
    inks = scheme.colors[scheme.paper :].astype(int)
    assert inks[0].min() >= 240
    assert inks[-1].max() <= 15
    assert (np.diff(inks[:, 0]) < 0).all()
