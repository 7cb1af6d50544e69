"""Finished stretches under a second name, until the workflow has taken note of them.

Snakemake deletes the outputs of all jobs of a group when one of them fails, and those of jobs whose
end it was killed before. So a finished stretch stays, as hard links that take no space, beside the
checkpoints; the job that is started in its place takes it from there. So does the job of a stretch
that another one has trained beside its own. `tidy` removes what the workflow knows to be finished.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from sparsedecay.errors import UserError
from sparsedecay.files.storage import atomic, read_state, read_table
from sparsedecay.science.run import Run
from sparsedecay.train.stretch import LISTED, Stretch, identity

LOCK, KEPT = ".lock", ".kept"


@contextmanager
def exclusively(checkpoint: Path) -> Iterator[None]:
    """Waits while another process, on whatever machine, is at the stretch with this checkpoint: one
    that a killed Snakemake left behind, say."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(checkpoint.with_suffix(LOCK))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"another process is at this stretch ({lock.lock_file}); waiting for it", flush=True)
        lock.acquire()
    except (NotImplementedError, OSError) as error:
        print(f"warning: no locks on this file system ({error})", flush=True)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def claimed(checkpoint: Path) -> Iterator[bool]:
    """Whether no other process is at a stretch, so that it is this one's: all the while, without
    waiting. Where there are no locks it never is."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(checkpoint.with_suffix(LOCK))
    try:
        lock.acquire(blocking=False)
    except (Timeout, NotImplementedError, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def aside(stretch: Stretch) -> Stretch:
    """The stretch with its files in the places where they are kept."""
    assert stretch.checkpoint is not None
    folder = stretch.checkpoint.with_suffix(KEPT)
    state, loss, magnitudes = (folder / file.name for file in stretch.files)
    return replace(stretch, state=state, loss=loss, magnitudes=magnitudes)


def there(checkpoint: Path) -> bool:
    """Whether something is kept of a stretch."""
    return next(checkpoint.with_suffix(KEPT).glob("*"), None) is not None


def taken(stretch: Stretch, waits: bool = True) -> bool:
    """Take a stretch that an earlier job finished, or another one beside its own, if there is such;
    returns whether there was.

    Args:
        waits: whether to wait for a process that is at it.
    """
    if stretch.checkpoint is None:
        return False
    with exclusively(stretch.checkpoint) if waits else claimed(stretch.checkpoint) as mine:
        return mine is not False and put_back(stretch)


def keep(checkpoint: Path, files: Sequence[Path]) -> None:
    """Give finished files a second name; where the file system has no hard links, do nothing."""
    folder = checkpoint.with_suffix(KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        second = folder / file.name
        with contextlib.suppress(OSError):
            second.unlink(missing_ok=True)
            os.link(file, second)


def put_back(stretch: Stretch) -> bool:
    """Put kept files in their places, if all are there and whole, and the state is of this run by
    this code, whatever the engine. Returns whether they now are, and tells it."""
    seconds = aside(stretch).files
    if not all(second.exists() for second in seconds):
        return False
    try:
        _, said = read_state(seconds[0], "np")
        for second in seconds[1:]:
            read_table(second)
    except UserError:
        return False
    if any(said.get(key) != value for key, value in identity(stretch.run).items()):
        return False
    for second, file in zip(seconds, stretch.files, strict=True):
        if not (file.exists() and file.samefile(second)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            try:
                os.link(second, file)
            except OSError:  # another file system, or one without hard links
                with atomic(file, second.stat().st_size) as temporary:
                    shutil.copyfile(second, temporary)
                second.unlink()
    stretch.tell(f"{stretch.run.id}: epoch {stretch.epoch:,} was finished by an earlier job")
    if "diverged" in said:
        stretch.tell(diverged(stretch.run, int(said["diverged"])))
    return True


DIVERGED = "diverged:"
"""Begins the line of the log that the terminal shows too."""


def diverged(run: Run, epoch: int) -> str:
    """What the log says of a run that has diverged."""
    return (
        f"{DIVERGED} {run.id}: loss or weights are not finite at epoch {epoch:,}, so its training "
        "ends there. It stands as a result; for others lower optimizer.learning_rate, lam or "
        "initialization.range in the config."
    )


def tidy(folder: Path) -> None:
    """Remove from a folder of checkpoints what is kept of stretches whose files are in their
    places, the list of those asked for, and the locks that nobody holds; only while no job is under
    way."""
    with contextlib.suppress(OSError):
        (folder / LISTED).unlink(missing_ok=True)
    for path in folder.glob(f"*/*{KEPT}/*"):
        run, epoch = path.parts[-3], path.parent.stem
        # a link into the cache that workflows share, to which the file was moved
        moved = (folder.parent / "train" / run / epoch / path.name).is_symlink()
        with contextlib.suppress(OSError):
            if moved or path.stat().st_nlink > 1:
                path.unlink()
    for path in folder.glob(f"*/*{LOCK}"):
        with contextlib.suppress(OSError, NotImplementedError, Timeout), FileLock(path, timeout=0):
            path.unlink()
    for path in [*folder.glob(f"*/*{KEPT}"), *folder.glob("*/")]:
        with contextlib.suppress(OSError):
            path.rmdir()
