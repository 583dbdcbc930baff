"""Run files: views of a run, resuming and merging."""

from __future__ import annotations

import json
import os
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.runs import BLOCKS, NAMES, make_folders, score
from made.sets import data_set, frozen, made_run, save, segeval
from runs.torture import make_set, torture

from segeval.counting import runrows
from segeval.counting.merge import merge_runs
from segeval.counting.run import CountedRun, ImageCounts, Provenance
from segeval.counting.runfile import RunFile, read_run, write_run
from segeval.errors import Problem, RunError
from segeval.inputs import fingerprints
from segeval.inputs.masks import read_mask
from segeval.inputs.pairing import Pair


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return make_folders(tmp_path)


VIEWS = [
    [],
    ["--classes", "5", "--pooling", "image", "--absent", "one"],
    ["--ignore", "0", "--exclude", "1", "--unknown", "wrong"],
    ["--group-by", "^([a-z]+)", "--fail-under", "miou@worst=0.1"],
]


@pytest.mark.parametrize("options", VIEWS, ids=lambda view: " ".join(view)[:40])
def test_a_report_equals_the_score_with_the_same_options(
    folders: tuple[Path, Path], tmp_path: Path, options: list[str]
) -> None:
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "-o", run)
    printed = segeval("report", run, "--format", "json", *options).stdout
    assert printed == score(folders, *options)


def test_only_one_file_remains(folders: tuple[Path, Path], tmp_path: Path) -> None:
    segeval("score", *folders, "-o", tmp_path / "run.segeval", "--workers", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pred", "run.segeval", "truth"]


def test_storage_forms_sizes_and_groups_are_kept(tmp_path: Path) -> None:
    run = made_run((BLOCKS, BLOCKS[::-1]), (BLOCKS[:5], BLOCKS[:5]))
    write_run(run, tmp_path / "run.segeval")
    again = read_run(tmp_path / "run.segeval")
    assert again.images == run.images
    assert [image.table for image in again] == [image.table for image in run]
    assert len(again) == 2


@pytest.mark.parametrize("shards", [2, 4])
def test_shards_merged_equal_one_pass(
    folders: tuple[Path, Path], tmp_path: Path, shards: int
) -> None:
    parts = [tmp_path / f"{number}.segeval" for number in range(1, shards + 1)]
    for number, part in enumerate(parts, 1):
        printed = score(folders, "-o", part, "--shard", f"{number}/{shards}")
        assert f"shard:{number}/{shards}" in json.loads(printed)["signature"]
    merged = tmp_path / "merged.segeval"
    segeval("merge", *reversed(parts), "-o", merged)
    assert segeval("report", merged, "--format", "json").stdout == score(folders)
    first = segeval("merge", *parts[:1], "-o", tmp_path / "first.segeval").stderr
    assert "1 run, " in first
    report = segeval("report", tmp_path / "first.segeval").stdout
    assert f"shard:1/{shards}" in report
    marks = [mark for part in map(read_run, parts) for mark in part.images.column("fingerprints")]
    assert sorted(read_run(merged).images.column("fingerprints")) == sorted(marks)
    for_scores = read_run(merged, fingerprints=False)
    assert set(for_scores.images.column("fingerprints")) == {""}
    assert for_scores.images == read_run(merged).images
    segeval("merge", merged, *parts, "-o", merged, "--overwrite")
    assert sorted(read_run(merged).images.names) == NAMES


def test_merging_refuses_what_does_not_add(tmp_path: Path) -> None:
    a, b = tmp_path / "a.segeval", tmp_path / "b.segeval"
    write_run(made_run((BLOCKS, BLOCKS)), a)
    write_run(made_run((BLOCKS, BLOCKS[::-1])), b)
    said = segeval("merge", a, b, "-o", tmp_path / "c.segeval", expect=3).stderr
    assert "image image_0 is in two runs with different counts" in said
    said = segeval("merge", a, a, "-o", tmp_path / "twice.segeval", expect=3).stderr
    assert "image image_0 is in two runs, and nothing shows that they were counted from" in said
    folders = data_set(tmp_path, {"other": (BLOCKS, BLOCKS)})
    segeval("score", *folders, "--missing", "skip", "-o", tmp_path / "skip.segeval")
    said = segeval("merge", a, tmp_path / "skip.segeval", "-o", b, "--overwrite", expect=3).stderr
    assert "different reading settings do not add: none, missing:skip" in said
    (tmp_path / "text").write_text("no run")
    for place in ("text", "pred"):
        segeval("merge", a, "-o", tmp_path / place, "--overwrite", expect=3)
    (tmp_path / "half.segeval").write_bytes(a.read_bytes()[:-4096])
    said = segeval("merge", a, tmp_path / "half.segeval", "-o", b, "--overwrite", expect=3).stderr
    assert f"{tmp_path / 'half.segeval'}: " in said
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.segeval", "b.segeval", "half.segeval", "pred", "skip.segeval", "text", "truth"
    }  # fmt: skip


