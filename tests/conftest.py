import sys

import pytest

from tests.small import engine_for, small_run


@pytest.fixture
def make_run():
    return small_run


@pytest.fixture
def make_engine():
    return engine_for


@pytest.fixture(autouse=True)
def _processor_as_it_was():
    """Training flushes denormals in its process; other tests shall not notice."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
