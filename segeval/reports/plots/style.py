"""What all plots have in common: one restrained style, the check of the format, and saving.

Text in an SVG stays text, and no file holds a date: the same numbers give the same file.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from segeval.errors import SettingError
from segeval.text import shortened, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = ("svg", "png", "pdf")
# Colours that the colour-blind can tell apart: Okabe and Ito 2008.
BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
GREY: Final = "#767676"
FONT: Final = "DejaVu Sans"  # which Matplotlib brings, so that all machines draw the same
STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "segeval",
    "pdf.fonttype": 42,
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.linewidth": 0.8,
}

DATELESS: Final[dict[str, dict[str, None]]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}


def check_matplotlib() -> None:
    """Refuse early what needs Matplotlib where it is not installed, or does not start."""
    try:
        import matplotlib as mpl  # noqa: F401 - whether it is there is the question
    except ImportError:
        raise SettingError(
            'plots need Matplotlib; type pip install "segeval-masks[report]"'
        ) from None
    except ValueError as error:  # of the environment: MPLBACKEND
        raise SettingError(
            f"Matplotlib does not start: {shortened(str(error))}; unset MPLBACKEND"
        ) from error


def plot_format(name: str) -> str:
    """Return the format that a file name says, SVG for stdout; check that plots can be drawn."""
    ending = "svg" if name == "-" else name.lower().rpartition(".")[2]
    if ending not in FORMATS:
        raise SettingError(f"{name}: the name of a picture ends in .{', .'.join(FORMATS)}")
    check_matplotlib()
    return ending


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of all plots, whatever the user has set for their own."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def figure_of(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches that arranges itself."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def short(name: str, most: int) -> str:
    """Shorten a name for an axis; a dollar sign is no formula."""
    name = visible(name)
    return (name if len(name) <= most else f"{name[: most - 1]}…").replace("$", r"\$")


def bare(axes: Axes) -> None:
    """Leave out the upper and the right line of the frame."""
    axes.spines[["top", "right"]].set_visible(False)


def missing_letters(figure: Figure) -> list[str]:
    """Return the letters in a figure that its font lacks; it shows a box for each."""
    from matplotlib.font_manager import findfont, get_font
    from matplotlib.text import Text

    known = get_font(findfont(FONT)).get_charmap()
    letters = "".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))
    return [c for c in sorted(set(letters)) if ord(c) not in known and c.isprintable()]


def save(figure: Figure, ending: str) -> bytes:
    """Return a figure as a file of one of `FORMATS`; of letters see `missing_letters`."""
    buffer = io.BytesIO()
    with style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(buffer, format=ending, dpi=200, metadata=DATELESS.get(ending))
    return buffer.getvalue()