def test_an_existing_run_is_never_overwritten_unasked(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    before = run.read_bytes()
    assert "type --resume" in segeval("score", *folders, "-o", run, expect=3).stderr
    assert run.read_bytes() == before
    save(folders[0] / f"{NAMES[0]}.png", BLOCKS)
    assert score(folders, "-o", run, "--overwrite") == score(folders)


def test_resuming_counts_only_what_is_new_or_changed(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segeval.counting import dataset as evaluation
    from segeval.settings import Source

    read: list[str] = []

    def watched(pair: Pair, **settings: Any) -> ImageCounts | Problem:
        read.append(pair.name)
        return count_pair(pair, **settings)

    count_pair = evaluation.count_pair
    monkeypatch.setattr(evaluation, "count_pair", watched)
    source = Source(prediction=folders[0], truth=folders[1])

    def count() -> CountedRun:
        read.clear()
        file = RunFile.create(tmp_path / "run.segeval", resume=True, overwrite=False)
        try:
            return evaluation.count_dataset(source, workers=1, file=file)
        finally:
            file.close()

    count()
    assert sorted(set(read)) == NAMES
    count()
    assert read == []
    os.utime(folders[0] / "bonn_1.png")
    count()
    assert read == []
    save(folders[0] / "bonn_2.png", BLOCKS)
    (folders[1] / "bonn_3.png").unlink()
    save(folders[0] / "new.png", BLOCKS)
    save(folders[1] / "new.png", BLOCKS)
    again = count()
    assert sorted(set(read)) == ["bonn_2", "new"]
    assert "bonn_3" not in {image.name for image in again.images}
    fresh = evaluation.count_dataset(source)
    assert again.images == fresh.images
    for name in ("image", "truth", "prediction", "pixels"):
        np.testing.assert_array_equal(getattr(again.counts, name), getattr(fresh.counts, name))


def test_a_change_within_one_time_stamp_is_seen_by_content(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", BLOCKS)
    mark = read_mask(path, fingerprints=True).fingerprint
    changed = int(mark.split()[1])
    assert fingerprints.still(path, mark)
    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(changed, changed))
    assert fingerprints.still(path, mark) is None
    path.unlink()
    assert fingerprints.still(path, mark) is None


def test_resuming_under_other_settings_is_refused(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    done = segeval("score", *folders, "-o", run, "--resume", "--missing", "skip", expect=3)
    assert "was read under other settings (none) than these (missing:skip)" in done.stderr
    segeval("report", run)
    done = segeval("score", *folders, "-o", run, "--resume", "--shard", "1/2", expect=3)
    assert "under other settings (none) than these (1/2)" in done.stderr
    segeval("report", run)


def test_resuming_from_a_wrong_folder_leaves_the_run_alone(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = tmp_path / "run.segeval"
    printed = score(folders, "-o", run)
    for wrong in (tmp_path / "nowhere", tmp_path):
        segeval("score", wrong, folders[1], "-o", run, "--resume", expect=3)
        assert segeval("report", run, "--format", "json").stdout == printed


def test_two_programs_do_not_write_one_run(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    score(folders, "-o", run)
    writer = RunFile.create(run, resume=True, overwrite=False)
    try:
        writer.pending([], read_run_facts(writer))
        done = segeval("score", *folders, "-o", run, "--resume", expect=3)
        assert "another program is writing this run" in done.stderr
    finally:
        writer.close()
    assert score(folders, "-o", run, "--resume") == score(folders)


def read_run_facts(file: RunFile) -> Provenance:
    return file._provenance()


def test_problems_are_kept_and_mended_by_resuming(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run, broken = tmp_path / "run.segeval", folders[0] / f"{NAMES[3]}.png"
    broken.write_bytes(b"")
    said = segeval("score", *folders, "-o", run, expect=3).stderr
    assert "0 bytes" in said
    assert segeval("report", run, expect=3).stderr == said
    save(broken, BLOCKS)
    assert score(folders, "-o", run, "--resume") == score(folders)


@pytest.mark.slow
def test_killed_programs_resume_to_the_same_bits(tmp_path: Path) -> None:
    make_set(tmp_path / "set", 60)
    struck, differed = torture(tmp_path / "set", 5)
    assert struck > 0
    assert differed == 0


def test_pairs_of_the_current_folder_are_known_again(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folders[0])
    run, there = tmp_path / "run.segeval", (Path(), folders[1])
    segeval("score", *there, "-o", run)
    counted: list[Pair] = []
    monkeypatch.setattr(
        "segeval.counting.dataset.count_pair", lambda pair, **_: counted.append(pair)
    )
    monkeypatch.setattr("segeval.counting.dataset.is_native", lambda *_: False)
    segeval("score", *there, "-o", run, "--resume", "--workers", "1", expect=None)
    assert counted == []


def test_an_empty_file_is_a_new_run(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run = tmp_path / "run.segeval"
    run.touch()
    assert score(folders, "-o", run, "--resume") == score(folders)


def test_runs_add_and_iterate() -> None:
    a = made_run((BLOCKS, BLOCKS), (BLOCKS, BLOCKS[::-1]))
    first, second = a.select([0]), a.select([1])
    total = second + first
    assert [image.info.name for image in total] == ["image_0", "image_1"]
    assert [image.table for image in total] == [image.table for image in a]
    assert len(a + total) == 2
    empty = frozen(np.empty((0, 4)))
    assert len(made_run((empty, empty))) == 1
    with pytest.raises(RunError, match="image image_0 is in two runs with different counts"):
        first + made_run((BLOCKS[::-1], BLOCKS))


def test_copies_of_a_run_are_runs(folders: tuple[Path, Path], tmp_path: Path) -> None:
    score(folders, "-o", tmp_path / "run.segeval")
    shutil.copy(tmp_path / "run.segeval", tmp_path / "copy with spaces %20?#.segeval")
    segeval("report", tmp_path / "copy with spaces %20?#.segeval")


def test_merging_takes_no_more_memory_for_more_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No image becomes an object, and no column is held as a whole."""
    for name in ("MANY", "BLOCK"):
        monkeypatch.setattr(runrows, name, 64)
    table, info = made_run((BLOCKS, BLOCKS)).image(0).table, made_run((BLOCKS, BLOCKS)).images[0]
    peaks = []
    for size in (300, 1500):
        many = (ImageCounts(info=replace(info, name=f"{n:0200}"), table=table) for n in range(size))
        write_run(CountedRun.of(many), tmp_path / f"{size}.segeval")
        tracemalloc.start()
        merge_runs([tmp_path / f"{size}.segeval"], tmp_path / "sum.segeval", overwrite=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 200_000  # an image has a name of 200 letters
