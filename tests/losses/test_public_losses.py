"""Values and gradients that other tools gave for the same arrays.

The file is walked from end to end. A tool's number is compared with ours where the tool follows
the definitions, or where an option of ours follows the tool. Every argument of a case is used, or
the case fails. Skipped is only what a tool itself could give no number for.
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.arguments import NotUnderstoodError
from made.peers import nothing_is_judged, ours, peer_fails

PEERS = Path(__file__).parents[3] / "shared" / "peers"
RECORDS: list[dict[str, Any]] = (
    json.loads((PEERS / "public_losses.json").read_text("utf-8"))
    if (PEERS / "public_losses.json").is_file()
    else []
)

pytestmark = pytest.mark.skipif(not RECORDS, reason="the file of published cases is not there")


def inputs_of(record: dict[str, Any]) -> dict[str, Any]:
    with np.load(PEERS / "public_losses.npz") as arrays:
        return {name: arrays[entry["npz"]] for name, entry in record["inputs"].items()}


def tolerance(record: dict[str, Any]) -> float:
    half = any(entry["dtype"] == "float16" for entry in record["inputs"].values())
    return 1e-3 if half else 1e-6


def expected(record: dict[str, Any]) -> float:
    """Return the exact number where it is known: a tool's own is rounded to float32 or less."""
    return float(record["result"] if record["numpy"] is None else record["numpy"])


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_value_equals_the_published_one(record: dict[str, Any]) -> None:
    if failure := peer_fails(record):
        pytest.skip(failure)
    inputs = inputs_of(record)
    for array in inputs.values():
        array.flags.writeable = False
    value = float(ours(np, record, inputs))
    assert value == pytest.approx(expected(record), rel=tolerance(record), abs=tolerance(record))
    if record["result"] is not None:
        assert value == pytest.approx(record["result"], rel=tolerance(record), abs=1e-6)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_tensor_gives_the_published_value_and_gradient(record: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    if failure := peer_fails(record):
        pytest.skip(failure)
    inputs = {name: torch.from_numpy(array) for name, array in inputs_of(record).items()}
    values = next(iter(inputs.values())).requires_grad_()
    loss = ours(torch, record, inputs)
    assert float(loss.detach()) == pytest.approx(
        expected(record), rel=tolerance(record), abs=tolerance(record)
    )
    (gradient,) = torch.autograd.grad(loss, values)
    assert bool(torch.isfinite(gradient).all()) or bool(torch.isnan(values).any())
    if "grad_npz" in record:
        with np.load(PEERS / "public_losses.npz") as arrays:
            published = arrays[record["grad_npz"]]
        np.testing.assert_allclose(gradient.numpy(), published, rtol=1e-5, atol=1e-5)


def test_a_tool_fails_only_where_an_image_has_no_judged_pixel_and_ours_does_not() -> None:
    failing = [record for record in RECORDS if peer_fails(record)]
    assert 0 < len(failing) <= 8
    for record in failing:
        inputs = inputs_of(record)
        assert nothing_is_judged(inputs, record), record["id"]
        value = float(ours(np, record, inputs))
        assert np.isfinite(value)
        if "every pixel ignored" in record.get("note", ""):
            assert value == 0


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record["id"])
def test_a_case_with_an_argument_that_is_not_used_fails(record: dict[str, Any]) -> None:
    changed = deepcopy(record)
    changed["args"]["unheard_of"] = 1
    with pytest.raises(NotUnderstoodError, match="no use is made of unheard_of"):
        ours(np, changed, inputs_of(record))


@pytest.mark.parametrize(
    ("ref", "change"),
    [
        ("smp_DiceLoss", {"log_loss": True}),
        ("smp_DiceLoss", {"class_weights": [1.0, 2.0, 3.0, 4.0]}),
        ("smp_FocalLoss", {"normalized": True}),
        ("smp_FocalLoss", {"reduction": "sum"}),
        ("monai_DiceLoss", {"weight": [1.0, 2.0, 3.0, 4.0]}),
        ("monai_GeneralizedDiceLoss", {"w_type": "uniform"}),
    ],
)
def test_an_argument_of_another_value_gives_another_number(
    ref: str, change: dict[str, Any]
) -> None:
    record = next(record for record in RECORDS if record["ref"] == ref)
    changed = deepcopy(record)
    changed["args"] |= change
    inputs = inputs_of(record)
    assert abs(float(ours(np, changed, inputs)) - expected(record)) > 1e-3
