"""What is written and printed, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import ClassVar, get_args, get_type_hints

import pytest
from made.sets import data_set, segeval

from segeval.cli.commands.compare import ComparisonOutput
from segeval.cli.commands.explain import ExplainOptions
from segeval.cli.commands.losses import LossOutput
from segeval.cli.commands.sweep import SweepOptions
from segeval.cli.deliver import deliver
from segeval.cli.options.output import OutputOptions, ReportFiles, document_file, report_file
from segeval.cli.options.panels import in_panel

MASKS = ["sample_masks/pred", "sample_masks/truth"]
PROJECT = Path(__file__).parents[2]
FAMILIES = (ComparisonOutput, ExplainOptions, LossOutput, OutputOptions, SweepOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(ReportFiles):
    printed: ClassVar = {"poem": "poems:write"}
    plot: Path | None = report_file("poems:draw", "")
    folder: Path | None = in_panel()("", metavar="DIR")
    json: Path | None = document_file()
    output_format: str = "poem"


def test_files_are_the_options_with_a_report() -> None:
    files = Files(plot=Path("a"), folder=Path("b"))
    assert files.files() == {"plot": Path("a")}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_report_and_every_format_is_there(family: type[ReportFiles]) -> None:
    targets = {**family.targets(), **family.printed}
    formats = get_args(get_type_hints(family)["output_format"])
    assert formats
    assert set(formats) <= set(targets)
    for target in targets.values():
        module, name = target.split(":")
        assert callable(getattr(import_module(f"segeval.reports.{module}"), name)), target


def test_texts_and_pictures_are_written_and_only_the_chosen_format_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    poems = ModuleType("poems")
    poems.draw = lambda document: document["image"].encode()  # type: ignore[attr-defined]
    poems.write = lambda words, *, end="!": words + end  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "segeval.reports.poems", poems)
    files = Files(plot=tmp_path / "plot", json=tmp_path / "json")
    deliver(files, document={"image": "a"}, words="o", nothing=1)
    assert capsys.readouterr().out == "o!"
    assert (tmp_path / "plot").read_bytes() == b"a"
    assert (tmp_path / "json").read_text("utf-8") == '{\n  "image": "a"\n}\n'


def test_a_score_imports_only_the_report_that_it_prints() -> None:
    code = (
        "import sys; from segeval.cli import app; app(sys.argv[1:], standalone_mode=False);"
        "print([m for m in ('pandas', 'jinja2', 'rich', 'xml.etree') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "score", *MASKS, "--format", "total"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.splitlines()[1:] == ["[]"]


def test_no_file_of_csv_needs_pandas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = data_set(tmp_path, dict.fromkeys("ab", ([[0, 1]], [[0, 1]])))
    monkeypatch.setitem(sys.modules, "pandas", None)
    files = [word for name in ("csv", "per-image") for word in (f"--{name}", tmp_path / name)]
    segeval("score", *folders, *files, "--confusion", tmp_path / "confusion")
    assert (tmp_path / "confusion").read_text("utf-8") == "truth,0,1,unknown\n0,2,0,0\n1,0,2,0\n"
    segeval("compare", folders[0], folders[0], "--truth", folders[1], *files)
    assert (tmp_path / "per-image").read_text("utf-8").startswith("run,image,group,score,baseline")


@pytest.mark.parametrize("option", ["--csv", "--html", "--json", "--markdown"])
def test_no_report_replaces_a_run_or_a_mask(tmp_path: Path, option: str) -> None:
    folders = data_set(tmp_path, {"a": ([[0, 1]], [[0, 1]])})
    run, mask = tmp_path / "run.segeval", folders[0] / "a.png"
    segeval("score", *folders, "-o", run)
    for path in (run, mask):
        before = path.read_bytes()
        said = segeval("score", *folders, option, path, expect=3).stderr
        assert said == (
            f"segeval: {path} is there, and no text that a report may replace; name another file\n"
        )
        assert path.read_bytes() == before
    for _ in range(2):
        segeval("score", *folders, option, tmp_path / "report")
