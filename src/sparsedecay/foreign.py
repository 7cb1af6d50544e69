"""Modules of others on `PYTHONPATH`, where module systems of clusters put them: ignored.

Our programs run on what is installed beside them. A numpy that stands before it in the search path
is another version, or broken, and Snakemake imports it before any workflow is read. So `make setup`
also writes a line that Python runs when it starts:

    python -m sparsedecay.foreign        in the environment whose programs shall ignore PYTHONPATH
"""

import os
import sys
import sysconfig
from pathlib import Path

PROGRAMS = frozenset({"snakemake", "sparsedecay"})
LINE = "import sparsedecay.foreign as foreign; foreign.ignore(foreign.started())\n"
FILE = "sparsedecay-ignores-PYTHONPATH.pth"
"""Read after the line of an editable installation, which comes earlier in the alphabet."""


def started() -> bool:
    """Whether this process is one of our programs, or `python -m` of it."""
    names = sys.orig_argv[1:2] if sys.orig_argv[1:2] != ["-m"] else sys.orig_argv[2:3]
    return any(Path(name).name in PROGRAMS for name in names)


def ignore(wanted: bool = True) -> list[str]:
    """Take what `PYTHONPATH` names out of the search path, but folders that hold a copy of this
    package, which someone wants to run; for child processes too. Returns what was taken out."""
    named = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    kept = [entry for entry in named if Path(entry, "sparsedecay", "foreign.py").is_file()]
    if not wanted or kept == named:
        return []
    gone = {Path(entry).absolute() for entry in named} - {Path(entry).absolute() for entry in kept}
    found = [entry for entry in sys.path if entry and Path(entry).absolute() in gone]
    sys.path[:] = [entry for entry in sys.path if entry not in found]
    os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    return found


if __name__ == "__main__":
    Path(sysconfig.get_path("purelib"), FILE).write_text(LINE, encoding="utf-8")
