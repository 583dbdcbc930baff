"""The options that say where the photographs are that pictures are drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segeval.cli.options.panels import in_panel
from segeval.errors import SettingError

_picture = in_panel("Pictures")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotographOptions:
    """Where the photographs are."""

    images: Path | None = _picture(
        "Folder of photographs to draw on, by the same names.", metavar="DIR", common=True
    )
    image_suffix: str = _picture(
        "End of the names of photographs, stripped before matching.", metavar="S", default=""
    )

    def photographs(self) -> dict[str, Path]:
        """Return the photographs by name, if a folder of them is given."""
        return photographs_in(self.images, self.image_suffix)


def photographs_in(folder: Path | None, suffix: str) -> dict[str, Path]:
    """Return the photographs of ``--images`` and ``--image-suffix`` by name; none without them."""
    from segeval.inputs.photographs import find_photographs

    if folder is not None:
        return find_photographs(folder, suffix=suffix)
    if suffix:
        raise SettingError("--image-suffix needs photographs; name their folder with --images")
    return {}
