"""Small archives, right and wrong."""

import hashlib
import json
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from sparsedecay.extras.archive.manifest import LABEL, SUMS, Label, kind, write_sums
from sparsedecay.extras.archive.pack import pack

ROOT = Path(__file__).parents[3]
TEXTS = {
    "Snakefile": b"rule all:\n",
    "config/config.yaml": b"data: {}\n",
    "results/data/grid/data.parquet": b"PAR1 a table",
    "results/measure/run/10/summary.parquet": b"PAR1 another",
    "results/train/run/10/state.safetensors": bytes(range(256)) * 8,
    "figures/fig1.pdf": b"%PDF-1.4",
    "results/logs/data/grid.log": b"81 points\n",
    "results/benchmarks/data/grid.jsonl": b"{}\n",
    ".snakemake/metadata/ZmlndXJlcy9maWcxLnBkZg==": b"{}",
}
"""A file of every kind."""


SAID = Label(
    name="sparsedecay",
    version="0.1.0",
    commit="a" * 40,
    changed=(),
    config="config/config.yaml",
    targets=("all",),
    weights=True,
    versions={"python": "3.11.7"},
)
"""What it says of itself."""


def small(path: Path, **more: Path) -> Path:
    """A whole archive of the files above; others can be added."""
    with TemporaryDirectory() as folder:
        files = {}
        for i, (name, text) in enumerate({**TEXTS, LABEL: SAID.model_dump_json().encode()}.items()):
            files[name] = Path(folder, str(i))
            files[name].write_bytes(text)
        pack(path, files | more)
    return path


def zipped(path: Path, entries: dict[str | zipfile.ZipInfo, bytes]) -> Path:
    """A .zip as anyone may write one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def of_kind(path: Path, wanted: str) -> set[str]:
    return {name for name in contents(path) if kind(name) == wanted}


def listed(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest that says that all is well."""
    rest = {name: content for name, content in files.items() if name != SUMS}
    sums = {name: sha256(content) for name, content in rest.items()}
    return {**rest, SUMS: write_sums(sums)}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def remade(path: Path, archive: Path, changes: dict[str, bytes | None], finish=listed) -> Path:
    """An archive with some files changed, or left out for None, and a manifest to match."""
    files = {**contents(archive), **changes}
    return zipped(path, finish({name: text for name, text in files.items() if text is not None}))


def flipped(content: bytes, at: int, bit: int = 0) -> bytes:
    """The content with one bit changed."""
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def record(**other) -> str:
    """A record as Snakemake writes it."""
    values = {
        "rule": "data",
        "input": [],
        "log": ["results/logs/data/grid.log"],
        "shellcmd": "sparsedecay data",
        "params": ["'x'"],
        "starttime": 10.0,
        "endtime": 11.0,
        "input_checksums": {},
    }
    return json.dumps({**values, **other})
