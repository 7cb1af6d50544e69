import pytest

import sparsedecay as sd

SMALL = {"K": 24, "d": 4, "stride": 100, "record_every": 50, "optimizer": {"learning_rate": 1e-2}}


@pytest.fixture(scope="session")
def states():
    """Three small networks of one lam, at epoch 200: eq. 2, weight decay, none."""
    names = ("eq2", "weight_decay", "none")
    return [sd.train(sd.Run(regularizer=n, **SMALL), 200, progress=False) for n in names]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Results of one of them, as `train` leaves them."""
    place = tmp_path_factory.mktemp("api") / "results"
    sd.train(sd.Run(**SMALL), 200, results=place, progress=False)
    return place
