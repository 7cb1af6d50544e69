import os
import sys
from pathlib import Path

# The code beside this workflow is the code that runs, also where another copy is installed.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(Path(workflow.basedir) / "src"), os.environ.get("PYTHONPATH")])
)
# Jobs find `sparsedecay` although the environment is not activated.
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

from snakemake.exceptions import WorkflowError

from sparsedecay import paths
from sparsedecay.errors import UserError
from sparsedecay.provenance import code
from sparsedecay.runs import predecessor
from sparsedecay.study import files_read, load_study

try:
    study = load_study(
        workflow.configfiles or [Path("config/config.yaml")], workflow.config_settings.config
    )
except UserError as error:
    raise WorkflowError(str(error))


def run_of(wildcards):
    """The run that a job belongs to."""
    try:
        return study.runs[wildcards.run]
    except KeyError:
        raise WorkflowError(
            f"{wildcards.run}: the config has no such run. It has:\n" + "\n".join(study.runs)
        )


wildcard_constraints:
    run=r"[\w.-]+",
    epoch=r"[1-9]\d*",
    figure=r"fig\d",
