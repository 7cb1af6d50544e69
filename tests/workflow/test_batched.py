"""Runs that are trained together, as users of the workflow see them."""

import re

import pytest

from sparsedecay.files.storage import read_state

pytestmark = pytest.mark.workflow


@pytest.fixture
def batching(project):
    """A project whose runs are trained in batches on the processor."""
    text = project.config.read_text()
    more = text.replace("engine: compiled", "engine: batched\n  device: cpu")
    assert more != text
    project.config.write_text(more.replace("lam: [1.0e-1, 1.0e-3]", "lam: [0.5, 0.25, 0.125]"))
    return project


def logs(project):
    return "\n".join(
        path.read_text() for path in (project.folder / "results/logs/train").rglob("*.log")
    )


def test_one_job_trains_all_of_a_shape_and_each_run_has_its_own_files(batching):
    made = batching.jobs("figures/fig2.pdf")
    trained = [job for job in made if job.startswith("train representer-eq2-")]
    assert len(trained) == 6, "two milestones of each of three runs"
    told = logs(batching)
    assert re.search(r"\d runs together, on cpu", told)
    assert "was finished by an earlier job" in told
    states = list(
        (batching.folder / "results/train").glob("representer-eq2-lam0.5-*/*/*.safetensors")
    )
    assert [read_state(path)[1]["engine"] for path in states] == ["batched"] * 2
    left = (batching.folder / "results/checkpoints").rglob("*")
    assert [path for path in left if path.is_file()] == []


def test_runs_that_come_or_go_train_no_other_anew(batching):
    batching.jobs("figures/fig2.pdf")
    text = batching.config.read_text()
    batching.config.write_text(text.replace("lam: [0.5, 0.25, 0.125]", "lam: [0.5, 0.0625]"))
    made = [job for job in batching.jobs("figures/fig2.pdf") if job.startswith("train")]
    assert len(made) == 2
    assert all("lam0.0625" in job for job in made)
    batching.config.write_text(text.replace("engine: batched", "engine: compiled"))
    assert not [job for job in batching.jobs("figures/fig2.pdf") if job.startswith("train")]


def test_an_accelerator_is_used_by_one_batch_at_a_time(batching):
    """On this machine; on a cluster each batch asks for one."""
    text = batching.config.read_text().replace("device: cpu", "device: cuda")
    batching.config.write_text(text)
    said = batching.said("-n", "figures/fig2.pdf")
    assert len(re.findall("gpu=1", said)) == 6
    assert "gres" not in said
    elsewhere = batching.said("-n", "--executor", "slurm", "--jobs", "2", "--", "figures/fig2.pdf")
    assert len(re.findall("gres=gpu:1", elsewhere)) == 6
    batching.config.write_text(text.replace("engine: batched", "engine: compiled"))
    assert "gpu=" not in batching.said("-n", "--forcerun", "train", "--", "figures/fig2.pdf")
