"""Training many runs at once, and one as a batch of one.

The parameters of a run are one row, so that runs with the same optimizer, which lie one below the
other, are one vector to it; every product writes into its place in the gradient. Runs do not mix:
no operation goes across rows. Notation of the backward pass: G is the derivative of the loss by a
layer's output, one row per data point.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import prod
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from sparsedecay.engines import Device
from sparsedecay.engines.batched import devices
from sparsedecay.engines.batches import batches
from sparsedecay.engines.state import State, dtype
from sparsedecay.errors import UserError
from sparsedecay.science import networks, regularizers
from sparsedecay.science.run import Run

ALIGNED = 32
"""Parameters begin at multiples of so many numbers, as products on accelerators like it."""


class Passes(Protocol):
    """What a network's module in this folder has: the class `Passes`, made of the network,
    parameters and gradients by name, and samples; it has buffers for that many."""

    X: Tensor
    """The samples at hand, (B, N, d_0)."""
    H: list[Tensor]
    """Activations of each ReLU layer, (B, N, K)."""

    def forward(self) -> Tensor:
        """Outputs (B, N, d_out)."""
        ...

    def backward(self, G: Tensor) -> None:
        """Add the gradients, from the derivative by the outputs, (B, N, d_out)."""
        ...


def shapes(run: Run) -> tuple[object, ...]:
    """What runs must have in common to be in a batch."""
    data = run.data
    sizes = data.points, data.d_in, data.d_out
    return (run.network, *sizes, run.shape.text, run.precision, run.optimizer.batches)


def bytes_of(run: Run) -> int:
    """Memory of a run in a batch: parameters, gradient, moments, activations and their derivatives,
    and what a product or a record takes for a while."""
    network, samples = networks.build(run), run.data.points
    width = network.d if network.factorised else network.d_out
    numbers = (3 + len(run.optimizer.moments)) * network.size
    numbers += samples * network.L * (3 * network.K + 2 * width) + samples * network.d_in
    return numbers * dtype(run).itemsize


SHARE = 0.8
"""Of the memory that a device has free, what a batch may take."""
MOST_ON_PROCESSOR = 32
"""Runs in a batch on a processor: more are no faster, and other cores want some too."""


def room(run: Run, device: torch.device) -> int:
    """How many runs like one a device has memory for, at least 1."""
    fit = max(1, int(SHARE * devices.free(device) / bytes_of(run)))
    return min(fit, MOST_ON_PROCESSOR) if device.type == "cpu" else fit


class Batch:
    """Runs of the same shapes under way, at the same epoch."""

    def __init__(
        self,
        runs: Sequence[Run],
        X: Sequence[Tensor],
        y: Sequence[Tensor],
        states: Sequence[State],
        device: torch.device | None = None,
    ) -> None:
        """Args:
        X: inputs of each run, (N, d_0) in its precision.
        y: targets of each run, (N, D).
        states: to go on from, all at one epoch.
        device: the processor if there is none.

        Raises:
            ValueError: the runs have no shapes, or the states no epoch in common.
            UserError: the device has no numbers of that precision.
        """
        if len({shapes(run) for run in runs}) != 1 or len({s.epoch for s in states}) != 1:
            raise ValueError("runs of a batch have the same shapes, and are at the same epoch")
        self.device = device or torch.device("cpu")
        if self.device.type == "mps" and runs[0].precision == "float64":
            raise UserError(
                "training.device: mps has no numbers of float64; take float32, or the device cpu"
            )
        # runs with the same regularizer, and with the same optimizer, one below the other
        order = sorted(range(len(runs)), key=lambda i: (*regularizer(runs[i]), stepper(runs[i])))
        self.order = np.argsort(order).tolist()
        """The row of each run."""
        self.runs = [runs[i] for i in order]
        self.run, self.network = runs[0], networks.build(runs[0])
        self.epoch = states[0].epoch
        self.X, self.y = (torch.stack([part[i] for i in order]).to(self.device) for part in (X, y))
        layout = Layout(self.network.shapes)
        self.vector = layout.packed([states[i].parameters for i in order], self.device)
        self.parameters = layout.views(self.vector)
        self.moments = {
            name: layout.packed([states[i].moments[name] for i in order], self.device)
            for name in self.run.optimizer.moments
        }
        self.moments_by_name = {name: layout.views(part) for name, part in self.moments.items()}
        self.gradient = torch.zeros_like(self.vector)
        self.g = layout.views(self.gradient)
        self._prepare_steps()
        module = importlib.import_module(f"{__package__}.{self.run.network}")
        self.make: Callable[..., Passes] = module.Passes
        self.by_size: dict[int, Passes] = {}
        self.graph: Any = None

    def _prepare_steps(self) -> None:
        """Numbers of each run, and the rows that are treated alike."""

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=self.X.dtype, device=self.device)[:, None]

        self.lam = column([0.0 if run.decoupled else run.penalty for run in self.runs])
        terms = self.X.shape[1] * self.y.shape[2]
        self.by_loss = {
            len(X): column([2 / run.terms(len(X) * self.y.shape[2]) for run in self.runs])[
                ..., None
            ]
            for X in self._cut()
        }
        self.terms = terms
        self.regularizers = [
            (regularizers.build(self.runs[rows.start]), rows)
            for rows in alike(self.runs, regularizer)
        ]
        self.penalized = [
            (one, rows)
            for one, rows in self.regularizers
            if any(run.penalty and not run.decoupled for run in self.runs[rows])
        ]
        self.shrunk = []  # names and rows that decay beside the gradient, and by how much
        for one, rows in self.regularizers:
            factors = [1 - run.optimizer.learning_rate * run.decoupled for run in self.runs[rows]]
            if any(run.decoupled for run in self.runs[rows]):
                self.shrunk.append((one.decayed(self.network), rows, column(factors)))
        done = float(self.epoch * self.run.optimizer.batches)
        # to optimizers the number of a step is a tensor, one for each that they are called with
        self.steppers = [
            (self.runs[rows.start].optimizer, rows, torch.tensor(done, device=self.device))
            for rows in alike(self.runs, stepper)
        ]

    def _cut(self) -> list[np.ndarray]:
        """The samples of each step of an epoch, for their number alone."""
        return np.array_split(np.arange(self.X.shape[1]), self.run.optimizer.batches)

    def _passes(self, X: Tensor) -> Passes:
        """Passes of these samples, in the buffers for so many of them."""
        size = X.shape[1]
        if size not in self.by_size:
            self.by_size[size] = self.make(self.network, self.parameters, self.g, X)
        self.by_size[size].X = X
        return self.by_size[size]

    @torch.no_grad()
    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of each run, (B,), on the device."""
        outputs = self._passes(self.X).forward()
        mse = (outputs - self.y).square_().mean((1, 2))
        values = torch.empty_like(mse)
        for one, rows in self.regularizers:

            def value(p: dict[str, Tensor], one: Any = one) -> Tensor:
                found = one.value(self.network, p)
                return torch.as_tensor(found, dtype=mse.dtype, device=self.device)

            values[rows] = torch.vmap(value)(part(self.parameters, rows))
        return self.by_index(mse), self.by_index(values)

    @property
    def hidden(self) -> list[Tensor]:
        """Activations (B, N, K) of each ReLU layer in the last forward pass of all samples, by
        row."""
        return self.by_size[self.X.shape[1]].H

    def by_index(self, rows: Tensor) -> Tensor:
        """What is known of each row, in the order in which the runs were given."""
        return rows[torch.tensor(self.order, device=rows.device)]

    def objective_gradient(self, X: Tensor, y: Tensor) -> dict[str, Tensor]:
        """Gradient of the objectives by parameter name; overwritten by the next call."""
        self.gradient.zero_()
        for one, rows in self.penalized:
            added = torch.vmap(
                lambda p, g, one=one: one.add_gradient(self.network, p, 1.0, g) or p[next(iter(p))]
            )
            added(part(self.parameters, rows), part(self.g, rows))
        if self.penalized:
            self.gradient.mul_(self.lam)
        passes = self._passes(X)
        residual = passes.forward().sub_(y)
        passes.backward(residual.mul_(self.by_loss[X.shape[1]]))
        return self.g

    def step(self, X: Tensor, y: Tensor) -> None:
        """One step of each run on these samples, (B, n, d_0)."""
        self.objective_gradient(X, y)
        for names, rows, factors in self.shrunk:
            for name in names:
                p = self.parameters[name][rows]
                p.mul_(factors.view(-1, *[1] * (p.ndim - 1)))
        for optimizer, rows, number in self.steppers:
            number += 1
            moments = {name: part[rows].view(-1) for name, part in self.moments.items()}
            p, g = self.vector[rows].view(-1), self.gradient[rows].view(-1)
            optimizer.update(p, g, moments, number)

    @torch.no_grad()
    def advance(self, epochs: int) -> None:
        """Train all runs for so many epochs."""
        if self.run.optimizer.batches > 1:
            for epoch in range(self.epoch, self.epoch + epochs):
                for X, y in self._minibatches(epoch):
                    self.step(X, y)
        elif self.device.type == "cuda":
            self._replay(epochs)
        else:
            for _ in range(epochs):
                self.step(self.X, self.y)
        self.epoch += epochs

    def _minibatches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs and targets of each step of an epoch; each run has a shuffle of its own."""
        for found in zip(*(batches(run, epoch) for run in self.runs), strict=True):
            index = torch.from_numpy(np.stack(found)).to(self.device)[..., None]
            X, y = (
                torch.gather(whole, 1, index.expand(-1, -1, whole.shape[2]))
                for whole in (self.X, self.y)
            )
            yield X, y

    def _replay(self, epochs: int) -> None:
        """Epochs as replays of one that was recorded, so that no kernel waits for Python."""
        if self.graph is None:
            # what is recorded is not carried out; libraries must have been at work before
            stream = torch.cuda.Stream(self.device)
            stream.wait_stream(torch.cuda.current_stream(self.device))
            with torch.cuda.stream(stream):
                self.step(self.X, self.y)
            torch.cuda.current_stream(self.device).wait_stream(stream)
            epochs -= 1
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.step(self.X, self.y)
            self.graph = graph
        for _ in range(epochs):
            self.graph.replay()
        # whoever counts on the time that this took wants it done
        torch.cuda.synchronize(self.device)

    def states(self) -> list[State]:
        """The present state of each run, in the order given, not copied where it is on the
        processor."""
        by_name = {"": self.parameters, **self.moments_by_name}
        here = {
            kind: {name: tensor.cpu() for name, tensor in tensors.items()}
            for kind, tensors in by_name.items()
        }
        return [
            State(
                self.epoch,
                one(here[""], row),
                {name: one(here[name], row) for name in self.moments},
            )
            for row in self.order
        ]


class Trainer:
    """One run as a batch of one."""

    def __init__(
        self, run: Run, X: Tensor, y: Tensor, state: State, device: Device = "auto"
    ) -> None:
        self.batch = Batch([run], [X], [y], [state], devices.chosen(device))
        self.X, self.y, self.epoch = X, y, state.epoch

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The present parameters by name."""
        return self.batch.states()[0].parameters

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        mse, value = self.batch.losses()
        return mse[0], value[0]

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        self.batch.advance(epochs)
        self.epoch += epochs

    def state(self) -> State:
        """The present state."""
        return self.batch.states()[0]


