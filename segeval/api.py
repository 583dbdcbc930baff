"""The library's front door: count, score and compare with plain arguments.

A `Run` holds the counts, and only here has it scores: `segeval.counting` knows of no label map. All
settings are checked before any mask is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from segeval.counting import arrays
from segeval.counting.dataset import count_dataset
from segeval.counting.numbering import Numbering
from segeval.counting.run import CountedRun, ImageInfo
from segeval.counting.runfile import read_run, write_run
from segeval.errors import Problem, SettingError
from segeval.keywords import parted, taking
from segeval.objectdistances.further import compare_all
from segeval.objects.components import numbering_for
from segeval.objects.rules import ObjectRules, ObjectSource
from segeval.reports.result import AnyPath, Comparison, Result, label_settings
from segeval.reports.scorer import (
    INSTEAD,
    AnyDistances,
    Labelling,
    Scoring,
    Void,
    asked_of,
    distances_of,
    rules_of,
    scorer,
)
from segeval.scoring.convention import Convention
from segeval.scoring.resampling import SEED, Resampling
from segeval.settings import (
    AnnotationChoice,
    Cluster,
    Engine,
    LabelChoice,
    Reading,
    ReadingKeywords,
    Source,
    Unknown,
    parse_values,
)
from segeval.storage.path import located
from segeval.text import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Comparison",
    "Result",
    "Run",
    "compare",
    "count",
    "count_arrays",
    "open_run",
    "score",
    "score_arrays",
]


class ReadAndScored(ReadingKeywords, Scoring, total=False):
    """How masks are read and scored, as keywords."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Run:
    """The counts of a data set: counted once, scored as often as you like, saved and added.

    Attributes
    ----------
    counted : CountedRun
        The counts, as arrays.
    """

    counted: CountedRun

    def __repr__(self) -> str:
        """Show the number of images, and of what keeps them from being scored."""
        problems = f", {counted(len(self.problems), 'problem')}" if self.problems else ""
        return f"Run({counted(len(self), 'image')}{problems})"

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.counted)

    def __add__(self, other: Run) -> Run:
        """Add two runs of disjoint images, which so are counted once.

        Raises
        ------
        RunError
            If an image of both is not the same, as run files show, or reading settings differ.
        """
        if not isinstance(other, Run):
            return NotImplemented
        return Run(counted=self.counted + other.counted)

    @property
    def images(self) -> Sequence[ImageInfo]:
        """What is known of each image: name, group, size and files, in the order of the names."""
        return self.counted.images

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be counted and was not waived; scores are refused while there is any."""
        return self.counted.provenance.problems

    @taking(scorer, instead=INSTEAD)
    def score(self, **scoring: Unpack[Scoring]) -> Result:
        """Score the run; see `segeval.score` for the parameters and for what is raised."""
        return scorer(**scoring).score(self.counted)

    @taking(scorer, instead=INSTEAD)
    def measure(self, **scoring: Unpack[Scoring]) -> Run:
        """Read the masks again from where they were, and keep what scores of pixels need.

        Parameters are those of `score`, of which `segeval.score` says what they mean: the same
        classes, and ``boundary``, ``trimap`` or ``distances``, which `score` then has.

        Raises
        ------
        DataError
            If masks are not there any more, or are no longer what was counted.
        """
        return Run(counted=scorer(**scoring).measure(self.counted))

    @taking(scorer, instead=INSTEAD)
    def per_image(self, **scoring: Unpack[Scoring]) -> pd.DataFrame:
        """Return one row an image: pixels, means over classes, and the IoU of each class."""
        return self.score(**scoring).images

    def contingency(self) -> pd.DataFrame:
        """Return one row an image and pair of values: how many pixels hold it."""
        import pandas as pd

        names = np.array(self.counted.images.names, object)
        counts = self.counted.counts
        columns = {"truth": counts.truth, "prediction": counts.prediction, "pixels": counts.pixels}
        return pd.DataFrame({"image": names[counts.image], **columns})

    def save(self, path: AnyPath, *, overwrite: bool = False) -> None:
        """Write a run file, as ``segeval score -o`` does; `open_run` reads it.

        Raises
        ------
        RunError
            If it exists and ``overwrite`` is not set, or cannot be written.
        """
        write_run(self.counted, Path(path), overwrite=overwrite)


def open_run(path: AnyPath) -> Run:
    """Read a run file.

    Raises
    ------
    RunError
        If there is none, or it is damaged, unfinished, or of a newer segeval.
    """
    return Run(counted=read_run(located(path)))


@taking(Source, Reading, AnnotationChoice.of, but=["annotations"])
def count(
    *,
    prediction: AnyPath | None = None,
    truth: AnyPath | None = None,
    pairs: AnyPath | None = None,
    lossy: bool = False,
    workers: int | None = 1,
    engine: Engine = "local",
    scheduler: str | None = None,
    numbering: Numbering | None = None,
    **reading: Unpack[ReadingKeywords],
) -> Run:
    """Count a folder of predicted masks against a folder of true ones.

    Parameters
    ----------
    prediction, truth : path
        Two folders, two files, or tables of run lengths or files of annotations on either side.
    pairs : path, optional
        In their place, a CSV of ``prediction,truth,name,group``; paths from its folder.
    pred_suffix, truth_suffix : str
        End of the names on that side, stripped before names are matched.
    match : {"path", "stem"}
        Names match with their folders, or by the last part alone.
    include : str, optional
        Only names that match this pattern, e.g. ``"city/*"``.
    missing : {"error", "skip", "worst"}
        What a truth without a prediction is: a problem, left out, or all wrong.
    shard : str, optional
        Every N-th pair from the I-th on, ``"I/N"``; runs of shards add.
    roi, roi_suffix : path and str, optional
        A folder of fields of view, and the end of their names: the truth is void where they hold 0.
    on_error : {"stop", "skip"}
        What a pair is that cannot be read: a problem, or left out by name.
    resize_prediction, lossy : bool
        Whether a prediction is brought to the size of its truth (nearest), or may be a grey JPEG.
    ignore_geometry : bool
        Whether volumes may lie elsewhere than their truths.
    band, frame : int, optional
        Which one of files of several (TIFF), from 1.
    prediction_column, truth_column, name_column : str, optional
        Columns of ``pairs``, if it is a table of images (Parquet).
    per_class, prediction_per_class : str, optional
        Where each class has a mask of its own, ``"{class}/{name}"`` or ``"channels:car,road"``;
        the second if predictions are stored in another way.
    missing_class : {"error", "empty"}
        What a class without a file is: a problem, or not in the image.
    size : (H, W) or str, optional
        Rows and columns of images in tables, where neither side says them: ``"768x1024"``.
    columns : str, optional
        What a table calls its columns, e.g. ``"image=file,rle=runs"``.
    rle_order, rle_base, rle_starts, rle_rows : optional
        Run lengths: ``"column"`` or ``"row"``, 1 or 0, ``"absolute"`` or ``"relative"``, ``"mask"``
        or ``"objects"``; the first of each unless given.
    score_threshold : float, optional
        Predicted annotations with a lower score are left out.
    max_pixels, workers : int, optional
        Larger masks are refused; processes, of which None means by the size of the set.
    engine, scheduler : {"local", "dask"} and str, optional
        What counts: this machine, or a Dask cluster, of ``workers`` here or of a scheduler.
    numbering : Components, optional
        How connected components are found, for ``objects="components"``.

    Returns
    -------
    Run
        What could not be counted is in its ``problems``, which keep it from being scored.

    Raises
    ------
    SettingError
        If there are neither two folders nor a table of pairs, or both.
    WorkerError
        If a worker process dies, or the scheduler of Dask is lost.

    Examples
    --------
    >>> count(prediction="sample_masks/pred", truth="sample_masks/truth")
    Run(12 images)
    """
    if (pairs is None) == (prediction is None) or (pairs is None) == (truth is None):
        raise SettingError("name prediction and truth, or pairs in the place of both")
    folders, annotated, how = parted(reading, Source, AnnotationChoice.of, Reading)
    given = {"prediction": prediction, "truth": truth, "pairs": pairs, "roi": reading.get("roi")}
    paths = {name: None if path is None else located(path) for name, path in given.items()}
    source = Source(**folders | paths, annotations=AnnotationChoice.of(**annotated))
    masks, cluster = Reading(**how, lossy=lossy), Cluster.of(engine, scheduler)
    working: Any = {"workers": workers, "cluster": cluster, "numbering": numbering}
    return Run(counted=count_dataset(source, masks, **working))


def count_arrays(
    *,
    truth: arrays.Masks,
    prediction: arrays.Masks,
    names: str | Iterable[str] | None = None,
    groups: str | Iterable[str] | None = None,
) -> Run:
    """Count masks in memory; see `score_arrays` for the parameters and for what is raised."""
    counted = arrays.count_arrays(truth=truth, prediction=prediction, names=names, groups=groups)
    return Run(counted=counted)


@taking(count, scorer, but=["lossy", "numbering"], instead=INSTEAD)
def score(
    *,
    prediction: AnyPath | None = None,
    truth: AnyPath | None = None,
    pairs: AnyPath | None = None,
    workers: int | None = 1,
    engine: Engine = "local",
    scheduler: str | None = None,
    **given: Unpack[ReadAndScored],
) -> Result:
    """Score a folder of predicted masks against a folder of true ones: `count`, then score.

    Parameters
    ----------
    prediction, truth, pairs, workers, engine, scheduler, pred_suffix, truth_suffix, match, \
    include, missing, shard, roi, roi_suffix, prediction_column, truth_column, name_column, \
    on_error, resize_prediction, ignore_geometry, max_pixels, band, frame, per_class, \
    prediction_per_class, missing_class, size, columns, rle_order, rle_base, rle_starts, rle_rows, \
    score_threshold
        Which masks belong together, and how they are read; see `count`.
    labels, prediction_labels : str, path or LabelMap, optional
        A label map, the name of a built-in one, or a file; the second if predictions store other
        values. By default the values found are the classes.
    classes : int, optional
        The classes are the values 0…N-1, in place of ``labels``.
    ignore : int, str or collection of these, optional
        Truth values that are void; also ``"#rrggbb"``, and ``"nodata"`` for what TIFF files name.
    prediction_offset : int
        Added to every predicted value before it is looked up; colours and a void 255 stay.
    threshold, truth_threshold : float, optional
        Grey predictions, grey truths: foreground where value >= threshold.
    level : {"class", "category"}
        Whether classes are scored, or the groups of classes that the label map names.
    unknown : {"error", "wrong", "ignore"}
        What a predicted value is that is no class: a problem, a miss, or not judged.
    convention : Convention, optional
        Pooling, absent classes, classes of the means; ``preset("monai")`` is that of a tool.
    group_by : str, optional
        Regular expression searched in the names: groups of images are scored as well.
    ci, seed : int, optional
        Number of resamples, e.g. 1000, for 95 % ``intervals`` of every score, and their seed.
    objects : {"ids", "components"} or ObjectRules, optional
        Whether objects are scored as well, which, and how; see ``Result.objects``.
    boundary : str, optional
        Boundary IoU as well: widths of bands such as ``"2%"`` of the diagonal or ``"2%,5px"``.
    trimap : str, optional
        Scores of the pixels within such distances of an edge of the truth as well.
    boundary_f : bool
        Boundary F as well, as DAVIS has it for one object.
    topology : bool
        clDice and Betti-number errors as well. Needs scikit-image.
    distances : bool, str or DistanceRules, optional
        Distances between borders as well, as ``True`` defines them, as a preset such as
        ``"medpy"`` does, or by rules; see ``Result.distances``. Needs SciPy.

    Returns
    -------
    Result

    Raises
    ------
    DataError
        If the data set has problems; all of them are listed.
    LabelError
        If it is unclear what the values mean.
    SettingError
        If the settings contradict each other.

    Examples
    --------
    >>> result = score(prediction="sample_masks/pred", truth="sample_masks/truth")
    >>> result.signature
    'labels:found|classes:8|ignore:255|pooling:dataset|absent:skip|mean:all|images:12|segeval:...'
    """
    scoring, reading = parted(given, scorer, count)
    scored = scorer(**scoring)
    run = count(
        prediction=prediction,
        truth=truth,
        pairs=pairs,
        workers=workers,
        engine=engine,
        scheduler=scheduler,
        lossy=scoring.get("threshold") is not None,
        numbering=numbering_for(scoring),
        **reading,
    )
    return scored.score(scored.measure(run.counted, workers=workers))


@taking(scorer, instead=INSTEAD)
def score_arrays(
    *,
    truth: arrays.Masks,
    prediction: arrays.Masks,
    names: str | Iterable[str] | None = None,
    groups: str | Iterable[str] | None = None,
    **scoring: Unpack[Scoring],
) -> Result:
    """Score masks in memory: one pair, or the pairs that two iterables give in step.

    Pairs are counted as they come and none is kept, so that generators may yield any number; all
    are kept until they are measured for ``boundary``, ``trimap`` or ``distances``.

    Parameters
    ----------
    truth, prediction : (H, W) integer or boolean array, or iterable of such
        An array of shape (N, H, W) is an iterable of N masks. Floats are taken with a threshold.
    names : str or iterable of str, optional
        Name of each pair; by default its number, ``"000000"`` on.
    groups : str or iterable of str, optional
        Group of each pair, e.g. the patient: scored by itself, and resampled as a whole.
    labels, prediction_labels, prediction_offset, classes, ignore, threshold, truth_threshold, \
    level, unknown, convention, group_by, ci, seed, boundary, trimap, boundary_f, \
    topology, distances
        What values mean, and how they are scored; see `score`.

    Returns
    -------
    Result
        Its images are in the order of their names.

    Raises
    ------
    DataError
        If a mask is of floats without a threshold, not of shape (H, W), or not of the shape of the
        other; if a name comes twice, or an iterable ends before the other. Names the pair.

    Examples
    --------
    >>> truth, prediction = np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]])
    >>> score_arrays(truth=truth, prediction=prediction, classes=2, ignore=[255]).summary["miou"]
    0.5
    """
    scored = scorer(**scoring)
    floats = [side for side, option in arrays.FLOATS.items() if scoring.get(option) is not None]
    how: Any = {"names": names, "groups": groups, "numbering": numbering_for(scoring)}
    kept: Any = {} if scored.reads_pixels else None
    run = arrays.count_arrays(truth=truth, prediction=prediction, floats=floats, kept=kept, **how)
    return scored.score(scored.measure(run, masks=kept))


@taking(LabelChoice, instead=INSTEAD)
def compare(
    baseline: Run,
    run: Run,
    *,
    ignore: Void | None = None,
    unknown: Unknown = "error",
    convention: Convention | None = None,
    ci: int = 1000,
    seed: int = SEED,
    common: bool = False,
    group_by: str | None = None,
    objects: ObjectRules | ObjectSource | None = None,
    boundary: str | None = None,
    trimap: str | None = None,
    boundary_f: bool = False,
    topology: bool = False,
    distances: AnyDistances = False,
    **labelling: Unpack[Labelling],
) -> Comparison:
    """Compare two runs over the same images.

    Parameters
    ----------
    baseline, run : Run
        What is compared to, and what is compared.
    labels, prediction_labels, prediction_offset, classes, ignore, threshold, truth_threshold, \
    level, unknown, convention, group_by, objects, boundary, trimap, boundary_f, \
    topology, distances
        As for `segeval.score`; without labels, the values found in both runs are the classes.
    ci, seed : int
        Number of resamples and of swaps, and their seed.
    common : bool
        Whether images that are not in both runs are left out, instead of being an error.

    Returns
    -------
    Comparison

    Raises
    ------
    RunError
        If the runs are not over the same images, or not against the same truths.
    DataError
        If a run has problems, or there are less than two images.
    """
    choice = LabelChoice(ignore=parse_values(ignore), **labelling)
    (comparison,), (further,) = compare_all(
        [baseline.counted, run.counted],
        choice,
        rules_of(objects),
        distances_of(distances),
        convention=convention,
        unknown=unknown,
        resampling=Resampling(rounds=ci, seed=seed),
        common=common,
        group_by=group_by,
        measures=asked_of(boundary, trimap, boundary_f=boundary_f, topology=topology),
    )
    settings = label_settings(choice, unknown)
    return Comparison(comparison=comparison, settings=settings, further=further)
