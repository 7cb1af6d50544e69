"""`sparsedecay findings`: every number and every verdict in words comes from the tables."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pyarrow as pa
import pytest

from sparsedecay.claims import command, findings, markdown
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.errors import UserError
from sparsedecay.files import html
from sparsedecay.files.paths import benchmark
from sparsedecay.files.storage import write_table
from tests.claims.made import EARLY, EQ2, LATE, NONE, asked, draw, reading, table
from tests.small import written

ALL = len(CLAIMS)
TITLES = {
    "literal": "the text",
    "sum": "loss summed",
    "adam": "decay in Adam",
    "batches": "three batches",
}


LOST = {"interpolation": "fails"}
BY_ID = {claim.id: claim for claim in CLAIMS}
STATED = {claim.id: EARLY if claim.epoch == "fig3" else LATE for claim in CLAIMS}


def literal(verdicts=None, draws=10) -> pd.DataFrame:
    """The table `claims`: verdicts of the literal reading by claim, or by claim and epoch."""
    keys = {k: k if isinstance(k, tuple) else (k, STATED[k]) for k in verdicts or {}}
    by_epoch = {("literal", *keys[k]): verdict for k, verdict in (verdicts or {}).items()}
    return table(by_epoch, {"literal": draws}, TITLES)


def readings(names=("literal", "sum", "adam"), titles=None, draws=2, **verdicts) -> pd.DataFrame:
    """The table `readings`; `verdicts`: by reading {claim: verdict}."""
    flat = {(name, c, STATED[c]): v for name, some in verdicts.items() for c, v in some.items()}
    found = table(flat, dict.fromkeys(names, draws), TITLES | (titles or {}))
    return found.assign(distance=(found["verdict"] != "holds") * 0.5)


def paragraphs(text: str) -> dict[str, str]:
    """What stands below each heading."""
    pieces = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {head: body.strip() for head, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def below(head: str, *tables: pd.DataFrame) -> str:
    return paragraphs(findings.text(*tables))[head]


def cells(text: str) -> list[list[str]]:
    """The rows of the tables in a text, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows[1:] if set("".join(row)) != {"-"}]


SUMMARY, READINGS, APPENDIX = (
    "Does it replicate?",
    "Readings of the text",
    "Appendix: all numbers of the literal reading",
)
TOLD = ALL - 1
"""Statements that are counted: the bound of Theorem 1 is not."""


def group_of(claim: str, *tables: pd.DataFrame) -> str:
    """The heading below which a statement stands."""
    quote = f"“{BY_ID[claim].quote}” ({BY_ID[claim].place})"
    found = [head for head, body in paragraphs(findings.text(*tables)).items() if quote in body]
    assert len(found) == 1
    return found[0]


# --- the main result


def test_the_main_result_in_two_sentences():
    lost = {"interpolation": "fails", "eq2-rank-one": "fails", "max-entry": "undecided"}
    claims = literal({**lost, ("eq2-rank-one", LATE): "holds"})
    told = below(SUMMARY, claims, readings(literal=lost, sum=lost, adam={"max-entry": "fails"}))
    assert told.startswith("Read literally and trained from 10 draws (98 % intervals), ")
    assert f"**{TOLD - 3} of {TOLD} statements of the paper replicate**" in told
    # the one at another epoch, the other in the reading `adam`
    assert ", 2 more at another epoch or under another reading" in told
    assert "0 do not, and 1 cannot be decided." in told
    assert "each trained from 2 draws, *decay in Adam* comes closest" in told
    assert f"with {TOLD - 1} of {TOLD} statements and a distance of {0.5 / TOLD:.2f}, " in told
    assert f"against {TOLD - 3} and {1.5 / TOLD:.2f} of the literal one" in told
    assert "could explain what the paper shows" in told
    assert told.count(". ") == 1


