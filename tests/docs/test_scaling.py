"""The recipes of docs/scaling.md and docs/dask.md run, with stand-ins for Slurm and GitHub."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from made.sets import segeval

import segeval as library

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]
PAGES = [(PROJECT / "docs" / f"{name}.md").read_text("utf-8") for name in ("scaling", "dask")]
BLOCKS = re.findall(r"```(sh|yaml)\n(.*?)```", "".join(PAGES), re.DOTALL)
CLASSES = "--classes", "19", "--ignore", "255"
SBATCH = """\
#!/bin/bash
# a scheduler that runs all tasks of a job at once, in the order of the jobs
for script; do :; done
for word; do [ "$word" = --parsable ] && echo 17; done
array=$(sed -n 's/^#SBATCH.*--array=1-\\([0-9]*\\).*/\\1/p' "$script")
for task in $(seq "${array:-1}"); do
    SLURM_JOB_ID=17 SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=$array SLURM_CPUS_PER_TASK=1 \\
        bash "$script" >> out.txt 2>&1 || exit 1
done
"""
SRUN = """\
#!/bin/bash
# a step of two tasks, however many are asked for
while [ "${1#--}" != "$1" ]; do shift; done
"$@" & "$@" & wait
"""


def block(start: str) -> str:
    """Return the example of the page that begins so."""
    (found,) = [text for _, text in BLOCKS if text.startswith(start)]
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with masks, and with the scores of one pass."""
    for side in ("pred", "truth"):
        (tmp_path / side).symlink_to(PROJECT / "sample_masks" / side)
    (tmp_path / "runs").mkdir()
    segeval(*_sides(tmp_path), *CLASSES, "-o", "one.segeval", cwd=tmp_path)
    report = "report", "one.segeval", *CLASSES, "--json", "one.json"
    segeval(*report, cwd=tmp_path)
    return tmp_path


def _sides(folder: Path) -> tuple[str, str, str]:
    return "score", str(folder / "pred"), str(folder / "truth")


def run(script: str, folder: Path) -> None:
    """Run lines of a shell, in which `segeval` is this one and /data the folder."""
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    programs = {
        name: f'#!/bin/sh\nexec "{sys.executable}" {how} "$@"\n'
        for name, how in {"segeval": "-m segeval", "dask": "-m dask", "python": ""}.items()
    }
    for name, text in (programs | {"sbatch": SBATCH, "srun": SRUN}).items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    paths = f"{tools}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(PROJECT)}
    script = script.replace("/data", str(folder))
    with subprocess.Popen(
        ["bash", "-ec", script], cwd=folder, env=environment, start_new_session=True
    ) as job:
        try:
            assert job.wait(timeout=120) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)  # what it left in the background, as Slurm does


def same_as_one_pass(folder: Path, run: Path, scores: Path) -> None:
    one, merged = (json.loads(path.read_bytes()) for path in (folder / "one.json", scores))
    for part in ("signature", "summary", "classes", "confusion", "images", "pixels"):
        assert one[part] == merged[part]
    counts = (library.open_run(path).contingency() for path in (folder / "one.segeval", run))
    assert next(counts).equals(next(counts))


def test_an_array_of_slurm_is_one_pass(folder: Path) -> None:
    for name, start in (("shards.sh", " --array"), ("merge.sh", "-merge")):
        text = block(f"#!/bin/bash\n#SBATCH --job-name=segeval{start}")
        (folder / name).write_text(text.replace("/data", str(folder)))
    run(block("sbatch "), folder)
    assert len([*(folder / "runs").glob("shard-*.segeval")]) == 4
    same_as_one_pass(folder, folder / "runs" / "all.segeval", folder / "runs" / "scores.json")


def test_dask_in_a_job_of_slurm_is_one_pass(folder: Path) -> None:
    pytest.importorskip("distributed")
    text = block("#!/bin/bash\n#SBATCH --job-name=segeval-dask")
    (folder / "dask.sh").write_text(text.replace("/data", str(folder)))
    run("sbatch dask.sh", folder)
    same_as_one_pass(folder, folder / "runs" / "dask.segeval", folder / "runs" / "scores.json")


def test_dask_on_kubernetes_is_one_pass(folder: Path) -> None:
    pytest.importorskip("distributed")
    service, scheduler, workers, job = yaml.safe_load_all(block("apiVersion"))
    for each in (scheduler, workers):
        labels = each["spec"]["template"]["metadata"]["labels"]
        assert (
            each["spec"]["selector"]["matchLabels"] == labels == {"app": each["metadata"]["name"]}
        )
    assert service["spec"]["selector"] == scheduler["spec"]["selector"]["matchLabels"]
    assert service["metadata"]["name"] == "dask-scheduler"
    pods = [each["spec"]["template"]["spec"] for each in (scheduler, workers, job)]
    (begin,), (work,), (score,) = (pod["containers"] for pod in pods)
    assert begin["image"] == work["image"] == score["image"]
    assert work["volumeMounts"] == score["volumeMounts"]
    assert pods[1]["volumes"] == pods[2]["volumes"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lines = [shlex.join(each["args"]) for each in (begin, work, score)]
    script = "{} &\n{} &\n{}".format(*lines).replace("dask-scheduler:", "127.0.0.1:")
    run(script.replace("8786", str(port)), folder)
    same_as_one_pass(folder, folder / "runs" / "dask.segeval", folder / "runs" / "scores.json")


def test_a_matrix_of_github_is_one_pass(folder: Path) -> None:
    jobs = yaml.safe_load(block("jobs:"))["jobs"]
    for shard in jobs["shard"]["strategy"]["matrix"]["shard"]:
        run(_steps(jobs["shard"]).replace("${{ matrix.shard }}", str(shard)), folder)
    run(_steps(jobs["merge"]), folder)
    same_as_one_pass(folder, folder / "all.segeval", folder / "scores.json")


def _steps(job: dict[str, list[dict[str, str]]]) -> str:
    lines = [step["run"] for step in job["steps"] if "run" in step]
    return "\n".join(line for line in lines if not line.startswith("pip "))
