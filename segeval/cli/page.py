"""``--html``: what the page shows beside the document, gathered from the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from segeval.errors import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from segeval.cli.options import OutputOptions


def check_page(output: OutputOptions) -> Mapping[str, Path]:
    """Refuse early what cannot be made, and return the photographs by name.

    Raises
    ------
    SettingError
        If a library or a folder is missing, or photographs are given for no page.
    """
    if output.images is None and output.image_suffix:
        raise SettingError("--image-suffix needs photographs; name their folder with --images")
    if output.html is None:
        if output.images is not None:
            raise SettingError("--images needs a page to be shown on; name it with --html")
        return {}
    from segeval.inputs.photographs import find_photographs
    from segeval.reports.html.page import check_jinja

    check_jinja()
    if output.images is None:
        return {}
    return find_photographs(output.images, suffix=output.image_suffix)
