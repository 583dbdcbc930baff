"""The options of conventions: how counts become scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segeval.cli.options.panels import in_panel, preset_names
from segeval.errors import SettingError
from segeval.settings import Absent, Pooling

if TYPE_CHECKING:
    from segeval.scoring.convention import Convention
    from segeval.scoring.resampling import Resampling


_convention = in_panel("Convention")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionOptions:
    """How counts become scores."""

    like: str | None = _convention(
        "Report what another tool reports for these masks (see `segeval presets`); --pooling and "
        "--absent depart from it.",
        common=True,
        metavar="PRESET",
        autocompletion=preset_names,
    )
    pooling: Pooling | None = _convention(
        "What a mean is over: counts of the whole data set, or scores of images, of classes, of "
        "both, or of groups.",
        common=True,
        show_default="dataset",
    )
    absent: Absent | None = _convention(
        "A class in neither truth nor prediction is left out of the mean (skip), counts as 0 or "
        "1, or makes it undefined.",
        show_default="skip",
    )
    exclude: list[str] | None = _convention(
        "Leave a class out of the means; its pixels still count as errors of others.",
        metavar="CLASS",
    )
    weights: Path | None = _convention(
        "Weights of the classes in the means: CSV of class,weight or TOML of class = weight.",
        metavar="FILE",
    )
    worst: float | None = _convention(
        "Also the mean of the lowest Q % of scores; needs --pooling image, class or group.",
        metavar="Q",
    )

    ci: int | None = _convention(
        "Also 95 % intervals, from N resamples of the images, or of their groups; e.g. 1000.",
        metavar="N",
        common=True,
    )
    seed: int | None = _convention(
        "Seed of the resamples, where there are any.", metavar="S", show_default="12345"
    )

    def resampling(self, *, always: bool = False) -> Resampling | None:
        """Return how intervals are found, if they are asked for, or always."""
        from segeval.scoring.resampling import Resampling

        given = {"rounds": self.ci, "seed": self.seed}
        stated = {name: value for name, value in given.items() if value is not None}
        return Resampling(**stated) if self.ci is not None or always else None

    def convention(self, *, objects: bool = False, distances: bool = False) -> Convention:
        """Return the convention: that of the preset, if one is named, as the others change it.

        A preset of objects or of distances says nothing of the pixels of classes, and needs these.
        """
        given: dict[str, Any] = {
            "pooling": self.pooling,
            "absent": self.absent,
            "exclude": tuple(dict.fromkeys(self.exclude or ())),
            "worst": self.worst,
        }
        if self.weights is not None:
            from segeval.scoring.weights import read_weights

            given["weights"] = read_weights(self.weights)
        axes = {name: value for name, value in given.items() if value is not None}
        if self.like is not None:
            from segeval.presets.distances import load_distance_presets
            from segeval.presets.objects import load_object_presets
            from segeval.presets.preset import load_presets, preset

            of_objects = self.like in load_object_presets()
            of_distances = self.like in load_distance_presets()
            if self.like in load_presets() or not (of_objects or of_distances):
                return preset(self.like, **axes)
            if not (of_objects and objects) and not (of_distances and distances):
                what, option = "distances", "--distances"
                if of_objects:
                    what, option = "objects", "--objects ids"
                raise SettingError(f"{self.like} scores {what}; type {option} as well")
        from segeval.scoring.convention import Convention

        return Convention(**axes)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedOptions(ConventionOptions):
    """How counts become scores, of groups of images as well."""

    group_by: str | None = _convention(
        "Score groups of images as well: what the first capture group of this regular expression "
        "finds in the name.",
        metavar="REGEX",
    )
