import os
import sys
from pathlib import Path
from importlib.metadata import version
from shlex import quote

# Another workflow may hold these rules, as a module or by an include (docs/module.md).
MODULE = None if workflow.modifier.is_main_snakefile() else workflow.modifier.namespace
HOUSE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]
# From a host of git repositories there are the rules alone: all else is the installed package's.
HOSTED = not HOUSE.is_dir()
if HOSTED:
    from sparsedecay.files.project import PROJECT as HOUSE
GUEST = bool(MODULE) or HOSTED or not HOUSE.samefile(workflow.basedir)
if not GUEST:
    HOUSE = Path(workflow.basedir)

# The code beside this workflow is the code that runs, also where another copy is installed, and
# jobs find it although the environment is not activated. In a package from a wheel the workflow
# lies within the code.
CLONE = (HOUSE / "src").is_dir()
SOURCE = HOUSE / "src" if CLONE else HOUSE.parents[1]
BIN = Path(sys.executable).parent
if CLONE:
    sys.path.insert(0, str(SOURCE))
from sparsedecay import foreign

foreign.ignore()
beside = f" PYTHONPATH={quote(str(SOURCE))}" if CLONE else ""
shell.prefix(f"export PATH={quote(str(BIN))}:$PATH{beside}; ")

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import available_cpu_count
from snakemake_interface_executor_plugins.settings import ExecMode
from snakemake_executor_plugin_slurm import ExecutorSettings as SlurmSettings

from sparsedecay.claims.networks import read_kept
from sparsedecay.engines import ENGINES, chosen
from sparsedecay.errors import UserError
from sparsedecay.extras.archive.contents import config_in, source, wanted
from sparsedecay.files import fingerprint, paths
from sparsedecay.files.machine import cores, memory_mb
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.storage import sealed_request
from sparsedecay.science.convex.problem import Posed
from sparsedecay.science.run import predecessor
from sparsedecay.session import session_in
from sparsedecay.session.looking import only_looks
from sparsedecay.study.check import instead
from sparsedecay.study.plan import load_plan, plan_of, tables_read
from sparsedecay.study.resources import measured_in
from sparsedecay.study.resources import load as load_needs
from sparsedecay.train import stretch
from sparsedecay.train.kept import tidy


def end(message):
    """End Snakemake with one message. An error that is raised is shown between lines of this file."""
    logger.error(message)
    sys.exit(1)


def or_end(step, *arguments):
    """Do something; a user's mistake ends Snakemake."""
    try:
        return step(*arguments)
    except UserError as error:
        end(str(error))


if not Path(paths.__file__).resolve().is_relative_to(SOURCE.resolve()):
    end(
        f"{Path(paths.__file__).parent} is the code of another copy of this project, and would run "
        f"instead of {SOURCE}. "
        + (
            f"Install this copy: pip install --no-deps --editable {HOUSE}"
            if CLONE
            else "Call the Snakemake of the environment that this one is installed in"
        )
    )
for rules in (HOUSE / "workflow/rules").glob("*.smk") if HOSTED else ():
    with workflow.sourcecache.open(workflow.current_basedir.join(rules.name)) as file:
        if file.read().strip() != rules.read_text("utf-8").strip():
            end(
                f"{workflow.current_basedir}: these rules are of another version than the package "
                f"that is installed, {Path(paths.__file__).parents[1]}; install that of the rules"
            )

needs = or_end(load_needs, measured_in(Path()))
CONFIGS = workflow.configfiles or [Path(workflow.basedir) / "config/config.yaml"]
if MODULE is None:
    plan = or_end(
        load_plan,
        [Path(os.path.relpath(file)) for file in CONFIGS],
        workflow.config_settings.config,
    )
else:
    if not config:
        end(f"module {MODULE}: has no config; add to it `config: config`, or a dict of its own")
    BESIDE = Path(os.path.relpath(CONFIGS[0])).parent if workflow.configfiles else Path()
    plan = or_end(plan_of, config, f"config of module {MODULE}", BESIDE)
study = plan.study

# Whether there is a cache between folders, for data and milestones (docs/archive.md). Without one
# Snakemake would tell every user of it.
SHARED = "SNAKEMAKE_OUTPUT_CACHE" in os.environ


