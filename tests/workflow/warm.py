"""Python that has already imported what takes long: Snakemake, torch, matplotlib and the like.

Most of the time of a test of the workflow would go into starting programs: two seconds each for
Snakemake and for a training, most of them for the import of other people's packages. So a process
imports these once and forks for each call; Snakemake and the project's own code are imported after
that, the latter from the copy under test. Where it matters how programs start and end, or whose
children they are (kills, schedulers, odd surroundings), tests use plain Python.

    warm.py SOCKET      the process that forks, until its input ends; its forks end with it
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import NoReturn

PACKAGES = (
    *("torch", "safetensors.torch", "pandas", "pyarrow.parquet", "pyarrow.compute", "numpy"),
    *("matplotlib.figure", "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg"),
    *("matplotlib.backends.backend_agg", "markdown_it", "rocrate.rocrate", "ruamel.yaml"),
    *("pydantic", "filelock", "sqlmodel", "smart_open", "requests", "jinja2", "yaml", "jsonschema"),
    *("pulp", "psutil", "tabulate", "immutables", "configargparse", "humanfriendly", "throttler"),
)
"""Of other people, imported by the stages and by Snakemake."""
LONGEST = 100
"""Characters in the path of a socket."""
CLIENT = """\
#!/bin/sh
'''exec' {quoted} -IS "$0" "$@"
' '''
import os, sys
name, arguments = os.path.basename(sys.argv[0]), sys.argv[1:]
if name == "python" and arguments[:2] in (["-m", "snakemake"], ["-m", "sparsedecay"]):
    _, name, *arguments = arguments
if name == "python" or "PYTHONHASHSEED" in os.environ:
    start = [] if name == "python" else ["-m", name]
    os.execv({python!r}, [{python!r}, *start, *arguments])
import json, signal, socket
with socket.socket(socket.AF_UNIX) as call:
    call.connect({address!r})
    asked = json.dumps([name, arguments, os.getcwd(), dict(os.environ), sys.argv[0]]).encode()
    socket.send_fds(call, [len(asked).to_bytes(8, "big")], [0, 1, 2])
    call.sendall(asked)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: call.send(bytes([number])))
    code = int.from_bytes(call.recv(4), "big", signed=True)
if code < 0:
    if code != -signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""
"""What is called in the place of Python and of `sparsedecay`; it hands on its streams and waits."""


class Warm:
    """The process that forks, with its socket and what calls it in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen | None = None

    @cached_property
    def python(self) -> str:
        """What to call instead of Python. Beside it lies a `sparsedecay` for Snakemake's jobs."""
        address, python = str(self.folder / "socket"), self.folder / "bin" / "python"
        if not hasattr(os, "pidfd_open") or len(address) > LONGEST:
            return sys.executable
        python.parent.mkdir()
        for program in (python, python.with_name("sparsedecay")):
            program.write_text(
                CLIENT.format(python=sys.executable, quoted=quote(sys.executable), address=address)
            )
            program.chmod(0o755)
        from tests.processes import start_outlasting  # not there for the process that forks

        self.process = start_outlasting(
            [sys.executable, "-EP", __file__, address],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout.readline() == b"warm\n"
        return str(python)

    def close(self) -> None:
        if self.process:
            self.process.communicate()


def serve(address: str) -> tuple[str, list[str]] | None:
    """Fork for each call. Returns its module and arguments in the child, nothing at the end."""
    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()
    assert not [name for name in sys.modules if name.startswith(("snakemake", "sparsedecay"))]
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ, (None, None))
    waiting.register(0, selectors.EVENT_READ, (None, None))
    print("warm", flush=True)
    while True:
        key, _ = waiting.select()[0]
        pid, call = key.data
        if key.fileobj == 0:
            for pid, call in [other.data for other in waiting.get_map().values()]:
                if pid and call:
                    os.kill(pid, signal.SIGKILL)
            return None
        if key.fileobj is listening:
            call, _ = listening.accept()
            asked, streams = read(call)
            pid = os.fork() if asked else None
            if pid == 0:
                waiting.close()
                listening.close()
                call.close()
                return become(streams, *asked)
            for stream in streams:
                os.close(stream)
            if not pid:
                call.close()
                continue
            waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, call))
            waiting.register(call, selectors.EVENT_READ, (pid, None))
        elif call is None:
            numbers = received(key.fileobj, 1)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, numbers[0] if numbers else signal.SIGKILL)
            if not numbers:
                waiting.unregister(key.fileobj)
        else:
            waiting.unregister(key.fileobj)
            os.close(key.fileobj)
            _, status = os.waitpid(pid, 0)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(KeyError):
                waiting.unregister(call)
            with contextlib.suppress(OSError), call:
                call.sendall(code.to_bytes(4, "big", signed=True))


def received(call: socket.socket, count: int) -> bytes:
    """So many bytes, or fewer if the caller was killed."""
    found = b""
    with contextlib.suppress(OSError):
        while len(found) < count and (more := call.recv(count - len(found))):
            found += more
    return found


def read(call: socket.socket) -> tuple[list | None, list[int]]:
    """What is asked, unless the caller was killed, and its streams."""
    size, streams, *_ = socket.recv_fds(call, 8, 3)
    asked = received(call, count := int.from_bytes(size, "big"))
    return (json.loads(asked) if count and len(asked) == count else None), streams


def become(
    streams: list[int], module: str, arguments: list[str], folder: str, env: dict, program: str
) -> tuple[str, list[str]]:
    """Take over streams, folder, environment and path of the caller."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    sys.executable = str(Path(program).with_name("python"))
    sys.orig_argv[:] = [sys.executable, "-m", module, *arguments]
    path = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:0] = path if "PYTHONSAFEPATH" in env else [folder, *path]
    for entry in path:
        if os.path.exists(os.path.join(entry, "sitecustomize.py")):  # as Python at its start
            sys.modules.pop("sitecustomize", None)
            importlib.import_module("sitecustomize")
            break
    return module, arguments


def end(code: object) -> NoReturn:
    """As Python ends, without taking apart all that was imported, which takes a second."""
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else code is not None)


if __name__ == "__main__" and (call := serve(sys.argv[1])):
    sys.argv[1:] = call[1]
    try:
        runpy.run_module(call[0], run_name="__main__", alter_sys=True)
        end(None)
    except SystemExit as left:
        end(left.code)
