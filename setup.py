"""The kernel for PNG masks, compiled where there is a compiler; all else stands in TOML."""

import os
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

SOURCES = Path("segeval", "counting", "scanlines")
STABLE = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "segeval.counting._scanlines",
            sorted(path.as_posix() for path in SOURCES.glob("*.c")),
            depends=[(SOURCES / "scanlines.h").as_posix()],
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
            extra_compile_args=[] if sys.platform == "win32" else ["-O3", "-fvisibility=hidden"],
            py_limited_api=STABLE,
            # without it, NumPy counts; but no wheel is released without it
            optional="CIBUILDWHEEL" not in os.environ,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
