"""The options of the convention family; see `segeval.cli.options`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from segeval.cli.panels import in_panel
from segeval.errors import SettingError
from segeval.settings import Absent, Pooling

if TYPE_CHECKING:
    from segeval.conventions import Convention

__all__ = ["ConventionOptions"]

_convention = in_panel("Convention")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConventionOptions:
    """How counts become scores."""

    like: Annotated[
        str | None,
        _convention(
            "Report what another tool reports for these masks; see `segeval presets`.",
            metavar="PRESET",
        ),
    ] = None
    pooling: Annotated[
        Pooling | None,
        _convention(
            "Sum counts over the data set, or average over images, classes, or both.",
            show_default="dataset",
        ),
    ] = None
    absent: Annotated[
        Absent | None,
        _convention(
            "A class in neither truth nor prediction is left out, is 0 or 1, or spoils the mean.",
            show_default="skip",
        ),
    ] = None
    exclude: Annotated[
        list[str] | None,
        _convention(
            "Leave a class out of the means (its pixels still count); repeatable.",
            metavar="CLASS",
        ),
    ] = None
    worst: Annotated[
        float | None,
        _convention("Also the mean of the lowest Q %, with --pooling image or class.", metavar="Q"),
    ] = None

    group_by: Annotated[
        str | None,
        _convention(
            "Score groups of images as well: regular expression on the name, first capture group.",
            metavar="REGEX",
        ),
    ] = None

    def convention(self) -> Convention:
        """Return the convention.

        Raises
        ------
        SettingError
            If a preset is named together with an option that it decides, or is not known.
        """
        exclude = tuple(dict.fromkeys(self.exclude or ()))
        if self.like is not None:
            return self._preset(self.like, exclude)
        from segeval.conventions import Convention

        return Convention(
            pooling=self.pooling or "dataset",
            absent=self.absent or "skip",
            exclude=exclude,
            worst=self.worst,
        )

    def _preset(self, name: str, exclude: tuple[str, ...]) -> Convention:
        """Return a preset, which leaves nothing open but the excluded classes."""
        from segeval.presets import preset

        for option in ("pooling", "absent", "worst"):
            given = getattr(self, option)
            if given is not None:
                raise SettingError(
                    f"--like {name} decides --{option} itself; type --like {name} alone, "
                    f"or --{option} {given} without --like"
                )
        return replace(preset(name), exclude=exclude)
