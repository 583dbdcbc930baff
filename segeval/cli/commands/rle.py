"""``segeval rle``: masks as run lengths, and run lengths as masks."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from segeval.cli import options
from segeval.cli.command import command
from segeval.cli.console import notify, progress_bar
from segeval.cli.options.panels import argument
from segeval.errors import SettingError
from segeval.settings import (
    MAX_PIXELS,
    AnnotationChoice,
    RleOrder,
    RleRows,
    RleStarts,
    parse_columns,
    parse_size,
)
from segeval.text import counted, listed

if TYPE_CHECKING:
    from segeval.inputs.pairing import Pairing
    from segeval.reports.rleforms import Encoding

Nothing = Literal["", "-", "-1"]
Form = Literal["kaggle", "tianchi", "coco", "coco-uncompressed"]
SHOWN = 10  # classes that are listed
NUMBERS = ("rle_order", "rle_base", "rle_starts", "rle_rows")

_rows = options.in_panel("Run lengths")
_encoded = options.in_panel("Only for encode")
_masks = options.in_panel("Masks")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLengthOptions:
    """What is written, and how run lengths are written or read."""

    checkable: ClassVar[bool] = False

    direction: Literal["encode", "decode"] = argument(
        "Write masks as run lengths (encode), or run lengths as masks (decode).",
        metavar="encode|decode",
        default=MISSING,
    )
    source: Path = argument(
        "What is encoded: a folder of masks or of YOLO texts, or JSON of COCO. What is decoded: a "
        "table of run lengths, or JSON of COCO.",
        metavar="SOURCE",
        default=MISSING,
    )
    out: Path = _rows(
        "Table or JSON to write, or folder for the masks.",
        "--out",
        "-o",
        metavar="PATH",
        common=True,
        default=MISSING,
    )
    columns: str | None = _rows(
        "Names of columns, e.g. image=id,class=class,rle=predicted; class makes a row a class.",
        metavar="image=NAME,…",
        common=True,
    )
    rle_order: RleOrder = _rows(
        "Run lengths go down the columns, or along the rows.", default="column", common=True
    )
    rle_base: int = _rows(
        "Number of the first pixel, 0 or 1.", min=0, max=1, metavar="N", default=1, common=True
    )
    rle_starts: RleStarts = _rows(
        "Starts of runs are counted from the first pixel, or from the end of the run before "
        "(relative, as in SIIM-ACR).",
        default="absolute",
        common=True,
    )
    rle_rows: RleRows = _rows(
        "Rows of an image without classes are one mask, or an object each.",
        default="mask",
        common=True,
    )
    form: Form = _encoded(
        "A table with a header (kaggle) or without (tianchi), or JSON.",
        default="kaggle",
        common=True,
    )
    classes: int | None = _encoded(
        "Write a row for each class, 1 to N, of every image, empty ones too.", metavar="N", min=1
    )
    labels: str | None = _encoded(
        "Write a row for each class of a label map, under its name.",
        metavar="NAME|FILE",
        common=True,
    )
    ending: str = _encoded("Added to names of images, e.g. .jpg.", metavar="S", default="")
    nothing: Nothing = _encoded(
        "What stands in a table for a mask without any pixel; without it, nothing.", default=""
    )
    size: str | None = _masks(
        "Rows and columns of images, where the file does not say them, e.g. 768x768.",
        metavar="HxW",
        common=True,
    )
    suffix: str = _masks(
        "End of the names of masks, stripped, e.g. _mask.", metavar="S", default=""
    )
    include: str | None = _masks("Only images whose name matches, e.g. 'val/*'.", metavar="GLOB")
    void: int | None = _masks(
        "Value of void pixels, such as those of crowds; 0 leaves them out.",
        metavar="V",
        min=0,
        max=65535,
    )
    background: int | None = _masks(
        "Value of pixels of no class, where 0 is a class; decode only.",
        metavar="V",
        min=0,
        max=65535,
    )
    overwrite: bool = _masks(
        "Replace masks that are there.", "--overwrite", default=False, common=True
    )
    max_pixels: int = _masks("Refuse masks of more pixels.", metavar="N", min=1, default=MAX_PIXELS)
    workers: int | None = _masks(
        "Processes; without it, 1 for small sets, else one for each processor.",
        metavar="N",
        min=1,
    )

    def choice(self) -> AnnotationChoice:
        """Return how run lengths are read or written."""
        return AnnotationChoice(
            size=None if self.size is None else parse_size(self.size),
            columns=() if self.columns is None else parse_columns(self.columns),
            rle_order=self.rle_order,
            rle_base=self.rle_base,
            rle_starts=self.rle_starts,
            rle_rows=self.rle_rows,
        )

    def given(self, *names: str) -> str:
        """Name those of some options that are not at their defaults."""
        changed = {
            field.name for field in fields(self) if getattr(self, field.name) != field.default
        }
        return ", ".join(f"--{n.replace('_', '-')}" for n in names if n in changed)


@command
def rle(written: RunLengthOptions, *, quiet: options.Quiet = False) -> None:
    """Write masks as run lengths, as competitions want them, or run lengths as masks.

        # a table of Kaggle: ImageId,EncodedPixels
        segeval rle encode masks/ -o submission.csv
        # the same masks, as index PNGs named by image
        segeval rle decode submission.csv -o decoded/ --size 768x768
        # a row a class, under the names of another competition
        segeval rle encode truth/ -o classes.csv --columns image=id,class=class,rle=predicted
        # JSON of COCO
        segeval rle encode truth/ -o annotations.json --form coco

    Each undoes the other. Nothing is written where a mask cannot be read.
    """
    from segeval.reports.runlengths import masks_of

    choice = written.choice()
    encoding = written.direction == "encode"
    (_check_encoding if encoding else _check_decoding)(written)
    reading = AnnotationChoice(size=choice.size) if encoding else choice
    masks = masks_of(written.source, reading, written.suffix, written.include)
    if encoding:
        _encode(written, choice, masks, quiet=quiet)
    else:
        _decode(written, masks, quiet=quiet)


def _check_encoding(written: RunLengthOptions) -> None:
    """Refuse what says nothing about masks that are encoded."""
    from segeval.inputs.sides import TABLES, is_table

    if is_table(written.source):
        raise SettingError(
            f"{written.source} is a table of run lengths already; decode it, then encode the masks"
        )
    if given := written.given("background", "overwrite"):
        raise SettingError(f"{given} say how masks are decoded; leave them out when encoding")
    json = written.form.startswith("coco")
    if written.out.suffix.lower() in (TABLES if json else (".json",)):
        right, other = (".json", "kaggle") if json else (".csv", "coco")
        raise SettingError(
            f"-o {written.out} is not how --form {written.form} ends; name it "
            f"{written.out.with_suffix(right)}, or type --form {other}"
        )
    numbers = (*NUMBERS, "nothing") if json else ()
    if written.form != "kaggle" and (given := written.given("columns", "classes", *numbers)):
        raise SettingError(f"{given} say nothing about --form {written.form}; leave them out")
    if written.classes is not None and written.labels is not None:
        raise SettingError("--classes and --labels both say which classes there are; give one")


def _check_decoding(written: RunLengthOptions) -> None:
    """Refuse what says nothing about run lengths that are decoded."""
    from segeval.inputs.sides import is_table

    if given := written.given("form", "classes", "labels", "ending", "nothing"):
        raise SettingError(f"{given} say how masks are encoded; leave them out when decoding")
    json = not is_table(written.source)
    if json and (given := written.given("columns", *NUMBERS)):
        raise SettingError(
            f"{given} say how tables are read, and JSON says so itself; leave them out"
        )
    if written.source.is_dir():
        raise SettingError(
            f"{written.source} is a folder; decode takes a table of run lengths, or JSON of COCO"
        )


def _encode(
    written: RunLengthOptions, choice: AnnotationChoice, masks: Pairing, *, quiet: bool
) -> None:
    from segeval.files import check_writable, real_path
    from segeval.reports.runlengths import encode

    check_writable([written.out])
    if real_path(written.out) == real_path(written.source):
        raise SettingError(f"{written.out} is what is encoded; name another file with -o")
    encode(
        masks,
        written.out,
        written.form,
        _encoding(written, choice, masks),
        workers=written.workers,
        progress=progress_bar(quiet=quiet),
    )
    notify(f"{written.out}: {counted(len(masks.pairs), 'image')}", quiet=quiet)


def _encoding(written: RunLengthOptions, choice: AnnotationChoice, masks: Pairing) -> Encoding:
    """Return how masks are written, with the classes of the user or else of the masks."""
    from segeval.labels.load import load_labels
    from segeval.reports.rleforms import Encoding
    from segeval.reports.runlengths import background_of

    names = dict(masks.names.get("truth", {}))
    classes = None if written.classes is None else (*range(1, written.classes + 1),)
    if written.labels is not None:
        labels = load_labels(written.labels).labels
        names = {value: label.name for label in labels for value in label.truth_values}
        if len(names) != len(labels):
            raise SettingError(f"--labels {written.labels}: give every class one value")
        background = background_of(masks.pairs[0].truth)
        classes = tuple(value for value in names if value != background)
    return Encoding(
        choice=choice,
        names=names,
        classes=classes,
        ending=written.ending,
        nothing=written.nothing,
        void=written.void,
        max_pixels=written.max_pixels,
    )


def _decode(written: RunLengthOptions, masks: Pairing, *, quiet: bool) -> None:
    from segeval.pictures.folder import check_targets, target_names
    from segeval.reports.runlengths import Decoding, Job, decode

    targets = target_names(pair.name for pair in masks.pairs)
    check_targets(
        written.out,
        [written.out / target for target in targets.values()],
        [written.source],
        overwrite=written.overwrite,
    )
    decode(
        [Job(name=pair.name, mask=pair.truth, target=targets[pair.name]) for pair in masks.pairs],
        written.out,
        Decoding(void=written.void, background=written.background, max_pixels=written.max_pixels),
        workers=written.workers,
        progress=progress_bar(quiet=quiet),
    )
    notify(f"{counted(len(targets), 'mask')} in {written.out}", quiet=quiet)
    names = masks.names.get("truth", {})
    said = [f"{value} {name}" for value, name in sorted(names.items()) if name != str(value)]
    if said:
        notify(f"notice: their values are {listed(said, SHOWN)}", quiet=quiet)
