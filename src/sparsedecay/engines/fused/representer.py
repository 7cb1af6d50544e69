"""Passes through the representer network."""

import torch
from torch import Tensor

from sparsedecay.engines.fused.trainer import through_relu
from sparsedecay.science.networks.representer import Representer

Tensors = dict[str, Tensor]


class Passes:
    """Forward and backward, in buffers for so many samples."""

    def __init__(self, network: Representer, p: Tensors, g: Tensors, X: Tensor) -> None:
        self.p, self.g, self.X, self.L = p, g, X, network.L
        N, new = len(X), X.new_empty
        widths = [network.d] * (network.L - 1) + [network.d_out]
        self.H, self.dH = ([new(N, network.K) for _ in widths] for _ in range(2))
        self.x = [new(N, width) for width in widths]  # x^(1) … x^(L)
        self.G = [new(N, width) for width in widths]  # derivatives by them

    def forward(self) -> Tensor:
        p, x = self.p, [self.X, *self.x]
        for i, H in enumerate(self.H, start=1):
            torch.addmm(p[f"b{i}"], x[i - 1], p[f"W{i}"].T, beta=-1, out=H).relu_()
            torch.addmm(p[f"c0_{i}"], H, p[f"V{i}"].T, out=x[i])
            x[i].addmm_(x[i - 1], p[f"C{i}"].T)
        return x[-1]

    def backward(self, G: Tensor) -> None:
        p, g, x = self.p, self.g, [self.X, *self.x]
        for i in range(self.L, 0, -1):
            H, dH = self.H[i - 1], self.dH[i - 1]
            torch.mm(G.T, H, out=g[f"V{i}"])
            torch.mm(G.T, x[i - 1], out=g[f"C{i}"])
            torch.sum(G, 0, out=g[f"c0_{i}"])
            torch.mm(G, p[f"V{i}"], out=dH)
            through_relu(dH, H, g[f"b{i}"])
            torch.mm(dH.T, x[i - 1], out=g[f"W{i}"])
            if i > 1:
                G = torch.mm(dH, p[f"W{i}"], out=self.G[i - 2]).addmm_(G, p[f"C{i}"])
