"""The kernels, compiled where there is a compiler; all else stands in TOML."""

import os
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup

KERNELS = {
    "segeval.counting._scanlines": Path("segeval", "counting", "scanlines"),
    "segeval.boundaries._bands": Path("segeval", "boundaries"),
}
HEADERS = sorted(p.as_posix() for p in Path("segeval", "counting", "scanlines").glob("*.h"))
STABLE = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            name,
            sorted(path.as_posix() for path in folder.glob("*.c")),
            depends=HEADERS,
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
            extra_compile_args=[] if sys.platform == "win32" else ["-O3", "-fvisibility=hidden"],
            py_limited_api=STABLE,
            # without it, NumPy counts; but no wheel is released without it
            optional="CIBUILDWHEEL" not in os.environ,
        )
        for name, folder in KERNELS.items()
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
