"""Schemas of the measured tables: one observation a row, each column with its unit."""

import pyarrow as pa

from sparsedecay.files.storage import schema
from sparsedecay.science.run import COLUMNS

MILESTONE = ("run", pa.string(), "run id"), ("epoch", pa.int64(), "epochs trained")
OBJECTIVE = "loss + lam * regularizer (lam / 2 as the option of an optimizer)"
TRAJECTORY = schema(
    *MILESTONE,
    (
        "measure",
        pa.string(),
        "mse, regularizer, objective, sparsity, max_abs, frobenius_norm, average_sparsity, "
        "singular_value_1 … 3, active_neurons; diverged",
    ),
    ("matrix", pa.string(), "weight matrix, or null where the measure is of the whole network"),
    (
        "value",
        pa.float64(),
        "as the measure says; sparsity: fraction of entries, 1 is dense; diverged: in the row of a "
        "milestone, the epoch at which the run was found to have diverged",
    ),
)
SPECTRA = schema(
    *MILESTONE,
    ("matrix", pa.string(), "name of the matrix"),
    ("index", pa.int64(), "1 is the largest"),
    ("singular_value", pa.float64(), "dimensionless"),
)
MATRICES = schema(
    *MILESTONE,
    ("matrix", pa.string(), "name of the matrix"),
    ("rows", pa.int64(), "count"),
    ("columns", pa.int64(), "count"),
    ("sparsity", pa.float64(), "fraction of entries above the threshold, 1 is dense"),
    ("max_abs", pa.float64(), "largest magnitude of an entry"),
    ("frobenius_norm", pa.float64(), "dimensionless"),
    ("spectral_norm", pa.float64(), "largest singular value"),
    ("sigma2_ratio", pa.float64(), "second singular value over the largest"),
    ("rank", pa.int64(), "singular values above rank_threshold, count"),
    ("relative_rank", pa.int64(), "singular values above a fraction of the largest, count"),
    (
        "default_rank",
        pa.int64(),
        "singular values above the default tolerance of torch.linalg.matrix_rank, count",
    ),
    ("stable_rank", pa.float64(), "(Frobenius norm / spectral norm)^2"),
    (
        "alive",
        pa.bool_(),
        "of a matrix between ReLU layers: whether an entry exceeds ten thresholds and some neuron "
        "of its layer matters to the fit; null of other matrices",
    ),
    (
        "linear_nodes",
        pa.int64(),
        "of a product W V: linear nodes whose own term w v^T is larger than a tenth of the "
        "largest, count; null of other matrices",
    ),
    ("patterns", pa.int64(), "the same, those with parallel terms counted once"),
)
LOSS = schema(
    *MILESTONE,
    ("mse", pa.float64(), "mean over the data of (f(x) - y)^2"),
    ("regularizer", pa.float64(), "value of the regularizer, without lam"),
    ("objective", pa.float64(), OBJECTIVE),
    (
        "singular_values",
        pa.list_(pa.float64()),
        "the three largest of A2, then of A3, …; none where these are not factorised",
    ),
)
MAGNITUDES = schema(
    *MILESTONE,
    (
        "matrix",
        pa.string(),
        "name of the weight matrix; h1, h2, … for what the neurons of a ReLU layer contribute: "
        "largest activation over the data times largest outgoing weight",
    ),
    ("rows", pa.int64(), "count"),
    ("columns", pa.int64(), "count"),
    ("max_abs", pa.float64(), "largest magnitude of an entry"),
    ("frobenius_norm", pa.float64(), "dimensionless"),
    (
        "exceeding",
        pa.list_(pa.int64()),
        "entries above each magnitude of the file's `ladder`, count",
    ),
)


