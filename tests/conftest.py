import pytest

from tests.small import engine_for, small_run


@pytest.fixture
def make_run():
    return small_run


@pytest.fixture
def make_engine():
    return engine_for
