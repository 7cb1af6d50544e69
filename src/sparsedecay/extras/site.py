"""Command `sparsedecay site`: the pages of the documentation's site, for MkDocs (`make site`).

    sparsedecay site build/pages

The documents lie there as they do in the project, so that their links hold; what is told of
commands, tables, measures, statements and kinds is written from the code that they are.
"""

import argparse
import ast
import importlib
import inspect
import io
import math
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout, suppress
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pyarrow as pa

from sparsedecay.claims.statements import BELOW_ONE, CLAIMS, Claim
from sparsedecay.cli import COMMANDS
from sparsedecay.errors import UserError
from sparsedecay.files import tables
from sparsedecay.science import (
    data,
    initializations,
    measures,
    networks,
    optimizers,
    regularizers,
)
from sparsedecay.science.kinds import Kind
from sparsedecay.words import number

DOCUMENTS = ("*.md", "docs/*.md", "config/*.md", "results/*.md", "figures/*.md")
FORMULAS = (
    ("<", "&lt;"),
    (r"\|\|", "‖"),
    (r"\bsigma(?=_|\b)", "σ"),
    (r"\btheta\b", "θ"),
    (r"‖_(\w)", r"‖<sub>\1</sub>"),
    (r"\bsum_k\b", "Σ<sub>k</sub>"),
    (
        r"(?<![\w.])([A-Za-zσθ])_(\((?:\w|[ +-])+\)|[A-Za-z0-9]{1,2})(?![\w.(])",
        r"\1<sub>\2</sub>",
    ),
    (r"(?<=[\w‖>)])\^(\((?:\w|[ +-])+\)|\w)", r"<sup>\1</sup>"),
)
"""Of docstrings, and what they are in print."""
ASSETS = "docs/site"
FAMILIES = {
    "Regularizers": regularizers,
    "Networks": networks,
    "Data sets": data,
    "Optimizers": optimizers,
    "Initializations": initializations,
}
MODULES = (
    "science.run",
    "science.networks",
    "science.regularizers",
    "science.data",
    "science.initializations",
    "science.optimizers",
    "science.measures",
    "science.convex",
    "science.kinds",
    "engines",
    "train.loop",
    "files.results",
    "files.paths",
    "study.study",
    "figures.declaration",
    "claims.statements",
)
"""Of the reference for Python."""
TABLES = {
    **tables.SCHEMAS,
    "loss": tables.LOSS,
    "magnitudes": tables.MAGNITUDES,
    "optima": tables.OPTIMA,
    "certificates": tables.CERTIFICATES,
    "statements": tables.STATEMENTS,
}


def main(arguments: list[str]) -> None:
    """Write the pages into an empty folder.

    Raises:
        UserError: it is called elsewhere than in the project, or the folder holds something else.
    """
    parser = argparse.ArgumentParser(
        prog="sparsedecay site",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    project = Path()
    if not (project / "mkdocs.yml").exists():
        raise UserError("mkdocs.yml: no such file; call this in a clone of the project")
    mark = folder / ".pages"
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: holds other files; name a new folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()
    for file in documents(project):
        target = folder / file.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    for name, text in pages().items():
        (folder / "reference").mkdir(exist_ok=True)
        (folder / "reference" / name).write_text(text, encoding="utf-8")


def documents(project: Path) -> set[Path]:
    """The documents, and the files of the project that they show or link to."""
    pages = {file for names in DOCUMENTS for file in project.glob(names)}
    linked = {
        Path(os.path.normpath(page.parent / link))
        for page in pages
        for link in re.findall(r"\]\(([^)#:\s]+)", page.read_text("utf-8"))
    }
    found = {file for file in linked if (project / file).is_file() and ".." not in file.parts}
    return pages | found | {file for file in (project / ASSETS).glob("*") if file.is_file()}


def pages() -> dict[str, str]:
    """The pages that are written from the code, by name."""
    return {
        "commands.md": "\n\n".join(commands()),
        "measures.md": "\n\n".join(measured()),
        "tables.md": "\n\n".join(columns()),
        "statements.md": "\n\n".join(statements()),
        "kinds.md": "\n\n".join(kinds()),
        "python.md": "\n\n".join(modules()),
    }


def commands() -> Iterator[str]:
    """What `--help` says of each command."""
    yield "# Commands"
    yield (
        "What the rules of the workflow call, usable by hand: `sparsedecay COMMAND`. Exit status 2 "
        "is a mistake of the user's, told in one line."
    )
    for name, (module, summary) in COMMANDS.items():
        said = io.StringIO()
        with redirect_stdout(said), suppress(SystemExit):
            importlib.import_module(f"sparsedecay.{module}").main(["--help"])
        yield f"## {name}"
        yield f"{summary[0].upper()}{summary[1:]}."
        yield f"```text\n{said.getvalue().strip()}\n```"


def measured() -> Iterator[str]:
    """What each measure is: the functions that compute them, and the limits they use."""
    yield "# What is measured"
    yield sentence(measures)
    yield (
        "The columns that hold these numbers are in [Tables](tables.md), and the thresholds that a "
        "config sets in [Configuration](../config/README.md#measures)."
    )
    for node in ast.parse(inspect.getsource(measures)).body:
        if isinstance(node, ast.FunctionDef) and (text := ast.get_docstring(node)):
            yield f"## {node.name.replace('_', ' ').capitalize()}"
            yield prose(text)
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            yield f"```python\n{node.name}({ast.unparse(node.args)}){returns}\n```"
    yield "## Limits"
    yield table(("name", "value", "meaning"), constants(measures))


def constants(module: ModuleType) -> Iterator[tuple[str, ...]]:
    """The constants of a module, each with the docstring below it."""
    body = ast.parse(inspect.getsource(module)).body
    for node, below in pairwise(body):
        match node, below:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=text)):
                yield f"`{name}`", f"`{getattr(module, name)}`", " ".join(str(text).split())


