"""States of training as files."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from sparsedecay.engines.state import State, dtype
from sparsedecay.errors import DamagedFile
from sparsedecay.files.storage import read_state, write_state
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


def save(path: Path, run: Run, state: State, metadata: Mapping[str, str], **more: Tensor) -> None:
    """Write a state as safetensors: `W1`, `first.W1`, `second.W1`, … (the optimizer's names for its
    moments), and more tensors if given."""
    tensors = dict(state.parameters)
    for moment, part in state.moments.items():
        tensors |= {f"{moment}.{name}": tensor for name, tensor in part.items()}
    identity = {"run": run.canonical(), "epoch": str(state.epoch)}
    if state.diverged is not None:
        identity["diverged"] = str(state.diverged)
    write_state(path, tensors | more, {**metadata, **identity})


def load(path: Path, run: Run) -> tuple[State, dict[str, Tensor], dict[str, str]]:
    """A state as written by `save`, the further tensors, and the metadata.

    Raises:
        DamagedFile: it cannot be read, or it is the state of another run.
    """
    tensors, metadata = read_state(path)
    if metadata.get("run") != run.canonical():
        raise DamagedFile(
            f"{path}: holds the state of another run, not of {run.id}.\n"
            f"Make it again with: snakemake --force {path}"
        )
    moments: dict[str, dict[str, Tensor]] = {name: {} for name in run.optimizer.moments}
    parameters: dict[str, Tensor] = {}
    parts = {"": parameters} | {f"{moment}.": part for moment, part in moments.items()}
    for prefix, part in parts.items():
        for name, shape in build(run).shapes.items():
            tensor = tensors.pop(prefix + name, None)
            if tensor is None or tuple(tensor.shape) != shape or tensor.dtype != dtype(run):
                raise DamagedFile(
                    f"{path}: {prefix + name} is missing or not {run.precision} of shape {shape}.\n"
                    f"Make it again with: snakemake --force {path}"
                )
            part[name] = tensor
    lost = int(metadata["diverged"]) if "diverged" in metadata else None
    return State(int(metadata["epoch"]), parameters, moments, diverged=lost), tensors, metadata
