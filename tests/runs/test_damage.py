"""Run files that were damaged or made on purpose: refused by name, and never another number."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from made.runs import BLOCKS, make_folders, score
from made.sets import data_set, made_run, save, segeval

from segeval import count, count_arrays
from segeval.counting.counts import Counts
from segeval.counting.run import CountedRun
from segeval.counting.runfile import RunFile, read_run, write_run
from segeval.counting.runrows import _are_wrong
from segeval.errors import RunError
from segeval.inputs.fingerprints import GRAIN

DIGITS = "9" * 5000
DAMAGES = {
    "an image that is not there": "UPDATE counts SET image = 77 WHERE image = 1",
    "an image far away": f"UPDATE counts SET image = {2**62} WHERE image = 2",
    "a schema of many digits": f"UPDATE meta SET value = '{DIGITS}' WHERE key = 'schema'",
    "an older schema": "UPDATE meta SET value = '1' WHERE key = 'schema'",
    "facts of many digits": f"UPDATE meta SET value = '{{\"x\": {DIGITS}}}' WHERE key = 'facts'",
    "deep facts": f"UPDATE meta SET value = '{'[' * 9000}' WHERE key = 'facts'",
    "facts that are a list": "UPDATE meta SET value = '[1]' WHERE key = 'facts'",
    "a waiver that is 1": "UPDATE meta SET value = '{\"waivers\": [1]}' WHERE key = 'facts'",
    "shards that are a number": "UPDATE meta SET value = '{\"shards\": 2}' WHERE key = 'facts'",
    "a source that is a list": "UPDATE meta SET value = '{\"source\": []}' WHERE key = 'facts'",
    "facts in bytes": "UPDATE meta SET value = x'00ff' WHERE key = 'facts'",
    "a waiver": 'UPDATE meta SET value = \'{"waivers": ["missing:skip"]}\' WHERE key = \'facts\'',
    "groups in bytes": "UPDATE images SET group_name = x'00ff'",
    "a name in bytes": "UPDATE images SET name = x'ff' WHERE id = 1",
    "a path with NUL": "UPDATE images SET truth_path = 'a' || char(0) || 'b'",
    "another name": "UPDATE images SET name = 'zz' WHERE id = 1",
    "text for a number": "UPDATE counts SET pixels = 'many' WHERE image = 1",
    "digits in bytes": "UPDATE counts SET pixels = cast(pixels AS BLOB) WHERE image = 1",
    "counts without an image": "DELETE FROM images WHERE id = 4",
    "half a pixel": "UPDATE counts SET pixels = 2.5 WHERE image = 1",
    "text for a height": "UPDATE images SET height = 'tall'",
    "a negative size": "UPDATE images SET height = -height, width = -width",
    "a huge size": f"UPDATE images SET height = {2**40}, width = {2**40}",
    "negative counts": "UPDATE counts SET pixels = -pixels",
    "negative counts that add up": "UPDATE counts SET pixels = pixels + CASE WHEN truth = 0 AND "
    "prediction = 0 THEN -900 WHEN truth = 1 AND prediction = 1 THEN 900 ELSE 0 END",
    "counts that overflow": f"UPDATE counts SET pixels = {2**62}",
    "a value of no mask": f"UPDATE counts SET truth = {2**62 - 1} WHERE truth = 3",
    "another value": "UPDATE counts SET prediction = 9 WHERE prediction = 3",
    "an image lost": "DELETE FROM images WHERE id = 1; DELETE FROM counts WHERE image = 1",
    "an image twice": "CREATE TABLE other AS SELECT * FROM images; DROP TABLE images; ALTER TABLE "
    "other RENAME TO images; INSERT INTO images SELECT * FROM images",
    "a pair twice": "CREATE TABLE other AS SELECT * FROM counts; DROP TABLE counts; ALTER TABLE "
    "other RENAME TO counts; INSERT INTO counts SELECT * FROM counts WHERE image = 1",
    "an endless view": "DROP TABLE counts; CREATE VIEW counts (image, truth, prediction, pixels) "
    "AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1, 1, i, 1 FROM n",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON images BEGIN DELETE FROM counts; END",
    "a check": "DROP TABLE problems; CREATE TABLE problems (name TEXT CHECK (length(name) > 0), "
    "kind TEXT, detail TEXT)",
    "a computed column": "DROP TABLE problems; CREATE TABLE problems (name TEXT, kind TEXT, "
    "detail TEXT AS (hex(zeroblob(1000000))))",
    "a table too few": "DROP TABLE problems",
    "a column too few": "ALTER TABLE images DROP COLUMN truth_form",
    "a problem in bytes": "INSERT INTO problems VALUES (x'00', 'kind', 'detail')",
    "a problem more": "INSERT INTO problems VALUES ('a', 'missing', 'it is not there')",
    "no checksum of the run": "DELETE FROM meta WHERE key = 'checksum'",
}  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run file of ten images; tests work on copies."""
    folder = tmp_path_factory.mktemp("run")
    folders = make_folders(folder)
    time.sleep(2e-9 * GRAIN)  # so that unchanged files are seen to be so, by their times
    score(folders, "-o", folder / "run.segeval")
    return folder / "run.segeval"


