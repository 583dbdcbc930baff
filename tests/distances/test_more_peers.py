"""Distances of whole masks against panoptica, BraTS and TransUNet, and what is not recomputed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from distances.test_peers import PEERS, number, read, records, table
from numpy.typing import NDArray

from segeval.distances.kept import DistanceTable
from segeval.distances.values import score_cells
from segeval.presets.distances import load_distance_presets

pytest.importorskip("scipy")
REGIONS: Final = {
    "snfh": (2,), "et": (3,), "netc": (1,), "rc": (4,), "tc": (1, 3), "wt": (1, 2, 3)
}  # fmt: skip
WHOLE: Final[dict[str, tuple[int, ...]]] = {"fg": (*range(1, 65536),)}
SCORES: Final = {"assd": "assd", "hd95": "hd95", "nsd": "nsd@0.5"}


def inside(mask: NDArray[Any], held: tuple[int, ...]) -> NDArray[Any]:
    """Return 0 for the pixels of some values, else 2."""
    return np.where(np.isin(mask, held), 0, 2).astype(np.uint8)


def regions(
    folder: Path, values: dict[str, tuple[int, ...]], preset: str
) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Score regions, each against the rest, of all images with a prediction."""
    rules = load_distance_presets()[preset].rules.at((95,), (0.5,))
    names, blobs = [], []
    for path in sorted((folder / "prediction").iterdir()):
        (truth, spacing), (prediction, _) = (
            read(folder / side / path.name) for side in ("truth", "prediction")
        )
        layers = [(inside(truth, held), inside(prediction, held), 1) for held in values.values()]
        names.append(path.name.split(".")[0])
        blobs.append(rules.measure(layers, spacing))
    return names, score_cells(DistanceTable.of(blobs, len(values)), rules)


def compare_global(
    record: dict[str, Any], names: list[str], kinds: list[str], ours: dict[str, NDArray[Any]]
) -> int:
    """Compare what panoptica says of whole masks; return the number of values."""
    compared = 0
    for image, row in record["per_image"].items():
        for kind, cells in (
            row.items() if isinstance(next(iter(row.values())), dict) else [("", row)]
        ):
            for ending, score in SCORES.items():
                cell = cells.get(f"global_bin_{ending}")
                if cell is None:
                    continue
                k = kinds.index(kind) if kind else 0
                value = ours[score][names.index(image), k]
                assert value == pytest.approx(number(cell), rel=1e-9, nan_ok=True), (image, kind)
                compared += 1
    return compared


@pytest.mark.parametrize(
    "record", records("panoptica"), ids=lambda r: f"{r['subset']} {r['metric']}"
)
def test_whole_masks_are_as_far_apart_as_panoptica_says(record: dict[str, Any]) -> None:
    whole = record["subset"] != "D" or "foreground" in record["metric"]
    single: dict[str, tuple[int, ...]] = {str(k): (k,) for k in range(1, 5)}
    values = WHOLE if whole else single
    names, ours = regions(PEERS / record["subset"], values, "panoptica")
    assert compare_global(record, names, [*values], ours) >= 5


@pytest.mark.parametrize(
    "record",
    [r for r in records("BraTS-evaluation") if "summary" in r["metric"]],
    ids=lambda r: r["metric"],
)
def test_whole_tumours_are_as_far_apart_as_the_evaluation_of_brats_says(
    record: dict[str, Any],
) -> None:
    names, ours = regions(PEERS / "G" / "brats", REGIONS, "panoptica")
    assert compare_global(record, names, [*REGIONS], ours) >= 20


@pytest.mark.parametrize(
    "record",
    [r for r in records("BraTS-evaluation") if "leaderboard" in r["metric"]],
    ids=lambda r: r["metric"],
)
def test_rows_of_the_leaderboard_count_373_where_a_side_is_empty(record: dict[str, Any]) -> None:
    """A subject without prediction counts 373 in every region there, and is no pair here."""
    names, ours = regions(PEERS / "G" / "brats", REGIONS, "brats-2026")
    compared = 0
    for n, image in enumerate(names):
        for key, cell in record["per_image"][image].items():
            metric, _, region = key.removeprefix("global_").partition("_")
            if key.startswith("global_") and metric in SCORES:
                value = ours[SCORES[metric]][n, [*REGIONS].index(region)]
                assert value == pytest.approx(number(cell), rel=1e-9, nan_ok=True), (image, key)
                compared += 1
    assert compared >= 12 or "mets" in record["metric"]


@pytest.mark.parametrize("record", records("TransUNet"), ids=lambda r: r["subset"])
def test_organs_are_as_far_apart_as_in_transunet(record: dict[str, Any]) -> None:
    rules = load_distance_presets()["transunet"].rules
    names, measured = table(record["subset"], rules.measure)
    ours = score_cells(measured, rules)["hd95"]
    for image, row in record["per_image"].items():
        for name, cell in row.items():
            value = ours[names.index(image), int(name)]
            assert value == pytest.approx(cell["hd95"], rel=1e-9), (image, name)
    whole = ours[:, 1:].mean(axis=0).mean()
    assert whole == pytest.approx(record["value"]["mean_hd95"], rel=1e-9)


@pytest.mark.parametrize(
    "record", records("pymeshmetrics"), ids=lambda r: f"{r['subset']} {r['metric']}"
)
def test_empty_sides_are_those_of_pymeshmetrics(record: dict[str, Any]) -> None:
    if not record["metric"].endswith("_is_empty"):
        pytest.skip("its surfaces are meshes of VTK, which no measure of pixels reproduces")
    rules = load_distance_presets()["metricsreloaded"].rules
    names, measured = table(record["subset"], rules.measure)
    side = 0 if record["metric"].startswith("ref") else 1
    held = {
        (names[n], str(k))
        for n, k, sizes in zip(measured.image, measured.kind, measured.sizes, strict=True)
        if sizes[side] > 0
    }
    for image, row in record["per_image"].items():
        for name, cell in row.items():
            assert ((image, name) not in held) == bool(cell), (image, name)
