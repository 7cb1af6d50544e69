"""The complete state of a training: what a milestone or a checkpoint stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from sparsedecay.data import stream
from sparsedecay.errors import DamagedFile
from sparsedecay.files.storage import read_state, write_state
from sparsedecay.science.networks import build
from sparsedecay.science.run import Run


@dataclass(frozen=True)
class State:
    """Parameters and Adam's moments by parameter name, after `epoch` epochs (steps).

    Of a run that has diverged all of them are NaN: which became so first depends on the engine.
    """

    epoch: int
    parameters: dict[str, Tensor]
    first: dict[str, Tensor]
    second: dict[str, Tensor]
    diverged: int | None = field(default=None, kw_only=True)
    """The recorded epoch at which loss or weights were found not to be finite."""


def diverged(state: State, epoch: int) -> State:
    """What a milestone at `epoch` holds of a run whose present state is not finite."""
    parts = (state.parameters, state.first, state.second)
    nan = [{n: torch.full_like(t, torch.nan) for n, t in part.items()} for part in parts]
    return State(epoch, *nan, diverged=state.epoch)


def dtype(run: Run) -> torch.dtype:
    return {"float32": torch.float32, "float64": torch.float64}[run.precision]


def initial(run: Run) -> State:
    """Epoch 0: each parameter uniform on the initial range, from a stream of its own, so that a
    network with more layers starts with the same first ones."""
    start, network = run.initialization, build(run)
    low, high = start.range
    parameters, zeros = {}, {}
    for name, shape in network.shapes.items():
        uniform = low + (high - low) * stream(start.seed, f"weights {name}").random(shape)
        if start.scale == "fan_in":
            uniform /= network.fan_in[name] ** 0.5
        parameters[name] = torch.from_numpy(uniform).to(dtype(run))
        zeros[name] = torch.zeros(shape, dtype=dtype(run))
    return State(0, parameters, zeros, {name: zero.clone() for name, zero in zeros.items()})


def save(path: Path, run: Run, state: State, metadata: Mapping[str, str], **more: Tensor) -> None:
    """Write a state as safetensors: `W1`, `first.W1`, `second.W1`, …, and more tensors if given."""
    tensors = dict(state.parameters)
    tensors |= {f"first.{name}": tensor for name, tensor in state.first.items()}
    tensors |= {f"second.{name}": tensor for name, tensor in state.second.items()}
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
    parts: dict[str, dict[str, Tensor]] = {"": {}, "first.": {}, "second.": {}}
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
    state = State(
        int(metadata["epoch"]), parts[""], parts["first."], parts["second."], diverged=lost
    )
    return state, tensors, metadata
