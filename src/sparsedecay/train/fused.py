"""The fast engine: gradients derived by hand, on buffers that are allocated once.

All parameters lie in one flat vector, so that Adam is one call; every matrix product writes into
its place in the gradient. Notation of the backward pass: G is the derivative of the mean squared
error by a layer's output, one row per data point.
"""

import torch
from torch import Tensor

from sparsedecay import regularizers
from sparsedecay.networks import Dense, Representer, build
from sparsedecay.runs import Run
from sparsedecay.train.state import State


class FusedEngine:
    """Trains the representer and the dense network, full batch, with Adam."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.run, self.network, self.X, self.y = run, build(run), X, y
        self.epoch = state.epoch
        self.vector, self.parameters = self._flat(state.parameters)
        self.first, self.first_by_name = self._flat(state.first)
        self.second, self.second_by_name = self._flat(state.second)
        self.gradient, self.g = self._flat(state.first)
        self.step = torch.tensor(float(state.epoch))
        self.N, self.L = len(X), self.network.L
        like = self.vector.new_empty
        N, K = self.N, self.network.K
        self.H = [like(N, K) for _ in range(self.L)]  # activations of each ReLU layer
        self.dH = [like(N, K) for _ in range(self.L)]  # derivative by them, then by their input
        if isinstance(self.network, Representer):
            widths = [self.network.d] * (self.L - 1) + [self.network.d_out]
            self.x = [X] + [like(N, width) for width in widths]  # x^(0) … x^(L)
            self.G = [torch.empty(0)] + [like(N, width) for width in widths]
            self._forward, self._backward = self._forward_representer, self._backward_representer
        elif isinstance(self.network, Dense):
            self.out, self.G_out = like(N, self.network.d_out), like(N, self.network.d_out)
            self._forward, self._backward = self._forward_dense, self._backward_dense

    def _flat(self, tensors: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """A copy of all tensors in one vector, and views of it by name."""
        vector = torch.cat([tensor.reshape(-1) for tensor in tensors.values()])
        parts = vector.split([tensor.numel() for tensor in tensors.values()])
        shaped = zip(tensors.items(), parts, strict=True)
        return vector, {name: part.view(tensor.shape) for (name, tensor), part in shaped}

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        mse = torch.nn.functional.mse_loss(self._forward(), self.y)
        value = regularizers.value(self.run.regularizer, self.network, self.parameters)
        return mse, torch.as_tensor(value, dtype=mse.dtype)

    def objective_gradient(self) -> dict[str, Tensor]:
        """Gradient of the objective by parameter name; overwritten by the next call."""
        residual = self._forward().sub_(self.y)
        self._backward(residual.mul_(2 / residual.numel()))
        regularizers.add_gradient(
            self.run.regularizer, self.network, self.parameters, self.run.lam, self.g
        )
        return self.g

    @torch.no_grad()
    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        adam = self.run.optimizer
        for _ in range(epochs):
            self.objective_gradient()
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
        torch.addmm(p["b1"], self.X, p["W1"].T, beta=-1, out=H[0]).relu_()
        for i in range(2, L + 1):
            skipped = self.X if i == 2 else H[i - 3]
            torch.addmm(p[f"b{i}"], H[i - 2], p[f"A{i}"].T, beta=-1, out=H[i - 1])
            H[i - 1].addmm_(skipped, p[f"C{i - 1}"].T).relu_()
        skipped = self.X if L == 1 else H[L - 2]
        torch.addmm(p["c0"], H[L - 1], p[f"V{L}"].T, out=self.out)
        return self.out.addmm_(skipped, p[f"C{L}"].T)

    def _backward_dense(self, G: Tensor) -> None:
        p, g, H, dH, L = self.parameters, self.g, self.H, self.dH, self.L
        torch.mm(G.T, H[L - 1], out=g[f"V{L}"])
        torch.mm(G.T, self.X if L == 1 else H[L - 2], out=g[f"C{L}"])
        torch.sum(G, 0, out=g["c0"])
        torch.mm(G, p[f"V{L}"], out=dH[L - 1])
        if L > 1:
            torch.mm(G, p[f"C{L}"], out=dH[L - 2])
        for i in range(L, 1, -1):
            self._through_relu(dH[i - 1], H[i - 1], g[f"b{i}"])
            skipped = self.X if i == 2 else H[i - 3]
            torch.mm(dH[i - 1].T, H[i - 2], out=g[f"A{i}"])
            torch.mm(dH[i - 1].T, skipped, out=g[f"C{i - 1}"])
            dH[i - 2].addmm_(dH[i - 1], p[f"A{i}"])
            if i > 2:
                torch.mm(dH[i - 1], p[f"C{i - 1}"], out=dH[i - 3])
        self._through_relu(dH[0], H[0], g["b1"])
        torch.mm(dH[0].T, self.X, out=g["W1"])

    @staticmethod
    def _through_relu(dH: Tensor, H: Tensor, gradient_b: Tensor) -> None:
        """Turn the derivative by relu(z) into that by z, in place; its sum is that by -b."""
        torch.ops.aten.threshold_backward.grad_input(dH, H, 0, grad_input=dH)
        torch.sum(dH, 0, out=gradient_b).neg_()
