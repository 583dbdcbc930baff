"""Draw the pictures of the README: a gate in the terminal, and a page in a browser.

``python docs/figures/readme.py [FOLDER]`` writes ``terminal.svg`` and ``page.png`` into the folder
``readme`` beside this script, or into another one. The page needs Playwright and Chromium; where
they are not there, its picture stays what it was. The picture of errors is one of docs/pictures.md.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PIL import Image
from rich.console import Console
from rich.text import Text

PROJECT: Final = Path(__file__).parents[2]
SCORE: Final = (
    "segeval score sample_masks/pred sample_masks/truth --labels sample_masks/labels.toml"
)
GATES: Final = "--fail-under 0.75 --fail-under iou.pole=0.6"
WIDTH: Final = 108  # columns of the terminal
WINDOW: Final = (1200, 760)  # pixels of the browser
FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # a picture fetches nothing


def typed(command: str, *more: str) -> list[str]:
    """Return a command as a program and its arguments, without its notices and its progress."""
    return [sys.executable, "-m", *shlex.split(command), "--quiet", *more]


def on_terminal(command: str) -> str:
    """Run a command where it finds a terminal, and return all that it writes, with its colours."""
    ours, theirs = os.openpty()
    subprocess.run(
        typed(command),
        stdout=theirs,
        stderr=theirs,
        cwd=PROJECT,
        env=os.environ | {"COLUMNS": str(WIDTH), "TERM": "xterm-256color"},
        check=False,
    )
    os.close(theirs)
    written = bytearray()
    with suppress(OSError):  # so it ends on Linux
        while part := os.read(ours, 1 << 16):
            written += part
    os.close(ours)
    return written.decode("utf-8").replace("\r\n", "\n")


def terminal() -> str:
    """Return the picture of a terminal in which gates are checked, as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text(f"$ {SCORE} \\\n    {GATES}"))
    console.print(Text.from_ansi(on_terminal(f"{SCORE} {GATES}").rstrip()))
    return FONTS.sub("", console.export_svg(title="segeval", unique_id="segeval"))


def page() -> bytes:
    """Return the picture of the top of a page, as PNG of few colours."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        file = Path(folder, "page.html")
        command = typed(SCORE, "--html", str(file))
        subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        width, height = WINDOW
        window = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        window.goto(file.as_uri())
        drawn = Image.open(io.BytesIO(window.screenshot()))
        browser.close()
    picture = io.BytesIO()
    drawn.convert("RGB").quantize(128).save(picture, "PNG", optimize=True)
    return picture.getvalue()


def main() -> None:
    """Write the pictures that can be drawn here."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("readme")
    folder.mkdir(exist_ok=True)
    (folder / "terminal.svg").write_text(terminal(), encoding="utf-8")
    if find_spec("playwright") is None or shutil.which("chromium") is None:
        print("page.png is not drawn anew: there is no Playwright, or no Chromium")
        return
    (folder / "page.png").write_bytes(page())


if __name__ == "__main__":
    main()
