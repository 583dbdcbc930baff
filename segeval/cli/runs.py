"""Count pairs, with progress and into a run file if asked; or read a run that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segeval.cli.console import progress_bar
from segeval.cli.options.pairing import PairingOptions
from segeval.errors import SettingError

if TYPE_CHECKING:
    from segeval.cli.options.pairing import ReadingOptions
    from segeval.counting.run import Run

__all__ = ["count", "count_or_read"]


def count(pairing: ReadingOptions, *, quiet: bool) -> Run:
    """Count the pairs that the options name; write them to a run file as they come, if asked."""
    from segeval.counting.dataset import evaluate
    from segeval.counting.runfile import RunFile

    source, reading = pairing.source(), pairing.reading()
    progress = progress_bar(quiet=quiet)
    if not isinstance(pairing, PairingOptions) or pairing.out is None:
        return evaluate(source, reading, workers=pairing.workers, progress=progress)
    file = RunFile.create(pairing.out, resume=pairing.resume, overwrite=pairing.overwrite)
    try:
        return evaluate(source, reading, workers=pairing.workers, progress=progress, file=file)
    finally:
        file.close()


def count_or_read(pairing: ReadingOptions, *, quiet: bool) -> Run:
    """Read the run that stands in the place of PRED and TRUTH, or else count."""
    from segeval.counting.runfile import read_run

    run = pairing.prediction
    if run is not None and run.is_file() and pairing.truth is None and pairing.pairs is None:
        if stated := pairing.stated("prediction"):
            raise SettingError(f"{run} is counted already; leave out {stated}")
        return read_run(run)
    return count(pairing, quiet=quiet)
