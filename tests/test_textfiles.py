"""Text files of users: opened, bounded and parsed in one way, or refused by name and line."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from made.runs import BLOCKS
from made.sets import data_set, segeval

from segeval.errors import LabelError, RunError, SegevalError, SettingError
from segeval.inputs.pairing import read_pairs
from segeval.labels.load import load_labels
from segeval.scoring.baseline import read_baseline
from segeval.scoring.weights import read_weights
from segeval.textfiles import MOST, TextError, lines_of, parse_yaml, read_text

LAUGHS = "\n".join(
    ["a0: &a0 [lol, lol]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
)
DEEP = "[" * 100_000
HUGE = "9" * 5000
READERS = {
    "labels": (load_labels, LabelError),
    "weights": (read_weights, SettingError),
    "pairs": (read_pairs, SettingError),
    "baseline": (read_baseline, RunError),
}
NUL = "holds NUL, which no text does"
ENCODING = r"it is not UTF-8 text \(line 2\)"
BAD: list[tuple[str, str, str | bytes, str]] = [
    *((kind, "a.csv", b"name,x\na\0b,1\n", f"line 2 {NUL}") for kind in READERS),
    *((kind, "a.csv", b"name,x\n\xff,1\n", ENCODING) for kind in READERS),
    *((kind, "a.csv", "x" * (MOST + 1), "larger than 4 MB") for kind in ("labels", "weights")),
    ("labels", "a.yaml", f"{LAUGHS}\nnames: *a39", r"line 2: \*a0 stands for something else"),
    ("labels", "a.yaml", "names: &a [*a]", r"line 1: \*a stands for something else"),
    ("labels", "a.yaml", "names: &a\n  0: *a", r"line 2: \*a stands for something else"),
    ("labels", "a.yaml", f"names: {DEEP}", "line 1: lists lie too deep inside each other"),
    ("labels", "a.yaml", "? [a]\n: " * 50 + "x", "not valid YAML|too deep"),
    ("labels", "a.yaml", "names: [a, !!int '']", "line 1: '' is no int"),
    ("labels", "a.yaml", "names:\n- a\n- !!bool maybe", "line 3: 'maybe' is no bool"),
    ("labels", "a.yaml", f"names:\n  {HUGE}: a", "line 2: '9+….* is no int"),
    ("labels", "a.yaml", f"names:\n  0x{'f' * 99}: a", "line 2: .* more than 64 bits"),
    ("labels", "a.yaml", "names: [a]\nvoid: .nan", "line 2: '.nan' is no finite number"),
    ("labels", "a.yaml", "names: !!python/object/apply:os.getcwd []", "names no class"),
    ("labels", "a.yaml", "names:\n- !!python/name:os.getcwd {}", "line 2: a class has no name"),
    ("labels", "a.yaml", "names: [a\x07]", "not valid YAML: .*unacceptable character"),
    ("labels", "a.yaml", "names: [a]\n---\nnames: [b]", "line 3: a second document begins"),
    ("labels", "a.toml", f"x = {DEEP}", "not valid TOML: its lists lie too deep"),
    ("labels", "a.toml", f"void = {HUGE}", "not valid TOML: "),
    ("labels", "a.toml", f"void = 0x{'f' * 99}", "line 1: 'void' is a whole number of more"),
    ("labels", "a.toml", f"\n{'.'.join('a' * 5000)} = 1", "lies deeper than 32 tables"),
    ("labels", "a.toml", 'name = "a\\u202e"\n[[labels]]\nname="a"\nvalues=1', r"name 'a.*' holds"),
    ("labels", "a.toml", '[[labels]]\nname="a"\nvalues=1\ngroup="\\u001b"', r"group '\\x1b' holds"),
    ("labels", "a.toml", '[[labels]]\nname="a\\u2028"\nvalues=1', r"class name 'a\\u2028' holds"),
    ("labels", "a.csv", f'name,value\na,1\n"{"b" * 200_000}",2', "line 3: field larger"),
    ("labels", "a.csv", f"name,value\na,{HUGE}", "line 2: '9+… is not a whole number"),
    ("labels", "a.txt", "a\nb\u2028c\n", r"line 2: class name 'b\\u2028c' holds characters"),
    ("weights", "a.csv", f"class,weight\na,1\nb,{'x' * 200_000}", "line 3: field larger"),
    ("weights", "a.csv", f"class,weight\na,{HUGE}", "0 or more and finite"),
    ("weights", "a.toml", f"a = {DEEP}", "not valid TOML: its lists lie too deep"),
    ("weights", "a.toml", "a = 1\nb = inf", "line 2: 'b' is no finite number"),
    ("pairs", "a.csv", f"prediction,truth\n{'p' * 200_000},a.png\n", "line 2: field larger"),
    ("baseline", "a.json", DEEP, "neither a run file nor a document .*too deep"),
    ("baseline", "a.json", "NaN", "NaN is no number of JSON"),
    ("baseline", "a.json", f'{{"schema": {HUGE}}}', "neither a run file nor a document"),
    ("baseline", "a.json", f'{{"a": {{"b": 1{"0" * 400}}}}}', "'a.b' is a whole number of more"),
    ("baseline", "a.json", '{"a": [1e999]}', "'a' is no finite number"),
    ("baseline", "a.json", "[]", "neither a run file nor a document of schema"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "text", "reason"), BAD, ids=[f"{n} {row[0]}" for n, row in enumerate(BAD)]
)
def test_a_bad_text_is_refused_by_name_and_line(
    tmp_path: Path, kind: str, name: str, text: str | bytes, reason: str
) -> None:
    read, error = READERS[kind]
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(error, match=rf"{name}: .*({reason})") as refused:
        read(path)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("path", ["loop", "x" * 5000, "folder", "loop/a", "/dev/zero"])
def test_what_cannot_be_read_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, path: str
) -> None:
    read, error = READERS[kind]
    if path == "/dev/zero" and kind in {"pairs", "baseline"}:
        pytest.skip("its limit is a gigabyte")
    monkeypatch.chdir(tmp_path)
    Path("loop").symlink_to("pool")
    Path("pool").symlink_to("loop")
    Path("folder").mkdir()
    with pytest.raises(error, match=path[:40]):
        read(Path(path))


def test_a_pipe_is_read_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert read_text(pipe) == ""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as late:
        threading.Timer(0.1, late.close).start()
        late.write(b"a\n")
        assert read_text(f"/dev/fd/{reader}") == "a\n"
    os.close(reader)


def test_tags_and_dates_of_yaml_are_text() -> None:
    tree = parse_yaml("a: !mine b\n2024-13-45: ! 7\nc: [1, 0x10, 1_0, ~, on, 1.5, '2']")
    assert [(key.value, value.plain()) for key, value in tree.pairs()] == [
        ("a", "b"),
        ("2024-13-45", "7"),
        ("c", [1, 16, 10, None, True, 1.5, "2"]),
    ]
    assert parse_yaml("").pairs() == []


def test_only_line_feeds_and_carriage_returns_end_lines() -> None:
    assert lines_of("a\r\nb\x0c\u2028c\rd\n\n") == ["a", "b\x0c\u2028c", "d", ""]
    assert lines_of("") == []


def test_errors_of_texts_are_ours() -> None:
    assert issubclass(TextError, SegevalError)
    with pytest.raises(TextError, match="embedded null byte"):
        read_text("a\0b")


def test_long_names_in_a_table_are_problems_with_their_line(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    data_set(tmp_path, {"a": (BLOCKS, BLOCKS)})
    table.write_text(f"prediction,truth\n{'p' * 5000},truth/a.png\npred/a.png,{'t' * 5000}\n")
    said = segeval("score", "--pairs", table, expect=3).stderr
    assert "pairs.csv: line 2: " in said
    assert "does not exist; mend the line" in said
    assert "File name too long" in said