def test_the_literal_reading_may_be_the_closest():
    told = below(SUMMARY, literal(), readings(sum={"interpolation": "fails"}))
    assert f"**{TOLD} of {TOLD} statements" in told
    assert told.endswith("No other reading comes closer to what the paper reports.")


def test_a_single_draw_has_no_interval():
    claims = literal(draws=1)
    assert "trained from 1 draw, **" in below(SUMMARY, claims, readings())
    medians = [row[3] for row in cells(below(APPENDIX, claims, readings()))]
    assert medians == [f"{value:.3g}" for value in claims["value"]]


# --- a row for each sentence


@pytest.mark.parametrize(
    ("verdicts", "ways", "head"),
    [
        ({}, {}, "Replicates"),
        ({"interpolation": "fails", ("interpolation", EARLY): "holds"}, {}, "Replicates later"),
        ({"interpolation": "undecided"}, {"sum": {}}, "Replicates later"),
        (LOST, {"sum": LOST, "adam": LOST}, "Does not replicate"),
        (
            {"interpolation": "undecided"},
            {"sum": LOST, "adam": {"interpolation": "undecided"}},
            "Cannot be decided",
        ),
    ],
)
def test_the_group_of_a_sentence(verdicts, ways, head):
    others = readings(literal=LOST if verdicts else {}, **ways)
    if head.startswith("Replicates later"):
        others = others[(others["reading"] != "adam") | (others["claim"] != "interpolation")]
        if "sum" not in ways:
            others = others[others["claim"] != "interpolation"]
    assert group_of("interpolation", literal(verdicts), others).startswith(head)


def test_each_statement_stands_in_one_group_but_the_theorems():
    text = findings.text(literal({"max-entry": "fails"}), readings(literal={"max-entry": "fails"}))
    for claim in CLAIMS:
        assert text.count(f"“{claim.quote}”") == claim.counted


def row_of(claim: str, *tables: pd.DataFrame) -> list[str]:
    text = findings.text(*tables)
    (row,) = (row for row in cells(text) if row[0].startswith(f"“{BY_ID[claim].quote}”"))
    return row


def test_a_row_tells_value_range_epochs_and_what_changes_it():
    claims = literal({"max-entry": "fails", ("max-entry", EARLY): "holds"})
    place = claims.index[(claims["claim"] == "max-entry") & claims["stated"]][0]
    claims.at[place, "values"] = [0.5, 0.25, float("nan"), None, 0.75]
    claims.loc[place, ["value", "on_spike", "diverged"]] = [0.5, 1, 1]
    found = readings(literal={"max-entry": "fails"}, sum={"max-entry": "fails"})
    _, value, ours, since, changes = row_of("max-entry", claims, found)
    assert value == "0.1 to 0.2"
    assert ours == (
        "largest entry of A, middle lam: 0.5 (0.25 to 0.75; 1 of 10 diverged; 1 of 10 on a spike "
        "of the loss), at 200"
    )
    assert since == "–", "at 50 it holds, and no more at 200"
    assert changes == "holds with epoch 50 and `adam`"


@pytest.mark.parametrize(
    ("verdicts", "since"),
    [
        ({}, "tested at 200 only"),
        ({("interpolation", EARLY): "fails"}, "200"),
        ({("interpolation", EARLY): "holds"}, "50"),
        (LOST | {("interpolation", EARLY): "holds"}, "–"),
    ],
)
def test_from_which_epoch_on_a_statement_holds(verdicts, since):
    assert row_of("interpolation", literal(verdicts), readings())[3] == since


def test_a_statement_that_nothing_changes_and_one_that_a_reading_loses():
    others = readings(sum={"interpolation": "undecided"})
    assert row_of("interpolation", literal(), others)[4] == "fails or is undecided with `sum`"
    assert row_of("max-entry", literal(), others)[4] == "nothing that was tried"


