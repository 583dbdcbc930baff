"""The kernel that counts PNG masks, compiled where there is a compiler; all else stands in TOML."""

import sys
import sysconfig

from setuptools import Extension, setup

STABLE = sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    ext_modules=[
        Extension(
            "segeval.counting._scanlines",
            ["segeval/counting/_scanlines.c"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")] if STABLE else [],
            extra_compile_args=[] if sys.platform == "win32" else ["-O3"],
            py_limited_api=STABLE,
            optional=True,  # without it, NumPy counts
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE else {},
)
