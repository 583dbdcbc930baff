"""The command line: parse, call one function of the library, hand the result to a report.

Nothing is imported before `main` has taken charge of Ctrl-C.
"""

TYPE_CHECKING = False  # as `typing` says; Ctrl-C is not in our hands while that is imported
if TYPE_CHECKING:
    from sys import UnraisableHookArgs

    from segeval.cli.program import app

__all__ = ["FAULT", "INTERRUPTED", "app", "main"]
FAULT = 4  # segeval itself failed, or the system below it
INTERRUPTED = 130


def main() -> None:
    """Run the command line.

    Ctrl-C ends the program at once while there is nothing to tidy up, at the beginning and at the
    end. Whatever a command does not expect is one line and an exit code of its own.
    """
    try:
        import gc
        import os
        import signal
        import sys

        gc.set_threshold(100_000)  # what is imported stays, and is not looked through for garbage
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        sys.unraisablehook = _never_lose_interrupts
        _mend_streams()
        # the threads of OpenBLAS take longer to start than they save
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from segeval.cli.program import app

        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            app()
        finally:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            gc.freeze()  # the end looks for garbage, and would go through all that is known
    except KeyboardInterrupt:  # before or after a command has taken charge of it
        raise SystemExit(INTERRUPTED) from None
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a decoder may raise what is no Exception
        raise SystemExit(_explain_fault(error)) from None


def _mend_streams() -> None:
    """Give streams that are closed a place, and let no character that they lack be an error.

    What is said goes nowhere then; data that cannot be written is an error when it comes to it.
    """
    import os
    import sys

    if sys.stdout is None:
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - refuses to be written
    elif hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the whole program


def _never_lose_interrupts(unraisable: "UnraisableHookArgs") -> None:
    """End the program where Python cannot raise Ctrl-C, and would go on."""
    import signal
    import sys

    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    sys.__unraisablehook__(unraisable)


def _explain_fault(error: BaseException) -> int:
    """Say what went wrong in one line, and return the exit code."""
    import os
    import sys
    import traceback

    origin: BaseException | None = error
    while origin is not None:
        if isinstance(origin, KeyboardInterrupt):  # libraries turn it into errors of their own
            return INTERRUPTED
        origin = origin.__cause__ or origin.__context__
    if "SEGEVAL_TRACEBACK" in os.environ:
        traceback.print_exception(error)
    reason = ascii(str(error))[1:-1]
    said = f"segeval: {reason}"
    if not isinstance(error, OSError):  # which tells of the system, e.g. a stream that is closed
        said = (
            f"segeval: {type(error).__name__}: {reason}; this is a fault of segeval: please report "
            "it, with what SEGEVAL_TRACEBACK=1 in the environment adds"
        )
    print(said, file=sys.stderr)  # noqa: T201 - whatever else would be imported may be at fault
    return FAULT


def __getattr__(name: str) -> object:
    """Import the program when it is asked for."""
    if name == "app":
        from segeval.cli.program import app

        return app
    message = f"module 'segeval.cli' has no attribute {name!r}"
    raise AttributeError(message)