def test_draws_that_diverged_are_told():
    claims = literal()
    assert "diverged" not in findings.text(claims, readings())
    place = claims.index[(claims["claim"] == "max-entry") & claims["stated"]][0]
    claims.loc[place, ["diverged", "value", "high"]] = [4, float("nan"), float("nan")]
    low = markdown.plain(claims.loc[place, "low"])
    text = findings.text(claims, readings())
    words = "which 1 statement needs: their draws, up to 4 of 10, count against these."
    assert words in paragraphs(text)[SUMMARY]
    assert f"| no number ({low} to no number; 4 of 10 diverged) |" in text


# --- readings


def test_readings_stand_by_their_distance():
    lost = {"interpolation": "fails", "max-entry": "fails"}
    found = readings(literal=lost, sum={"max-entry": "fails"}, adam=lost | {"rank-order": "fails"})
    rows = cells(below(READINGS, literal(lost), found))
    assert [row[0] for row in rows] == [
        "loss summed (`sum`)", "the text (`literal`)", "decay in Adam (`adam`)",
    ]  # fmt: skip
    assert [row[1] for row in rows] == [f"{n * 0.5 / TOLD:.3f}" for n in (1, 2, 3)]
    assert [row[2] for row in rows] == [f"{TOLD - n} of {TOLD}" for n in (1, 2, 3)]
    assert [row[3:] for row in rows] == [
        ["`interpolation`", "–"], ["–", "–"], ["–", "`rank-order`"],
    ]  # fmt: skip
    assert "was read in 2 other ways, each trained from 2 draws" in below(
        READINGS, literal(lost), found
    )


# --- numbers


def test_the_appendix_has_every_number_of_the_table():
    claims = literal({"wd-low-rank": "fails", ("wd-low-rank", LATE): "undecided"})
    rows = cells(below(APPENDIX, claims, readings()))
    stated = claims[claims["stated"]]
    assert len(rows) == len(stated)
    for cell, (_, row) in zip(rows, stated.iterrows(), strict=True):
        assert cell[0] == (f"`{row['claim']}`" if row["part"] == 1 else "")
        assert cell[1:3] == [row["quantity"], f"{row['epoch']}"]
        assert cell[3] == f"{row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g})"
        assert cell[5].endswith(row["verdict"])
        others = claims[(claims["claim"] == row["claim"]) & (claims["part"] == row["part"])]
        others = others[~others["stated"]]
        expected = [f"{o['value']:.3g} at 200 ({o['verdict']})" for _, o in others.iterrows()]
        assert cell[6] == ("; ".join(expected) or "–")
    by_quantity = {cell[1]: cell[4] for cell in rows}
    assert by_quantity["largest MSE / mean square of targets, middle lam"] == "at most 0.05"
    assert by_quantity["rank of A, dense network with weight decay"] == "600 to 900"
    assert by_quantity["average sparsity without regularizer"] == "at least 0.9"
    assert by_quantity["sparsity with eq. 2 / with weight decay, middle lam"] == "< 1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (2.0, "2"),
        (1296.0, "1296"),
        (0.0125, "0.0125"),
        (0.98765, "0.988"),
        (1.5e-7, "1.5e-07"),
        (float("inf"), "inf"),
        (float("nan"), "no number"),
    ],
)
def test_numbers_in_plain_text(value, text):
    """A ratio to a network without a neuron is infinite; a draw that diverged has no number."""
    assert markdown.plain(value) == text


# --- pages


class Tags(HTMLParser):
    """Which elements a page has; fails where they are not nested."""

    def __init__(self, page: str):
        super().__init__()
        self.open, self.seen, self.text = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


EVIL = "<script>alert(1)</script> & <b>bold"


