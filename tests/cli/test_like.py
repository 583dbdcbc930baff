"""``--like`` and ``segeval presets`` as users type them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made.sets import data_set, document, segeval

import segeval as library
from segeval.presets.distances import load_distance_presets
from segeval.presets.objects import load_object_presets
from segeval.presets.preset import load_presets

# Image one: class 0 iou 2/3, class 1 iou 1/2. Image two: class 0 iou 3/4, class 2 predicted only.
PAIRS = {"one": ([[0, 0, 1, 1]], [[0, 0, 0, 1]]), "two": ([[0, 0, 0, 0]], [[0, 0, 0, 2]])}


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, {**PAIRS})


def total(*arguments: object) -> float:
    return float(segeval("score", *arguments, "--format", "total").stdout)


def test_the_same_masks_as_other_tools_score_them(folders: tuple[Path, Path]) -> None:
    first, second = 2 / 3, 3 / 4
    for name, expected in {
        "cityscapes": (5 / 7 + 1 / 2 + 0) / 3,
        "detectron2": (5 / 7 + 1 / 2) / 2,
        "torchmetrics": (first + 1 / 2 + second + 0) / 4,
        "monai": ((first + 1 / 2) / 2 + second) / 2,
        "jdt-image": ((first + 1 / 2) / 2 + second) / 2,
        "monai:keep-empty": ((first + 1 / 2 + 1) / 3 + (second + 1 + 0) / 3) / 2,
        "nnunet": (1 / 2 + 0) / 2,
        "smp:micro": 6 / 10,
        "monai:f1-pooled": 6 / 8,
    }.items():
        assert total(*folders, "--like", name) == pytest.approx(expected, rel=1e-12), name


def test_the_headline_of_a_preset_comes_first(folders: tuple[Path, Path]) -> None:
    table = segeval("score", *folders, "--like", "torchmetrics:dice").stdout.splitlines()
    summary = table[table.index("") + 1 :]
    assert summary[0].startswith("mDice")
    assert summary[1].startswith("mIoU")
    assert "like:torchmetrics:dice|pooling:image|absent:skip|mean:all|images:2" in table[-1]


def test_the_words_beside_the_numbers_say_what_is_done(folders: tuple[Path, Path]) -> None:
    table = segeval("score", *folders, "--like", "detectron2").stdout
    assert (
        "over 2 of 3 classes; counts summed over 2 images; a class only predicted is left" in table
    )
    table = segeval("score", *folders, "--like", "monai:generalized").stdout
    assert "generalised Dice (square weights) over 3 of 3 classes; mean over 2 images" in table
    table = segeval("score", *folders, "--like", "smoothed-dice").stdout
    assert "1 added to both sides of the fraction" in table
    assert "not in the means: 0" in table
    table = segeval("score", *folders, "--like", "jdt-image:worst").stdout
    assert "mIoU worst 1 %" in table
    assert "mean of the lowest 1 % of the values below" in table
    table = segeval("score", *folders, "--like", "sklearn:weighted").stdout
    assert "classes weighted by true pixels" in table


@pytest.mark.parametrize(
    ("options", "matters"),
    [
        (("--like", "smp"), True),
        (("--like", "paddleseg"), True),
        (("--like", "monai:mean-batch"), True),
        (("--like", "seg-metrics"), True),
        (("--like", "mmseg"), False),
        (("--like", "monai"), False),
        (("--absent", "undefined"), True),
        (("--pooling", "image", "--worst", "50"), False),
        ((), False),
    ],
)
def test_a_guessed_number_of_classes_is_said_where_it_matters(
    folders: tuple[Path, Path], options: tuple[str, ...], *, matters: bool
) -> None:
    said = segeval("score", *folders, *options).stderr
    name = options[1] if options[:1] == ("--like",) else "this convention"
    notice = f"3 classes were found, and their number matters to {name}; if there are more, type"
    assert (notice in said) == matters
    assert "matters" not in segeval("score", *folders, *options, "--classes", 3).stderr


def test_explain_says_which_presets_depend_on_the_number_of_classes(
    folders: tuple[Path, Path],
) -> None:
    assert "their number matters to " in segeval("explain", *folders).stderr
    assert "matters" not in segeval("explain", *folders, "--classes", 3).stderr


def test_absent_classes_are_said_to_be_worth_what_they_are(folders: tuple[Path, Path]) -> None:
    for name, words in {
        "miseval": "count as 0, count as 1 in dice: 3",
        "jdt-dataset": "make the means undefined: 3",
        "monai:mean-batch": "count as 0: 3",
        "monai": "not in the means: 3",
    }.items():
        assert words in segeval("score", *folders, "--classes", 4, "--like", name).stdout, name


def test_documents_name_the_preset_and_its_classes(folders: tuple[Path, Path]) -> None:
    made = document(*folders, "--like", "detectron2", "--exclude", "1")
    assert made["settings"]["like"] == "detectron2"
    assert made["settings"]["pred_only"] == "skip"
    assert made["averaged"]["classes_of"]["miou"] == made["averaged"]["classes"] == 1
    assert made["averaged"]["excluded"] == ["1"]
    assert (
        "like:detectron2|pooling:dataset|absent:skip|mean:all-1|pred_only:skip" in made["signature"]
    )
    assert "like" not in document(*folders)["settings"]


def test_reports_in_other_formats_follow(folders: tuple[Path, Path]) -> None:
    markdown = segeval("score", *folders, "--like", "kaggle-dice", "--format", "markdown").stdout
    assert "As kaggle-dice reports it: mDice 0.6667." in markdown
    csv = segeval("score", *folders, "--like", "monai", "--format", "csv").stdout
    assert "like:monai" in csv


def test_gates_look_at_the_headline(folders: tuple[Path, Path]) -> None:
    done = segeval("score", *folders, "--like", "torchmetrics:dice", "--fail-under", 0.99, expect=1)
    assert "gate failed: mdice = " in done.stderr
    segeval("score", *folders, "--like", "detectron2", "--fail-under", "miou=0.6")


def test_a_saved_run_is_scored_alike(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    scored = segeval("score", *folders, "--like", "monai", "-o", run).stdout
    assert segeval("report", run, "--like", "monai").stdout == scored


@pytest.mark.parametrize(
    ("name", "options", "signature"),
    [
        ("monai", {"absent": "zero"}, "like:monai+absent:zero|pooling:image|absent:zero|"),
        (
            "smp",
            {"pooling": "class", "absent": "skip"},
            "like:smp+pooling:class+absent:skip|pooling:class|absent:skip|",
        ),
        ("monai", {"pooling": "image"}, "like:monai|pooling:image|absent:skip|"),
        ("monai", {"worst": 50}, "like:monai|pooling:image|absent:skip|"),
    ],
)
def test_a_departure_from_a_preset_is_part_of_its_name(
    folders: tuple[Path, Path], name: str, options: dict[str, Any], signature: str
) -> None:
    typed = [part for option, value in options.items() for part in (f"--{option}", value)]
    found = document(*folders, "--like", name, *typed)
    assert found["signature"].split("|", 3)[3].startswith(signature)
    axes = replace(library.preset(name), overrides=(), **options)
    wanted = library.score(prediction=folders[0], truth=folders[1], convention=axes).summary
    headline = found["settings"].get("headline", "miou")
    assert found["summary"][headline] == wanted[headline]
    assert ("miou_worst50" in found["summary"]) == ("worst" in options)


@pytest.mark.parametrize(
    ("axes", "name"),
    [
        ({"absent": "zero"}, "smp+absent:zero"),
        ({"weights": (1.0, 2.0), "exclude": ("1",)}, "smp+weights"),
        ({"overrides": ()}, "smp+pred_only:zero+truth_only:zero"),
        (
            {"overrides": (("iou", "absent", "zero"),), "nothing": "one"},
            "smp+pred_only:zero+truth_only:zero+nothing:one+overrides",
        ),
        ({"like": ""}, ""),
        ({"pooling": library.preset("smp").pooling}, "smp"),
    ],
)
def test_a_departure_by_replacing_is_part_of_the_name_as_well(
    axes: dict[str, Any], name: str
) -> None:
    """Of smp, precision and recall have rules of their own for classes on one side."""
    departed = replace(library.preset("smp"), **axes)
    assert departed.like == name
    assert replace(replace(departed, headline="mdice"), headline=departed.headline) == departed
    assert departed.signature_parts()[0] == (f"like:{name}" if name else "pooling:dataset")
    assert "origin" not in departed.settings()


def test_reports_tell_a_departure_from_what_a_tool_reports(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    options = ("--like", "monai", "--absent", "zero", "--html", page, "--format", "markdown")
    text = segeval("score", *folders, *options).stdout
    assert "As monai would report it with absent:zero: mIoU " in text
    assert "</strong> would report with absent:zero for these masks" in page.read_text("utf-8")


def test_an_axis_holds_for_every_metric_of_a_preset() -> None:
    usual, changed = library.preset("smp"), library.preset("smp", truth_only="skip")
    assert ("precision", "truth_only", "one") in usual.overrides
    assert changed.treatment("precision", "truth_only") == "skip"
    assert changed.like == "smp+truth_only:skip"


def test_a_worst_share_needs_a_preset_that_averages_images(folders: tuple[Path, Path]) -> None:
    said = segeval("score", *folders, "--like", "mmseg", "--worst", 5, expect=2).stderr
    assert "the worst share needs pooling by image" in said
    said = segeval("score", *folders, "--like", "jdt-image:worst", "--worst", 5, expect=2).stderr
    assert "jdt-image:worst is a worst share itself; leave out --worst" in said


def test_unknown_presets_get_the_nearest_names(folders: tuple[Path, Path]) -> None:
    done = segeval("score", *folders, "--like", "monia", expect=2)
    assert "no preset is called 'monia'; did you mean monai" in done.stderr
    assert "`segeval presets` lists them" in segeval("presets", "x!", expect=2).stderr


def test_presets_are_listed_one_a_line() -> None:
    lines = segeval("presets").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        *load_presets(),
        *load_object_presets(),
        *load_distance_presets(),
    ]
    monai = next(line for line in lines if line.startswith("monai "))
    assert monai.split(maxsplit=1)[1].split("  ")[0] == "MONAI 1.6.1"
    assert monai.split()[-2:] == ["mIoU", "MeanIoU()"]


def test_one_preset_is_shown_in_full() -> None:
    shown = segeval("presets", "smp").stdout
    for words in ("iou_score", "absent:one", "flatters", "punishes", "fault", "https://"):
        assert words in shown


def test_every_preset_says_all_that_belongs_to_it() -> None:
    for name, preset in load_presets().items():
        for text in (preset.tool, preset.version, preset.call, preset.flatters, preset.punishes):
            assert text, name
        assert preset.source.startswith(("https://", "Milletari")), name
        assert preset.convention.like == name


def test_presets_in_python(folders: tuple[Path, Path]) -> None:
    convention = library.preset("torchmetrics:dice")
    result = library.score(prediction=folders[0], truth=folders[1], convention=convention)
    assert result.summary["mdice"] == total(*folders, "--like", "torchmetrics:dice")
    assert repr(result).startswith("Result(mdice=")


def test_help_reads_no_preset() -> None:
    program = (
        "import sys\nfrom segeval.cli import app\n"
        "try: app(['score', '--help'])\nexcept SystemExit: pass\n"
        "print(sys.modules.keys() & {'numpy', 'pandas', 'tomllib'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "--like" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"
