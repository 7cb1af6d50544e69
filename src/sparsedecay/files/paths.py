"""Where everything lies: `results/<stage>/<what>`, one definition for rules, stages and people.

Each function also takes Snakemake's wildcards: state("{run}", "{epoch}").
"""

TABLES = ("trajectory", "spectra", "matrices", "summary")
"""Tables measured at each milestone."""
MERGED = ("summary", "matrices")
"""Tables joined over all milestones that some figure shows."""


def data(data: str) -> str:
    return f"results/data/{data}/data.parquet"


def state(run: str, epoch: int | str) -> str:
    """Parameters and Adam's moments at a milestone."""
    return f"results/train/{run}/{epoch}/state.safetensors"


def loss(run: str, epoch: int | str) -> str:
    """Loss at the recorded epochs since the previous milestone."""
    return f"results/train/{run}/{epoch}/loss.parquet"


def magnitudes(run: str, epoch: int | str) -> str:
    """Counts of weights by magnitude at the recorded epochs since the previous milestone."""
    return f"results/train/{run}/{epoch}/magnitudes.parquet"


def checkpoint(run: str, epoch: int | str) -> str:
    """State of a job under way; no declared output, so that it outlives a killed job."""
    return f"results/checkpoints/{run}/{epoch}.safetensors"


def progress(run: str, epoch: int | str) -> str:
    """How far a job under way is, for the terminal."""
    return f"results/progress/{run}/{epoch}.json"


def measured(run: str, epoch: int | str, table: str) -> str:
    return f"results/measure/{run}/{epoch}/{table}.parquet"


def merged(table: str) -> str:
    return f"results/measure/{table}.parquet"


def statements(table: str) -> str:
    """The table of statements: `claims` of the literal reading, `readings` of all; of a search
    `screen`, and `search` of those that were kept."""
    return f"results/claims/{table}.parquet"


KEPT = "results/claims/kept.json"
"""Names of the readings that a search keeps after its screen."""


def request(name: str) -> str:
    """What a figure, a table of statements or the tables of a sweep are made from, as JSON."""
    return f"results/requests/{name}.json"


def swept(table: str) -> str:
    """A table of all runs of the sweep."""
    return f"results/sweep/{table}.parquet"


def optimum(problem: str, name: str) -> str:
    """A file of a certified optimum: `optimum.parquet`, and the networks `optimum.safetensors` and
    `sparsest.safetensors`."""
    return f"results/optimum/{problem}/{name}"


def certificate(run: str, epoch: int | str) -> str:
    """How far a milestone is from the optimum."""
    return f"results/optimum/certificates/{run}/{epoch}.parquet"


def figure(name: str, ending: str) -> str:
    return f"figures/{name}.{ending}"


def film() -> str:
    """The animation of figure `radon`."""
    return "figures/radon.gif"


def explore() -> str:
    """All milestones that figures show, in one page."""
    return "results/explore.html"


def archive(version: str) -> str:
    """The package of this version of sparsedecay."""
    return f"results/archive/sparsedecay-{version}.zip"


def log(stage: str, *names: int | str) -> str:
    return "/".join(["results/logs", stage, *map(str, names)]) + ".log"


def benchmark(stage: str, *names: int | str) -> str:
    return "/".join(["results/benchmarks", stage, *map(str, names)]) + ".jsonl"
