"""What the report says, as text, Markdown and HTML."""

import base64
import re
from html.parser import HTMLParser

import pytest

from sparsedecay.errors import UserError
from sparsedecay.extras.compare.writers import WIDTH
from tests.extras.compare.made import claims, figure, milestone
from tests.small import small_run

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that elements are closed in order, and keeps cells, pictures and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.pictures, self.said, self.tags = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.pictures.append(dict(attrs)["src"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


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
    figure(one, "fig1.png", b"one")
    figure(two, "fig1.png", b"one")
    figure(one, "fig2.png", b"one")
    figure(two, "fig2.png", b"two")
    figure(one, "fig3.pdf")
    figure(two, "fig4.svg")
    return one, two


def test_equal_sides_have_no_difference(projects, compare, status):
    one, two = projects
    for project in projects:
        milestone(project, small_run(), mse_tail_median=float("nan"))
        figure(project, "fig2.pdf")
    said = compare(one, two)
    assert "No difference: 1 row of measures and 1 figure are the same on both sides." in said
    assert "Measures" not in said
    assert status(one, two) == 0
    assert "mse_tail_median" in compare(one, two, "--all")


def test_the_verdict_stands_first(different, compare, status):
    said = compare(*different)
    assert (
        "Different: 1 parameter, measures in 1 of 2 rows, 1 row only in A, 1 row only in B, 3 of 4"
    ) in said.split("\n\n")[1].replace("\n", " ")
    assert status(*different) == 1


def test_what_differs_is_told_once(different, compare):
    said = compare(*different)
    assert re.search(r"parameter +A +B\n.*\n +K +6 +8\n\n", said)
    assert "lam  0.001" not in said


def test_replicates_are_told_by_median_and_spread(different, compare):
    said = compare(*different)
    assert "representer, eq2, lam 0.001, epoch 40" in said
    assert re.search(r"measure +A, 3 seeds +B, 3 seeds +B − A +beyond spread\n", said)
    pattern = r"mse_tail_median +0.11 \(0.1–0.12\) +1.2 \(0.2–2.2\) +\+1.09 \(×10.9\) +no\n"
    assert re.search(pattern, said)
    assert re.search(r"A2 rank +3 +1 +-2 +yes\n", said)
    assert "active_neurons 2" not in said, "equal measures have no details"
    assert re.search(r"active_neurons 2 +4 +4 +0 +no\n", compare(*different, "--all"))
    overview = r"representer +eq2 +0.001 +40 +3 +0.11 → 1.2 +0.5 +3 → 1\n"
    assert re.search(overview, said)
    assert said.count("representer, none") == 0, "equal rows have no details"
    assert "representer, none" in compare(*different, "--all")


def test_rows_of_one_side_are_told_as_such(different, compare):
    _, _, rest = compare(*different).partition("Only in A\n")
    first, _, second = rest.partition("Only in B\n")
    assert re.search(r"dense +eq2 +0.001 +40 +0.25 +0.5 +3\n", first)
    assert re.search(r"representer +eq2 +0.5 +40 +0.25 +0.5 +3\n", second)


def test_figures_are_told_with_their_files(different, compare):
    one, two = different
    said = compare(*different)
    assert re.search(f"fig1 +the same +A: {one}/figures/fig1.png\n +B: {two}/", said)
    assert re.search(f"fig2 +differs +A: {one}/figures/fig2.png\n +B: {two}/", said)
    assert re.search(f"fig3 +only in A +A: {one}/figures/fig3.pdf\n", said)
    assert re.search(f"fig4 +only in B +B: {two}/figures/fig4.svg\n", said)
    figure(two, "fig3.png")
    assert re.search(r"fig3 +\.pdf in A, \.png in B", compare(*different))


def test_a_figure_that_differs_in_one_format_differs(projects, compare, status):
    for project in projects:
        milestone(project, small_run())
        figure(project, "fig1.pdf")
        figure(project, "fig1.png", project.name.encode())
    assert status(*projects) == 1


def test_text_is_aligned_and_fits(different, compare):
    _, two = different
    for project in different:  # more than fits in a line
        for scale in ("none", "fan_in"):
            for learning_rate in (0.1, 0.0123):
                run = small_run(scale=scale, learning_rate=learning_rate, K=len(project.name) * 2)
                milestone(project, run, mse_tail_median=1.23456e-10 * len(project.name))
    milestone(two, small_run(seed=7, K=8), mse_tail_median=1.23456e-10)
    said = compare(*different, "--all")
    assert "learning_rate 0.0123" in " ".join(said.split())
    lines = said.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not [line for line in lines if line != line.rstrip()]
    assert said.endswith("\n")
    assert not said.endswith("\n\n")


def test_markdown(different, compare):
    said = compare(*different, "--markdown")
    tables = [block for block in said.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 6
    for block in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    assert "| fig2 | differs | A: " in said
    assert "\n## Measures\n" in said
    assert "mse_tail_median" in said


def test_markdown_and_html_escape_what_names_hold(projects, compare):
    one, _ = projects
    milestone(one, small_run())
    strange = one.with_name("<b>a|b&*")
    one.rename(strange)
    assert "&lt;b&gt;a\\|b&amp;\\*" in compare(strange.name, strange, "--markdown")
    page = compare(strange.name, strange, "--html")
    assert "<b>" not in page
    assert "<b>a|b&*" in "".join(Page(page).said)


def test_the_page_holds_its_pictures_and_asks_for_nothing(different, compare):
    text = compare(*different, "--html")
    page = Page(text)
    contents = [base64.b64decode(p.removeprefix("data:image/png;base64,")) for p in page.pictures]
    assert contents == [b"one", b"one", b"two"], "the same picture is shown once"
    assert not re.search(r"https?:|//[a-z]|<script|<link|url\(", text.replace("<!DOCTYPE", ""))
    said = " ".join(page.said)
    assert "Different: 1 parameter" in said
    assert "0.11 → 1.2" in said
    assert page.tags.count("table") >= 6


def test_reports_are_written_to_files(different, compare):
    one, two = different
    out = one / "new" / "report.html"
    assert compare(*different, "--out", out) == f"{out}: written\n"
    assert out.read_text() == compare(*different, "--html")
    compare(*different, "--out", one / "report.txt")
    assert (one / "report.txt").read_text() == compare(*different)
    compare(*different, "--out", one / "report", "--markdown")
    assert (one / "report").read_text() == compare(*different, "--markdown")
    with pytest.raises(UserError, match=r"two: cannot be written: Is a directory"):
        compare(*different, "--out", two)


VERDICTS = {"claim": "sparse", "part": "eq2", "epoch": 200000, "verdict": "holds", "value": 0.065}
VERDICTS |= {"claim_verdict": "holds", "low": 0.05, "high": 0.08, "reading": "literal"}


def test_verdicts_that_differ(projects, compare, status):
    one, two = projects
    for project in projects:
        milestone(project, small_run())
    same = {**VERDICTS, "part": "none"}
    claims(one, [VERDICTS, same])
    claims(two, [{**VERDICTS, "verdict": "fails", "value": 0.5, "reading": "fan_in"}, same])
    said = compare(one, two)
    assert "Different: 1 verdict." in said
    assert re.search(
        r"sparse +eq2 +200,000 +holds \(0.065, 0.05–0.08\) +fails \(0.5, 0.05–0.08\)\n", said
    )
    assert "none" not in said.partition("Verdicts that differ")[2]
    assert status(one, two) == 1
    claims(two, [{**VERDICTS, "claim_verdict": "fails"}])
    said = compare(one, two)
    assert re.search(r"sparse +as a whole +holds +fails\n", said)
    assert re.search(r"sparse +none +200,000 +holds .* +–\n", said)


def test_verdicts_of_several_readings_are_matched_by_reading(projects, compare):
    for project in projects:
        milestone(project, small_run())
        other = "holds" if project.name == "one" else "fails"
        claims(project, [VERDICTS, {**VERDICTS, "reading": "sum", "verdict": other}])
    said = compare(*projects)
    assert re.search(r"sparse +eq2, sum +200,000 +holds .* +fails ", said)
    assert "literal" not in said


def test_verdicts_that_cannot_be_compared(projects, compare):
    one, two = projects
    for project in projects:
        milestone(project, small_run())
    claims(one, [VERDICTS])
    assert "Only A has verdicts (results/claims/claims.parquet)." in compare(one, two)
    claims(two, [{"claim": "sparse", "reading": "literal"}])
    said = compare(one, two)
    assert "claims.parquet of B has no column verdict." in said
    assert "No difference" in said
    claims(two, [{"claim": "sparse", "verdict": "holds"}])
    assert re.search(r"sparse +– +– +– +holds\n", compare(one, two))


def test_no_epoch_in_common_is_told(projects, compare):
    one, two = projects
    milestone(one, small_run(), 40)
    milestone(two, small_run(), 80)
    said = compare(one, two)
    assert "No row of A has a partner in B: they have no epoch in common." in said


def test_what_measured_is_told(projects, compare, monkeypatch):
    one, two = projects
    milestone(one, small_run())
    monkeypatch.setattr("sparsedecay.files.provenance.versions", lambda: {"torch": "99"})
    monkeypatch.setattr("sparsedecay.files.provenance.code", lambda *_: "measure=00000000")
    milestone(two, small_run())
    said = " ".join(compare(one, two).split())
    assert re.search(r"Measured by other software: .*torch \S+ in A, 99 in B", said)
    assert "Measured by other code of this package: " in said
    assert "No difference" in said, "only the numbers count"


def test_a_run_that_diverged_on_one_side(projects, compare):
    """It has no numbers there, which is no reason to leave it out."""
    one, two = projects
    milestone(one, small_run(K=8))
    lost = {"diverged": 30, "mse_tail_median": None, "average_sparsity": None, "rank": None}
    milestone(two, small_run(K=8), active_neurons=None, **lost)
    text = compare(one, two)
    assert re.search(r"diverged +– +30", text)
    assert re.search(r"mse_tail_median +0\.25 +nan", text)