# Runs that a message lists.
MOST_RUNS = 20
NOTHING = {
    "claims": "nothing to replicate; copy it from config/config.yaml",
    "search": "nothing to search; add `claims.search` as config/config.yaml has it",
    "archive": "nothing to pack; copy it from config/config.yaml",
    "figures.optimum": "nothing to certify; lay an example over it: --configfile "
    "config/config.yaml config/optimum.yaml",
    "figures.radon": "nothing to film; copy it from config/config.yaml",
    "sweep": "nothing to join; lay an example over it: --configfile config/config.yaml "
    "config/sweep.yaml",
}


def run_of(wildcards):
    """The run that a job belongs to."""
    if wildcards.run not in plan.runs:
        known = "\n  ".join(list(plan.runs)[:MOST_RUNS]) or "none"
        more = f"\n  … and {n - MOST_RUNS:,} more" if (n := len(plan.runs)) > MOST_RUNS else ""
        raise WorkflowError(
            f"{wildcards.run}: no run of this config. Its runs are:\n  {known}{more}"
        )
    return plan.runs[wildcards.run]


def posed_of(run):
    """The convex problem that training a run is equal to."""
    if RESULTS != "results" and run.data.name == "file":
        end(
            f"module {MODULE}: under a prefix no optimum of data of kind `file` is looked for; take "
            "a folder without a prefix, or leave the section figures.optimum out"
        )
    return or_end(Posed.of, run)


def proof_of(wildcards):
    """The optimum that a figure asks for, by the id of its problem."""
    known = or_end(lambda: plan.proofs)
    if wildcards.problem not in known:
        told = "\n  ".join(list(known)[:MOST_RUNS]) or "none"
        raise WorkflowError(f"{wildcards.problem}: no problem of this config. It has:\n  {told}")
    return known[wildcards.problem]


def of_section(name, files):
    """The files, if the config has the section that asks for them."""
    within = {"search": study.claims, "figures": study.figures}.get(name.split(".")[0], study)
    if not getattr(within, name.rpartition(".")[2], None):
        end(f"The config has no section `{name}`, so there is {NOTHING[name]}.")
    return files


def explored():
    """What the page of all runs is made from."""
    if not study.shown:
        end("No figure of the config shows a trained network, so there is nothing to explore.")
    return plan.explored.files


def tested(statements):
    """What a table of statements is made from; of a search only the readings that are kept."""
    asked = plan.statements(statements)
    if statements != "search":
        return asked
    return asked.only(or_end(read_kept, Path(checkpoints.keep.get().output[0])))


def asks(for_job):
    """Memory and time that a scheduler is asked for, by a function of wildcards and attempt."""
    return dict(
        mem_mb=lambda wildcards, attempt: for_job(wildcards, attempt).mem_mb,
        runtime=lambda wildcards, attempt: for_job(wildcards, attempt).minutes,
    )


def for_training(wildcards, attempt):
    """What a training job asks for, with the engine that will train."""
    run, epoch = run_of(wildcards), int(wildcards.epoch)
    engine, _ = chosen(run, study.training.engine, study.training.device)
    need = needs.batch if engine.name == "batched" else needs.train
    return need(run, epoch - predecessor(epoch, run.stride), attempt, engine.slowdown)


def device():
    """The accelerator that training asks for, if it uses one: on this machine one job at a time."""
    asked = study.training
    accelerated = asked.engine == "batched" and asked.device != "cpu"
    if not accelerated or ENGINES["batched"].missing(asked.device):
        return {}

    def of(wildcards, some, none):
        engine, _ = chosen(run_of(wildcards), asked.engine, asked.device)
        return some if engine.name == "batched" else none

    if on_this_machine:
        return {"gpu": lambda wildcards: of(wildcards, 1, 0)}
    return {"gres": lambda wildcards: of(wildcards, "gpu:1", "")}


def for_figure(wildcards, attempt):
    """What drawing a figure asks for, by the networks whose weights it shows."""
    return needs.draw(plan.weights_in(wildcards.figure), attempt)


def for_rule(name):
    """What the jobs of another rule ask for."""
    return asks(lambda wildcards, attempt: needs.rule(name, attempt))


def asked_by(job):
    """What a job of the rule `train` is asked for."""
    run, epoch = job.wildcards.run, int(job.wildcards.epoch)
    before = job.input.previous
    places = dict(data=job.input.data, previous=before[0] if before else None)
    places |= {name: job.output[name] for name in ("state", "loss", "magnitudes")}
    places["checkpoint"] = f"{PLACE}/checkpoints/{run}/{epoch}.safetensors"
    places["benchmark"] = f"{PLACE}/benchmarks/train/{run}/{epoch}.jsonl"
    return stretch.Asked(plan.runs[run].canonical(), epoch, places)


