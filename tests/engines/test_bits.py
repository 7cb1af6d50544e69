"""The compiled engine's bits, as they were written down: they are part of what it promises.

python -m tests.engines.test_bits        write them down anew, if another order of sums is meant
"""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
import torch

from sparsedecay import engines
from sparsedecay.engines.compiled import FOLDER
from sparsedecay.engines.compiled.trainer import Layout
from sparsedecay.science import networks, regularizers
from sparsedecay.science.run import Run
from tests.small import beginning, small_run, started

BITS = Path(__file__).with_name("bits.json")
ENGINE = engines.ENGINES["compiled"]
BUILDS = ("AVX512", "AVX2")
CASES = {
    "-".join(case): dict(zip(("network", "regularizer", "precision"), case, strict=True))
    for case in itertools.product(
        ("representer", "dense"), ("eq2", "weight_decay", "none"), ("float32", "float64")
    )
}
EPOCHS = 400


def run_of(case: str) -> Run:
    """A network whose widths fill no register."""
    asked = CASES[case]
    lam = 0.0 if asked["regularizer"] == "none" else 1e-3
    shape = {"levels": (0.0, 0.5, 1.0), "dimension": 3, "K": 100, "d": 5}
    return small_run(**asked, **shape, lam=lam, learning_rate=1e-3)


def digest(parts: Iterable[Mapping[str, torch.Tensor]]) -> str:
    """Of parameters by name, and of all moments."""
    whole = hashlib.sha256()
    for part in parts:
        for name, tensor in part.items():
            whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


def trained(case: str) -> str:
    """The digest after some hundred epochs."""
    engines.prepare()
    trainer = started("compiled", run_of(case))
    trainer.advance(EPOCHS)
    state = trainer.state()
    return digest([state.parameters, *state.moments.values()])


@pytest.mark.skipif(bool(ENGINE.missing() or ENGINE.unusable()), reason="the engine is not built")
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_that_were_written_down(case, build, monkeypatch):
    if build == "AVX512" and torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("this processor has no AVX-512")
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: build)
    assert trained(case) == json.loads(BITS.read_text())[case]


COMPILERS = {
    "this processor, without its vectors": (["g++"], [], 3),
    "ARM": (["aarch64-linux-gnu-g++", "-static"], ["qemu-aarch64"], 4),
}
"""How to build for a processor, and to run it here; and the registers of a panel of the dense
network there, as `dense.h` has it."""
FLAGS = "-O2 -fno-wrapv -ffp-contract=off -fno-math-errno -std=c++17 -Wno-maybe-uninitialized"


@pytest.fixture(scope="module", params=COMPILERS)
def elsewhere(request, tmp_path_factory):
    """A program of the kernels alone, through the compiler's vectors."""
    compiler, emulator, widest = COMPILERS[request.param]
    lacking = [tool for tool in (compiler[0], *emulator) if not shutil.which(tool)]
    if lacking and os.environ.get("CI"):
        pytest.fail(f"{lacking[0]} is missing, though this is CI")
    if lacking:
        pytest.skip(f"{lacking[0]} is missing")
    program = tmp_path_factory.mktemp("portable") / "portable"
    source = Path(__file__).with_name("portable.cpp")
    words = [*compiler, *FLAGS.split(), f"-I{FOLDER}", str(source), "-o", str(program)]
    subprocess.run(words, check=True)
    return [*emulator, str(program)], widest


@pytest.mark.parametrize("case", CASES)
def test_other_processors_give_the_same_bits(elsewhere, case):
    """Vectors of 16 bytes, as ARM has them, instead of 32 or 64."""
    (command, widest), run = elsewhere, run_of(case)
    X, y, state = beginning(run)
    network, terms = networks.build(run), regularizers.build(run).terms
    layout = Layout(network, 16 // X.element_size(), widest)
    parts = [state.parameters, *state.moments.values()]
    packed = [{name: layout.pack(name, part[name]) for name in network.shapes} for part in parts]
    flags = int(terms.W), int(terms.V), int(terms.C), int(terms.biases), 1
    adam = run.optimizer
    head = (
        *(run.network, run.precision, *X.shape, 1, network.L, network.K, network.d, 0, *flags),
        *(run.penalty, adam.learning_rate, *adam.betas, adam.eps, 250, EPOCHS),
        len(packed) * len(network.shapes),
    )
    arrays = [part[name].contiguous() for name in network.shapes for part in packed]
    asked = " ".join(map(str, head)).encode() + b"\n" + X.numpy().tobytes() + y.numpy().tobytes()
    asked += b"".join(a.numel().to_bytes(8, "little") + a.numpy().tobytes() for a in arrays)
    done = subprocess.run(command, input=asked, capture_output=True, check=True).stdout
    found = torch.frombuffer(bytearray(done), dtype=X.dtype).split([a.numel() for a in arrays])
    shaped = [one.view(array.shape) for one, array in zip(found, arrays, strict=True)]
    after = [dict(zip(network.shapes, shaped[i :: len(packed)], strict=True)) for i in range(3)]
    natural = [{name: layout.unpack(name, part[name]) for name in part} for part in after]
    assert digest(natural) == json.loads(BITS.read_text())[case]


if __name__ == "__main__":
    BITS.write_text(json.dumps({case: trained(case) for case in CASES}, indent=2) + "\n")
    sys.exit(f"written: {BITS}")