class Layout:
    """Where each parameter of a run begins in its row; what lies between them is 0 and stays so."""

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        self.shapes, self.begin, at = shapes, {}, 0
        for name, shape in shapes.items():
            self.begin[name] = at
            at += -(-prod(shape) // ALIGNED) * ALIGNED
        self.size = at

    def packed(self, parts: list[dict[str, Tensor]], device: torch.device) -> Tensor:
        """A row for each run, (B, size)."""
        whole = torch.zeros(len(parts), self.size, dtype=next(iter(parts[0].values())).dtype)
        for row, tensors in zip(whole, parts, strict=True):
            for name, tensor in tensors.items():
                row[self.begin[name] :][: tensor.numel()] = tensor.reshape(-1)
        return whole.to(device)

    def views(self, whole: Tensor) -> dict[str, Tensor]:
        """The parameters of all runs by name, (B, …), as views of their rows."""
        return {
            name: whole[:, self.begin[name] :][:, : prod(shape)].unflatten(1, shape)
            for name, shape in self.shapes.items()
        }


def regularizer(run: Run) -> tuple[str, str, bool]:
    """What runs have in common whose regularizers are one call."""
    return run.regularizer, run.objective.text, bool(run.decoupled)


def stepper(run: Run) -> str:
    """What runs have in common whose optimizers are one call."""
    return run.optimizer.text


def alike(runs: Sequence[Run], key: Callable[[Run], object]) -> list[slice]:
    """Rows one below the other that have something in common."""
    found, at = [], 0
    for _, group in groupby(runs, key):
        size = len(list(group))
        found.append(slice(at, at + size))
        at += size
    return found


def part(tensors: dict[str, Tensor], rows: slice) -> dict[str, Tensor]:
    return {name: tensor[rows] for name, tensor in tensors.items()}


def one(tensors: dict[str, Tensor], row: int) -> dict[str, Tensor]:
    return {name: tensor[row] for name, tensor in tensors.items()}


def through_relu(dH: Tensor, H: Tensor, gradient_b: Tensor) -> None:
    """Turn the derivative by relu(z) into that by z, in place; add its sum, that by -b."""
    torch.ops.aten.threshold_backward.grad_input(dH, H, 0, grad_input=dH)
    gradient_b.sub_(dH.sum(1))
