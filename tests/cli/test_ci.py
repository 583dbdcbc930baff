"""What CI servers read: JUnit, badges, annotations, summaries."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from made.sets import data_set, save, segeval

from segeval.reports.badge import to_badge
from segeval.reports.junit import to_junit
from segeval.reports.markdown import to_markdown

BLOCKS = np.kron(np.arange(4).reshape(2, 2), np.ones((8, 8), int)).astype(np.uint8)
SHIFTED = np.roll(BLOCKS, 2, axis=1)
HOSTILE: Final = ["</testcase>", "a & b \"c\" 'd'", "]]>", "| x | é \\ %0A::error::"]
NOW: Final = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return data_set(tmp_path, dict.fromkeys(("one", "two"), (BLOCKS, SHIFTED)))


def made_document(names: list[str], values: list[float | None]) -> dict[str, Any]:
    """Return the parts of a document that the reports read."""
    rows = zip(names, values, strict=True)
    scores = ("dice", "precision", "recall")
    return {
        "version": "0",
        "signature": "s|t",
        "settings": {},
        "summary": {"miou": values[0], "mdice": None, "mprecision": None, "mrecall": None}
        | {"pixel_accuracy": None},
        "averaged": {"classes": 1, "images_of": {"miou": 1}, "of": len(names), "absent": names}
        | {"excluded": []},
        "images": {"scored": 1},
        "classes": [
            {"name": name, "support": 1, "iou": value} | dict.fromkeys(scores)
            for name, value in rows
        ],
        "gates": [
            {"metric": f"iou.{name}", "minimum": 0.5, "value": value, "passed": (value or 0) >= 0.5}
            for name, value in zip(names, values, strict=True)
        ],
    }


Schema = dict[str, tuple[dict[str, str], str]]
WORD: Final = r"\S(.*\S)?"
COUNT: Final = r"\d+"
TIME: Final = r"\d{1,3}(\.\d+)?"
BOTH: Final[Schema] = {
    "testsuites": ({}, "(testsuite )*"),
    "testsuite": (
        {
            "id": COUNT,
            "package": WORD,
            "name": WORD,
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
            "hostname": WORD,
            "tests": COUNT,
            "failures": COUNT,
            "errors": COUNT,
            "skipped": COUNT,
            "time": TIME,
        },
        "properties (testcase )*system-out system-err ",
    ),
    "properties": ({}, "(property )*"),
    "property": ({"name": ".+", "value": ".*"}, ""),
    "testcase": ({"name": ".+", "classname": WORD, "time": TIME}, "(skipped |failure )?"),
    "skipped": ({}, ""),
    "failure": ({"message": ".+", "type": WORD}, ""),
    "system-out": ({}, ""),
    "system-err": ({}, ""),
}
"""Attributes and children that both common schemas allow and either asks for: those of Ant, as
written down by windyroad, and of Jenkins (junit-10.xsd of its xUnit plugin)."""


def violations(root: ET.Element) -> Iterator[str]:
    """Compare a JUnit file with what both schemas ask for."""
    for element in root.iter():
        attributes, children = BOTH[element.tag]
        if element.keys() != list(attributes) and set(element.keys()) != set(attributes):
            yield f"{element.tag} has {element.keys()}"
        for name, pattern in attributes.items():
            if not re.fullmatch(pattern, element.get(name, ""), re.DOTALL):
                yield f"{element.tag} {name} is {element.get(name)!r}"
        if not re.fullmatch(children, "".join(f"{child.tag} " for child in element)):
            yield f"{element.tag} holds {[child.tag for child in element]}"
    for suite in root:
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": len(suite.findall("testcase/failure")),
            "skipped": len(suite.findall("testcase/skipped")),
        }
        yield from (f"{k} is not {v}" for k, v in counts.items() if suite.get(k) != str(v))


def read(path: Path) -> ET.Element:
    root = ET.parse(path).getroot()
    assert not list(violations(root))
    return root


def test_the_checks_see_what_is_wrong() -> None:
    text = to_junit(made_document(["a"], [0.25]), timestamp=NOW)
    assert not list(violations(ET.fromstring(text)))
    broken = (
        text.replace(' hostname="localhost"', "")
        .replace('failures="1"', 'failures="0"')
        .replace("2025-01-02T", "2025-01-02 ")
        .replace("<system-err />", "", 1)
    )
    found = "\n".join(violations(ET.fromstring(broken)))
    for what in ("has [", "timestamp is", "testsuite holds", "failures is not 1"):
        assert what in found


def test_junit_has_a_case_for_every_gate_and_class(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    gates = ["--fail-under", "0.1", "--fail-under", "iou.1=0.99", "--fail-under", "iou.4=0"]
    file, document = tmp_path / "junit.xml", tmp_path / "scores.json"
    options = ["--classes", "5", *gates, "--junit", file, "--json", document]
    segeval("score", *folders, *options, expect=1)
    scores = json.loads(document.read_text("utf-8"))
    of_gates, of_classes = read(file)
    cases = [
        (case.get("name"), [child.get("message") for child in case])
        for case in of_gates.iter("testcase")
    ]
    iou = scores["classes"][1]["iou"]
    assert cases == [
        ("miou at least 0.1", []),
        ("iou.1 at least 0.99", [f"iou.1 = {iou!r}, at least 0.99 is asked for"]),
        ("iou.4 at least 0.0", ["iou.4 is undefined, at least 0.0 is asked for"]),
    ]
    names = [(case.get("name"), len(case)) for case in of_classes.iter("testcase")]
    assert names == [("0", 0), ("1", 0), ("2", 0), ("3", 0), ("4", 1)]
    properties = {p.get("name"): p.get("value") for p in of_classes.iter("property")}
    assert properties["iou.1"] == repr(iou)
    assert properties["iou.4"] == "undefined"
    assert properties["signature"] == scores["signature"]
    output = of_classes.findtext("system-out")
    assert output
    assert f"iou.1 = {iou!r}\n" in output


def test_junit_of_a_saved_run_without_gates(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run, file = tmp_path / "run.segeval", tmp_path / "junit.xml"
    segeval("score", *folders, "-o", run)
    segeval("report", run, "--junit", file)
    assert [suite.get("name") for suite in read(file)] == ["segeval.classes"]


def test_hostile_names_are_escaped_everywhere(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {"a": (BLOCKS, SHIFTED)})
    labels = tmp_path / "labels.toml"
    entries = (f"{{ name = {json.dumps(name)}, values = [{n}] }}" for n, name in enumerate(HOSTILE))
    labels.write_text(f"labels = [{', '.join(entries)}]\n", encoding="utf-8")
    file, table = tmp_path / "junit.xml", tmp_path / "table.md"
    gates = ["--fail-under", f"iou.{HOSTILE[3]}=0.99"]
    options = ["--labels", labels, *gates, "--junit", file, "--markdown", table]
    done = segeval("score", *folders, *options, expect=1, GITHUB_ACTIONS="true")
    root = read(file)
    assert [case.get("name") for case in root[1].iter("testcase")] == HOSTILE
    assert "<" not in table.read_text("utf-8")
    assert done.stderr.startswith("::error title=segeval gate failed::iou.| x | é \\ %250A::error")
    assert done.stderr.count("\n") == 1


def test_characters_that_xml_cannot_hold_are_written_out() -> None:
    names = ["bell \x07", "surrogate \udc80", "zero \x00", "line\nbreak", "\uffff"]
    text = to_junit(made_document(names, [1.0, 0.0, None, 0.5, 1.0]), timestamp=NOW)
    root = ET.fromstring(text.encode())
    assert not list(violations(root))
    written = [case.get("name") for case in root[1].iter("testcase")]
    assert written == [r"bell \x07", r"surrogate \udc80", r"zero \x00", r"line\nbreak", r"\uffff"]


def test_a_class_name_does_not_end_a_line_of_markdown() -> None:
    text = to_markdown(made_document(["a\nb|c", "<img>"], [1.0, 0.0]))
    assert r"| a\nb\|c | 1 |" in text
    assert r"absent: a\nb\|c, &lt;img>" in text
    assert "<" not in text


@pytest.mark.parametrize(
    ("value", "message", "color"),
    [
        (1.0, "1.0000", "brightgreen"),
        (0.9, "0.9000", "brightgreen"),
        (0.89999999, "0.9000", "green"),
        (0.8, "0.8000", "green"),
        (0.7, "0.7000", "yellowgreen"),
        (0.6, "0.6000", "yellow"),
        (0.5, "0.5000", "orange"),
        (0.49, "0.4900", "red"),
        (0.0, "0.0000", "red"),
        (None, "undefined", "lightgrey"),
    ],
)
def test_badges_have_the_colour_of_their_value(
    value: float | None, message: str, color: str
) -> None:
    badge = json.loads(to_badge(made_document(["a"], [value])))
    assert badge == {"schemaVersion": 1, "label": "mIoU", "message": message, "color": color}


def test_a_badge_is_written(folders: tuple[Path, Path], tmp_path: Path) -> None:
    done = segeval("score", *folders, "--format", "total", "--badge", tmp_path / "b", "--percent")
    badge = json.loads((tmp_path / "b").read_text("utf-8"))
    assert badge["message"] == f"{100 * float(done.stdout):.2f} %"


def test_github_gets_annotations_and_json_stays_whole(folders: tuple[Path, Path]) -> None:
    gates = ["--fail-under", "0.99", "--fail-under", "iou.*=0.1"]
    options = [*folders, *gates, "--format", "json"]
    plain = segeval("score", *options, expect=1)
    done = segeval("score", *options, expect=1, GITHUB_ACTIONS="true")
    assert done.stdout == plain.stdout
    miou = json.loads(done.stdout)["summary"]["miou"]
    message = f"miou = {miou!r}, at least 0.99 is asked for"
    assert done.stderr == f"::error title=segeval gate failed::{message}\n"
    assert plain.stderr == f"segeval: gate failed: {message}\n"


def test_github_gets_notices_as_warnings(tmp_path: Path) -> None:
    pred, truth = data_set(tmp_path, {"a": (BLOCKS // 2 * 255, SHIFTED // 2 * 255)})
    (pred / "more.png").write_bytes((pred / "a.png").read_bytes())
    done = segeval("score", pred, truth, GITHUB_ACTIONS="true")
    assert [line[:26] for line in done.stderr.splitlines()] == [
        "::warning title=segeval::t",
        "::warning title=segeval::1",
    ]
    assert not segeval("score", pred, truth, "-q", GITHUB_ACTIONS="true").stderr
    assert "::" not in segeval("score", pred, truth, GITHUB_ACTIONS="false").stderr


def test_github_gets_errors_too(tmp_path: Path) -> None:
    done = segeval("score", tmp_path / "no", tmp_path / "no", expect=3, GITHUB_ACTIONS="true")
    annotation, *lines = done.stderr.splitlines()
    assert annotation.startswith(
        "::error title=segeval::2 problems in the data; nothing was scored"
    )
    assert annotation.split("%0A")[1:] == lines
    assert len(lines) == 2


def test_an_annotation_names_the_first_problems(tmp_path: Path) -> None:
    folders = data_set(tmp_path, {f"image {n:02d}": (BLOCKS, BLOCKS) for n in range(30)})
    for n in range(25):
        save(folders[0] / f"image {n:02d}.png", BLOCKS[:, : n % 15 + 1])
    said = segeval("score", *folders, expect=3, GITHUB_ACTIONS="true").stderr.splitlines()
    named = said[0].split("%0A")[1:]
    assert [*named[:5], "  and 16 more"] == [*said[1:6], named[-1]]
    assert len(named) == 6


def test_the_summary_of_a_step_grows_by_each_report(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    summary, table, run = tmp_path / "summary.md", tmp_path / "table.md", tmp_path / "r.segeval"
    summary.write_text("before\n", encoding="utf-8")
    segeval(
        "score", *folders, "-o", run, "--markdown", table, GITHUB_STEP_SUMMARY=os.fspath(summary)
    )
    section = f"### segeval\n\n{table.read_text('utf-8')}\n"
    assert summary.read_text("utf-8") == f"before\n{section}"
    segeval("report", run, GITHUB_STEP_SUMMARY=os.fspath(summary))
    assert summary.read_text("utf-8") == f"before\n{section}{section}"


def test_a_summary_that_cannot_be_written_is_no_error(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    done = segeval("score", *folders, GITHUB_STEP_SUMMARY=os.fspath(tmp_path))
    assert f"notice: {tmp_path}: no summary was added" in done.stderr
    assert not segeval("score", *folders, "-q", GITHUB_STEP_SUMMARY=os.fspath(tmp_path)).stderr


@pytest.mark.parametrize("option", ["--junit", "--badge"])
def test_places_are_checked_before_anything_is_read(tmp_path: Path, option: str) -> None:
    (tmp_path / "no").touch()
    done = segeval("score", "nowhere", "nowhere", option, tmp_path / "no" / "f", expect=3)
    assert "no file can be made in" in done.stderr
    assert "such folder" not in done.stderr
