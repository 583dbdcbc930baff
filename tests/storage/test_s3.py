"""S3, through a server on this machine that refuses, is slow, and cuts connections."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from made.archives import contents, packed
from made.objectstore import served
from made.sets import data_set, noise, segeval

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the libraries of the server
]


def scored(*arguments: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(segeval("score", *arguments, "--format", "json").stdout)
    del document["settings"]["prediction"], document["settings"]["truth"]
    return document


def test_a_server_that_fails_at_times_changes_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    folders = data_set(tmp_path, noise(f"val/{number}" for number in range(10)))
    archives = [
        packed(Path(f"{folder}{ending}"), contents(folder))
        for folder, ending in zip(folders, (".zip", ".tar.gz"), strict=True)
    ]
    with served(*folders, files=archives) as (address, faulty):
        for name, value in (
            ("AWS_ENDPOINT_URL", address),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(name, value)
        sides = [f"s3://bucket/{folder.name}" for folder in folders]
        expected, asked = scored(*folders), faulty.asked
        assert scored(*sides) == expected
        assert 20 <= faulty.asked - asked < 45  # once for each of 20 objects, and listings
        faulty.share, begun, asked = 0.3, time.monotonic(), faulty.asked
        assert scored(*sides) == expected
        assert scored(*sides, "--workers", 2) == expected
        assert scored(*(f"s3://bucket/{archive.name}" for archive in archives)) == expected
        assert min(faulty.refused, faulty.slow, faulty.cut) > 0
        assert time.monotonic() - begun < 120
        assert faulty.asked - asked < 10 * 40
        faulty.share = 0.0
        said = segeval("score", "s3://bucket/nowhere", folders[1], expect=3).stderr
        assert "s3://bucket/nowhere: there is nothing at this address" in said
