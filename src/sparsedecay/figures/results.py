"""What a figure reads: the measured tables and the weights of milestones.

results = Results(Path("results"))
results.table(run, epoch, "summary")     DataFrame
results.weights(run, epoch)              {"W1": (K, d_0) array, …}
results.opened                           {"results/measure/…/summary.parquet": SHA-256, …}
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sparsedecay import paths
from sparsedecay.errors import DamagedFile
from sparsedecay.networks import Network, build
from sparsedecay.provenance import file_digest
from sparsedecay.runs import Run
from sparsedecay.storage import read_state, read_table
from sparsedecay.tables import MATRICES, SPECTRA, SUMMARY, TRAJECTORY

SCHEMAS = {
    "trajectory": TRAJECTORY,
    "spectra": SPECTRA,
    "matrices": MATRICES,
    "summary": SUMMARY,
}


class Results:
    """A folder of results, and a memory of what was opened in it."""

    def __init__(self, folder: Path = Path("results")):
        self.folder = folder
        self._opened: dict[str, Path] = {}

    def table(self, run: str, epoch: int, name: str) -> pd.DataFrame:
        """A table measured at a milestone, columns as in `sparsedecay.tables`; it has rows.

        Raises:
            UserError: the file is missing, damaged, or about another run.
        """
        path = self._open(paths.measured(run, epoch, name))
        frame = read_table(path, SCHEMAS[name]).to_pandas()
        if frame.empty or set(frame["run"]) != {run} or frame["epoch"].max() != epoch:
            raise misplaced(path, f"epoch {epoch} of {run}")
        return frame

    def matrix(self, run: str, epoch: int, name: str) -> dict[str, Any]:
        """The row of the table `matrices` about one matrix."""
        frame = self.table(run, epoch, "matrices")
        rows = frame[frame["matrix"] == name].to_dict("records")
        if len(rows) != 1:
            raise misplaced(self._open(paths.measured(run, epoch, "matrices")), f"a row of {name}")
        return rows[0]

    def weights(self, run: str, epoch: int) -> dict[str, np.ndarray]:
        """The trained parameters of a milestone in float64, shapes as in `Network.shapes`."""
        return self.trained(run, epoch)[1]

    def trained(self, run: str, epoch: int) -> tuple[Network, dict[str, np.ndarray]]:
        """The network of a milestone and its parameters.

        Raises:
            UserError: the file is missing, damaged, or the state of another milestone.
        """
        path = self._open(paths.state(run, epoch))
        tensors, about = read_state(path, "np")
        try:
            stored = Run.model_validate_json(about["run"])
            network = build(stored)
            p = {name: tensors[name].astype(np.float64) for name in network.shapes}
        except (KeyError, ValueError):
            raise misplaced(path, f"epoch {epoch} of {run}") from None
        shapes = {name: array.shape for name, array in p.items()}
        if (stored.id, about.get("epoch"), shapes) != (run, str(epoch), network.shapes):
            raise misplaced(path, f"epoch {epoch} of {run}")
        return network, p

    @property
    def opened(self) -> dict[str, str]:
        """SHA-256 of every file that was opened, by its place in the project."""
        return {place: file_digest(path) for place, path in sorted(self._opened.items())}

    def _open(self, place: str) -> Path:
        """The file that belongs at a place such as `results/measure/…`, wherever the folder is."""
        self._opened[place] = self.folder / Path(place).relative_to("results")
        return self._opened[place]


def misplaced(path: Path, expected: str) -> DamagedFile:
    return DamagedFile(
        f"{path}: does not hold {expected}.\nMake it again with: snakemake --force {path}"
    )
