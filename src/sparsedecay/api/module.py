"""A trained network as a module of torch."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from sparsedecay.science.networks import Network


class Module(torch.nn.Module):
    """A network whose parameters are called as in the paper: W1, b1, V1, …"""

    def __init__(self, network: Network, parameters: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        self.network = network
        for name, array in parameters.items():
            self.register_parameter(name, torch.nn.Parameter(torch.from_numpy(array.copy())))

    def forward(self, x: Tensor) -> Tensor:
        """Outputs (N, D) for inputs (N, d_0)."""
        found: Tensor = self.network.forward(dict(self.named_parameters()), x, torch.relu)
        return found
