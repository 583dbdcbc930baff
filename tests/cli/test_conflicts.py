"""Options of a file beside options that are typed: which of them count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.cli.config import overridden_by

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
SHIFTED = np.roll(BLOCKS, 2, axis=1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with masks, two runs and a document of their scores."""
    data_set(tmp_path, {"one": (BLOCKS, SHIFTED), "two": (BLOCKS, BLOCKS)})
    (tmp_path / "labels.txt").write_text("sky\nroad\ncar\ntree\n")
    for name in ("a", "b"):
        options = ["-o", f"{name}.segeval", "--json", f"{name}.json"]
        segeval("score", "pred", "truth", *options, cwd=tmp_path)
    return tmp_path


def done(folder: Path, text: str, *arguments: object, expect: int = 0) -> str:
    """Run a command beside a file of settings, and return what it says."""
    (folder / "segeval.toml").write_text(text, encoding="utf-8")
    return segeval(*arguments, cwd=folder, expect=expect).stderr


def scored(folder: Path, text: str, *arguments: object) -> dict[str, Any]:
    (folder / "segeval.toml").write_text(text, encoding="utf-8")
    options = ["--format", "json"]
    content: dict[str, Any] = json.loads(
        segeval("score", "pred", "truth", *options, *arguments, cwd=folder).stdout
    )
    return content


def test_runs_of_a_file_need_no_truth_of_it(project: Path) -> None:
    runs = (
        'truth = "truth"\nmissing = "skip"\n[compare]\nruns = ["a.segeval", "b.segeval"]\nci = 20'
    )
    done(project, runs, "compare")
    folders = 'truth = "truth"\n[compare]\nruns = ["a.segeval", "pred"]\nci = 20'
    done(project, folders, "compare")
    one = 'truth = "truth"\nworkers = 1\n[explain]\nprediction = "a.segeval"'
    done(project, one, "explain")
    (project / "pairs.csv").write_text("prediction,truth\npred/one.png,truth/one.png\n")
    done(project, one, "explain", "--pairs", "pairs.csv")


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ('worst = 25\npooling = "image"', ["--pooling", "dataset"]),
        ('worst = 25\npooling = "image"', ["--pooling", "micro"]),
        ('labels = "labels.txt"\npred-labels = "labels.txt"', ["--classes", "4"]),
        ('labels = "labels.txt"\nlevel = "category"', ["--classes", "4"]),
        ('significant = true\nbaseline = "a.segeval"', ["--baseline", "b.json"]),
        ("threshold = 1", ["--classes", "4"]),
        ("threshold = 1", ["--pred-offset", "1", "--classes", "5"]),
        ("classes = 4", ["--threshold", "1", "--truth-threshold", "1"]),
    ],
)
def test_what_is_typed_puts_aside_what_makes_no_sense_beside_it(
    project: Path, text: str, typed: list[str]
) -> None:
    expected = scored(project, "", *typed)
    assert scored(project, text, *typed) == expected


def test_what_goes_with_a_typed_option_stays(project: Path) -> None:
    content = scored(project, 'worst = 25\npooling = "image"', "--pooling", "class")
    assert content["settings"]["worst"] == 25
    gates = scored(project, "significant = true\nci = 20", "--baseline", "a.segeval")["gates"]
    assert all("interval" in gate for gate in gates[2:])


def test_groups_at_the_top_do_not_hinder_comparisons(project: Path) -> None:
    done(project, 'group-by = "^(.)"\nci = 20\nseed = 5', "compare", "a.segeval", "b.segeval")
    said = done(project, '[compare]\nper-group = "g.csv"', "compare", "a.segeval", expect=2)
    assert "segeval compare has no option 'per-group'" in said


def test_a_seed_without_resamples_is_harmless(project: Path) -> None:
    plain = scored(project, "")
    assert scored(project, "seed = 5") == plain == scored(project, "", "--seed", "5")
    done(project, "seed = 5", "report", "a.segeval")
    assert "seed:5" in scored(project, "seed = 5", "--ci", "20")["signature"]


@pytest.mark.parametrize(
    ("text", "typed", "message"),
    [
        (
            'like = "mmseg"\nworst = 5',
            [],
            "(worst stands in segeval.toml:2)",
        ),
        ("worst = 25", [], "by group (worst stands in segeval.toml:1)"),
        ('[score]\npred-labels = "voc"', [], "(pred-labels stands in segeval.toml:2)"),
        ('max-drop = "0.1"\nclasses = 4', [], "FILE (max-drop stands in segeval.toml:1)\n"),
        ("classes = 4", ["--labels", "voc", "--classes", "4"], "give one of them\n"),
    ],
)
def test_a_clash_names_what_the_file_says(
    project: Path, text: str, typed: list[str], message: str
) -> None:
    assert message in done(project, text, "score", "pred", "truth", *typed, expect=2)


def test_a_run_in_the_place_of_folders_is_sent_to_report(project: Path) -> None:
    said = done(project, 'truth = "truth"\nclasses = 4', "score", "a.segeval", expect=2)
    assert "a.segeval is a run file, counted already; type `segeval report a.segeval`" in said
    said = done(
        project, "", "explain", "a.segeval", "--workers", "1", "--missing", "skip", expect=2
    )
    assert "a.segeval is counted already; leave out --missing, --workers" in said


def test_options_of_one_name_may_mean_something_else_in_another_command() -> None:
    assert overridden_by({"classes": 4}, {"classes", "threshold", "truth_threshold"}) == set()
    both = {"classes", "threshold", "truth_threshold", "pred_labels"}
    assert overridden_by({"classes": 4}, both) == {"threshold", "truth_threshold", "pred_labels"}
