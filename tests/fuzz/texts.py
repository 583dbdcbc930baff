"""Text files and run files: valid ones, how they are damaged, and what may come of it."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from fuzz.mutate import ANY, Mutator
from fuzz.target import FindingError, Read, Target, attempt
from made.sets import frozen, made_run
from typer.main import get_command

from segeval.cli.program import app
from segeval.counting.run import CountedRun
from segeval.counting.runfile import RunFile, read_run, write_run
from segeval.counting.runrows import read_rows
from segeval.errors import SegevalError
from segeval.inputs.pairing import read_pairs
from segeval.labels.load import load_labels
from segeval.reports.document import make_document
from segeval.reports.json import to_json
from segeval.scoring.baseline import Baseline, check_drops, parse_drop, read_baseline
from segeval.scoring.score import Scores, label_and_score
from segeval.scoring.weights import read_weights
from segeval.settings import LabelChoice

LONGEST: Final = 4000  # characters of a message
TRUTH: Final = frozen(np.arange(24).reshape(4, 6) % 3)

# texts -------------------------------------------------------------------------------------------

TOKENS: Final = [
    *(b"[ ] { } ( ) \" ' , : ; = . - + * & ! | > < @ # % ~ \\ / \n \r \t".split(b" ")),
    *(b"nan inf -inf 1e999 -1e999 0x10 1_000 0b1 0o7 .5 5. -0 true null None on ~".split()),
    *(b"names: void: labels = [[labels]] [tool.segeval] values = schema classes".split()),
    *(b"&a *a <<: !!int !!bool !!python/object:os.system !!binary --- ...".split()),
    b"9" * 30, b"9" * 5000, b"0x" + b"f" * 5000, b"1" + b"0" * 400, b"[" * 3000, b'{"a":' * 3000,
    b"a." * 2000, b"x" * 200_000, b"\x00", b"\\u0000", b"\x1b[31m", b"\xff\xfe", b"\xef\xbb\xbf",
    "\u202e\u2028\x85".encode(), "é".encode("latin-1"), b"../" * 30, b"/dev/zero", b"\r\n" * 3,
]  # fmt: skip
"""What means something to one format or another, or is too much of anything."""


def put_token(chance: random.Random, data: bytes) -> bytes:
    """Put a token in, or in the place of a word or number."""
    words = list(re.finditer(rb"[\w.+-]+", data))
    token = chance.choice(TOKENS)
    if words and chance.random() < 0.6:
        word = chance.choice(words)
        return data[: word.start()] + token + data[word.end() :]
    at = chance.randrange(len(data) + 1)
    return data[:at] + token + data[at:]


def swap_lines(chance: random.Random, data: bytes) -> bytes:
    """Move, double or drop a line."""
    lines = data.splitlines(keepends=True)
    taken = lines.pop(chance.randrange(len(lines)))
    for _ in range(chance.choice((0, 1, 1, 2))):
        lines.insert(chance.randrange(len(lines) + 1), taken)
    return b"".join(lines)


TEXT: Final[tuple[Mutator, ...]] = (*ANY, *[put_token] * 8, *[swap_lines] * 2)

MAPS: Final = {
    ".toml": b'name = "street"\nvoid = [255]\nvoid_colors = ["#000000"]\nsource = "x"\n\n'
    b'[[labels]]\nname = "road"\nvalues = [0]\ncolor = "#804080"\ngroup = "flat"\n\n'
    b'[[labels]]\nname = "car"\ntruth_values = [1, 2]\nprediction_values = 1\n'
    b"colors = [[0, 0, 142], [0, 0, 70]]\n",
    ".yaml": b"# data\npath: ../data\ntrain: images\nnc: 3\nnames:\n  0: person\n  1: 'car'\n"
    b'  0x2: "bike"\nvoid: [255]\ndownload: |\n  curl x\n',
    ".csv": b'name,value,r,g,b,group\nroad,0,128,64,128,flat\n"car, red",1,0,0,142,vehicle\n',
    ".txt": b"road\nsidewalk\ncar\n",
    ".json": b'{"images": [{"id": 1}], "labels": {"background": 0, "liver": [1, 2], "ignore": 3}, '
    b'"categories": [{"id": 7, "name": "b\\u00e9", "supercategory": "x", "color": [1, 2, 3]}],\n'
    b' "id2label": {"0": "wall", "12": "floor"}, "semantic_loss_ignore_index": 255}',
}
WEIGHTS: Final = {
    ".csv": b'class,weight\nroad,1\n"car",2.5\nsky,0\n',
    ".toml": b'road = 1\n"car" = 2.5\nsky = 0\n',
}  # fmt: skip
PAIRS: Final = b"prediction,truth,name,group\np/a.png,t/a.png,a,x\np/b.png,t/b.png,,\n"
SETTINGS: Final = (
    b'labels = "voc"\nignore = [0, 255]\nfail-under = ["0.75", "iou.cat=0.6"]\nquiet = true\n\n'
    b'[score]\nprediction = "out"\ntruth = "data/truth"\nworkers = 2\njson = "x/y.json"\n\n'
    b'[losses]\ngamma = 2.5\ntversky = [0.3, 0.7]\n\n[sweep]\nformat = "json"\n'
)


def reading(suffix: str, read: Callable[[Path], Any]) -> Read:
    """Read a text; what is wrong is told under the name of the file, and in bounds."""

    def check(path: Path, data: bytes) -> str:
        file = path.with_suffix(suffix)
        file.write_bytes(data)
        _, reason = attempt(lambda: read(file))
        if reason and (str(file) not in reason or len(reason) > LONGEST):
            raise FindingError(f"this is said: {reason}")
        return "refused" if reason else "accepted"

    return check


@cache
def program() -> Any:
    return get_command(app)


def read_settings(path: Path, data: bytes) -> str:
    """Ask what is in force for a command; the keys of all are looked at."""
    file = path.with_suffix(".toml")
    file.write_bytes(data)
    said, printed = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(printed):
        try:
            program()(["config", "score", "--config", str(file)])
        except SystemExit as end:
            code = end.code or 0
    if code not in {0, 2} or len(said.getvalue()) > LONGEST:
        raise FindingError(f"exit code {code}: {said.getvalue()}")
    return "refused" if code else "accepted"


# documents ---------------------------------------------------------------------------------------


@cache
def scores() -> Scores:
    run = made_run((TRUTH, TRUTH), (TRUTH, frozen(TRUTH[::-1]))).with_groups(["x", "y"])
    return label_and_score(run, LabelChoice())


def document_seeds() -> dict[str, bytes]:
    document = make_document(scores(), settings={}, gates=[])
    return {"document": to_json(document).encode(), "dense": json.dumps(document).encode()}


def hold_against(path: Path) -> None:
    """Hold scores against a baseline."""
    baseline = read_baseline(path)
    if not isinstance(baseline, Baseline):
        raise FindingError("a text is read as a run")
    drops = [parse_drop(text) for text in ("0.01", "iou.*=2%", "dice.1=0.1")]
    with contextlib.suppress(SegevalError):
        for gate in check_drops(scores(), baseline, drops):
            json.dumps([gate.metric, gate.value, gate.baseline, gate.passed, gate.missing])


# run files ---------------------------------------------------------------------------------------

CELLS: Final[tuple[object, ...]] = (
    None, 0, 1, -1, 2, 24, -24, 255, 1 << 31, 1 << 53, 1 << 61, 1 << 62, (1 << 63) - 1, -(1 << 63),
    0.5, 1e300, "", "x", "7", "image_0", "\0", "[" * 5000, "9" * 5000, b"", b"\xff", "\u202e",
    '{"waivers": [1]}', '{"shards": ["1/2"]}', '{"source": 1}', "[]", "3", "2", "1",
)  # fmt: skip


def run_seeds() -> dict[str, bytes]:
    """Return the bytes of two run files."""
    wide = frozen(TRUTH.astype(int) + 300, "uint16")
    runs = {"two": (TRUTH, frozen(TRUTH[::-1])), "wide": (wide, TRUTH)}
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, pair in runs.items():
            path = Path(folder) / name
            write_run(made_run((TRUTH, TRUTH), pair), path)
            found[name] = path.read_bytes()
    return found


def put_cell(chance: random.Random, data: bytes) -> bytes:
    """Change a cell, drop or double a row of a run file."""
    return _changed(chance, data, forged=False)


def forge_cell(chance: random.Random, data: bytes) -> bytes:
    """Do the same, and make the checksums right again."""
    return _changed(chance, data, forged=True)


def _changed(chance: random.Random, data: bytes, *, forged: bool) -> bytes:
    tables = {
        "meta": ["key", "value"],
        "images": ["id", "name", "group_name", "height", "width", "truth_path", "fingerprints"],
        "counts": ["image", "truth", "prediction", "pixels"],
    }
    table = chance.choice(list(tables))
    column = chance.choice(tables[table])
    what = chance.choice(
        [
            (f"UPDATE {table} SET {column} = ?", 1),
            (f"UPDATE {table} SET {column} = ? WHERE {column} = (SELECT {column} FROM {table})", 1),
            (f"DELETE FROM {table} WHERE {column} = (SELECT {column} FROM {table})", 0),
            (f"UPDATE {table} SET {column} = -{column}", 0),
        ]
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.deserialize(data)
            connection.execute(what[0], (chance.choice(CELLS),) * what[1])
            connection.commit()
            if forged:
                _forge(connection)
            return connection.serialize()
        except (sqlite3.Error, SegevalError, ValueError, TypeError, LookupError, OverflowError):
            return data  # SQLite or the reader refuse this damage: the next one may be taken


def _forge(connection: sqlite3.Connection) -> None:
    """Give a run the checksums of what is there."""
    stored, _ = read_rows(connection, "3", 10**6)
    marks = zip(stored.checksums.tolist(), stored.numbers.tolist(), strict=True)
    connection.executemany("UPDATE images SET checksum = ? WHERE id = ?", marks)
    file = RunFile.__new__(RunFile)
    file.path, file._connection = Path(__file__), connection
    file._set("checksum", file._checksum(()))
    connection.commit()


def read_whole_run(path: Path, data: bytes) -> str:
    """Read a run; what is accepted adds up, and is scored or refused."""
    del data
    for journal in path.parent.glob("input-*"):
        journal.unlink()
    run, reason = attempt(lambda: read_run(path))
    if run is None:
        if str(path) not in reason or len(reason) > LONGEST:
            raise FindingError(f"this is said: {reason}")
        return "refused"
    _add_up(run)
    with contextlib.suppress(SegevalError):
        found = label_and_score(run, LabelChoice())
        document = make_document(found, settings={}, gates=[])
        values = [value for value in document["summary"].values() if value is not None]
        if not all(-1.0000001 <= value <= 1.0000001 for value in values):
            raise FindingError(f"scores {values}")
        to_json(document)
    return "accepted"


def _add_up(run: CountedRun) -> None:
    for image in run:
        pixels = image.table.pixels
        if pixels.size and pixels.min() < 1:
            raise FindingError(f"{pixels.min()} pixels")
        if int(pixels.sum()) != image.info.height * image.info.width:
            raise FindingError(f"{pixels.sum()} pixels of {image.info.height}×{image.info.width}")


def _seed(data: bytes) -> Callable[[], dict[str, bytes]]:
    return lambda: {"seed": data}


TEXTS: Final = {
    **{
        f"labels{suffix}": Target(
            seeds=_seed(data), mutators=TEXT, read=reading(suffix, load_labels)
        )
        for suffix, data in MAPS.items()
    },
    **{
        f"weights{suffix}": Target(
            seeds=_seed(data), mutators=TEXT, read=reading(suffix, read_weights)
        )
        for suffix, data in WEIGHTS.items()
    },
    "pairs": Target(seeds=_seed(PAIRS), mutators=TEXT, read=reading(".csv", read_pairs)),
    "settings": Target(seeds=_seed(SETTINGS), mutators=TEXT, read=read_settings),
    "documents": Target(seeds=document_seeds, mutators=TEXT, read=reading(".json", hold_against)),
    "runs": Target(
        seeds=run_seeds, mutators=(*ANY, *[put_cell] * 6, *[forge_cell] * 6), read=read_whole_run
    ),
}
