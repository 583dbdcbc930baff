"""Label files of every format are read alike, and every mistake in them is named by its line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from segeval.errors import LabelError, SettingError
from segeval.labels.labelmap import Label
from segeval.labels.load import builtin_names, load_labels

FACTS = Path(__file__).parents[3] / "shared" / "labelmaps.json"

Colors = tuple[tuple[int, int, int], ...]


def made_label(name: str, *values: int, colors: Colors = (), group: str = "") -> Label:
    return Label(
        name=name, truth_values=values, prediction_values=values, colors=colors, group=group
    )


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    if not FACTS.is_file():
        pytest.skip("the facts about built-in label maps are not there")
    content: dict[str, Any] = json.loads(FACTS.read_text("utf-8"))
    del content["about"]
    return content | {f"{name}-train": counted_from_zero(content[name]) for name in SHIFTED}


SHIFTED = {
    "ade20k": "ADE20KDataset with reduce_zero_label: classes 0..149, 255 void",
    "loveda": "LoveDADataset with reduce_zero_label: classes 0..6, 255 void",
    "pascal-context": "PascalContextDataset59 with reduce_zero_label: classes 0..58, 255 void",
}


def counted_from_zero(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a map whose classes count from 1 as mmsegmentation trains on them."""
    classes = [label | {"values": [label["values"][0] - 1]} for label in facts["labels"]]
    (source,) = [what for what in SHIFTED.values() if what.split()[0] in facts["source"]]
    return {"source": f"mmsegmentation, class {source}", "void": [255], "labels": classes}


def test_every_known_map_is_built_in_and_no_other(facts: dict[str, Any]) -> None:
    assert builtin_names() == sorted(facts)


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_map_equals_its_facts(facts: dict[str, Any], name: str) -> None:
    labels, stated = load_labels(name), facts[name]
    expected = [
        made_label(
            label["name"],
            *label["values"],
            colors=tuple(map(tuple, label.get("colors", [label["color"]]))),
            group=label.get("group", ""),
        )
        for label in stated["labels"]
    ]
    assert list(labels.labels) == expected
    assert labels.name == name
    assert labels.source == stated["source"]
    assert labels.void == tuple(stated["void"])
    assert labels.void_colors == tuple(map(tuple, stated.get("void_colors", [])))


ROAD = made_label("road", 7, colors=((128, 64, 128),), group="flat")
CAR = made_label("car", 9, colors=((0, 0, 142),), group="vehicle")

SAME_CLASSES = {
    "tables.toml": """
        [[labels]]
        name = "road"
        values = [7]
        color = [128, 64, 128]
        group = "flat"
        [[labels]]
        name = "car"
        values = 9
        color = "#00008e"
        group = "vehicle"
        """,
    "inline.toml": """
        labels = [
            { name = "road", values = [7], colors = [[128, 64, 128]], group = "flat" },
            { name = "car", values = [9], colors = ["#00008E"], group = "vehicle" },
        ]
        """,
    "table.csv": "name,value,r,g,b,group\nroad,7,128,64,128,flat\ncar,9,0,0,142,vehicle\n",
    "spaces.csv": "\ufeffName, Value, R, G, B, Group\n\nroad, 7, 128, 64, 128, flat\n"
    "car , 9, 0, 0, 142, vehicle\n",
}


@pytest.mark.parametrize("name", SAME_CLASSES)
def test_formats_with_colours_and_groups_state_the_same_classes(tmp_path: Path, name: str) -> None:
    labels = load_labels(written(tmp_path, name, SAME_CLASSES[name]))
    assert labels.labels == (ROAD, CAR)
    assert labels.name == Path(name).stem


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("a.yaml", "names: [road, car]", (0, 1)),
        ("a.yml", "names:\n- road\n- car\n", (0, 1)),
        ("a.yaml", "names:\n  7: road\n  9: car\nnc: 2\n", (7, 9)),
        ("a.csv", "name,value\nroad,7\ncar,9\n", (7, 9)),
        ("a.csv", "name\nroad\ncar\n", (0, 1)),
        ("a.csv", "value,name\n7,road\n9,car\n", (7, 9)),
        ("a.txt", "road\ncar\n\n", (0, 1)),
        ("names", "road\r\ncar", (0, 1)),
    ],
)
def test_names_alone_are_numbered_or_take_the_stated_values(
    tmp_path: Path, name: str, text: str, values: tuple[int, int]
) -> None:
    labels = load_labels(str(written(tmp_path, name, text)))
    assert labels.labels == (made_label("road", values[0]), made_label("car", values[1]))


