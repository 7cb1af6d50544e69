"""The fast engine: gradients derived by hand, in C++ for AVX-512 and AVX2.

It is built on installation, where there is a compiler. Kernels of a network are a header named
after it.
"""

from pathlib import Path

from sparsedecay.engines import Engine, lacking
from sparsedecay.science import optimizers, regularizers
from sparsedecay.science.regularizers import Term
from sparsedecay.science.run import Run

FOLDER = Path(__file__).parent
UNBUILT = "it was not built, for want of a C++ compiler or Python's headers"
BY_NEURON = Term.NEURON_L1_SQUARED | Term.PATH


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

    def missing(self) -> str | None:
        built = any(path.suffix in (".so", ".pyd") for path in FOLDER.iterdir())
        return None if built else UNBUILT

    def unusable(self) -> str | None:
        from sparsedecay.engines.compiled.trainer import kernel

        try:
            kernel()
        except ImportError as error:
            return str(error)
        return None
