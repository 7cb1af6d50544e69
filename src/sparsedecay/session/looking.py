"""Looking at what there is: calls of Snakemake that make nothing.

They too write, into `.snakemake` (marks, and what it knows of files). Someone else's folder is
therefore looked at from another place, where its files stand as links.
"""

import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from snakemake.cli import get_argument_parser

from sparsedecay.errors import UserError

LOOKS = (
    *("dryrun", "dag", "rulegraph", "filegraph", "d3dag", "summary", "detailed_summary", "report"),
    *("lint", "list_rules", "list_target_rules", "list_changes", "list_input_changes"),
    *("list_params_changes", "print_compilation"),
)
"""Snakemake's options, by the names that its parser gives them."""
SNAKEMAKE = ".snakemake"
KNOWN = ("metadata", "incomplete")
"""What Snakemake knows of the files of a folder."""


def only_looks() -> bool:
    """By the arguments of this process: Snakemake reads the workflow before it tells it what for.
    A report with `--report-after-run` is made of new results."""
    asked, _ = get_argument_parser().parse_known_args(sys.argv[1:])
    if asked.report_after_run:
        return False
    return any(getattr(asked, name) not in (None, False) for name in LOOKS)


class Shown:
    """A folder that holds what another does, and in which Snakemake may write; it lasts as long as
    this object. Relative paths lead from `place` to the same files as from the other folder."""

    def __init__(self, folder: Path) -> None:
        """Raises:
        UserError: a report would be written there.
        """
        asked, _ = get_argument_parser().parse_known_args(sys.argv[1:])
        if asked.report and not asked.report.is_absolute():
            raise UserError(
                f"{folder.resolve()}: cannot be written; say where the report shall lie: "
                f"--report /another/folder/{asked.report.name}"
            )
        self._temporary = TemporaryDirectory(prefix="sparsedecay-")
        real, self.place = folder.resolve(), Path(self._temporary.name)
        for above, name in zip(reversed(real.parents), real.parts[1:], strict=True):
            linked(above, self.place, but=name)
            self.place /= name
            self.place.mkdir()
        linked(real, self.place, but=SNAKEMAKE)
        (self.place / SNAKEMAKE).mkdir()
        for name in KNOWN:
            if (real / SNAKEMAKE / name).is_dir():
                (self.place / SNAKEMAKE / name).symlink_to(real / SNAKEMAKE / name)


def linked(folder: Path, place: Path, but: str) -> None:
    """Links in `place` to all that a folder holds, as far as one may see it, but one thing."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.name != but:
                (place / entry.name).symlink_to(entry)
