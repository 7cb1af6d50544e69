"""Passes through the dense network."""

import torch
from torch import Tensor

from sparsedecay.engines.fused.trainer import through_relu
from sparsedecay.science.networks.dense import Dense

Tensors = dict[str, Tensor]


class Passes:
    """Forward and backward, in buffers for so many samples."""

    def __init__(self, network: Dense, p: Tensors, g: Tensors, X: Tensor) -> None:
        self.p, self.g, self.X, self.L = p, g, X, network.L
        self.source = network.source
        N, new = len(X), X.new_empty
        self.H, self.dH = ([new(N, network.K) for _ in range(network.L)] for _ in range(2))
        self.y = new(N, network.d_out)

    def forward(self) -> Tensor:
        p, H, L = self.p, self.H, self.L
        torch.addmm(p["b1"], self.X, p["W1"].T, beta=-1, out=H[0]).relu_()
        for i in range(2, L + 1):
            torch.addmm(p[f"b{i}"], H[i - 2], p[f"A{i}"].T, beta=-1, out=H[i - 1])
            self._add_skip(i, H[i - 1]).relu_()
        torch.addmm(p["c0"], H[L - 1], p[f"V{L}"].T, out=self.y)
        return self._add_skip(L + 1, self.y)

    def _add_skip(self, layer: int, z: Tensor) -> Tensor:
        source = self.source(layer)
        if source is not None:
            skipped = self.H[source - 1] if source else self.X
            z.addmm_(skipped, self.p[f"C{layer - 1}"].T)
        return z

    def backward(self, G: Tensor) -> None:
        p, g, H, dH, L = self.p, self.g, self.H, self.dH, self.L
        torch.mm(G.T, H[L - 1], out=g[f"V{L}"])
        torch.sum(G, 0, out=g["c0"])
        for derivative in dH[:-1]:
            derivative.zero_()
        torch.mm(G, p[f"V{L}"], out=dH[L - 1])
        self._through_skip(L + 1, G)
        for i in range(L, 1, -1):
            through_relu(dH[i - 1], H[i - 1], g[f"b{i}"])
            torch.mm(dH[i - 1].T, H[i - 2], out=g[f"A{i}"])
            dH[i - 2].addmm_(dH[i - 1], p[f"A{i}"])
            self._through_skip(i, dH[i - 1])
        through_relu(dH[0], H[0], g["b1"])
        torch.mm(dH[0].T, self.X, out=g["W1"])

    def _through_skip(self, layer: int, dz: Tensor) -> None:
        """Gradient by the skip into a layer, and what goes back through it; dz: that by its sum."""
        source, name = self.source(layer), f"C{layer - 1}"
        if source is None:
            return
        torch.mm(dz.T, self.H[source - 1] if source else self.X, out=self.g[name])
        if source:
            self.dH[source - 1].addmm_(dz, self.p[name])
