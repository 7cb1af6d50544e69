"""Runs that diverge, through the whole workflow: the others go on, and everything tells of them."""

import re

import pyarrow.parquet as pq
import pytest
from pypdf import PdfReader

from tests.workflow.project import Project

pytestmark = pytest.mark.workflow


def test_a_run_that_diverges_is_a_result_like_any_other(tmp_path):
    """AdamW with lam = 250 and steps of 1e-2 multiplies each weight by -1.5."""
    project = Project(tmp_path / "wild").clone()
    config = "config/config.yaml"
    project.edit(config, "weight_decay: objective", "weight_decay: decoupled")
    project.edit(config, "lam: [1.0e-1, 1.0e-3]", "lam: [250, 1.0e-3]")
    project.edit(config, "regularizers: [eq2, none]", "regularizers: [eq2, weight_decay]")
    said = project.said("--cores", "2", "figures/fig2.pdf")
    told = re.findall(r"^diverged: (\S+): .* at epoch (\d+),", said, re.MULTILINE)
    assert len(told) == 2, "at both milestones"
    ((run, lost),) = set(told)
    assert "weight_decay-lam250" in run

    found = {}
    for summary in (project.folder / "results/measure").glob("*/2000/summary.parquet"):
        (row,) = pq.read_table(summary).to_pylist()
        found[row["run"]] = row["diverged"], row["mse"]
    assert found.pop(run) == (int(lost), None)
    assert len(found) == 3
    assert all(diverged is None and mse > 0 for diverged, mse in found.values())
    text = PdfReader(project.folder / "figures/fig2.pdf").pages[0].extract_text()
    assert f"diverged at {lost}" in text
    assert "Nothing to be done" in project.said("figures/fig2.pdf")
