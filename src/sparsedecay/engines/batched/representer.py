"""Batched passes through the representer network."""

import torch
from torch import Tensor

from sparsedecay.engines.batched.trainer import through_relu
from sparsedecay.science.networks.representer import Representer

Tensors = dict[str, Tensor]


class Passes:
    """Forward and backward for B networks, in buffers for so many samples of each."""

    def __init__(self, network: Representer, p: Tensors, g: Tensors, X: Tensor) -> None:
        self.p, self.g, self.X, self.L = p, g, X, network.L
        B, N, new = len(X), X.shape[1], X.new_empty
        widths = [network.d] * (network.L - 1) + [network.d_out]
        self.H, self.dH = ([new(B, N, network.K) for _ in widths] for _ in range(2))
        self.x = [new(B, N, width) for width in widths]  # x^(1) … x^(L)
        self.G = [new(B, N, width) for width in widths]  # derivatives by them

    def forward(self) -> Tensor:
        p, x = self.p, [self.X, *self.x]
        for i, H in enumerate(self.H, start=1):
            b, c0 = p[f"b{i}"].unsqueeze(1), p[f"c0_{i}"].unsqueeze(1)
            torch.baddbmm(b, x[i - 1], p[f"W{i}"].mT, beta=-1, out=H).relu_()  # (B, N, K)
            torch.baddbmm(c0, H, p[f"V{i}"].mT, out=x[i])
            x[i].baddbmm_(x[i - 1], p[f"C{i}"].mT)  # (B, N, d) or (B, N, d_out)
        return x[-1]

    def backward(self, G: Tensor) -> None:
        p, g, x = self.p, self.g, [self.X, *self.x]
        for i in range(self.L, 0, -1):
            H, dH = self.H[i - 1], self.dH[i - 1]
            g[f"V{i}"].baddbmm_(G.mT, H)
            g[f"C{i}"].baddbmm_(G.mT, x[i - 1])
            g[f"c0_{i}"].add_(G.sum(1))
            torch.bmm(G, p[f"V{i}"], out=dH)
            through_relu(dH, H, g[f"b{i}"])
            g[f"W{i}"].baddbmm_(dH.mT, x[i - 1])
            if i > 1:
                G = torch.bmm(dH, p[f"W{i}"], out=self.G[i - 2]).baddbmm_(G, p[f"C{i}"])
