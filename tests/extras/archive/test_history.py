"""Snakemake's records, read as jobs and chains of jobs."""

from base64 import urlsafe_b64encode
from pathlib import PurePath
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.persistence.file import FilePersistence

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.history import FOLDER, History, output_of
from tests.extras.archive.made import record


@pytest.fixture
def project(tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    return tmp_path


def write(project, output, **other):
    name = urlsafe_b64encode(output.encode()).decode()
    (project / FOLDER / name).write_text(record(**other))


def test_outputs_of_one_job_are_one_job(project):
    log = ["results/logs/train/run/10.log"]
    write(project, "b", log=log, starttime=5.0, endtime=8.0)
    write(project, "a", log=log, starttime=5.0, endtime=9.0)
    write(project, "c", outputs=["x"], starttime=None, endtime=3.0)
    jobs = History(project).jobs
    assert jobs["a"] is jobs["b"]
    assert jobs["c"].outputs == ["c"]
    assert jobs["c"].began == 3.0, "as results from a cache have no beginning"
    job = jobs["a"]
    assert (job.outputs, job.began, job.ended) == (["a", "b"], 5.0, 9.0)
    assert job.name == "train/run/10"
    assert job.benchmark == "results/benchmarks/train/run/10.jsonl"


def test_jobs_without_a_log_are_told_apart(project):
    for name in ("results/requests/fig1.json", "results/requests/fig2.json"):
        write(project, name, log=[], params=["'same'"])
    jobs = History(project).jobs
    assert [job.name for job in jobs.values()] == list(jobs)
    assert len({id(job) for job in jobs.values()}) == 2
    assert all(job.benchmark is None for job in jobs.values())


def test_records_in_a_data_base_are_told_of(project):
    with pytest.raises(UserError, match=r"figure: Snakemake has no record of how it was made\."):
        History(project).chain(["figure"])
    (project / FOLDER).with_name("metadata.db").touch()
    with pytest.raises(UserError, match=r"a data base .* without --persistence-backend db"):
        History(project).chain(["figure"])


def test_a_chain_goes_back_to_the_beginning_and_no_further(project):
    write(project, "data", log=["d"], endtime=1.0)
    write(project, "state1", log=["1"], input=["data"], endtime=2.0)
    write(project, "state2", log=["2"], input=["data", "state1"], endtime=3.0)
    write(project, "figure", log=["f"], input=["state2", "workflow/request.json"], endtime=4.0)
    write(project, "other", log=["o"], input=["state1"], endtime=5.0)
    history = History(project)
    chain = history.chain(["figure"])
    assert [job.outputs for job in chain] == [["data"], ["state1"], ["state2"], ["figure"]]
    assert [job.name for job in history.chain(["state1"])] == ["d", "1"]


def test_what_has_no_record_is_told(project):
    with pytest.raises(UserError, match=r"figure: Snakemake has no record .*\n.*--force figure"):
        History(project).chain(["figure"])


ODD = (record(input=[["x"]]), record(input=[5]), record(log=None))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rule": 1}', "\0", *ODD])
def test_a_damaged_record_is_named(project, text):
    write(project, "a")
    (file,) = (project / FOLDER).iterdir()
    file.write_text(text)
    with pytest.raises(UserError, match="is no record of Snakemake"):
        History(project).jobs  # noqa: B018


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=400))
def test_names_are_those_that_snakemake_writes(name):
    here = SimpleNamespace(_fetch_max_len=lambda _: 255)
    place = FilePersistence._record_path(here, "", name)
    assert output_of(PurePath(place)) == name


@pytest.mark.parametrize("name", [".DS_Store", "a b", "ünicode", "QQ=", "_w=="])
def test_what_something_else_put_there_is_no_record(project, name):
    (project / FOLDER / name).write_text("x")
    assert History(project).files == {}