def changed(written: Path, path: Path, *statements: str) -> Path:
    """Copy a run file, and change it as SQL says."""
    path.write_bytes(written.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.executescript(statement)
    return path


@pytest.mark.parametrize("how", DAMAGES)
def test_damage_is_refused_by_name(written: Path, tmp_path: Path, how: str) -> None:
    run = changed(written, tmp_path / "run.segeval", DAMAGES[how])
    with pytest.raises(RunError, match=r"run\.segeval") as refused:
        read_run(run)
    assert len(str(refused.value)) < 400
    assert any(advice in str(refused.value) for advice in ("again", "remove", "is not a segeval"))


def test_rows_that_cannot_be_counts_are_told_one_by_one() -> None:
    columns = {"image": [0, 0, 0, 0, 1], "truth": [1, 2, 2, 3, 3], "prediction": [1, 2, 2, 2, 2]}
    counts = Counts(**columns, pixels=[9, 1, 1, 10, 0])
    wrong = _are_wrong(counts, np.full(5, 9)).tolist()
    assert wrong == [False, False, True, True, True]


def test_a_damaged_run_is_one_line_and_resumed(written: Path, tmp_path: Path) -> None:
    run = changed(written, tmp_path / "run.segeval", DAMAGES["negative counts that add up"])
    said = segeval("report", run, expect=3).stderr
    assert said.count("\n") == 1
    assert "the counts of aachen_0 are not complete); type the same score command" in said
    folders = (written.parent / "pred", written.parent / "truth")
    assert score(folders, "-o", run, "--resume") == score(folders)
    run = changed(written, tmp_path / "run.segeval", DAMAGES["another value"])
    assert "aachen_0 is not as it was written" in segeval("report", run, expect=3).stderr
    assert score(folders, "-o", run, "--resume") == score(folders)


def forged(path: Path) -> Path:
    """Give a run the checksums of what is there, as one who knows how may do."""
    with closing(RunFile.open(path)) as file:
        stored, _ = file._rows()
        marks = [*zip(stored.checksums.tolist(), stored.numbers.tolist(), strict=True)]
        file._connection.executemany("UPDATE images SET checksum = ? WHERE id = ?", marks)
        file._set("checksum", file._checksum(()))
    return path


def test_negative_counts_are_refused_whatever_their_checksum(written: Path, tmp_path: Path) -> None:
    how = DAMAGES["negative counts that add up"]
    run = forged(changed(written, tmp_path / "run.segeval", how))
    with pytest.raises(RunError, match="the counts of aachen_0 are not complete"):
        read_run(run)
    read_run(forged(changed(written, run, DAMAGES["another value"])))


def content(run: CountedRun) -> object:
    counts = run.counts
    columns = (counts.image, counts.truth, counts.prediction, counts.pixels)
    marks = [image.fingerprints for image in run.images]
    return run.images, marks, [column.tolist() for column in columns], run.provenance


@pytest.mark.parametrize("seed", range(3))
def test_a_flipped_bit_is_refused_or_changes_nothing(tmp_path: Path, seed: int) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, BLOCKS[::-1]), "b/c": (BLOCKS, BLOCKS)})
    run, flipped = tmp_path / "run.segeval", tmp_path / "flipped.segeval"
    segeval("score", *folders, "-o", run)
    whole, wanted = run.read_bytes(), content(read_run(run))
    random_ = random.Random(seed)
    used = [place for place, byte in enumerate(whole) if byte or place % 64 == 0]
    refused = 0
    for place in random_.sample(used, 150):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << random_.randrange(8)
        flipped.write_bytes(damaged)
        try:
            assert content(read_run(flipped)) == wanted, place
        except RunError:
            refused += 1
    assert refused > 60


