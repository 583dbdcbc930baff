"""Count pairs, with progress and into a run file if asked; or read a run that is there."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segeval.cli.console import SHOWN, notify, progress_bar
from segeval.cli.options.pairing import PairingOptions, ReadingOptions
from segeval.errors import SettingError
from segeval.text import counted, listed

if TYPE_CHECKING:
    from segeval.counting.numbering import Numbering
    from segeval.counting.run import CountedRun
    from segeval.settings import Cluster, Source


def say_decoder(*, quiet: bool) -> None:
    """Say that Pillow reads every PNG, where kornia-rs is not there."""
    from segeval.inputs.formats.png import DECODERS

    if not DECODERS:
        notify(
            "notice: kornia-rs cannot be imported, so Pillow reads every PNG: the same values, "
            "more slowly",
            quiet=quiet,
        )


def count(
    pairing: ReadingOptions,
    *,
    quiet: bool,
    lossy: bool = False,
    numbering: Numbering | None = None,
    measuring: Callable[..., CountedRun] | None = None,
) -> CountedRun:
    """Count the pairs that the options name; write them to a run file as they come, if asked.

    What is to be measured in the masks is measured when all are counted, and written as well.
    """
    from segeval.counting.dataset import count_dataset
    from segeval.counting.runfile import RunFile
    from segeval.counting.turned import propose_order

    source, reading = pairing.source(), pairing.reading(lossy=lossy)
    say_decoder(quiet=quiet)
    _say_same(source, quiet=quiet)
    cluster = _cluster(pairing, quiet=quiet)
    with ExitStack() as stack:
        file = None
        if isinstance(pairing, PairingOptions) and pairing.out is not None:
            how = {"resume": pairing.resume, "overwrite": pairing.overwrite}
            file = stack.enter_context(closing(RunFile.create(pairing.out, **how)))
        if cluster is not None and measuring is not None:
            from segeval.counting.cluster import shared

            stack.enter_context(shared(cluster))
        work: Any = {"workers": pairing.workers, "cluster": cluster, "file": file}
        bar = progress_bar(quiet=quiet)
        run = count_dataset(source, reading, **work, progress=bar, numbering=numbering)
        if measuring is not None:
            bar = progress_bar(quiet=quiet)
            run = measuring(run, **work, reading=reading, progress=bar)
    if not quiet:
        _say_others(run, source)
        _say_regions(run, source)
        _say_panoptic(run, source)
        if found := propose_order(run, reading, source.annotations.rle_order):
            notify(f"notice: {found}")
    return run


def _cluster(pairing: ReadingOptions, *, quiet: bool) -> Cluster | None:
    """Return the cluster that counts, or None; say that more workers are asked for than help."""
    from segeval.counting.workers import processors

    cluster = None
    if isinstance(pairing, PairingOptions):
        say = functools.cache(lambda said: notify(f"notice: {said}", quiet=quiet))
        cluster = pairing.cluster(say)
    if cluster is not None and cluster.scheduler is not None and pairing.workers is not None:
        raise SettingError("--workers are of this machine; leave it out, or leave out --scheduler")
    if (pairing.workers or 1) > processors():
        notify(
            f"notice: --workers {pairing.workers} are more than the "
            f"{counted(processors(), 'processor')} that this program may use: they do not count "
            "faster, and take more memory",
            quiet=quiet,
        )
    return cluster


def _say_others(run: CountedRun, source: Source) -> None:
    """Say which files are left out, and why."""
    if others := run.provenance.left_out:
        reason = ", hidden or without the ending of a mask"
        if source.annotations.per_class.by_name:
            reason += ", or of other names than --per-class says"
        notify(f"notice: {counted(len(others), 'file')} left out{reason}: {listed(others, SHOWN)}")


def _say_regions(run: CountedRun, source: Source) -> None:
    """Say that there seem to be fields of view, if none are used."""
    from segeval.inputs.regions import propose_regions

    truth, prediction = source.truth, source.prediction
    if truth is None or prediction is None or source.roi is not None or not truth.is_dir():
        return
    if not run.images or run.provenance.problems:
        return
    if found := propose_regions(
        truth, prediction, list(run.images.names), run.images[0].pair.truth
    ):
        notify(f"notice: {found}")


def _say_panoptic(run: CountedRun, source: Source) -> None:
    """Say that files beside folders of colours may hold the classes of these."""
    from segeval.values import COLOR

    sides = ((source.prediction, run.counts.prediction), (source.truth, run.counts.truth))
    colored = [
        Path(f"{folder}.json")
        for folder, values in sides
        if folder is not None and folder.is_dir() and (values >= COLOR).any()
    ]
    if found := [shlex.quote(str(path)) for path in colored if path.is_file()]:
        notify(
            f"notice: {' and '.join(found)} may say which classes the colours in the folder of "
            "that name are; if so (panoptic JSON of COCO), type the file in the place of the folder"
        )


def _say_same(source: Source, *, quiet: bool) -> None:
    """Say that both sides are the same files."""
    if _is_same(source.prediction, source.truth):
        notify(
            f"notice: {source.truth} is PRED and TRUTH at once: masks are compared with themselves",
            quiet=quiet,
        )


def _is_same(one: Path | None, other: Path | None) -> bool:
    try:
        return one is not None and other is not None and one.samefile(other)
    except OSError:  # what is not there is a problem of the pairing
        return False


def count_or_read(
    pairing: ReadingOptions,
    *,
    quiet: bool,
    lossy: bool = False,
    numbering: Numbering | None = None,
    measuring: Callable[..., CountedRun] | None = None,
) -> CountedRun:
    """Read the run that stands in the place of PRED and TRUTH, or else count."""
    run = pairing.prediction
    if run is not None and not run.is_dir() and pairing.truth is None and pairing.pairs is None:
        return read_counted(run, pairing)
    how: Any = {"lossy": lossy, "numbering": numbering, "measuring": measuring}
    return count(pairing, quiet=quiet, **how)


def read_counted(run: Path, pairing: ReadingOptions) -> CountedRun:
    """Read a run file; options that say how to count are refused."""
    from segeval.counting.runfile import read_run

    if run.exists() and (given := pairing.given_options("prediction", "truth")):
        raise SettingError(f"{run} is counted already; leave out {given}")
    return read_run(run, fingerprints=False)
