"""Label files that other tools write as JSON, by what they hold: nnU-Net, COCO, Hugging Face."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from segeval.jsonfiles import members
from segeval.labels.drafts import Draft, Entry
from segeval.labels.labelmap import BACKGROUND
from segeval.text import quoted
from segeval.textfiles import TextError, check_plain

EXPECTED: Final = (
    "it lists no classes: expected `labels` (dataset.json of nnU-Net), `categories` (COCO), or "
    "`id2label` (config.json of Hugging Face)"
)
MOST_DIGITS: Final = 20  # of a value that may be one of a mask
IGNORE: Final = "ignore"  # the label of nnU-Net that is not judged


def read_json(path: Path) -> Draft:
    """Read the classes that a JSON file names; a file of annotations may be of any size."""
    top: dict[str, Any] = {}
    categories: list[Any] = []
    for member in members(path):
        if not member.entry:
            top[member.key] = member.value
        elif member.key == "categories":
            categories.append(member.value)
        elif member.key == "regions_class_order":
            top[member.key].append(member.value)
    check_plain([top, categories], {})
    if categories:
        return Draft(name=path.stem, entries=category_entries(categories))
    if "labels" in top:
        return _nnunet(top, path.stem)
    ids = top.get("id2label", top)
    if not isinstance(ids, dict) or not ids or not all(_is_number(key) for key in ids):
        raise TextError(EXPECTED)
    entries = [Entry(fields={"name": name, "values": [int(key)]}) for key, name in ids.items()]
    void = top.get("semantic_loss_ignore_index", [])
    return Draft(name=path.stem, entries=entries, top={"void": [] if str(void) in ids else void})


def category_entries(categories: list[Any]) -> list[Entry]:
    """Return the classes of COCO categories, and 0 as the background if no category has it."""
    entries = []
    for number, category in enumerate(categories, 1):
        if not isinstance(category, dict) or "id" not in category:
            raise TextError(f"category {number} is {quoted(category)}; expected an id and a name")
        fields = {"name": category.get("name"), "values": [category["id"]]}
        fields["group"] = category.get("supercategory") or ""
        if category.get("color"):
            fields["color"] = category["color"]
        entries.append(Entry(fields=fields))
    names = {str(entry.fields["name"]).lower() for entry in entries}
    if [0] in [entry.fields["values"] for entry in entries] or names & set(BACKGROUND):
        return entries
    return [Entry(fields={"name": BACKGROUND[0], "values": [0]}), *entries]


def _nnunet(top: Mapping[str, Any], stem: str) -> Draft:
    """Read names with their values (nnU-Net 2), or values with their names (nnU-Net 1)."""
    labels = top["labels"]
    if not isinstance(labels, dict) or not labels:
        raise TextError(EXPECTED)
    pairs, regions = list(labels.items()), "regions_class_order" in top
    if regions:  # regions are learned and scored one by one, and the background is none of them
        pairs = [(label, values) for label, values in pairs if values not in (0, [0])]
    if all(_is_number(key) for key in labels):
        pairs = [(label, int(key)) for key, label in labels.items()]
    entries = [Entry(fields={"name": name, "values": v}) for name, v in pairs if name != IGNORE]
    void = [value for label, value in pairs if label == IGNORE]
    order = top.get("regions_class_order")
    if regions and not (isinstance(order, list) and len(order) == len(entries)):
        raise TextError(
            f"`regions_class_order` is {quoted(order)}; expected a value for each of the "
            f"{len(entries)} regions"
        )
    return Draft(name=stem, entries=entries, top={"void": void, "overlap": regions})


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < MOST_DIGITS
