"""Build the package, install it into a bare environment, and use it there.

``make test-wheel`` runs it. The wheel is made from the sdist, so that both must hold every file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urljoin
from urllib.request import urlopen

from made.tutorial import fails, written_and_typed

PROJECT: Final = Path(__file__).parents[1]
MASKS: Final = PROJECT / "sample_masks" / "pred", PROJECT / "sample_masks" / "truth"
DATA: Final = sorted(
    path.relative_to(PROJECT / "segeval").as_posix()
    for path in (PROJECT / "segeval").rglob("*")
    if path.is_file() and path.suffix not in {".py", ".pyc", ".c", ".h", ".so", ".pyd"}
)
BUILD: Final = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
LACKING: Final = """
import json, sys
from importlib.resources import files
print(json.dumps([n for n in sys.argv[1:] if not files("segeval").joinpath(n).is_file()]))
"""
TYPED: Final = """
import numpy as np
import segeval
from segeval.testing import assert_segmentation

result = segeval.score(prediction="pred", truth="truth", labels="voc", ignore=[255], ci=100)
mean: float = result.summary["miou"]
rows: list[str] = result.classes["name"].tolist()
run: segeval.Run = segeval.count(prediction="pred", truth="truth") + segeval.open_run("a")
change: segeval.Comparison = segeval.compare(run, run, convention=segeval.preset("monai"))
mask = np.zeros((2, 2), np.uint8)
held: segeval.Result = assert_segmentation(mask, mask, miou=1.0)
counts: int = int(segeval.confusion_matrix(truth=mask, prediction=mask, classes=2).counts.sum())
flat: dict[str, float] = run.score(labels="voc").flat("val/")
"""
QUIET: Final = ("-qq", "--disable-pip-version-check")
PAGES: Final = {"labels": "cityscapes", "presets": "torchmetrics", "--help": "COMMAND"}


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """Run a command with nothing on its path but one folder; return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    extra = {} if path is None else {"PYTHONPATH": str(path)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=inherited | extra,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def built(folder: Path) -> Path:
    """Return the wheel, built from the sdist."""
    pip = [sys.executable, "-m", "pip", *QUIET]
    run(*pip, "install", "--target", folder / "tools", "setuptools>=77", cwd=folder)
    run(sys.executable, "-c", BUILD, folder, cwd=PROJECT, path=folder / "tools")
    (sdist,) = folder.glob("*.tar.gz")
    run(*pip, "wheel", "--no-deps", "-w", folder, sdist, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


def installed(wheel: Path, folder: Path) -> Path:
    """Install the wheel where nothing else is; return the folder of its programs."""
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "python", "-m", "pip", *QUIET, "install"]
    run(*pip, "-c", PROJECT / "constraints.txt", f"{wheel}[report]", cwd=folder)
    return programs


def use(programs: Path, folder: Path) -> None:
    """Do what users do, outside of the checkout."""
    lacking = json.loads(run(programs / "python", "-c", LACKING, *DATA, cwd=folder))
    assert DATA, "there are no files of data"
    assert not lacking, lacking
    segeval = programs / "segeval"
    scored = run(segeval, "score", *MASKS, "--format", "total", "--html", "a.html", cwd=folder)
    assert scored == "0.858653440782688\n", scored
    assert "</html>" in (folder / "a.html").read_text("utf-8")
    run(segeval, "plot", *MASKS, "-o", "matrix.svg", cwd=folder)
    assert "segeval" in run(programs / "segeval-masks", "--version", cwd=folder)
    for arguments, word in PAGES.items():
        assert word in run(segeval, arguments, cwd=folder), arguments


def hold_in_pytest(programs: Path, folder: Path) -> None:
    """Use the fixture that pytest finds where the package is installed."""
    pip = [programs / "python", "-m", "pip", *QUIET, "install"]
    run(*pip, "-c", PROJECT / "constraints.txt", "pytest", cwd=folder)
    call = f"assert_segmentation({str(MASKS[0])!r}, {str(MASKS[1])!r}, miou=0.8)"
    test = f"def test_masks(assert_segmentation):\n    {call}\n"
    (folder / "test_masks.py").write_text(test, encoding="utf-8")
    command = [programs / "pytest", "-q", "--segeval-html", "pages", "test_masks.py"]
    assert "1 passed" in run(*command, cwd=folder)
    assert list((folder / "pages").glob("*.html"))


def follow_the_tutorial(programs: Path, folder: Path) -> None:
    """Type the tutorial where nothing else is: another home, and no checkout."""
    home = folder / "home"
    home.mkdir(parents=True)
    environment = {"HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.defpath}"}
    for line, output in written_and_typed(folder):
        if line.startswith("pip "):
            continue
        done = subprocess.run(
            line,
            shell=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == fails(line), done.stdout + done.stderr
        assert output is None or done.stdout + done.stderr == output, line


def check_types(programs: Path, folder: Path) -> None:
    """Check a program of a user against the package as it is installed, and see a fault in it."""
    program = folder / "program.py"
    check = [sys.executable, "-m", "mypy", "--strict", "--config-file", os.devnull]
    check += ["--python-executable", str(programs / "python"), str(program)]
    program.write_text(TYPED, encoding="utf-8")
    run(*check, cwd=folder)
    program.write_text(TYPED + "run.score(label='voc')\n", encoding="utf-8")
    faulty = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    assert faulty.returncode == 1, faulty.stdout
    assert 'Unexpected keyword argument "label"' in faulty.stdout, faulty.stdout


def build_image(folder: Path) -> None:
    """Take the steps of the Dockerfile in a folder, and use what stands there in the end."""
    (folder / "src").mkdir(parents=True)
    for line in (PROJECT / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            run("cp", "-r", PROJECT / line[1:], folder / "src", cwd=folder)
    for library in (folder / "src").rglob("*.so"):
        library.unlink()
    text = (PROJECT / "Dockerfile").read_text("utf-8")
    for step in re.findall(r"^RUN (.*)$", text, re.MULTILINE):
        here = re.sub(r"(?<![\w.])/(src|opt)\b", rf"{folder}/\1", step)
        run("sh", "-c", re.sub("^python ", f"{sys.executable} ", here), cwd=folder)
    (entry,) = re.findall(r'^ENTRYPOINT \["(.*)"\]$', text, re.MULTILINE)
    program = folder / "opt" / "segeval" / "bin" / entry
    assert "counting: native" in run(program, "--version", cwd=folder)
    run(program, "score", *MASKS, "--objects", "components", "--html", "a.html", cwd=folder)


def browse(segeval: Path, folder: Path) -> None:
    """Open the page of the viewer and all that it asks for."""
    command = [str(segeval), "view", *map(str, MASKS)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        with urlopen(address) as page:
            links = re.findall(r'(?:src|href)="([^"#]+)"', page.read().decode())
        assert len(links) > 2, links
        for link in links:
            with urlopen(urljoin(address, link)) as answer:
                assert answer.read(), link
        server.send_signal(signal.SIGINT)
    assert server.returncode == 0


def main() -> None:
    """Build, install, use."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        wheel = built(folder)
        programs = installed(wheel, folder)
        use(programs, folder)
        browse(programs / "segeval", folder)
        hold_in_pytest(programs, folder)
        follow_the_tutorial(programs, folder / "tutorial")
        check_types(programs, folder)
        build_image(folder / "image")
        print(f"{wheel.name}: installed and used, with {len(DATA)} files of data")


if __name__ == "__main__":
    main()
