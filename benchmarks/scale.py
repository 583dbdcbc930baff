"""How time and memory of a pair grow with the number of pairs, by engine and by storage.

Numbers of pairs may be given, 1000, 10 000 and 100 000 otherwise; what takes long is left out at
the larger ones. What is simulated: masks of 16×16 pixels, 250 distinct ones under all names (hard
links), so that decoding costs next to nothing, and what is left is the cost of a pair: listing,
pairing, handing over, counting, writing. Dask is a cluster of this machine, S3 a server of moto on
it, whose own time is left out. Times are of all processors together.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from measuring import SEGEVAL, output, peak_and_processor
from tiny_pairs import SIDES, link_pairs, listing, make_masks

PAIRS, SHARDS = (1000, 10_000, 100_000), 4
ENGINES: Final = {
    "score, 1 worker": ("--workers", "1"),
    "score, 2 workers": ("--workers", "2"),
    "score, Dask with 1": ("--engine", "dask", "--workers", "1"),
    "score, Dask with 2": ("--engine", "dask", "--workers", "2"),
}


MOST: Final = {
    "score, S3": 1000,
    "score, S3, zip": 100_000,
    "score, zip": 100_000,
    "score, tar": 100_000,
    "compare": 100_000,
}
"""The largest number of pairs of what takes long, or much of a disk."""

Command = tuple[str, ...]


def files_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the masks of a side with their names in it."""
    for path in sorted(folder.rglob("*.png")):
        yield path, path.relative_to(folder).as_posix()


def archived(folder: Path, ending: str) -> list[str]:
    """Write both sides as archives without compression, which masks have already."""
    archives = [folder / f"{side}{ending}" for side in SIDES]
    for side, path in zip(SIDES, archives, strict=True):
        if ending == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for file, name in files_of(folder / side):
                    archive.write(file, name)
        else:
            with tarfile.open(path, "w") as tar:
                for file, name in files_of(folder / side):
                    tar.addfile(_entry(name, file), file.open("rb"))
    return [*map(str, archives)]


def _entry(name: str, file: Path) -> tarfile.TarInfo:
    """Return an entry of a tar, which would take hard links for copies of the first."""
    entry = tarfile.TarInfo(name)
    entry.size = file.stat().st_size
    return entry


@contextmanager
def object_store() -> Iterator[Any]:
    """Serve objects as S3 does; yield a client of the server."""
    import boto3
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it tells of each request
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        yield client
    finally:
        server.stop()


def uploaded(store: Any, folder: Path, what: str) -> list[str]:
    """Store both sides as objects, or as archives; return their addresses."""
    start = folder.name
    if what.endswith("zip"):
        for side in SIDES:
            store.upload_file(str(folder / f"{side}.zip"), "bucket", f"{start}/{side}.zip")
        return [f"s3://bucket/{start}/{side}.zip" for side in SIDES]
    for side in SIDES:
        for file, name in files_of(folder / side):
            store.put_object(Bucket="bucket", Key=f"{start}/{side}/{name}", Body=file.read_bytes())
    return [f"s3://bucket/{start}/{side}" for side in SIDES]


def commands(
    folder: Path, sides: list[str], store: Any
) -> Iterator[tuple[str, Callable[[], Command]]]:
    """Yield what is measured, and what makes the command; later ones use runs of earlier ones."""
    score = ("score", "-q", *sides)
    for name, how in ENGINES.items():
        if "dask" not in how or find_spec("distributed"):
            yield name, partial(tuple, (*score, *how))
    for ending in (".zip", ".tar"):
        sources = partial(archived, folder, ending)
        yield f"score, {ending[1:]}", partial(_one_worker, sources)
    if store is not None:
        for what in ("score, S3", "score, S3, zip"):
            yield what, partial(_one_worker, partial(uploaded, store, folder, what))
    run, total = str(folder / "one.segeval"), str(folder / "all.segeval")
    yield "score -o, 1 worker", partial(tuple, (*score, "--workers", "1", "-o", run))
    yield "score --resume", partial(tuple, (*score, "--workers", "1", "-o", run, "--resume"))
    yield "report", partial(tuple, ("report", "-q", run))
    yield "compare", partial(tuple, ("compare", "-q", run, run, "--ci", "100"))
    shards = [str(folder / f"{number}.segeval") for number in range(1, SHARDS + 1)]
    yield f"merge of {SHARDS} shards", partial(_merging, score, shards, total)


def _one_worker(sources: Callable[[], list[str]]) -> Command:
    return ("score", "-q", *sources(), "--workers", "1")


def _merging(score: Command, shards: list[str], total: str) -> Command:
    for number, shard in enumerate(shards, 1):
        output([*SEGEVAL, *score, "-o", shard, "--shard", f"{number}/{SHARDS}"])
    return ("merge", "-q", *shards, "-o", total)


def main() -> None:
    """Print a line for each thing measured and each number of pairs; then how it grows."""
    numbers = [int(text) for text in sys.argv[1:]] or PAIRS
    print(
        "what | pairs | s | µs a pair | MB | kB a pair beyond the start | grows with pairs to the"
    )
    serving = object_store() if find_spec("moto") and find_spec("s3fs") else nullcontext()
    with tempfile.TemporaryDirectory() as name, serving as store:
        folder = Path(name)
        make_masks(folder / "masks")
        starts: dict[str, tuple[float, float]] = {}
        before: dict[str, tuple[int, float]] = {}
        for pairs in (10, *numbers):
            sides = link_pairs(folder / "masks", folder / str(pairs), pairs)
            for what, command in commands(folder / str(pairs), sides, store):
                if pairs > MOST.get(what, pairs):
                    continue
                peak, took = peak_and_processor([*SEGEVAL, *command()])
                if pairs == 10:
                    starts[what] = peak, took
                    continue
                base, start = starts[what]
                say(what, pairs, took - start, (peak, base), before)
            if pairs > 10:
                say("listing and pairing", pairs, listing(sides), None, before)


def say(
    what: str,
    pairs: int,
    took: float,
    memory: tuple[float, float] | None,
    before: dict[str, tuple[int, float]],
) -> None:
    """Print a line."""
    power = f"{growth(before[what], (pairs, took)):.2f}" if what in before else "–"
    before[what] = pairs, took
    peak, more = "–", "–"
    if memory is not None:
        peak, more = f"{memory[0]:.0f}", f"{(memory[0] - memory[1]) * 1e3 / pairs:.2f}"
    print(
        f"{what} | {pairs} | {took:.2f} | {took * 1e6 / pairs:.1f} | {peak} | {more} | {power}",
        flush=True,
    )


def growth(few: tuple[int, float], many: tuple[int, float]) -> float:
    """Return the power of the number of pairs that a quantity grows with, from few to many."""
    if min(few[1], many[1]) <= 0 or few[0] == many[0]:
        return math.nan
    return math.log(many[1] / few[1]) / math.log(many[0] / few[0])


if __name__ == "__main__":
    main()
