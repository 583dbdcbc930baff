"""Values and gradients that other tools gave for the same arrays.

The file is walked from end to end. A tool's number is compared with ours where the tool follows
the definitions, or where an option of ours follows the tool; the other cases are named, with the
tool's deviation, in the reason for which they are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.peers import CALLS, why_not

PEERS = Path(__file__).parents[3] / "shared" / "peers"
RECORDS: list[dict[str, Any]] = (
    json.loads((PEERS / "public_losses.json").read_text("utf-8"))
    if (PEERS / "public_losses.json").is_file()
    else []
)
EXPECTED_SKIPS = {
    "public_09": "empty tensor",
    "public_10": "crash",
    "public_30": "NaN",
    "public_42": "crash",
    "public_51": "generalised Dice",
    "public_52": "generalised Dice",
    "public_57": "empty tensor",
}
"""Cases of the file that cannot be compared, with a word of the reason."""

pytestmark = pytest.mark.skipif(not RECORDS, reason="the file of published cases is not there")


def inputs_of(record: dict[str, Any]) -> dict[str, Any]:
    with np.load(PEERS / "public_losses.npz") as arrays:
        return {name: arrays[entry["npz"]] for name, entry in record["inputs"].items()}


def tolerance(record: dict[str, Any]) -> float:
    half = any(entry["dtype"] == "float16" for entry in record["inputs"].values())
    return 1e-3 if half else 1e-6


def expected(record: dict[str, Any]) -> float:
    """Return the exact number where it is known: a tool's own is rounded to float32 or less."""
    return float(record["numpy"])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_value_equals_the_published_one(record: dict[str, Any]) -> None:
    if reason := why_not(record):
        pytest.skip(reason)
    inputs = inputs_of(record)
    for array in inputs.values():
        array.flags.writeable = False
    value = float(CALLS[record["ref"]](np, inputs, record["args"]))
    assert value == pytest.approx(expected(record), rel=tolerance(record), abs=tolerance(record))
    if record["result"] is not None:
        assert value == pytest.approx(record["result"], rel=tolerance(record), abs=1e-6)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_tensor_gives_the_published_value_and_gradient(record: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    if reason := why_not(record):
        pytest.skip(reason)
    inputs = {name: torch.from_numpy(array) for name, array in inputs_of(record).items()}
    values = next(iter(inputs.values())).requires_grad_()
    loss = CALLS[record["ref"]](torch, inputs, record["args"])
    assert float(loss.detach()) == pytest.approx(
        expected(record), rel=tolerance(record), abs=tolerance(record)
    )
    (gradient,) = torch.autograd.grad(loss, values)
    assert bool(torch.isfinite(gradient).all()) or bool(torch.isnan(values).any())
    if "grad_npz" in record:
        with np.load(PEERS / "public_losses.npz") as arrays:
            published = arrays[record["grad_npz"]]
        np.testing.assert_allclose(gradient.numpy(), published, rtol=1e-5, atol=1e-5)


def test_every_case_is_compared_or_skipped_for_a_known_reason() -> None:
    reasons = {record["id"]: why_not(record) for record in RECORDS}
    skipped = {name: reason for name, reason in reasons.items() if reason}
    assert skipped.keys() == EXPECTED_SKIPS.keys()
    for name, word in EXPECTED_SKIPS.items():
        assert word in skipped[name]
    assert {record["ref"] for record in RECORDS if not why_not(record)} <= CALLS.keys()


@pytest.mark.parametrize("name", ["public_09", "public_10", "public_30", "public_42", "public_57"])
def test_where_a_tool_fails_ours_is_finite(name: str) -> None:
    record = next(record for record in RECORDS if record["id"] == name)
    value = float(CALLS[record["ref"]](np, inputs_of(record), record["args"]))
    assert np.isfinite(value)
    if "every pixel ignored" in record["note"]:
        assert value == 0
