"""What is written and printed, and what is imported for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer

from segeval.cli.deliver import REPORTS, deliver, lazy
from segeval.cli.options.output import REPORT, DocumentFile, OutputOptions, ReportFiles

MASKS = ["sample_masks/pred", "sample_masks/truth"]
PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files(ReportFiles):
    poem: Annotated[Path | None, typer.Option(metavar=REPORT)] = None
    folder: Annotated[Path | None, typer.Option(metavar="DIR")] = None
    json: DocumentFile = None


def test_files_are_the_options_with_the_metavar_of_reports() -> None:
    files = Files(poem=Path("a"), folder=Path("b"))
    assert files.files() == {"poem": Path("a")}


def test_every_file_and_format_of_a_score_has_its_report() -> None:
    paths = {name: Path(name) for name in REPORTS if name in OutputOptions.__dataclass_fields__}
    assert OutputOptions(**paths).files() == paths  # type: ignore[arg-type]  # paths of every name
    assert set(paths) | {"table", "total"} == set(REPORTS)


def test_texts_and_pictures_are_written_and_only_the_chosen_format_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = {
        "json": lazy("json:to_json", {"a": 1}),
        "plot": lambda: b"\x89",
        "csv": lazy("nothing:of_the_kind"),
    }
    deliver(reports, {name: tmp_path / name for name in ("json", "plot")}, "json")
    assert capsys.readouterr().out == (tmp_path / "json").read_text("utf-8") == '{\n  "a": 1\n}\n'
    assert (tmp_path / "plot").read_bytes() == b"\x89"


def test_a_score_imports_only_the_report_that_it_prints() -> None:
    code = (
        "import sys; from segeval.cli import app; app(sys.argv[1:], standalone_mode=False);"
        "print([m for m in ('pandas', 'jinja2', 'rich', 'xml.etree') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, "score", *MASKS, "--format", "total"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.splitlines()[1:] == ["[]"]
