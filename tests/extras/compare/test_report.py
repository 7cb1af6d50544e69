"""What the report says, as text, Markdown and HTML."""

import base64
import re
import shutil
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sparsedecay.extras.compare.writers import WIDTH
from tests.extras.compare.made import claims, figure, milestone
from tests.small import small_run


@pytest.fixture
def different(projects):
    """Sides with replicates that differ, one pair that does not, and rows of one side only."""
    one, two = projects
    for seed in range(3):
        milestone(one, small_run(seed=seed), mse_tail_median=0.1 + seed / 100, rank=3)
        milestone(two, small_run(seed=seed, K=8), mse_tail_median=0.2 + seed, rank=1)
    milestone(one, small_run(regularizer="none", lam=0.0))
    milestone(two, small_run(regularizer="none", lam=0.0, K=8))
    milestone(one, small_run("dense"))
    milestone(two, small_run(lam=0.5, K=8))
    for name in ("fig1.png", "fig2.png", "fig3.pdf"):
        figure(one, name, b"one")
    for name, content in (("fig1.png", b"one"), ("fig2.png", b"two"), ("fig4.svg", b"two")):
        figure(two, name, content)
    return one, two


def test_equal_sides_have_no_difference(projects, compare, status):
    for project in projects:
        milestone(project, small_run(), mse_tail_median=float("nan"))
        figure(project, "fig2.pdf")
    said = compare(*projects)
    assert "No difference: 1 row of measures and 1 figure are the same on both sides." in said
    assert "Measures" not in said
    assert status(*projects) == 0
    assert "mse_tail_median" in compare(*projects, "--all")


def test_the_verdict_stands_first_and_the_rest_is_told_once(different, compare, status):
    said = compare(*different)
    verdict = said.split("\n\n")[1].replace("\n", " ")
    assert verdict.startswith(
        "Different: 1 parameter, measures in 1 of 2 rows, 1 row only in A, 1 row only in B, 3 of 4"
    )
    assert re.search(r"parameter +A +B\n.*\n +K +6 +8\n\n", said)
    assert "lam  0.001" not in said
    _, first, second = re.split("Only in [AB]\n", said)
    assert re.search(r"dense +eq2 +0.001 +40 +0.25 +0.5 +3\n", first)
    assert re.search(r"representer +eq2 +0.5 +40 +0.25 +0.5 +3\n", second)
    assert status(*different) == 1


def test_replicates_are_told_by_median_and_spread(different, compare):
    said, everything = compare(*different), compare(*different, "--all")
    assert "representer, eq2, lam 0.001, epoch 40" in said
    assert re.search(r"measure +A, 3 seeds +B, 3 seeds +B − A +beyond spread\n", said)
    pattern = r"mse_tail_median +0.11 \(0.1–0.12\) +1.2 \(0.2–2.2\) +\+1.09 \(×10.9\) +no\n"
    assert re.search(pattern, said)
    assert re.search(r"A2 rank +3 +1 +-2 +yes\n", said)
    assert re.search(r"representer +eq2 +0.001 +40 +3 +0.11 → 1.2 +0.5 +3 → 1\n", said)
    equal = r"active_neurons 2 +4 +4 +0 +no\n", "representer, none"
    assert [bool(re.search(pattern, said)) for pattern in equal] == [False, False]
    assert [bool(re.search(pattern, everything)) for pattern in equal] == [True, True]


def test_figures_are_told_with_their_files(different, compare):
    said = compare(*different)
    assert re.search("fig1 +the same +A: one/figures/fig1.png\n +B: two/figures/fig1.png", said)
    assert re.search("fig2 +differs +A: one/figures/fig2.png\n +B: two/figures/fig2.png", said)
    assert re.search("fig3 +only in A +A: one/figures/fig3.pdf\n", said)
    assert re.search("fig4 +only in B +B: two/figures/fig4.svg\n", said)
    figure(different[1], "fig3.png")
    assert re.search(r"fig3 +\.pdf in A, \.png in B", compare(*different))
    figure(different[1], "fig3.pdf", b"one")
    figure(different[0], "fig3.png", b"other")
    assert re.search("fig3 +differs ", compare(*different)), "in one format"


def test_text_is_aligned_and_fits(different, compare):
    for project in different:  # more than fits in a line
        for scale, rate in product(("none", "fan_in"), (0.1, 0.0123)):
            run = small_run(scale=scale, learning_rate=rate, K=len(project.name) * 2)
            milestone(project, run, mse_tail_median=1.23456e-10 * len(project.name))
    milestone(different[1], small_run(seed=7, K=8), mse_tail_median=1.23456e-10)
    said = compare(*different, "--all")
    assert "learning_rate 0.0123" in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= WIDTH
    assert not re.search(r"[ \t]\n|\n\n$", said)
    assert said.endswith("\n")


def test_markdown(different, compare):
    said = compare(*different, "--markdown")
    tables = [block for block in said.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 6
    for block in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "| fig2 | differs | A: one/figures/fig2.png<br>B: two/figures/fig2.png |" in said
    assert "\n## Measures\n" in said
    assert "mse_tail_median" in said


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("<b>a|b&*", r"&lt;b&gt;a\|b&amp;\*"),
        ("- [x](y) `z` <br>", r"\- \[x\](y) \`z\` &lt;br&gt;"),
        ("1. __x__", r"1\. \_\_x\_\_"),
    ],
)
def test_markdown_and_html_escape_what_names_hold(projects, compare, name, escaped):
    milestone(Path(name), small_run())
    (milestone(Path(name), small_run(), 80) / "summary.parquet").unlink()
    assert f"| {escaped} |" in compare(name, name, "--markdown")
    body = ElementTree.fromstring(compare(name, name, "--html")).find("body")
    assert name in [cell.text for cell in body.iter("td")]
    note = f"{name}: left out: 1 milestone without summary.parquet."
    assert note in [paragraph.text for paragraph in body.iter("p")]


