"""Which code counts: the compiled kernel, or NumPy where it is not there or not wanted.

Loads no NumPy, as the version is told without it.
"""

import os
from types import ModuleType
from typing import Final, Literal

NEEDED: Final = ("count", "count_sides", "fill", "outline", "settle")


def _compiled() -> ModuleType | None:
    """Return the kernel, unless it is not there or an old one, or NumPy is asked for."""
    if os.environ.get("SEGEVAL_COUNTING") == "numpy":
        return None
    try:
        from segeval.counting import _scanlines
    except ImportError:
        return None
    return _scanlines if all(hasattr(_scanlines, name) for name in NEEDED) else None


KERNEL = _compiled()


def counting() -> Literal["native", "numpy"]:
    """Tell which of them counts PNG masks here; the counts are the same."""
    return "numpy" if KERNEL is None else "native"
