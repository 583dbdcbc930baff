"""What all tests share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from segeval.inputs.formats.png import DECODERS

SHARED = Path(__file__).parents[2] / "shared"
PROJECT = Path(__file__).parents[1]
CHROMIUM_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()

settings.register_profile("patient", deadline=None)  # a loaded machine is no defect
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="write the expected files anew")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real masks and published scores beside the project, if it is there."""
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not there")
    return SHARED


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample masks of the project."""
    return PROJECT / "sample_masks"


@pytest.fixture(params=["kornia-rs", "Pillow"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who decodes PNG masks: kornia-rs, or Pillow where kornia-rs cannot be imported."""
    name: str = request.param
    if name == "Pillow":
        monkeypatch.setattr("segeval.inputs.formats.png.DECODERS", {})
    elif not DECODERS:
        pytest.skip("kornia-rs cannot be imported")
    return name


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once; what needs it is left out where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        yield started
        started.close()
