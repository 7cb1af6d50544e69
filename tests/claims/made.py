"""Made-up networks: their tables as if measured, and what is asked of them.

By default every statement holds. A network is written once for each set of values and may stand in
several draws.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from sparsedecay.claims.networks import Reading, Statements, Trained
from sparsedecay.claims.rows import written
from sparsedecay.claims.statements import CLAIMS
from sparsedecay.files import paths
from sparsedecay.files.storage import write_table
from sparsedecay.files.tables import MATRICES, STATEMENTS, SUMMARY, TRAJECTORY

EARLY, LATE = 50, 200
"""Epochs of figures 3 and 4, and of figure 2."""
RECORDS = 25
"""Records that a milestone's trajectory ends with, two epochs apart."""
POINTS, D, WIDTHS = 10, 4, (24, 48)
MEAN_SQUARE = 0.5

Kind = tuple[str, str, float]
"""Network, regularizer, lam."""
EQ2, DECAY, NONE = (("representer", kind) for kind in ("eq2", "weight_decay", "none"))
DENSE_DECAY, DENSE_NONE = ("dense", "weight_decay", 1e-3), ("dense", "none", 0.0)
SHALLOW = [("shallow", "weight_decay", 1e-3, K) for K in WIDTHS]
DEEP: list[Kind] = [
    *((*EQ2, lam) for lam in (0.1, 1e-3, 1e-5)),
    *((*DECAY, lam) for lam in (0.1, 1e-3, 1e-5)),
    (*NONE, 0.0),
]
KINDS = [*DEEP, DENSE_DECAY, DENSE_NONE, *SHALLOW]


def usual(kind: tuple) -> dict[str, Any]:
    """Values of a network with which all statements hold."""
    network, regularizer, lam, *_ = kind
    values = {
        "mse": 0.4 if lam == 0.1 else 0.0001,
        "initial": 1.0,  # sparsity at epoch 0
        "early": 0.75,  # sparsity of W and V in the records before the last 20
        "sparsity": {"eq2": 0.25, "weight_decay": 0.5, "none": 1.0}[regularizer],
        "skips": 0.75,  # sparsity of C
        "diverged": None,
        "spike": None,  # sparsity of the last record, if another
        "largest": 0.15,
        "A": {  # the product W V, which is no trained matrix
            "sparsity": 0.25,
            "max_abs": 0.16,
            "rank": 9,
            "default_rank": 2,
            "stable_rank": 1.5,
            "alive": True,
            "linear_nodes": 6,
            "patterns": 2,
        },
        "on_spike": False,
        "distinct": [10, 5],
    }
    if regularizer == "eq2":
        values["A"] |= {"default_rank": 1, "stable_rank": 1.0, "linear_nodes": 1, "patterns": 1}
    if network == "dense":
        rank, sparsity = (1000, 1.0) if regularizer == "none" else (750, 0.5)
        values["A"] |= {"rank": rank, "default_rank": rank, "sparsity": sparsity, "max_abs": 0.15}
        values["A"] |= {"linear_nodes": None, "patterns": None}
    if network == "shallow":
        values |= {"distinct": [9]}
    return values


def groups(kind: tuple) -> tuple[str, ...]:
    """The groups of `claims.networks` that a network belongs to."""
    if kind[0] != "representer":
        return ("shallow",) if kind in SHALLOW else ("fig3",)
    return ("fig2", "fig3") if kind[2] in (0, 1e-3) else ("fig2",)


def network(folder: Path, kind: tuple, epochs: Iterable[int] = (), **values: Any) -> Trained:
    """Write a network's tables below a folder of results; `values` are those of `usual`."""
    shape, regularizer, lam, *width = kind
    shallow = shape == "shallow"
    epochs = tuple(epochs) or {"dense": (EARLY,), "shallow": (LATE,)}.get(shape, (EARLY, LATE))
    chosen = usual(kind) | values
    chosen["A"] = usual(kind)["A"] | values.get("A", {})
    tag = sha256(json.dumps([kind, epochs, chosen], sort_keys=True).encode()).hexdigest()[:10]
    trained = Trained(
        run=f"{shape}-{regularizer}-{lam:g}-{tag}",
        network="representer" if shallow else shape,
        regularizer=regularizer,
        lam=lam,
        L=1 if shallow else 2,
        K=width[0] if shallow else WIDTHS[-1],
        epochs=epochs,
        groups=groups(kind),
        first=EARLY,
    )
    if not (folder / "measure" / trained.run).exists():
        for epoch in sorted({EARLY, *epochs}):
            write(folder, trained, epoch, chosen)
    return trained


