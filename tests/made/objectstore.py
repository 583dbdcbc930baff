"""A server of objects on this machine that fails as servers do, by a fixed chance."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from made.sets import segeval

BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Later.</Message></Error>"


class Faulty:
    """An application whose answers are refused, slow, or cut, once a share is set."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.source = random.Random(3)
        self.share = 0.0
        self.refused = self.cut = self.slow = self.asked = 0

    def __call__(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        chance = self.source.random() if self.share else 1.0
        self.asked += 1
        if chance < self.share:
            self.refused += 1
            start("503 Slow Down", [("Content-Type", "application/xml")])
            return [BUSY]
        if chance < self.share + 0.1:
            self.slow += 1
            time.sleep(0.1)
        answer = self.application(environment, start)
        if environment["REQUEST_METHOD"] == "GET" and 0.9 < chance < 1:
            self.cut += 1
            return _cut(answer)
        return answer  # type: ignore[no-any-return]


def _cut(answer: Iterable[bytes]) -> Iterator[bytes]:
    """Give half of an answer, and close the connection."""
    data = b"".join(answer)
    yield data[: len(data) // 2]
    raise ConnectionResetError


@contextmanager
def served(*folders: Path, files: Iterable[Path] = ()) -> Iterator[tuple[str, Faulty]]:
    """Serve folders and files as those of a bucket; give the address, and the faults to come."""
    import boto3
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    faulty = Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, faulty, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.port}"
    try:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="bucket")
        masks = [(path, folder.parent) for folder in folders for path in folder.rglob("*.png")]
        for path, top in (*masks, *((file, file.parent) for file in files)):
            key = path.relative_to(top).as_posix()
            client.put_object(Bucket="bucket", Key=key, Body=path.read_bytes())
        yield address, faulty
    finally:
        server.shutdown()


def fault_in_memory(monkeypatch: pytest.MonkeyPatch, *, cut: float) -> list[int]:
    """Let reads from fsspec's memory be refused, or cut above a chance; return how many were."""
    from fsspec.implementations.memory import MemoryFileSystem

    source, faults, read = random.Random(4), [0, 0], MemoryFileSystem.cat_file

    def faulty(system: Any, path: str, **how: Any) -> bytes:
        chance = source.random()
        if chance < 0.3:
            faults[0] += 1
            raise OSError(16, "Slow Down")
        data: bytes = read(system, path, **how)
        if chance > cut:
            faults[1] += 1
            return data[: len(data) // 2]
        return data

    monkeypatch.setattr(MemoryFileSystem, "cat_file", faulty)
    return faults


def scored(*arguments: object) -> dict[str, Any]:
    """Score, and return the document but for the names of the sides."""
    document: dict[str, Any] = json.loads(segeval("score", *arguments, "--format", "json").stdout)
    for name in ("prediction", "truth", "pairs"):
        document["settings"].pop(name, None)
    return document
