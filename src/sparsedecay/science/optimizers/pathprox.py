"""Proximal gradient descent on the path norm."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from sparsedecay.science.networks import Network
from sparsedecay.science.optimizers import Optimizer, Tensor
from sparsedecay.science.regularizers import Regularizer, Term


class PathProx(Optimizer):
    """PathProx (Yang, Zhang, Shenouda, Papailiopoulos, Lee and Nowak 2022, arXiv 2210.03069): a
    gradient step on the loss alone, then w_k is scaled to norm 1 and v_k shrunk towards 0.

    With ||w_k|| = 1 the least charge of a neuron is that of ||v_k||, in the norm of the
    regularizer: entries are soft-thresholded by 2 lam times the learning rate with eq. 2, columns
    of V with weight decay. The paper minimises lam sum of ||v|| ||w||, so its lam is twice ours.
    Skip connections are soft-thresholded, or shrunk where squares are charged.
    """

    title = "PathProx"
    columns = {
        "learning_rate": ("float64", "step size"),
        "batches": ("int64", "minibatches in an epoch, count"),
    }
    moments = ("unit",)
    """The parameters with w_k of norm 1; those of the state are in balance, ||v_k|| = ||w_k||, so
    that a neuron with v_k = 0, which may come back, is 0 there."""

    kind: Literal["pathprox"]
    """What kind of optimizer it is."""

    # An engine of its own calls `scaled`, `prox` and `balanced`: a step needs the network.
    update: ClassVar[Any] = None
    reference: ClassVar[Any] = None
    remembered: ClassVar[Any] = None
    recalled: ClassVar[Any] = None

    def lacks(self, network: Network, regularizer: Regularizer) -> str | None:
        """Why it cannot train a network with a regularizer; None if it can."""
        from sparsedecay.science.convex.problem import form

        if not {"V1", f"c0_{network.L}"} <= network.shapes.keys():
            return f"pathprox needs the blocks of Theorem 1, which {network.name} has not"
        found = form(regularizer)
        return f"pathprox: {found}" if isinstance(found, str) else None

    def scaled(self, p: Mapping[str, Tensor], regularizer: Regularizer) -> dict[str, Tensor]:
        """The same network with w_k, or (w_k, b_k) where biases are charged, of norm 1."""
        unit = {name: tensor.clone() for name, tensor in p.items()}
        for layer in range(1, len(p) // 5 + 1):
            length = self.into(unit, layer, regularizer)
            unit[f"W{layer}"] /= length[:, None]
            unit[f"b{layer}"] /= length
            unit[f"V{layer}"] *= length
        return unit

    def balanced(self, unit: Mapping[str, Tensor], regularizer: Regularizer) -> dict[str, Tensor]:
        """The same network with ||v_k|| = ||w_k||, both in the norms of the regularizer."""
        p = {name: tensor.clone() for name, tensor in unit.items()}
        for layer in range(1, len(p) // 5 + 1):
            root = self.out(p[f"V{layer}"], regularizer).sqrt()
            p[f"W{layer}"] *= root[:, None]
            p[f"b{layer}"] *= root
            p[f"V{layer}"] /= root.where(root > 0, 1.0)
        return p

    def prox(self, p: dict[str, Tensor], regularizer: Regularizer, lam: float) -> None:
        """What follows the gradient step, in place.

        Args:
            lam: factor of the regularizer in the objective.
        """
        from sparsedecay.science.convex.problem import form

        asked, rate = form(regularizer), self.learning_rate
        assert not isinstance(asked, str)
        for layer in range(1, len(p) // 5 + 1):
            length = self.into(p, layer, regularizer)
            p[f"W{layer}"] /= length[:, None]
            p[f"b{layer}"] /= length
            V, C = p[f"V{layer}"], p[f"C{layer}"]
            if entrywise(regularizer):
                shrink(V, rate * asked.factor * lam)
            else:
                size = V.norm(dim=0)
                V *= (1 - rate * asked.factor * lam / size.clamp(min=1e-30)).clamp(min=0)
            if asked.squares:
                C /= 1 + 2 * rate * lam
            else:
                shrink(C, rate * lam)
            if asked.biases:
                p[f"c0_{layer}"] /= 1 + 2 * rate * lam

    def into(self, p: Mapping[str, Tensor], layer: int, regularizer: Regularizer) -> Tensor:
        """Norms of the weights into each neuron, with its bias where that is charged; 1 for 0."""
        square = (p[f"W{layer}"] ** 2).sum(1)
        if regularizer.terms.biases:
            square = square + p[f"b{layer}"] ** 2
        return square.sqrt().where(square > 0, 1.0)

    def out(self, V: Tensor, regularizer: Regularizer) -> Tensor:
        """Norms of the weights out of each neuron."""
        return V.abs().sum(0) if entrywise(regularizer) else V.norm(dim=0)


def entrywise(regularizer: Regularizer) -> bool:
    """Whether the weights out of a neuron are charged by their l1 norm; else by the l2 norm."""
    return bool(regularizer.terms.V & (Term.NEURON_L1_SQUARED | Term.PATH))


def shrink(tensor: Tensor, by: float) -> None:
    """Soft thresholding, in place."""
    tensor.sub_(tensor.clamp(-by, by))
