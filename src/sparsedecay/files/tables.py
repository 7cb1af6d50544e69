"""Schemas of the measured tables: one observation a row, each column with its unit."""

import pyarrow as pa

from sparsedecay.files.storage import schema

TRAJECTORY = schema(
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    (
        "measure",
        pa.string(),
        "mse, regularizer, objective, sparsity, max_abs, average_sparsity; diverged",
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
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    ("matrix", pa.string(), "name of the matrix"),
    ("index", pa.int64(), "1 is the largest"),
    ("singular_value", pa.float64(), "dimensionless"),
)
MATRICES = schema(
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    ("matrix", pa.string(), "name of the matrix"),
    ("rows", pa.int64(), "count"),
    ("columns", pa.int64(), "count"),
    ("sparsity", pa.float64(), "fraction of entries above the threshold, 1 is dense"),
    ("max_abs", pa.float64(), "largest magnitude of an entry"),
    ("frobenius_norm", pa.float64(), "dimensionless"),
    ("spectral_norm", pa.float64(), "largest singular value"),
    ("rank", pa.int64(), "singular values above rank_threshold, count"),
    ("relative_rank", pa.int64(), "singular values above a fraction of the largest, count"),
    ("stable_rank", pa.float64(), "(Frobenius norm / spectral norm)^2"),
    (
        "linear_nodes",
        pa.int64(),
        "of a product W V: linear nodes whose own term w v^T has a singular value above "
        "rank_threshold, count; null of other matrices",
    ),
)
SUMMARY = schema(
    ("run", pa.string(), "run id"),
    ("epoch", pa.int64(), "epochs trained"),
    ("network", pa.string(), "representer or dense"),
    ("regularizer", pa.string(), "eq2, weight_decay or none"),
    ("lam", pa.float64(), "regularization parameter"),
    ("L", pa.int64(), "hidden layers"),
    ("K", pa.int64(), "ReLU neurons a layer"),
    ("d", pa.int64(), "functional width"),
    ("skips", pa.string(), "where the dense network's skips come from"),
    ("loss", pa.string(), "mean or sum over the data"),
    ("weight_decay", pa.string(), "where weight decay acts"),
    ("decay_biases", pa.bool_(), "whether weight decay acts on biases"),
    ("levels", pa.list_(pa.float64()), "coordinates of the grid"),
    ("dimension", pa.int64(), "d_0"),
    ("points", pa.int64(), "N, data points"),
    ("target_low", pa.float64(), "lowest target"),
    ("target_high", pa.float64(), "highest target"),
    ("target_seed", pa.int64(), "seed"),
    ("initial_low", pa.float64(), "lowest initial value"),
    ("initial_high", pa.float64(), "highest initial value"),
    ("initial_scale", pa.string(), "none, or fan_in: over the root of the weights into a neuron"),
    ("weight_seed", pa.int64(), "seed"),
    ("learning_rate", pa.float64(), "Adam's step size"),
    ("beta1", pa.float64(), "decay of Adam's first moment"),
    ("beta2", pa.float64(), "decay of Adam's second moment"),
    ("eps", pa.float64(), "Adam's eps"),
    ("batches", pa.int64(), "minibatches in an epoch, count"),
    ("precision", pa.string(), "floating-point type"),
    ("stride", pa.int64(), "epochs between milestones"),
    ("record_every", pa.int64(), "epochs between records"),
    ("target_mean_square", pa.float64(), "mean of y^2"),
    (
        "diverged",
        pa.int64(),
        "recorded epoch at which loss or weights were found not to be finite, and training ended; "
        "null if they never were. Where it is not null what was measured is null",
    ),
    ("mse", pa.float64(), "at this epoch"),
    ("mse_tail_median", pa.float64(), "median of the last 20 records"),
    ("regularizer_value", pa.float64(), "without lam, at this epoch"),
    (
        "objective",
        pa.float64(),
        "loss + lam * regularizer (lam / 2 as the option of an optimizer), at this epoch",
    ),
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
    ("parameters", pa.int64(), "trained numbers, count"),
)
PARAMETERS = SUMMARY.names[
    SUMMARY.names.index("network") : SUMMARY.names.index("target_mean_square")
]
"""Columns of the summary that tell runs apart, as `columns` of `science.run` fills them."""
MEASURED = (*SUMMARY.names[SUMMARY.names.index("target_mean_square") :],)
"""Columns of the summary that tell what came of a run."""
SWEPT = {
    "summary": SUMMARY,
    "matrices": pa.schema([*MATRICES, *(SUMMARY.field(name) for name in PARAMETERS)]),
}
"""Tables of a sweep: each row tells which values its run has."""
STATEMENTS = schema(
    ("reading", pa.string(), "name of the reading, `literal` for the config itself"),
    ("title", pa.string(), "the reading in a few words"),
    ("claim", pa.string(), "id of the statement"),
    ("statement", pa.string(), "the statement in a few words"),
    ("place", pa.string(), "where the paper says so"),
    ("quote", pa.string(), "the paper's words"),
    ("part", pa.int64(), "number of the part, from 1"),
    ("quantity", pa.string(), "what is measured"),
    ("why", pa.string(), "why the limits lie where they do"),
    ("epoch", pa.int64(), "epochs trained"),
    ("stated", pa.bool_(), "whether the text speaks of this epoch"),
    ("seeds", pa.int64(), "draws, count"),
    ("values", pa.list_(pa.float64()), "the number of each draw; null if it diverged"),
    ("diverged", pa.int64(), "draws of which a network diverged that this number needs, count"),
    (
        "value",
        pa.float64(),
        "median of the draws, those that diverged beyond the limits; null if that is no number",
    ),
    ("low", pa.float64(), "lower end of the interval for the median"),
    ("high", pa.float64(), "upper end of the interval for the median"),
    ("coverage", pa.float64(), "chance that such an interval holds the median; 0 for one draw"),
    ("limit_low", pa.float64(), "least number with which the part holds; null for none"),
    ("limit_high", pa.float64(), "largest number with which the part holds; null for none"),
    ("verdict", pa.string(), "holds, fails or undecided: of the part"),
    ("claim_verdict", pa.string(), "the same of the statement: the worst of its parts"),
)
