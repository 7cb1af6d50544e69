import os
import sys
from pathlib import Path
from shlex import quote

# The code beside this workflow is the code that runs, also where another copy is installed, and
# jobs find it although the environment is not activated.
SOURCE = Path(workflow.basedir) / "src"
BIN = Path(sys.executable).parent
sys.path.insert(0, str(SOURCE))
shell.prefix(f"export PATH={quote(str(BIN))}:$PATH PYTHONPATH={quote(str(SOURCE))}; ")

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from sparsedecay import paths
from sparsedecay.errors import UserError
from sparsedecay.provenance import code
from sparsedecay.runs import predecessor
from sparsedecay.study import files_read, load_study

if not Path(paths.__file__).resolve().is_relative_to(SOURCE.resolve()):
    logger.error(
        f"{Path(paths.__file__).parent} is the code of another copy of this project, and would run "
        f"instead of {SOURCE}. Install this copy: pip install --no-deps --editable {workflow.basedir}"
    )
    sys.exit(1)

try:
    study = load_study(
        [
            Path(os.path.relpath(file))
            for file in workflow.configfiles or [Path(workflow.basedir) / "config/config.yaml"]
        ],
        workflow.config_settings.config,
    )
except UserError as error:
    # Raised as an error it would be shown between lines about this file.
    logger.error(str(error))
    sys.exit(1)


def run_of(wildcards):
    """The run that a job belongs to."""
    if wildcards.run not in study.runs:
        known = "\n  ".join(study.runs) or "none"
        raise WorkflowError(f"{wildcards.run}: no run of this config. Its runs are:\n  {known}")
    return study.runs[wildcards.run]


def previous_state(run, epoch):
    """The state that training to a milestone starts from, if it is not the initialisation."""
    start = predecessor(epoch, run.stride)
    return [paths.state(run.id, start)] if start else []


wildcard_constraints:
    run=r"[\w.-]+",
    epoch=r"[1-9]\d*",
    figure="|".join(study.figures.names),
    data=r"[\w-]+",
    table="|".join(paths.TABLES),