def write(folder: Path, one: Trained, epoch: int, values: dict[str, Any]) -> None:
    """The tables of one milestone."""
    names = ("W1", "V1", "C1") if one.L == 1 else ("W1", "V1", "C1", "W2", "V2", "C2")
    names = ("W1", "A2", "C1", "V2") if one.network == "dense" else names
    about = {"run": one.run, "epoch": epoch}
    told = ("network", "regularizer", "lam", "L", "K")
    summary = about | {name: getattr(one, name) for name in told} | {"d": D, "points": POINTS}
    # `mse` of the epoch itself is no number that a statement looks at
    summary |= {"target_mean_square": MEAN_SQUARE, "mse_tail_median": values["mse"], "mse": 7.0}
    summary |= {"on_spike": values["on_spike"], "distinct_neurons": values["distinct"]}
    if values["diverged"] is not None and epoch >= values["diverged"]:
        summary |= {"diverged": values["diverged"], "mse": None, "mse_tail_median": None}
        summary |= {"on_spike": None, "distinct_neurons": None}
    matrices = [
        {**about, "matrix": name, "max_abs": values["largest"]} for name in names if name != "A2"
    ]
    if one.L == 2:
        between = {"matrix": "A2", "rows": 1000, "columns": 2000}
        matrices.append(about | between | values["A"])
    records = [(epoch - 2 * i, values["sparsity"]) for i in reversed(range(RECORDS))]
    records = [(e, s if i >= 5 else values["early"]) for i, (e, s) in enumerate(records)]
    if epoch == EARLY:
        records.insert(0, (0, values["initial"]))
    if values["spike"] is not None:
        records[-1] = (epoch, values["spike"])
    trajectory = [
        {
            "run": one.run,
            "epoch": recorded,
            "measure": measure,
            "matrix": name,
            "value": (values["skips"] if name[0] == "C" else sparsity) if n == 0 else 5.0,
        }
        for recorded, sparsity in records
        for n, measure in enumerate(("sparsity", "max_abs"))
        for name in names
    ]
    for table, rows, schema in (
        ("summary", [summary], SUMMARY),
        ("matrices", matrices, MATRICES),
        ("trajectory", trajectory, TRAJECTORY),
    ):
        place = folder / Path(paths.measured(one.run, epoch, table)).relative_to("results")
        write_table(place, pa.Table.from_pylist(rows, schema=schema), {})


Changes = dict[tuple, dict[str, Any]]
"""Values by network: `{(*EQ2, 1e-3): {"mse": 0.2}}`."""


def draw(folder: Path, changes: Changes | None = None, lacking: Sequence[tuple] = ()) -> list:
    """The networks of one draw, but those that are lacking; `epochs` may stand among the values."""
    changes = changes or {}
    assert set(changes) <= set(KINDS)
    return [network(folder, kind, **changes.get(kind, {})) for kind in KINDS if kind not in lacking]


def reading(
    draws: Sequence = (), name="literal", title="the text", average_over=("W", "V")
) -> Reading:
    return Reading(name=name, title=title, average_over=average_over, draws=draws)


def asked(*readings: Reading, **changes: Any) -> Statements:
    """A request for the table of statements on these readings."""
    settings = {
        "lams": (0.1, 1e-3, 1e-5),
        "lam": 1e-3,
        "layer": 2,
        "epochs": {"fig2": LATE, "fig3": EARLY, "shallow": LATE},
        "readings": readings,
    }
    return Statements(**(settings | changes))


def table(
    verdicts: dict[tuple[str, str, int], str], seeds: dict[str, int], titles: dict[str, str]
) -> pd.DataFrame:
    """A table of statements with these verdicts by reading, claim and epoch; all others hold at the
    epoch that the text speaks of, and stand at no other. No two numbers in it are alike."""
    found, fresh = [], iter(range(101, 10_000))
    stated = {"fig2": LATE, "fig3": EARLY, "shallow": LATE}
    by_id = {claim.id: claim for claim in CLAIMS}
    usual = {(way, name, stated[c.epoch]): "holds" for way in seeds for name, c in by_id.items()}
    for (way, name, epoch), verdict in (usual | verdicts).items():
        claim, of_way = by_id[name], reading((), way, titles[way])
        values = {n: [next(fresh) / 1000] * seeds[way] for n in range(1, len(claim.parts) + 1)}
        draws = [()] * seeds[way]
        of_way = of_way.model_copy(update={"draws": draws})
        for row in written(claim, of_way, epoch, epoch == stated[claim.epoch], values):
            # the first part has the statement's verdict, others hold
            row |= {"claim_verdict": verdict, "verdict": verdict if row["part"] == 1 else "holds"}
            found.append(row | {"low": next(fresh) / 1000, "high": next(fresh) / 1000})
    return pa.Table.from_pylist(found, schema=STATEMENTS).to_pandas()