TYPES = {
    "bool": pa.bool_(),
    "list of float64": pa.list_(pa.float64()),
    "list of string": pa.list_(pa.string()),
}
PARAMETERS = tuple(COLUMNS)
"""Columns of the summary that tell runs apart, as `columns` of `science.run` fills them."""
FOUND = (
    ("target_mean_square", pa.float64(), "mean of y^2"),
    (
        "diverged",
        pa.int64(),
        "recorded epoch at which loss or weights were found not to be finite, and training ended; "
        "null if they never were. Where it is not null what was measured is null",
    ),
    ("mse", pa.float64(), "at this epoch"),
    ("mse_tail_median", pa.float64(), "median of the last 20 records"),
    ("relative_mse", pa.float64(), "that median over target_mean_square; 1 - R^2 of centred data"),
    (
        "on_spike",
        pa.bool_(),
        "whether mse exceeds that median by more than 5 % of target_mean_square",
    ),
    ("regularizer_value", pa.float64(), "without lam, at this epoch"),
    ("objective", pa.float64(), f"{OBJECTIVE}, at this epoch"),
    ("average_sparsity", pa.float64(), "mean over the weight matrices of figure 2"),
    (
        "active_neurons",
        pa.list_(pa.int64()),
        "ReLU neurons of each layer that matter to the fit, count",
    ),
    (
        "distinct_neurons",
        pa.list_(pa.int64()),
        "the same, those with parallel weights and bias counted once",
    ),
    (
        "test_mse",
        pa.float64(),
        "mean of (f(x) - y)^2 over the test rows, at this epoch; null without such rows",
    ),
    (
        "recovered",
        pa.int64(),
        "neurons of the teacher whose hyperplane an active neuron of the first ReLU layer has; "
        "null without a teacher",
    ),
    ("parameters", pa.int64(), "trained numbers, count"),
)
SUMMARY = schema(
    *MILESTONE,
    *(
        (name, TYPES.get(kind) or pa.type_for_alias(kind), unit)
        for name, (kind, unit) in COLUMNS.items()
    ),
    *FOUND,
)
MEASURED = tuple(name for name, _, _ in FOUND)
"""Columns of the summary that tell what came of a run."""
SWEPT = {
    "summary": SUMMARY,
    "matrices": pa.schema([*MATRICES, *(SUMMARY.field(name) for name in PARAMETERS)]),
}
"""Tables of a sweep: each row tells which values its run has."""
SCHEMAS = {
    "trajectory": TRAJECTORY,
    "spectra": SPECTRA,
    "matrices": MATRICES,
    "summary": SUMMARY,
}
"""Tables measured at each milestone."""
OPTIMA = schema(
    ("problem", pa.string(), "id of the problem"),
    ("objective", pa.float64(), "of the network in optimum.safetensors"),
    ("bound", pa.float64(), "no network of any width has a smaller objective: proved"),
    ("gap", pa.float64(), "(objective - bound) / objective"),
    ("proved", pa.bool_(), "whether the search over neurons ended within its tolerance"),
    ("rounds", pa.int64(), "of column generation, count"),
    ("cones", pa.int64(), "that the searches over neurons visited, count"),
    ("neurons", pa.int64(), "of the network in optimum.safetensors, count"),
    ("slack", pa.float64(), "what the sparsest network may lose, of the objective"),
    ("sparsest", pa.int64(), "neurons of the network in sparsest.safetensors, count"),
    ("sparsest_objective", pa.float64(), "of that network"),
    ("z", pa.list_(pa.float64()), "the dual point that proves the bound, one number per point"),
)
CERTIFICATES = schema(
    *MILESTONE,
    ("problem", pa.string(), "id of the problem"),
    ("K", pa.int64(), "ReLU neurons of the network"),
    ("objective", pa.float64(), "loss + lam * regularizer, in float64"),
    ("bound", pa.float64(), "no network of any width has a smaller objective: proved"),
    ("gap", pa.float64(), "(objective - bound) / objective"),
    ("own_bound", pa.float64(), "the bound that the network's own residual proves"),
    ("imbalance", pa.float64(), "of the objective, what balancing |v_k| and ||w_k|| would save"),
    ("merging", pa.float64(), "after that, what joining the neurons of a cell would save"),
    ("moving", pa.float64(), "after that, what the best network of these cells would save"),
    ("missing", pa.float64(), "what then lies between it and the bound"),
    ("active", pa.int64(), "neurons whose norm exceeds 1e-6 of the largest, count"),
    ("cells", pa.int64(), "different cells of these: active on other points, or of other sign"),
    ("points", pa.int64(), "N, data points"),
    ("optimum", pa.float64(), "objective of the best network that is known"),
    ("optimum_neurons", pa.int64(), "neurons of that network, count"),
    ("sparsest_neurons", pa.int64(), "of the sparsest network within the slack; null if unknown"),
)
STATEMENTS = schema(
    ("reading", pa.string(), "name of the reading, `literal` for the config itself"),
    ("title", pa.string(), "the reading in a few words"),
    ("claim", pa.string(), "id of the statement"),
    ("statement", pa.string(), "the statement in a few words"),
    ("place", pa.string(), "where the paper says so"),
    ("quote", pa.string(), "the paper's words"),
    ("reported", pa.string(), "the paper's value"),
    ("counted", pa.bool_(), "whether it is a statement on experiments"),
    ("part", pa.int64(), "number of the part, from 1"),
    ("quantity", pa.string(), "what is measured"),
    ("why", pa.string(), "why the limits lie where they do"),
    ("epoch", pa.int64(), "epochs trained"),
    ("stated", pa.bool_(), "whether the text speaks of this epoch"),
    ("seeds", pa.int64(), "draws, count"),
    ("values", pa.list_(pa.float64()), "the number of each draw; null if it diverged"),
    ("diverged", pa.int64(), "draws in which a network that this number needs diverged, count"),
    (
        "on_spike",
        pa.int64(),
        "draws in which such a network lay on a spike of the loss, count; NaN in values, and left "
        "out of the median",
    ),
    (
        "value",
        pa.float64(),
        "median of the draws, those that diverged beyond the limits; null if that is no number",
    ),
    ("low", pa.float64(), "lower end of the interval for the median"),
    ("high", pa.float64(), "upper end of the interval for the median"),
    ("coverage", pa.float64(), "chance that such an interval holds the median; 0 for one draw"),
    (
        "distance",
        pa.float64(),
        "of the median beyond the limits: 0 within them, else its factor as a power of ten, from "
        "0.1 to 1",
    ),
    ("limit_low", pa.float64(), "least number with which the part holds; null for none"),
    ("limit_high", pa.float64(), "largest number with which the part holds; null for none"),
    ("verdict", pa.string(), "holds, fails or undecided: of the part"),
    ("claim_verdict", pa.string(), "the same of the statement: the worst of its parts"),
)
