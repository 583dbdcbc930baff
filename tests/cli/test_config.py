"""Settings in files, as users write them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.scoring.resampling import Resampling

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
SHIFTED = np.roll(BLOCKS, 2, axis=1)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with masks, and an empty folder in it."""
    data_set(tmp_path, {"one": (BLOCKS, SHIFTED), "two": (BLOCKS, BLOCKS)})
    (tmp_path / "labels.txt").write_text("sky\nroad\ncar\ntree\n")
    (tmp_path / "deep" / "down").mkdir(parents=True)
    return tmp_path


def write(folder: Path, text: str, name: str = "pyproject.toml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def scored(folder: Path, *arguments: object, expect: int = 0) -> dict[str, Any]:
    done = segeval("score", *arguments, "--format", "json", "-q", cwd=folder, expect=expect)
    assert not done.stderr or expect
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def refused(folder: Path, text: str, *command: object) -> str:
    """Return the complaint about a file of settings."""
    write(folder, text, "segeval.toml")
    done = segeval(*(command or ("score", "pred", "truth")), cwd=folder, expect=2)
    assert not done.stdout
    return done.stderr


FULL = """\
[project]
name = "street"

[tool.segeval]
labels = "labels.txt"
fail_under = ["0.1", "iou.road=0.99"]

[tool.segeval.score]
prediction = "pred"
truth = "truth"
pooling = "image"
exclude = "sky"
"""


def test_a_file_above_the_working_folder_says_everything(project: Path) -> None:
    write(project, FULL)
    done = segeval("score", "--format", "json", cwd=project / "deep" / "down", expect=1)
    assert done.stderr.splitlines()[0] == "settings from ../../pyproject.toml"
    assert done.stderr.count("settings from") == 1
    content = json.loads(done.stdout)
    settings = content["settings"]
    assert settings["labels"] == "../../labels.txt"
    assert (settings["prediction"], settings["truth"]) == ("../../pred", "../../truth")
    assert (settings["pooling"], settings["exclude"]) == ("image", ["sky"])
    assert [gate["metric"] for gate in content["gates"]] == ["miou", "iou.road"]


def test_a_file_says_what_the_command_line_would(project: Path) -> None:
    typed = scored(project, "pred", "truth", "--labels", "labels.txt", "--pooling", "image")
    write(project, 'prediction = "pred"\ntruth = "truth"\n', "segeval.toml")
    with (project / "segeval.toml").open("a") as file:
        file.write('labels = "labels.txt"\npooling = "image"\nworkers = 1\n')
    assert scored(project) == typed


def test_the_command_line_wins(project: Path) -> None:
    write(project, FULL)
    options = ["--pooling", "class", "--fail-under", "0.2", "--exclude", "car"]
    content = scored(project, *options)
    assert content["settings"]["pooling"] == "class"
    assert content["settings"]["exclude"] == ["car"]
    assert [gate["minimum"] for gate in content["gates"]] == [0.2]
    assert scored(project, "truth")["settings"]["prediction"] == "truth"


def test_what_is_typed_puts_aside_what_contradicts_it(project: Path) -> None:
    write(project, '[tool.segeval]\nlabels = "labels.txt"\nprediction = "pred"\ntruth = "truth"\n')
    assert len(scored(project, "--classes", "5")["classes"]) == 5
    (project / "pairs.csv").write_text("prediction,truth\npred/one.png,truth/one.png\n")
    assert scored(project, "--pairs", "pairs.csv")["images"]["scored"] == 1


def test_the_table_of_a_command_beats_the_top(project: Path) -> None:
    write(
        project,
        'labels = "nosuch.txt"\npooling = "image"\n[score]\nclasses = 4\npooling = "class"\n',
        "segeval.toml",
    )
    content = scored(project, "pred", "truth")
    assert (content["settings"]["pooling"], len(content["classes"])) == ("class", 4)


def test_a_key_of_another_command_is_no_error_at_the_top(project: Path) -> None:
    write(project, "gamma = 1.5\nbeta2 = 2\nclasses = 4\n", "segeval.toml")
    assert len(scored(project, "pred", "truth")["classes"]) == 4


def test_no_config_ignores_the_file(project: Path) -> None:
    write(project, FULL)
    done = segeval("score", "--no-config", cwd=project, expect=2)
    assert "two folders are needed" in done.stderr
    assert "settings from" not in done.stderr
    write(project, "[tool.segeval]\n= broken")
    segeval("score", "--no-config", "pred", "truth", cwd=project)


def test_config_takes_another_file(project: Path) -> None:
    write(project, FULL)
    write(project / "deep", "classes = 5\n", "other.toml")
    done = segeval("score", "pred", "truth", "--config", "deep/other.toml", cwd=project)
    assert done.stderr == "settings from deep/other.toml\n"
    both = ["--config", "deep/other.toml", "--no-config"]
    assert "contradict" in segeval("score", *both, cwd=project, expect=2).stderr
    missing = segeval("score", "--config", "nosuch.toml", cwd=project, expect=2)
    assert missing.stderr.endswith("nosuch.toml: cannot be read: No such file or directory\n")
    write(project / "deep", "[project]\n")
    bare = segeval("score", "--config", "deep/pyproject.toml", cwd=project, expect=2)
    assert "holds no [tool.segeval]" in bare.stderr


def test_the_nearest_file_counts_and_its_own_before_a_shared_one(project: Path) -> None:
    write(project, "[tool.segeval]\nclasses = 5\n")
    write(project / "deep", "[tool.other]\nx = 1\n")
    folders = project / "pred", project / "truth"
    assert len(scored(project / "deep", *folders)["classes"]) == 5
    write(project, "classes = 6\n", "segeval.toml")
    assert len(scored(project / "deep", *folders)["classes"]) == 6
    write(project / "deep", "[tool.segeval]\nclasses = 7\n")
    assert len(scored(project / "deep", *folders)["classes"]) == 7


def test_nothing_is_said_where_nothing_is_used(project: Path) -> None:
    write(project, FULL)
    assert not segeval("labels", cwd=project).stderr
    assert not segeval("score", "-q", cwd=project, expect=1).stderr.count("settings")
    write(project, "classes = 4\nquiet = true\n", "segeval.toml")
    assert not segeval("score", "pred", "truth", cwd=project).stderr


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("fail_undr = 1", ["segeval.toml:1:", "'fail_undr'; did you mean 'fail_under'?"]),
        ("fail-undr = 1", ["did you mean 'fail-under'?"]),
        ("\npolling = 'image'", ["segeval.toml:2:", "'polling'; did you mean 'pooling'?"]),
        ("qqqq = 1", ["'qqqq'; there are absent,"]),
        ("[scroe]\nclasses = 4", ["'scroe'; did you mean 'score'?"]),
        ("score = 4", ["'score' is a command: its options stand in a table"]),
        ("[score]\nbeta2 = 4", [":2: [score] segeval score has no option 'beta2'"]),
        ("[sweep]\npoling = 4", [":2: [sweep] segeval sweep has no option 'poling'"]),
        ("[tool.segeval]\nclasses = 4", ["without [tool.segeval]"]),
        ("classes = '4'", [':1: classes = "4"; expected a whole number']),
        ("classes = 4.0", ["classes = 4.0; expected a whole number"]),
        ("classes = true", ["classes = true; expected a whole number"]),
        ("classes = 2026-01-01", ['classes = "2026-01-01"; expected a whole number']),
        ("percent = 'yes'", ['percent = "yes"; expected true or false']),
        ("csv = 3", ["csv = 3; expected a string, the path"]),
        ("csv = ['a']", ['csv = ["a"]; expected a string, the path']),
        ("ignore = [0, [1]]", ["ignore = [0, [1]]; expected a string or a number, or a list"]),
        ("ignore = []", ["ignore = []; expected a string or a number, or a list"]),
        ("[fail-under]\nmiou = 1", ['fail-under = {"miou": 1}; expected a string or a number']),
        (
            "pooling = 'imag'",
            [
                "pooling = \"imag\": 'imag' is not one of 'dataset', 'image', 'class'",
                "did you mean 'image'?",
            ],
        ),
        ("workers = 0", ["segeval.toml:1: workers = 0: '0' is not a whole number, 1 or more\n"]),
        ("fail-under = 1\nfail_under = 1", [":2: 'fail_under' stands there twice"]),
        ("classes = ", ["segeval.toml: not valid TOML", "--no-config ignores it"]),
        ("no_config = true", ["'no_config'"]),
    ],
)
def test_what_is_wrong_is_named(project: Path, text: str, messages: list[str]) -> None:
    complaint = refused(project, text)
    for message in messages:
        assert message in complaint


