"""Which code counts: the compiled kernel, or NumPy where it is not there or not wanted.

Loads no NumPy, as the version is told without it.
"""

import os
from collections.abc import Callable
from typing import Literal, TypeAlias

Span: TypeAlias = tuple[int, int, int]  # of a chunk: start, end, stated checksum


Count: TypeAlias = Callable[..., bytes | None]
Outline: TypeAlias = Callable[[bytes], tuple[int, int, int, int, int, list[Span]] | None]
Fill: TypeAlias = Callable[..., bool]


def _compiled() -> tuple[Count, Outline, Fill] | tuple[None, None, None]:
    """Return the kernel, unless it was not compiled, or the environment asks for NumPy."""
    if os.environ.get("SEGEVAL_COUNTING") == "numpy":
        return None, None, None
    try:
        from segeval.counting._scanlines import count, fill, outline
    except ImportError:
        return None, None, None
    return count, outline, fill


KERNEL, OUTLINE, FILL = _compiled()


def counting() -> Literal["native", "numpy"]:
    """Tell which of them counts PNG masks here; the counts are the same."""
    return "numpy" if KERNEL is None else "native"
