"""Command line: `sparsedecay STAGE …`, what each rule of the workflow calls, usable by hand.

Only the stage that is called is imported, so that each stage depends on its own code alone.
"""

import importlib
import sys
from io import TextIOWrapper
from pathlib import Path

from sparsedecay import foreign
from sparsedecay.errors import UserError

COMMANDS = {
    "data": ("data", "make one data set"),
    "train": ("train.command", "train one run from one milestone to the next"),
    "measure": ("measure.command", "measure one milestone"),
    "join": ("measure.join", "join the tables of many milestones"),
    "optimum": ("optimum.solve", "the global optimum of a shallow problem, with a proof"),
    "certify": ("optimum.certify", "how far a shallow network is from the global optimum"),
    "claims": ("claims.command", "test the paper's statements"),
    "search": ("claims.search", "rank readings by how far they are from the paper"),
    "findings": ("claims.findings", "tell what the tests found, in words"),
    "figure": ("figures.command", "draw one figure"),
    "film": ("extras.film", "how neurons gather, as an animation"),
    "explore": ("extras.explore.command", "all results in one page to click through"),
    "archive": ("extras.archive.pack", "pack results with all that made them"),
    "verify": ("extras.archive.verify", "is an archive whole, and does it give its figures?"),
    "fetch": ("extras.archive.fetch", "take the results of an archive into this folder"),
    "compare": ("extras.compare.command", "what differs between two results or configs"),
    "init": ("extras.init", "a folder for a study of your own"),
    "check": ("study.check", "check a config and say what it asks for"),
    "resources": ("study.resources", "what jobs took, for schedulers"),
    "bench": ("extras.bench.command", "how fast the engines are, side by side"),
    "site": ("extras.site", "the pages of the documentation's site"),
    "document": ("extras.document", "write config/README.md, schema and findings"),
}


def usage() -> str:
    lines = [f"  {name:<10}{summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        ["usage: sparsedecay COMMAND …", "", *lines, "", "`sparsedecay COMMAND --help` tells more."]
    )


def main() -> None:
    """Entry point: a user's mistake is one message and exit status 2."""
    foreign.ignore()
    from pydantic import ValidationError

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where the locale lacks a character
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        print(usage())
        return
    if command not in COMMANDS:
        sys.exit(f"sparsedecay: unknown command {command!r}\n{usage()}")
    try:
        importlib.import_module(f"sparsedecay.{COMMANDS[command][0]}").main(arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            key = ".".join(str(part) for part in problem["loc"])
            print(f"sparsedecay {command}: {key}: {problem['msg']}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        # here, as importing it takes as long as all the rest
        from sparsedecay.files.storage import is_full, unwritten

        if is_full(error):
            print(unwritten(Path(error.filename), error), file=sys.stderr)
        else:
            print(f"{error.filename}: {error.strerror}; check that place", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
