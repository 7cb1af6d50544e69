"""Builds the compiled engine: on Intel and AMD one extension module for each instruction set, of
which one is chosen at run time; elsewhere one of the compiler's own vectors (NEON on ARM).

Where that fails, for want of a compiler for instance, installation succeeds without it, and
training takes the engine that runs on torch.

A wheel also carries what is no code: the workflow, profiles and configs, in
`sparsedecay.files.project.CARRIED`.
"""

import hashlib
import platform
import shutil
from pathlib import Path

from pybind11.setup_helpers import Pybind11Extension
from setuptools import setup
from setuptools.command.build_py import build_py

FOLDER = Path("src/sparsedecay/engines/compiled")
FLAGS = {
    "_avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma", "-mbmi", "-mbmi2"],
    "_avx2": ["-mavx2", "-mfma", "-mbmi", "-mbmi2"],
}
if platform.machine().lower() not in ("x86_64", "amd64"):
    FLAGS = {"_portable": []}
# The order of operations is what the sources say, so that both give the same bits. Python's own
# flags bring -fwrapv, with which no index becomes part of an address; loops are unrolled where the
# sources say so, and -O3 would only take longer.
COMMON = [
    *("-O2", "-fno-wrapv", "-ffp-contract=off", "-fno-math-errno"),
    *("-Wno-maybe-uninitialized", "-Wno-uninitialized", "-g0"),
]

sources = sorted(path for path in FOLDER.iterdir() if path.suffix in (".cpp", ".h"))
digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


class WithWorkflow(build_py):
    """Copies what a wheel carries beside the code."""

    carried = (
        *("Snakefile", "workflow/**/*", "profiles/*/*.yaml"),
        *("config/*.yaml", "config/*.md", "config/schema.json"),
    )

    def run(self):
        super().run()
        if self.editable_mode:  # the clone has them
            return
        target = Path(self.build_lib, "sparsedecay/workflow_files")
        shutil.rmtree(target, ignore_errors=True)  # of an earlier build
        for pattern in self.carried:
            for file in Path().glob(pattern):
                if file.is_file() and file.suffix != ".pyc":
                    (target / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target / file)


setup(
    cmdclass={"build_py": WithWorkflow},
    ext_modules=[
        Pybind11Extension(
            f"sparsedecay.engines.compiled.{name}",
            [str(FOLDER / "module.cpp")],
            depends=[str(path) for path in sources],
            define_macros=[("MODULE", name), ("SOURCES", f'"{digest}"')],
            extra_compile_args=COMMON + flags,
            cxx_std=17,
            optional=True,
        )
        for name, flags in FLAGS.items()
    ],
    options={"build_ext": {"parallel": len(FLAGS)}},
)
