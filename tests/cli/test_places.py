"""Reports replace earlier reports, and nothing that is read or counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made.sets import data_set, save, segeval

MASK = np.array([[0, 1], [1, 0]], np.uint8)
FOLDERS = "score", "pred", "truth"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of masks, of files that name them, and of runs."""
    folder = tmp_path_factory.mktemp("places")
    data_set(folder, {"a": (MASK, MASK)})
    for name in ("roi", "store"):
        save(folder / name / "a.png", MASK)
    (folder / "pred" / "link").symlink_to(folder / "store")
    (folder / "pairs.csv").write_text("prediction,truth\nstore/a.png,truth/a.png\n")
    (folder / "labels.csv").write_text("name,value\nzero,0\none,1\n")
    (folder / "weights.csv").write_text("class,weight\nzero,1\none,2\n")
    np.save(folder / "store" / "map.npy", MASK.astype(np.float32))
    segeval("score", "--pairs", "pairs.csv", "-o", "a.segeval", cwd=folder)
    segeval("score", "--pairs", "pairs.csv", "-o", "b.segeval", cwd=folder)
    (folder / "run.png").write_bytes((folder / "b.segeval").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("typed", "report"),
    [
        ((*FOLDERS, "--labels", "labels.csv", "--csv"), "labels.csv"),
        ((*FOLDERS, "--labels", "labels.csv", "--weights", "weights.csv", "--csv"), "weights.csv"),
        (("score", "pred/a.png", "truth/a.png", "--junit"), "truth/a.png"),
        (("score", "--pairs", "pairs.csv", "--csv"), "pairs.csv"),
        (("report", "a.segeval", "--csv"), "a.segeval"),
        (("compare", "a.segeval", "b.segeval", "--csv"), "b.segeval"),
        (("explain", "a.segeval", "--json"), "a.segeval"),
        (("sweep", "a.segeval", "--csv"), "a.segeval"),
        (("losses", "store/map.npy", "truth/a.png", "--csv"), "store/map.npy"),
        (("losses", "maps", "truth", "--plot"), "truth/a.png"),
        (("plot", "pred", "truth", "--roi", "roi", "-o"), "roi/a.png"),
        (("plot", "pred", "truth", "-o"), "store/a.png"),
        (("plot", "--pairs", "pairs.csv", "-o"), "store/a.png"),
        (("plot", "a.segeval", "-o"), "run.png"),
    ],
)
def test_no_report_replaces_what_is_read_or_counted(
    place: Path, typed: tuple[str, ...], report: str
) -> None:
    before = (place / report).read_bytes()
    said = segeval(*typed, report, cwd=place, expect=2).stderr
    assert report in said
    assert said.rstrip().endswith("name another file to write")
    assert (place / report).read_bytes() == before


def test_reports_replace_earlier_ones_beside_the_masks_too(place: Path) -> None:
    for report in ("c.csv", "pred/c.csv"):
        (place / report).write_text("an earlier one")
        segeval(*FOLDERS, "--include", "a", "--csv", report, cwd=place)
        assert (place / report).read_text("utf-8").startswith("index,")
    save(place / "plot.png", MASK)
    segeval("plot", "a.segeval", "-o", "plot.png", cwd=place)
    assert (place / "plot.png").stat().st_size > 1000
