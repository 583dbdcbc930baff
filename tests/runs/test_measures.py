"""What is measured in the pixels: kept in runs, resumed, added, and read without any mask."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from made.sets import data_set, segeval

from segeval.boundaries.scores import BoundaryRules
from segeval.counting.measures import Layer, Measure
from segeval.counting.run import CountedRun
from segeval.counting.runfile import read_run

OTHER = "measured for other classes (0, 1, 2)"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    made = np.random.default_rng(4)
    pairs = {}
    for number in range(6):
        truth = np.kron(made.integers(0, 4, (4, 5)), np.ones((6, 6), int))
        pairs[f"m{number}"] = np.where(truth == 3, 255, truth), np.roll(truth % 3, 1, axis=1)
    return data_set(tmp_path, pairs)


def scored(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(segeval(*arguments, "-q", "--format", "json").stdout)
    return found


def measured(path: Path) -> list[bytes | None]:
    return [*read_run(path).measured["boundary"].data]


def test_a_run_holds_bands_and_reports_need_no_mask(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run, labels = tmp_path / "run.segeval", tmp_path / "labels.toml"
    first = scored("score", *folders, "--boundary", "2%,5px", "-o", run)
    for folder in folders:
        shutil.rmtree(folder)
    again = scored("report", run, "--boundary", "2%,5px")
    assert again == first
    assert [part["width"] for part in again["boundary"]] == ["2%", "5px"]
    only = scored("report", run, "--boundary", "5px")
    assert only["summary"]["mboundary_iou"] == first["boundary"][1]["mboundary_iou"]
    assert "boundary:5px" in only["signature"].split("|")
    table = [("b", 1), ("a", 0), ("none", 9), ("c", 2)]
    classes = (f'[[labels]]\nname = "{name}"\nvalues = [{value}]\n' for name, value in table)
    labels.write_text("void = [255]\n" + "".join(classes))
    named = {
        r["name"]: r for r in scored("report", run, "--boundary", "--labels", labels)["classes"]
    }
    for name, row in zip("abc", first["classes"], strict=True):
        assert named[name]["boundary_iou"] == row["boundary_iou"]
    assert named["none"]["boundary_iou"] is None
    assert "boundary" not in scored("report", run)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--boundary", "1px"), "the run holds those of 2% alone; type the same score command"),
        (("--boundary", "--classes", "4", "--ignore", "255"), None),
        (("--boundary", "--threshold", "1", "--truth-threshold", "1", "--ignore", "255"), OTHER),
        (("--boundary", "2"), "'2' is no width: type 2px for pixels, or 2% of the diagonal"),
    ],
)
def test_what_a_run_lacks_is_told_with_what_to_type(
    folders: tuple[Path, Path], tmp_path: Path, options: Sequence[str], words: str | None
) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "--boundary", "-o", run)
    said = segeval("report", run, *options, expect=None)
    assert (said.returncode == 0) == (words is None)
    if words is not None:
        assert words in said.stderr
    plain = tmp_path / "plain.segeval"
    segeval("score", *folders, "-o", plain)
    lacking = segeval("report", plain, "--boundary", expect=2).stderr
    assert "--boundary 2%: the run holds nothing of the kind" in lacking
    assert "--resume" in lacking


def test_all_that_a_run_lacks_is_told_with_one_command(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run, asked = tmp_path / "run.segeval", ("--boundary", "2%,1px", "--trimap", "2px")
    segeval("score", *folders, "--boundary", "-o", run)
    for command in (("report", run), ("compare", run, run)):
        said = segeval(*command, *asked, "--distances", expect=2).stderr
        name = "the run" if len(command) == 2 else str(run)
        assert f"{name} holds those of 2% alone; --trimap 2px, --distances: {name} holds no" in said
        assert "command with --boundary 2%,1px --trimap 2px --distances, -o RUN" in said


def test_runs_of_other_spacing_do_not_add(folders: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    runs = [tmp_path / f"{number}.segeval" for number in (1, 2)]
    for number, run in enumerate(runs, 1):
        words = ("--classes", "3", "--ignore", "255", "--shard", f"{number}/2", "-o", run)
        segeval("score", *folders, "--distances", "--spacing", f"{number},1", *words)
    said = segeval("merge", *runs, "-o", tmp_path / "sum.segeval", expect=None).stderr
    assert "they measured distances under other settings (spacing); score all of them with" in said


def test_resuming_measures_what_is_not_measured_yet(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run, whole = tmp_path / "run.segeval", tmp_path / "whole.segeval"
    segeval("score", *folders, "-o", run)
    segeval("score", *folders, "--boundary", "-o", run, "--resume")
    segeval("score", *folders, "--boundary", "-o", whole)
    assert measured(run) == measured(whole)
    with closing(sqlite3.connect(run)) as connection:
        connection.execute("DELETE FROM measures WHERE image = 2")
        connection.execute("UPDATE measures SET data = zeroblob(40) WHERE image = 3")
        connection.commit()
    assert measured(run).count(None) == 2
    refused = segeval("report", run, "--boundary", expect=2).stderr
    assert "2 images of the run are not measured yet" in refused
    segeval("score", *folders, "--boundary", "-o", run, "--resume")
    assert measured(run) == measured(whole)
    segeval("score", *folders, "--boundary", "3px", "-o", run, "--resume")
    assert measured(run) != measured(whole)
    assert None not in measured(run)


def test_runs_add_with_what_is_measured(folders: tuple[Path, Path], tmp_path: Path) -> None:
    how = ("--classes", "3", "--ignore", "255", "--boundary")
    parts = [tmp_path / f"{number}.segeval" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        segeval("score", *folders, *how, "--shard", f"{number}/2", "-o", part)
    total = tmp_path / "total.segeval"
    segeval("merge", *parts, "-o", total)
    whole = scored("score", *folders, *how)
    added = scored("report", total, *how)
    assert added["boundary"] == whole["boundary"]
    one, two = map(read_run, parts)
    assert (one + two).measured["boundary"].data == read_run(total).measured["boundary"].data
    other = tmp_path / "other.segeval"
    segeval(
        "score",
        *folders,
        "--classes",
        "3",
        "--ignore",
        "255",
        "--boundary",
        "1px",
        "--shard",
        "2/2",
        "-o",
        other,
    )
    refused = segeval("merge", parts[0], other, "-o", tmp_path / "no.segeval", expect=3).stderr
    assert "they measured boundary under other settings (widths)" in refused


def test_masks_that_changed_meanwhile_are_all_told(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segeval.labels import measuring

    prediction, truth = folders
    before: Any = vars(measuring)["map_pairs"]

    def change(*arguments: Any, **how: Any) -> Any:
        shutil.copy(truth / "m1.png", truth / "m0.png")
        (prediction / "m2.png").unlink()
        (prediction / "m3.png").write_bytes(b"no image")
        return before(*arguments, **how)

    monkeypatch.setattr(measuring, "map_pairs", change)
    said = segeval("score", *folders, "--boundary", "-o", tmp_path / "run.segeval", expect=3).stderr
    assert "3 problems" in said
    assert "m0.png holds other pixels" in said or "m0.png or" in said
    assert "m2.png" in said
    assert "m3.png" in said


class Spacings:
    """A measure of what the core hands on."""

    kind = "spacings"
    definition: ClassVar[dict[str, Any]] = {}

    def __call__(self, layers: Sequence[Layer], spacing: tuple[float, ...] | None) -> bytes:
        return json.dumps([spacing, [[*t.shape, k] for t, _, k in layers]]).encode()


def test_workers_and_threads_measure_the_same(folders: tuple[Path, Path]) -> None:
    from segeval.counting.dataset import count_dataset
    from segeval.labels.choose import choose_labels
    from segeval.labels.measuring import measure_run
    from segeval.settings import LabelChoice, Source

    run = count_dataset(Source(prediction=folders[0], truth=folders[1]))
    labels = choose_labels(run, LabelChoice())
    measures: list[Measure] = [BoundaryRules.parse("1px").measure, Spacings()]

    def data(run: CountedRun) -> list[Any]:
        return [each.data for each in run.measured.values()]

    alone = measure_run(run, labels, measures, workers=1)
    assert data(measure_run(run, labels, measures, workers=2)) == data(alone)
    assert alone.measured["spacings"].data[0] == b"[null, [[24, 30, 3]]]"
    part = alone.select([1, 4])
    assert part.measured["boundary"].data == tuple(
        alone.measured["boundary"].data[n] for n in (1, 4)
    )
