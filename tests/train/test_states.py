"""States as files."""

import pytest
import torch

from sparsedecay.engines.state import initial
from sparsedecay.errors import DamagedFile
from sparsedecay.train import states
from tests.small import small_run


@pytest.mark.parametrize("what", ["missing", "shape", "precision"])
def test_a_state_that_lacks_what_the_run_needs_is_damaged(tmp_path, what):
    run = small_run()
    start = initial(run)
    match what:
        case "missing":
            del start.moments["second"]["V1"]
        case "shape":
            start.parameters["V1"] = torch.zeros(3, 5, dtype=torch.float64)
        case "precision":
            start.parameters["V1"] = start.parameters["V1"].float()
    states.save(tmp_path / "state", run, start, {})
    with pytest.raises(DamagedFile, match=r"(second\.)?V1 is missing or not float64 of shape"):
        states.load(tmp_path / "state", run)
