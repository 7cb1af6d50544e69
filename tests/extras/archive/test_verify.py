"""Whether a run that was trained elsewhere lies within the spread of other draws."""

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import verify
from sparsedecay.extras.archive.verify import MEASURES, within


def row(value, **other):
    """A summary, all measures of which have a value."""
    lists = {name: [value, value] for name in ("active_neurons", "distinct_neurons")}
    return {**dict.fromkeys(MEASURES, value), **lists, "diverged": None, **other}


def lost(epoch=10):
    return dict.fromkeys(MEASURES) | {"diverged": epoch}


FOUR = [row(1.0), row(2.0), row(1.5), row(1.2)]


@pytest.mark.parametrize(
    ("new", "draws", "right"),
    [
        (row(1.5), FOUR, True),
        (row(2.9), FOUR, True),  # they lie 1 apart, so one may lie 1 outside
        (row(3.1), FOUR, False),
        (row(-0.1), FOUR, False),
        (row(1.5, mse=9.0), FOUR, False),
        (row(1.5, active_neurons=[1, 9]), FOUR, False),
        (row(1.5), [*FOUR[:2], lost(), lost(20)], True),
        (row(3.1), [*FOUR[:2], lost(), lost(20)], False),
        (lost(), FOUR, False),
        (lost(), [*FOUR[:3], lost(30)], True),
        (lost(), [lost()] * 4, True),
        (row(1.5), [lost()] * 4, False),
    ],
)
def test_within_the_spread(capsys, new, draws, right):
    assert within(new, draws) == right
    said = capsys.readouterr().out
    if new["diverged"] is not None:
        assert f"it diverged here; {draws.count(lost()) + draws.count(lost(30))} of 4 draws" in said
    elif all(draw["diverged"] for draw in draws):
        assert "it did not diverge here; 4 of 4 draws did" in said
    else:
        assert "measures lie within the spread of" in said


def test_summaries_of_earlier_versions_have_no_such_column():
    new, draws = row(1.5), [row(1.0), row(2.0)]
    for each in (new, *draws):
        del each["diverged"]
    assert within(new, draws)


def test_without_a_clone_an_archives_code_is_not_run_unless_trusted(monkeypatch):
    """A package from a wheel lacks some of the files that an archive's code consists of."""

    class Found:
        path, names = "some.zip", ()

    verify.same_code(Found())
    monkeypatch.setattr(verify, "CLONE", False)
    with pytest.raises(UserError, match=r"^some.zip: .*only a clone.*--trust$"):
        verify.same_code(Found())
