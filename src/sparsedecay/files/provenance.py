"""What made a file: the code of its stage, the environment, the command.

`code("sparsedecay.measure")` stands for the text of that module and of every module of this
package that it imports, and of C++ beside them, without comments and docstrings: rewording an
explanation makes nothing out of date, changing a number does. Snakemake compares it as a parameter
of each rule.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import platform
import re
import tokenize
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

PACKAGE: Final = "sparsedecay"
LIBRARIES = ("matplotlib", "numpy", "pandas", "pyarrow", "pydantic", "safetensors", "torch")


@lru_cache
def closure(*modules: str) -> dict[str, Path]:
    """Source file of each named module and of all modules of this package that they import."""
    files: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in files:
            continue
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue  # `from module import name`: a value, not a module
        files[name] = Path(spec.origin)
        waiting += imported(files[name].read_text(encoding="utf-8"))
        waiting += [name.rpartition(".")[0]] if "." in name else []
    return dict(sorted(files.items()))


@cache  # most modules belong to several stages
def imported(text: str) -> set[str]:
    """Names under this package that a source text imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {
                f"{node.module}.{alias.name}" for alias in node.names if node.module in PACKAGES
            }
    return {name for name in names if name.split(".")[0] == PACKAGE}


# Packages whose `from … import name` may name a module.
ROOMS: tuple[str, ...] = ("claims", "engines", "extras", "figures", "files", "measure")
ROOMS += ("science", "session", "study", "train")
ROOMS += ("extras.archive", "extras.bench", "extras.compare")
PACKAGES = (PACKAGE, *(f"{PACKAGE}.{name}" for name in ROOMS))
NATIVE = (".cpp", ".h")


@cache
def substance(text: str) -> str:
    """A source text without comments, docstrings (of attributes too) and blank lines."""
    lines = text.splitlines()
    spans = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            spans.append((token.start, token.end))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), end_lineno=int(last)):
                # ast counts columns in bytes; a docstring stands alone, so whole lines will do
                spans.append(((node.lineno, node.col_offset), (last, len(lines[last - 1]))))
    for (first, start), (last, end) in sorted(spans, reverse=True):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def native_substance(text: str) -> str:
    """A C++ text without `//` comments and blank lines."""
    lines = (re.sub(r"\s*//.*", "", line).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


@lru_cache
def code(*modules: str) -> str:
    """The code of the modules' closure, as `name=digest` for each file, in one line."""
    texts = {}
    for name, file in closure(*modules).items():
        name = name.removeprefix(PACKAGE + ".")
        texts[name] = substance(file.read_text(encoding="utf-8"))
        beside = sorted(file.parent.iterdir()) if file.name == "__init__.py" else []
        texts |= {
            f"{name}/{path.name}": native_substance(path.read_text(encoding="utf-8"))
            for path in beside
            if path.suffix in NATIVE
        }
    return " ".join(f"{name}={sha256(text)[:8]}" for name, text in texts.items() if text)


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


def metadata(settings: str, *modules: str, **more: str) -> Mapping[str, str]:
    """File metadata: what was asked for, the code and the versions that answered. No time, no path,
    so that the same work gives the same bytes."""
    return {
        "sparsedecay": importlib.metadata.version(PACKAGE),
        "settings": settings,
        "config_hash": sha256(settings)[:16],
        "code": code(*modules),
        "versions": json.dumps(versions(), sort_keys=True),
        **more,
    }
