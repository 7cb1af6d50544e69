"""No damaged file is ever taken for a right one, and each is named with what to do."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsedecay.claims.networks import Statements
from sparsedecay.errors import UserError
from sparsedecay.figures.declaration import Request
from sparsedecay.files.storage import open_table, read_request, read_state, read_table
from sparsedecay.measure.request import Join

pytestmark = pytest.mark.workflow
LONG = os.environ.get("FAULTS") == "long"
damaging = settings(
    max_examples=1500 if LONG else 150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def readers(file):
    """How a file is read, by its name."""
    if file.suffix == ".safetensors":
        return [read_state, lambda path: read_state(path, "np")]
    if file.suffix == ".parquet":
        return [read_table, open_table]
    kinds = {"figures": Request, "statements": Statements}
    kind = next((kind for name, kind in kinds.items() if name in file.parts), Join)
    return [lambda path: read_request(path, kind)]


@pytest.fixture(scope="module")
def files(replicated):
    """A file of every kind: data, states, each table, requests."""
    found = {}
    for file in sorted((replicated.folder / "results").rglob("*.*")):
        if file.suffix in (".parquet", ".safetensors") or "requests" in file.parts:
            found.setdefault(file.name, file)
    return list(found.values())


def test_whole_files_are_read(files):
    assert {file.suffix for file in files} == {".parquet", ".safetensors", ".json"}
    assert {"data", "state", "loss", "magnitudes", "summary", "claims"} <= {f.stem for f in files}
    for file in files:
        for read in readers(file):
            read(file)


@given(data=st.data())
@damaging
def test_damage_is_found(files, tmp_path_factory, did, data):
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    damaged = bytearray(whole)
    how = data.draw(st.sampled_from(["flip", "flip", "flip", "cut", "empty", "insert", "zeros"]))
    match how:
        case "flip":
            for _ in range(data.draw(st.integers(1, 3))):
                at = data.draw(st.integers(0, len(whole) - 1))
                damaged[at] ^= 1 << data.draw(st.integers(0, 7))
        case "cut":
            del damaged[data.draw(st.integers(0, len(whole) - 1)) :]
        case "empty":
            damaged.clear()
        case "insert":
            at = data.draw(st.integers(0, len(whole)))
            damaged[at:at] = data.draw(st.binary(min_size=1, max_size=9))
        case "zeros":
            at = data.draw(st.integers(0, len(whole) - 1))
            damaged[at : at + 512] = bytes(len(damaged[at : at + 512]))
    if damaged == whole:
        return  # the same bit flipped twice, or zeros over zeros
    path = Path(tmp_path_factory.mktemp("damaged")) / file.name
    path.write_bytes(damaged)
    for read in readers(file):
        with pytest.raises(UserError) as caught:
            read(path)
        assert str(path) in str(caught.value)
        assert f"snakemake --force {path}" in str(caught.value)
    did["files damaged, none taken for a right one"] += 1
    did[f"  {how}"] += 1
    did["bytes of them"] += len(damaged)
