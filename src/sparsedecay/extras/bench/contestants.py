"""What the engines are compared with: the loop a researcher would write, torch.compile, and JAX.

All start from the same state, train full batch with Adam, and have `advance(epochs)`.
"""

import importlib.util
import shutil
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sparsedecay.engines import ENGINES
from sparsedecay.engines.state import State
from sparsedecay.science import networks, regularizers
from sparsedecay.science.optimizers.adam import Adam
from sparsedecay.science.run import Run

Maker = Callable[[Run, Tensor, Tensor, State], Any]
Function = Callable[..., Any]
Arrays = dict[str, Any]


def adam_of(run: Run) -> Adam:
    """The optimizer of a race."""
    assert isinstance(run.optimizer, Adam)
    return run.optimizer


class Naive:
    """The plain PyTorch loop."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        self.network, self.regularizer = networks.build(run), regularizers.build(run)
        self.X, self.y, self.lam, adam = X, y, run.lam, adam_of(run)
        self.p = {n: t.clone().requires_grad_() for n, t in state.parameters.items()}
        self.optimizer = torch.optim.Adam(
            self.p.values(), lr=adam.learning_rate, betas=adam.betas, eps=adam.eps
        )
        for name, parameter in self.p.items():
            self.optimizer.state[parameter] = {
                "step": torch.tensor(float(state.epoch)),
                "exp_avg": state.moments["first"][name].clone(),
                "exp_avg_sq": state.moments["second"][name].clone(),
            }

    def advance(self, epochs: int) -> None:
        for _ in range(epochs):
            self.optimizer.zero_grad()
            outputs = self.network.forward(self.p, self.X, torch.relu)
            mse = torch.nn.functional.mse_loss(outputs, self.y)
            (mse + self.lam * self.regularizer.value(self.network, self.p)).backward()
            self.optimizer.step()


class AsWritten(Naive):
    """The same with denormals as a processor treats them unless told otherwise."""

    def advance(self, epochs: int) -> None:
        torch.set_flush_denormal(False)
        try:
            super().advance(epochs)
        finally:
            torch.set_flush_denormal(True)


def step(run: Run, mean: Function, sqrt: Function, relu: Function, gradient: Function) -> Function:
    """One epoch as a function of arrays, for compilers: parameters, moments, epoch -> the same."""
    network, regularizer, adam = networks.build(run), regularizers.build(run), adam_of(run)
    (beta1, beta2), rate, eps = adam.betas, adam.learning_rate, adam.eps

    def objective(p: Arrays, X: Any, y: Any) -> Any:
        mse = mean((network.forward(p, X, relu) - y) ** 2)
        return mse + run.lam * regularizer.value(network, p)

    def epoch(
        p: Arrays, m: Arrays, v: Arrays, t: Any, X: Any, y: Any
    ) -> tuple[Arrays, Arrays, Arrays, Any]:
        g, t = gradient(objective)(p, X, y), t + 1
        m = {k: beta1 * m[k] + (1 - beta1) * g[k] for k in p}
        v = {k: beta2 * v[k] + (1 - beta2) * g[k] * g[k] for k in p}
        size, root = rate / (1 - beta1**t), sqrt(1 - beta2**t)
        return {k: p[k] - size * m[k] / (sqrt(v[k]) / root + eps) for k in p}, m, v, t

    return epoch


class TorchCompile:
    """The whole step under `torch.compile`."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        epoch = step(run, torch.mean, torch.sqrt, torch.relu, torch.func.grad)
        self.step, self.X, self.y = torch.compile(epoch, dynamic=False), X, y
        copies = ({k: t.clone() for k, t in part.items()} for part in parts(state))
        self.state = (*copies, torch.tensor(float(state.epoch), dtype=X.dtype))
        self.advance(3)  # compiles

    def advance(self, epochs: int) -> None:
        for _ in range(epochs):
            self.state = self.step(*self.state, self.X, self.y)


class Jax:
    """JAX with `jit` and `lax.fori_loop`, so that Python is out of the way."""

    def __init__(self, run: Run, X: Tensor, y: Tensor, state: State) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", run.precision == "float64")
        self.jax = jax
        X, y = jnp.asarray(X.numpy()), jnp.asarray(y.numpy())
        epoch = step(run, jnp.mean, jnp.sqrt, jax.nn.relu, jax.grad)
        self.step = jax.jit(
            lambda epochs, state: jax.lax.fori_loop(0, epochs, lambda _, s: epoch(*s, X, y), state),
            donate_argnums=1,
        )
        arrays = ({k: jnp.asarray(t.numpy()) for k, t in part.items()} for part in parts(state))
        self.state = (*arrays, jnp.asarray(float(state.epoch), dtype=X.dtype))
        self.advance(3)  # compiles

    def advance(self, epochs: int) -> None:
        self.state = self.jax.block_until_ready(self.step(epochs, self.state))


def parts(state: State) -> tuple[dict[str, Tensor], ...]:
    return state.parameters, state.moments["first"], state.moments["second"]


AS_WRITTEN = "naive, as written"
CONTESTANTS: dict[str, Maker] = {
    **{name: engine.start for name, engine in ENGINES.items()},
    "naive": Naive,
    AS_WRITTEN: AsWritten,
    "torch.compile": TorchCompile,
    "jax": Jax,
}


def absent(name: str, run: Run | None = None) -> str | None:
    """Why a contestant cannot take part here, in the race of a run; None if it can."""
    if name in ENGINES:
        engine = ENGINES[name]
        return engine.missing() or engine.unusable() or (engine.supports(run) if run else None)
    if name == "jax" and importlib.util.find_spec("jax") is None:
        return "not installed; pip install jax"
    if name == "torch.compile" and not any(map(shutil.which, ("g++", "c++", "clang++"))):
        return "it needs a C++ compiler"
    return None
