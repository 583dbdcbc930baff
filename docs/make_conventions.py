"""Write ``conventions.md`` and the pages of its folder from the presets (`make docs`)."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from segeval.presets.objects import load_object_presets
from segeval.presets.preset import load_presets
from segeval.scoring.metrics import title_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segeval.presets.objects import ObjectPreset
    from segeval.presets.preset import Preset

DOCS = Path(__file__).parent

INTRODUCTION = """\
# The conventions of other tools

<!-- Made by docs/make_conventions.py from segeval/presets/tools/; renew it by `make docs`. -->

The same masks get different numbers from different tools. Nearly always the counts agree, and the
difference lies in what is done with classes that are missing on one side or on both, and in the
order of the means. `--like PRESET` reports what a tool reports; `segeval presets` lists the
presets, `segeval presets NAME` shows one. In Python it is `convention=segeval.preset("monai")`.

## Departing from a preset

`--pooling` and `--absent` beside `--like` depart from the preset, for every metric, and the
signature says so: `like:monai+absent:zero`. `--exclude` and `--worst` keep its name. In Python it
is `segeval.preset("monai", absent="zero")`, with any axis.

The headline of the preset is the first number of the table, the output of `--format total`, and
what a bare `--fail-under 0.8` looks at. The other means follow the same tool's rules for that
metric, as far as it has it. Scores stay fractions in full precision: that a tool rounds, or counts
in 32-bit floats, is said on the page of the tool but not repeated.

## Which one is in use, and why it differs

`segeval explain RUN`, or `segeval explain PRED TRUTH`, shows every preset side by side, and names
the rules that move them on these very masks: each axis is set back to the default, one at a time,
and the change is what it costs. `--all` shows the variants, `--format json` holds them all.

```console
$ segeval explain sample_masks/pred sample_masks/truth --labels sample_masks/labels.toml
```

`--between A B` goes from one preset to another, an axis at a time, in steps that add up to the
difference exactly:

```console
$ segeval explain sample_masks/pred sample_masks/truth --between huggingface kaggle-dice
```

`segeval conformance DIR` exports small masks at every edge and the number that each preset gives
for them, so that another tool can be held against them.

Void pixels are dropped on both sides, as all of these tools do when they are told which value is
void. Most of them have to be told.

## The axes

A preset is a point on these axes; the signature shows those that differ from the default, which
stands first. Where a rule holds for one metric only, its name comes first: `precision.truth_only`.
"""

AXES = (
    (
        "`pooling`",
        (
            "`dataset`, `image`, `class`, `pair`, `micro`, `image-micro`, `group`, `dataset-mm3`, "
            "`track`, `track-decay`"
        ),
        "which counts are summed, and in which order means are taken",
    ),
    (
        "`absent`",
        "`skip`, `zero`, `one`, `undefined`",
        "worth of a class on neither side of the pool that is scored",
    ),
    (
        "`pred_only`",
        "`zero`, `skip`, `one`, `undefined`, `formula`",
        "worth of a class that is predicted and not in the truth",
    ),
    (
        "`truth_only`",
        "`zero`, `skip`, `one`, `undefined`, `formula`",
        "worth of a class that is in the truth and never predicted",
    ),
    (
        "`disjoint`",
        "`formula`, `skip`, `zero`, `one`, `undefined`",
        "worth of a class on both sides that is never hit",
    ),
    (
        "`mean`",
        "`all`, `foreground`",
        "classes of the means; the foreground is all but the background",
    ),
    (
        "`weights`",
        "`none`, `support`, `support-or-one`, numbers",
        "weights of the classes: true pixels, or as told",
    ),
    (
        "`weightless`",
        "`skip`, `zero`, `mean`",
        "worth of an image whose defined classes weigh nothing",
    ),
    (
        "`empty`",
        "`skip`, `zero`, `one`, `undefined`",
        "worth of an image, or of a class, without any defined value",
    ),
    (
        "`nothing`",
        "`undefined`, `zero`, `one`",
        "the mean if nothing at all is defined",
    ),
    (
        "`void_image`",
        "`score`, `skip`",
        "whether an image without judged pixels takes part",
    ),
    (
        "`ends`",
        "`score`, `skip`",
        "whether the first and last frame of a sequence are scored, under `track`",
    ),
    (
        "`outside`",
        "`unknown`, `ignore`",
        "pixels whose truth or prediction is no class: as `--unknown` says, or not judged",
    ),
    (
        "`smoothing`",
        "0, a number",
        "added to both sides of the fraction of IoU and Dice",
    ),
    (
        "`floor`",
        "0, a score",
        "class scores below it count as 0",
    ),
    (
        "`thresholds`",
        "none, scores",
        "if any, a class score is the share of them that it exceeds",
    ),
    (
        "`generalized`",
        "`none`, `simple`, `square`, `uniform`",
        "generalised Dice, and how weights fall with true pixels",
    ),
    (
        "`unseen`",
        "`largest`, `zero`",
        "weight, in the generalised Dice, of a class without true pixels",
    ),
)

MEANING = """\
`skip` leaves a value out; `undefined` makes every mean that it enters undefined.

## The tools

Each page says of its presets what they flatter, what they punish, and where the tool has a fault.

