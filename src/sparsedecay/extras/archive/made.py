"""What made an archive and what is in it, and how that differs from what is here."""

import importlib.metadata
import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from sparsedecay.errors import UserError
from sparsedecay.files import paths
from sparsedecay.files.provenance import versions
from sparsedecay.files.storage import read_table

UNTOLD = "not recorded"


def packers() -> dict[str, str]:
    """Versions of all that decides the bytes of figures and archives here."""
    more = {name: importlib.metadata.version(name) for name in ("pillow", "snakemake")}
    return {**versions(), **more, "zlib": zlib.ZLIB_RUNTIME_VERSION}


def unlike(there: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Which versions were others there, or are not told of."""
    return [f"{k} {there.get(k, UNTOLD)}, here {v}" for k, v in here.items() if there.get(k) != v]


def made_by(folder: Path, name: str, epoch: int) -> dict[str, str]:
    """What decides the bits of a stretch of training and of what was measured at its end, besides
    settings.

    Raises:
        UserError: the stretch does not say.
    """
    file = folder / paths.loss(name, epoch)
    about = read_table(file).schema.metadata
    measured = pq.read_schema(folder / paths.measured(name, epoch, "summary")).metadata or {}
    try:
        versions = json.loads(about[b"versions"])
        return {
            "engine": about[b"engine"].decode(),
            **{key: versions[key] for key in ("machine", "numpy", "torch")},
            "processor with": about[b"cpu"].decode(),
            "linear algebra": measured.get(b"kernels", UNTOLD.encode()).decode(),
        }
    except (KeyError, ValueError, TypeError, RecursionError):
        raise UserError(f"{file}: does not say what made it") from None
