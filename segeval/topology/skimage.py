"""scikit-image, which thins masks and labels their parts, loaded where it is needed."""

from importlib import import_module
from typing import Any

from segeval.errors import SettingError


def library(name: str) -> Any:
    """Import a module of scikit-image."""
    try:
        return import_module(f"skimage.{name}")
    except ImportError:
        raise SettingError(
            'topology needs scikit-image; type `pip install "segeval-masks[topology]"`'
        ) from None
