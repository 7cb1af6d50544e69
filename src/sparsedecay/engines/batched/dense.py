"""Batched passes through the dense network."""

import torch
from torch import Tensor

from sparsedecay.engines.batched.trainer import through_relu
from sparsedecay.science.networks.dense import Dense

Tensors = dict[str, Tensor]


class Passes:
    """Forward and backward for B networks, in buffers for so many samples of each."""

    def __init__(self, network: Dense, p: Tensors, g: Tensors, X: Tensor) -> None:
        self.p, self.g, self.X, self.L = p, g, X, network.L
        self.source = network.source
        B, N, new = len(X), X.shape[1], X.new_empty
        self.H, self.dH = ([new(B, N, network.K) for _ in range(network.L)] for _ in range(2))
        self.y = new(B, N, network.d_out)

    def forward(self) -> Tensor:
        p, H, L = self.p, self.H, self.L
        torch.baddbmm(p["b1"].unsqueeze(1), self.X, p["W1"].mT, beta=-1, out=H[0]).relu_()
        for i in range(2, L + 1):
            b = p[f"b{i}"].unsqueeze(1)
            torch.baddbmm(b, H[i - 2], p[f"A{i}"].mT, beta=-1, out=H[i - 1])
            self._add_skip(i, H[i - 1]).relu_()
        torch.baddbmm(p["c0"].unsqueeze(1), H[L - 1], p[f"V{L}"].mT, out=self.y)
        return self._add_skip(L + 1, self.y)

    def _add_skip(self, layer: int, z: Tensor) -> Tensor:
        source = self.source(layer)
        if source is not None:
            skipped = self.H[source - 1] if source else self.X
            z.baddbmm_(skipped, self.p[f"C{layer - 1}"].mT)
        return z

    def backward(self, G: Tensor) -> None:
        p, g, H, dH, L = self.p, self.g, self.H, self.dH, self.L
        g[f"V{L}"].baddbmm_(G.mT, H[L - 1])
        g["c0"].add_(G.sum(1))
        for derivative in dH[:-1]:
            derivative.zero_()
        torch.bmm(G, p[f"V{L}"], out=dH[L - 1])
        self._through_skip(L + 1, G)
        for i in range(L, 1, -1):
            through_relu(dH[i - 1], H[i - 1], g[f"b{i}"])
            g[f"A{i}"].baddbmm_(dH[i - 1].mT, H[i - 2])
            dH[i - 2].baddbmm_(dH[i - 1], p[f"A{i}"])
            self._through_skip(i, dH[i - 1])
        through_relu(dH[0], H[0], g["b1"])
        g["W1"].baddbmm_(dH[0].mT, self.X)

    def _through_skip(self, layer: int, dz: Tensor) -> None:
        """Gradient by the skip into a layer, and what goes back through it; dz: that by its sum."""
        source, name = self.source(layer), f"C{layer - 1}"
        if source is None:
            return
        self.g[name].baddbmm_(dz.mT, self.H[source - 1] if source else self.X)
        if source:
            self.dH[source - 1].baddbmm_(dz, self.p[name])
