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
from typing import TYPE_CHECKING

from sparsedecay.science import networks
from sparsedecay.science.kinds import Kind

if TYPE_CHECKING:
    from sparsedecay.science.data import Data
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
    return dict(sorted(files.items()))


@cache
def imported(text: str) -> set[str]:
    """Modules of this package that a source text imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if file_of(name.removeprefix(f"{PACKAGE}."))}
            # of `from package import module` the package itself decides nothing
            names |= modules if modules == inner else {node.module, *modules}
    return {name.removeprefix(f"{PACKAGE}.") for name in names if name.startswith(f"{PACKAGE}.")}


@cache
def substance(text: str) -> str:
    """A source text without what cannot change a number."""
    lines = text.splitlines()
    spans = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            spans.append((token.start, token.end))
    for node in words(ast.parse(text)):
        first, last = node.lineno, node.end_lineno or node.lineno
        # ast counts columns in bytes
        start = len(lines[first - 1].encode()[: node.col_offset].decode())
        end = len(lines[last - 1].encode()[: node.end_col_offset].decode())
        spans.append(((first, start), (last, end)))
    for (first, start), (last, end) in outermost(spans):
        lines[first - 1 : last] = [lines[first - 1][:start] + lines[last - 1][end:]]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def words(tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
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


Place = tuple[int, int]


def outermost(spans: list[tuple[Place, Place]]) -> list[tuple[Place, Place]]:
    """Spans that lie in no other, the last first."""
    kept: list[tuple[Place, Place]] = []
    for start, end in sorted(spans, key=lambda span: (span[0], (-span[1][0], -span[1][1]))):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept[::-1]


def native_substance(text: str) -> str:
    """A C++ text without `//` comments and blank lines."""
    lines = (re.sub(r"\s*//.*", "", line).rstrip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


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
    return " ".join(f"{name}={found}" for name, file in files.items() if (found := digest(file)))


@cache
def engines(network: str) -> dict[str, Path]:
    """Files of all engines, but those that are named after another network."""
    others = networks.KINDS.keys() - {network}
    return {
        name_of(file): file
        for file in sorted((ROOT / "engines").rglob("*"))
        if file.suffix in (".py", *NATIVE) and file.stem not in others
    }


def name_of(file: Path) -> str:
    """A module's name, or that of a native file with its ending."""
    path = file.relative_to(ROOT)
    if file.suffix == ".py":
        path = path.parent if file.stem == "__init__" else path.with_suffix("")
    return ".".join(path.parts)


@cache
def kinds(network: str, regularizer: str, *others: str) -> tuple[str, ...]:
    """Modules of the kinds that a run is made of."""
    families = ("data", "initializations", "optimizers")
    more = [f"science.{family}.{name}" for family, name in zip(families, others, strict=False)]
    return (f"science.networks.{network}", f"science.regularizers.{regularizer}", *more)


def training(run: "Run") -> str:
    """The code that decides the numbers of a run's training."""
    parts = run.data.name, run.initialization.name, run.optimizer.name
    return trained(kinds(run.network, run.regularizer, *parts), run.network)


@cache
def trained(modules: tuple[str, ...], network: str) -> str:
    files = engines(network) | closure("train.records", "science.run", *modules)
    return listed(dict(sorted(files.items())))


def measuring(run: "Run") -> str:
    """The code that decides what is measured of a run."""
    return code("science.measures.rows", *kinds(run.network, run.regularizer))


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


def data(data: "Data") -> str:
    """The code that decides the numbers of a data set."""
    return code(f"science.data.{data.name}")
