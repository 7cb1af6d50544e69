"""The compiled engine's bits, as they were written down: they are part of what it promises.

python -m tests.engines.test_bits        write them down anew, if another order of sums is meant
"""

import hashlib
import itertools
import json
import sys
from pathlib import Path

import pytest
import torch

from sparsedecay import engines
from tests.small import small_run, started

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


def digest(case: str) -> str:
    """Of the state after some hundred epochs, with all moments, of a network whose widths fill no
    register."""
    asked = CASES[case]
    lam = 0.0 if asked["regularizer"] == "none" else 1e-3
    run = small_run(
        **asked, lam=lam, levels=(0.0, 0.5, 1.0), dimension=3, K=100, d=5, learning_rate=1e-3
    )
    engines.prepare()
    trainer = started("compiled", run)
    trainer.advance(EPOCHS)
    state, whole = trainer.state(), hashlib.sha256()
    for part in (state.parameters, *state.moments.values()):
        for name, tensor in part.items():
            whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return whole.hexdigest()


@pytest.mark.skipif(bool(ENGINE.missing() or ENGINE.unusable()), reason="the engine is not built")
@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("case", CASES)
def test_the_bits_are_those_that_were_written_down(case, build, monkeypatch):
    if build == "AVX512" and torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("this processor has no AVX-512")
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: build)
    assert digest(case) == json.loads(BITS.read_text())[case]


if __name__ == "__main__":
    BITS.write_text(json.dumps({case: digest(case) for case in CASES}, indent=2) + "\n")
    sys.exit(f"written: {BITS}")