def test_the_page_holds_its_pictures_and_asks_for_nothing(different, compare):
    text = compare(*different, "--html")
    found = ElementTree.fromstring(text)
    sources = [picture.get("src") for picture in found.iter("img")]
    contents = [base64.b64decode(x.removeprefix("data:image/png;base64,")) for x in sources]
    assert contents == [b"one", b"one", b"two"], "the same picture is shown once"
    assert not re.search(r"https?:|//[a-z]|<script|<link|url\(", text)
    policy = found.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
    assert policy.startswith("default-src 'none'; ")
    assert "Different: 1 parameter" in text
    assert "0.11 → 1.2" in [cell.text for cell in found.iterfind(".//td[@class='marked']")]
    assert all("→" in cell.text for cell in found.iterfind(".//td[@class='marked']"))
    files = ["A: one/figures/fig2.png", "B: two/figures/fig2.png"]
    assert files in [list(cell.itertext()) for cell in found.iter("td")], "a line each"
    assert len(list(found.iter("table"))) >= 6


def test_reports_are_written_to_files(different, compare, refusal):
    one, two = different
    out = one / "new" / "report.html"
    assert compare(*different, "--out", out) == f"{out}: written\n"
    assert out.read_text() == compare(*different, "--html")
    for name, options in (("report.txt", []), ("report", ["--markdown"])):
        compare(*different, "--out", one / name, *options)
        assert (one / name).read_text() == compare(*different, *options)
    assert "two: cannot be written: Is a directory" in refusal(*different, "--out", two)


VERDICT = {"claim": "sparse", "part": "eq2", "epoch": 200000, "verdict": "holds", "value": 0.065}
VERDICT |= {"claim_verdict": "holds", "low": 0.05, "high": 0.08, "reading": "literal"}


def test_verdicts_that_differ(alike, compare, status):
    one, two = alike
    same = {**VERDICT, "part": "none"}
    claims(one, VERDICT, same)
    claims(two, {**VERDICT, "verdict": "fails", "value": 0.5, "reading": "fan_in"}, same)
    said = compare(one, two)
    assert "Different: 1 verdict." in said
    pattern = r"sparse +eq2 +200,000 +holds \(0.065, 0.05–0.08\) +fails \(0.5, 0.05–0.08\)\n"
    assert re.search(pattern, said)
    assert "none" not in said.partition("Verdicts that differ")[2]
    assert status(one, two) == 1
    claims(two, {**VERDICT, "claim_verdict": "fails"})
    said = compare(one, two)
    assert re.search(r"sparse +as a whole +holds +fails\n", said)
    assert re.search(r"sparse +none +200,000 +holds .* +–\n", said)
    claims(one, VERDICT, {**VERDICT, "reading": "sum"})
    claims(two, VERDICT, {**VERDICT, "reading": "sum", "verdict": "fails"})
    said = compare(one, two)
    assert re.search(r"sparse +eq2, sum +200,000 +holds .* +fails ", said)
    assert "literal" not in said, "readings are matched with themselves"


def test_verdicts_that_cannot_be_compared(alike, compare):
    one, two = alike
    claims(one, VERDICT)
    assert "Only A has verdicts (results/claims/claims.parquet)." in compare(one, two)
    claims(two, {"claim": "sparse", "reading": "literal"})
    said = compare(one, two)
    assert "claims.parquet of B has no column verdict." in said
    assert "No difference" in said
    claims(two, {"claim": "sparse", "verdict": "holds"})
    assert re.search(r"sparse +– +– +– +holds\n", compare(one, two))


def test_notes(alike, compare, monkeypatch):
    one, two = alike
    monkeypatch.setattr("sparsedecay.files.provenance.versions", lambda: {"torch": "99"})
    monkeypatch.setattr("sparsedecay.files.fingerprint.measuring", lambda _: "code=0")
    folder = milestone(two, small_run())
    said = " ".join(compare(one, two).split())
    assert re.search(r"Measured by other software: .*torch \S+ in A, 99 in B", said)
    assert "Measured by other code of this package: " in said
    assert "No difference" in said, "only the numbers count"
    shutil.rmtree(folder)
    milestone(two, small_run(), 80)
    said = compare(one, two)
    assert "No row of A has a partner in B: they have no epoch in common." in said


def test_a_run_that_diverged_on_one_side(alike, compare):
    """It has no numbers there, which is no reason to leave it out."""
    one, two = alike
    lost = dict.fromkeys(("mse_tail_median", "average_sparsity", "rank", "active_neurons"))
    milestone(two, small_run(), diverged=30, **lost)
    text = compare(one, two)
    assert re.search(r"diverged +– +30", text)
    for measure in (r"mse_tail_median +0\.25", r"average_sparsity +0\.5", "A2 rank +3"):
        assert re.search(f"{measure} +nan +nan\n", text)
    assert re.search("active_neurons 1 +6 +– ", text)
    assert "linear_nodes" not in text, "null on one side and NaN on the other are the same"
