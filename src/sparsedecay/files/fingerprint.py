"""The code that decides a stage's numbers, as one line of text that Snakemake compares.

    code("claims.rows")          claims.rows=9f86d081 claims.verdict=… science.measures=…
    training(run)                the same of everything that a run's weights depend on

Only rooms that decide numbers count: `science`, `engines`, and the room of the stage's own module.
Of their text only what can change a number counts: no comments, no docstrings, no words of errors,
no titles. So a new message, another lock or a kind that this run does not use make nothing out of
date; another order of a sum does.
"""

import ast
import hashlib
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sparsedecay.science import networks, optimizers
from sparsedecay.science.data import Data
from sparsedecay.science.kinds import Kind
from sparsedecay.science.run import Run

PACKAGE = "sparsedecay"
ROOT = Path(__file__).parents[1]
DECIDING = frozenset({"science", "engines"})
"""Rooms that decide the numbers of every stage that imports them."""
NATIVE = (".cpp", ".h")
NETWORKS = "science.networks"
WORDS = {"title", "caption"}
"""Class attributes that people read."""


def file_of(module: str) -> Path | None:
    """Source file of a module of this package, by its name without the package's; None if there is
    none."""
    path = ROOT / module.replace(".", "/")
    found = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in found if file.is_file()), None)


@cache
def closure(*modules: str, deciding: frozenset[str] = DECIDING) -> dict[str, Path]:
    """The modules, and all that they import of their own rooms and of those that count."""
    rooms = deciding | {module.split(".")[0] for module in modules}
    files: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        file = file_of(name)
        if name in files or file is None:
            continue
        files[name] = file
        text = file.read_text(encoding="utf-8")
        waiting += [one for one in imported(text) if one.split(".")[0] in rooms]
    return files


@cache
def imported(text: str) -> set[str]:
    """Modules of this package that a source text imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names=found):
                names |= {alias.name for alias in found}
            case ast.ImportFrom(module=str(package), names=found, level=0):
                inner = {f"{package}.{alias.name}" for alias in found}
                modules = {name for name in inner if file_of(name.removeprefix(f"{PACKAGE}."))}
                # of `from package import module` the package itself decides nothing
                names |= modules if modules == inner else {package, *modules}
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


@cache
def substance(text: str) -> str:
    """A source text without what cannot change a number."""
    lines = text.splitlines()

    def place(line: int, column: int) -> tuple[int, int]:
        # ast counts columns in bytes
        return line, len(lines[line - 1].encode()[:column].decode())

    spans = [
        (place(node.lineno, node.col_offset), place(node.end_lineno, node.end_col_offset))
        for node in words(ast.parse(text))
    ]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            spans.append((token.start, token.end))
    outermost: list[tuple[tuple[int, int], tuple[int, int]]] = []
    for span in sorted(spans):
        if not outermost or span[0] >= outermost[-1][1]:
            outermost.append(span)
    for (first, start), (last, end) in reversed(outermost):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def words(tree: ast.Module) -> Iterator[Any]:
    """The parts of a program that people read: docstrings, of attributes too; what an error says;
    titles."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                yield node
            case ast.Raise(exc=ast.Call(args=arguments)):
                yield from arguments
            case ast.ClassDef(body=body):
                for statement in body:
                    match statement:
                        case ast.Assign(targets=[ast.Name(id=name)]) if name in WORDS:
                            yield statement


def native_substance(text: str) -> str:
    """A C++ text without `//` comments and blank lines."""
    lines = (re.sub(r"\s*//.*", "", line).rstrip() for line in text.splitlines())
    return "\n".join(filter(None, lines))


def digest(file: Path) -> str:
    """Eight hexadecimal digits that stand for the substance of a file; "" if it has none."""
    text = file.read_text(encoding="utf-8")
    text = native_substance(text) if file.suffix in NATIVE else substance(text)
    return hashlib.sha256(text.encode()).hexdigest()[:8] if text else ""


@cache
def code(*modules: str) -> str:
    """The code of modules and of all that they import, as `name=digest` for each file.

    Args:
        modules: names without the package's, such as `claims.rows`.
    """
    return listed(closure(*modules))


def listed(files: dict[str, Path]) -> str:
    """Files by name as one line, without those that hold only words."""
    found = ((name, digest(file)) for name, file in sorted(files.items()))
    return " ".join(f"{name}={digits}" for name, digits in found if digits)


def engines(network: str, optimizer: str) -> dict[str, Path]:
    """Files of all engines, but those that are named after another network, and engines that are
    named after another optimizer."""
    others = networks.KINDS.keys() - {network}
    folders = optimizers.KINDS.keys() - {optimizer}
    return {
        name_of(file): file
        for file in (ROOT / "engines").rglob("*")
        if file.suffix in (".py", *NATIVE)
        and file.stem not in others
        and file.parent.name not in folders
    }


def name_of(file: Path) -> str:
    """A module's name, or that of a native file with its ending."""
    path = file.relative_to(ROOT)
    if file.suffix == ".py":
        path = path.parent if file.stem == "__init__" else path.with_suffix("")
    return ".".join(path.parts)


def training(run: Run) -> str:
    """The code that decides the numbers of a run's training."""
    parts = run.data.name, run.initialization.name, run.optimizer.name
    return trained(run.network, run.regularizer, *parts)


@cache
def trained(network: str, regularizer: str, data: str, initialization: str, optimizer: str) -> str:
    """The same by the names of a run's kinds, as thousands of runs share them."""
    modules = (
        "science.run",
        "train.records",
        f"science.networks.{network}",
        f"science.regularizers.{regularizer}",
        f"science.data.{data}",
        f"science.initializations.{initialization}",
        f"science.optimizers.{optimizer}",
    )
    return listed(engines(network, optimizer) | closure(*modules))


def measuring(run: Run) -> str:
    """The code that decides what is measured of a run."""
    kinds = f"science.networks.{run.network}", f"science.regularizers.{run.regularizer}"
    return code("science.measures.rows", *kinds)


def picture(figure: str, kinds: Iterable[type[Kind]]) -> str:
    """The code that decides how a figure looks, and what the kinds that it shows are called. Of
    `science` it depends on networks alone; all else reaches it by way of tables."""
    files = dict(closure(f"figures.{figure}", deciding=frozenset()))
    for file in list(files.values()):
        names = imported(file.read_text(encoding="utf-8"))
        files |= {n: path for n in names if n.startswith(NETWORKS) and (path := file_of(n))}
    titles = " ".join(sorted({kind.title for kind in kinds}))
    told = hashlib.sha256(titles.encode()).hexdigest()[:8]
    return f"{listed(dict(sorted(files.items())))} titles={told}"


def data(data: Data) -> str:
    """The code that decides the numbers of a data set."""
    return code(f"science.data.{data.name}")
