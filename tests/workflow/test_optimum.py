"""`snakemake optimum`, as users run it: on the smoke experiment."""

import json

import pandas as pd
import pytest

from sparsedecay.files.tables import CERTIFICATES
from tests.workflow.conftest import copied

pytestmark = pytest.mark.workflow
SECTION = """
figures:
  optimum: {K: [4, 12], lam: [1.0e-2], regularizers: [eq2, weight_decay], seeds: 1, epoch: 1000,
    gap: 1.0e-4, slack: 1.0e-3}
"""


@pytest.fixture
def asked(built, tmp_path):
    """The smoke experiment with a section `optimum` in a file laid over it, in a copy."""
    (tmp_path / "optimum").mkdir()
    built = copied(built.folder, tmp_path / "optimum")
    more = built.folder / "config" / "optimum.yaml"
    more.write_text(SECTION)
    return built, ["--configfile", str(built.config), str(more)]


def test_networks_are_certified_and_drawn(asked):
    project, configs = asked
    project.said("--cores", "2", "optimum", *configs)
    assert (project.folder / "figures/optimum.pdf").stat().st_size > 1000
    files = list((project.folder / "results/optimum/certificates").glob("*/1000.parquet"))
    rows = pd.concat(map(pd.read_parquet, files))
    assert len(rows) == 4
    assert list(rows.columns) == CERTIFICATES.names
    assert rows["problem"].nunique() == 2, "the optimum is that of all widths"
    assert (rows["gap"] > -1e-9).all()
    assert (rows["optimum"] - rows["bound"] <= 1.01e-4 * rows["optimum"]).all()
    # the proofs hold
    for problem in set(rows["problem"]):
        place = project.folder / f"results/optimum/{problem}/optimum.parquet"
        done = project.sparsedecay("certify", place)
        assert done.returncode == 0, done.stderr
        assert "proved" in done.stdout
    # nothing is left to be done, and another slack finds the optima again, but trains nothing
    assert "Nothing to be done" in project.said("--cores", "2", "optimum", *configs)
    more = project.folder / "config" / "optimum.yaml"
    more.write_text(SECTION.replace("slack: 1.0e-3", "slack: 1.0e-2"))
    dry = project.said("-n", "optimum", *configs)
    assert "rule solve:" in dry
    assert "rule train:" not in dry


def test_what_it_lacks_is_told(built):
    assert "no section `figures.optimum`" in built.refused("optimum")


def test_a_reading_without_a_certificate_is_told_before_any_job_starts(asked):
    project, configs = asked
    decoupled = project.folder / "config" / "decoupled.yaml"
    decoupled.write_text("objective: {weight_decay: decoupled}\n")
    done = project.snakemake("-n", "optimum", *configs, str(decoupled))
    assert done.returncode
    said = done.stdout + done.stderr
    assert "minimises no fixed objective" in said
    assert "Traceback" not in said


PHASE = """
data: {kind: box, range: [-1, 1], points: 4, dimension: 2, target_range: [-1, 1], seed: 3}
figures:
  phase: {regularizer: weight_decay, lam: [1.0e-2], K: [4, 12], points: [4, 8], layers: [1, 2],
    draws: 2, epoch: 1000, fits: 0.1, certified: 4, gap: 1.0e-3}
"""


def test_a_phase_diagram_is_trained_proved_and_drawn(built, tmp_path):
    project = copied(built.folder, tmp_path)
    more = project.folder / "config" / "phase.yaml"
    more.write_text(PHASE)
    configs = ["--configfile", str(project.config), str(more)]
    dry = project.said("-n", "figures/phase.pdf", *configs)
    for rule, count in (("train", 16), ("measure", 16), ("data", 4), ("solve", 2), ("certify", 0)):
        assert dry.count(f"rule {rule}:") == count, rule
    project.said("--cores", "2", "figures/phase.pdf", *configs)
    first = (project.folder / "figures/phase.pdf").read_bytes()
    made = json.loads((project.folder / "figures/phase.json").read_text())
    assert len(made["runs"]) == 16
    assert sum("optimum.parquet" in file for file in made["inputs"]) == 2
    # other words for what fits, and back: nothing is trained, and the bytes are the same
    more.write_text(PHASE.replace("fits: 0.1", "fits: 0.2"))
    assert project.jobs("figures/phase.pdf", *configs) == {"request figures/phase", "figure phase"}
    assert (project.folder / "figures/phase.pdf").read_bytes() != first
    more.write_text(PHASE)
    project.jobs("figures/phase.pdf", *configs)
    assert (project.folder / "figures/phase.pdf").read_bytes() == first
    # what has no certificate is told before any job starts
    more.write_text(PHASE + "objective: {weight_decay: decoupled}\n")
    said = project.refused("-n", "figures/phase.pdf", *configs)
    assert "minimises no fixed objective" in said
    assert "Traceback" not in said
