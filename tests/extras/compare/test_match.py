"""Which results are put side by side."""

from sparsedecay.extras.compare.match import groups, match
from sparsedecay.extras.compare.sides import ABSENT, Milestone, parameters
from sparsedecay.science.run import columns
from tests.extras.compare.made import MEASURES
from tests.small import small_run


def made(*runs, epoch=40, **changed):
    """Groups of milestones of the runs; `changed` overrides their parameters."""
    asked = MEASURES.model_dump()
    told = [(run.id, parameters(columns(run), asked) | changed) for run in runs]
    return groups(Milestone(run, epoch, values, {"mse": 1.0}) for run, values in told)


def paired(found, name):
    """The values of a parameter in both groups of each pair."""
    return [(a.parameters[name], b.parameters[name]) for a, b in found.pairs]


def left(found, name):
    """The values of a parameter on either side in groups without a partner."""
    return [[group.parameters[name] for group in side] for side in found.only]


def test_seeds_alone_make_replicates():
    runs = [small_run(seed=seed, data_seed=data) for seed in (0, 1, 2) for data in (0, 1)]
    (group,) = made(*runs)
    assert len(group.members) == 6
    assert len(made(small_run(lam=1e-3), small_run(lam=1e-4), small_run(seed=1))) == 2


def test_a_parameter_that_differs_as_a_whole_tells_nothing_apart():
    first = made(*(small_run(lam=lam, scale="none") for lam in (0.1, 1e-3)))
    second = made(*(small_run(lam=lam, scale="fan_in", K=8) for lam in (0.1, 1e-3)))
    found = match(first, second)
    assert paired(found, "lam") == [(0.1, 0.1), (1e-3, 1e-3)]
    assert found.only == ([], [])
    assert set(found.differing) == {("initial_scale", ("none",), ("fan_in",)), ("K", (6,), (8,))}


def test_a_value_in_common_is_matched_with_itself():
    first = made(small_run(lam=0.1), small_run(lam=1e-3))
    found = match(first, made(small_run(lam=1e-3), small_run(lam=1e-5)))
    assert paired(found, "lam") == [(1e-3, 1e-3)]
    assert left(found, "lam") == [[0.1], [1e-5]]
    assert not found.differing


def test_one_is_put_beside_several_but_several_are_not_mixed():
    several = made(small_run(K=8), small_run(K=9))
    found = match(made(small_run(K=6)), several)
    assert paired(found, "K") == [(6, 8), (6, 9)]
    assert set(found.differing) == {("K", (6,), (8, 9))}
    found = match(made(small_run(K=6), small_run(K=7)), several)
    assert not found.pairs
    assert left(found, "K") == [[6, 7], [8, 9]]
    assert set(found.differing) == {("K", (6, 7), (8, 9))}
    assert found.varying == ({"K"}, {"K"})


def test_each_network_and_regularizer_is_looked_at_alone():
    """lam is 0 without regularizer, whatever the others have."""
    kinds = [("representer", "eq2"), ("representer", "none"), ("dense", "weight_decay")]

    def side(lam, skips):
        runs = [
            small_run(network, regularizer, lam=0.0 if regularizer == "none" else lam, skips=skips)
            for network, regularizer in kinds
        ]
        return made(*(run.literal() for run in runs))

    found = match(side(1e-3, "leap"), side(1e-4, "input"))
    assert len(found.pairs) == 3
    entries = {name: strata for (name, *_), strata in found.differing.items()}
    assert entries == {
        "lam": {("representer", "eq2"), ("dense", "weight_decay")},
        "skips": {("dense", "weight_decay")},
    }


def test_networks_and_regularizers_can_differ_as_a_whole():
    first = made(small_run("representer", "eq2"), small_run("representer", "eq2", lam=0.1))
    second = made(small_run("dense", "weight_decay"), small_run("dense", "weight_decay", lam=0.1))
    found = match(first, second)
    assert paired(found, "lam") == [(0.1, 0.1), (1e-3, 1e-3)]
    assert {name for name, *_ in found.differing} == {"network", "regularizer"}


def test_epochs_are_matched_exactly_and_nothing_with_nothing():
    found = match(made(small_run(), epoch=40), made(small_run(), epoch=80))
    assert (found.pairs, left(found, "K")) == ([], [[6], [6]])
    assert left(match(made(small_run()), []), "K") == [[6], []]
    assert match([], []).pairs == []


def test_seeds_of_one_side_old_tables_and_other_definitions_are_told():
    seeds = match(made(small_run(seed=0), small_run(seed=1)), made(small_run(seed=1)))
    old = match(made(small_run(), batches=ABSENT), made(small_run()))
    definitions = match(made(small_run()), made(small_run(), **{"measures.threshold": 0.1}))
    for found, differing in [
        (seeds, ("weight_seed", (0, 1), (1,))),
        (old, ("batches", (ABSENT,), (1,))),
        (definitions, ("measures.threshold", (1e-3,), (0.1,))),
    ]:
        assert len(found.pairs) == 1
        assert set(found.differing) == {differing}
