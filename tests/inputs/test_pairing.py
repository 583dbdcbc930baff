"""Truths and predictions are paired by name, and nothing is dropped in silence."""

from __future__ import annotations

import os
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from made.sets import data_set, segeval

from segeval.inputs import pairing as pairing_module
from segeval.inputs.pairing import Pairing, find_pairs

NFC = unicodedata.normalize("NFC", "Zürich é")
NFD = unicodedata.normalize("NFD", NFC)


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
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


def test_pairs_of_folders_are_objects_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def path_of(text: str) -> Path:
        asked.append(text)
        return Path(text)

    monkeypatch.setattr(pairing_module, "path_of", path_of)
    pairs = paired(tmp_path, "a.png|b.png|c.png", "a.png|b.png|c.png").pairs
    some = pairs[1:]
    assert (len(pairs), len(some), asked) == (3, 2, [])
    assert [pair.name for pair in some] == ["b", "c"]
    assert pairs[-1] == [*pairs][2] == some[1]
    assert pairs[0].files == [tmp_path / "truth" / "a.png", tmp_path / "pred" / "a.png"]


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
    assert all(path.is_file() for pair in pairing.pairs for path in pair.files)
    assert all(len(pair.files) == 2 for pair in pairing.pairs)


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
    assert not pairing.pairs


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
    assert not pairing.pairs


def test_linked_folders_are_followed_and_cycles_are_not(tmp_path: Path) -> None:
    elsewhere = touch(tmp_path / "elsewhere", "b.png")
    truth = touch(tmp_path / "truth", "a.png")
    (truth / "linked").symlink_to(elsewhere)
    (truth / "cycle").symlink_to(truth)
    (elsewhere / "back").symlink_to(truth)
    prediction = touch(tmp_path / "pred", "a.png", "linked/b.png")
    assert names(find_pairs(truth=truth, prediction=prediction)) == ["a", "linked/b"]


def test_folders_that_link_to_each_other_are_walked_once_for_each_link(tmp_path: Path) -> None:
    folders = [touch(tmp_path / "all" / f"f{number}", "a.png") for number in range(12)]
    for folder in folders:
        for other in folders:
            if other != folder:
                (folder / f"to_{other.name}").symlink_to(other)
    found = names(find_pairs(truth=tmp_path / "all", prediction=tmp_path / "all"))
    assert len(found) == 12 + 12 * 11
    assert set(found) == {f"f{number}/a" for number in range(12)} | {
        f"f{one}/to_f{other}/a" for one in range(12) for other in range(12) if one != other
    }


def test_links_below_a_linked_folder_are_followed_under_their_shortest_name(tmp_path: Path) -> None:
    outside, truth = touch(tmp_path / "outside", "a.png"), touch(tmp_path / "truth" / "x", "b.png")
    (truth / "more").symlink_to(outside)
    (truth.parent / "y").symlink_to(truth)
    (outside / "far").symlink_to(touch(tmp_path / "far", "c.png"))
    found = names(find_pairs(truth=truth.parent, prediction=truth.parent))
    assert found == ["x/b", "x/more/a", "x/more/far/c", "y/b"]


def test_folders_may_be_nested_deeply(tmp_path: Path) -> None:
    truth = tmp_path / "truth"
    here = os.getcwd()
    truth.mkdir()
    os.chdir(truth)
    try:
        for _ in range(1300):
            os.mkdir("d")
            os.chdir("d")
        open("a.png", "w").close()
        found = names(find_pairs(truth=truth, prediction=truth))
    finally:  # what tidies up after tests would stumble over it
        os.chdir(here)
        subprocess.run(["rm", "-r", truth / "d"], check=True)
    assert found == ["d/" * 1300 + "a"]


def test_a_folder_too_deep_to_be_named_is_a_problem(tmp_path: Path) -> None:
    truth = touch(tmp_path / "truth", "a.png")
    here = os.getcwd()
    os.chdir(truth)
    try:
        for _ in range(20):
            os.mkdir("d" * 250)
            os.chdir("d" * 250)
    finally:
        os.chdir(here)
    pairing = find_pairs(truth=truth, prediction=touch(tmp_path / "pred", "a.png"))
    assert "the folder cannot be read: File name too long" in problem(pairing, "unreadable folder")
    assert [pair.name for pair in pairing.pairs] == ["a"]


ODD_FOLDERS = {
    "circle": "cannot be opened: Too many levels of symbolic links; check the path",
    "a" * 300: "cannot be opened: File name too long; check the path",
    "a\0b": "cannot be opened: embedded null byte; check the path",
    "pipe": "is no folder and no regular file; give two folders or two files",
    "none": "does not exist; check the path",
}


@pytest.mark.parametrize("name", ODD_FOLDERS, ids=lambda name: name[:6].replace("\0", "0"))
def test_what_is_no_folder_is_a_problem_on_either_side(tmp_path: Path, name: str) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    path = tmp_path / name
    found = find_pairs(truth=path, prediction=path).problems
    expected = [f"{side} folder {path} {ODD_FOLDERS[name]}" for side in ("prediction", "truth")]
    if name == "pipe":
        expected = [text.replace(" folder", "", 1) for text in expected]
    assert [part.detail for part in found] == expected


def test_a_folder_that_may_not_be_read_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the tests may be run by somebody who may read everything, the system is asked in vain."""
    truth = touch(tmp_path / "truth", "x/a.png", "y/a.png")
    scandir = os.scandir

    def refuse(folder: str) -> Any:
        if folder.endswith("/y"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    pairing = find_pairs(truth=truth, prediction=touch(tmp_path / "pred", "x/a.png"))
    detail = problem(pairing, "unreadable folder")
    assert detail == f"{truth}/y: the folder cannot be read: Permission denied"


def test_files_that_are_no_masks_by_their_names_are_listed(tmp_path: Path) -> None:
    truths = "a.png|a.pgm|b|x/.c.png|.git/d.png|.DS_Store|x/._a.png|__MACOSX/a.png|Thumbs.db"
    pairing = paired(tmp_path, truths, "a.png|n.txt|b_x.txt")
    assert names(pairing) == ["a"]
    left_out = [path.removeprefix(f"{tmp_path}/") for path in pairing.left_out]
    assert sorted(left_out) == [
        "pred/b_x.txt", "pred/n.txt", "truth/.git", "truth/a.pgm", "truth/b", "truth/x/.c.png"
    ]  # fmt: skip
    again = paired(tmp_path, "", "a_x.png", pred_suffix="_x", include="[ab]*")
    left_out = [path.removeprefix(f"{tmp_path}/") for path in again.left_out]
    assert sorted(left_out) == ["pred/b_x.txt", "truth/a.pgm", "truth/b"]


def test_what_is_left_out_is_said_by_score_and_check(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": ([[0, 1]], [[0, 1]])})
    touch(folders[1], ".b.png", "c.pgm", "d", "e.txt")
    notice = f"4 files left out, hidden or without the ending of a mask: {folders[1]}/.b.png, "
    for command in ("score", "check"):
        assert notice in segeval(command, *folders).stderr
        assert segeval(command, *folders, "--quiet").stderr == ""
    segeval("score", *folders, "-o", tmp_path / "run.segeval")
    assert "left out" not in segeval("report", tmp_path / "run.segeval").stderr


def test_a_broken_link_is_a_pair_and_left_to_the_reader(tmp_path: Path) -> None:
    prediction = touch(tmp_path / "pred")
    (prediction / "a.png").symlink_to(tmp_path / "gone.png")
    pairing = find_pairs(truth=touch(tmp_path / "truth", "a.png"), prediction=prediction)
    assert names(pairing) == ["a"]
