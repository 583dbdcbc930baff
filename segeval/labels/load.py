"""Read label maps: the built-in ones, and a user's TOML, YAML, CSV, JSON or plain list of names.

Every format becomes the same few plain entries, each with the line it stands on, so that one check
serves them all and every complaint names a line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any, Final

from segeval.errors import LabelError, SettingError
from segeval.labels.drafts import Draft, Entry
from segeval.labels.foreign import read_json
from segeval.labels.labelmap import Label, LabelMap
from segeval.text import counted, did_you_mean, quoted
from segeval.textfiles import (
    Node,
    TextError,
    lines_of,
    named,
    parse_csv,
    parse_toml,
    parse_yaml,
    read_text,
)
from segeval.values import integer_fault

Color = tuple[int, int, int]

TOP_KEYS: Final = frozenset({"labels", "name", "overlap", "source", "void", "void_colors"})
CLASS_KEYS: Final = frozenset(
    {"color", "colors", "group", "name", "prediction_values", "truth_values", "values"}
)

SHARED: Final = (
    "; if a value may belong to several classes, as regions share them, write `overlap = true` "
    "above the classes of a TOML file"
)


def builtin_names() -> list[str]:
    """Names of the built-in label maps, in alphabetical order."""
    folder = resources.files("segeval.labels") / "builtin"
    return sorted(
        file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")
    )


def load_labels(source: str | PathLike[str]) -> LabelMap:
    """Load a built-in label map by its name, or a user's own file.

    Parameters
    ----------
    source : str or path
        A name from `builtin_names` (write ``./voc`` for a file of that name), or a file: TOML
        (``[[labels]]`` with ``name``, ``values`` or ``truth_values`` and ``prediction_values``,
        ``color``, ``group``; top-level ``void``, ``void_colors``, ``overlap = true`` where a value
        may belong to several classes), YAML with ``names:`` (YOLO's
        ``data.yaml``), CSV with ``name,r,g,b`` or ``name,value``, JSON (``dataset.json`` of
        nnU-Net, ``categories`` of COCO, ``id2label`` of Hugging Face), or text with a class name
        a line.

    Returns
    -------
    LabelMap

    Raises
    ------
    LabelError
        If the file is not understood; names the file and the line.
    SettingError
        If there is neither a map nor a file of this name.

    Examples
    --------
    >>> load_labels("binary").names
    ['background', 'foreground']
    """
    path = Path(source)
    if str(source) in builtin_names():
        text = (resources.files("segeval.labels") / "builtin" / f"{source}.toml").read_text("utf-8")
        return _build(_parse_toml(text, str(source)))
    with named(path, LabelError):
        labels = _build(_draft(path))
    taken = labels.name in builtin_names()
    return replace(labels, name=f"{labels.name}(file)") if taken else labels


def _draft(path: Path) -> Draft:
    """Read a file as it states itself."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".json":
            return read_json(path)
        text = read_text(path)
    except TextError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
    else:
        return PARSERS.get(suffix, _parse_names)(text, path.stem)
    near = did_you_mean(path.stem, builtin_names())
    raise SettingError(
        f"no label map or file is called {quoted(str(path))}{near or ';'} type `segeval labels` "
        f"for the built-in ones ({', '.join(builtin_names())}), or name a TOML, YAML, CSV, JSON or "
        "text file"
    )


def _parse_toml(text: str, name: str) -> Draft:
    top = parse_toml(text)
    stated = top.get("labels")
    if not isinstance(stated, list) or not all(isinstance(fields, dict) for fields in stated):
        raise TextError("it lists no classes: expected [[labels]] tables with name and values")
    starts = re.compile(r"\[\[\s*labels\s*\]\]|\{")
    lines: list[int | None] = [n for n, line in enumerate(lines_of(text), 1) if starts.search(line)]
    if len(lines) != len(stated):
        lines = [None] * len(stated)
    entries = [Entry(fields=f, line=n) for f, n in zip(stated, lines, strict=True)]
    return Draft(name=top.get("name", name), entries=entries, top=top)


def _parse_yaml(text: str, name: str) -> Draft:
    """Read YAML whose ``names:`` is a list, or a mapping from value to name."""
    found: dict[object, Node] = {}
    for key, value in parse_yaml(text).pairs():
        if key.value == "names" and "names" in found:
            raise TextError(f"line {key.line}: `names:` stands twice")
        found[key.value] = value
    names, number = found.get("names", Node(line=0)), found.get("nc")
    if names.kind == "scalar":
        raise TextError("it lists no classes: expected `names:` with a list, or value: name pairs")
    pairs = names.pairs() or [(Node(line=n.line, value=i), n) for i, n in enumerate(names.items)]
    if number is not None and number.value != len(pairs):
        raise TextError(
            f"line {number.line}: `nc` is {quoted(number.value)}, but `names:` lists "
            f"{counted(len(pairs), 'name')}; mend one of them"
        )
    entries = [
        Entry(fields={"name": label.plain(), "values": [value.plain()]}, line=value.line)
        for value, label in pairs
    ]
    void = found.get("void", found.get("ignore", Node(line=0, kind="list")))
    return Draft(name=name, entries=entries, top={"void": void.plain()})


