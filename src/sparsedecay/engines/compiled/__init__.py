"""The fast engine: gradients derived by hand, in C++ for AVX-512, AVX2, and other processors.

It is built on installation, where there is a compiler. Kernels of a network are a header named
after it.
"""

import os
import shutil
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from sparsedecay.engines import Device, Engine, lacking
from sparsedecay.science import optimizers, regularizers
from sparsedecay.science.regularizers import Term
from sparsedecay.science.run import Run

FOLDER = Path(__file__).parent
UNBUILT = (
    "it was not built, for want of a C++ compiler or Python's headers; install them, then "
    "`make clean setup`"
)
NOT_HERE = f"it is not built in {FOLDER}; `make setup` builds it there"
OF_ANOTHER = f"what is built in {FOLDER} is of another Python; `make clean setup` builds it anew"
BY_NEURON = Term.NEURON_L1_SQUARED | Term.PATH


def can_be_built() -> bool:
    """Whether there are a C++ compiler and Python's headers, as far as can be seen."""
    told = os.environ.get("CXX") or sysconfig.get_config_var("CXX") or "c++"
    headers = Path(sysconfig.get_path("include"), "Python.h")
    return bool(shutil.which(told.split()[0])) and headers.is_file()


class Compiled(Engine):
    """Trains networks that have kernels, with Adam and regularizers made of their terms."""

    title = "compiled"
    order = 1

    def supports(self, run: Run) -> str | None:
        if not (FOLDER / f"{run.network}.h").exists():
            return f"it has no kernels for {run.network}"
        reason = lacking(optimizers.KINDS[run.optimizer.name], "kernel") or lacking(
            regularizers.KINDS[run.regularizer], "terms"
        )
        if reason:
            return reason
        terms = regularizers.build(run).terms
        if run.network == "dense" and (terms.W & BY_NEURON or terms.V & Term.PATH):
            return (
                f"its kernels for dense cannot add up the weights into a neuron ({run.regularizer})"
            )
        return None

    def missing(self, device: Device = "auto") -> str | None:
        built = [path.name for path in FOLDER.iterdir() if path.suffix in (".so", ".pyd")]
        if any(f".{name.partition('.')[2]}" in EXTENSION_SUFFIXES for name in built):
            return None
        if not can_be_built():
            return UNBUILT
        return OF_ANOTHER if built else NOT_HERE

    def unusable(self, device: Device = "auto") -> str | None:
        from sparsedecay.engines.compiled.trainer import kernel

        try:
            kernel()
        except ImportError as error:
            return str(error)
        return None
