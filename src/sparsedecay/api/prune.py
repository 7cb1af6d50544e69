"""The same function on the data with fewer neurons.

Neuron k of a ReLU layer receives w_k·z - b_k from what comes into the layer, and adds
v_k relu(w_k·z - b_k) to what goes out of it. Over the data,

- one that is active on no point, or that nothing comes out of, adds 0: it is left out;
- those that are active on the same points and whose v_k point in the same direction v add
  v (sum_k |v_k| (w_k·z - b_k)) on these points and 0 on the others, as does the one neuron with
  weights sum_k |v_k| w_k and sum_k |v_k| b_k: it takes their place. The same where the (w_k, b_k)
  point in one direction: the v_k add up.

With one number out of a neuron there are two directions, so that two neurons of a pattern are left
at most. Where a neuron feeds several (below the last layer of a deep network), those of a pattern
that feed them in different proportions compute what no single neuron does, and stay.
"""

from collections.abc import Mapping

import numpy as np

from sparsedecay.api.trained import Trained
from sparsedecay.science.measures import relu
from sparsedecay.science.networks import Network

PARALLEL = 1e-9
"""Two directions of unit length this close are one: what that changes is rounding."""


def pruned(network: Network, p: Mapping[str, np.ndarray], X: np.ndarray) -> Trained:
    """A network without idle neurons, and one for those that are alike; float64.

    Args:
        p: parameters, float64.
        X: inputs on which the function stays as it is, (N, d_0).
    """
    found = {name: np.array(array) for name, array in p.items()}
    before: tuple[int, ...] = ()
    # what a layer loses may leave neurons below it without effect
    while before != (before := tuple(len(found[into]) for into, _ in network.neurons)):
        for layer in range(1, network.L + 1):
            shrink(network, found, layer, X)
    return Trained(network, found)


def shrink(network: Network, p: dict[str, np.ndarray], layer: int, X: np.ndarray) -> None:
    """The same of one layer, in place."""
    into, out = [*network.into(layer), f"b{layer}"], network.outgoing[layer - 1]
    active = network.layers(p, X, relu)[layer - 1] > 0  # (N, K)
    ins = np.column_stack([p[name] for name in into])  # (K, d + 1)
    outs = np.vstack([p[name] for name in out]).T  # (K, D)
    ins, outs = smaller(ins, outs, active)
    ends = np.cumsum([p[name].shape[1] if p[name].ndim == 2 else 1 for name in into])
    for name, part in zip(into, np.split(ins, ends[:-1], axis=1), strict=True):
        p[name] = np.ascontiguousarray(part if p[name].ndim == 2 else part[:, 0])
    ends = np.cumsum([len(p[name]) for name in out])
    for name, part in zip(out, np.split(outs, ends[:-1], axis=1), strict=True):
        p[name] = np.ascontiguousarray(part.T)


def smaller(ins: np.ndarray, outs: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights into and out of the neurons that are left of a layer: (M, d + 1), (M, D)."""
    used = active.any(axis=0) & (np.abs(outs).max(axis=1, initial=0.0) > 0)
    ins, outs, active = ins[used], outs[used], active[:, used]
    if not len(ins):
        return ins, outs
    _, pattern = np.unique(active.T, axis=0, return_inverse=True)
    found_in, found_out = [], []
    for group in range(pattern.max() + 1):
        w, v = ins[pattern == group], outs[pattern == group]
        # both ways, each the other's mirror image
        v, w = joined(v, w)
        w, v = joined(w, v)
        found_in.append(w)
        found_out.append(v)
    return np.vstack(found_in), np.vstack(found_out)


def joined(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Terms one_k other_k^T, those with parallel `one` added up: a term for each direction."""
    length = np.linalg.norm(one, axis=1)
    directions = one / length[:, None]
    left = np.arange(len(one))
    firsts, sums = [], []
    while len(left):
        first = left[np.argmax(length[left])]
        same = np.linalg.norm(directions[left] - directions[first], axis=1) < PARALLEL
        firsts.append(directions[first] if same.sum() > 1 else one[first])
        weights = length[left[same]] if same.sum() > 1 else np.ones(1)
        sums.append(weights @ other[left[same]])
        left = left[~same]
    return np.array(firsts), np.array(sums)