def _parse_csv(text: str, name: str) -> Draft:
    """Read ``name,r,g,b`` and ``name,value`` tables; without ``value``, rows number the classes."""
    header, rows = parse_csv(text)
    columns = {column.strip().lower() for column in header}
    if "name" not in columns:
        raise TextError("line 1: there is no column `name`; expected name,r,g,b or name,value")
    entries = []
    for index, (line, row) in enumerate(rows):
        cells = {(k or "").strip().lower(): v.strip() for k, v in row.items() if isinstance(v, str)}
        fields: dict[str, Any] = {"name": cells.get("name"), "group": cells.get("group", "")}
        stated = _number(cells.get("value", ""), line) if "value" in columns else index
        fields["values"] = [stated]
        if columns >= {"r", "g", "b"}:
            fields["color"] = [_number(cells.get(channel, ""), line) for channel in "rgb"]
        entries.append(Entry(fields=fields, line=line))
    return Draft(name=name, entries=entries)


def _parse_names(text: str, name: str) -> Draft:
    lines = [(n, line.strip()) for n, line in enumerate(lines_of(text), 1)]
    while lines and not lines[-1][1]:
        lines.pop()
    entries = [
        Entry(fields={"name": line, "values": [index]}, line=number)
        for index, (number, line) in enumerate(lines)
    ]
    return Draft(name=name, entries=entries)


PARSERS: Final = {
    ".toml": _parse_toml,
    ".yaml": _parse_yaml,
    ".yml": _parse_yaml,
    ".csv": _parse_csv,
}  # by the end of the name of a file; all others list names


def _number(text: str, line: int) -> int:
    try:
        return int(text)
    except ValueError:
        raise TextError(f"line {line}: {quoted(text)} is not a whole number") from None


def _build(draft: Draft) -> LabelMap:
    _check_keys(draft.top, TOP_KEYS, "")
    overlap = draft.top.get("overlap", False)
    if not isinstance(overlap, bool):
        raise TextError(f"overlap: {quoted(overlap)} is not true or false")
    owners: dict[tuple[str, object], Entry] = {}
    labels = []
    for entry in draft.entries:
        label = _label(entry)
        claims: list[tuple[str, object]] = [("name", label.name)]
        if not overlap:
            claims += [("truth value", value) for value in label.truth_values]
            claims += [("prediction value", value) for value in label.prediction_values]
        for claim in claims:
            other = owners.setdefault(claim, entry)
            if other is not entry:
                before = f" on line {other.line}" if other.line else ""
                raise TextError(
                    f"{_at(entry)}{claim[0]} {quoted(claim[1])} of class {quoted(label.name)} is "
                    f"already that of class {quoted(other.fields['name'])}{before}"
                    f"{SHARED if claim[0] != 'name' else ''}"
                )
        labels.append(label)
    return LabelMap(
        name=_printable(draft.name, "name"),
        labels=tuple(labels),
        void=_values(draft.top.get("void", []), "void: "),
        void_colors=_colors(draft.top.get("void_colors", []), "void_colors: "),
        source=_printable(draft.top.get("source", ""), "source"),
        overlap=overlap,
    )


def _label(entry: Entry) -> Label:
    at, fields = _at(entry), entry.fields
    _check_keys(fields, CLASS_KEYS, at)
    name = fields.get("name")
    if not isinstance(name, str) or not name.strip():
        raise TextError(f"{at}a class has no name")
    values = fields.get("values", [])
    colors = fields.get("colors", [fields["color"]] if "color" in fields else [])
    where = f"{at}class {quoted(name)}: "
    label = Label(
        name=_printable(name, f"{at}class name"),
        truth_values=_values(fields.get("truth_values", values), where),
        prediction_values=_values(fields.get("prediction_values", values), where),
        colors=_colors(colors, where),
        group=_printable(fields.get("group", ""), f"{where}group"),
    )
    if not (label.truth_values or label.prediction_values or label.colors):
        raise TextError(f"{where}it has neither values nor a colour")
    return label


def _printable(stated: object, what: str) -> str:
    """Check a name, which tables, pages and signatures show."""
    text = str(stated)
    if not text.isprintable():
        raise TextError(f"{what} {quoted(text)} holds characters that cannot be printed")
    return text


def _check_keys(stated: Mapping[str, Any], known: frozenset[str], at: str) -> None:
    for key in stated.keys() - known:
        raise TextError(f"{at}the key {quoted(key)} is not one of {', '.join(sorted(known))}")


def _at(entry: Entry) -> str:
    return f"line {entry.line}: " if entry.line else ""


def _values(stated: object, where: str) -> tuple[int, ...]:
    """Check a list of file values; a single number will do."""
    values = stated if isinstance(stated, list) else [stated]
    for value in values:
        if not isinstance(value, int) or isinstance(value, bool):
            raise TextError(f"{where}value {quoted(value)} is not a whole number")
    if fault := integer_fault(*values):
        raise TextError(f"{where}{fault}")
    return tuple(values)


def _colors(stated: object, where: str) -> tuple[Color, ...]:
    if not isinstance(stated, list):
        raise TextError(f"{where}{quoted(stated)} is not a list of colours")
    return tuple(dict.fromkeys(_color(color, where) for color in stated))


def _color(stated: object, where: str) -> Color:
    if isinstance(stated, str) and re.fullmatch("#[0-9a-fA-F]{6}", stated):
        stated = list(bytes.fromhex(stated[1:]))
    channels = stated if isinstance(stated, list) else []
    bytes_only = (type(x) is int and 0 <= x <= 255 for x in channels)
    if len(channels) != 3 or not all(bytes_only):
        raise TextError(
            f"{where}colour {quoted(stated)} is not three numbers from 0 to 255 or #rrggbb"
        )
    red, green, blue = channels
    return red, green, blue
