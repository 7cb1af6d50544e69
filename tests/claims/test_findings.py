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

WORDS = {claim.id: claim.statement for claim in CLAIMS}
ALL = len(CLAIMS)
TITLES = {
    "literal": "the text",
    "sum": "loss summed",
    "adam": "decay in Adam",
    "batches": "three batches",
}


STATED = {claim.id: EARLY if claim.epoch == "fig3" else LATE for claim in CLAIMS}


def literal(verdicts=None, draws=10) -> pd.DataFrame:
    """The table `claims`: verdicts of the literal reading by claim, or by claim and epoch."""
    keys = {k: k if isinstance(k, tuple) else (k, STATED[k]) for k in verdicts or {}}
    by_epoch = {("literal", *keys[k]): verdict for k, verdict in (verdicts or {}).items()}
    return table(by_epoch, {"literal": draws}, TITLES)


def readings(names=("literal", "sum", "adam"), titles=None, draws=2, **verdicts) -> pd.DataFrame:
    """The table `readings`; `verdicts`: by reading {claim: verdict}."""
    flat = {(name, c, STATED[c]): v for name, some in verdicts.items() for c, v in some.items()}
    return table(flat, dict.fromkeys(names, draws), TITLES | (titles or {}))


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


SUMMARY, READINGS, DIFFERENT = (
    "Does it replicate?",
    "Readings of the text",
    "What must have been different",
)

# --- the literal reading


def test_the_counts():
    claims = literal({"interpolation": "fails", "eq2-rank-one": "fails", "max-entry": "undecided"})
    told = below(SUMMARY, claims, readings()).splitlines()[0]
    assert f"**{ALL - 3} of {ALL} statements hold**, 2 fail, and 1 is undecided." in told
    assert "trained from 10 draws (" in told
    assert "(98 % intervals)" in told
    assert f"What fails: {WORDS['interpolation']}; {WORDS['eq2-rank-one']}." in told
    assert told.endswith(f"Undecided: {WORDS['max-entry']}.")


def test_all_hold_and_none_does():
    told = below(SUMMARY, literal(), readings())
    assert f"**{ALL} of {ALL} statements hold**, 0 fail, and 0 are undecided." in told
    assert "What fails" not in told
    assert "Undecided:" not in told
    told = below(SUMMARY, literal(dict.fromkeys(WORDS, "fails")), readings())
    assert f"**0 of {ALL} statements hold**, {ALL} fail, and 0 are undecided." in told
    for words in WORDS.values():
        assert words in told


def test_a_single_draw_has_no_interval():
    claims = literal(draws=1)
    told = below(SUMMARY, claims, readings())
    assert "trained from 1 draw, and" in told
    assert "interval" not in told.splitlines()[0]
    medians = [row[3] for row in cells(told)]
    assert medians == [f"{value:.3g}" for value in claims["value"]]


def test_statements_that_change_at_another_epoch():
    claims = literal(
        {
            "interpolation": "fails",
            ("interpolation", EARLY): "holds",
            ("dense-without", EARLY): "fails",
            ("max-entry", EARLY): "fails",
            ("eq2-sparser", EARLY): "holds",  # as at its own
            "width-bound": "fails",
            ("width-bound", EARLY): "undecided",  # says nothing
            ("wd-low-rank", LATE): "fails",
        }
    )
    told = below(SUMMARY, claims, readings())
    assert "At epoch 50 instead, `interpolation` holds." in told
    assert "At epoch 50 instead, `dense-without` and `max-entry` fail." in told
    assert "At epoch 200 instead, `wd-low-rank` fails." in told
    assert told.count("instead") == 3


def test_nothing_changes_at_another_epoch():
    told = below(SUMMARY, literal({("interpolation", EARLY): "holds"}), readings())
    assert "instead" not in told


