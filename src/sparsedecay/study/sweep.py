"""A sweep: every combination of settings, each trained from several seeds.

grid = load_grid(config, study)
grid.settings[0]          the runs of the first setting, a draw each
grid.join                 what its tables are made from
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from sparsedecay.errors import UserError
from sparsedecay.measure.request import Group, Join
from sparsedecay.science import networks, regularizers
from sparsedecay.science.networks import NetworkName
from sparsedecay.science.regularizers import RegularizerName
from sparsedecay.science.run import Run
from sparsedecay.study.entries import Entry, overlaid, show
from sparsedecay.study.explain import Explainer, close
from sparsedecay.study.schema import json_schema
from sparsedecay.study.sections import KEYS, VARIABLE, Sweep
from sparsedecay.study.study import (
    Study,
    engine_rules,
    size_rules,
    training_rules,
    with_changes,
)
from sparsedecay.words import joined


@dataclass(frozen=True)
class Grid:
    """A sweep whose combinations are in order."""

    asked: Sweep
    study: Study
    """The config itself."""
    variants: list[Study]
    """One for each combination of values, the first keys of the config changing slowest."""

    @cached_property
    def settings(self) -> list[list[Run]]:
        """The runs of each setting, a draw each. Settings that train the same stand once."""
        found: dict[str, list[Run]] = {}
        for study in self.variants:
            draws = [study.draw(self.asked.vary, index) for index in range(self.asked.seeds)]
            for network, regularizer, lam in asked_networks(self.asked):
                if (first := self.run(draws[0], network, regularizer, lam)).id not in found:
                    rest = (self.run(one, network, regularizer, lam) for one in draws[1:])
                    found[first.id] = [first, *rest]
        return list(found.values())

    def run(
        self, study: Study, network: NetworkName, regularizer: RegularizerName, lam: float
    ) -> Run:
        """A run, with one value for all keys of other kinds of networks: dense ones have no `d`."""
        run = study.run(network, regularizer, lam)
        own = networks.KINDS[network].Keys.model_fields
        foreign = {
            key: getattr(self.study.network, key)
            for kind in networks.KINDS.values()
            for key in kind.Keys.model_fields
            if key not in own and key not in kind.neutral
        }
        if all(getattr(run.shape, key) == value for key, value in foreign.items()):
            return run
        return run.model_copy(update={"shape": run.shape.model_copy(update=foreign)})

    @cached_property
    def milestones(self) -> list[tuple[Run, int]]:
        """Every milestone that the tables are made from."""
        epochs = sorted(self.asked.milestones)
        return [(run, epoch) for runs in self.settings for run in runs for epoch in epochs]

    @property
    def join(self) -> Join:
        """What the tables are made from."""
        epochs = tuple(sorted(self.asked.milestones))
        ids = (tuple(run.id for run in runs) for runs in self.settings)
        return Join(groups=tuple(Group(runs=runs, epochs=epochs) for runs in ids))


def asked_networks(asked: Sweep) -> Iterator[tuple[NetworkName, RegularizerName, float]]:
    """Each network with its regularizer and lam; `none` does not depend on lam."""
    for panel in asked.networks:
        weighted = regularizers.KINDS[panel.regularizer].weighted
        for lam in asked.lam if weighted else (0.0,):
            yield panel.network, panel.regularizer, lam


def load_grid(config: Entry, study: Study) -> Grid | None:
    """The sweep of a config, if it has one.

    Raises:
        UserError: a key cannot be varied, or a combination of values is not allowed.
    """
    if study.sweep is None:
        return None
    settings: dict[str, Entry] = config.at(("sweep", "settings")).value
    for name, values in settings.items():
        check_key(name, values)
    own = bare(config)
    choices = product(*(values.value for values in settings.values()))
    combinations = (dict(zip(settings, values, strict=True)) for values in choices)
    variants = [combined(own, study.sweep, values) for values in combinations]
    return Grid(study.sweep, study, variants)


def check_key(name: str, values: Entry) -> None:
    """Whether a key can be varied, and its values are different ones.

    Raises:
        UserError: if not.
    """
    where = f"{values.place}: sweep.settings.{show(name)}"
    if name.endswith(".seed") and name.split(".")[0] in VARIABLE:
        raise UserError(f"{where}: seeds are counted by sweep.seeds and sweep.vary; remove it")
    if name not in KEYS:
        near = close(name.lower(), {key.lower(): key for key in KEYS}) or ""
        meant = [key for key in KEYS if key.lower() == near or key.split(".")[1] == name]
        own = [key for key in KEYS if key.split(".")[0] == name.split(".")[0]]
        remedy = f"allowed are {', '.join(own)}" if own else f"write one of {joined([*VARIABLE])}"
        remedy = f"did you mean {meant[0]}?" if len(meant) == 1 else remedy
        raise UserError(f"{where}: unknown key; {remedy}")
    plain = values.plain()
    if any(value in plain[:i] for i, value in enumerate(plain)):
        raise UserError(
            f"{where}: {values.written()} is not allowed: each value may stand only once"
        )


def bare(config: Entry) -> Entry:
    """The config without what asks for other runs than the sweep. A study has a figure, and the
    first one needs no runs."""
    figures = Entry(config.place, {"fig1": Entry(config.place, {"L": Entry(config.place, 1, "1")})})
    others = {name: e for name, e in config.value.items() if name not in ("claims", "sweep")}
    return Entry(config.place, others | {"figures": figures})


def combined(config: Entry, asked: Sweep, values: dict[str, Entry]) -> Study:
    """The study of a config with one combination of values, by keys such as `network.d`.

    Raises:
        UserError: it is not allowed; the message says where each value stands.
    """
    changes: dict[str, dict[str, Entry]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        changes.setdefault(section, {})[name] = value
    place = next(iter(values.values()), config).place
    told = ", ".join(f"{key} = {value.written()}" for key, value in values.items())
    what = f"{place}: sweep with {told or 'no settings'}"
    over = Entry(place, {name: Entry(place, section) for name, section in changes.items()})
    study = with_changes(config, over, place, what)
    runs = [study.run(*network) for network in asked_networks(asked)]
    if broken := [*training_rules(study, runs), *engine_rules(study, runs), *size_rules(runs)]:
        explainer = Explainer(overlaid(config, over), json_schema(Study), [place])
        raise UserError("\n".join([f"{what}:", *(explainer.broken((), one) for one in broken)]))
    return study