def test_pages_that_stand_for_many_are_not_read_forever(written: Path, tmp_path: Path) -> None:
    """A page of children that are all the same page repeats its rows."""
    run = tmp_path / "run.segeval"
    images = {f"{number:04}": (BLOCKS, BLOCKS) for number in range(400)}
    arrays = [(np.array(truth), np.array(other)) for truth, other in images.values()]
    write_run(made_run(*arrays), run)
    with closing(sqlite3.connect(run)) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'counts'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    data = bytearray(run.read_bytes())
    start = (root - 1) * size
    assert data[start] == 2  # a page with children
    cells = int.from_bytes(data[start + 3 : start + 5], "big")
    places = [start + 12 + 2 * cell for cell in range(cells)]
    first = start + int.from_bytes(data[places[0] : places[0] + 2], "big")
    for place in places:
        cell = start + int.from_bytes(data[place : place + 2], "big")
        data[cell : cell + 4] = data[first : first + 4]
    run.write_bytes(data)
    with pytest.raises(RunError, match="damaged"):
        read_run(run)
    said = segeval("score", written.parent / "pred", written.parent / "truth", "-o", run,
                   "--resume", expect=3).stderr  # fmt: skip
    assert "the run file is damaged" in said


@pytest.mark.parametrize("schema", ["1", "2"])
def test_files_of_older_schemas_open_and_are_brought_up(
    written: Path, tmp_path: Path, schema: str
) -> None:
    queries = (
        "DROP TABLE measures",
        "ALTER TABLE images DROP COLUMN checksum",
        "DELETE FROM meta WHERE key = 'checksum'",
        f"UPDATE meta SET value = '{schema}' WHERE key = 'schema'",
    )
    run = changed(written, tmp_path / "run.segeval", *queries)
    assert content(read_run(run)) == content(read_run(written))
    colors = changed(run, tmp_path / "colors.segeval", "UPDATE counts SET truth = truth + 16777216")
    for older in (run, colors):
        segeval("merge", older, "-o", tmp_path / "sum.segeval", "--overwrite")
        assert content(read_run(tmp_path / "sum.segeval")) == content(read_run(older))
    folders = (written.parent / "pred", written.parent / "truth")
    assert score(folders, "-o", run, "--resume") == score(folders)
    with closing(sqlite3.connect(run)) as connection:
        facts = dict(connection.execute("SELECT key, value FROM meta"))
    assert facts["schema"] == "4"
    assert content(read_run(run)) == content(read_run(written))
    changed(run, tmp_path / "again.segeval", "UPDATE counts SET pixels = pixels + 1")
    with pytest.raises(RunError, match="damaged"):
        read_run(tmp_path / "again.segeval")


def test_a_sum_keeps_every_image_or_is_refused(tmp_path: Path) -> None:
    """Two data sets with images of one name and equal counts lose no pixel in silence."""
    empty, runs = np.zeros((10, 10), int), {}
    for name, images in {"one": ("a", "b"), "two": ("a", "c")}.items():
        folders = data_set(tmp_path / name, dict.fromkeys(images, (empty, empty)))
        runs[name] = tmp_path / f"{name}.segeval"
        segeval("score", *folders, "--classes", "2", "-o", runs[name])
    said = segeval("merge", *runs.values(), "-o", tmp_path / "sum.segeval", expect=3).stderr
    assert "image a is in two runs, and nothing shows that they were counted from the" in said
    assert "two/truth/a.png" in said
    assert not (tmp_path / "sum.segeval").exists()
    segeval("merge", runs["one"], runs["one"], "-o", tmp_path / "same.segeval")
    again = tmp_path / "again.segeval"
    folders = (tmp_path / "one" / "pred", tmp_path / "one" / "truth")
    segeval("score", *folders, "--classes", "2", "-o", again)
    segeval("merge", runs["one"], again, "-o", tmp_path / "twice.segeval")
    assert len(read_run(tmp_path / "twice.segeval")) == 2
    printed = score(folders, "--classes", "2", "-o", tmp_path / "twice.segeval", "--resume")
    assert json.loads(printed)["images"]["scored"] == 2
    save(folders[1] / "a.png", empty)
    segeval("score", *folders, "--classes", "2", "-o", again, "--overwrite")
    said = segeval("merge", runs["one"], again, "-o", tmp_path / "t", expect=3).stderr
    assert "from the same files, unchanged (" in said


def test_images_that_no_file_identifies_are_never_taken_for_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrays have no files, and relative paths are of other files in another folder."""
    empty = np.zeros((10, 10), int)
    counted = [count_arrays(truth=[empty], prediction=[empty]) for _ in range(2)]
    for name in ("one", "two"):
        data_set(tmp_path / name, {"a": (empty, empty)})
        monkeypatch.chdir(tmp_path / name)
        counted.append(count(prediction="pred", truth="truth"))
    for one, other in (counted[:2], counted[2:]):
        with pytest.raises(RunError, match=r"nothing shows that .*of --pairs, names= of arrays"):
            one + other
    assert len(counted[0] + counted[2]) == 2
