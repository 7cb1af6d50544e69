from collections import Counter

import pytest

from tests.workflow.conftest import built, replicated, study, warm

__all__ = ["built", "replicated", "study", "warm"]


@pytest.fixture(scope="module")
def did():
    """What the tests of a file did, to be counted; told at their end."""
    counts = Counter()
    yield counts
    print("\n" + "\n".join(f"{count:9,} {what}" for what, count in counts.items()))
