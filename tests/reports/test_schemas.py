"""Every JSON document is what its schema in the package says, and nothing in it is left unsaid."""

from __future__ import annotations

import json
import runpy
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from jsonschema import Draft202012Validator
from made.maps import save_map
from made.sets import data_set, frozen, segeval
from made.volumes import save_volume

from segeval.cli import app
from segeval.cli import config as settings
from segeval.cli.hints import hints_of
from segeval.errors import SettingError

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "segeval" / "schemas"
SCHEMAS = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
EXPECTED = PROJECT / "tests" / "golden" / "expected" / "conformance.json"
OBJECTS = PROJECT / "tests" / "objects" / "schema-1.segeval"
DOCUMENTS = sorted(SCHEMAS.keys() - {"settings"})
GROUP: Any = typer.main.get_command(app)
Documents = dict[str, list[dict[str, Any]]]

OVERLAP = "overlap = true\n" + "".join(
    f"[[labels]]\nname = '{name}'\nvalues = {values}\n"
    for name, values in (("none", [0]), ("whole", [1, 2]), ("core", [2]))
)
FREE = """
settings.* hard.* summary.*_worst* summary.best_fbeta* commands.* commands.*.*
summary.worst* summary.bce summary.dice summary.focal summary.jaccard summary.lovasz_softmax
summary.cross_entropy *.measured
objects objects.distances objects.distances.classes *objects.distances.*infinite
objects.distances.*intervals* *distances.*.infinite* object_distances
*objects.distances *objects.distances.summary.*_hd95 *objects.distances.classes.#.*_hd95
objects.headline objects.class objects.intervals* objects.sizes *objects.summary.*
*objects.classes.#.* others others.#.objects others.#.distances between
distances.summary.hd95 *distances.*@* *distances.classes.#.hd95 *distances.*undefined

others.#.classes.#.* others.#.summary.*
summary.mboundary_iou averaged.images_of.mboundary_iou classes.#.boundary_iou
summary.mtrimap_* averaged.images_of.mtrimap_* classes.#.trimap_* boundary trimap
distances distances.*.intervals* distances.*infinite *.hd95 *.nsd.?*
distances.definition.* objects.distances objects.distances.classes
summary.*@?% summary.*@?px classes.#.*@?% classes.#.*@?px
boundary.#.intervals* boundary.#.classes.#.intervals*
boundary_f boundary_f.intervals* boundary_f.classes.#.intervals* classes.#.boundary_f
summary.mboundary_f averaged.images_of.mboundary_f
topology topology.intervals* topology.classes.#.intervals* classes.#.cldice classes.#.betti*
summary.mcldice averaged.images_of.mcldice summary.mbetti* averaged.images_of.mbetti*
trimap.#.intervals* trimap.#.classes.#.intervals*
groups foreground spacing unit confusion.undefined averaged.classes_of* spread.iou.* spread.dice.*
resampling.undefined.* intervals.* classes.#.intervals classes.#.intervals.*
classes.#.undefined.* classes.#.objects *.#.*.undefined summary.*.undefined gates.#.*
""".split()
"""Keys that may be missing: those of options that are not given, and of what is not there."""


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Documents:
    """Write every document there is, with every option that adds to it."""
    folder = tmp_path_factory.mktemp("schemas")
    written = count()

    def made(*arguments: object, expect: int = 0) -> dict[str, Any]:
        path = folder / f"{next(written)}.json"
        segeval(*arguments, "--json", path, "-q", "--no-config", expect=expect)
        return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]

    run, other, best, bands, far = (folder / f"{number}.segeval" for number in range(5))
    first, second = frozen([[0, 1], [2, 2]]), frozen([[0, 1], [2, 1]])
    small = data_set(
        folder / "small",
        {"a_0": (first, second), "b_1": (first, first), "c_2": (first, 1 - first // 2)},
    )
    better = data_set(folder / "better", dict.fromkeys(("a_0", "b_1", "c_2"), (first, first)))
    two = data_set(folder / "two", dict.fromkeys(("a_0", "b_1"), (first > 0, second > 1)))
    for name in ("a_0", "b_1"):
        save_map(folder / "maps" / f"{name}.npy", np.array([[0.1, 0.8], [0.7, 0.4]], np.float32))
        save_volume(folder / "volumes" / f"{name}.nii.gz", first[..., None])
    volumes = [folder / "volumes"] * 2
    regions = folder / "regions.toml"
    regions.write_text(OVERLAP, encoding="utf-8")
    fewer = data_set(folder / "fewer", dict.fromkeys(("a_0", "b_1"), (first, second)))
    held = (*fewer, "--like", "monai", "--baseline", other, "--max-drop", "1%")
    parts = ("--objects", "components", "--size-bins", "0,2", "--iou-thresholds", "0.5,0.75")
    near = ("--boundary", "1px,2%", "--trimap", "1px,2px", "--boundary-f", "--topology")
    drawn = ("--ci", "20", "--group-by", "_(.)")
    certain = ("--ci", "20", "--significant")
    thin = ("--objects", "components", "--iou-thresholds", "0.5", "--ci", "20", "--distances")
    maps = (folder / "maps", two[1])
    config = segeval("config", "--config", samples / "segeval.toml", "--format", "json").stdout
    return {
        "scores": [
            made("score", *small, *parts, *drawn, "--distances", "-o", run),
            made("score", *two, *parts, "--fail-under", "0.1"),
            made("score", *small, "--like", "monai", "--worst", "50", "-o", other),
            made("score", *better, "--labels", regions, "-o", best),
            made("score", *small, "--distances", "--like", "monai", "-o", far),
            made("score", *small, *near, "--ci", "20", "-o", bands),
            made("score", *volumes),
            made("report", OBJECTS, "--objects", "ids", "--like", "stardist"),
            made("score", *held, expect=1),
            made("score", *held, "--allow-missing", "c_2", *certain),
        ],
        "comparison": [
            made("compare", run, run, run, *thin),
            made("compare", run, best, "--ci", "20"),
            made("compare", bands, bands, *near, "--ci", "20"),
            made("compare", far, far, "--distances", "--like", "monai", "--ci", "20"),
        ],
        "explain": [
            made("explain", run, "--between", "cityscapes", "monai"),
            made("explain", OBJECTS, "--objects", "ids"),
            made("explain", run, "--distances"),
            made("explain", *small, "--distances", "--spacing", "0.5,0.5", *parts[:2]),
        ],
        "sweep": [made("sweep", *maps, "--missing", "skip")],
        "losses": [
            made("losses", *maps, "--fail-over", "dice=9"),
            made("losses", samples / "probs", samples / "truth", "--include", "*_00"),
        ],
        "config": [json.loads(config)],
        "conformance": [json.loads(EXPECTED.read_text("utf-8"))],
    }


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"urn:segeval:{name}:1"


def places(part: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where every key of a document stands, in the first and last entry of every list."""
    entries = part.items() if isinstance(part, dict) else list(enumerate(part))[:1]
    for key, value in entries:
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


def valid_without(
    validator: Draft202012Validator, document: Any, place: tuple[str | int, ...]
) -> bool:
    """Whether nobody sees that a key is missing."""
    part = document
    for key in place[:-1]:
        part = part[key]
    value = part.pop(place[-1])
    valid = validator.is_valid(document)
    part[place[-1]] = value
    return valid


def name_of(place: tuple[str | int, ...]) -> str:
    return ".".join("#" if isinstance(key, int) else key for key in place)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_valid_and_a_key_that_is_missing_is_seen(
    documents: Documents, name: str
) -> None:
    validator = Draft202012Validator(SCHEMAS[name])
    tried: set[str] = set()  # of the documents before
    for document in documents[name]:
        assert document["schema"] == f"segeval.{name}/1"
        validator.validate(document)
        named = {name_of(place): place for place in places(document) if place[-1] != 0}
        untried = [
            name
            for name in named.keys() - tried
            if not any(fnmatchcase(name, pattern) for pattern in FREE)
        ]
        tried |= named.keys()
        assert not [name for name in untried if valid_without(validator, document, named[name])]


def closed(schema: Any) -> Any:
    """Refuse what a schema does not speak of."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    return {"additionalProperties": False} | inner if schema.get("type") == "object" else inner


def test_every_key_is_described_and_every_description_has_a_key(documents: Documents) -> None:
    for name in DOCUMENTS:
        validator = Draft202012Validator(closed(SCHEMAS[name]))
        for document in documents[name]:
            validator.validate(document)
    written = keys(list(documents.values()))
    assert sorted(named([SCHEMAS[name] for name in DOCUMENTS]) - written) == []


def keys(part: Any) -> set[str]:
    """Return all the keys of a document."""
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return set(part if isinstance(part, dict) else ()).union(*map(keys, parts))


def named(schema: Any) -> set[str]:
    """Return all the properties that a schema speaks of."""
    parts = schema.values() if isinstance(schema, dict) else schema
    inner = [named(each) for each in parts if isinstance(each, dict | list)]
    own = schema.get("properties", ()) if isinstance(schema, dict) else ()
    return set(own).union(*inner)


def sample(schema: dict[str, Any]) -> list[Any]:
    """Return values that an option might be given, right and wrong."""
    choices = [each["enum"][0] for each in (schema, *schema.get("anyOf", ())) if "enum" in each]
    return [True, 7, -7, 2.5, "x", [], ["x"], [3, "y"], ["x", "y"], [7, 7], {"a": 1}, *choices]


def taken(name: str, content: dict[str, Any]) -> bool:
    """Whether a command takes a file of settings, before it looks at what texts say."""
    context: Any = typer.Context(GROUP)
    own: Any = typer.Context(GROUP.commands[name], info_name=name, parent=context)
    file = settings.ConfigFile(path=Path("segeval.toml"), table="", content=content, lines={})
    try:
        settings.hand_over(own, settings.settings_of(own, file, {}))
    except SettingError:
        return False
    return True


@pytest.mark.parametrize("name", ["score", "explain"])
def test_settings_are_refused_by_the_schema_as_by_the_program(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(settings, "options_of", cache(settings.options_of))
    monkeypatch.setattr(settings, "hints_of", cache(hints_of))
    validator = Draft202012Validator(SCHEMAS["settings"])
    options = SCHEMAS["settings"]["$defs"]["options"]["properties"]
    assert len(options) > 100
    for option, schema in options.items():
        for value in sample(schema):
            content = {name: {option.replace("-", "_"): value}}
            assert validator.is_valid(content) == taken(name, content), content


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("labels = 'voc'\n[score]\nfail_under = [0.5, 'iou.1=0.9']", True),
        ("[labels]", True),
        ("[labels]\nlabels = 'voc'", False),
        ("pooling = 'pixel'", False),
        ("score = 1", False),
        ("nosuch = 1", False),
        ("[score]\nnosuch = 1", False),
        ("[config]\nformat = 'json'", False),
    ],
)
def test_tables_and_keys_at_the_top(text: str, *, valid: bool) -> None:
    validator = Draft202012Validator(SCHEMAS["settings"])
    assert validator.is_valid(tomllib.loads(text)) == valid


def test_the_schema_of_settings_is_fresh() -> None:
    made = runpy.run_path(str(PROJECT / "docs" / "make_schema.py"))
    text = (FOLDER / "settings.json").read_text("utf-8")
    assert text == made["text"](made["schema"]()) + "\n", "type `make docs`"


def test_config_says_where_schemas_are(documents: Documents) -> None:
    assert Path(documents["config"][0]["schemas"]) == FOLDER
