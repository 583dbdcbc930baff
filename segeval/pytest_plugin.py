"""What pytest finds where segeval is installed: a fixture and an option, without early imports."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from segeval.api import Result


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of the folder of pages."""
    parser.getgroup("segeval").addoption(
        "--segeval-html",
        metavar="DIR",
        help="write a page of HTML into this folder for every call of assert_segmentation",
    )


@pytest.fixture
def assert_segmentation(request: pytest.FixtureRequest) -> Callable[..., Result]:
    """Score masks and fail where a score is too low; see `segeval.testing.assert_segmentation`."""
    folder = request.config.getoption("--segeval-html")
    calls = 0

    def assert_segmentation(prediction: Any, truth: Any, **given: Any) -> Result:
        __tracebackhide__ = True
        nonlocal calls
        from segeval.testing import check

        checked = check(prediction, truth, **given)
        calls += 1
        page = ""
        if folder is not None:
            name = re.sub(r"[^\w.-]+", "_", request.node.nodeid)
            path = Path(folder, f"{name}-{calls}.html")
            checked.html(path)
            page = f"\n\n{path}"
        if checked.failures:
            raise AssertionError(checked.message() + page)
        return checked.result

    return assert_segmentation
