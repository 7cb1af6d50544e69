"""The paper's experiment over several seeds, and for several readings of its text.

plan = load_plan([Path("config/config.yaml")])
plan.figures                        ["fig1", …, "replicate/fig2", …, "claims", "readings"]
plan.runs                           every run that any target needs, by id
plan.statements("readings")         what the table of statements is made from
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sparsedecay.claims.networks import NETWORKS, Reading, Statements, Trained
from sparsedecay.errors import UserError
from sparsedecay.figures import declared, find
from sparsedecay.figures.declaration import Explored, Proof, Request
from sparsedecay.figures.fig2 import Figure2
from sparsedecay.figures.matrices import TrainedMatrices
from sparsedecay.figures.radon import Film
from sparsedecay.files import fingerprint, paths
from sparsedecay.measure.request import Join
from sparsedecay.science.data import Data
from sparsedecay.science.networks import KINDS, build
from sparsedecay.science.run import Run, chain, predecessor
from sparsedecay.study import parse
from sparsedecay.study.entries import Entry, placed
from sparsedecay.study.readings import Variation, combined, load_readings
from sparsedecay.study.sections import Claims
from sparsedecay.study.study import Study, checked, last_epochs, read_config, shown
from sparsedecay.study.sweep import Grid, load_grid


def tested(study: Study) -> tuple[Claims, Figure2, TrainedMatrices]:
    """The sections of a study that say what statements are tested on."""
    fig2, fig3 = study.figures.section("fig2"), study.figures.section("fig3")
    if study.claims and isinstance(fig2, Figure2) and isinstance(fig3, TrainedMatrices):
        return study.claims, fig2, fig3
    raise ValueError("a study without claims")


def networks(study: Study, instead: Mapping[str, str]) -> list[tuple[Run, Trained]]:
    """Each network that statements are tested on, with its milestones and groups; `instead` as in
    `Variation`."""
    found: dict[str, tuple[Run, set[int], dict[str, None]]] = {}
    for name, group in NETWORKS.items():
        for run, milestones in group.runs(study):
            _, epochs, groups = found.setdefault(run.id, (run, set(), {}))
            epochs.update(milestones)
            groups[name] = None
    return [
        (
            (trained := standing_in(run, instead)),
            Trained(
                run=trained.id,
                network=run.network,
                regularizer=run.regularizer,
                lam=run.lam,
                L=run.shape.L,
                K=run.shape.K,
                epochs=tuple(sorted(epochs)),
                groups=tuple(groups),
                first=chain(min(epochs), run.stride)[0],
            ),
        )
        for run, epochs, groups in found.values()
    ]


def standing_in(run: Run, instead: Mapping[str, str]) -> Run:
    """The run with the regularizer that stands in for its own, if one does."""
    if run.regularizer not in instead:
        return run
    return run.model_copy(update={"regularizer": instead[run.regularizer]}).literal()


@dataclass(frozen=True)
class Plan:
    """All that the workflow can be asked for with a config."""

    study: Study
    variations: list[Variation]
    """The readings, the literal one first; empty if the config has no section `claims`."""
    grid: Grid | None = None
    """The sweep, if the config has one."""

    @cached_property
    def figures(self) -> list[str]:
        """Names of all figures: those of the config, of several seeds, of the statements."""
        names = self.study.figures.names
        if not self.study.claims:
            return names
        seeds = [f"replicate/{name}" for name in names if find(name).replicated]
        return [*names, *seeds, *(name for name, one in declared().items() if not one.section)]

    @property
    def replicated(self) -> list[str]:
        """Figures of several seeds, and that of the statements tested on them."""
        return [name for name in self.figures if name == "claims" or "/" in name]

    def category(self, name: str) -> str:
        """Where the report lists a figure."""
        return "Several draws" if "/" in name else find(name).category

    def caption(self, name: str) -> str:
        """What the report says of a figure, but for the runs it shows."""
        return find(Path(name).name).caption(draws="/" in name)

    def request(self, name: str) -> Request[Any]:
        """What a figure is asked to show."""
        figure = Path(name).name
        request = self.study.request(figure)
        if figure == name:
            return request
        seeds = tested(self.study)[0].seeds
        draws = [self.drawn(self.study, i).request(figure).shown for i in range(seeds)]
        return request.model_copy(update={"draws": tuple(draws)})

    def weights_in(self, name: str) -> list[Run]:
        """The runs whose weights a figure reads."""
        places = [Path(file).parts for file in self.request(name).files]
        read = {parts[2] for parts in places if parts[1] == "train" and "state" in parts[-1]}
        return [self.runs[run] for run in sorted(read)]

    def drawn(self, study: Study, index: int) -> Study:
        """The study with the seeds of its draw `index` (from 0), where these vary."""
        return study.draw(tested(study)[0].vary, index)

    def chosen(self, table: str) -> Iterator[tuple[Variation, list[list[tuple[Run, Trained]]]]]:
        """The readings of a table of statements, each with the networks of its draws. Of `search`
        all that the screen may keep."""
        if not (claims := self.study.claims):
            return
        search = table in ("screen", "search")
        variations = self.searched if search else self.variations
        count = claims.seeds if table == "claims" else claims.reading_seeds
        if table == "screen" and claims.search:
            count = claims.search.seeds
        for variation in variations[:1] if table == "claims" else variations:
            draws = (self.drawn(variation.study, i) for i in range(count))
            found = [networks(draw, variation.instead) for draw in draws]
            yield variation, [*map(self.screened, found)] if table == "screen" else found

    def screened(self, found: list[tuple[Run, Trained]]) -> list[tuple[Run, Trained]]:
        """Those of figure 3 that are factorised, to its epoch."""
        fig3 = tested(self.study)[2]
        return [
            (run, one.model_copy(update={"epochs": (fig3.epoch,)}))
            for run, one in found
            if "fig3" in one.groups and KINDS[one.network].factorised
        ]

    @cached_property
    def searched(self) -> list[Variation]:
        """Readings and their combinations; none if the config asks for no search."""
        search = tested(self.study)[0].search
        return combined(self.variations, search.combine) if search else []

    def statements(self, table: str) -> Statements:
        """What a table of statements is made from: `claims`, `readings`, `screen` or `search`."""
        _, fig2, fig3 = tested(self.study)
        return Statements(
            lams=fig2.lam,
            lam=fig3.lam,
            layer=fig3.layer,
            epochs={name: group.epoch(self.study) for name, group in NETWORKS.items()},
            partial=table == "screen",
            readings=tuple(
                Reading(
                    name=variation.name,
                    title=variation.title,
                    average_over=variation.study.measures.average_over,
                    draws=tuple(tuple(one for _, one in draw) for draw in draws),
                )
                for variation, draws in self.chosen(table)
            ),
        )

    @property
    def film(self) -> Film:
        """The networks of figure `radon`, to its last epoch."""
        pairs = self.study.milestones("radon")
        runs = {run.id: run for run, _ in pairs}
        return Film(runs=tuple(runs.values()), epoch=max(epoch for _, epoch in pairs))

    @property
    def film_code(self) -> str:
        """The code that decides the animation."""
        trained = [fingerprint.training(run) for run in self.film.runs]
        return " ".join([fingerprint.code("extras.film", "figures.functions"), *trained])

    @property
    def explored(self) -> Explored:
        """All milestones that some figure shows, run by run, with those on the way."""
        runs = [
            tuple(shown(run, step) for step in chain(last, run.stride))
            for run, last in ((self.study.runs[name], last) for name, last in self.longest)
        ]
        return Explored(runs=tuple(runs), measures=self.study.measures)

    @property
    def longest(self) -> list[tuple[str, int]]:
        """Runs that some figure shows, and their last epoch there."""
        return list(last_epochs(self.study.shown).items())

    def asked(self, name: str) -> Request[Any] | Statements | Join | Film | Explored:
        """What stands in `paths.request(name)`: figures/fig2, statements/claims, film, explore or
        sweep."""
        kind, _, what = name.partition("/")
        if name == "film":
            return self.film
        if name == "explore":
            return self.explored
        if kind == "figures":
            return self.request(what)
        if kind == "statements":
            return self.statements(what)
        if self.grid is None:
            raise ValueError("a study without a sweep")
        return self.grid.join

    @property
    def about(self) -> str:
        """What the page on the method tells of the config, as JSON: no sweep, no archive."""
        values = self.study.model_dump(mode="json", exclude={"archive", "sweep"})
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @cached_property
    def milestones(self) -> dict[str, list[tuple[Run, int]]]:
        """Every milestone that a target needs, by target."""
        return {
            "figures": self.study.shown,
            "replicate": self.tested("claims"),
            "readings": self.tested("readings"),
            "screen": self.tested("screen"),
            "search": self.tested("search"),
            "sweep": self.grid.milestones if self.grid else [],
        }

    def tested(self, table: str) -> list[tuple[Run, int]]:
        """Every milestone that a table of statements is made from, each once."""
        found = (
            (run, epoch)
            for _, draws in self.chosen(table)
            for draw in draws
            for run, one in draw
            for epoch in one.epochs
        )
        return list({(run.id, epoch): (run, epoch) for run, epoch in found}.values())

    @cached_property
    def runs(self) -> dict[str, Run]:
        """Every run that some target needs, by id."""
        return {run.id: run for pairs in self.milestones.values() for run, _ in pairs}

    @cached_property
    def last_epochs(self) -> dict[str, int]:
        """The last milestone that some target needs of each run, by id."""
        return last_epochs(pair for pairs in self.milestones.values() for pair in pairs)

    @cached_property
    def proofs(self) -> dict[str, Proof]:
        """Every global optimum that some figure needs, by the id of its problem, with the smallest
        gap and slack that any asks for.

        Raises:
            UserError: there is no proof for a network of a figure that asks for one, and why.
        """
        found: dict[str, Proof] = {}
        for one in (one for name in self.study.figures.names for one in self.study.proofs(name)):
            other = found.get(one.problem.id, one)
            slacks = [slack for slack in (one.slack, other.slack) if slack is not None]
            slack = min(slacks, default=None)
            found[one.problem.id] = Proof(one.problem, min(one.gap, other.gap), slack)
        return found

    @cached_property
    def data_sets(self) -> dict[str, Data]:
        """All data sets, by id."""
        return {run.data.id: run.data for run in self.runs.values()}

    def work_left(self, run: Run, epoch: int) -> int:
        """Parameters times epochs from the stretch that ends at `epoch` to the end of training."""
        last = max(epoch, self.last_epochs.get(run.id, 0))
        return build(run).size * (last - predecessor(epoch, run.stride))


def tables_read(statements: Statements) -> list[str]:
    """The files that a table of statements is made from."""
    files = []
    for reading in statements.readings:
        for one in (one for draw in reading.draws for one in draw):
            files.append(paths.measured(one.run, one.first, "trajectory"))
            for epoch in one.epochs:
                tables = ("summary", "matrices", "trajectory")
                files += [paths.measured(one.run, epoch, table) for table in tables]
    return list(dict.fromkeys(files))


def load_plan(files: Sequence[Path], overrides: Mapping[str, Any] | None = None) -> Plan:
    """The plan for the given config files, later ones over earlier ones, then the overrides.

    Raises:
        UserError: as `load_study`, also for the file of readings.
    """
    config, sources = read_config(files, overrides)
    return planned(config, sources, Path(files[0]).parent)


def plan_of(values: Mapping[str, Any], name: str, folder: Path) -> Plan:
    """The plan for a config that is no file, as that of a Snakemake module.

    Args:
        name: what messages call it.
        folder: where the files lie that it names.

    Raises:
        UserError: as `load_plan`.
    """
    config = placed(parse.overrides(values, name), folder)
    return planned(config, [name], folder)


def planned(config: Entry, sources: list[str], folder: Path) -> Plan:
    """The plan for a config, with the files that it names in a folder.

    Raises:
        UserError: as `load_plan`.
    """
    study = checked(config, sources)
    grid = load_grid(config, study)
    if not study.claims:
        return Plan(study, [], grid)
    file = folder / study.claims.readings
    if not file.exists():
        said = config.at(("claims", "readings"))
        raise UserError(
            f"{said.place}: claims.readings: {said.written()} is not there ({file}: no such file); "
            "a config needs the files that it names beside it, so copy that too, or leave the "
            "section claims out"
        )
    return Plan(study, load_readings(file, config, study), grid)