def test_a_page_is_well_formed_and_shows_what_it_is_given():
    lost = {"interpolation": "fails"}
    found = readings(literal=lost, titles={"sum": EVIL})
    page = html.page(html.fragment(findings.text(literal(lost), found)), "Does it replicate?")
    tags = Tags(page)
    assert "script" not in tags.seen
    assert "b" not in tags.seen
    assert EVIL in "".join(tags.text)
    assert tags.seen.count("table") == 4, "two groups, readings, appendix"
    assert tags.seen.count("h1") == 1
    assert tags.seen[:3] == ["html", "head", "meta"]
    assert "://" not in page, "it needs nothing but itself"
    assert "script" not in Tags(html.page("Text", "</title>" + EVIL)).seen
    found = findings.of_readings(readings(titles={"sum": "loss | summed"}))
    assert "<td>loss | summed (<code>sum</code>)</td>" in html.fragment(found), "in its cell"


# --- the command


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Results with both tables and what training leaves behind."""
    folder = tmp_path_factory.mktemp("project") / "results"
    draws = [draw(folder), draw(folder, {(*NONE, 0.0): {"mse": 0.3}})]
    bad = draw(folder, {(*EQ2, 1e-3): {"A": {"stable_rank": 1.9}}})
    tables = {
        "claims": [reading(draws)],
        "readings": [reading(draws[:1]), reading([bad], "evil", EVIL)],
    }
    for name, some in tables.items():
        out = folder / "claims" / f"{name}.parquet"
        request = written(folder / "requests" / f"{name}.json", asked(*some))
        command.main(["--request", request, "--out", str(out), "--results", str(folder)])
    about = {"engine": "compiled", "cpu": "avx2", "versions": json.dumps({"torch": "2.13"})}
    for one in draws[0]:
        write_table(folder / "train" / one.run / str(LATE) / "loss.parquet", pa.table({}), about)
    log = folder.parent / benchmark("train", draws[0][0].run, LATE)
    log.parent.mkdir(parents=True)
    log.write_text(json.dumps({"s": 7200.0, "max_rss": 123.0}) + "\n")
    return folder.parent


def main(project, out, **changes):
    options = {
        "claims": project / "results/claims/claims.parquet",
        "readings": project / "results/claims/readings.parquet",
        "out": out,
        "config": json.dumps({"data": {"levels": [0, 0.5, 1]}}),
        "results": project / "results",
    } | changes
    findings.main([text for name, value in options.items() for text in (f"--{name}", str(value))])


def test_the_command_writes_text_and_pages(project, tmp_path):
    main(project, tmp_path)
    names = ["findings.html", "findings.md", "method.html", "verdict.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in ("findings.html", "method.html", "verdict.html"):
        assert "script" not in Tags((tmp_path / name).read_text(encoding="utf-8")).seen
    told = (tmp_path / "findings.md").read_text(encoding="utf-8")
    assert f"**{TOLD - 1} of {TOLD} statements of the paper replicate**" in told
    assert "No other reading comes closer" in told
    again = tmp_path / "again"
    main(project, again)
    for name in names:
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_the_method_names_tests_engines_and_times(project, tmp_path):
    main(project, tmp_path)
    text = " ".join("".join(Tags((tmp_path / "method.html").read_text()).text).split())
    for claim in CLAIMS:
        assert claim.quote in text
        assert claim.parts[0].why in text
    assert "compiled avx2 torch 2.13 11" in text
    assert "representer, 2 hidden layers 1 2.00 h 7200 s 123 MB" in text
    assert "levels: [0, 0.5, 1]" in text


@pytest.mark.parametrize("table", ["claims", "readings"])
@pytest.mark.parametrize(("content", "told"), [(None, "no such file"), (b"PAR1", "is damaged")])
def test_a_missing_or_damaged_table_is_named(project, tmp_path, table, content, told):
    file = tmp_path / f"{table}.parquet"
    if content:
        file.write_bytes(content)
    with pytest.raises(UserError, match=f"^{re.escape(str(file))}: {told}"):
        main(project, tmp_path / "out", **{table: file})
    assert not (tmp_path / "out").exists()


def test_results_without_training_are_told(project, tmp_path):
    with pytest.raises(UserError, match="train: holds none of the runs"):
        main(project, tmp_path / "out", results=tmp_path)
