"""Find which predicted mask belongs to which truth, by the same relative path on both sides.

Every problem of the whole set is collected; nothing is dropped in silence.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import stat
import unicodedata
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from segeval.errors import Problem, SettingError
from segeval.files import real_path
from segeval.settings import Match, Missing
from segeval.text import printable, reason_of
from segeval.textfiles import TextError, named, parse_csv, read_text

IMAGE_EXTENSIONS: Final = frozenset(
    ".png .tif .tiff .bmp .gif .npy .npz .jpg .jpeg .jpe .jp2 .webp".split()
)  # extensions of the files that are looked at; all others are left alone

LITTER: Final = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}  # of systems, not of users

LARGEST_TABLE: Final = 1 << 30  # bytes of a table of pairs
TRIED: Final = 200  # names that are looked at to propose a suffix
ENDINGS: Final = 12  # most frequent ends of names that are tried as a suffix
TELLING: Final = "label", "mask", "seg", "gt"  # what truths are called among files of other kinds


Identity = tuple[int, int]  # device and number of a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A truth, its prediction or None where all is wrong, and the field of view that is judged."""

    name: str
    truth: Path
    prediction: Path | None
    group: str = ""
    roi: Path | None = None

    @property
    def files(self) -> list[Path]:
        """The masks that there are, the truth first."""
        return [path for path in (self.truth, self.roi, self.prediction) if path is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """The pairs of a data set in stable order, its problems, and what was left out by name."""

    pairs: tuple[Pair, ...]
    problems: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # files that are no masks by their names


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderIndex:
    """The masks of a folder by name, its problems, and files that are no masks by their names."""

    files: dict[str, Path]
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def find_pairs(
    *,
    prediction: Path,
    truth: Path,
    pred_suffix: str = "",
    truth_suffix: str = "",
    match: Match = "path",
    include: str | None = None,
    missing: Missing = "error",
) -> Pairing:
    """Pair the masks of two folders, walked recursively, or two single files.

    A suffix is the end of the names on that side, stripped before names are matched, e.g.
    ``"_gtFine_labelIds"``; files without it are left alone. Names that ``match`` by stem may lie
    in other folders, if their last part stands once on each side. ``include`` is a glob that the
    name of a pair must match, e.g. ``"frankfurt/*"``. Pairs come in ascending order of their names.
    """
    if os.path.isfile(prediction) and os.path.isfile(truth):
        return Pairing(pairs=(Pair(name=truth.stem, truth=truth, prediction=prediction),))
    sides = (
        index_folder(prediction, "prediction", pred_suffix, include),
        index_folder(truth, "truth", truth_suffix, include),
    )
    predictions, truths = (side.files for side in sides)
    problems = [problem for side in sides for problem in side.problems]
    if match == "stem":
        predictions = _by_stem(truths, predictions, problems)
    common = sorted(truths.keys() & predictions.keys())
    absent = sorted(truths.keys() - predictions.keys())
    extra = tuple(sorted(predictions.keys() - truths.keys()))
    few = 2 * len(common) < min(len(truths), len(predictions)) and missing == "error"
    if extra and truths and (few or (not common and missing != "worst")):
        problems.append(_few_match(truths, predictions, common))
    elif missing == "error" and absent and predictions:
        problems += _other_files(common, absent, truths[absent[0]]) or [
            _missing_prediction(name, truths[name], prediction) for name in absent
        ]
    paired = sorted(truths) if missing == "worst" else common
    return Pairing(
        pairs=tuple(Pair(name=n, truth=truths[n], prediction=predictions.get(n)) for n in paired),
        problems=tuple(problems),
        missing=tuple(absent) if missing != "error" else (),
        extra=extra,
        left_out=tuple(path for side in sides for path in side.left_out),
    )


def index_folder(
    folder: Path, side: str, suffix: str = "", include: str | None = None
) -> FolderIndex:
    """Find the masks below a folder, and what stands in the way."""
    if (problem := _no_folder(folder, side)) is not None:
        return FolderIndex(files={}, problems=[problem])
    found: dict[str, list[str]] = {}
    index = FolderIndex(files={})
    for relative, path in _walk(str(folder), index.problems):
        name = _pair_name(relative, suffix)
        if name is None or not _is_included(include, name, relative):
            continue
        if is_mask(relative):
            found.setdefault(name, []).append(path)
        else:
            index.left_out.append(printable(path))
    if not found:
        wanted = f" with names ending in {suffix!r}" if suffix else ""
        wanted += f" that match {include!r}" if include else ""
        detail = (
            f"{side} folder {folder} holds no masks{wanted} ({' '.join(sorted(IMAGE_EXTENSIONS))})"
        )
        index.problems.append(Problem(name=str(folder), kind="no masks", detail=detail))
    for name, paths in sorted(found.items()):
        if len(paths) > 1:
            files = ", ".join(sorted(paths))
            detail = f"{files}: the same name on the {side} side; keep one of them"
            index.problems.append(Problem(name=name, kind="two files of one name", detail=detail))
        index.files[name] = Path(min(paths))
    return index


def is_mask(relative: str) -> bool:
    """Whether the name of a file is that of a mask: not hidden, and with a known extension."""
    name = relative.rpartition("/")[2]
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS


def masks_below(folder: Path) -> Iterator[Path]:
    """Yield every mask that is read from a folder, whatever its name is matched with."""
    return (Path(path) for relative, path in _walk(str(folder), []) if is_mask(relative))


def _by_stem(
    truths: dict[str, Path], predictions: dict[str, Path], problems: list[Problem]
) -> dict[str, Path]:
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


def _is_included(include: str | None, *names: str) -> bool:
    if include is None:
        return True
    return any(fnmatch.fnmatch(_normal(name), _normal(include)) for name in names)


def _no_folder(folder: Path, side: str) -> Problem | None:
    """Say why a folder cannot be walked, or return nothing."""
    try:
        mode = os.stat(folder).st_mode
    except FileNotFoundError:
        detail = f"{side} folder {folder} does not exist; check the path"
        return Problem(name=str(folder), kind="no such folder", detail=detail)
    except (OSError, ValueError) as error:
        detail = f"{side} folder {folder} cannot be opened: {reason_of(error)}; check the path"
        return Problem(name=str(folder), kind="no such folder", detail=detail)
    if (place := real_path(folder)).parent == place:
        detail = f"{side} folder {folder} is the root of all folders; name that of the masks"
        return Problem(name=str(folder), kind="not a folder of masks", detail=detail)
    if stat.S_ISDIR(mode):
        return None
    what = "a file" if stat.S_ISREG(mode) else "no folder and no regular file"
    detail = f"{side} {folder} is {what}; give two folders or two files"
    return Problem(name=str(folder), kind="not a folder", detail=detail)


def _walk(top: str, problems: list[Problem]) -> Iterator[tuple[str, str]]:
    """Yield relative and whole paths of all files below a folder.

    Each folder is walked under its own name, and once more under that of each link that leads to
    it, unless it lies above the link. Names of fewer links come first.
    """
    waiting: deque[tuple[str, str, tuple[Identity, ...]]] = deque([(top, "", ())])
    followed: set[tuple[Identity, str]] = set()
    while waiting:
        folder, prefix, above = waiting.popleft()
        try:
            status = os.stat(folder)
            here = (status.st_dev, status.st_ino)
            if here in above:
                continue
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            detail = f"{folder}: the folder cannot be read: {reason_of(error)}"
            problems.append(Problem(name=folder, kind="unreadable folder", detail=detail))
            continue
        for entry in ordered:
            if entry.name in LITTER or entry.name.startswith("._"):
                continue
            if entry.name.startswith(".") or not _is_folder(entry):
                yield _normal(prefix + entry.name), entry.path
            elif not entry.is_symlink():
                waiting.appendleft((entry.path, f"{prefix}{entry.name}/", (*above, here)))
            elif (here, entry.name) not in followed:
                followed.add((here, entry.name))
                waiting.append((entry.path, f"{prefix}{entry.name}/", (*above, here)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle: what cannot be opened is told where it is read
        return False


def _pair_name(relative: str, suffix: str) -> str | None:
    """Strip extension and suffix from a relative path; None if it lacks the suffix."""
    stem, suffix = os.path.splitext(relative)[0], _normal(suffix)
    name = next((text for text in (relative, stem) if text.endswith(suffix)), None)
    if name is None:
        return None
    name = name.removesuffix(suffix) if suffix else stem
    return name if name and not name.endswith("/") else None


def _normal(text: str) -> str:
    """Write accents in one way, as file systems differ in it, and any bytes so that they show."""
    return unicodedata.normalize("NFC", printable(text))


def _missing_prediction(name: str, truth: Path, folder: Path) -> Problem:
    detail = (
        f"{truth} has no prediction {name!r} in {folder}; add it, or type --missing worst to count "
        "it as all wrong, or waive it by name with --missing skip"
    )
    return Problem(name=name, kind="missing prediction", detail=detail)


def _other_files(common: list[str], absent: list[str], file: Path) -> list[Problem]:
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


def _few_match(truths: dict[str, Path], predictions: dict[str, Path], common: list[str]) -> Problem:
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


def read_pairs(table: Path, *, include: str | None = None, missing: Missing = "error") -> Pairing:
    """Read the pairs from a CSV table ``prediction,truth[,name][,group]``.

    Paths are relative to the folder of the table, and ``include`` is as in `find_pairs`. A pair
    without a name is called by the path of its truth. Pairs come in ascending order of their names.
    """
    pairs: dict[str, Pair] = {}
    problems: list[Problem] = []
    absent: set[str] = set()
    for line, row in _rows(table):
        truth, prediction = table.parent / row["truth"], table.parent / row["prediction"]
        name = row.get("name") or Path(os.path.splitext(row["truth"])[0]).as_posix()
        if not _is_included(include, name, row["truth"]):
            continue
        if name in pairs or name in absent:
            detail = f"{table}: line {line}: name {name!r} stands on an earlier line as well"
            problems.append(Problem(name=name, kind="two files of one name", detail=detail))
            continue
        found = prediction if os.path.exists(prediction) else None
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