def test_the_table_of_numbers():
    claims = literal({"wd-low-rank": "fails", ("wd-low-rank", LATE): "undecided"})
    rows = cells(below(SUMMARY, claims, readings()))
    stated = claims[claims["stated"]]
    assert len(rows) == len(stated)
    for cell, (_, row) in zip(rows, stated.iterrows(), strict=True):
        first = row["part"] == 1
        assert cell[0] == (f"{row['statement']} (`{row['claim']}`)" if first else "")
        assert cell[1] == (f"{row['epoch']}" if first else "")
        assert cell[2] == row["quantity"]
        assert cell[3] == f"{row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g})"
        assert cell[5].endswith(row["verdict"])
        others = claims[(claims["claim"] == row["claim"]) & (claims["part"] == row["part"])]
        others = others[~others["stated"]]
        expected = [f"{o['value']:.3g} at 200 ({o['verdict']})" for _, o in others.iterrows()]
        assert cell[6] == ("; ".join(expected) or "–")
    by_quantity = {cell[2]: cell[4] for cell in rows}
    assert by_quantity["largest MSE / mean square of targets, smaller lam and none"] == (
        "at most 0.01"
    )
    assert by_quantity["rank of A, dense network with weight decay"] == "675 to 825"
    assert by_quantity["average sparsity without regularizer"] == "at least 0.9"
    assert by_quantity["largest sparsity with eq. 2 / with weight decay, smaller lam"] == "< 1"


# --- readings

LOST = {"interpolation": "fails"}
THREE = LOST | {"max-entry": "fails", "wd-low-rank": "fails"}
FOUR = dict.fromkeys(("interpolation", "max-entry", "eq2-rank-one", "width-bound"), "fails")
GIVEN = f"- {WORDS['interpolation']} (`interpolation`): given by "
NONE_MORE = f"None gives more statements than the literal reading, which gives {ALL - 1} of {ALL}."


@pytest.mark.parametrize(
    ("lost", "others", "told", "untold"),
    [
        (
            THREE,
            {"sum": {"max-entry": "fails"}, "adam": THREE | {"eq2-sparser": "fails"}},
            [
                "was read in 2 other ways, each trained from 2 draws.",
                f"Closest to all statements at once comes *loss summed*, with {ALL - 1} of {ALL}; "
                f"the literal reading gives {ALL - 3}.",
                f"| the text | {ALL - 3} | – | – |",
                f"| loss summed | {ALL - 1} | `interpolation`, `wd-low-rank` | – |",
                f"| decay in Adam | {ALL - 4} | – | `eq2-sparser` |",
            ],
            ["None gives more"],
        ),
        (
            LOST | {"max-entry": "undecided"},
            {"sum": {"max-entry": "fails"}, "adam": LOST},
            ["Closest to all statements at once come *loss summed* and *decay in Adam*, with"],
            [],
        ),
        (
            LOST,
            {"sum": {"max-entry": "fails"}, "adam": LOST | {"max-entry": "fails"}},
            [NONE_MORE, f"| loss summed | {ALL - 1} | `interpolation` | `max-entry` |"],
            ["Closest"],
        ),
    ],
    ids=["one", "two alike", "none"],
)
def test_the_reading_that_gives_most(lost, others, told, untold):
    text = below(READINGS, literal(lost), readings(literal=lost, **others))
    assert all(words in text for words in told)
    assert not any(words in text for words in untold)


