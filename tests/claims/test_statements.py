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


# a network has four of the sixteen matrices whose largest entries are compared: three networks
# move the median
THREE = [(*EQ2, 1e-3), (*DECAY, 1e-5), (*EQ2, 1e-5)]
NARROW = SHALLOW[0]
BY_ID = {claim.id: claim for claim in CLAIMS}
CASES = [
    # MSE over the targets' mean square, 0.5: at most 1 % for each small lam and none
    *(
        Case("interpolation", 1, [network], {"mse": 0.005}, 0.01, {"mse": 0.006}, 0.012)
        for network in ((*NONE, 0.0), (*EQ2, 1e-5), (*EQ2, 1e-3), (*DECAY, 1e-5), (*DECAY, 1e-3))
    ),
    # at least 10 % for the largest
    Case("interpolation", 2, [(*EQ2, 0.1)], {"mse": 0.05}, 0.1, {"mse": 0.04}, 0.08),
    Case("interpolation", 2, [(*DECAY, 0.1)], {"mse": 0.3}, 0.6, {"mse": 0.0}, 0.0),
    *(
        Case("sparser-over-time", 1, [network], {"sparsity": 0.5}, 0.5, {"sparsity": 1.0}, 1)
        for network in ((*EQ2, 0.1), (*DECAY, 0.1))
    ),
    Case("sparser-over-time", 1, [(*DECAY, 1e-5)],
         {"sparsity": 0.5, "initial": 0.625}, 0.8, {"sparsity": 0.5, "initial": 0.5}, 1.0),
    # weight decay has 0.5
    *(
        Case("eq2-sparser", 1, [(*EQ2, lam)], {"sparsity": 0.4375}, 0.875, {"sparsity": 0.5}, 1.0)
        for lam in (1e-3, 1e-5)
    ),
    Case("eq2-sparser", 1, [(*DECAY, 1e-3)], {"sparsity": 1.0}, 0.5, {"sparsity": 0.125}, 2.0),
    Case("dense-without", 1, [(*NONE, 0.0)], {"sparsity": 0.9375}, 0.9375, {"sparsity": 0.875},
         0.875),
    *(
        Case("max-entry", 1, THREE, {"largest": held}, held, {"largest": failed}, failed)
        for held, failed in ((0.1, 0.09), (0.2, 0.21))
    ),
    Case("eq2-rank-one", 1, [(*EQ2, 1e-3)], {"A": {"stable_rank": 1.1}}, 1.1,
         {"A": {"stable_rank": 1.25}}, 1.25),
    Case("wd-low-rank", 1, [(*DECAY, 1e-3)], {"A": {"rank": 4}}, 4, {"A": {"rank": 5}}, 5),
    Case("wd-low-rank", 2, [(*DECAY, 1e-3)], {"linear_nodes": 4}, 2, {"linear_nodes": 3}, 1.5),
    Case("dense-wd-rank", 1, [DENSE_DECAY], {"A": {"rank": 675}}, 675, {"A": {"rank": 674}}, 674),
    Case("dense-wd-rank", 1, [DENSE_DECAY], {"A": {"rank": 825}}, 825, {"A": {"rank": 900}}, 900),
    # of 1000 rows and 2000 columns
    Case("dense-none-rank", 1, [DENSE_NONE], {"A": {"rank": 990}}, 0.99,
         {"A": {"rank": 980}}, 0.98),
    *(
        Case("fairly-sparse", 1, [network], {"A": {"sparsity": 0.5}}, 0.5,
             {"A": {"sparsity": 0.625}}, 0.625)
        for network in ((*EQ2, 1e-3), (*DECAY, 1e-3), DENSE_DECAY)
    ),
    Case("fairly-sparse", 2, [DENSE_NONE], {"A": {"sparsity": 0.9375}}, 0.9375,
         {"A": {"sparsity": 0.875}}, 0.875),
    # 10 data points
    Case("shallow-neurons", 1, SHALLOW, {"active": [20]}, 2, {"active": [21]}, 2.1),
    Case("shallow-neurons", 1, SHALLOW, {"active": [5]}, 0.5, {"active": [4]}, 0.4),
    Case("shallow-distinct", 1, SHALLOW, {"distinct": [20]}, 2, {"distinct": [21]}, 2.1),
    Case("shallow-distinct", 1, SHALLOW, {"distinct": [5]}, 0.5, {"distinct": [4]}, 0.4),
    # the other width has 12 active and 9 distinct neurons
    *(
        case
        for network in SHALLOW
        for case in (
            Case("shallow-neurons", 2, [network], {"active": [18]}, 1.5, {"active": [19]}, 19 / 12),
            Case("shallow-neurons", 2, [network], {"active": [8]}, 1.5, {"active": [6]}, 2),
            Case("shallow-distinct", 2, [network], {"distinct": [6]}, 1.5, {"distinct": [5]}, 1.8),
        )
    ),
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
    words = "interpolation sparser-over-time eq2-sparser dense-without max-entry eq2-rank-one"
    words += " wd-low-rank dense-wd-rank dense-none-rank fairly-sparse shallow-neurons width-bound"
    assert set(words.split()) <= set(ids)


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


def test_one_network_does_not_move_the_typical_largest_entry(results):
    """Nor do skip connections and the product W V, which are not averaged."""
    row = outcome(results, [draw(results.folder, {THREE[0]: {"largest": 3.0}})])["max-entry", 1]
    assert row["value"] == 0.15


@pytest.mark.parametrize(
    ("kinds", "deep", "dense"), [(("W", "V"), 4, 3), (("W", "V", "C"), 6, 4), (("V",), 2, 1)]
)
def test_largest_entries_are_of_the_trained_matrices_that_are_averaged(results, kinds, deep, dense):
    """Of a dense network A is one; of the other it is the product W V, which has one of 9."""
    way = reading([draw(results.folder)], average_over=kinds)
    one = Draw(results, asked(way), way, way.draws[0], EARLY)
    assert list(one.at("representer", "eq2", 1e-3).largest_entries) == [0.15] * deep
    assert list(one.at("dense", "weight_decay", 1e-3).largest_entries) == [0.15] * dense
    assert {
        row["value"] for row in rows.tested(BY_ID["max-entry"], asked(way), way, LATE, results)
    } == {0.15}


def test_one_draw_of_ten_does_not_decide(results):
    """Between the second and the ninth of ten: one draw may lie anywhere."""
    bad = draw(results.folder, {(*NONE, 0.0): {"mse": 0.3}})
    assert (
        outcome(results, [*[draw(results.folder)] * 9, bad])["interpolation", 1]["verdict"]
        == "holds"
    )
    two = [*[draw(results.folder)] * 8, bad, bad]
    assert parts(results, two, "interpolation")[0]["verdict"] == "undecided"


def test_zeros_over_zeros_are_equal(results):
    changes = {(*EQ2, 1e-3): {"sparsity": 0.0}, (*DECAY, 1e-3): {"sparsity": 0.0}}
    assert outcome(results, [draw(results.folder, changes)])["eq2-sparser", 1]["value"] == 1
    del changes[*EQ2, 1e-3]
    row = outcome(results, [draw(results.folder, changes)])["eq2-sparser", 1]
    assert (row["value"], row["verdict"]) == (math.inf, "fails")


def test_a_dead_shallow_network_fails(results):
    found = outcome(results, [draw(results.folder, {NARROW: {"active": [0]}})] * 6)
    assert found["shallow-neurons", 1]["value"] == 0
    assert found["shallow-neurons", 2]["value"] == math.inf
    assert found["shallow-neurons", 2]["verdict"] == "fails"


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
    early = {"eq2-rank-one", "wd-low-rank", "dense-wd-rank", "dense-none-rank", "fairly-sparse"}
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


# --- what is missing


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
    assert not {claim for claim, _ in early} & {"shallow-neurons", "shallow-distinct"}


@pytest.mark.parametrize(
    ("networks", "claims"),
    [
        ([(*NONE, 0.0)], {"interpolation", "dense-without"}),
        ([(*EQ2, 0.1)], {"interpolation", "sparser-over-time"}),
        (
            [(*EQ2, 1e-3)],
            {"interpolation", "sparser-over-time", "eq2-sparser", "max-entry", "eq2-rank-one",
             "fairly-sparse", "width-bound"},
        ),
        ([DENSE_DECAY], {"dense-wd-rank", "fairly-sparse"}),
        ([DENSE_NONE], {"dense-none-rank", "fairly-sparse"}),
        (SHALLOW, {"shallow-neurons", "shallow-distinct"}),
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
