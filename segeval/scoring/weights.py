"""Weights of classes by name, from a file."""

from __future__ import annotations

import csv
import math
import tomllib
from pathlib import Path

from segeval.errors import SettingError


def read_weights(path: Path) -> tuple[tuple[str, float], ...]:
    """Read the weight of each class: CSV of ``class,weight``, or TOML of ``class = weight``.

    Raises
    ------
    SettingError
        If the file cannot be read, a class stands there twice, or a weight is no number of 0 or
        more; if all weights are 0.
    """
    try:
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() == ".toml":
            pairs = list(tomllib.loads(text).items())
        else:
            rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
            pairs = [(row["class"], row["weight"]) for row in rows]
        weights = tuple((name, float(weight)) for name, weight in pairs)
    except OSError as error:
        raise SettingError(f"--weights {path}: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(
            f"--weights {path}: it is no CSV with the header class,weight and a number a class, "
            f"nor TOML of lines such as road = 2.0 ({error})"
        ) from error
    values = [weight for _, weight in weights]
    if len(dict(weights)) < len(weights):
        raise SettingError(f"--weights {path}: a class stands there twice")
    if not all(0 <= value < math.inf for value in values) or not any(values):
        raise SettingError(f"--weights {path}: weights are 0 or more and finite, and not all 0")
    return weights