def test_a_value_for_another_command_belongs_in_its_table(project: Path) -> None:
    complaint = refused(project, "format = 'markdown'", "sweep", "pred", "truth")
    assert "'markdown' is not one of 'table', 'csv', 'json';" in complaint
    assert "stands in the table of that command" in complaint
    for text in ("format = 'markdwn'", "workers = 0", "[sweep]\nformat = 'markdown'"):
        assert "table of that command" not in refused(project, text, "sweep", "pred", "truth")


def test_a_value_of_another_command_is_looked_at_by_config_only(project: Path) -> None:
    assert 'gamma = "x"; expected a number' in refused(project, "gamma = 'x'", "config")
    segeval("score", "pred", "truth", cwd=project)


def test_a_value_that_is_typed_over_is_not_looked_at(project: Path) -> None:
    write(project, "pooling = 'imag'\nmissing = 'sikp'", "segeval.toml")
    options = ["--pooling", "class", "--missing", "skip"]
    assert scored(project, "pred", "truth", *options)["settings"]["pooling"] == "class"


def test_a_table_of_a_command_is_not_advised_to_name_commands(project: Path) -> None:
    complaint = refused(project, "[labels]\nscroe = 1")
    assert complaint.endswith(":2: [labels] segeval labels has no option 'scroe'\n")
    assert "did you mean 'sweep'?" in refused(project, "sweeep = 1")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nan", "is no finite number"),
        ("-inf", "is no finite number"),
        ("1e400", "is no finite number"),
        ("0x" + "f" * 5000, "is a whole number of more than 64 bits"),
        ("9" * 5000, "not valid TOML: "),
        ('"a\\u0000b"', "holds NUL"),
        ("[" * 40 + "]" * 40, "lies deeper than 32"),
        ("[" * 4000, "not valid TOML: its lists lie too deep"),
        (".".join("a" * 3000) + " = 1\nb = 2", "not valid TOML"),
    ],
)
def test_values_that_no_option_has_are_refused_by_line(
    project: Path, value: str, reason: str
) -> None:
    complaint = refused(project, f"\ngamma = {value}")
    assert complaint.startswith("segeval: segeval.toml: ")
    assert reason in complaint
    assert len(complaint) < 300
    if "not valid" not in reason:
        assert "line 2: 'gamma' " in complaint
    refused(project, f"gamma = {value}", "config")


