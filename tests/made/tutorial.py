"""The tutorial as steps: files that are written, and lines that are typed with what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "tutorial.md"
STEP: Final = re.compile(r"(?:This is `([^`]+)`[^\n]*\n\n)?```(\w+)\n(.*?)```", re.DOTALL)


def written_and_typed(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Write the files below a folder as they come; yield lines, with what they print if shown."""
    for name, language, content in STEP.findall(PAGE.read_text("utf-8")):
        if name:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        elif language == "console":
            line, _, output = content.partition("\n")
            yield line.removeprefix("$ "), output
        else:
            yield from ((line, None) for line in content.splitlines())


def fails(line: str) -> bool:
    """Whether a line is one whose gate fails, as the page says."""
    return "0.9" in line
