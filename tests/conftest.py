"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
PROJECT = Path(__file__).parents[1]


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
