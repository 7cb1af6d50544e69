"""The engine for many runs at once: batched products on torch, on an accelerator if there is one.

Runs of the same shapes are one batch, whatever their data, seeds, lam, learning rates and
regularizers. Passes through a network are a module named after it (`representer`, `dense`).
"""

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sparsedecay.engines import Device, Engine, Trainer, unwritten
from sparsedecay.science.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from sparsedecay.engines.state import State

NODES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""What the drivers of NVIDIA (Linux, WSL 2) and AMD make."""
NONE_HERE = (
    "no accelerator is here for it (training.device: auto), and without one it is slower; "
    "`device: cpu` batches all the same"
)


class Batched(Engine):
    """Trains networks whose batched passes are written down here, with regularizers that have a
    gradient of their own."""

    title = "batched"
    order = 4
    slowdown = 4

    def supports(self, run: Run) -> str | None:
        return unwritten(run, Path(__file__).parent)

    def missing(self, device: Device = "auto") -> str | None:
        """As `auto` it is for accelerators alone. On a machine that only submits jobs, name the
        device that the jobs will find."""
        return NONE_HERE if device == "auto" and not likely() else None

    def start(
        self, run: Run, X: "Tensor", y: "Tensor", state: "State", device: Device = "auto"
    ) -> Trainer:
        from sparsedecay.engines.batched import trainer

        return trainer.Trainer(run, X, y, state, device)

    def unusable(self, device: Device = "auto") -> str | None:
        from sparsedecay.engines.batched.devices import accelerator, available

        if device == "auto":
            return None if accelerator() else NONE_HERE
        return None if available(device) else f"torch finds no device {device} here"


def likely() -> bool:
    """Whether an accelerator seems to be here; torch is not asked, which takes a second."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return False
    return any(map(os.path.exists, NODES)) or (
        sys.platform == "darwin" and platform.machine() == "arm64"
    )
