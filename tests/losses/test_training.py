"""Networks learn from every loss; the training loop of the page on losses is the one run here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from segeval import losses

torch = pytest.importorskip("torch")

PAGE: Final = (Path(__file__).parents[2] / "docs" / "losses.md").read_text("utf-8")
BLOCK: Final = re.compile(r"\n```python\n(import numpy as np\nimport torch\n.*?)```", re.DOTALL)
PRINTED: Final = re.compile(r"loss ([\d.]+) to ([\d.]+), mIoU ([\d.]+) to ([\d.]+)\n")


def of_logits(loss: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    return partial(loss, ignore=255, logits=True, **options)


def sum_of_two(logits: Any, truth: Any) -> Any:
    dice = losses.dice_loss(logits, truth, ignore=255, smooth=1.0, logits=True)
    return losses.bce_with_logits_loss(logits, truth, ignore=255) + 0.5 * dice


EITHER: Final = {
    "focal": of_logits(losses.focal_loss),
    "dice": of_logits(losses.dice_loss),
    "dice squared per image": of_logits(losses.dice_loss, squared=True, per_image=True, smooth=1.0),
    "jaccard": of_logits(losses.jaccard_loss),
    "tversky": of_logits(losses.tversky_loss, alpha=0.3, beta=0.7),
    "lovasz-softmax": of_logits(losses.lovasz_softmax_loss),
}
BINARY: Final = {
    "bce": partial(losses.bce_with_logits_loss, ignore=255),
    "bce of probabilities": lambda z, t: losses.bce_loss(torch.sigmoid(z), t, ignore=255),
    "lovasz hinge": partial(losses.lovasz_hinge_loss, ignore=255),
    "bce and half of dice": sum_of_two,
    **EITHER,
}
MULTI: Final = {"cross-entropy": of_logits(losses.cross_entropy_loss), **EITHER}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """Run the training loop of the page, and return all that it defines."""
    (code,) = BLOCK.findall(PAGE)
    printed: list[str] = []
    namespace: dict[str, Any] = {"__name__": "docs", "print": printed.append}
    exec(compile(code, "docs/losses.md", "exec"), namespace)
    return namespace | {"printed": printed}


def object_or_not(truth: Any) -> Any:
    """Make one class of both kinds of disc; the rims stay void."""
    return torch.where(truth == 255, truth, (truth > 0).to(truth.dtype))


def both_classes(logits: Any) -> Any:
    """Put a logit of 0 for the background before that of the object."""
    return torch.cat([torch.zeros_like(logits), logits], dim=1)


def check_learning(values: list[float], before: float, after: float) -> None:
    assert len(values) == 60
    assert max(values[-5:]) < 0.6 * values[0]
    assert before < 0.5
    assert after > before + 0.4
    assert after > 0.8


@pytest.mark.parametrize("name", MULTI)
def test_three_classes_are_learned(page: dict[str, Any], name: str) -> None:
    network = page["tiny_network"](3)
    unseen, truth = page["blobs"](seed=2)
    before = page["mean_iou"](network(unseen), truth)
    values = page["train"](network, MULTI[name], *page["blobs"](seed=1))
    check_learning(values, before, page["mean_iou"](network(unseen), truth))


@pytest.mark.parametrize("name", BINARY)
def test_an_object_is_learned(page: dict[str, Any], name: str) -> None:
    network = page["tiny_network"](1)
    unseen, truth = page["blobs"](seed=2)
    truth = object_or_not(truth)
    before = page["mean_iou"](both_classes(network(unseen)), truth)
    images, learned = page["blobs"](seed=1)
    values = page["train"](network, BINARY[name], images, object_or_not(learned))
    check_learning(values, before, page["mean_iou"](both_classes(network(unseen)), truth))


def test_the_loop_of_the_page_learns_and_prints_what_the_page_shows(page: dict[str, Any]) -> None:
    check_learning(page["values"], page["before"], page["after"])
    (shown,) = PRINTED.findall(PAGE)
    (line,) = page["printed"]
    (found,) = PRINTED.findall(line + "\n")
    assert [float(n) for n in found] == pytest.approx([float(n) for n in shown], abs=0.1)


def test_training_twice_gives_the_same_network(page: dict[str, Any]) -> None:
    first, second = (page["tiny_network"](3) for _ in range(2))
    for network in (first, second):
        page["train"](network, page["both"], *page["blobs"](seed=1), steps=5)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_is_said_at_void_pixels_is_never_learned(page: dict[str, Any]) -> None:
    images, truth = page["blobs"](seed=1)
    for loss in (*MULTI.values(), page["both"]):
        logits = page["tiny_network"](3)(images).detach().requires_grad_()
        loss(logits, truth).backward()
        void = (truth == 255)[:, None].expand(logits.shape)
        assert not logits.grad[void].any()
        assert logits.grad[~void].any()
