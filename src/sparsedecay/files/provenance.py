"""What made a file: what was asked for, the code of its stage, the environment."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_info

PACKAGE: Final = "sparsedecay"
LIBRARIES = ("matplotlib", "numpy", "pandas", "pyarrow", "pydantic", "safetensors", "torch")


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Python, the libraries that decide numbers or pictures, and the kind of machine."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


def kernels() -> str:
    """The linear algebra that this process has loaded, with the kernels that it chose for this
    processor: they decide the last bits of what is measured."""
    found = {
        f"{one['internal_api']} {one['version']} {one['architecture']}"
        for one in threadpool_info()
        if one["user_api"] == "blas" and one.get("architecture")
    }
    return ", ".join(sorted(found)) or "unknown"


def metadata(settings: str, code: str, **more: str) -> Mapping[str, str]:
    """File metadata: what was asked for, the code (`files.fingerprint`) and the versions that
    answered. No time, no path, so that the same work gives the same bytes."""
    return {
        "sparsedecay": importlib.metadata.version(PACKAGE),
        "settings": settings,
        "config_hash": sha256(settings)[:16],
        "code": code,
        "versions": json.dumps(versions(), sort_keys=True),
        **more,
    }