def before_jobs():
    """Be alone, on a machine whose clock is right, with a scheduler that takes the jobs; tell which
    engine trains if it is another than the one asked for."""
    slurm = isinstance(workflow.executor_settings, SlurmSettings)
    or_end(session.start, workflow.dag, slurm)
    # a module's rules may have other names
    jobs = [job for job in workflow.dag.needrun_jobs() if "state" in job.output.keys()]
    runs = {job.wildcards.run for job in jobs}
    trained = {run: plan.runs[run] for run in plan.runs if run in runs}
    # Jobs find here what else they may train. What a cache may hold, none trains for another.
    # Another module's are in a list of its own.
    listed = [job for job in jobs if str(job.output.state).startswith(f"{PLACE}/")]
    listed.sort(key=lambda job: job.priority, reverse=True)
    stretch.write_asked(
        Path(PLACE, "checkpoints", stretch.LISTED),
        [] if SHARED else [asked_by(job) for job in listed],
    )
    for line in instead(study.training, trained.values()):
        logger.warning(line)
    if on_this_machine:
        limit = workflow.global_resources["mem_mb"].value
        or_end(needs.fit, trained.values(), max(limit, memory_mb()))


# Nodes are the limit of other executors than Snakemake itself.
on_this_machine = workflow.resource_settings.nodes is None
session = session_in(Path(), logger.info)
if workflow.exec_mode == ExecMode.DEFAULT and workflow.is_main_process:
    looks = only_looks()
    or_end(session.open, looks)
    if MODULE and not looks:
        # Snakemake runs no `onstart` of a module.
        or_end(session.alone)
    if on_this_machine:
        # So many jobs run side by side as there is memory for, and cores in this container.
        if workflow.global_resources.get("mem_mb").value is None:
            workflow.register_resource("mem_mb", memory_mb())
        if workflow.global_resources.get("gpu").value is None:
            workflow.register_resource("gpu", 1)
        if workflow.resource_settings.cores == available_cpu_count():
            workflow.register_resource("_cores", cores())


PROJECT = Path(os.path.relpath(HOUSE))
CONFIG = os.path.relpath(CONFIGS[0])

# Where a module's prefix, or another in the place of one, puts what the rules make; Snakemake itself
# changes no shell command.
PLACE, FIGURES = (
    os.path.dirname(workflow.modifier.modify_path(f"{name}/_")) for name in ("results", "figures")
)
RESULTS, FIGURES = quote(PLACE), quote(FIGURES)
# Shell commands of a module see no variables of it. Otherwise their text, which Snakemake compares,
# stays as it was when finished results were made.
ASKED = "study.training" if MODULE is None else "params"
READ = "" if RESULTS == "results" else f" --results {RESULTS}"
LISTED = f"{RESULTS}/checkpoints/{stretch.LISTED}"


def own(file):
    """A file of this project, which no prefix of a module moves."""
    path = str(PROJECT / file)
    return local(path) if GUEST else path


def archived(wildcards):
    """The files that the targets of the archive make."""
    if GUEST:
        end(
            "An archive holds the whole project, and this folder has its rules from elsewhere "
            f"({HOUSE}): pack it in a clone, with this config."
        )
    if len(workflow.configfiles) > 1 or workflow.config_settings.config:
        end(
            "An archive holds the results of one config file: write the values of several files, "
            "or of --config, into one below config/."
        )
    section = of_section("archive", study.archive)
    or_end(lambda: config_in(source(PROJECT), Path(CONFIG), study))
    return [file for target in section.targets for file in wanted(plan, target)]


def previous_state(run, epoch):
    """The state that training to a milestone starts from, if it is not the initialisation."""
    start = predecessor(epoch, run.stride)
    return [paths.state(run.id, start)] if start else []


wildcard_constraints:
    run=r"[\w.-]+",
    epoch=r"[1-9]\d*",
    figure="|".join(plan.figures),
    data=r"[\w-]+",
    problem=r"[\w.-]+",
    table="|".join(paths.TABLES),
    request=r"[\w/]+",
    statements="claims|readings|screen|search",


if session.shown:
    # The paths above lead to the same files from there.
    os.chdir(session.shown.place)
