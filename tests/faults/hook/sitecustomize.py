"""Loaded by Python itself when this folder is on PYTHONPATH: lets a file operation fail.

FAULT_ROOT   folder whose files are meant
FAULT_AT     number of the operation, from 1; 0 only counts
FAULT        `stop`: the process ends before it, as in a loss of power; `full`: the disk is full
FAULT_COUNT  file that the number of operations is written to at the end
"""

import atexit
import errno
import os
import sys

ROOT, AT = os.environ.get("FAULT_ROOT"), int(os.environ.get("FAULT_AT", "0"))
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate"}
seen = 0


def is_change(event: str, arguments: tuple) -> bool:
    """Whether an event changes a file below the root."""
    if event == "open":
        path, _, flags = arguments
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return False
    elif event in CHANGES:
        path = arguments[0]
    else:
        return False
    return isinstance(path, (str, bytes, os.PathLike)) and os.path.abspath(
        os.fsdecode(path)
    ).startswith(ROOT + os.sep)


def hook(event: str, arguments: tuple) -> None:
    global seen
    if is_change(event, arguments):
        seen += 1
        if seen == AT:
            if os.environ["FAULT"] == "stop":
                os._exit(137)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fsdecode(arguments[0]))


def tell() -> None:
    with open(os.environ["FAULT_COUNT"], "w") as file:
        file.write(str(seen))


if ROOT:
    sys.addaudithook(hook)
    if "FAULT_COUNT" in os.environ:
        atexit.register(tell)
