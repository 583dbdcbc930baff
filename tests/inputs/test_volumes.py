"""Volumes: the same numbers from every format, and never two that lie in different places."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.sets import document, save, segeval
from made.volumes import save_volume
from numpy.typing import NDArray

import segeval as library
from segeval.inputs import volumes
from segeval.inputs.masks import read_mask

pytest.importorskip("nibabel")
pytest.importorskip("SimpleITK")

Labels = NDArray[np.uint8]
FORMATS = ".nii", ".nii.gz", ".mha", ".mhd", ".nrrd"
OBLIQUE = np.array([[0.7, 0.2, 0, -31.5], [-0.2, 0.7, 0, 12], [0, 0, 3, -8], [0, 0, 0, 1]])


@pytest.fixture
def labels() -> Labels:
    """Return values (x, y, z) of blocks and noise."""
    values = np.zeros((5, 7, 4), np.uint8)
    values[1:4, 2:6, :3] = 1
    values[2:, 3:5, 2] = 4
    values[np.random.default_rng(1).random(values.shape) < 0.1] = 2
    values.flags.writeable = False
    return values


def sides(folder: Path, extension: str) -> tuple[Path, Path]:
    return folder / "pred" / f"a{extension}", folder / "truth" / f"a{extension}"


def refusal(*arguments: object) -> str:
    """Return what is said of a pair that is not scored."""
    return segeval("score", *arguments, expect=3).stderr


@pytest.mark.parametrize("extension", FORMATS)
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", ">i2", "f4", "f8"])
def test_every_format_holds_the_same_values(
    labels: Labels, tmp_path: Path, extension: str, *, compress: bool, dtype: str
) -> None:
    stored = labels.astype(dtype if extension.startswith(".nii") else dtype.strip(">"))
    path = save_volume(tmp_path / f"a{extension}", stored, OBLIQUE, compress=compress)
    mask = read_mask(path, volumes=True)
    assert np.array_equal(mask.values, labels.T)
    assert mask.form.endswith("5×7×4 voxels of 0.728011×0.728011×3 mm")


def test_slabs_add_up_to_nibabel_and_numpy(
    labels: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nibabel

    monkeypatch.setattr("segeval.inputs.geometry.SLAB", 40)
    for name, extensions in {"a": (".nii.gz", ".mha"), "b": (".nrrd", ".nii")}.items():
        save_volume(tmp_path / "truth" / f"{name}{extensions[0]}", labels, compress=True)
        save_volume(tmp_path / "pred" / f"{name}{extensions[1]}", labels[::-1].copy())
    found = document(tmp_path / "pred", tmp_path / "truth")
    image: Any = nibabel.load(tmp_path / "truth" / "a.nii.gz")
    truth = np.asarray(image.dataobj)
    wanted = np.zeros((5, 5), int)
    np.add.at(wanted, (truth.ravel(), labels[::-1].ravel()), 2)
    some = np.ix_([0, 1, 2, 4], [0, 1, 2, 4])
    assert found["confusion"]["counts"] == wanted[some].tolist()
    assert found["pixels"]["total"] == 2 * labels.size
    assert (found["spacing"], found["unit"]) == ([0.8, 1.1, 2.5], "mm")


def test_several_spacings_are_none_for_all(labels: Labels, tmp_path: Path) -> None:
    for name, affine in (("a", None), ("b", np.eye(4))):
        for side in ("pred", "truth"):
            save_volume(tmp_path / side / f"{name}.nii.gz", labels, affine)
    found = document(tmp_path / "pred", tmp_path / "truth")
    assert (found["spacing"], found["unit"]) == (None, "mm")


MOVED: dict[str, tuple[Any, str]] = {
    "origin": (np.array([[0.8, 0, 0, 5], [0, 1.1, 0, 0], [0, 0, 2.5, 0], [0, 0, 0, 1]]),
               "origin (-5, 0, 0), not (0, 0, 0)"),
    "direction": (np.diag([-0.8, 1.1, 2.5, 1]), "direction LAS, not RAS"),
    "spacing": (np.diag([0.8, 1.1, 3, 1]), "spacing 0.8×1.1×3 mm, not 0.8×1.1×2.5 mm"),
}  # fmt: skip


@pytest.mark.parametrize("what", MOVED)
@pytest.mark.parametrize("extension", [".nii.gz", ".mha"])
def test_what_lies_elsewhere_is_refused_by_name_or_waived(
    labels: Labels, tmp_path: Path, what: str, extension: str
) -> None:
    prediction, truth = sides(tmp_path, extension)
    affine, words = MOVED[what]
    save_volume(prediction, labels, affine)
    save_volume(truth, labels)
    said = refusal(prediction, truth)
    assert words in said
    assert "--ignore-geometry" in said
    assert str(prediction) in said
    waived = document(prediction, truth, "--ignore-geometry")
    assert waived["summary"]["miou"] == 1
    assert "|geometry:ignored|" in waived["signature"]
    again = library.score(prediction=prediction, truth=truth, ignore_geometry=True)
    assert again.signature == waived["signature"]


def test_another_size_is_never_waived(labels: Labels, tmp_path: Path) -> None:
    prediction, truth = sides(tmp_path, ".nii.gz")
    save_volume(prediction, np.ascontiguousarray(labels.transpose(1, 0, 2)))
    save_volume(truth, labels)
    for options in ([], ["--ignore-geometry"], ["--resize-prediction"]):
        assert "size 7×5×4, not 5×7×4 (axes exchanged?)" in refusal(prediction, truth, *options)


def test_headers_of_two_formats_mean_the_same_place(labels: Labels, tmp_path: Path) -> None:
    truth = save_volume(tmp_path / "a.nii.gz", labels, OBLIQUE)
    for extension in (".mha", ".nrrd"):
        other = save_volume(tmp_path / f"b{extension}", labels, OBLIQUE)
        assert document(other, truth)["summary"]["miou"] == 1


def test_scaled_whole_numbers_are_labels_and_others_are_refused(
    labels: Labels, tmp_path: Path
) -> None:
    import nibabel

    prediction, truth = sides(tmp_path, ".nii")
    save_volume(truth, labels)
    save_volume(prediction, labels.astype(np.float32) / 2)
    assert "it holds 0.5 (slice 1), which is no whole number" in refusal(prediction, truth)
    made: Any = nibabel
    image = made.Nifti1Image(labels.astype(np.float64) * 2, np.diag([0.8, 1.1, 2.5, 1]))
    data = bytearray(image.to_bytes())
    data[112:120] = np.array([0.5, 0], "<f4").tobytes()
    data[352:] = (labels.T.astype("<f8") * 2).tobytes()
    prediction.write_bytes(data)
    assert document(prediction, truth)["summary"]["miou"] == 1
    assert read_mask(prediction, volumes=True).form.startswith("NIfTI float64 scaled by 0.5, ")


@pytest.mark.parametrize(
    ("extension", "compress"),
    [(".nii", False), (".nii.gz", False), (".mha", False), (".mha", True), (".mhd", False),
     (".nrrd", False), (".nrrd", True)],
)  # fmt: skip
def test_a_cut_file_is_refused_with_its_name(
    labels: Labels, tmp_path: Path, extension: str, *, compress: bool
) -> None:
    prediction, truth = sides(tmp_path, extension)
    for path in (prediction, truth):
        save_volume(path, labels, compress=compress)
    cut = prediction.with_suffix(".raw") if extension == ".mhd" else prediction
    cut.write_bytes(cut.read_bytes()[:-3])
    said = refusal(prediction, truth)
    assert f"{prediction}: the file is broken" in said
    assert segeval("check", prediction, truth, expect=3).stdout.count(str(prediction)) == 1


def test_a_volume_meets_only_volumes(labels: Labels, tmp_path: Path) -> None:
    prediction, truth = save(tmp_path / "a.png", labels[..., 0]), tmp_path / "a.nii.gz"
    save_volume(truth, labels)
    assert f"{prediction} is no volume, but {truth} is" in refusal(prediction, truth)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(b"text"))
    assert "no NIfTI volume is in it" in refusal(tmp_path / "b.nii.gz", truth)
    (tmp_path / "d.nii.gz").write_bytes(b"")
    assert "the file is empty (0 bytes)" in refusal(tmp_path / "d.nii.gz", truth)
    data = bytearray(gzip.decompress(truth.read_bytes()))
    data[70:72] = b"\x4d\0"  # the type of the samples
    (tmp_path / "e.nii").write_bytes(data)
    assert "data code 77 not recognized" in refusal(tmp_path / "e.nii", truth)
    save_volume(tmp_path / "c.nii.gz", np.zeros((5, 7, 4, 2), np.uint8))
    assert "it has 4 axes (5×7×4×2)" in refusal(tmp_path / "c.nii.gz", truth)


def test_names_lose_both_extensions_and_raw_data_are_no_odd_files(
    labels: Labels, tmp_path: Path
) -> None:
    for name in ("x/case.1.nii.gz", "case_2.mhd"):
        save_volume(tmp_path / "truth" / name, labels)
    save_volume(tmp_path / "pred" / "x" / "case.1_pred.mha", labels)
    save_volume(tmp_path / "pred" / "case_2_pred.nii.gz", labels)
    table = tmp_path / "images.csv"
    folders = tmp_path / "pred", tmp_path / "truth"
    done = segeval("score", *folders, "--pred-suffix", "_pred", "--per-image", table)
    assert "left out" not in done.stderr
    names = [line.split(",")[0] for line in table.read_text().splitlines()[1:]]
    assert names == ["case_2", "x/case.1"]


def test_missing_libraries_are_named_with_what_to_type(
    labels: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volumes, "find_spec", lambda _: None)
    for extension, reader in ((".nii.gz", "nibabel"), (".nrrd", "SimpleITK")):
        path = save_volume(tmp_path / f"a{extension}", labels)
        said = refusal(path, path)
        assert f"read by {reader}, which is not installed" in said
        assert 'pip install "segeval-masks[medical]"' in said


def test_runs_of_volumes_resume_and_are_scored_without_them(labels: Labels, tmp_path: Path) -> None:
    folders = tmp_path / "pred", tmp_path / "truth"
    for side in folders:
        for name in ("a.nii.gz", "b.mhd"):
            save_volume(side / name, labels)
    run = tmp_path / "run.segeval"
    segeval("score", *folders, "-o", run)
    save_volume(folders[0] / "b.mhd", labels[::-1].copy())
    resumed = document(*folders, "-o", run, "--resume")
    assert resumed["summary"] == document(*folders)["summary"]
    told = json.loads(segeval("report", run, "--format", "json").stdout)
    for part in ("pixels", "spacing", "summary"):
        assert told[part] == resumed[part]
    assert "2 readable (2 5×7×4 voxels)" in segeval("check", *folders).stdout


def test_outside_a_field_of_view_nothing_is_judged(labels: Labels, tmp_path: Path) -> None:
    for side, values in (("pred", labels * 0), ("truth", labels), ("roi", (labels != 0) * 1)):
        save_volume(tmp_path / side / "a.nii.gz", values.astype(np.uint8))
    found = document(tmp_path / "pred", tmp_path / "truth", "--roi", tmp_path / "roi")
    assert found["pixels"]["judged"] == np.count_nonzero(labels)
    assert found["pixels"]["total"] == labels.size


def test_a_missing_prediction_is_all_wrong(labels: Labels, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_volume(tmp_path / "truth" / f"{name}.nii.gz", labels)
    save_volume(tmp_path / "pred" / "a.nii.gz", labels)
    found = document(tmp_path / "pred", tmp_path / "truth", "--missing", "worst")
    assert found["summary"]["pixel_accuracy"] == 0.5


def test_cubic_millimetres_weigh_voxels_by_their_size(labels: Labels, tmp_path: Path) -> None:
    half = np.diag([0.5, 0.5, 0.5, 1])
    for name, affine, prediction in (("a", None, labels[::-1].copy()), ("b", half, labels)):
        save_volume(tmp_path / "truth" / f"{name}.nii.gz", labels, affine)
        save_volume(tmp_path / "pred" / f"{name}.nii.gz", prediction, affine)
    folders = tmp_path / "pred", tmp_path / "truth"
    found = document(*folders, "--pooling", "dataset-mm3", "--ci", "20")
    truth, other, sizes = labels == 1, labels[::-1] == 1, (0.8 * 1.1 * 2.5, 0.5**3)
    both = sizes[0] * (truth & other).sum() + sizes[1] * truth.sum()
    either = sizes[0] * (truth | other).sum() + sizes[1] * truth.sum()
    assert found["classes"][1]["iou"] == pytest.approx(both / either, rel=1e-12)
    assert found["classes"][1]["tp"] == (truth & other).sum() + truth.sum()
    low, high = found["classes"][1]["intervals"]["iou"]
    assert low < both / either < high <= 1
    assert found["pixels"]["total"] == 2 * labels.size
    flat = save(tmp_path / "a.png", labels[..., 0])
    said = segeval("score", flat, flat, "--pooling", "dataset-mm3", expect=2).stderr
    assert "needs volumes, which say how large a voxel is, and a says nothing" in said


def test_volumes_are_compared_as_numbers(tmp_path: Path) -> None:
    truth, prediction = np.zeros((2, 4, 5, 2), np.uint8)
    truth[:2, :, 0], prediction[1:4, :, 0], prediction[0, 0, 1] = 1, 1, 3
    truth[3, 4, 1] = 2
    for side, values in (("pred", prediction), ("truth", truth)):
        save_volume(tmp_path / side / "a.nii.gz", values)
    rows = document(tmp_path / "pred", tmp_path / "truth")["classes"]
    similar = [row["volume_similarity"] for row in rows]
    assert similar == pytest.approx([1 - 5 / 53, 1 - 5 / 25, 0, 0], rel=1e-12)
    differences = [row["relative_volume_difference"] for row in rows]
    assert differences[:3] == pytest.approx([-5 / 29, 0.5, -1], rel=1e-12)
    assert differences[3] is None


def test_what_is_for_images_refuses_volumes(labels: Labels, tmp_path: Path) -> None:
    truth = save_volume(tmp_path / "truth" / "a.nii.gz", (labels == 1).astype(np.uint8))
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.npy", np.full((28, 5), 0.5, np.float32))
    words = f"{truth}: it is a volume; only masks of rows and columns serve here"
    assert words in segeval("losses", tmp_path / "maps", truth.parent, expect=3).stderr
    assert (
        words in segeval("rle", "encode", truth.parent, "-o", tmp_path / "a.csv", expect=3).stderr
    )


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told elsewhere")
@pytest.mark.parametrize("extension", [".nii.gz", ".mha", ".nrrd"])
def test_a_hundred_million_voxels_take_little_memory(tmp_path: Path, extension: str) -> None:
    labels = np.zeros((512, 512, 400), np.uint8)
    for number in range(1, 15):
        labels[30 * number : 30 * number + 40, 100:300, 20 * number : 20 * number + 60] = number
    for side in ("pred", "truth"):
        save_volume(tmp_path / side / f"a{extension}", labels, compress=True)
    program = (
        "import re, sys\nfrom segeval.cli import app\n"
        "try: app(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    told = [sys.executable, "-c", program, "score", tmp_path / "pred", tmp_path / "truth"]
    told += ["-o", tmp_path / "run.segeval", "--format", "total"]
    done = subprocess.run(list(map(str, told)), capture_output=True, text=True, check=True)
    score, memory = done.stdout.split()
    assert float(score) == 1
    assert int(memory) < 250
