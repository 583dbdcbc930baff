"""The document as JUnit XML, which CI servers show as test cases: a suite of gates, one of classes.

The layout is what the schemas of Ant (windyroad) and Jenkins agree on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from segeval.objects.names import name_block
from segeval.reports.distances import flat_scores, object_scores
from segeval.reports.wording import UNKNOWN, failure, gate_value, metrics_in, show_bound
from segeval.text import visible

FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold in any spelling."""


def to_junit(document: Mapping[str, Any], *, timestamp: datetime) -> str:
    """Write a test case a gate and a class; failed and undefined gates are failures."""
    root = ET.Element("testsuites")
    about = {"version": document["version"], "signature": document["signature"]}
    means, scores = (
        document["summary"],
        {
            f"{metric.name}.{row['name']}": row[metric.name]
            for metric in metrics_in(document, "breakdown", "files")
            for row in document["classes"]
        },
    )
    for further in (_objects(document), _distances(document)):
        means, scores = means | further[0], scores | further[1]
    if document["gates"]:
        cases = [_gate_case(gate) for gate in document["gates"]]
        _add_suite(root, "segeval.gates", cases, {**about, **_digits(means)}, timestamp)
    cases = [_class_case(row) for row in document["classes"]]
    _add_suite(root, "segeval.classes", cases, {**about, **_digits(scores)}, timestamp)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _objects(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the scores of objects by their names in gates: of all, and of classes."""
    block = document.get("objects")
    if block is None:
        return {}, {}
    means, far = name_block(block), block.get("distances")
    classes = [(r["name"], name_block(r["objects"])) for r in document["classes"] if "objects" in r]
    if far is not None:
        means |= object_scores(far)
        classes += [(row["name"], object_scores(row)) for row in far.get("classes", ())]
    return means, _by_class(classes)


def _distances(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return distances by their names in gates: the means, and those of classes."""
    block = document.get("distances")
    if block is None:
        return {}, {}
    classes = _by_class((row["name"], flat_scores(row)) for row in block["classes"])
    return flat_scores(block["means"]), classes


def _by_class(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    return {f"{name}.{kind}": value for kind, row in rows for name, value in row.items()}


def _gate_case(gate: Mapping[str, Any]) -> ET.Element:
    case = ET.Element("testcase", name=_clean(f"{gate['metric']} {show_bound(gate)}"))
    if not gate["passed"]:
        message = _clean(failure(gate))
        kind = "undefined" if gate_value(gate) == UNKNOWN else "gate"
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


def _digits(scores: Mapping[str, float | None]) -> dict[str, str]:
    return {n: "undefined" if value is None else repr(value) for n, value in scores.items()}


def _clean(text: str) -> str:
    r"""Write what is not seen, and characters that XML cannot hold, as Python does.

    >>> print(_clean("a" + chr(27)))
    a\x1b
    """
    return FORBIDDEN.sub(lambda found: repr(found[0])[1:-1], visible(text))
