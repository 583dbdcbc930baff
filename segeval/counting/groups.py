"""Groups of images: a city, a scanner, day and night. A group is a view of a run like any other."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Final

from segeval.counting.run import CountedRun
from segeval.errors import SettingError

UNMATCHED: Final = "(none)"
"""Group of the images that a pattern does not match."""


def split_groups(run: CountedRun, pattern: str | None = None) -> dict[str, list[int]]:
    """Split the images of a run into groups, which come in the order of their names.

    A pattern is searched in the names of the images; its first capture group, or else the whole
    match, is the name of the group. Without one, the groups are those that the pairs carry, if any.

    >>> import re
    >>> re.search(r"([a-z]+)_", "aachen_000001").group(1)
    'aachen'
    """
    if pattern is None:
        keys = [image.group for image in run.images]
        if not any(keys):
            return {}
    else:
        try:
            matches = [re.search(pattern, image.name) for image in run.images]
        except re.error as error:
            raise SettingError(
                f"--group-by {pattern!r} is no regular expression: {error}"
            ) from error
        if not any(matches):
            raise SettingError(
                f"--group-by {pattern!r} matches no name; names are like {run.images[0].name!r}"
            )
        keys = [m.group(min(1, m.re.groups)) or "" if m else "" for m in matches]
    groups: dict[str, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        groups[key or UNMATCHED].append(position)
    return dict(sorted(groups.items()))