def test_files_that_cannot_be_read_are_named(project: Path) -> None:
    (project / "segeval.toml").write_bytes(b"labels = '\xff'")
    done = segeval("score", "pred", "truth", cwd=project, expect=2)
    assert "segeval.toml: cannot be read: it is not UTF-8 text" in done.stderr
    (project / "segeval.toml").unlink()
    write(project, "[tool]\nsegeval = 3\n")
    done = segeval("score", "pred", "truth", cwd=project, expect=2)
    assert "[tool.segeval] is not a table" in done.stderr


def test_a_built_in_label_map_is_not_taken_for_a_file(project: Path) -> None:
    write(project, 'labels = "voc"\n', "segeval.toml")
    (project / "voc").write_text("a file of that name\n")
    assert scored(project / "deep", "../pred", "../truth")["settings"]["labels"] == "voc"
    (project / "names").write_text("a\nb\nc\nd\n")
    write(project, 'labels = "names"\n', "segeval.toml")
    content = scored(project / "deep", "../pred", "../truth")
    assert [row["name"] for row in content["classes"]] == ["a", "b", "c", "d"]


def test_a_run_in_the_place_of_folders_needs_none_of_the_file(project: Path) -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    folders = data_set(project / "grey", {"a": ((grey >= 100) * 255, grey)})
    run = project / "run.segeval"
    segeval("score", *folders, "-o", run, "--threshold", "100")
    write(project, 'truth = "nowhere"\npred-suffix = "_x"\nworkers = 1\n', "segeval.toml")
    assert "mean" in segeval("sweep", run, cwd=project).stdout


def test_arguments_of_other_commands_may_stand_there(project: Path) -> None:
    segeval("score", "pred", "truth", "-o", "run.segeval", cwd=project)
    write(project, '[report]\nrun = "../run.segeval"\n', "deep/segeval.toml")
    done = segeval("report", "--format", "total", cwd=project / "deep" / "down")
    assert done.stderr == "settings from ../segeval.toml\n"


def test_config_shows_where_values_come_from(project: Path) -> None:
    write(project, FULL)
    lines = segeval("config", cwd=project / "deep").stdout.splitlines()
    score = lines[lines.index("score") : lines.index("report")]
    rows = {words[0]: words[1:] for words in map(str.split, score) if words}
    assert rows["labels"] == ["../labels.txt", "../pyproject.toml:5", "[tool.segeval]"]
    assert rows["exclude"] == ["sky", "../pyproject.toml:12", "[tool.segeval.score]"]
    assert rows["absent"] == ["skip", "default"]
    assert "csv" not in rows
    only = segeval("config", "score", cwd=project / "deep").stdout
    assert only == "\n".join([lines[0], "", *score[:-1], ""])


