"""The lines for trackers of experiments do what they say."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

import numpy as np
import pytest
import yaml
from made.recipes import binary
from made.sets import segeval

import segeval as package
from segeval import score

TRACKERS: Final = (Path(__file__).parents[2] / "docs" / "trackers.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TRACKERS, re.DOTALL)


class Recorder(ModuleType):
    """Stands in for the library of a tracker, and keeps what it is told."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.told: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*given: Any, **named: Any) -> Recorder:
            self.told.append((name, given, named))
            return self

        return call

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def test_trackers_are_told_the_numbers(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    for name in ("mlflow", "wandb", "torch", "torch.utils", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, recorder)
    monkeypatch.chdir(tmp_path)
    result = score(
        prediction=samples / "pred", truth=samples / "truth", group_by="_(0|1)", include="*_0*"
    )
    batch = [np.eye(2, dtype=np.uint8)] * 2
    names: dict[str, Any] = {
        "result": result,
        "epoch": 7,
        "batches": [(batch, batch)] * 2,
        "segeval": package,
    }
    names["model"] = list
    for code in blocks("python"):
        exec(code, names)
    told = recorder.told
    (metrics,) = [given[0] for name, given, _ in told if name == "log_metrics"]
    assert metrics["val/miou"] == result.summary["miou"]
    assert metrics["val/miou/0"]
    assert all(re.fullmatch(r"[\w./ -]+", name) for name in metrics)
    assert [given for name, given, _ in told if name == "log_artifact"] == [("report.html",)]
    logged = [given[0] for name, given, named in told if name == "log" and named == {"step": 7}]
    assert logged[0] == result.flat("val/")
    (frame,) = [named["dataframe"] for name, _, named in told if name == "Table"]
    assert frame["iou"].tolist() == result.classes["iou"].tolist()
    assert ("add_scalar", ("val/miou", result.summary["miou"], 7), {}) in told
    assert repr(names["result"]).startswith("Result(miou=1.0")
    assert "images:4" in names["result"].signature


def test_dvc_reads_what_is_written(tmp_path: Path) -> None:
    binary(tmp_path)
    (content,) = map(yaml.safe_load, blocks("yaml"))
    stage = content["stages"]["score"]
    segeval(*shlex.split(stage["cmd"])[1:], cwd=tmp_path)
    assert all((tmp_path / name).exists() for name in stage["deps"])
    assert (tmp_path / next(iter(stage["metrics"][0]))).is_file()