def test_a_csv_of_colours_numbers_its_classes(tmp_path: Path) -> None:
    labels = load_labels(written(tmp_path, "a.csv", "name,r,g,b\nroad,1,2,3\ncar,4,5,6\n"))
    assert [label.colors for label in labels.labels] == [((1, 2, 3),), ((4, 5, 6),)]
    assert [label.truth_values for label in labels.labels] == [(0,), (1,)]


def test_the_two_sides_may_hold_different_values(tmp_path: Path) -> None:
    text = '[[labels]]\nname = "road"\ntruth_values = [7, 8]\nprediction_values = 0\n'
    (label,) = load_labels(written(tmp_path, "a.toml", text)).labels
    assert (label.truth_values, label.prediction_values) == ((7, 8), (0,))
    assert (label.values("truth"), label.values("prediction")) == ((7, 8), (0,))


def test_a_toml_file_states_void_colours_name_and_source(tmp_path: Path) -> None:
    text = 'name = "mine"\nsource = "me"\nvoid = [254, 255]\nvoid_colors = ["#000000", [1, 2, 3]]\n'
    labels = load_labels(written(tmp_path, "a.toml", text + '[[labels]]\nname="a"\nvalues=[0]\n'))
    assert (labels.name, labels.source, labels.void) == ("mine", "me", (254, 255))
    assert labels.void_colors == ((0, 0, 0), (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "void"),
    [("ignore: 255", (255,)), ("void: [0, 255]", (0, 255)), ("ignore: [0, 255]", (0, 255))],
)
def test_a_yaml_file_states_void(tmp_path: Path, text: str, void: tuple[int, ...]) -> None:
    path = written(tmp_path, "a.yaml", f"names: {{1: road}}\n{text}\n")
    assert load_labels(path).void == void


