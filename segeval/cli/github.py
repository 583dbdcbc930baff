"""What GitHub Actions shows of a job: annotations, and a summary of the step.

Workflow commands are read from stderr as well as from stdout, so data on stdout stays whole. What
only looks like a command is data, whichever CI server reads it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Final

from segeval.text import reason_of

KINDS: Final = {
    "segeval: gate failed: ": "error title=segeval gate failed",
    "segeval: ": "error title=segeval",
    "warning: ": "warning title=segeval",
    "notice: ": "warning title=segeval",
}  # how speech begins, and the workflow command that it becomes


SERVERS: Final = "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION"  # read commands in what is said
COMMAND: Final = re.compile(r"(?m)(?<=#)#(?=\w*\[)|^(?:\s*):(?=:)")
"""How commands begin: ``::name`` at the start of a line, ``##name[`` anywhere."""


def on_github() -> bool:
    """Whether GitHub Actions runs this, and reads what is said."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def annotated(message: str) -> str:
    """Return a message as a workflow command if GitHub runs this, or else as it is."""
    if on_github():
        for start, kind in KINDS.items():
            if message.startswith(start):
                return f"::{kind}::{_escaped(harmless(message.removeprefix(start)))}"
    return harmless(message)


def harmless(text: str) -> str:
    r"""Write the beginnings of commands as escapes, if there is a CI server that would obey them.

    The escapes are those of JSON, where they mean the same.
    """
    if not any(os.environ.get(server) for server in SERVERS):
        return text
    return COMMAND.sub(lambda found: f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}", text)


def _escaped(text: str) -> str:
    r"""Escape what would end or change a workflow command.

    >>> _escaped("100%\n::error::")
    '100%25%0A::error::'
    """
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def add_to_summary(markdown: Callable[[], str]) -> str:
    """Append a report to the summary of the step, if there is one; say what kept it away."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return ""
    text = f"### segeval\n\n{markdown()}\n"
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        return f"{path}: no summary was added: {reason_of(error)}"
    return ""
