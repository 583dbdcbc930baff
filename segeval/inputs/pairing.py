"""Find which predicted mask belongs to which truth, by the same relative path on both sides.

Every problem of the whole set is collected; nothing is dropped in silence.
"""

from __future__ import annotations

import itertools
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, overload

from segeval.errors import Problem, SettingError
from segeval.inputs.annotations import Annotation, Masked, Place
from segeval.inputs.folders import is_included, path_of, split_extension
from segeval.inputs.forms import ABSENT
from segeval.inputs.sides import index_sides, is_mask_file
from segeval.settings import AnnotationChoice, Match, Missing
from segeval.storage.path import TABLES, URL, StoredPath, is_remote, located
from segeval.textfiles import TextError, named, parse_csv, read_text

HERE: Final = f".{os.sep}"  # start of texts below the current folder, which no path has
LARGEST_TABLE: Final = 1 << 30  # bytes of a table of pairs
TRIED: Final = 200  # names that are looked at to propose a suffix
ENDINGS: Final = 12  # most frequent ends of names that are tried as a suffix
TELLING: Final = "label", "mask", "seg", "gt"  # what truths are called among files of other kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A truth, its prediction or None where all is wrong, and the field of view that is judged."""

    name: str
    truth: Masked
    prediction: Masked | None
    group: str = ""
    roi: Path | None = None

    @property
    def masks(self) -> list[Masked]:
        """The masks that there are, the truth first."""
        return [mask for mask in (self.truth, self.roi, self.prediction) if mask is not None]

    @property
    def files(self) -> list[Path]:
        """The files of the masks, the truth first."""
        several = (mask.files if isinstance(mask, Annotation) else [mask] for mask in self.masks)
        return list(itertools.chain(*several))


class Pairs(Sequence[Pair]):
    """Pairs as columns, as there may be millions; each is an object when it is asked for."""

    def __init__(
        self, names: list[str], truths: list[Place], predictions: list[Place | None]
    ) -> None:
        self._columns = names, truths, predictions

    @classmethod
    def of(
        cls, names: Iterable[str], truths: Mapping[str, Place], predictions: Mapping[str, Place]
    ) -> Pairs:
        """Return the pairs of these names in ascending order, in which they mostly are."""
        ordered = sorted(names)
        if ordered == [*truths] == [*predictions]:
            return cls(ordered, [*truths.values()], [*predictions.values()])
        return cls(ordered, [truths[name] for name in ordered], [*map(predictions.get, ordered)])

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._columns[0])

    @overload
    def __getitem__(self, place: int) -> Pair: ...

    @overload
    def __getitem__(self, place: slice) -> Pairs: ...

    def __getitem__(self, place: int | slice) -> Pair | Pairs:
        """Return one pair, or some of them."""
        names, truths, predictions = self._columns
        if isinstance(place, slice):
            return Pairs(names[place], truths[place], predictions[place])
        return _pair(names[place], truths[place], predictions[place])

    def __iter__(self) -> Iterator[Pair]:
        """Yield every pair."""
        return map(_pair, *self._columns)

    def placed(self) -> Iterator[tuple[str, str, Sequence[Place]]]:
        """Yield what `placed` does."""
        for name, truth, prediction in zip(*self._columns, strict=True):
            if isinstance(truth, str) and isinstance(prediction, str):
                yield name, "", (truth.removeprefix(HERE), prediction.removeprefix(HERE))
            else:
                yield name, "", _pair(name, truth, prediction).masks


