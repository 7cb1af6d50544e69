"""Each statement of the paper holds, fails and is undecided on tables made for it."""

import math
from dataclasses import dataclass
from typing import Any

import pytest

from sparsedecay.claims import rows
from sparsedecay.claims.measured import Draw
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.files.results import Results
from tests.claims.made import (
    DECAY,
    DENSE_DECAY,
    DENSE_NONE,
    EARLY,
    EQ2,
    KINDS,
    LATE,
    NONE,
    SHALLOW,
    asked,
    draw,
    reading,
)


@dataclass(frozen=True)
class Case:
    """Values of some networks with which a part of a statement holds or fails, and the part's
    number of each. All other networks are such that everything holds."""

    claim: str
    part: int
    networks: list[tuple]
    holds: dict[str, Any]
    number_holds: float
    fails: dict[str, Any]
    number_fails: float

    def __str__(self) -> str:
        names = ["-".join(map(str, network)) for network in self.networks]
        return f"{self.claim}-{self.part}: {', '.join(names)}"


NARROW = SHALLOW[0]
BOTH, WEAKEST = [[(*EQ2, lam), (*DECAY, lam)] for lam in (1e-3, 1e-5)]
"""The middle and the smallest lam."""
ALIVE, DEAD = {"A": {"alive": True}}, {"A": {"alive": False}}
BY_ID = {claim.id: claim for claim in CLAIMS}
CASES = [
    # MSE over the targets' mean square, 0.5: at most 5 % for each small lam and none
    *(
        Case("interpolation", part, [network], {"mse": 0.025}, 0.05, {"mse": 0.03}, 0.06)
        for part, networks in ((1, BOTH), (2, WEAKEST), (3, [(*NONE, 0.0)]))
        for network in networks
    ),
    # at least 10 % for the largest
    Case("interpolation", 4, [(*EQ2, 0.1)], {"mse": 0.05}, 0.1, {"mse": 0.04}, 0.08),
    Case("interpolation", 4, [(*DECAY, 0.1)], {"mse": 0.3}, 0.6, {"mse": 0.0}, 0.0),
    *(
        Case("sparser-over-time", 1, [network], {"sparsity": 0.5}, 0.5, {"sparsity": 1.0}, 1)
        for network in ((*EQ2, 0.1), (*DECAY, 0.1))
    ),
    Case("sparser-over-time", 1, [(*DECAY, 1e-5)],
         {"sparsity": 0.5, "initial": 0.625}, 0.8, {"sparsity": 0.5, "initial": 0.5}, 1.0),
    # weight decay has 0.5
    *(
        Case("eq2-sparser", part, [network], {"sparsity": 0.4375}, 0.875, {"sparsity": 0.5}, 1.0)
        for part, (network, _) in enumerate((BOTH, WEAKEST), start=1)
    ),
    Case("eq2-sparser", 1, [(*DECAY, 1e-3)], {"sparsity": 1.0}, 0.25, {"sparsity": 0.125}, 2.0),
    Case("dense-without", 1, [(*NONE, 0.0)], {"sparsity": 0.9375}, 0.9375, {"sparsity": 0.875},
         0.875),
    *(
        case
        for held, failed in ((0.1, 0.09), (0.2, 0.21))
        for part, networks in enumerate((BOTH, WEAKEST), start=1)
        for case in (
            Case("max-entry", part, networks, {"A": {"max_abs": held}}, held,
                 {"A": {"max_abs": failed}}, failed),
            Case("max-entry", part + 2, networks, {"largest": held}, held, {"largest": failed},
                 failed),
        )
    ),
    Case("eq2-rank-one", 1, [(*EQ2, 1e-3)], {"A": {"stable_rank": 1.1}}, 1.1,
         {"A": {"stable_rank": 1.25}}, 1.25),
    Case("eq2-rank-one", 2, [(*EQ2, 1e-3)], ALIVE, 1, DEAD, 0),
    Case("eq2-one-pattern", 1, [(*EQ2, 1e-3)], {"A": {"linear_nodes": 1}}, 1,
         {"A": {"linear_nodes": 2}}, 2),
    Case("eq2-one-pattern", 2, [(*EQ2, 1e-3)], ALIVE, 1, DEAD, 0),
    Case("wd-low-rank", 1, [(*DECAY, 1e-3)], {"A": {"default_rank": 4}}, 4,
         {"A": {"default_rank": 5}}, 5),
    # of two patterns
    Case("wd-low-rank", 2, [(*DECAY, 1e-3)], {"A": {"linear_nodes": 4}}, 2,
         {"A": {"linear_nodes": 3}}, 1.5),
    Case("wd-low-rank", 3, [(*DECAY, 1e-3)], ALIVE, 1, DEAD, 0),
    # the count that is closer to 750
    *(
        Case("dense-wd-rank", 1, [DENSE_DECAY], {"A": {one: held, other: 10}}, held,
             {"A": {one: failed, other: 2000}}, failed)
        for one, other in (("rank", "default_rank"), ("default_rank", "rank"))
        for held, failed in ((600, 599), (900, 901))
    ),
    # of 1000 rows and 2000 columns
    Case("dense-none-rank", 1, [DENSE_NONE], {"A": {"default_rank": 990}}, 0.99,
         {"A": {"default_rank": 980}}, 0.98),
    # weight decay has 2
    Case("rank-order", 1, [(*EQ2, 1e-3)], {"A": {"default_rank": 1}}, 0.5,
         {"A": {"default_rank": 2}}, 1),
    Case("rank-order", 2, [DENSE_DECAY], {"A": {"default_rank": 4}}, 0.5,
         {"A": {"default_rank": 2}}, 1),
    *(Case("rank-order", 3, [network], ALIVE, 1, DEAD, 0) for network in BOTH),
    *(
        Case("fairly-sparse", part, [network], {"A": {"sparsity": 0.5}}, 0.5,
             {"A": {"sparsity": 0.625}}, 0.625)
        for part, network in ((1, BOTH[0]), (1, BOTH[1]), (2, DENSE_DECAY))
    ),
    Case("fairly-sparse", 3, [DENSE_NONE], {"A": {"sparsity": 0.9375}}, 0.9375,
         {"A": {"sparsity": 0.875}}, 0.875),
    # 10 data points
    Case("shallow-neurons", 1, SHALLOW, {"distinct": [20]}, 2, {"distinct": [21]}, 2.1),
    Case("shallow-neurons", 1, [NARROW], {"distinct": [5]}, 2, {"distinct": [4]}, 2.5),
    # 10 points and d = 4 outputs of the first block, one of the second
    Case("width-bound", 1, [(*EQ2, 1e-3)], {"distinct": [40, 5]}, 1, {"distinct": [50, 5]}, 1.25),
    Case("width-bound", 1, [(*EQ2, 1e-3)], {"distinct": [20, 10]}, 1, {"distinct": [20, 11]}, 1.1),
]  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One for all tests, since it remembers what it read."""
    return Results(tmp_path_factory.mktemp("results"))


def outcome(results, draws, epoch=None, **changes) -> dict:
    """Rows of the literal reading by claim and part, at the epoch the text speaks of or another."""
    found = rows.rows(asked(reading(draws), **changes), results)
    chosen = (row for row in found if row["epoch"] == epoch or (epoch is None and row["stated"]))
    return {(row["claim"], row["part"]): row for row in chosen}


def parts(results, draws, claim) -> list:
    """The rows of one statement only, at the epoch the text speaks of."""
    request = asked(reading(draws))
    (literal,) = request.readings
    return rows.tested(BY_ID[claim], request, literal, request.epochs[BY_ID[claim].epoch], results)


def test_the_cases_are_complete():
    ids = [claim.id for claim in CLAIMS]
    assert len(set(ids)) == len(ids)
    all_parts = {(claim.id, n) for claim in CLAIMS for n in range(1, len(claim.parts) + 1)}
    assert {(case.claim, case.part) for case in CASES} == all_parts
    assert [claim.id for claim in CLAIMS if not claim.counted] == ["width-bound"]


def test_all_statements_hold_on_the_tables_as_made(results):
    found = outcome(results, [draw(results.folder)] * 6)
    assert {row["claim"] for row in found.values()} == {claim.id for claim in CLAIMS}
    assert {row["verdict"] for row in found.values()} == {"holds"}
    assert {row["claim_verdict"] for row in found.values()} == {"holds"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_holds_fails_and_is_undecided(results, case):
    good, bad = (
        draw(results.folder, dict.fromkeys(case.networks, values))
        for values in (case.holds, case.fails)
    )
    for numbers, draws, verdict in (
        ([case.number_holds] * 6, [good] * 6, "holds"),
        ([case.number_fails] * 6, [bad] * 6, "fails"),
        ([case.number_holds, case.number_fails] * 3, [good, bad] * 3, "undecided"),
    ):
        found = parts(results, draws, case.claim)
        row = found[case.part - 1]
        assert row["part"] == case.part
        assert row["values"] == pytest.approx(numbers)
        assert row["verdict"] == row["claim_verdict"] == verdict
        others = [other for other in found if other is not row]
        assert all(other["verdict"] == "holds" for other in others), "a case is of one part"
        assert all(other["claim_verdict"] == verdict for other in others)


def test_one_matrix_of_many_does_not_move_the_typical_largest_entry(results):
    row = outcome(results, [draw(results.folder, {BOTH[0]: {"largest": 0.3}})])["max-entry", 3]
    assert row["value"] == pytest.approx(0.225), "four of eight matrices have 0.15"


@pytest.mark.parametrize(
    ("kinds", "deep", "dense"), [(("W", "V"), 4, 3), (("W", "V", "C"), 6, 4), (("V",), 2, 1)]
)
def test_largest_entries_are_of_the_trained_matrices_that_are_averaged(results, kinds, deep, dense):
    """Of a dense network A is one; of the other it is the product W V, which has one of 0.16."""
    way = reading([draw(results.folder)], average_over=kinds)
    one = Draw(results, asked(way), way, way.draws[0], EARLY)
    assert list(one.at("representer", "eq2", 1e-3).largest_entries) == [0.15] * deep
    assert list(one.at("dense", "weight_decay", 1e-3).largest_entries) == [0.15] * dense
    found = rows.tested(BY_ID["max-entry"], asked(way), way, LATE, results)
    assert [row["value"] for row in found] == [0.16, 0.16, 0.15, 0.15]


def test_one_draw_of_ten_does_not_decide(results):
    """Between the second and the ninth of ten: one draw may lie anywhere."""
    bad = draw(results.folder, {(*NONE, 0.0): {"mse": 0.3}})
    assert (
        outcome(results, [*[draw(results.folder)] * 9, bad])["interpolation", 3]["verdict"]
        == "holds"
    )
    two = [*[draw(results.folder)] * 8, bad, bad]
    assert parts(results, two, "interpolation")[2]["verdict"] == "undecided"


def test_zeros_over_zeros_are_equal(results):
    changes = {(*EQ2, 1e-3): {"sparsity": 0.0}, (*DECAY, 1e-3): {"sparsity": 0.0}}
    assert outcome(results, [draw(results.folder, changes)])["eq2-sparser", 1]["value"] == 1
    del changes[*EQ2, 1e-3]
    row = outcome(results, [draw(results.folder, changes)])["eq2-sparser", 1]
    assert (row["value"], row["verdict"]) == (math.inf, "fails")


def test_a_dead_shallow_network_fails(results):
    found = outcome(results, [draw(results.folder, {NARROW: {"distinct": [0]}})] * 6)
    assert found["shallow-neurons", 1]["value"] == math.inf
    assert found["shallow-neurons", 1]["verdict"] == "fails"


# --- what is measured when


def test_a_spike_at_the_last_record_changes_nothing(results):
    """`mse` of every made network is 7 at its last epoch, its median over the last records is not;
    of the sparsity the last record is far off here."""
    ends = {(*NONE, 0.0): 0.0, (*EQ2, 1e-3): 1.0, (*DECAY, 1e-3): 0.0}
    changes = {kind: {"spike": value} for kind, value in ends.items()}
    spikes, calm = (outcome(results, [draw(results.folder, some)] * 6) for some in (changes, {}))
    for claim in ("interpolation", "sparser-over-time", "eq2-sparser", "dense-without"):
        assert spikes[claim, 1] == calm[claim, 1]
        assert spikes[claim, 1]["verdict"] == "holds"


def test_records_before_the_last_twenty_do_not_count(results):
    changes = {(*NONE, 0.0): {"early": 0.0}}
    assert outcome(results, [draw(results.folder, changes)])["dense-without", 1]["value"] == 1


def test_the_epoch_of_the_text(results):
    found = outcome(results, [draw(results.folder)])
    early = {claim.id for claim in CLAIMS if claim.epoch == "fig3"}
    assert early >= {"eq2-rank-one", "rank-order", "fairly-sparse"}
    for (claim, _), row in found.items():
        assert row["epoch"] == (EARLY if claim in early else LATE)


def test_each_epoch_is_read_from_its_own_tables(results):
    """Networks that were trained to one epoch only, with other values at each."""
    early = draw(results.folder, {(*NONE, 0.0): {"epochs": (EARLY,), "sparsity": 0.5}})
    late = draw(results.folder, {(*NONE, 0.0): {"epochs": (LATE,), "sparsity": 0.25}})
    chosen = [one for one in early if one.regularizer == "none" and one.network == "representer"]
    row = outcome(results, [[*late, *chosen]], EARLY)["dense-without", 1]
    assert (row["value"], row["stated"]) == (0.5, False)
    row = outcome(results, [[*chosen, *late]], LATE)["dense-without", 1]
    assert (row["value"], row["stated"]) == (0.25, True)


def test_weights_on_a_spike_of_the_loss_are_no_numbers(results):
    """They are left out, and what the records tell is not: here the error."""
    spike = draw(results.folder, {(*EQ2, 1e-3): {"on_spike": True, "A": {"stable_rank": 9.0}}})
    calm = draw(results.folder)
    found = outcome(results, [calm] * 9 + [spike])
    row = found["eq2-rank-one", 1]
    assert (row["on_spike"], row["diverged"], row["seeds"]) == (1, 0, 10)
    assert math.isnan(row["values"][-1])
    assert (row["value"], row["high"], row["verdict"]) == (1.0, 1.0, "holds")
    assert row["coverage"] == outcome(results, [calm] * 9)["eq2-rank-one", 1]["coverage"]
    assert found["interpolation", 1]["on_spike"] == 0
    alone = outcome(results, [spike])["eq2-rank-one", 1]
    assert math.isnan(alone["value"])
    assert alone["verdict"] == alone["claim_verdict"] == "undecided"
    assert outcome(results, [spike])["width-bound", 1]["on_spike"] == 1, "of neurons too"


def test_the_distance_of_a_number_from_its_limits(results):
    def distance(changes, claim, part):
        return outcome(results, [draw(results.folder, changes)])[claim, part]["distance"]

    assert distance({}, "max-entry", 3) == 0
    far = {network: {"largest": 1.0} for network in BOTH}
    assert distance(far, "max-entry", 3) == pytest.approx(math.log10(5))
    near = {(*EQ2, 1e-3): {"A": {"default_rank": 2}}}
    assert distance(near, "rank-order", 1) == 0.1, "beyond, however little"
    assert distance({(*EQ2, 1e-3): DEAD}, "eq2-rank-one", 2) == 1
    assert distance({NARROW: {"distinct": [0]}}, "shallow-neurons", 1) == 1
    assert distance({(*EQ2, 1e-3): {"on_spike": True}}, "eq2-rank-one", 1) == 1


# --- what is missing


def test_a_screen_tests_statements_by_the_parts_that_it_has(results):
    lacking = [kind for kind in KINDS if kind not in BOTH]
    found = outcome(results, [draw(results.folder, lacking=lacking)], EARLY, partial=True)
    by_claim = {claim: [n for c, n in found if c == claim] for claim, _ in found}
    assert by_claim["max-entry"] == [1, 3]
    assert by_claim["interpolation"] == [1]
    assert by_claim["rank-order"] == [1, 3]
    assert "dense-wd-rank" not in by_claim
    assert {row["claim_verdict"] for row in found.values()} == {"holds"}


def test_a_network_that_was_not_trained_so_far_gives_no_row(results):
    short = draw(results.folder, {(*DECAY, 1e-3): {"epochs": (EARLY,)}})
    late, early = (
        outcome(results, [draw(results.folder), short], epoch) for epoch in (LATE, EARLY)
    )
    need = {"interpolation", "sparser-over-time", "eq2-sparser", "max-entry", "wd-low-rank"}
    assert not need & {claim for claim, _ in late}
    assert need <= {claim for claim, _ in early}
    assert {"dense-without", "width-bound", "eq2-rank-one"} <= {claim for claim, _ in late}
    # dense networks are trained to the early epoch, shallow ones to the late one
    assert not {claim for claim, _ in late} & {"dense-wd-rank", "dense-none-rank", "fairly-sparse"}
    assert "shallow-neurons" not in {claim for claim, _ in early}


@pytest.mark.parametrize(
    ("networks", "claims"),
    [
        ([(*NONE, 0.0)], {"interpolation", "dense-without"}),
        ([(*EQ2, 0.1)], {"interpolation", "sparser-over-time"}),
        (
            [(*EQ2, 1e-3)],
            {"interpolation", "sparser-over-time", "eq2-sparser", "max-entry", "eq2-rank-one",
             "eq2-one-pattern", "rank-order", "fairly-sparse", "width-bound"},
        ),
        ([DENSE_DECAY], {"dense-wd-rank", "rank-order", "fairly-sparse"}),
        ([DENSE_NONE], {"dense-none-rank", "fairly-sparse"}),
        (SHALLOW, {"shallow-neurons"}),
    ],
)  # fmt: skip
def test_statements_without_their_networks_have_no_row(results, networks, claims):
    found = {claim for claim, _ in outcome(results, [draw(results.folder, lacking=networks)])}
    assert {claim.id for claim in CLAIMS} - found == claims


def test_a_width_that_was_not_trained_so_far_gives_no_row(results):
    short = draw(results.folder, {NARROW: {"epochs": (EARLY,)}})
    assert ("shallow-neurons", 1) not in outcome(results, [short], LATE)


def test_a_single_lam_leaves_out_statements_on_smaller_ones(results):
    """With one regularization parameter in figure 2 there is no largest among others."""
    found = outcome(results, [draw(results.folder)], lams=(1e-3,))
    claims = {claim for claim, _ in found}
    assert {"dense-without", "sparser-over-time", "eq2-rank-one"} <= claims
    assert not {"interpolation", "eq2-sparser", "max-entry"} & claims


def test_a_network_that_begins_without_entries_above_the_threshold(results):
    found = outcome(results, [draw(results.folder, {(*EQ2, 0.1): {"initial": 0.0}})])
    assert found["sparser-over-time", 1]["verdict"] == "fails"
