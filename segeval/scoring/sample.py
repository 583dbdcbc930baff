"""Images, each once or resampled; sums of their counts, and of their scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from segeval.counting.confusion import ClassCounts
from segeval.counting.groups import check_groups, group_names
from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.inputs.geometry import spacing_of
from segeval.labels.labelmap import LabelMap
from segeval.scoring.convention import Convention
from segeval.scoring.pooling import POOLINGS
from segeval.scoring.resampling import Resampling, Units
from segeval.scoring.tracks import along_frames, sequence_names
from segeval.text import listed

Made = TypeVar("Made")
Axis = Literal["images", "classes", "pairs"]  # pairs: all classes of all images
KEPT: Final = 1 << 21  # classes of images up to which scores are kept, 19 MB a metric
FINE: Final = 2.0**30  # steps of the two parts of a fraction that are added up as whole numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Images, and how often each of them is drawn: once, or B times differently."""

    images: ClassCounts  # (N, K)
    pool: ClassCounts  # (B, K); summed as often as drawn
    draws: NDArray[np.float64] | None = None  # (B, N); None is every image once
    known: dict[Hashable, Any] = field(default_factory=dict)  # see `once`

    @classmethod
    def of(cls, images: ClassCounts, draws: NDArray[np.float64] | None = None) -> Sample:
        """Draw images, or sequences of them, which have no counts in common."""
        pool = images if images.total.ndim > 1 else sum_images(images, draws)
        return cls(images=images, pool=pool, draws=draws)

    def counted_for(self, score: str) -> Sample:
        """Return the sample of the counts that a score is made of; see `ClassCounts.of`."""
        return replace(self, images=self.images.of(score), pool=self.pool.of(score))

    def drawn(self, draws: NDArray[np.float64]) -> Sample:
        """Draw the same images otherwise; what is known of them stays so."""
        return replace(Sample.of(self.images, draws), known=self.known)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what is made of the images alone, once for all that is drawn of them if few."""
        if self.draws is None or self.images.tp.size > KEPT:
            return make()
        if key not in self.known:
            self.known[key] = make()
        made: Made = self.known[key]
        return made


def sum_over(
    axis: Axis, values: NDArray[Any], draws: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """Sum values over images, as often as they are drawn, over classes, or over both at once.

    (N, …) values give (B, …) over images, (M, K) ones (M,) over classes; pairs give (B,).
    """
    if axis == "classes":
        return np.asarray(values.sum(axis=-1))
    if draws is None:
        return np.asarray(values.sum(axis=0 if axis == "images" else None))[None]
    return exact_weighted_sum(draws, values if axis == "images" else values.sum(axis=1))


def exact_weighted_sum(draws: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.float64]:
    """Multiply (B, N) whole numbers with (N, …) values, with the same bits in any order of adding.

    Counts are exact below 2^53. Fractions are taken apart into two whole numbers of 2^-30 and
    2^-60 of the largest power of two among them, whose sums are exact up to 2^23 draws, and are
    rounded once, when they are put together again.

    >>> exact_weighted_sum(np.array([[2.0, 1.0]]), np.array([0.1, 0.3])).tolist()
    [0.5]
    """
    if not values.any():
        return np.zeros((draws.shape[0], *values.shape[1:]))
    if values.dtype != np.float64:
        counts: NDArray[np.float64] = draws @ values.astype(np.float64)
        return counts
    _, exponent = np.frexp(np.abs(values).max())
    unit = np.ldexp(1.0, int(exponent))
    fine = values * (FINE / unit)
    coarse = np.rint(fine)
    rest = np.rint((fine - coarse) * FINE)
    total: NDArray[np.float64] = (draws @ coarse + (draws @ rest) / FINE) * (unit / FINE)
    return total


def without_void_images(convention: Convention, sample: Sample) -> Sample:
    """Leave out the images without judged pixels, if the convention does."""
    if convention.void_image == "score":
        return sample
    judged = sample.images.total > 0
    if judged.all():
        return sample
    images = sample.images

    def some() -> Sample:
        return Sample(images=images.map(lambda part: part[judged]), pool=sample.pool)

    draws = None if sample.draws is None else sample.draws[:, judged]
    return replace(sample.once("judged", some), pool=sample.pool, draws=draws)


def excluded_indices(convention: Convention, labels: LabelMap) -> list[int]:
    """Return the positions of the classes that are left out of the means."""
    background = labels.background if convention.classes == "foreground" else None
    told = labels.positions(convention.exclude)
    return sorted({*told, *(() if background is None else (background,))})


def units_of(convention: Convention, run: CountedRun, group_by: str | None = None) -> Units:
    """Return what is resampled: the groups that pairs carry, or those that are averaged."""
    if not POOLINGS[convention.pooling].by_group:
        return Units.of(group_names(run))
    names = names_of_groups(convention, run, group_by)
    check_groups(run, names)
    return Units.of(names)


def names_of_groups(convention: Convention, run: CountedRun, group_by: str | None) -> list[str]:
    """Return the group of every image, empty if it has none, or its sequence."""
    names = sequence_names if POOLINGS[convention.pooling].frames else group_names
    return names(run, group_by)


def pools_of(
    convention: Convention, run: CountedRun, images: ClassCounts, units: Units
) -> tuple[ClassCounts, Units]:
    """Return the counts of what is averaged, images or groups, and how these are drawn."""
    if POOLINGS[convention.pooling].by_volume:
        return _as_volumes(run, images), units
    if not POOLINGS[convention.pooling].by_group:
        return images, units
    if POOLINGS[convention.pooling].frames:
        frames = along_frames(images, units.unit, ends=convention.ends == "score")
        return frames, replace(units, unit=np.arange(units.count))
    return units.sum(images), replace(units, unit=np.arange(units.count))


def _as_volumes(run: CountedRun, images: ClassCounts) -> ClassCounts:
    """Return the counts of images in mm³."""
    forms = run.images.column("truth_form")
    spacings = {form: spacing_of(form) for form in set(forms)}
    flat = [n for form, n in zip(forms, run.images.names, strict=True) if spacings[form] is None]
    if flat:
        raise SettingError(
            "--pooling dataset-mm3 needs volumes, which say how large a voxel is, and "
            f"{listed(flat, 3)} {'says' if len(flat) == 1 else 'say'} nothing; type "
            "--pooling dataset"
        )
    sizes = np.array([math.prod(spacings[form] or ()) for form in forms])
    return images.map(lambda part: part * sizes.reshape(-1, *[1] * (part.ndim - 1)))


def signature_parts(
    convention: Convention, units: Units, group_by: str | None, resampling: Resampling | None = None
) -> list[str]:
    """Return the parts of a convention, which groups are averaged, and how they are resampled."""
    parts = convention.signature_parts()
    if POOLINGS[convention.pooling].by_group:
        parts += [] if group_by is None else [f"group-by:{group_by}"]
        parts.append(f"groups:{units.count}")
    return parts + ([resampling.signature_part(units)] if resampling else [])


def sum_images(images: ClassCounts, draws: NDArray[np.float64] | None = None) -> ClassCounts:
    """Sum the counts of all images into one pool, or into one for every row of draws."""
    return images.map(lambda part: sum_over("images", part, draws).astype(part.dtype))


def without_classes(counts: ClassCounts, excluded: Sequence[int]) -> ClassCounts:
    """Leave out the counts of the excluded classes."""
    return counts.map(lambda part: np.delete(part, excluded, axis=-1), total=counts.total)


def sum_classes(counts: ClassCounts, excluded: Sequence[int]) -> ClassCounts:
    """Sum the counts of the classes of each pool, as if they were one class."""
    chosen = without_classes(counts, excluded)
    total = counts.total * chosen.tp.shape[-1]
    return chosen.map(lambda part: part.sum(axis=-1, keepdims=True), total=total)
