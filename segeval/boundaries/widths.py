"""How wide a band is: so many pixels, or a share of the diagonal of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from segeval.errors import SettingError

WRONG = "is no width: type a share of the diagonal such as 2%, or whole pixels such as 5px"


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """The width of a band.

    Parameters
    ----------
    amount
        Percent of the diagonal, or pixels.
    relative
        Whether the amount is percent.
    """

    amount: Fraction
    relative: bool

    @classmethod
    def parse(cls, text: str) -> Width:
        """Read a width as it is typed.

        >>> str(Width.parse("2%")), str(Width.parse("5px"))
        ('2%', '5px')
        """
        for unit in ("%", "px"):
            number = text.strip().removesuffix(unit).strip()
            if number == text.strip() or not number.replace(".", "", 1).isdecimal():
                continue
            if not number.isascii() or len(number) > 12:
                continue
            amount = Fraction(number)
            whole = unit == "%" or amount.denominator == 1
            if whole and 0 < amount <= (100 if unit == "%" else 1 << 20):
                return cls(amount=amount, relative=unit == "%")
        bare = text.strip().replace(".", "", 1).isdecimal()
        hint = f"is no width: type {text}px for pixels, or {text}% of the diagonal"
        raise SettingError(f"{text!r} {hint if bare else WRONG}")

    def pixels(self, shape: Sequence[int]) -> int:
        """Return the width in an image of a shape: at least 1 pixel.

        A share is rounded as boundary-iou-api does, a half to the even number.

        >>> Width.parse("2%").pixels((1024, 2048)), Width.parse("5px").pixels((8, 8))
        (46, 5)
        """
        if not self.relative:
            return int(self.amount)
        diagonal = math.sqrt(sum(length * length for length in shape))
        return max(1, round(float(self.amount / 100) * diagonal))

    def __str__(self) -> str:
        """Return the width as it is typed."""
        return f"{float(self.amount):g}{'%' if self.relative else 'px'}"


def parse_widths(text: str) -> tuple[Width, ...]:
    """Read widths that commas part, each once.

    >>> [str(width) for width in parse_widths("0.5%,2%,5px,2%")]
    ['0.5%', '2%', '5px']
    """
    return tuple(dict.fromkeys(Width.parse(part) for part in text.split(",")))
