"""Stretches that a job trains beside its own are those that their own jobs would have made."""

import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from sparsedecay import engines
from sparsedecay.engines.batched import trainer
from sparsedecay.engines.batched.trainer import Batch
from sparsedecay.errors import UserError
from sparsedecay.files.storage import read_state, read_table
from sparsedecay.train import command, gathered, kept, loop, together
from sparsedecay.train.records import ROWS, Records
from sparsedecay.train.stretch import PLACES, Asked, read_asked, write_asked
from tests.engines.test_batched import batch_of, mixed
from tests.small import beginning, small_run, started
from tests.train.test_kept import held
from tests.train.test_loop import assert_same_bits, files

ENDS = 40


def stretches_of(folder, runs, **values):
    """Their jobs, and the list that a workflow would have written."""
    made = [
        files(
            folder / f"{index}",
            run,
            ENDS,
            checkpoint=folder / "checkpoints" / str(index) / f"{ENDS}.safetensors",
            **{"engine": "batched", "device": "cpu", **values},
        )
        for index, run in enumerate(runs)
    ]
    listed = folder / "listed.jsonl"
    write_asked(
        listed,
        [
            Asked(one.run.canonical(), one.epoch, {name: getattr(one, name) for name in PLACES})
            for one in made
        ],
    )
    return made, listed


def alone(folder, stretch):
    """The same run, trained by itself."""
    place = folder / stretch.run.id
    check = place / "checkpoint.safetensors"
    one = files(place, stretch.run, ENDS, engine=stretch.engine, device="cpu", checkpoint=check)
    together.train(one)
    return one


def words(stretch, **values):
    """A stretch as a command has it."""
    names = ("epoch", "data", "state", "loss", "magnitudes", "checkpoint", "engine", "device")
    values |= {"run": stretch.run.canonical()} | {name: getattr(stretch, name) for name in names}
    return [
        str(word)
        for name, value in values.items()
        for word in (f"--{name.replace('_', '-')}", value)
    ]


def assert_same_files(one, two):
    assert_same_bits(one.state, two.state)
    for table, other in zip(one.files[1:], two.files[1:], strict=True):
        assert read_table(table).equals(read_table(other))


