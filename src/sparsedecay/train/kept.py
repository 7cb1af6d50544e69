"""Finished stretches under a second name, until the workflow has taken note of them.

Snakemake deletes the outputs of all jobs of a group when one of them fails, and those of jobs whose
end it was killed before. So a finished stretch stays, as hard links that take no space, beside the
checkpoints; the job that is started in its place takes it from there. `tidy` removes what the
workflow knows to be finished.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sparsedecay.errors import UserError
from sparsedecay.files.storage import read_state, read_table

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


def keep(checkpoint: Path, files: Sequence[Path]) -> None:
    """Give finished files a second name; where the file system has no hard links, do nothing."""
    folder = checkpoint.with_suffix(KEPT)
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        second = folder / file.name
        with contextlib.suppress(OSError):
            second.unlink(missing_ok=True)
            os.link(file, second)


def put_back(checkpoint: Path, files: Sequence[Path], about: Mapping[str, str]) -> bool:
    """Put kept files in their places, if all are there and whole, and the first, a state, says
    `about` itself; the others are tables. Returns whether they now are."""
    seconds = [checkpoint.with_suffix(KEPT) / file.name for file in files]
    if not all(second.exists() for second in seconds):
        return False
    try:
        _, said = read_state(seconds[0])
        for second in seconds[1:]:
            read_table(second)
    except UserError:
        return False
    if any(said.get(key) != value for key, value in about.items()):
        return False
    for second, file in zip(seconds, files, strict=True):
        if not (file.exists() and file.samefile(second)):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            os.link(second, file)
    return True


def tidy(folder: Path) -> None:
    """Remove from a folder of checkpoints what is kept of stretches whose files are in their
    places, and the locks that nobody holds; only while no job is under way."""
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