def test_config_as_json(project: Path) -> None:
    write(project, FULL)
    content = json.loads(segeval("config", "--format", "json", cwd=project).stdout)
    assert (content["schema"], content["file"]) == ("segeval.config/1", "pyproject.toml")
    assert content["commands"]["score"]["fail-under"] == {
        "value": ["0.1", "iou.road=0.99"],
        "source": "file",
        "table": "tool.segeval",
        "line": 6,
    }
    assert content["commands"]["sweep"]["labels"]["source"] == "file"
    assert content["commands"]["losses"]["gamma"] == {"value": 2.0, "source": "default"}
    ignored = json.loads(segeval("config", "--format", "json", "--no-config", cwd=project).stdout)
    assert ignored["file"] is None
    assert "labels" not in ignored["commands"]["score"]


def in_force(folder: Path, command: str) -> dict[str, Any]:
    done = segeval("config", command, "--format", "json", cwd=folder)
    options = json.loads(done.stdout)["commands"][command]
    return {name: option["value"] for name, option in options.items()}


def test_config_does_not_show_what_a_preset_decides(project: Path) -> None:
    write(project, 'like = "nnunet"\n', "segeval.toml")
    assert not in_force(project, "report").keys() & {"pooling", "absent", "worst"}
    write(project, 'like = "nnunet"\n[report]\npooling = "image"', "segeval.toml")
    assert in_force(project, "report").items() >= {"pooling": "image", "absent": "skip"}.items()
    assert "like" not in in_force(project, "report")


def test_config_shows_the_resamples_that_are_in_force(project: Path) -> None:
    usual = {"ci": Resampling().rounds, "seed": Resampling().seed}
    assert in_force(project, "compare").items() >= usual.items()
    assert "ci" not in in_force(project, "score")
    assert in_force(project, "score")["seed"] == usual["seed"]
    help_text = segeval("compare", "--help-all", COLUMNS="200").stdout
    assert f"[default: {usual['ci']}]" in help_text
    assert f"[default: {usual['seed']}]" in help_text


def test_config_complains_as_the_commands_do(project: Path) -> None:
    assert "did you mean 'labels'?" in refused(project, "labls = 'x'", "config")
    assert "'frist' is not one of 'first', 'last'" in refused(
        project, "channels = 'frist'", "config"
    )
    done = segeval("config", "scroe", "--no-config", cwd=project, expect=2)
    assert "no command is called 'scroe'" in done.stderr


def test_an_option_of_two_values_is_a_list(project: Path) -> None:
    write(project, '[explain]\nbetween = ["mmseg", "sklearn"]\n', "segeval.toml")
    assert json.loads(
        segeval("explain", "pred", "truth", "--format", "json", cwd=project).stdout
    ) == json.loads(
        segeval(
            *("explain", "pred", "truth", "--format", "json", "--no-config"),
            *("--between", "mmseg", "sklearn"),
            cwd=project,
        ).stdout
    )
    message = "expected a list of 2 values"
    for value in ('"mmseg"', '["mmseg"]', '["a", "b", "c"]'):
        assert message in refused(project, f"[explain]\nbetween = {value}", "explain", "x")


def test_a_typed_convention_puts_aside_a_preset(project: Path) -> None:
    write(project, 'like = "sklearn"\n', "segeval.toml")
    assert scored(project, "pred", "truth")["settings"]["like"]
    assert not scored(project, "pred", "truth", "--pooling", "image")["settings"].get("like")


def test_a_command_without_settings_says_so(project: Path) -> None:
    assert segeval("config", "merge", cwd=project).stdout.endswith("merge\n  nothing is set\n")
    assert "the table tool.segeval of" in segeval("config", "--help").stdout


def test_a_working_folder_that_is_gone_holds_no_file(project: Path) -> None:
    script = f'rmdir "$PWD"; exec "{sys.executable}" -m segeval score a b'
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=project / "deep" / "down",
    )
    assert done.returncode == 3, done.stderr
    assert "such folder" in done.stderr


def test_dotted_and_quoted_keys_are_found(project: Path) -> None:
    write(project, '"classes" = 5\nscore.pooling = "image"\n', "segeval.toml")
    content = json.loads(segeval("config", "score", "--format", "json", cwd=project).stdout)
    assert content["commands"]["score"]["classes"]["line"] == 1
    assert content["commands"]["score"]["pooling"]["table"] == "score"
    assert content["commands"]["score"]["pooling"]["line"] == 2


def test_help_does_not_read_the_file(project: Path) -> None:
    write(project, "[tool.segeval]\n= broken")
    for arguments in (["--help"], ["score", "--help-all"], ["--version"], ["score", "-h"]):
        assert not segeval(*arguments, cwd=project).stderr
