"""Groups of images: a city, a scanner, day and night. A group is a view of a run like any other."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import SettingError
from segeval.text import listed, quoted

UNMATCHED: Final = "(none)"  # group of the images that are in none


def group_names(run: CountedRun, pattern: str | None = None) -> list[str]:
    """Return the group of every image, empty if it has none.

    A pattern is searched in the names of the images; its first capture group, or else the whole
    match, is the name of the group. Without one, the groups are those that the pairs carry, if any.

    >>> import re
    >>> re.search(r"([a-z]+)_", "aachen_000001").group(1)
    'aachen'
    """
    if pattern is None:
        return list(run.images.column("group"))
    try:
        matches = [re.search(pattern, name) for name in run.images.names]
    except (re.error, OverflowError, RecursionError) as error:
        raise SettingError(
            f"--group-by {quoted(pattern)} is no regular expression: {error}"
        ) from error
    if not any(matches):
        raise SettingError(
            f"--group-by {quoted(pattern)} matches no name; names are like {run.images[0].name!r}"
        )
    return [m.group(min(1, m.re.groups)) or "" if m else "" for m in matches]


def check_groups(run: CountedRun, names: Sequence[str]) -> None:
    """Refuse a mean over groups where an image has none."""
    without = [image for image, name in zip(run.images.names, names, strict=True) if not name]
    if without:
        raise SettingError(
            f"--pooling group: {listed(without, 3, ' and {} more images')} "
            f"{'is' if len(without) == 1 else 'are'} in no group; type --group-by REGEX to name "
            "the group of every image, or fill the column `group` of --pairs"
        )


def split_groups(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions of the images of each group, in the order of their names, if any."""
    groups: dict[str, list[int]] = defaultdict(list)
    for position, name in enumerate(names):
        groups[name or UNMATCHED].append(position)
    return dict(sorted(groups.items())) if any(names) else {}
