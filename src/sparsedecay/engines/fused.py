"""The fast engine: gradients derived by hand, on buffers that are allocated once.

All parameters lie in one flat vector, so that Adam is one call; every matrix product writes into
its place in the gradient. Notation of the backward pass: G is the derivative of the mean squared
error by a layer's output, one row per data point.
"""

import torch
from torch import Tensor

from sparsedecay.engines.batches import steps
from sparsedecay.engines.state import State
from sparsedecay.science import regularizers
from sparsedecay.science.networks import Dense, Representer, build
from sparsedecay.science.run import Run


class FusedEngine:
    """Trains the representer and the dense network with Adam."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, build(run), X, y
        self.epoch = state.epoch
        self.vector, self.parameters = self._flat(state.parameters)
        self.first, self.first_by_name = self._flat(state.first)
        self.second, self.second_by_name = self._flat(state.second)
        self.gradient, self.g = self._flat(state.first)
        self.step = torch.tensor(float(state.epoch * run.optimizer.batches))
        self.L = self.network.L
        decayed = regularizers.decayed(run.regularizer, self.network, run.objective.decay_biases)
        self.decayed = [self.parameters[name] for name in decayed]
        self.buffers: dict[int, tuple[list[Tensor], ...]] = {}
        if isinstance(self.network, Representer):
            self._forward, self._backward = self._forward_representer, self._backward_representer
        elif isinstance(self.network, Dense):
            self._forward, self._backward = self._forward_dense, self._backward_dense
            self._source = self.network.source
        self._take(X, y)

    def _take(self, X: Tensor, y: Tensor) -> None:
        """Go on with these samples, in the buffers for so many of them."""
        if len(X) not in self.buffers:
            network, like = self.network, self.vector.new_empty
            widths = [network.d] * (self.L - 1) + [network.d_out]
            sizes = [network.K] * self.L, [network.K] * self.L, widths, widths
            self.buffers[len(X)] = tuple([like(len(X), n) for n in part] for part in sizes)
        # Activations of each ReLU layer; derivative by them, then by their input.
        self.H, self.dH, x, G = self.buffers[len(X)]
        self.x, self.G = [X, *x], [torch.empty(0), *G]  # x^(0) … x^(L), derivatives by them
        self.samples, self.targets = X, y

    def _flat(self, tensors: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """A copy of all tensors in one vector, and views of it by name."""
        vector = torch.cat([tensor.reshape(-1) for tensor in tensors.values()])
        parts = vector.split([tensor.numel() for tensor in tensors.values()])
        shaped = zip(tensors.items(), parts, strict=True)
        return vector, {name: part.view(tensor.shape) for (name, tensor), part in shaped}

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        self._take(self.X, self.y)
        mse = torch.nn.functional.mse_loss(self._forward(), self.y)
        value = regularizers.of(self.run, self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def objective_gradient(self) -> dict[str, Tensor]:
        """Gradient of the objective by parameter name; overwritten by the next call."""
        residual = self._forward().sub_(self.targets)
        self._backward(residual.mul_(2 / self.run.terms(residual.numel())))
        run, biases = self.run, self.run.objective.decay_biases
        lam = 0.0 if run.decoupled else run.penalty
        regularizers.add_gradient(
            run.regularizer, self.network, self.parameters, lam, self.g, biases
        )
        return self.g

    @torch.no_grad()
    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        adam, shrink = self.run.optimizer, self.run.optimizer.learning_rate * self.run.decoupled
        for X, y in (
            step
            for epoch in range(self.epoch, self.epoch + epochs)
            for step in steps(self.run, epoch, self.X, self.y)
        ):
            self._take(X, y)
            self.objective_gradient()
            if shrink:
                torch._foreach_mul_(self.decayed, 1 - shrink)
            self.step += 1
            # What torch.optim.Adam(fused=True) calls; importing torch.optim would take 2 s.
            torch._fused_adam_(
                [self.vector],
                [self.gradient],
                [self.first],
                [self.second],
                [],
                [self.step],
                lr=adam.learning_rate,
                beta1=adam.betas[0],
                beta2=adam.betas[1],
                weight_decay=0.0,
                eps=adam.eps,
                amsgrad=False,
                maximize=False,
            )
        self.epoch += epochs

    def state(self) -> State:
        """The present state, not copied."""
        return State(self.epoch, self.parameters, self.first_by_name, self.second_by_name)

    def _forward_representer(self) -> Tensor:
        p, x = self.parameters, self.x
        for i, H in enumerate(self.H, start=1):
            torch.addmm(p[f"b{i}"], x[i - 1], p[f"W{i}"].T, beta=-1, out=H).relu_()
            torch.addmm(p[f"c0_{i}"], H, p[f"V{i}"].T, out=x[i])
            x[i].addmm_(x[i - 1], p[f"C{i}"].T)
        return x[-1]

    def _backward_representer(self, G: Tensor) -> None:
        p, g, x = self.parameters, self.g, self.x
        for i in range(self.L, 0, -1):
            H, dH = self.H[i - 1], self.dH[i - 1]
            torch.mm(G.T, H, out=g[f"V{i}"])
            torch.mm(G.T, x[i - 1], out=g[f"C{i}"])
            torch.sum(G, 0, out=g[f"c0_{i}"])
            torch.mm(G, p[f"V{i}"], out=dH)
            self._through_relu(dH, H, g[f"b{i}"])
            torch.mm(dH.T, x[i - 1], out=g[f"W{i}"])
            if i > 1:
                G = torch.mm(dH, p[f"W{i}"], out=self.G[i - 1]).addmm_(G, p[f"C{i}"])

    def _forward_dense(self) -> Tensor:
        p, H, L = self.parameters, self.H, self.L
        torch.addmm(p["b1"], self.samples, p["W1"].T, beta=-1, out=H[0]).relu_()
        for i in range(2, L + 1):
            torch.addmm(p[f"b{i}"], H[i - 2], p[f"A{i}"].T, beta=-1, out=H[i - 1])
            self._add_skip(i, H[i - 1]).relu_()
        torch.addmm(p["c0"], H[L - 1], p[f"V{L}"].T, out=self.x[-1])
        return self._add_skip(L + 1, self.x[-1])

    def _add_skip(self, layer: int, z: Tensor) -> Tensor:
        source = self._source(layer)
        if source is not None:
            skipped = self.H[source - 1] if source else self.samples
            z.addmm_(skipped, self.parameters[f"C{layer - 1}"].T)
        return z

    def _backward_dense(self, G: Tensor) -> None:
        p, g, H, dH, L = self.parameters, self.g, self.H, self.dH, self.L
        torch.mm(G.T, H[L - 1], out=g[f"V{L}"])
        torch.sum(G, 0, out=g["c0"])
        for derivative in dH[:-1]:
            derivative.zero_()
        torch.mm(G, p[f"V{L}"], out=dH[L - 1])
        self._through_skip(L + 1, G)
        for i in range(L, 1, -1):
            self._through_relu(dH[i - 1], H[i - 1], g[f"b{i}"])
            torch.mm(dH[i - 1].T, H[i - 2], out=g[f"A{i}"])
            dH[i - 2].addmm_(dH[i - 1], p[f"A{i}"])
            self._through_skip(i, dH[i - 1])
        self._through_relu(dH[0], H[0], g["b1"])
        torch.mm(dH[0].T, self.samples, out=g["W1"])

    def _through_skip(self, layer: int, dz: Tensor) -> None:
        """Gradient by the skip into a layer, and what goes back through it; dz: that by its sum."""
        source, name = self._source(layer), f"C{layer - 1}"
        if source is None:
            return
        torch.mm(dz.T, self.H[source - 1] if source else self.samples, out=self.g[name])
        if source:
            self.dH[source - 1].addmm_(dz, self.parameters[name])

    @staticmethod
    def _through_relu(dH: Tensor, H: Tensor, gradient_b: Tensor) -> None:
        """Turn the derivative by relu(z) into that by z, in place; its sum is that by -b."""
        torch.ops.aten.threshold_backward.grad_input(dH, H, 0, grad_input=dH)
        torch.sum(dH, 0, out=gradient_b).neg_()
