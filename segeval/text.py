"""Numbers and names as people read them; rounding is for the screen only."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final


def defined(value: float) -> float | None:
    """Return None for NaN and infinity, which no JSON holds."""
    return value if math.isfinite(value) else None


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    >>> counted(1, "pixel"), counted(2, "pixel")
    ('1 pixel', '2 pixels')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: Sequence[str], most: int, rest: str = ", …") -> str:
    """Name the first of some things, and say that there are more.

    >>> listed(["a", "b", "c"], 2), listed(["a", "b", "c"], 2, " and {} more")
    ('a, b, …', 'a, b and 1 more')
    """
    left_out = len(names) - most
    return ", ".join(names[:most]) + (rest.format(left_out) if left_out > 0 else "")


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Name the word that is spelled most alike, if there is one.

    >>> did_you_mean("citiscapes", ["ade20k", "cityscapes"])
    "; did you mean 'cityscapes'?"
    """
    near = get_close_matches(word, list(words), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def printable(text: str) -> str:
    """Write the bytes of a file name that are not UTF-8 as escapes, so that it can be written."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def reason_of(error: Exception) -> str:
    """Return what the system says of a path, without the path.

    >>> reason_of(OSError(2, "No such file or directory", "a.png")), reason_of(ValueError("NUL"))
    ('No such file or directory', 'NUL')
    """
    said = getattr(error, "strerror", None) or str(error)
    return "embedded null byte" if "embedded null" in said else said  # in words of every Python


HIDDEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What terminals and logs obey and do not show: controls, ends of lines, marks of direction."""


def visible(text: str, keep: str = "") -> str:
    r"""Write a text of others so that it is seen, and not obeyed, by a terminal or a log.

    >>> print(visible("road\x1b[31m\u202e\n::error::"))
    road\x1b[31m\u202e\n::error::
    """
    return HIDDEN.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def visible_in(value: Any) -> Any:
    """Write all texts of a document as `visible`, its keys as well."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible(key): visible_in(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)) and value and not isinstance(value[0], (int, float)):
        return [visible_in(part) for part in value]
    return value


def quoted(value: object, most: int = 80) -> str:
    """Write a value as Python does, and no more than so many characters of it.

    >>> quoted("road"), quoted([1, 2, 3], 6)
    ("'road'", '[1, 2…')
    """
    return shortened(repr(value), most)


def shortened(text: str, most: int = 80) -> str:
    """Cut a text where it is longer than so many characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def show_percent(share: float) -> str:
    """Write a share in percent, in two or three characters; nothing for exactly 0.

    >>> [show_percent(share) for share in (0.0, 0.004, 0.125, 0.9996, 1.0)]
    ['', '<1', '13', '>99', '100']
    """
    if math.isnan(share) or share == 0:
        return ""
    if share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else str(int(100 * share + 0.5))


UNDEFINED = "–"


def show_score(value: float | None, *, percent: bool = False) -> str:
    """Round a score to four digits; 1 is shown for exactly 1 only, and 0 for exactly 0 only.

    >>> show_score(0.99999), show_score(1.0), show_score(0.00001), show_score(None)
    ('0.9999', '1.0000', '0.0001', '–')
    >>> show_score(0.78864, percent=True)
    '78.86'
    """
    if value is None:
        return UNDEFINED
    digits = round(abs(value), 4)
    if digits >= 1 and abs(value) < 1:
        digits = 0.9999
    if digits == 0 and value != 0:
        digits = 0.0001
    signed = -digits if value < 0 else digits
    return f"{signed * 100:.2f}" if percent else f"{signed:.4f}"


def show_interval(bounds: Sequence[float | None], *, percent: bool = False) -> str:
    """Write both bounds of an interval, rounded like scores.

    >>> show_interval([0.71234, 0.75])
    '0.7123 … 0.7500'
    """
    return " … ".join(show_score(bound, percent=percent) for bound in bounds)


def show_count(count: int) -> str:
    """Write a count with its thousands apart.

    >>> show_count(1234567)
    '1 234 567'
    """
    return f"{count:,}".replace(",", " ")


def unbroken_count(count: int) -> str:
    """Write a count with its thousands apart, which no line breaks."""
    return show_count(count).replace(" ", "\N{NO-BREAK SPACE}")


def show_loss(value: float | None) -> str:
    """Round a loss to four digits behind the point; 0 is shown for exactly 0 only.

    >>> show_loss(12.34567), show_loss(0.00001), show_loss(0.0), show_loss(None)
    ('12.3457', '0.0001', '0.0000', '–')
    """
    if value is None:
        return UNDEFINED
    if value >= 1e6:
        return f"{value:.4e}"
    return f"{max(value, 0.0001) if value else value:.4f}"


def show_threshold(threshold: float) -> str:
    """Write a level as it is, and a float with four digits."""
    return str(threshold) if isinstance(threshold, int) else f"{threshold:.4g}"
