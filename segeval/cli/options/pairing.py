"""The options that say which files are read, and where their counts are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar

from segeval.cli.options.panels import argument, in_panel
from segeval.counting.runschema import is_run_file
from segeval.errors import SettingError
from segeval.settings import (
    MAX_PIXELS,
    AnnotationChoice,
    Cluster,
    Engine,
    Match,
    Missing,
    MissingClass,
    OnError,
    Reading,
    RleOrder,
    RleRows,
    RleStarts,
    Source,
    parse_shard,
)

_pairing = in_panel("Pairing and reading")
_annotation = in_panel("Tables of run lengths")
_several = in_panel("A mask a class")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderOptions:
    """How the masks of folders are matched and read."""

    pred_suffix: str = _pairing(
        "End of predicted names, stripped before matching, e.g. _pred.",
        metavar="S",
        default="",
        common=True,
    )
    truth_suffix: str = _pairing(
        "End of true names, stripped before matching, e.g. _gtFine_labelIds.",
        metavar="S",
        default="",
        common=True,
    )
    match: Match = _pairing(
        "Names match with their subfolders (path), or without them (stem).", default="path"
    )
    include: str | None = _pairing("Only pairs whose name matches, e.g. 'val/*'.", metavar="GLOB")
    missing: Missing = _pairing(
        "A truth without a prediction is a problem (error), left out (skip), or all wrong (worst).",
        default="error",
    )
    on_error: OnError = _pairing(
        "A pair that cannot be read stops the scoring, or is left out (skip).", default="stop"
    )
    roi: Path | None = _pairing(
        "Folder of fields of view, by the same names: where they hold 0, nothing is judged.",
        metavar="DIR",
    )
    roi_suffix: str = _pairing(
        "End of the names in --roi, stripped before matching, e.g. _mask.", metavar="S", default=""
    )
    resize_prediction: bool = _pairing(
        "Bring predictions to the size of the truth (nearest neighbour); else another size is a "
        "problem.",
        "--resize-prediction",
        default=False,
    )
    ignore_geometry: bool = _pairing(
        "Compare volumes voxel by voxel, even where spacing, origin or direction differ.",
        "--ignore-geometry",
        default=False,
    )
    max_pixels: int = _pairing(
        "Refuse masks of more pixels, and maps of more numbers.",
        metavar="N",
        min=1,
        default=MAX_PIXELS,
    )
    workers: int | None = _pairing(
        "Threads or processes; without it, 1 for small sets, else one for each processor.",
        metavar="N",
        min=1,
    )

    band: int | None = _pairing(
        "Read band N, counted from 1, of files that hold several (GeoTIFF).", metavar="N", min=1
    )
    frame: int | None = _pairing(
        "Read frame N, counted from 1, of TIFF files that hold several.", metavar="N", min=1
    )

    size: str | None = _annotation(
        "Rows and columns of images in tables, where neither side says them, e.g. 768x768.",
        metavar="HxW",
    )
    columns: str | None = _annotation(
        "What a table calls its columns, where that is unusual: image, rle, class, height, width.",
        metavar="image=NAME,…",
    )
    rle_order: RleOrder = _annotation(
        "Run lengths go down the columns, or along the rows.", default="column"
    )
    rle_base: int = _annotation(
        "Number of the first pixel of run lengths, 0 or 1.", min=0, max=1, metavar="N", default=1
    )
    rle_starts: RleStarts = _annotation(
        "Starts of runs are counted from the first pixel, or from the end of the run before "
        "(relative, as in SIIM-ACR).",
        default="absolute",
    )
    rle_rows: RleRows = _annotation(
        "Rows of an image without classes are one mask, or an object each, for --objects ids.",
        default="mask",
    )

    score_threshold: float | None = _annotation(
        "Leave out predicted annotations with a lower score (COCO results, YOLO confidences).",
        metavar="V",
    )

    per_class: str | None = _several(
        "A pixel may be of several classes, each with a mask of its own: names like "
        "'{class}/{name}' or '{name}_{class:car,road}', or channels:car,road of one file.",
        metavar="TEMPLATE",
    )
    pred_per_class: str | None = _several(
        "The same for predictions, if they are stored in another way.", metavar="TEMPLATE"
    )
    missing_class: MissingClass = _several(
        "A class without a file is a problem (error), or not in the image (empty).",
        default="error",
    )

    def annotations(self) -> AnnotationChoice:
        """Return how rows of tables and annotations become masks, and masks of single classes."""
        return AnnotationChoice.of(
            size=self.size,
            columns=self.columns,
            rle_order=self.rle_order,
            rle_base=self.rle_base,
            rle_starts=self.rle_starts,
            rle_rows=self.rle_rows,
            score_threshold=self.score_threshold,
            per_class=self.per_class,
            prediction_per_class=self.pred_per_class,
            missing_class=self.missing_class,
            band=self.band,
            frame=self.frame,
        )

    def folders(self, prediction: Path | None, truth: Path | None) -> Source:
        """Return where the masks of two folders are."""
        return Source(
            prediction=prediction,
            truth=truth,
            pred_suffix=self.pred_suffix,
            truth_suffix=self.truth_suffix,
            match=self.match,
            include=self.include,
            missing=self.missing,
            roi=self.roi,
            roi_suffix=self.roi_suffix,
            annotations=self.annotations(),
        )

    def given_options(self, *but: str) -> str:
        """Name the options that are not at their defaults, except for some fields."""
        names = [
            f"--{field.name.replace('_', '-')}"
            for field in fields(self)
            if field.name not in but and getattr(self, field.name) != field.default
        ]
        return ", ".join(names)

    def reading(self, *, lossy: bool = False) -> Reading:
        """Return how masks are read."""
        return Reading(
            max_pixels=self.max_pixels,
            resize_prediction=self.resize_prediction,
            ignore_geometry=self.ignore_geometry,
            on_error=self.on_error,
            lossy=lossy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions(FolderOptions):
    """Which files belong together, and how they are read."""

    checkable: ClassVar[bool] = True  # `segeval check` lists their problems

    prediction: Path | None = argument(
        "Folder of predicted masks or YOLO texts, table of run lengths, or JSON of COCO; also in "
        "an archive, as masks.zip/val, or at an address, as s3://bucket/val.",
        metavar="PRED",
    )
    truth: Path | None = argument(
        "Folder of true masks or YOLO texts, table of run lengths, or JSON of COCO; also in "
        "an archive, as masks.zip/val, or at an address, as s3://bucket/val.",
        metavar="TRUTH",
    )
    pairs: Path | None = _pairing(
        "CSV of prediction,truth,name,group in place of PRED and TRUTH; name and group may be "
        "left out; paths start from its folder, or are addresses. Or a table of "
        "images (.parquet, .arrow), or a folder of such.",
        metavar="FILE",
    )
    prediction_column: str | None = _pairing(
        "Column of predicted masks in a table of images; else prediction.", metavar="NAME"
    )
    truth_column: str | None = _pairing(
        "Column of true masks in a table of images; else truth.", metavar="NAME"
    )
    name_column: str | None = _pairing(
        "Column of names in a table of images, or a part of one, as mask.path; else name, or the "
        "number of the row.",
        metavar="NAME",
    )
    shard: str | None = _pairing(
        "Only every N-th pair, from the I-th on, for N machines; `segeval merge` adds their runs.",
        metavar="I/N",
    )

    def source(self) -> Source:
        """Return where the masks are: two folders, or a table of pairs."""
        if self.shard is not None:
            parse_shard(self.shard)
        if self.pairs is not None and self.prediction is not None:
            raise SettingError("--pairs replaces PRED and TRUTH; give one or the other")
        if self.pairs is None and self.truth is None and is_run_file(self.prediction):
            raise SettingError(
                f"{self.prediction} is a run file, counted already; "
                f"type `segeval report {self.prediction}` to score it, or `segeval view "
                f"{self.prediction}` to see its masks"
            )
        if self.pairs is None and (self.prediction is None or self.truth is None):
            raise SettingError(
                "two folders are needed, of predictions and of truths, or tables or files of "
                "annotations in their place, or a table with --pairs"
            )
        source = self.folders(self.prediction, self.truth)
        return replace(
            source,
            pairs=self.pairs,
            shard=self.shard,
            prediction_column=self.prediction_column,
            truth_column=self.truth_column,
            name_column=self.name_column,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingOptions(ReadingOptions):
    """Which masks belong together, how they are read, and where their counts are kept."""

    out: Path | None = _pairing(
        "Keep the counts in a run file, e.g. run.segeval: other commands score it without the "
        "masks.",
        "--out",
        "-o",
        metavar="RUN",
        common=True,
    )
    resume: bool = _pairing(
        "Go on with the run file: count only what it lacks, or what has changed.",
        "--resume",
        default=False,
    )
    overwrite: bool = _pairing("Start the run file anew.", "--overwrite", default=False)
    engine: Engine = _pairing(
        "Count on this machine (local), or on a Dask cluster (dask): of --workers here, or the "
        "one of --scheduler.",
        default="local",
    )
    scheduler: str | None = _pairing(
        "Address of the scheduler of Dask, whose workers see the masks under the same paths.",
        metavar="tcp://HOST:PORT",
    )

    def cluster(self, say: Callable[[str], None]) -> Cluster | None:
        """Return the cluster that counts, or None; it says where its dashboard is."""
        return Cluster.of(self.engine, self.scheduler, say)

    def source(self) -> Source:
        """Return where the masks are, once the options of the run file agree."""
        if (self.resume or self.overwrite) and self.out is None:
            raise SettingError("--resume and --overwrite need a run file; name it with -o")
        if self.resume and self.overwrite:
            raise SettingError("--resume and --overwrite contradict each other; give one of them")
        return ReadingOptions.source(self)
