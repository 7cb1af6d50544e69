"""Command `sparsedecay compare`: parameters, measures and figures that differ between A and B.

    sparsedecay compare old/ .                              two project or results folders
    sparsedecay compare old.zip results --html --out differences.html
    sparsedecay compare config/config.yaml config/mine.yaml
    sparsedecay compare HEAD~1 config/config.yaml           a config as it was, and as it is
    sparsedecay compare HEAD:config/smoke.yaml v1.0:config/smoke.yaml

The runs that a config shows are looked up in the results that are here. Runs that differ in
seeds alone are taken together. Exit status: 0, 2 after a mistake, and with --exit-code 1 if
anything differs.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.extras.compare import writers
from sparsedecay.extras.compare.comparison import Comparison
from sparsedecay.extras.compare.report import report
from sparsedecay.extras.compare.sources import side
from sparsedecay.files.storage import write_file

WRITERS = {"text": writers.text, "markdown": writers.markdown, "html": writers.web}
ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown"}
SIDE = "folder with results/, a results folder, .zip of one, config (.yaml), REV:path or REV of git"


def main(arguments: list[str]) -> None:
    """Compare two sides.

    Raises:
        UserError: a side is not there or cannot be read, or the report cannot be written.
    """
    parser = argparse.ArgumentParser(
        prog="sparsedecay compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("A", help=SIDE)
    add("B", help="the same")
    add("--results", type=Path, help="where runs of configs are looked up (default: results)")
    add("--all", action="store_true", help="details of what is equal too")
    add("--exit-code", action="store_true", help="exit status 1 if anything differs")
    forms = parser.add_mutually_exclusive_group()
    for name, help_ in (("markdown", "print Markdown"), ("html", "print a page with the figures")):
        forms.add_argument(f"--{name}", dest="form", action="store_const", const=name, help=help_)
    add("--out", type=Path, metavar="FILE", help="write there; .html and .md say the format")
    options = parser.parse_args(arguments)
    form = options.form or ENDINGS.get(options.out.suffix if options.out else "", "text")
    try:
        with ExitStack() as stack:
            sides = [side(x, getattr(options, x), options.results, stack) for x in "AB"]
            found = Comparison(*sides)
            written = WRITERS[form](report(found, options.all))
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise UserError(f"{what}; check the folder and its permissions") from None
    if options.out:
        write_file(options.out, written)
        print(f"{options.out}: written")
    else:
        print(written, end="", flush=True)
    if options.exit_code and found.differs:
        sys.exit(1)
