"""The same losses on tensors: equal values, and gradients that are right and finite."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from made.losses import CASES, GROUPS, IDS, made

torch = pytest.importorskip("torch")


def tensors(*arrays: Any) -> tuple[Any, ...]:
    return tuple(torch.from_numpy(array.copy()) for array in arrays)


def gradient(loss: Any, values: Any, truth: Any, **options: Any) -> tuple[Any, Any]:
    values = values.clone().requires_grad_()
    result = loss(values, truth, **options)
    (found,) = torch.autograd.grad(result, values)
    return result.detach(), found


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_a_tensor_gives_what_the_array_gives(group: str, name: str, reduction: str) -> None:
    loss = GROUPS[group][name]
    for seed in range(3):
        values, truth, weights = made(group, seed)
        for options in ({}, {"weights": weights}):
            expected = loss(values, truth, ignore=255, reduction=reduction, **options)
            inside = {key: torch.from_numpy(value.copy()) for key, value in options.items()}
            found = loss(*tensors(values, truth), ignore=255, reduction=reduction, **inside)
            assert isinstance(found, torch.Tensor)
            assert found.dtype == torch.float64
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_gradients_are_those_of_differences(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth = tensors(*made(group)[:2])
    values.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, truth, ignore=255), values)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_gradients_are_finite_at_the_ends(group: str, name: str, dtype: str) -> None:
    loss = GROUPS[group][name]
    values, truth = tensors(*made(group, void=0)[:2])
    if group.startswith("logit"):
        ends = 100 * torch.sign(values)
    else:
        ends = (values > 0.5).to(torch.float64)
    for options in ({}, {"reduction": "sum"}):
        result, found = gradient(loss, ends.to(getattr(torch, dtype)), truth, **options)
        assert bool(torch.isfinite(result))
        assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_void_pixels_have_no_gradient(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth = tensors(*made(group)[:2])
    mask = truth == 255 if values.ndim == 3 else (truth == 255)[:, None].expand(values.shape)
    values[mask] = float("nan")
    result, found = gradient(loss, values, truth, ignore=255)
    assert bool(torch.isfinite(result))
    assert bool((found[mask] == 0).all())
    assert bool(torch.isfinite(found).all())
    result, found = gradient(loss, values, torch.full_like(truth, 255), ignore=255)
    assert float(result) == (1 if name == "dice coefficient" else 0)
    assert bool((found == 0).all())


@pytest.mark.parametrize(("group", "name"), CASES, ids=IDS)
def test_gradients_are_finite_where_classes_are_absent(group: str, name: str) -> None:
    loss = GROUPS[group][name]
    values, truth = tensors(*made(group)[:2])
    result, found = gradient(loss, values, torch.zeros_like(truth))
    assert bool(torch.isfinite(result))
    assert bool(torch.isfinite(found).all())


@pytest.mark.parametrize("group", ["logit", "logits"])
def test_the_gradient_at_a_logit_of_0_is_that_of_the_smooth_function(group: str) -> None:
    values, truth = tensors(*made(group, void=0)[:2])
    for name, loss in GROUPS[group].items():
        if "lovasz" in name:
            continue  # equal errors: the sort has corners there
        zeros = torch.zeros_like(values).requires_grad_()
        assert torch.autograd.gradcheck(lambda z, f=loss: f(z, truth), zeros), name


def test_tiny_probabilities_have_finite_gradients() -> None:
    tiny = torch.tensor([[0.0, 1e-45, 1e-40, 1.2e-38]])
    for truth in (torch.zeros(1, 4), torch.ones(1, 4)):
        result, found = gradient(GROUPS["binary"]["bce"], tiny, truth)
        assert bool(torch.isfinite(result))
        assert bool(torch.isfinite(found).all())


def test_losses_are_combined_by_adding() -> None:
    values, truth = tensors(*made("logits")[:2])
    names = ("cross-entropy of logits", "dice of logits", "lovasz of logits")
    parts = [gradient(GROUPS["logits"][name], values, truth, ignore=255) for name in names]
    total, found = gradient(
        lambda z, t, **o: sum(GROUPS["logits"][name](z, t, **o) for name in names),
        values,
        truth,
        ignore=255,
    )
    assert float(total) == pytest.approx(sum(float(part) for part, _ in parts), abs=1e-14)
    np.testing.assert_allclose(found, sum(part for _, part in parts), atol=1e-14)


def test_segeval_never_imports_torch() -> None:
    program = (
        "import sys, numpy as np\nfrom segeval.losses import lovasz_softmax_loss\n"
        "lovasz_softmax_loss(np.zeros((2, 2)), np.zeros((2, 2), int))\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
