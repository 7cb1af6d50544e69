"""Finished stretches survive what Snakemake deletes, and are never taken for others."""

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from sparsedecay.errors import UserError
from sparsedecay.files import fingerprint
from sparsedecay.train import kept
from sparsedecay.train.loop import train
from tests.small import small_run
from tests.train.test_loop import files


@pytest.fixture
def stretch(tmp_path):
    return files(tmp_path, small_run(), 40, checkpoint=tmp_path / "run" / "40.safetensors")


@pytest.fixture
def made(stretch, capsys):
    """What the files of a finished stretch hold."""
    train(stretch)
    capsys.readouterr()
    return contents(stretch)


def contents(stretch):
    return [file.read_bytes() for file in stretch.files]


def remove(stretch):
    """As Snakemake does with the outputs of a failed group."""
    for file in stretch.files:
        file.unlink()


@pytest.mark.parametrize("count", [1, 3])
def test_what_was_deleted_comes_back_without_training(stretch, made, capsys, count):
    """What was not stays in its place: the file that was kept, which takes no more space."""
    numbers = [file.stat().st_ino for file in stretch.files]
    assert count <= len(numbers)
    for file in stretch.files[:count]:
        file.unlink()
    train(stretch)
    assert "was finished by an earlier job" in capsys.readouterr().out
    assert contents(stretch) == made
    assert [file.stat().st_ino for file in stretch.files] == numbers
    for file in stretch.files:
        assert file.samefile(stretch.checkpoint.with_suffix(".kept") / file.name)


@pytest.mark.parametrize("what", ["one file is missing", "the state is damaged", "other code"])
def test_otherwise_it_is_trained_again(stretch, made, capsys, monkeypatch, what):
    remove(stretch)
    folder = stretch.checkpoint.with_suffix(".kept")
    match what:
        case "one file is missing":
            (folder / stretch.loss.name).unlink()
        case "the state is damaged":
            state = folder / stretch.state.name
            state.write_bytes(state.read_bytes()[:20])
        case "other code":
            monkeypatch.setattr(fingerprint, "training", lambda run: "other")
    train(stretch)
    assert "reached epoch 40" in capsys.readouterr().out
    if what != "other code":  # which the files' metadata tell
        assert contents(stretch) == made


def test_tidy_removes_what_was_moved_into_a_cache(stretch, tmp_path):
    """On another file system the file was copied there, so that the kept one is the only link."""
    train(stretch)
    checkpoints, place = tmp_path / "results/checkpoints", tmp_path / "results/train/run/40"
    kept_there = checkpoints / "run" / "40.kept"
    kept_there.mkdir(parents=True)
    place.mkdir(parents=True)
    for file in stretch.files:
        (kept_there / file.name).write_bytes(file.read_bytes())
    kept.tidy(checkpoints)
    assert len(list(kept_there.iterdir())) == len(stretch.files), "nothing stands in their places"
    for file in stretch.files:
        (place / file.name).symlink_to(file)
    kept.tidy(checkpoints)
    assert list(checkpoints.iterdir()) == []


def test_tidy_removes_what_stands_in_its_place_and_nothing_else(stretch, tmp_path):
    train(stretch)
    other = tmp_path / "run" / "80.safetensors"
    other.write_text("a checkpoint")
    kept.tidy(tmp_path)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["80.safetensors"]
    other.unlink()
    train(stretch)
    remove(stretch)
    kept.tidy(tmp_path)
    assert sorted(p.name for p in (tmp_path / "run" / "40.kept").iterdir()) == sorted(
        file.name for file in stretch.files
    )
    train(stretch)
    kept.tidy(tmp_path)
    assert not (tmp_path / "run").exists()
    assert all(file.exists() for file in stretch.files)


HOLD = """
import sys, time
from pathlib import Path
from sparsedecay.train.kept import exclusively
with exclusively(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(stretch, seconds):
    """Another process that is at a stretch."""
    command = [sys.executable, "-c", HOLD, str(stretch.checkpoint), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        yield other


def test_one_process_at_a_time(stretch, capsys):
    with held(stretch, 1):
        began = time.monotonic()
        train(stretch)
        assert time.monotonic() - began > 0.5
    assert "another process is at this stretch" in capsys.readouterr().out


def test_a_lock_ends_with_its_process(stretch, capsys):
    with held(stretch, 600) as other:
        kept.tidy(stretch.checkpoint.parents[1])
        assert stretch.checkpoint.with_suffix(".lock").exists(), "a lock that is held stays"
        other.kill()
    train(stretch)
    assert "another process" not in capsys.readouterr().out


def test_without_locks_or_hard_links_it_trains_all_the_same(stretch, capsys, monkeypatch):
    def refuse(*_, **__):
        raise NotImplementedError("no flock here")

    monkeypatch.setattr(kept.FileLock, "acquire", refuse)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError()))
    train(stretch)
    assert "warning: no locks on this file system" in capsys.readouterr().out
    assert not list(stretch.checkpoint.with_suffix(".kept").iterdir())


def test_without_hard_links_what_was_kept_is_moved(stretch, made, monkeypatch, capsys):
    """What another job kept stands nowhere else."""
    for file in stretch.files:
        (stretch.checkpoint.with_suffix(".kept") / file.name).unlink()
        file.rename(stretch.checkpoint.with_suffix(".kept") / file.name)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError()))
    assert kept.taken(stretch)
    assert contents(stretch) == made
    assert not kept.there(stretch.checkpoint)


def test_without_a_checkpoint_nothing_is_kept(tmp_path):
    assert not kept.taken(files(tmp_path, small_run(), 40))


def test_more_minibatches_than_samples_are_refused(tmp_path):
    run = small_run(batches=9)
    with pytest.raises(UserError, match="8 data points cannot be cut into 9 minibatches"):
        train(files(tmp_path, run, 10))
