"""Which code counts: the compiled kernel, or NumPy where it is not there or not wanted.

Loads no NumPy, as the version is told without it.
"""

import os
from collections.abc import Callable
from typing import Final, Literal


def _compiled() -> Callable[..., bytes | None] | None:
    """Return the kernel, unless it was not compiled, or the environment asks for NumPy."""
    if os.environ.get("SEGEVAL_COUNTING") == "numpy":
        return None
    try:
        from segeval.counting._scanlines import count
    except ImportError:
        return None
    return count


KERNEL: Final = _compiled()


def counting() -> Literal["native", "numpy"]:
    """Tell which of them counts PNG masks here; the counts are the same."""
    return "numpy" if KERNEL is None else "native"