def placed(pairs: Iterable[Pair]) -> Iterator[tuple[str, str, Sequence[Place]]]:
    """Yield name, group and masks of pairs; files as texts where they are columns of texts."""
    if isinstance(pairs, Pairs):
        return pairs.placed()
    return ((pair.name, pair.group, pair.masks) for pair in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of a data set in stable order, its problems, and what was left out by name."""

    pairs: Sequence[Pair]
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # files that are no masks by their names
    facts: tuple[str, ...] = ()  # what decides the pixels of annotations, for the signature
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)  # of values, by side


def find_pairs(
    *,
    prediction: Path,
    truth: Path,
    pred_suffix: str = "",
    truth_suffix: str = "",
    match: Match = "path",
    include: str | None = None,
    missing: Missing = "error",
    annotations: AnnotationChoice | None = None,
) -> Pairing:
    """Pair the masks of two folders, walked recursively, of tables, or two single files.

    A suffix is the end of the names on that side, stripped before names are matched, e.g.
    ``"_gtFine_labelIds"``; files without it are left alone. Names that ``match`` by stem may lie
    in other folders, if their last part stands once on each side. ``include`` is a glob that the
    name of a pair must match, e.g. ``"frankfurt/*"``. Pairs come in ascending order of their names.
    """
    chosen = annotations or AnnotationChoice()
    by_name = chosen.split("truth").by_name or chosen.split("prediction").by_name
    if is_mask_file(prediction) and is_mask_file(truth) and not by_name:
        name = split_extension(truth.name)[0]
        return Pairing(pairs=(Pair(name=name, truth=truth, prediction=prediction),))
    places, suffixes = (prediction, truth), (pred_suffix, truth_suffix)
    sides = index_sides(places, chosen, suffixes, include)
    predictions, truths = (side.files for side in sides)
    problems = [problem for side in sides for problem in side.problems]
    if match == "stem":
        predictions = _by_stem(truths, predictions, problems)
    absent, extra = _only(truths, predictions), _only(predictions, truths)
    if absent or extra:
        problems += _unmatched(truths, predictions, prediction, missing, sides[0].nothing)
    facts = [fact for side in sides for fact in side.facts]
    if missing == "error" and sides[0].nothing is not None and absent:
        predictions, absent = _with_nothing(truths, predictions, sides[0].nothing), []
        facts.append(ABSENT)
    left = sides[0].unread | sides[1].unread | {*(absent if missing != "worst" else ())}
    return Pairing(
        pairs=Pairs.of(itertools.filterfalse(left.__contains__, truths), truths, predictions),
        problems=tuple(problems),
        missing=tuple(absent) if missing != "error" else (),
        extra=tuple(extra),
        left_out=tuple(path for side in sides for path in side.left_out),
        facts=tuple(dict.fromkeys(facts)),
        names=dict(zip(("prediction", "truth"), (side.names for side in sides), strict=True)),
    )


def _only(names: Mapping[str, Place], others: Mapping[str, Place]) -> list[str]:
    """Return the names that the others lack in ascending order; mostly both are the same."""
    return [] if [*names] == [*others] else sorted(names.keys() - others.keys())


def _pair(name: str, truth: Place, prediction: Place | None) -> Pair:
    """Return a pair, whose truth may need to know the other side."""
    truth = path_of(truth) if isinstance(truth, str) else truth
    prediction = path_of(prediction) if isinstance(prediction, str) else prediction
    if isinstance(truth, Annotation) and prediction is not None:
        truth = truth.beside(prediction)
    return Pair(name=name, truth=truth, prediction=prediction)


def _with_nothing(
    truths: Mapping[str, Place], predictions: Mapping[str, Place], nothing: Annotation
) -> dict[str, Place]:
    """Give truths without a text the prediction of nothing."""
    absent = truths.keys() - predictions.keys()
    empty = {n: replace(nothing, path=nothing.path / f"{n}.txt", key=n) for n in absent}
    return {**predictions, **empty}


def _unmatched(
    truths: Mapping[str, Place],
    predictions: Mapping[str, Place],
    place: Path,
    missing: Missing,
    nothing: Annotation | None,
) -> list[Problem]:
    """Say which names do not match; once, if one reason explains them."""
    common = sorted(truths.keys() & predictions.keys())
    absent = sorted(truths.keys() - predictions.keys())
    few = 2 * len(common) < min(len(truths), len(predictions)) and missing == "error"
    if len(predictions) > len(common) and truths and (few or (not common and missing != "worst")):
        return [_few_match(truths, predictions, common)]
    if missing != "error" or not absent or not predictions or nothing is not None:
        return []
    return _other_files(common, absent, truths[absent[0]]) or [
        _missing_prediction(name, truths[name], place) for name in absent
    ]


def _by_stem(
    truths: Mapping[str, Place], predictions: Mapping[str, Place], problems: list[Problem]
) -> dict[str, Place]:
    """Name predictions like the truths of the same stem, which must stand once on each side."""
    sides: list[dict[str, str]] = []
    for side, names in (("truth", truths), ("prediction", predictions)):
        stems: dict[str, str] = {}
        for name in sorted(names):
            stem = name.rpartition("/")[2]
            if stems.setdefault(stem, name) != name:
                detail = (
                    f"{names[stems[stem]]}, {names[name]}: the same stem on the {side} side; "
                    "leave out --match stem, or name the pairs with --pairs"
                )
                problems.append(Problem(name=name, kind="two files of one name", detail=detail))
        sides.append(stems)
    truth, prediction = sides
    return {truth.get(stem, name): predictions[name] for stem, name in prediction.items()}


def _missing_prediction(name: str, truth: Place, folder: Path) -> Problem:
    detail = (
        f"{truth} has no prediction {name!r} in {folder}; add it, or type --missing worst to count "
        "it as all wrong, or waive it by name with --missing skip"
    )
    return Problem(name=name, kind="missing prediction", detail=detail)


def _other_files(common: list[str], absent: list[str], file: Place) -> list[Problem]:
    """Say how all names with a prediction end, if the others differ in their end alone."""
    starts = {name[:cut] for name in absent for cut in _cuts(name)}
    for end in sorted(_endings(common, absent)[1:], key=len) if len(common) > 1 else ():
        if all(name.endswith(end) and name.removesuffix(end) in starts for name in common):
            detail = (
                f"{len(absent)} truths such as {file} have no prediction, and stand beside others "
                f"that have one; type {_suffixes(end, end)} if only names that end so are truths, "
                "else --missing worst to count them as all wrong, or --missing skip"
            )
            return [Problem(name=absent[0], kind="other files", detail=detail)]
    return []


def _few_match(
    truths: Mapping[str, Place], predictions: Mapping[str, Place], common: list[str]
) -> Problem:
    """Say that no names match, or few, and propose what would make them."""
    lonely = sorted(truths.keys() - set(common)), sorted(predictions.keys() - set(common))
    found = f"none of {len(truths)} truths has a prediction of its name: "
    if common:
        found = f"{len(common)} of {len(truths)} truths found, e.g. {common[0]!r}; of the others, "
    detail = (
        f"{found}truths are like {lonely[0][0]!r}, predictions like {lonely[1][0]!r}; "
        f"{_matching_advice(*lonely)}"
    )
    kind = "few names match" if common else "no names match"
    return Problem(name=lonely[0][0], kind=kind, detail=detail)


def _matching_advice(truths: list[str], predictions: list[str]) -> str:
    """Return the options that make most names match."""
    stems = [[name.rpartition("/")[2] for name in names] for names in (truths, predictions)]
    if set(stems[0]) & set(stems[1]):
        if all(len(set(names)) == len(names) for names in stems):
            return "only the folders differ: type --match stem"
        return "only the folders differ: use the same ones, or name the pairs with --pairs"
    for (ours, theirs), more in (((truths, predictions), ""), (stems, " --match stem")):
        if ends := common_ends(ours, theirs):
            return f"type {_suffixes(*ends)}{more}"
    return "give --truth-suffix or --pred-suffix, or name the pairs with --pairs"


def _suffixes(truth: str, prediction: str) -> str:
    """Write the options that strip the ends of names."""
    options = (("--truth-suffix", truth), ("--pred-suffix", prediction))
    return " ".join(f"{option} {shlex.quote(end)}" for option, end in options if end)


def common_ends(names: list[str], others: list[str]) -> tuple[str, str] | None:
    """Return the ends of names on either side without which most of them match, or None."""
    cut = (_without_ends(names, others), _without_ends(others, names))
    ranked = [
        (len(a & b), [w in end.lower() for w in TELLING], -len(end) - len(other), end, other)
        for end, a in cut[0].items()
        for other, b in cut[1].items()
    ]
    matches, _, _, end, other = max(ranked, default=(0, [], 0, "", ""))
    return (end, other) if 2 * matches > min(len(names), len(others)) else None


def _without_ends(names: list[str], others: list[str]) -> dict[str, set[str]]:
    """Return the names that have each end, without it, where they still are different names."""
    cut = {
        end: [name.removesuffix(end) for name in names if name.endswith(end)]
        for end in _endings(names, others)
    }
    return {end: set(found) for end, found in cut.items() if len(set(found)) == len(found)}


def _endings(names: list[str], others: list[str]) -> list[str]:
    """Return what may be the end of names: from a separator on, or what others lack."""
    tails = Counter(name[cut:] for name in names for cut in _cuts(name))
    some, short = names[:TRIED], others[:TRIED]
    lacking = {a[len(b) :] for b in short for a in some if a.startswith(b)}
    return [
        "",
        *(tail for tail, _ in tails.most_common(ENDINGS)),
        *(lacking if len(lacking) == 1 else ()),
    ]


def _cuts(name: str) -> list[int]:
    """Return where the last part of a name has separators."""
    return [match.start() for match in re.finditer(r"[-_. ](?!.*/)", name)]


def read_pairs(
    table: Path,
    *,
    include: str | None = None,
    missing: Missing = "error",
    columns: Mapping[str, str] | None = None,
) -> Pairing:
    """Read the pairs from a CSV table ``prediction,truth[,name][,group]``, or one of images.

    Paths are relative to the folder of the table, and ``include`` is as in `find_pairs`. A pair
    without a name is called by the path of its truth. Pairs come in ascending order of their names.
    """
    if shards := image_tables(table):
        from segeval.inputs.imagetables import read_image_pairs

        return read_image_pairs(shards, columns or {}, include=include, missing=missing)
    if columns:
        raise SettingError(
            f"{table}: columns are named for tables of images alone, as .parquet or .arrow"
        )
    return _listed_pairs(table, include, missing)


def _listed_pairs(table: Path, include: str | None, missing: Missing) -> Pairing:
    """Read the pairs from a CSV table."""
    pairs: dict[str, Pair] = {}
    problems: list[Problem] = []
    absent: set[str] = set()
    for line, row in _rows(table):
        truth, prediction = (_beside(table, row[side]) for side in ("truth", "prediction"))
        name = row.get("name") or _name_of(row["truth"])
        if not is_included(include, name, row["truth"]):
            continue
        if name in pairs or name in absent:
            detail = f"{table}: line {line}: name {name!r} stands on an earlier line as well"
            problems.append(Problem(name=name, kind="two files of one name", detail=detail))
            continue
        found = prediction if _may_exist(prediction, missing) else None
        if found is None and missing == "error":
            detail = f"{table}: line {line}: {prediction} does not exist; mend the line or add it"
            problems.append(Problem(name=name, kind="missing prediction", detail=detail))
        if found is None:
            absent.add(name)
        if found is not None or missing == "worst":
            group = row.get("group") or ""
            pairs[name] = Pair(name=name, truth=truth, prediction=found, group=group)
    if not pairs and not problems:
        problems.append(
            Problem(name=str(table), kind="no pairs", detail=f"{table} names no pairs to score")
        )
    return Pairing(
        pairs=tuple(sorted(pairs.values(), key=lambda pair: pair.name)),
        problems=tuple(problems),
        missing=tuple(sorted(absent)) if missing != "error" else (),
    )


def image_tables(path: Path) -> list[Path]:
    """Return the tables of images of a path: itself, or all below a folder; none for others."""
    if os.path.isdir(path) and not isinstance(path, StoredPath):
        return [located(each) for each in sorted(path.rglob("*")) if _is_table(each)]
    return [path] if path.suffix.lower() in TABLES else []


def _is_table(path: Path) -> bool:
    """Whether a file is a table, but none that the library of Hugging Face keeps for itself."""
    named = path.suffix.lower() in TABLES and not path.name.startswith("cache-")
    return named and path.is_file()


def _name_of(text: str) -> str:
    """Return the path of a truth without its extension, or what an address asks for."""
    path = located(text)
    start = str(path).partition("?")[0] if is_remote(path) else path.as_posix()
    return split_extension(start)[0]


def _beside(table: Path, text: str) -> Path:
    """Return a path that a table names: a whole one, or one that starts from its folder."""
    return located(text) if URL.match(text) else located(table.parent / text)


def _may_exist(path: Path, missing: Missing) -> bool:
    """Whether a file is there; what an address leads to is seen when it is read, unless waived."""
    if not isinstance(path, StoredPath):
        return os.path.exists(path)
    if is_remote(path) and missing == "error":
        return True
    try:
        path.entry()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return path.is_dir()
    except OSError:
        return True  # it is refused, or its archive broken: reading it says which
    return True


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    """Read the rows of a table of pairs, each with the line where it ends."""
    with named(table, SettingError):
        columns, rows = parse_csv(read_text(table, LARGEST_TABLE))
        absent = {"prediction", "truth"} - set(columns)
        if absent:
            raise TextError(
                f"column {' and '.join(sorted(absent))} is missing; "
                "the first line must be prediction,truth[,name][,group]"
            )
        for line, row in rows:
            if not row["prediction"] or not row["truth"]:
                raise TextError(f"line {line}: prediction or truth is empty")
    return rows
