"""The document as JUnit XML, which CI servers show as test cases: a suite of gates, one of classes.

The layout is what the schemas of Ant (windyroad) and Jenkins agree on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from segeval.reports.wording import failure, metrics_in, show_bound
from segeval.text import visible

FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold in any spelling."""


def to_junit(document: Mapping[str, Any], *, timestamp: datetime) -> str:
    """Write a test case a gate and a class; failed and undefined gates are failures."""
    root = ET.Element("testsuites")
    about = {"version": document["version"], "signature": document["signature"]}
    means = {name: _digits(value) for name, value in document["summary"].items()}
    scores = {
        f"{metric.name}.{row['name']}": _digits(row[metric.name])
        for metric in metrics_in(document, "breakdown")
        for row in document["classes"]
    }
    if document["gates"]:
        cases = [_gate_case(gate) for gate in document["gates"]]
        _add_suite(root, "segeval.gates", cases, {**about, **means}, timestamp)
    cases = [_class_case(row) for row in document["classes"]]
    _add_suite(root, "segeval.classes", cases, {**about, **scores}, timestamp)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _gate_case(gate: Mapping[str, Any]) -> ET.Element:
    case = ET.Element("testcase", name=_clean(f"{gate['metric']} {show_bound(gate)}"))
    if not gate["passed"]:
        message = _clean(failure(gate))
        kind = "undefined" if gate["value"] is None else "gate"
        ET.SubElement(case, "failure", message=message, type=kind).text = message
    return case


def _class_case(row: Mapping[str, Any]) -> ET.Element:
    case = ET.Element("testcase", name=_clean(row["name"]))
    if row["iou"] is None:
        ET.SubElement(case, "skipped").text = "its IoU is undefined"
    return case


def _add_suite(
    root: ET.Element,
    name: str,
    cases: Sequence[ET.Element],
    properties: Mapping[str, str],
    timestamp: datetime,
) -> None:
    suite = ET.SubElement(
        root,
        "testsuite",
        id=str(len(root)),
        package="segeval",
        name=name,
        timestamp=f"{timestamp:%Y-%m-%dT%H:%M:%S}",
        hostname="localhost",
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors="0",
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time="0",
    )
    texts = {_clean(key): _clean(value) for key, value in properties.items()}
    holder = ET.SubElement(suite, "properties")
    for key, value in texts.items():
        ET.SubElement(holder, "property", name=key, value=value)
    for case in cases:
        case.set("classname", name)
        case.set("time", "0")
        suite.append(case)
    lines = (f"{key} = {value}\n" for key, value in texts.items())
    ET.SubElement(suite, "system-out").text = "".join(lines)
    ET.SubElement(suite, "system-err")


def _digits(value: float | None) -> str:
    return "undefined" if value is None else repr(value)


def _clean(text: str) -> str:
    r"""Write what is not seen, and characters that XML cannot hold, as Python does.

    >>> print(_clean("a" + chr(27)))
    a\x1b
    """
    return FORBIDDEN.sub(lambda found: repr(found[0])[1:-1], visible(text))