@pytest.mark.parametrize(
    ("lost", "others", "told", "untold"),
    [
        (
            FOUR,
            {
                "sum": {k: v for k, v in FOUR.items() if k != "interpolation"}
                | {"eq2-rank-one": "undecided"},
                "adam": {"eq2-rank-one": "fails", "width-bound": "fails"},
                "batches": FOUR | {"dense-without": "fails"},
            },
            [
                f"{GIVEN}*decay in Adam* and *loss summed*",
                f"- {WORDS['max-entry']} (`max-entry`): given by *decay in Adam*",
                "No reading gives `eq2-rank-one` and `width-bound` at the epoch",
                "No single reading gives all statements at once",
            ],
            ["dense-without"],  # the literal reading gives it
        ),
        (LOST, {"adam": LOST}, [f"{GIVEN}*loss summed*"], ["No reading", "No single reading"]),
        (
            LOST,
            {"sum": LOST, "adam": LOST},
            ["No reading gives `interpolation` at the epoch"],
            ["given by"],
        ),
        ({"interpolation": "undecided"}, {}, ["`interpolation`"], ["fail"]),
    ],
    ids=["some", "all", "none", "undecided is no failure"],
)
def test_what_gives_each_statement(lost, others, told, untold):
    found = readings(("literal", "sum", "adam", *others.keys() - {"sum", "adam"}),
                     literal=lost, **others)  # fmt: skip
    text = below(DIFFERENT, literal(lost), found)
    assert all(words in text for words in told), text
    assert not any(words in text for words in untold), text


# --- numbers


def numbers(text: str) -> list[str]:
    return re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?", text)


def test_every_number_stands_in_the_tables():
    lost = {"interpolation": "fails", "max-entry": "undecided", "wd-low-rank": "fails"}
    claims = literal({**lost, ("interpolation", EARLY): "holds", ("wd-low-rank", LATE): "holds"})
    found = readings(literal=lost, sum={"max-entry": "fails"}, adam=lost)
    text = findings.text(claims, found)
    # the paper's words and the names of things have numbers of their own
    for frame in (claims, found):
        for column in ("statement", "quantity", "title", "claim"):
            for words in sorted(set(frame[column]), key=len, reverse=True):
                text = text.replace(words, "")
    columns = ("value", "low", "high", "limit_low", "limit_high", "epoch", "seeds")
    inside = {f"{value:.3g}" for name in columns for value in claims[name].dropna()}
    inside |= {f"{value:.0f}" for value in found["seeds"]}
    coverage = {f"{100 * value:.0f}" for value in claims["coverage"]}
    counts = [f"{ALL - 3}", f"{ALL}", "2", "1"]  # hold, of, fail, undecided
    told = numbers(text)
    assert len(told) > 60
    assert set(told) <= inside | coverage | {*counts, f"{ALL - 1}"}
    assert numbers(text.split("What fails")[0]) == [
        "10", "98", counts[0], counts[1], counts[2], counts[3],
    ]  # fmt: skip


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
        (float("nan"), "diverged"),
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
    assert tags.seen.count("table") == 2
    assert tags.seen.count("h1") == 1
    assert tags.seen[:3] == ["html", "head", "meta"]
    assert "://" not in page, "it needs nothing but itself"
    assert "script" not in Tags(html.page("Text", "</title>" + EVIL)).seen
    found = findings.table_of_readings(readings(titles={"sum": "loss | summed"}))
    assert "<td>loss | summed</td>" in html.fragment(found), "in its cell"


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
    assert f"**{ALL - 1} of {ALL} statements hold**, 0 fail, and 1 is undecided." in told
    assert "None gives more statements than the literal reading" in told
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


def test_draws_that_diverged_are_told():
    claims = literal()
    assert "diverged" not in findings.text(claims, readings())
    place = claims.index[(claims["claim"] == "max-entry") & claims["stated"]][0]
    claims.loc[place, ["diverged", "value", "high"]] = [4, float("nan"), float("nan")]
    low = markdown.plain(claims.loc[place, "low"])
    text = findings.text(claims, readings())
    assert (
        "Networks diverged, which 1 statement needs: their draws, up to 4 of 10, count against "
        "these." in paragraphs(text)["Does it replicate?"]
    )
    assert f"| diverged ({low} to diverged; 4 of 10 diverged) |" in text
    claims.loc[claims["claim"] == "dense-without", "diverged"] = 2
    assert "diverged, which 2 statements need: their draws, up to 4 of" in findings.text(
        claims, readings()
    )
