"""Training in C++: parameters are brought into the order that the kernels want, and back."""

import hashlib
import importlib
import platform
from functools import partial
from itertools import pairwise
from types import ModuleType

import torch
from torch import Tensor
from torch.nn.functional import pad

from sparsedecay.engines.batches import sizes, steps
from sparsedecay.engines.compiled import FOLDER, UNBUILT, Compiled
from sparsedecay.engines.state import State
from sparsedecay.errors import UserError
from sparsedecay.science import networks, regularizers
from sparsedecay.science.networks import Network
from sparsedecay.science.networks.dense import Dense
from sparsedecay.science.optimizers.adam import Adam
from sparsedecay.science.run import Run

MODULES = {"AVX512": "_avx512", "AVX2": "_avx2"}  # by what torch calls the processor's abilities
PORTABLE = "_portable"  # of processors that are not of Intel's kind
SKIPS = {"leap": 0, "input": 1, "none": 2}
NEVER = 2**40
REST_EVERY = 250  # epochs after which inactive neurons are left out; changes no bit


def kernel() -> ModuleType:
    """The extension module for this processor.

    Raises:
        ImportError: it has not been built, or there is none for this processor.
        UserError: it was built from other sources than those that lie here.
    """
    ability = torch.backends.cpu.get_cpu_capability()
    name = MODULES.get(ability)
    if platform.machine().lower() not in ("x86_64", "amd64"):
        name = PORTABLE
    if name is None:
        raise ImportError(f"it needs a processor with AVX2 or AVX-512; this one has {ability}")
    try:
        module = importlib.import_module(f"{__package__}.{name}")
    except ModuleNotFoundError:
        raise ImportError(Compiled().missing() or UNBUILT) from None
    if sources() != module.SOURCES:
        raise UserError(
            f"{FOLDER}: the compiled engine was built from other sources.\n"
            "Build it anew with: make setup (or pip install --editable .)"
        )
    return module


def sources() -> str:
    """SHA-256 of the C++ beside this file."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in (".cpp", ".h"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


class Trainer:
    """A run under way, on one core."""

    def __init__(
        self, run: Run, X: Tensor, y: Tensor, state: State, rest_every: int = REST_EVERY
    ) -> None:
        self.run, self.network, self.X, self.y = run, networks.build(run), X, y
        self.regularizer = regularizers.build(run)
        self.epoch = state.epoch
        module = kernel()
        self.layout = Layout(self.network, module.lanes[run.precision], module.widest)
        self.packed = [
            {name: self.layout.pack(name, tensor) for name, tensor in part.items()}
            for part in (state.parameters, *(state.moments[name] for name in run.optimizer.moments))
        ]
        trainer = getattr(module, f"{type(self.network).__name__}_{run.precision}")
        adam, network, terms = run.optimizer, self.network, self.regularizer.terms
        assert isinstance(adam, Adam)
        make = partial(
            trainer,
            parameters=[[part[name].numpy() for part in self.packed] for name in network.shapes],
            L=network.L,
            K=network.K,
            d=network.d,
            skips=SKIPS[run.shape.skips],
            decay=[int(terms.W), int(terms.V), int(terms.C), int(terms.biases)],
            mean=run.objective.loss == "mean",
            lam=run.decoupled or run.penalty,
            learning_rate=adam.learning_rate,
            betas=adam.betas,
            eps=adam.eps,
        )
        self.trainer = make(X=X.numpy(), y=y.numpy(), rest_every=rest_every)
        if adam.batches > 1:
            # One for each size of batch, all on the same parameters. Neurons that are active in
            # some batches only do not rest.
            self.by_size = {
                size: make(X=X[:size].numpy(), y=y[:size].numpy(), rest_every=NEVER * rest_every)
                for size in sizes(run)
            }

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The present parameters by name."""
        return self._natural(self.packed[0])

    def losses(self) -> tuple[Tensor, Tensor]:
        """Mean squared error and regularizer (without lam) of the present parameters."""
        value = self.regularizer.value(self.network, self.parameters)
        mse = torch.tensor(self.trainer.error(), dtype=self.X.dtype)
        return mse, torch.as_tensor(value, dtype=self.X.dtype)

    def advance(self, epochs: int) -> None:
        """Train for so many epochs."""
        if self.run.optimizer.batches == 1:
            self.trainer.advance(epochs, self.epoch)
        else:
            done = self.epoch * self.run.optimizer.batches
            for epoch in range(self.epoch, self.epoch + epochs):
                for X, y in steps(self.run, epoch, self.X, self.y):
                    trainer = self.by_size[len(X)]
                    trainer.take(X=X.numpy(), y=y.numpy())
                    trainer.advance(1, done)
                    done += 1
        self.epoch += epochs

    def state(self) -> State:
        """The present state."""
        parameters, *moments = map(self._natural, self.packed)
        return State(
            self.epoch, parameters, dict(zip(self.run.optimizer.moments, moments, strict=True))
        )

    def _natural(self, packed: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: self.layout.unpack(name, tensor) for name, tensor in packed.items()}


