"""The phase diagram, read back from its cells."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from sparsedecay.errors import UserError
from sparsedecay.figures import heat, phase
from sparsedecay.files import paths
from sparsedecay.files.tables import MATRICES, OPTIMA, SUMMARY
from sparsedecay.study.plan import Plan
from sparsedecay.study.study import load_study
from tests.figures.made import SMOKE, put, rendered, texts

SECTION = {
    "regularizer": "weight_decay",
    "lam": [0.1, 0.01],
    "K": [4, 8],
    "points": [3, 6],
    "layers": [1, 2],
    "draws": 3,
    "epoch": 80,
    "fits": 0.1,
    "certified": 3,
    "gap": 1e-3,
}
BOX = {"kind": "box", "range": [-1, 1], "points": 5, "dimension": 2, "target_range": [-1, 1]}
USUAL = {"active": 2, "distinct": 1, "relative_mse": 0.01, "objective": 2.0, "rank": 2}


def asked(data=None, optimum=None, optimizer=None, **changes):
    figures = {"fig1": {}, "fig2": None, "fig3": None, "fig4": None, "optimum": optimum}
    figures |= {"phase": SECTION | changes}
    return load_study(
        [SMOKE],
        {
            "data": data or BOX | {"seed": 7},
            "training": {"epochs": 80, "stride": 40},
            "optimizer": optimizer or {},
            "figures": figures,
            "claims": None,
            "archive": None,
        },
    )


def test_its_runs_cover_the_grid():
    one = asked()
    runs = [run for run, epoch in one.milestones("phase") if epoch == 80]
    assert len({run.id for run in runs}) == len(runs) == 2 * 2 * 2 * 2 * 3
    places = {(r.shape.L, r.lam, r.shape.K, r.data.points, r.seeds) for r in runs}
    assert places == {
        (L, lam, K, N, (7 + draw, one.initialization.seed + draw))
        for L in (1, 2) for lam in (0.1, 0.01) for K in (4, 8) for N in (3, 6) for draw in range(3)
    }  # fmt: skip
    assert {run.shape.d for run in runs if run.shape.L == 2} == {one.network.d}
    assert {run.network for run in runs} == {"representer"}


def test_one_proof_serves_all_widths():
    request = asked().request("phase")
    assert len(request.bounds) == 2 * 3, "of each lam and draw, with 3 points"
    files = [paths.optimum(bound.problem, "optimum.parquet") for bound in request.bounds]
    assert set(files) <= set(request.files)
    assert type(request).model_validate_json(request.canonical()) == request
    assert {run.data.points for run, _ in asked().milestones("phase") if run.data.id in {
        bound.data for bound in request.bounds}} == {3}  # fmt: skip
    for without in ({"certified": 2}, {"layers": [2]}):
        assert asked(**without).request("phase").bounds == ()


def test_two_figures_share_a_proof():
    """It serves both: the smaller gap, and the slack that only one of them has."""
    optimum = {"K": [4], "lam": [0.1], "regularizers": ["weight_decay"], "seeds": 1, "epoch": 80}
    optimum |= {"gap": 1e-2, "slack": 0.25}
    one = asked(data=BOX | {"points": 3, "seed": 7}, optimum=optimum)
    proofs = Plan(one, []).proofs
    (shared,) = {p.problem.id for p in one.proofs("optimum")}
    assert len(proofs) == 6
    assert proofs[shared].options == "--gap 0.001 --slack 0.25"
    assert {p.options for name, p in proofs.items() if name != shared} == {"--gap 0.001"}


def table(point) -> list[dict]:
    """What the three draws of a cell came to, by L, lam, K and N."""
    special = {
        (1, 0.1, 4, 3): [{"active": a, "objective": o} for a, o in ((1, 1), (2, 1.25), (4, 2))],
        (1, 0.1, 8, 3): [{"active": 0, "distinct": 0, "relative_mse": 1.0}] * 3,
        (1, 0.1, 4, 6): [{"relative_mse": mse} for mse in (0.5, 0.5, 0.01)],
        (1, 0.1, 8, 6): [{"diverged": 40}, {}, {"diverged": 40}],
        (2, 0.01, 8, 3): [{"alive": False}] * 3,
        (2, 0.01, 4, 3): [{"rank": rank} for rank in (1, 3, 3)],
        (2, 0.01, 8, 6): [{"distinct": 24}] * 3,
    }
    return special.get(point, [{}] * 3)


def drawn(**changes):
    """The figure of made-up results, written to the current folder."""
    request = asked(**changes).request("phase")
    for one, (*point, draw) in zip(request.shown, phase.grid(request.settings), strict=True):
        values, L = USUAL | table(tuple(point))[draw], point[0]
        place = {"run": one.run, "epoch": 80}
        summary = {"diverged": values.get("diverged")}
        if summary["diverged"] is None:
            summary |= {name: values[name] for name in ("relative_mse", "objective")}
            summary |= {f"{name}_neurons": [values[name]] * L for name in ("active", "distinct")}
        A = {"matrix": "A2", "rank": values["rank"], "alive": values.get("alive", True)}
        rows = [place | {"matrix": "W1", "rank": 9}, *([place | A] if L > 1 else [])]
        put(paths.measured(one.run, 80, "summary"), [place | summary], SUMMARY)
        put(paths.measured(one.run, 80, "matrices"), rows, MATRICES)
    for bound in request.bounds:
        row = {"problem": bound.problem, "bound": 1.0}
        put(paths.optimum(bound.problem, "optimum.parquet"), [row], OPTIMA)
    return rendered(request)


@pytest.fixture
def figure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return drawn()


def panels(figure, L):
    """The maps of a block: by quantity, those of both lam."""
    maps = [ax for ax in figure.axes if len([p for p in ax.patches if p.get_width() == 1]) == 4]
    names = ("active", "distinct", "error", "gap" if L == 1 else "rank")
    mine = maps[8 * (L - 1) : 8 * L]
    return {name: mine[2 * i : 2 * i + 2] for i, name in enumerate(names)}


def face(ax, K, N):
    """The colour of a cell."""
    x, y = (4, 8).index(K), (3, 6).index(N)
    cells = [p for p in ax.patches if isinstance(p, Rectangle)]
    (found,) = [p.get_facecolor() for p in cells if p.get_xy() == (x, y)]
    return found


def scale(figure, label):
    """That of a bar of colours, as a function from numbers to colours."""
    (bar,) = [ax for ax in figure.axes if ax.get_ylabel().startswith(label)]
    spans = [(p.get_y(), p.get_y() + p.get_height(), p.get_facecolor()) for p in bar.patches]

    def colour(value):
        if value >= spans[-1][1]:
            return spans[-1][2]
        return next(c for low, high, c in spans if value < high)

    return colour


def test_a_cell_is_the_median_of_its_draws(figure):
    active, distinct = scale(figure, "active"), scale(figure, "different")
    shallow, deep = panels(figure, 1), panels(figure, 2)
    assert face(shallow["active"][0], 4, 3) == active(2 / 4)
    assert face(shallow["active"][1], 8, 3) == active(2 / 8)
    assert face(deep["active"][1], 8, 3) == active(2 / 8), "of both layers, 4 of 16"
    assert face(shallow["distinct"][1], 4, 3) == distinct(1 / 3)
    assert face(deep["distinct"][1], 4, 6) == distinct(1 / 6), "a layer"
    assert face(deep["distinct"][1], 8, 6) == distinct(24 / 6)
    assert face(shallow["error"][0], 4, 6) == scale(figure, "relative MSE")(0.5)
    assert active(2 / 4) != active(1 / 4), "the scale tells draws apart"


def test_the_gap_is_told_where_it_is_proved(figure):
    gaps = panels(figure, 1)["gap"]
    colour = scale(figure, "certified gap")
    assert face(gaps[0], 4, 3) == colour(0.2), "(1.25 - 1) / 1.25"
    assert face(gaps[1], 4, 3) == colour(0.5)
    assert face(gaps[0], 4, 6) == face(gaps[1], 8, 6) == to_rgba("white"), "no proof"


def test_the_rank_of_a_matrix_that_has_died_is_none(figure):
    ranks = panels(figure, 2)["rank"]
    colour = scale(figure, "rank")
    assert face(ranks[1], 4, 3) == colour(3)
    assert face(ranks[0], 4, 3) == colour(2) != colour(3)
    assert face(ranks[1], 8, 3) == to_rgba(heat.NOTHING)
    assert marks(ranks[1], 8, 3) == set(), "the network lives on"


def marks(ax, K, N) -> set[str]:
    """The marks of a cell."""
    x, y = (4, 8).index(K), (3, 6).index(N)

    def within(px, py):
        return x < px < x + 1 and y < py < y + 1

    found = {t.get_text() for t in ax.texts if within(*t.get_position())}
    for line in ax.lines:
        px, py = line.get_data()
        if within(np.mean(px), np.mean(py)):
            up = len(px) > 1 and np.sign(py[1] - py[0])
            found.add("dot" if len(px) == 1 else "/" if up > 0 else "\\")
    return found


def test_marks_tell_what_became_of_a_cell(figure):
    shallow = panels(figure, 1)
    active, error = shallow["active"][0], shallow["error"][0]
    assert marks(active, 4, 3) == {"dot"}, "from 1 to 4 neurons"
    assert marks(error, 4, 3) == set()
    assert marks(active, 8, 3) == marks(error, 8, 3) == {"†"}
    assert face(active, 8, 3) == to_rgba(heat.NOTHING)
    assert marks(active, 4, 6) == {"/"}
    assert marks(error, 4, 6) == {"1", "dot"}, "one of three fits"
    assert marks(active, 8, 6) == {"/", "\\"}
    assert face(active, 8, 6) == to_rgba("white"), "most draws diverged"
    assert marks(panels(figure, 2)["active"][0], 4, 3) == set()


def test_the_line_parts_fewer_neurons_than_data(figure):
    """K = 4 < N = 6; all other cells have at least as many neurons."""
    ax = panels(figure, 1)["active"][0]
    found = {tuple(map(tuple, np.transpose(line.get_data()))) for line in ax.lines
             if set(np.ravel(line.get_data())) <= {0, 1, 2}}  # fmt: skip
    assert found == {((1, 1), (1, 2)), ((0, 1), (1, 1))}


def test_words_say_what_is_shown(figure):
    words = texts(figure)
    assert words.count("$\\lambda=10^{-2}$") == words.count("$\\lambda=10^{-1}$") == 2
    for told in ("MSE above 10 %", "diverged", "so many of 3 draws", "$K\\geq N$"):
        assert any(told in text for text in words), told


@pytest.mark.parametrize(
    ("changes", "bars", "said", "unsaid"),
    [
        ({"certified": 0}, {"rank of A"}, "3 draws fit", "certified"),
        ({"layers": [1]}, {"certified gap"}, "white: not certified", "2 ReLU layers"),
        ({"layers": [2], "draws": 1}, {"rank of A"}, "diverged", "draws fit"),
        ({"certified": 6}, {"certified gap", "rank of A"}, "2 ReLU layers", "white"),
    ],
)
def test_what_is_not_asked_for_is_not_shown(changes, bars, said, unsaid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure = drawn(**changes)
    found = [ax.get_ylabel() for ax in figure.axes if len(ax.get_ylabel()) > 3]
    assert set(found) - {"relative MSE"} == bars | {
        "active neurons\nof all",
        "different ones\nper data point",
    }
    assert len(found) == 3 + len(bars), "of what blocks share there is one bar"
    words = " ".join(texts(figure))
    assert said in words
    assert unsaid not in words
    assert words.count("$K$") == 2 * len(changes.get("layers", (1, 2))), "below each column"


def test_steps_of_a_scale():
    one = heat.Scale("x", (1, 10, 100), "viridis")
    assert one.colour(1) == one.colour(9) == one.colour(0.5) != one.colour(10)
    assert one.colour(10) == one.colour(100) == one.colour(1e9)
    assert one.colour(0) == heat.NOTHING
    assert one.colour(float("nan")) == heat.EMPTY
    two = heat.Scale("x", (0.25, 0.5, 1.0, 8.0), "PuOr_r", middle=1.0)
    assert [two.place(step) for step in range(3)] == [1 / 8, 3 / 8, 3 / 4]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data": {"kind": "grid", "levels": [0, 1], "dimension": 3, "target_range": [-1, 1],
          "seed": 0}}, r"points: .* data of kind grid have no number of points to vary; choose "
         r"another data\.kind: box, .*toy or teacher"),
        ({"epoch": 81}, r"epoch: .* beyond training\.epochs \(80\)"),
        ({"regularizer": "none"}, "regularizer: .* none has no lam to vary"),
        ({"regularizer": "l1"}, "certified: .* of l1 the global optimum cannot be .* write 0"),
        ({"data": BOX | {"outputs": 2, "seed": 0}}, "certified: .* 2 outputs, .* write 0"),
        ({"optimizer": {"batches": 4}}, "points: .* 3 data points cannot be cut into .* raise"),
        ({"K": [8, 4]}, "K: .* the numbers must increase"),
        ({"points": [3, 3]}, "points: .* the numbers must increase"),
        ({"layers": [1, 1]}, "layers: .* each value may stand only once"),
    ],
)  # fmt: skip
def test_what_it_cannot_show_is_refused(changes, told):
    with pytest.raises(UserError, match=rf"figures\.phase.*{told}"):
        asked(**changes)


@pytest.mark.parametrize("regularizer", ["l1", "eq2_exchanged"])
def test_without_certificates_any_regularizer_with_lam_is_shown(regularizer):
    one = asked(regularizer=regularizer, certified=0)
    assert {run.regularizer for run, _ in one.milestones("phase")} == {regularizer}