def columns() -> Iterator[str]:
    """The columns of all tables, with type and unit."""
    yield "# Tables"
    yield (
        "Everything measured is tidy Parquet, one observation a row. Type and unit stand in the "
        "file itself too, and what made it in its metadata."
    )
    for name, schema in TABLES.items():
        yield f"## {name}"
        yield table(("column", "type", "unit or meaning"), map(column, schema))


def column(field: pa.Field) -> tuple[str, ...]:
    return f"`{field.name}`", str(field.type), field.metadata[b"unit"].decode()


def statements() -> Iterator[str]:
    """The paper's statements, and the numbers that test them."""
    yield "# The paper's statements"
    yield (
        "Each statement has one or more numbers. A number is measured on every draw of targets and "
        "weights; the statement holds if an interval for each number's median lies within its "
        "limits. What came out is in [Findings](../docs/findings.md)."
    )
    for claim in CLAIMS:
        yield f"## {claim.statement[0].upper()}{claim.statement[1:]}"
        yield f"> {claim.quote}"
        counted = "" if claim.counted else " No statement on experiments, so no tally counts it."
        yield f"{claim.place}. The paper's value: {claim.reported}.{counted}"
        yield table(("number", "must be", "why"), limits(claim))


def limits(claim: Claim) -> Iterator[tuple[str, ...]]:
    for part in claim.parts:
        low = f"at least {number(part.low)}" if part.low > -math.inf else ""
        high = f"at most {number(part.high)}" if part.high < math.inf else ""
        high = "less than 1" if part.high == BELOW_ONE else high
        yield part.quantity, " and ".join(filter(None, (low, high))), part.why


def kinds() -> Iterator[str]:
    """What there is of each family, in the words of the classes."""
    yield "# Regularizers, networks, data"
    yield (
        "Whatever comes in several kinds, by the name that configs and tables use. Their keys are "
        "in [Configuration](../config/README.md), how to add one in "
        "[Adding to it](../docs/extending.md)."
    )
    for title, family in FAMILIES.items():
        yield f"## {title}"
        rows = ((f"`{name}`", about(kind)) for name, kind in family.KINDS.items())
        yield table(("name", "what it is"), rows)


def modules() -> Iterator[str]:
    """Where mkdocstrings puts what the docstrings of modules say."""
    yield "# Python"
    yield "What is worth importing; [The house](../docs/house.md) tells which room does what."
    for name in MODULES:
        yield f"::: sparsedecay.{name}"


def about(kind: type[Kind]) -> str:
    return prose(inspect.getdoc(kind) or "", between="<br><br>")


def sentence(module: ModuleType) -> str:
    return prose(inspect.getdoc(module) or "")


def prose(text: str, between: str = "\n\n") -> str:
    """A docstring as Markdown, with what stands between two paragraphs; its formulas set: W^(l) as
    a superscript, ||v_k||_1 with bars."""
    paragraphs = (re.split("(`[^`]*`)", " ".join(one.split())) for one in text.split("\n\n"))
    return between.join(
        "".join(part if part[:1] == "`" else formulas(part) for part in parts)
        for parts in paragraphs
    )


def formulas(text: str) -> str:
    """Signs of a docstring as those of print, and none of them as markup."""
    for pattern, sign in FORMULAS:
        text = re.sub(pattern, sign, text)
    return re.sub(r"([*_|\[\]])", r"\\\1", text)


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
