"""Weights of classes by name, from a file."""

from __future__ import annotations

import math
from pathlib import Path

from segeval.errors import SettingError
from segeval.text import quoted
from segeval.textfiles import TextError, named, parse_csv, parse_toml, read_text


def read_weights(path: Path) -> tuple[tuple[str, float], ...]:
    """Read the weight of each class: CSV of ``class,weight``, or TOML of ``class = weight``.

    Raises
    ------
    SettingError
        If the file cannot be read, a class stands there twice, or a weight is no number of 0 or
        more; if all weights are 0.
    """
    with named(f"--weights {path}", SettingError):
        text = read_text(path)
        if path.suffix.lower() == ".toml":
            weights = [(name, _weight("", stated)) for name, stated in parse_toml(text).items()]
        else:
            rows = parse_csv(text)[1]
            weights = [
                (row.get("class") or "", _weight(f"line {line}: ", row.get("weight")))
                for line, row in rows
            ]
    values = [weight for _, weight in weights]
    if len(dict(weights)) < len(weights):
        raise SettingError(f"--weights {path}: a class stands there twice")
    if not all(0 <= value < math.inf for value in values) or not any(values):
        raise SettingError(f"--weights {path}: weights are 0 or more and finite, and not all 0")
    return tuple(weights)


def _weight(at: str, stated: object) -> float:
    try:
        return float(stated)  # type: ignore[arg-type]  # what is no number is refused here
    except (TypeError, ValueError) as error:
        raise TextError(
            f"{at}{quoted(stated)} is no weight; a file is CSV with the header class,weight and a "
            "number a class, or TOML of lines such as road = 2.0"
        ) from error