class Layout:
    """How the C++ wants its parameters: one register's worth of neurons (`lanes`) side by side.

    Matrices into ReLU neurons, and all biases, are [tile of lanes rows][column][row in the tile];
    matrices out of them [tile of lanes columns][row][column in the tile]; matrices between them
    [panel of up to `widest` tiles of columns][row][column in the panel]. What does not fill a tile
    is filled up with zeros, which stay zero.
    """

    def __init__(self, network: Network, lanes: int, widest: int) -> None:
        self.network, self.lanes = network, lanes
        tiles = -(-network.K // lanes)
        panels = -(-tiles // widest)
        starts = [tiles * panel // panels for panel in range(panels + 1)]
        self.widths = [(end - start) * lanes for start, end in pairwise(starts)]
        self.full_K = tiles * lanes

    def between(self, name: str) -> tuple[bool, bool]:
        """Whether a matrix leads out of ReLU neurons, and whether into them."""
        if isinstance(self.network, Dense) and name[0] == "C":
            target = int(name[1:]) + 1
            return bool(self.network.source(target)), target <= self.network.L
        return name[0] in "AV", name[0] in "AW"

    def pack(self, name: str, tensor: Tensor) -> Tensor:
        """A copy in the order that the C++ wants."""
        if tensor.ndim == 1:
            return pad(tensor, (0, -len(tensor) % self.lanes)).clone()
        rows, columns = tensor.shape
        more = (-columns % self.lanes, -rows % self.lanes)
        match self.between(name):
            case True, True:
                full = pad(tensor, (0, more[0], 0, more[1]))
                return torch.cat([panel.reshape(-1) for panel in full.split(self.widths, 1)])
            case True, False:
                tiles = pad(tensor, (0, more[0])).view(rows, -1, self.lanes)
                return tiles.transpose(0, 1).clone(memory_format=torch.contiguous_format)
        tiles = pad(tensor, (0, 0, 0, more[1])).view(-1, self.lanes, columns)
        return tiles.transpose(1, 2).clone(memory_format=torch.contiguous_format)

    def unpack(self, name: str, packed: Tensor) -> Tensor:
        """A parameter in its own shape; shares memory where it can."""
        shape = self.network.shapes[name]
        if len(shape) == 1:
            return packed[: shape[0]]
        match self.between(name):
            case True, True:
                panels = packed.split([self.full_K * width for width in self.widths])
                full = torch.cat([panel.view(self.full_K, -1) for panel in panels], 1)
            case True, False:
                full = packed.transpose(0, 1).reshape(shape[0], -1)
            case _:
                full = packed.transpose(1, 2).reshape(-1, shape[1])
        return full[: shape[0], : shape[1]]
