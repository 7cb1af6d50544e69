"""Modules of others on `PYTHONPATH`, where module systems of clusters put them: ignored.

Our programs run on what is installed beside them. A numpy that stands before it in the search path
is another version, or broken, and Snakemake imports it before any workflow is read. So `make setup`
also writes a line that Python runs when it starts:

    python -m sparsedecay.foreign        in the environment whose programs shall ignore PYTHONPATH

It also mends the programs of an environment in a folder whose name has a `$` or a quote: pip lets
the shell read that name.
"""

import os
import sys
import sysconfig
from pathlib import Path

LINE = (
    "import sys, os.path as p;"
    " {*map(p.basename, sys.orig_argv[1:3])} & {'snakemake', 'sparsedecay'}"
    " and __import__('sparsedecay.foreign').foreign.ignore()\n"
)
"""For a process that is one of our programs, or `python -m` of it."""
FILE = "sparsedecay-ignores-PYTHONPATH.pth"
"""Read after the line of an editable installation, which comes earlier in the alphabet."""
ASKS = "#!/bin/sh\n'''exec' \""
"""How a program begins that has the shell start Python."""


def ignore() -> list[str]:
    """Take what `PYTHONPATH` names out of the search path, but folders that hold a copy of this
    package, which someone wants to run; for child processes too. Returns what was taken out."""
    named = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = [entry for entry in named if Path(entry, "sparsedecay", "foreign.py").is_file()]
    if kept == named:
        return []
    gone = {Path(entry).absolute() for entry in named} - {Path(entry).absolute() for entry in kept}
    found = [entry for entry in sys.path if entry and Path(entry).absolute() in gone]
    sys.path[:] = [entry for entry in sys.path if entry not in found]
    os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    return found


def mend(programs: Path) -> None:
    """Let programs that pip has installed start the Python beside them, whatever the folder is
    called; of those that ask the shell for it, as others need no help."""
    named = f"{ASKS}{programs / 'python'}".encode()
    for program in programs.iterdir():
        content = program.read_bytes() if program.is_file() else b""
        if content.startswith(named):
            rest = content.split(b'" "$0" "$@"', 1)[1]
            program.write_bytes(ASKS.encode() + b'${0%/*}/python" "$0" "$@"' + rest)


if __name__ == "__main__":
    Path(sysconfig.get_path("purelib"), FILE).write_text(LINE, encoding="utf-8")
    mend(Path(sysconfig.get_path("scripts")))
