"""Which results are put side by side."""

import pytest

from sparsedecay.extras.compare.comparison import Comparison, groups
from sparsedecay.extras.compare.sides import ABSENT, Milestone, Side, parameters
from sparsedecay.science.run import columns
from tests.extras.compare.made import MEASURES
from tests.small import small_run


def made(*runs, epoch=40, **changed):
    """Milestones of the runs; `changed` overrides their parameters."""
    asked = MEASURES.model_dump()
    told = [(run.id, parameters(columns(run), asked) | changed) for run in runs]
    return [Milestone(run, epoch, values, {"mse": 1.0}) for run, values in told]


def several(**values):
    """Milestones of runs that differ in one parameter."""
    ((name, each),) = values.items()
    return made(*(small_run(**{name: value}) for value in each))


def compared(first, second):
    return Comparison(Side("one", "", first), Side("two", "", second))


def told(first, second, name):
    """The values of a parameter in pairs and in groups without a partner, and what differs."""
    found = compared(first, second)
    only = ([group.parameters[name] for row in side for group in row.groups] for side in found.only)
    pairs = [(row.a.parameters[name], row.b.parameters[name]) for row in found.rows]
    return pairs, tuple(only), set(found.differing)


RUN, THRESHOLD = made(small_run()), "measures.threshold"


def test_seeds_alone_make_replicates():
    runs = [small_run(seed=seed, data_seed=data) for seed in (0, 1, 2) for data in (0, 1)]
    (group,) = groups(made(*runs))
    assert len(group.members) == 6
    assert len(groups(made(small_run(lam=1e-3), small_run(lam=1e-4), small_run(seed=1)))) == 2


def test_a_parameter_that_differs_as_a_whole_tells_nothing_apart():
    first = made(*(small_run(lam=lam, scale="none") for lam in (0.1, 1e-3)))
    second = made(*(small_run(lam=lam, scale="fan_in", K=8) for lam in (0.1, 1e-3)))
    differing = {("initial_scale", ("none",), ("fan_in",)), ("K", (6,), (8,))}
    assert told(first, second, "lam") == ([(0.1, 0.1), (1e-3, 1e-3)], ([], []), differing)
    second = made(*(small_run("dense", "weight_decay", lam=lam) for lam in (0.1, 1e-3)))
    pairs, _, differing = told(several(lam=(0.1, 1e-3)), second, "lam")
    assert pairs == [(0.1, 0.1), (1e-3, 1e-3)]
    assert {name for name, *_ in differing} == {"network", "regularizer"}


def test_a_value_in_common_is_matched_with_itself():
    found = told(several(lam=(0.1, 1e-3)), several(lam=(1e-3, 1e-5)), "lam")
    assert found == ([(1e-3, 1e-3)], ([0.1], [1e-5]), set())


def test_one_is_put_beside_several_but_several_are_not_mixed():
    found = told(several(K=(6,)), several(K=(8, 9)), "K")
    assert found == ([(6, 8), (6, 9)], ([], []), {("K", (6,), (8, 9))})
    found = told(several(K=(6, 7)), several(K=(8, 9)), "K")
    assert found == ([], ([6, 7], [8, 9]), {("K", (6, 7), (8, 9))})
    assert compared(several(K=(6, 7)), several(K=(8, 9))).varying == ({"K"}, {"K"})


def test_epochs_are_matched_exactly_and_nothing_with_nothing():
    assert told(RUN, made(small_run(), epoch=80), "K") == ([], ([6], [6]), set())
    assert told(RUN, [], "K") == ([], ([6], []), set())
    assert told([], [], "K") == ([], ([], []), set())


@pytest.mark.parametrize(
    ("first", "second", "name", "a", "b"),
    [
        (several(seed=(0, 1)), several(seed=(1,)), "weight_seed", (0, 1), (1,)),
        (made(small_run(), batches=ABSENT), RUN, "batches", (ABSENT,), (1,)),
        (RUN, made(small_run(), **{THRESHOLD: 0.1}), THRESHOLD, (1e-3,), (0.1,)),
    ],
)
def test_seeds_of_one_side_old_tables_and_other_definitions_are_told(first, second, name, a, b):
    assert told(first, second, "K") == ([(6, 6)], ([], []), {(name, a, b)})


def test_each_network_and_regularizer_is_looked_at_alone():
    """lam is 0 without regularizer, whatever the others have."""
    kinds = [("representer", "eq2"), ("representer", "none"), ("dense", "weight_decay")]

    def side(lam, skips):
        runs = [
            small_run(network, regularizer, lam=0.0 if regularizer == "none" else lam, skips=skips)
            for network, regularizer in kinds
        ]
        return made(*(run.literal() for run in runs))

    found = compared(side(1e-3, "leap"), side(1e-4, "input"))
    assert len(found.rows) == 3
    entries = {name: strata for (name, *_), strata in found.differing.items()}
    assert entries == {
        "lam": {("representer", "eq2"), ("dense", "weight_decay")},
        "skips": {("dense", "weight_decay")},
    }
