"""Truths and predictions are paired by name, and nothing is dropped in silence."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest

from segeval.inputs.pairing import Pairing, find_pairs

if TYPE_CHECKING:
    from pathlib import Path

NFC = unicodedata.normalize("NFC", "Zürich é")
NFD = unicodedata.normalize("NFD", NFC)


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def paired(tmp_path: Path, truths: str, predictions: str, **options: Any) -> Pairing:
    """Pair two folders that hold the files named, separated by bars."""
    return find_pairs(
        truth=touch(tmp_path / "truth", *filter(None, truths.split("|"))),
        prediction=touch(tmp_path / "pred", *filter(None, predictions.split("|"))),
        **options,
    )


def names(pairing: Pairing) -> list[str]:
    assert pairing.problems == ()
    return [pair.name for pair in pairing.pairs]


def problem(pairing: Pairing, kind: str) -> str:
    """Return the detail of the only problem, which must be of a kind."""
    (found,) = pairing.problems
    assert found.kind == kind
    return found.detail


@pytest.mark.parametrize(
    ("truths", "predictions", "options", "expected"),
    [
        ("b.png|a.png", "a.png|b.png", {}, ["a", "b"]),
        ("x/a.png|y/a.png|x/z/b.png", "x/a.png|x/z/b.png|y/a.png", {}, ["x/a", "x/z/b", "y/a"]),
        ("a.png", "a.TIFF", {}, ["a"]),
        ("a.b.png|a.c.png", "a.b.npy|a.c.npz", {}, ["a.b", "a.c"]),
        ("a b .png", "a b .bmp", {}, ["a b "]),
        (f"{NFC}/{NFC}.png", f"{NFD}/{NFD}.png", {}, [f"{NFC}/{NFC}"]),
        ("a_gt.png", "a.png", {"truth_suffix": "_gt"}, ["a"]),
        ("a_gt.png", "a.png", {"truth_suffix": "_gt.png"}, ["a"]),
        ("a_gt.png", "a_p.gif", {"truth_suffix": "_gt", "pred_suffix": "_p.gif"}, ["a"]),
        ("x/a_gt.png|x/a_color.png", "x/a.png", {"truth_suffix": "_gt"}, ["x/a"]),
        ("a.png|_gt.png|a_gt.png", "a.png", {"truth_suffix": "_gt"}, ["a"]),
        ("a.png|b.png", "a.png|b.png", {"include": "b*"}, ["b"]),
        ("x/a.png|y/a.png", "x/a.png|y/a.png", {"include": "x/*"}, ["x/a"]),
        ("a.png|a2.tif", "a.png|a2.png", {"include": "a?"}, ["a2"]),
        ("a.png|.b.png|.c/d.png|__MACOSX/a.png", "a.png", {}, ["a"]),
        ("a.png|a.txt|a.json|a|README.md", "a.png|a.xml", {}, ["a"]),
    ],
)
def test_pairs_share_their_relative_name(
    tmp_path: Path, truths: str, predictions: str, options: dict[str, Any], expected: list[str]
) -> None:
    pairing = paired(tmp_path, truths, predictions, **options)
    assert names(pairing) == expected
    assert pairing.missing == pairing.extra == ()
    assert all(pair.truth.is_file() for pair in pairing.pairs)
    assert all(pair.prediction and pair.prediction.is_file() for pair in pairing.pairs)


def test_a_pair_keeps_the_paths_of_its_files(tmp_path: Path) -> None:
    (pair,) = paired(tmp_path, "x/a_gt.png", "x/a.npy", truth_suffix="_gt").pairs
    assert pair.truth == tmp_path / "truth/x/a_gt.png"
    assert pair.prediction == tmp_path / "pred/x/a.npy"
    assert pair.group == ""


def test_two_single_files_are_a_pair_whatever_their_names(tmp_path: Path) -> None:
    folder = touch(tmp_path / "all", "truth.png", "prediction.tif")
    pairing = find_pairs(truth=folder / "truth.png", prediction=folder / "prediction.tif")
    assert names(pairing) == ["truth"]
    assert pairing.pairs[0].prediction == folder / "prediction.tif"


def test_every_truth_without_a_prediction_is_a_problem(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "a.png|b.png|c.png", "b.png")
    assert [found.name for found in pairing.problems] == ["a", "c"]
    assert {found.kind for found in pairing.problems} == {"missing prediction"}
    first = pairing.problems[0].detail
    assert first.startswith(f"{tmp_path / 'truth' / 'a.png'} has no prediction 'a' in ")
    assert "waive it by name with --missing skip" in first


@pytest.mark.parametrize(
    ("truths", "predictions", "end"),
    [
        (
            "k/a_l_ids.png|k/a_l_color.png|b_l_ids.png|b_i.png",
            "k/a_l_ids.png|b_l_ids.png",
            "_l_ids",
        ),
        ("a-1.png|a-2.png|b-1.png|b-2.png|c-1.png|c-2.png", "a-1.png|b-1.png", "-1"),
        ("a_ids.png|b_ids.png|c_ids.png|a_i.png", "a_ids.png|b_ids.png", ""),
        ("a_ids.png|a_color.png", "a_ids.png", ""),
        ("a_1.png|a_2.png|a_3.png|b_1.png", "a_1.png|a_2.png", ""),
    ],
)
def test_other_files_beside_the_truths_are_told_by_their_end(
    tmp_path: Path, truths: str, predictions: str, end: str
) -> None:
    pairing = paired(tmp_path, truths, predictions)
    if not end:
        assert {found.kind for found in pairing.problems} == {"missing prediction"}
        return
    options = f"--truth-suffix {end} --pred-suffix {end}"
    assert f"; type {options} if only names that end so" in problem(pairing, "other files")
    again = paired(tmp_path, "", "", truth_suffix=end, pred_suffix=end)
    assert {found.name for found in again.problems} <= {"c"}
    assert len(again.pairs) == 2


def test_missing_predictions_are_skipped_by_name(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "a.png|b.png|c.png", "b.png", missing="skip")
    assert names(pairing) == ["b"]
    assert pairing.missing == ("a", "c")


@pytest.mark.parametrize("predictions", ["b.png", "other.png"])
def test_missing_predictions_are_all_wrong_in_their_place(tmp_path: Path, predictions: str) -> None:
    pairing = paired(tmp_path, "a.png|b.png|c.png", predictions, missing="worst")
    assert names(pairing) == ["a", "b", "c"]
    without = [pair.name for pair in pairing.pairs if pair.prediction is None]
    assert without == list(pairing.missing)
    assert without == (["a", "c"] if predictions == "b.png" else ["a", "b", "c"])


def test_extra_predictions_are_listed(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "b.png", "a.png|b.png|x/c.png")
    assert names(pairing) == ["b"]
    assert pairing.extra == ("a", "x/c")


@pytest.mark.parametrize("missing", ["error", "skip", "worst"])
@pytest.mark.parametrize(
    ("truths", "predictions", "side"),
    [
        ("a.png", "a.png|a.tif", "prediction"),
        ("a.png|a.npy", "a.png", "truth"),
        (f"{NFC}.png|{NFD}.png", f"{NFC}.png", "truth"),
    ],
)
def test_two_files_of_one_name_are_a_problem(
    tmp_path: Path, truths: str, predictions: str, side: str, missing: Any
) -> None:
    pairing = paired(tmp_path, truths, predictions, missing=missing)
    detail = problem(pairing, "two files of one name")
    assert f"the same name on the {side} side" in detail
    folder = tmp_path / ("truth" if side == "truth" else "pred")
    assert detail.count(str(folder)) == 2


@pytest.mark.parametrize(
    ("truths", "predictions", "advice"),
    [
        ("a_gt.png|b_gt.png", "a.png|b.png", "type --truth-suffix _gt"),
        ("a.png|b.png", "a_pred.png|b_pred.png", "type --pred-suffix _pred"),
        ("a_gt.png|b_label.png", "a.png|b.png", "or --pred-suffix, or name the pairs with --pairs"),
        ("a_gt.png|b_gt.png", "a_p.png|b_p.png", "type --truth-suffix _gt --pred-suffix _p"),
        (
            "a_1_gt.png|b_1_gt.png",
            "a_1_p.png|b_1_p.png",
            "type --truth-suffix _gt --pred-suffix _p",
        ),
        (
            "k/a_g_color.png|k/a_g_labelIds.png|k/b_g_color.png|k/b_g_labelIds.png",
            "k/a_x.png|k/b_x.png",
            "type --truth-suffix _g_labelIds --pred-suffix _x",
        ),
        (
            "k/a_img.png|k/a_mask.png|k/b_img.png|k/b_mask.png",
            "k/a_x.png|k/b_x.png",
            "type --truth-suffix _mask --pred-suffix _x",
        ),
        ("k/a_g.png|l/b_g.png", "a.png|b.png", "type --truth-suffix _g --match stem"),
        (
            "k/a_gt.png|l/b_gt.png|k/a_i.png|l/b_i.png",
            "x/a_p.png|b_p.png",
            "type --truth-suffix _gt --pred-suffix _p --match stem",
        ),
        ("k/a_g.png|l/a_g.png", "a_p.png|b_p.png", "or name the pairs with --pairs"),
        ("a copy.png|b copy.png", "a.png|b.png", "type --truth-suffix ' copy'"),
        ("amask.png|bmask.png", "a.png|b.png", "type --truth-suffix mask"),
        ("x/a.png|y/b.png", "a.png|b.png", "type --match stem"),
        ("x/a.png|y/a.png", "a.png|b.png", "or name the pairs with --pairs"),
        ("a.png", "b.png", "or --pred-suffix, or name the pairs with --pairs"),
    ],
)
def test_when_no_names_match_the_suffix_is_proposed(
    tmp_path: Path, truths: str, predictions: str, advice: str
) -> None:
    pairing = paired(tmp_path, truths, predictions)
    detail = problem(pairing, "no names match")
    assert detail.endswith(advice)
    truth, prediction = (min(names.split("|"))[:-4] for names in (truths, predictions))
    assert f"truths are like {truth!r}, predictions like {prediction!r}" in detail
    assert pairing.pairs == ()


def test_when_few_names_match_the_rest_is_one_problem_with_advice(tmp_path: Path) -> None:
    truths = "|".join(["c.png", *(f"a{n}_gt.png" for n in range(5))])
    predictions = "|".join(["c.png", *(f"a{n}_p.png" for n in range(5))])
    pairing = paired(tmp_path, truths, predictions)
    assert problem(pairing, "few names match") == (
        "1 of 6 truths found, e.g. 'c'; of the others, truths are like 'a0_gt', predictions like "
        "'a0_p'; type --truth-suffix _gt --pred-suffix _p"
    )
    assert names(paired(tmp_path, "", "", missing="skip")) == ["c"]


def test_names_match_by_their_last_part_when_that_is_asked_for(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "x/a.png|y/b.png", "a.png|z/b.png|c.png", match="stem")
    assert names(pairing) == ["x/a", "y/b"]
    assert [pair.prediction for pair in pairing.pairs] == [
        tmp_path / "pred" / "a.png",
        tmp_path / "pred" / "z" / "b.png",
    ]
    assert pairing.extra == ("c",)


def test_last_parts_that_stand_twice_are_a_problem(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "x/a.png|y/a.png|b.png", "a.png|b.png", match="stem", missing="skip")
    assert "the same stem on the truth side" in problem(pairing, "two files of one name")


@pytest.mark.parametrize("missing", ["error", "skip", "worst"])
def test_an_empty_folder_is_a_problem(tmp_path: Path, missing: Any) -> None:
    pairing = paired(tmp_path, "a.png", "notes.txt", missing=missing)
    detail = problem(pairing, "no masks")
    assert detail.startswith(f"prediction folder {tmp_path / 'pred'} holds no masks (")


def test_a_folder_without_the_suffix_or_the_glob_says_so(tmp_path: Path) -> None:
    pairing = paired(tmp_path, "a.png", "a.png", truth_suffix="_gt")
    assert "holds no masks with names ending in '_gt'" in problem(pairing, "no masks")
    pairing = paired(tmp_path, "a.png", "a.png|q.png", include="q*")
    assert "that match 'q*'" in problem(pairing, "no masks")


def test_folders_that_are_missing_or_files_are_all_named(tmp_path: Path) -> None:
    folder = touch(tmp_path / "truth", "a.png")
    pairing = find_pairs(truth=folder / "a.png", prediction=tmp_path / "none")
    assert [found.kind for found in pairing.problems] == ["not a folder", "no such folder"][::-1]
    assert f"prediction folder {tmp_path / 'none'} does not exist" in pairing.problems[0].detail
    assert f"truth {folder / 'a.png'} is a file" in pairing.problems[1].detail
    assert pairing.pairs == ()


def test_linked_folders_are_followed_and_cycles_are_not(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere", "b.png")
    truth = touch(tmp_path / "truth", "a.png")
    (truth / "linked").symlink_to(elsewhere)
    (truth / "cycle").symlink_to(truth)
    (elsewhere / "back").symlink_to(truth)
    prediction = touch(tmp_path / "pred", "a.png", "linked/b.png")
    assert names(find_pairs(truth=truth, prediction=prediction)) == ["a", "linked/b"]


def test_a_broken_link_is_a_pair_and_left_to_the_reader(tmp_path: Path) -> None:
    prediction = touch(tmp_path / "pred")
    (prediction / "a.png").symlink_to(tmp_path / "gone.png")
    pairing = find_pairs(truth=touch(tmp_path / "truth", "a.png"), prediction=prediction)
    assert names(pairing) == ["a"]