| page | tools |
|---|---|
"""

TOPICS = {
    "torchmetrics": ("torchmetrics", ("torchmetrics",)),
    "monai": ("MONAI", ("MONAI",)),
    "libraries": (
        "Other libraries of metrics",
        ("Hugging Face evaluate", "scikit-learn", "segmentation-models-pytorch"),
    ),
    "frameworks": (
        "Frameworks of segmentation and detection",
        (
            "detectron2",
            "hotcoco",
            "mmsegmentation",
            "PaddleSeg",
            "Ultralytics YOLO, semantic segmentation",
            "vernier",
        ),
    ),
    "medical": (
        "Other tools of medical imaging",
        (
            "MetricsReloaded",
            "miseval",
            "nnU-Net",
            "seg-metrics",
            "TransUNet, Synapse multi-organ protocol",
        ),
    ),
    "benchmarks": (
        "Benchmarks and competitions",
        (
            "cityscapesScripts",
            "DAVIS",
            "ISIC 2018 lesion segmentation",
            "Kaggle-style scoring script",
            "Severstal steel defects (Kaggle 2019)",
            "TGS salt (Kaggle 2018)",
        ),
    ),
    "papers": (
        "Code of papers",
        (
            "emc-score (empty-mask conventions)",
            "JDTLosses",
            "LovaszSoftmax",
            "Smoothed Dice of the literature",
        ),
    ),
}
"""The pages, their titles and their tools; a new tool goes to one of them."""

OBJECTS = """\
# Conventions of objects

With `--objects`, `--like` takes these. They say which pairs match, how images are averaged
and what an image without objects scores; `--iou-thresholds` and `--size-bins` go with all of them,
and `--objects-pooling` departs from them. `segeval explain RUN --objects ids` shows them side by
side.

| axis | values | what it decides |
|---|---|---|
| `pooling` | `dataset`, `image` | whether counts or scores of images are put together |
| `empty` | `skip`, `zero`, `one` | what an image without any object scores |
| `matching` | `most`, `greedy` | most matches, or the highest IoU first; the same above 0.5 |
| `strict` | `False`, `True` | a match has an IoU of the threshold, or one above it |
| `aji` | `best`, `assigned` | pairs of highest IoU, over their unions; or matches, over all |
| `smallest` | `0`, pixels | true objects of fewer pixels, and what matches them, are left out |
| `without_truth` | `scored`, `empty` | whether objects count in images without a true one |
"""


def pages() -> dict[str, str]:
    """Return all pages by their names, with what their commands print."""
    text = index()
    for command in re.findall(r"```console\n\$ segeval (.*)\n```", text):
        done = subprocess.run(
            [sys.executable, "-m", "segeval", *command.split()],
            capture_output=True,
            text=True,
            check=True,
            cwd=DOCS.parent,
            env={name: os.environ[name] for name in os.environ if name != "COLUMNS"},
        )
        shown = f"$ segeval {command}\n{done.stdout}{done.stderr}"
        text = text.replace(f"$ segeval {command}\n", shown)
    made = {"conventions.md": text}
    rows = sorted(load_presets().values(), key=lambda row: (row.tool.lower(), row.name))
    tools = {tool: list(each) for tool, each in itertools.groupby(rows, key=lambda row: row.tool)}
    for name, (title, members) in TOPICS.items():
        parts = ["\n".join(section(tool, tools.pop(tool))) for tool in members]
        text = "\n".join([f"# {title}\n", *parts])
        made[f"conventions/{name}.md"] = text.replace(f"\n## {title}\n", "", 1)  # of one tool
    if tools:
        msg = f"no page of TOPICS has {', '.join(tools)}"
        raise ValueError(msg)
    made["conventions/objects.md"] = objects()
    return made


def index() -> str:
    """Return the page of the rules, which names the others."""
    axes = "\n".join(f"| {axis} | {values} | {what} |" for axis, values, what in AXES)
    table = f"| axis | values | what it decides |\n|---|---|---|\n{axes}\n"
    rows = [
        f"| [{title}](conventions/{name}.md) | {'; '.join(tools)} |"
        for name, (title, tools) in TOPICS.items()
    ]
    rows.append(f"| [Objects](conventions/objects.md) | {'; '.join(scorers())} |")
    rows.append("| [Distances](conventions/distances.md) | tools that measure distances |\n")
    return "\n".join([INTRODUCTION, table, MEANING + "\n".join(rows)])


def scorers() -> dict[str, list[ObjectPreset]]:
    """Return the presets of objects by tool."""
    rows = load_object_presets().values()
    return {tool: list(each) for tool, each in itertools.groupby(rows, key=lambda row: row.tool)}


def objects() -> str:
    """Return the page of the tools that score objects."""
    parts = ["\n".join(section(tool, rows)) for tool, rows in scorers().items()]
    return "\n".join([OBJECTS, *parts])


def section(tool: str, presets: Sequence[Preset | ObjectPreset]) -> Iterator[str]:
    """Yield the lines about one tool."""
    yield f"## {tool}\n"
    sources = " ".join(dict.fromkeys(preset.source for preset in presets))
    yield f"Version {presets[0].version}. Source: {sources}\n"
    yield "| preset | number | call | rules |"
    yield "|---|---|---|---|"
    for preset in presets:
        rules = " ".join(f"`{fact}`" for fact in preset.facts)
        yield f"| `{preset.name}` | {preset.title} | `{preset.call}` | {rules} |"
        for mean, call in preset.also.items():
            yield f"| | {title_of(mean)} | `{call}` | |"
    yield ""
    texts: dict[tuple[str, str, str], list[str]] = {}
    for preset in presets:
        said = preset.flatters, preset.punishes, preset.fault
        texts.setdefault(said, []).append(f"`{preset.name}`")
    for (flatters, punishes, fault), names in texts.items():
        yield f"* {', '.join(names)}"
        yield f"  * *Flatters:* {flatters}"
        yield f"  * *Punishes:* {punishes}"
        if fault:
            yield f"  * *Fault:* {fault}"
    yield ""


if __name__ == "__main__":
    (DOCS / "conventions").mkdir(exist_ok=True)
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")