BAD = [
    ("a.toml", "x == 1", r"not valid TOML: .*line 1"),
    ("a.toml", "x = 1", r"it lists no classes: expected \[\[labels\]\]"),
    ("a.toml", 'labels = ["a"]', "it lists no classes"),
    ("a.toml", "labels = []", "names no class"),
    ("a.toml", "[[labels]]\nvalues = [1]", "line 1: a class has no name"),
    ("a.toml", '\n[[labels]]\nname = " "\nvalues = [1]', "line 2: a class has no name"),
    ("a.toml", '[[labels]]\nname = "a"', "line 1: class 'a': it has neither values nor a colour"),
    ("a.toml", '[[labels]]\nname = "a"\nvalues = [0.5]', "line 1: class 'a': value 0.5 is not a"),
    ("a.toml", '[[labels]]\nname = "a"\nvalues = [true]', "line 1: class 'a': value True is not"),
    ("a.toml", '[[labels]]\nname = "a"\ncolor = [1, 2, 256]', "line 1: .*colour .*256. is not"),
    ("a.toml", '[[labels]]\nname = "a"\ncolor = [1, 2]', "line 1: class 'a': colour .1, 2. is not"),
    ("a.toml", '[[labels]]\nname = "a"\ncolor = "#12345g"', "line 1: class 'a': colour '#12345g'"),
    ("a.toml", '[[labels]]\nname = "a"\ncolors = 5', "line 1: class 'a': "),
    ("a.toml", 'void = ["x"]\n[[labels]]\nname = "a"\nvalues = [1]', r"void\b.*value 'x' is not"),
    ("a.toml", 'void_colors = 5\n[[labels]]\nname = "a"\nvalues = [1]', "void_colors"),
    ("a.toml", 'void = [1]\n[[labels]]\nname = "a"\nvalues = [1]', "value 1 is .* a and of void"),
    (
        "a.toml",
        'labels = [\n{ name = "a", values = [1] },\n{ name = "b", values = [2, 1] },\n]',
        "line 3: truth value 1 of class 'b' is already that of class 'a' on line 2",
    ),
    (
        "a.toml",
        '[[labels]]\nname = "a"\nvalues = [1]\n\n[[labels]]\nname = "a"\nvalues = [2]',
        "line 5: name 'a' of class 'a' is already that of class 'a' on line 1",
    ),
    (
        "a.toml",
        '[[labels]]\nname = "a"\nprediction_values = 3\n[[labels]]\nname="b"\nprediction_values=3',
        "line 4: prediction value 3 of class 'b' is already that of class 'a' on line 1",
    ),
    ("a.yaml", "a: [", "not valid YAML: .*line 1"),
    ("a.yaml", "", "it lists no classes: expected `names:`"),
    ("a.yaml", "- a", "it lists no classes"),
    ("a.yaml", "names: 3", "it lists no classes"),
    ("a.yaml", "names: []", "names no class"),
    ("a.yaml", "names:\n- a\n- a", "line 3: name 'a' of class 'a' is already .* on line 2"),
    (
        "a.yaml",
        "names:\n  0: a\n  0: b",
        "line 3: truth value . of class 'b' is already that of class 'a' on line 2",
    ),
    (
        "a.yaml",
        "names:\n  1: a\n  0x1: b",
        "line 3: truth value . of class 'b' is already that of class 'a' on line 2",
    ),
    ("a.yaml", "names:\n  x: a", "line 2: class 'a': value 'x' is not a whole number"),
    ("a.yaml", "names:\n- a\n- 3", "line 3: a class has no name"),
    ("a.yaml", "names: [a]\nnames: [a, b]", ""),
    ("a.csv", "", "line 1: there is no column `name`"),
    ("a.csv", "name;value\na;1", "line 1: there is no column `name`"),
    ("a.csv", "name,value\n", "names no class"),
    ("a.csv", "name,value\na,x", "line 2: 'x' is not a whole number"),
    ("a.csv", "name,value\na,-9223372036854775808", "line 2: class 'a': -92.* is no value of a"),
    ("a.csv", "name,value\na,1\n\n,2", "line 4: a class has no name"),
    ("a.csv", "name,value\na,1\n\nb,1", "line 4: truth value 1 of class 'b' .* on line 2"),
    ("a.csv", "name,value\na,1\nb", "line 3: "),
    ("a.csv", "value,name\n1,a\n2", "line 3: "),
    ("a.csv", "name,r,g,b\na,1,2", "line 2: '' is not a whole number"),
    ("a.csv", "name,r,g,b\na,1,2,300", "line 2: class 'a': colour .*300. is not"),
    ("a.txt", "", "names no class"),
    ("a.txt", "a\n\nb", "line 2: a class has no name"),
    ("a.txt", "a\nb\na", "line 3: name 'a' of class 'a' is already that of class 'a' on line 1"),
    ("a.txt", b"\x89PNG\xff", r"cannot be read: it is not UTF-8 text \(line 1\)"),
]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    BAD,
    ids=[f"{number} {name}" for number, (name, *_) in enumerate(BAD)],
)
def test_a_bad_label_file_is_refused_with_its_name_and_line(
    tmp_path: Path, name: str, text: str | bytes, reason: str
) -> None:
    path = written(tmp_path, name, text)
    with pytest.raises(LabelError, match=rf"^{re.escape(str(path))}: .*{reason}"):
        load_labels(path)


def test_an_unknown_name_lists_the_built_in_ones() -> None:
    with pytest.raises(SettingError, match=r"called 'citiscapes'; .*ade20k, .*cityscapes, .*voc\)"):
        load_labels("citiscapes")


def test_a_folder_named_like_a_built_in_map_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cityscapes").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_labels("cityscapes").name == "cityscapes"