class TestManyAtOnce:
    def test_one_job_trains_all_and_the_others_take_what_it_kept(self, tmp_path, capsys):
        made, listed = stretches_of(tmp_path, mixed(5, precision="float32"))
        together.train(made[2], listed)
        assert "5 runs together, on cpu" in capsys.readouterr().out
        assert all(file.exists() for file in made[2].files)
        assert not any(file.exists() for file in made[0].files)
        for index in (0, 1, 3, 4):
            command.main(words(made[index], listed=listed))
            assert "was finished by an earlier job" in capsys.readouterr().out
        for stretch in made:
            assert_same_files(stretch, alone(tmp_path / "alone", stretch))
            about = read_state(stretch.state)[1]
            assert (about["engine"], about["device"]) == ("batched", "cpu")

    def test_who_takes_needs_no_torch(self, tmp_path):
        made, listed = stretches_of(tmp_path, mixed(2))
        together.train(made[0], listed)
        script = (
            "import sys\nfrom sparsedecay.train.command import main\n"
            f"main({words(made[1], listed=listed)!r})\nprint('torch' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
        assert done.stdout.splitlines()[-1] == "False", done.stderr

    def test_only_what_can_begin_and_is_not_finished_comes_along(self, tmp_path, capsys):
        """Others: of another size, without data, at which a process is, and finished ones."""
        runs = [*mixed(5), small_run(K=9, seed=7), small_run(record_every=20, seed=8)]
        made, listed = stretches_of(tmp_path, runs)
        made[1].data.unlink()
        together.train(made[3])
        began = {file: file.stat().st_mtime_ns for file in made[3].files}
        with held(made[2], 600) as process:
            together.train(made[0], listed)
            process.kill()
        assert "2 runs together" in capsys.readouterr().out
        assert [kept.there(one.checkpoint) for one in made] == [
            *(True, False, False, True, True, False, False)
        ]
        assert began == {file: file.stat().st_mtime_ns for file in made[3].files}

    def test_what_is_wrong_with_another_is_left_to_its_own_job(self, tmp_path, capsys):
        made, listed = stretches_of(tmp_path, mixed(3))
        shutil.copy(made[2].data, made[1].data)
        together.train(made[0], listed)
        told = capsys.readouterr().out
        assert f"{made[1].run.id} is left to its own job: " in told
        assert "2 runs together" in told
        with pytest.raises(UserError, match="is not the data set of"):
            together.train(made[1], listed)

    def test_another_process_is_waited_for_and_its_work_taken(self, tmp_path, capsys):
        """Meanwhile the others that are free are trained."""
        made, listed = stretches_of(tmp_path, mixed(3))
        with held(made[0], 3):
            began = time.monotonic()
            together.train(made[0], listed)
            assert time.monotonic() - began > 1
        told = capsys.readouterr().out
        assert told.index("2 runs together") < told.index("another process is at this stretch")
        assert all(kept.there(one.checkpoint) for one in made)
        assert all(file.exists() for file in made[0].files)

    def test_later_milestones_begin_where_the_earlier_ones_end(self, tmp_path):
        runs = mixed(3, stride=20)
        first, second = [], []
        for index, run in enumerate(runs):
            place = tmp_path / f"{index}"
            common = {"engine": "batched", "device": "cpu"}
            check = tmp_path / "checkpoints" / str(index)
            first.append(files(place, run, 20, checkpoint=check / "20.safetensors", **common))
            second.append(
                files(
                    place,
                    run,
                    40,
                    previous=first[-1].state,
                    checkpoint=check / "40.safetensors",
                    **common,
                )
            )
        listed = tmp_path / "listed.jsonl"
        write_asked(
            listed,
            [
                Asked(one.run.canonical(), one.epoch, {n: getattr(one, n) for n in PLACES})
                for one in (*first, *second)
            ],
        )
        for stretch in (*first, *second):
            together.train(stretch, listed)
        for run, stretch in zip(runs, second, strict=True):
            place = tmp_path / "alone" / run.id
            one = files(place, run, 20, checkpoint=place / "20", **common)
            together.train(one)
            two = files(place, run, 40, checkpoint=place / "40", previous=one.state, **common)
            together.train(two)
            assert_same_files(stretch, two)

    def test_one_that_diverges_is_kept_as_such_and_the_others_go_on(self, tmp_path, capsys):
        runs = mixed(3, precision="float32")
        broken = runs[1].optimizer.model_copy(update={"learning_rate": 1e30})
        runs[1] = runs[1].model_copy(update={"optimizer": broken})
        made, listed = stretches_of(tmp_path, runs)
        together.train(made[0], listed)
        assert kept.DIVERGED not in capsys.readouterr().out, "its own job tells it"
        command.main(words(made[1]))
        assert f"{kept.DIVERGED} {runs[1].id}" in capsys.readouterr().out
        assert read_state(made[1].state)[1]["diverged"] == "10"
        for stretch in (made[0], made[2]):
            together.train(stretch, listed)
            assert_same_files(stretch, alone(tmp_path / "alone", stretch))

    def test_too_little_memory_halves_the_batch(self, tmp_path, capsys, monkeypatch):
        made, listed = stretches_of(tmp_path, mixed(9))
        sizes, advance = [], Batch.advance

        def small(batch, epochs):
            sizes.append(len(batch.runs))
            if len(batch.runs) > 3:
                raise torch.OutOfMemoryError("out of memory")
            advance(batch, epochs)

        monkeypatch.setattr(Batch, "advance", small)
        together.train(made[0], listed)
        assert "9 runs were too many for the memory of cpu" in capsys.readouterr().out
        assert [n for n, m in zip(sizes, [0, *sizes], strict=False) if n != m] == [9, 4, 2]
        assert [kept.there(one.checkpoint) for one in made] == [True] * 2 + [False] * 7
        assert not any(
            one.checkpoint.with_suffix(".lock").exists() and not free(one) for one in made
        )

    def test_too_little_memory_for_one_is_told(self, tmp_path, monkeypatch):
        made, _ = stretches_of(tmp_path, mixed(1))

        def none(batch, epochs):
            raise torch.OutOfMemoryError("out of memory")

        monkeypatch.setattr(Batch, "advance", none)
        with pytest.raises(
            UserError, match=r"not enough memory for a single run.*training\.engine"
        ):
            together.train(made[0])

    def test_a_batch_that_is_ended_goes_on_from_its_checkpoints(
        self, tmp_path, capsys, monkeypatch
    ):
        made, listed = stretches_of(tmp_path, mixed(4), checkpoint_seconds=0)
        leave = loop.Interruption.leave

        def at_twenty(self, run, epoch):
            self.signal = signal.SIGTERM if epoch >= 20 else 0
            leave(self, run, epoch)

        monkeypatch.setattr(loop.Interruption, "leave", at_twenty)
        with pytest.raises(SystemExit) as left:
            together.train(made[0], listed)
        assert left.value.code == 128 + signal.SIGTERM
        assert all(one.checkpoint.exists() for one in made)
        monkeypatch.undo()
        together.train(made[3], listed)  # in other company: that of another job
        assert "4 runs together" in capsys.readouterr().out
        for stretch in made:
            together.train(stretch, listed)
            assert not stretch.checkpoint.exists()
            assert_same_files(stretch, alone(tmp_path / "alone", stretch))

    def test_without_a_place_to_keep_it_goes_where_it_belongs(self, tmp_path):
        run = small_run()
        one = files(tmp_path / "one", run, ENDS, engine="batched", device="cpu")
        together.train(one)
        (made,), _ = stretches_of(tmp_path, [run])
        together.train(made)
        assert_same_files(one, made)

    def test_without_locks_a_job_trains_its_own(self, tmp_path, capsys, monkeypatch):
        made, listed = stretches_of(tmp_path, mixed(2))

        def refuse(*_, **__):
            raise NotImplementedError("no flock here")

        monkeypatch.setattr(kept.FileLock, "acquire", refuse)
        together.train(made[0], listed)
        assert "warning: no locks on this file system" in capsys.readouterr().out
        assert all(file.exists() for file in made[0].files)
        assert not kept.there(made[1].checkpoint)

    def test_the_batch_is_as_large_as_memory_allows(self, tmp_path, monkeypatch):
        (own,), _ = stretches_of(tmp_path, [small_run(K=1296, d=16, precision="float32")])
        cpu, gpu = torch.device("cpu"), torch.device("cuda")
        free = {"cpu": 10**10, "cuda": 10**9}
        monkeypatch.setattr(together.devices, "free", lambda device: free[device.type])
        assert together.room(own, cpu, None) == trainer.MOST_ON_PROCESSOR
        assert together.room(own, cpu, together.BASE_MB) == 1
        assert together.room(own, gpu, None) == int(0.8 * 1e9 / together.bytes_of(own.run))
        assert 1 < together.room(own, gpu, together.BASE_MB + 20) < 20


def free(stretch):
    """Whether no process is at a stretch."""
    with kept.claimed(stretch.checkpoint) as mine:
        return mine


class TestOneAfterTheOther:
    def test_short_stretches_are_trained_by_the_same_process(self, tmp_path, capsys):
        made, listed = stretches_of(tmp_path, mixed(4), engine="fused")
        together.train(made[1], listed)
        assert "3 more that the workflow asks for" in capsys.readouterr().out
        for stretch in made:
            command.main(words(stretch))
            assert_same_files(stretch, alone(tmp_path / "alone", stretch))

    def test_larger_ones_and_those_of_other_engines_are_left_alone(self, tmp_path):
        runs = [small_run(), small_run(K=5), small_run(K=7), small_run(network="dense", K=3)]
        made, listed = stretches_of(tmp_path, runs, engine="fused")
        together.train(made[0], listed)
        assert [kept.there(one.checkpoint) for one in made] == [True, True, False, True]

    def test_one_that_has_begun_is_left_to_its_own_job(self, tmp_path):
        made, listed = stretches_of(tmp_path, mixed(3), engine="fused")
        made[1].checkpoint.parent.mkdir(parents=True)
        made[1].checkpoint.touch()
        together.train(made[0], listed)
        assert [kept.there(one.checkpoint) for one in made] == [True, False, True]

    @pytest.mark.parametrize("limit", ["SHORT_SECONDS", "LENDING_SECONDS"])
    def test_not_for_long(self, tmp_path, monkeypatch, limit):
        made, listed = stretches_of(tmp_path, mixed(3), engine="fused")
        monkeypatch.setattr(together, limit, 0.0)
        together.train(made[0], listed)
        assert [kept.there(one.checkpoint) for one in made] == [True, False, False]

    def test_what_is_wrong_with_another_is_left_to_its_own_job(self, tmp_path, capsys):
        made, listed = stretches_of(tmp_path, mixed(3), engine="fused")
        shutil.copy(made[2].data, made[1].data)
        together.train(made[0], listed)
        assert f"{made[1].run.id} is left to its own job: " in capsys.readouterr().out
        assert [kept.there(one.checkpoint) for one in made] == [True, False, True]


def test_what_was_finished_while_its_lock_was_awaited_is_not_trained_again(tmp_path, monkeypatch):
    made, listed = stretches_of(tmp_path, mixed(2), engine="fused")
    claimed, finished = kept.claimed, made[1].checkpoint

    @contextmanager
    def late(checkpoint):
        with claimed(checkpoint) as mine:
            if checkpoint == finished:  # by another process, just before
                checkpoint.with_suffix(".kept").mkdir(parents=True)
                (checkpoint.with_suffix(".kept") / "state").touch()
            yield mine

    monkeypatch.setattr(kept, "claimed", late)
    together.train(made[0], listed)
    assert [path.name for path in finished.with_suffix(".kept").iterdir()] == ["state"]


class TestGathered:
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    @pytest.mark.parametrize(
        "values",
        [
            {"K": 300, "d": 5, "L": 3},
            {"network": "dense", "K": 40},
            {"network": "dense", "K": 20, "skips": "none"},
            {"L": 1, "K": 9, "d": 1},
        ],
    )
    def test_a_batch_records_what_each_run_would(self, precision, values):
        runs = mixed(7, precision=precision, **values)
        batch = batch_of(runs)
        batch.advance(20)
        records = [Records(run, beginning(run)[0]) for run in runs]
        assert gathered.add(batch, records, np.ones(7, dtype=bool)).all()
        for run, state, one in zip(runs, batch.states(), records, strict=True):
            other = Records(run, beginning(run)[0])
            assert other.add(started("fused", run, state))
            assert one.epochs == other.epochs == [20]
            for name in ROWS:
                left, right = one.array(name), other.array(name)
                if name == "exceeding":
                    # what neurons contribute may lie on the other side of a rung
                    matrices = len(one.network.matrices)
                    assert (left[:, :matrices] == right[:, :matrices]).all()
                    assert abs(left - right).max() <= 1
                else:
                    small = precision == "float32" and name != "sigma"
                    np.testing.assert_allclose(left, right, rtol=2e-5 if small else 1e-10)

    def test_a_parameter_that_is_not_finite_ends_a_run_though_its_loss_is(self):
        """The bias of a neuron that so is never active."""
        runs = [small_run(seed=seed) for seed in range(2)]
        states = [beginning(run)[2] for run in runs]
        states[1].parameters["b1"][0] = torch.inf
        batch = batch_of(runs, states)
        assert batch.losses()[0].isfinite().all()
        records = [Records(run, beginning(run)[0]) for run in runs]
        finite = gathered.add(batch, records, np.ones(2, dtype=bool))
        assert finite.tolist() == [True, False]
        assert [one.epochs for one in records] == [[0], []]

    def test_a_triangular_factor_of_blocks(self):
        """R^T R = A^T A, of a matrix of many rows, of one block, and of fewer rows than columns."""
        for rows in (1000, 129, 100, 3):
            A = torch.randn(4, rows, 7, dtype=torch.float64, generator=torch.manual_seed(rows))
            R = gathered.triangular(A)
            torch.testing.assert_close(R.mT @ R, A.mT @ A)
            assert R.shape[1] <= 7


def test_a_list_is_what_was_written(tmp_path):
    places = dict.fromkeys(PLACES) | {"data": tmp_path / "a b", "state": tmp_path / "ä"}
    asked = [Asked(small_run(seed=i).canonical(), 10 * i, places) for i in range(3)]
    write_asked(tmp_path / "list", asked)
    assert list(read_asked(tmp_path / "list")) == asked
    assert list(read_asked(tmp_path / "none")) == []


def test_every_engine_is_asked_for_by_its_device():
    for engine in engines.ENGINES.values():
        assert engine.missing("cpu") in (None, engine.missing())
