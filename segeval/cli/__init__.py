"""The command line: parse, call one function of the library, hand the result to a report.

Nothing is imported before `main` has taken charge of Ctrl-C.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segeval.cli.program import app

__all__ = ["INTERRUPTED", "app", "main"]
INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    try:
        from segeval.cli.program import app

        app()
    except KeyboardInterrupt:  # before or after a command has taken charge of it
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python 3.11, while it makes a class
            raise SystemExit(INTERRUPTED) from None
        raise


def __getattr__(name: str) -> object:
    """Import the program when it is asked for."""
    if name == "app":
        from segeval.cli.program import app

        return app
    message = f"module 'segeval.cli' has no attribute {name!r}"
    raise AttributeError(message)
