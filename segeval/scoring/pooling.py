"""Poolings as data: which counts are summed, and over what scores are averaged, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Step = Literal["sum images", "sum classes", "mean images", "mean classes", "mean pairs"]
"""Sum counts, or average scores; the last averages over all (class, image) values at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolingRow:
    """The steps of a pooling, its words with ``{images}`` for their number, what weighs most."""

    steps: tuple[Step, ...]  # sums of counts first
    words: str
    effect: str
    by_group: bool = False  # groups take the place of images
    frames: Literal["", "mean", "decay"] = ""  # what becomes of an object in a sequence first
    by_volume: bool = False  # voxels count by their volume
    one_score: str = ""  # the words where classes make one score, the generalised Dice, if they do

    @property
    def over_images(self) -> Step:
        """How classes are scored over all images: from summed counts, or as a mean."""
        return "sum images" if "sum images" in self.steps else "mean images"

    @property
    def over_classes(self) -> Step:
        """How an image is scored over its classes: from summed counts, or as a mean."""
        return "sum classes" if "sum classes" in self.steps else "mean classes"

    @property
    def filled(self) -> Step | None:
        """The step that leaves a score an image or a class; `Convention.empty` fills its gaps."""
        gaps = (step for step in self.steps if step not in {"sum images", "mean pairs"})
        return next(gaps, None)

    @property
    def has_worst(self) -> bool:
        """Whether scores are averaged over images and over classes, one after the other."""
        return {"mean images", "mean classes"}.issubset(self.steps)


POOLINGS: Final = {
    "dataset": PoolingRow(
        steps=("sum images", "mean classes"),
        words="counts summed over {images}",
        one_score="counts summed over {images}",
        effect="counts are summed over all images",
    ),
    "image": PoolingRow(
        steps=("mean classes", "mean images"),
        words="mean over classes, then over {images}",
        one_score="mean over {images}",
        effect="every image has the same vote, however many classes it shows",
    ),
    "class": PoolingRow(
        steps=("mean images", "mean classes"),
        words="mean over {images}, then over classes",
        effect="every class is averaged over its images, "
        "so that a few pixels count like a full view",
    ),
    "pair": PoolingRow(
        steps=("mean pairs",),
        words="mean over all (class, image) values of {images}",
        effect="every class of every image has the same vote",
    ),
    "micro": PoolingRow(
        steps=("sum images", "sum classes"),
        words="counts summed over classes and {images}",
        effect="pixels of all classes are put together, so that the largest decide",
    ),
    "image-micro": PoolingRow(
        steps=("sum classes", "mean images"),
        words="counts summed over the classes of each image, mean over {images}",
        effect="pixels of all classes of an image are put together, so that the largest decide",
    ),
    "group": PoolingRow(
        steps=("mean classes", "mean images"),
        by_group=True,
        words="counts of each group summed, mean over classes, then over {images}",
        one_score="counts of each group summed, mean over {images}",
        effect="every group has the same vote, however many images it holds",
    ),
    "dataset-mm3": PoolingRow(
        steps=("sum images", "mean classes"),
        by_volume=True,
        words="mm³ summed over {images}",
        one_score="mm³ summed over {images}",
        effect="volumes in mm³ are summed over all images, so that a voxel weighs what it holds",
    ),
    "track": PoolingRow(
        steps=("mean pairs",),
        by_group=True,
        frames="mean",
        words="mean over the frames of each object, then over the objects of {images}",
        effect="every object of every sequence has the same vote, however long it is seen",
    ),
    "track-decay": PoolingRow(
        steps=("mean pairs",),
        by_group=True,
        frames="decay",
        words="first less last quarter of the frames of each object, mean over those of {images}",
        effect="what counts is how much is lost from the first quarter of a sequence to the last",
    ),
}  # poolings by name; their formulas stand in ``segeval.scoring.means``
