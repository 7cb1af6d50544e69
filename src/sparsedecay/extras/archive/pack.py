"""Command `sparsedecay archive`: pack the results of a config with all that made them.

    sparsedecay archive --config config/config.yaml --out results/archive/sparsedecay-0.1.0.zip

Beside the archive lies its SHA-256, as sha256sum checks it. The same results give the same bytes.
"""

import argparse
import importlib.metadata
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.contents import Contents, config_in, contents, source
from sparsedecay.extras.archive.crate import Citation, Writer, second
from sparsedecay.extras.archive.made import packers
from sparsedecay.extras.archive.opening import BLOCK, opened
from sparsedecay.files.provenance import PACKAGE, file_digest
from sparsedecay.files.storage import atomic, write_file
from sparsedecay.study.plan import load_plan
from sparsedecay.study.study import Figures
from sparsedecay.words import joined

TEMPLATE = "workflow/report/archive.md"
WITHOUT = """
**The weights were left out** to keep this archive small. Figures 3 and 4 show weights, so
`make figures` trains before it draws them.
"""


def main(arguments: list[str]) -> None:
    """Pack.

    Raises:
        UserError: the config says nothing of an archive, or something that belongs in is missing.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay archive", description=__doc__)
    parser.add_argument("--config", required=True, type=Path, help="in the project's folder")
    parser.add_argument("--out", required=True, type=Path, help=".zip to write")
    options = parser.parse_args(arguments)
    plan, used = load_plan([options.config]), source(Path())
    asked = plan.study.archive
    if asked is None:
        raise UserError(f"{options.config}: has no section `archive`; see config/config.yaml")
    label = manifest.Label(
        name=PACKAGE,
        version=importlib.metadata.version(PACKAGE),
        commit=used.commit,
        changed=used.changed,
        config=config_in(used, options.config, plan.study),
        targets=asked.targets,
        weights=asked.weights,
        versions=packers(),
    )
    found = contents(used, plan, asked)
    citation, files = Citation(Path("CITATION.cff")), {**found.files}
    with TemporaryDirectory(prefix="sparsedecay-") as folder:

        def add(name: str, content: str) -> None:
            write_file(files.setdefault(name, Path(folder, name)), content)

        add(manifest.LABEL, label.model_dump_json(indent=2) + "\n")
        add(manifest.README, readme(label, citation, found, by_kind(files)))
        add(manifest.CRATE, Writer(label, citation, found, files).write())
        whole = pack(options.out, files, used.programs)
        kinds = by_kind(files)
    beside = options.out.with_name(options.out.name + ".sha256")
    write_file(beside, f"{whole}  {options.out.name}\n")
    for row in kinds:
        print("{:<36}{:>8} files {:>10} MB".format(*row))
    if used.changed:
        print(f"note: not committed, but packed as it is here: {', '.join(used.changed)}")
    print(f"{options.out}: {options.out.stat().st_size / 1e6:,.1f} MB, SHA-256 {whole}")


def pack(out: Path, files: Mapping[str, Path], programs: Collection[str] = ()) -> str:
    """Write the files and their manifest into an archive whose bytes depend on nothing else;
    returns its SHA-256.

    Raises:
        UserError: a file changed meanwhile, or has a name that a .zip or the manifest cannot hold.
    """
    for name in files:
        if not name.isprintable() or "\\" in name:
            raise UserError(f"{name!r}: a file of such a name cannot be archived; rename it")
    size = sum(file.stat().st_size for file in files.values())
    with atomic(out, size) as temporary, NamedTemporaryFile() as sums:
        sums.write(manifest.write_sums({name: file_digest(files[name]) for name in files}))
        sums.flush()
        with ZipFile(temporary, "w") as archive:
            for name, path in [*sorted(files.items()), (manifest.SUMS, Path(sums.name))]:
                entry = ZipInfo(name)  # dated 1980, the first that a .zip can tell
                entry.compress_type = ZIP_DEFLATED
                entry.external_attr = (stat.S_IFREG | (0o755 if name in programs else 0o644)) << 16
                entry.file_size = path.stat().st_size
                with open(path, "rb") as file, archive.open(entry, "w") as target:
                    shutil.copyfileobj(file, target, BLOCK)
        with opened(temporary) as archive:  # that it can be opened, and is right
            if wrong := manifest.differences(archive):
                told = f"{out}: was not written as it should be: {wrong[0]}"
                raise UserError(f"{told}; wait until nothing else runs here")
        return file_digest(temporary)


Kinds = list[tuple[str, str, str]]
"""Kind, number of files and megabytes, the sum last."""


def readme(label: manifest.Label, citation: Citation, found: Contents, kinds: Kinds) -> str:
    """The text of READ-ME-FIRST.md, for someone who opens the archive without knowing the project.

    Raises:
        UserError: the project lacks its template.
    """
    if TEMPLATE not in found.files:
        raise UserError(f"{TEMPLATE}: is missing; get it back from git")
    template = found.files[TEMPLATE].read_text(encoding="utf-8")
    return template.format(
        title=f"sparsedecay {label.version}: results of {label.config}",
        authors=joined([one.name for one in citation.paper_authors]),
        year=citation.paper_year,
        paper=citation.paper,
        figures="\n".join(sorted(figure_rows(found))),
        manifest=manifest.SUMS,
        weights="" if label.weights else WITHOUT,
        kinds="\n".join(f"| {' | '.join(row)} |" for row in kinds),
        version=label.version,
        commit=commit(label),
        config=label.config,
        targets=" ".join(label.targets),
        versions=", ".join(f"{name} {version}" for name, version in label.versions.items()),
    )


def figure_rows(found: Contents) -> Iterator[str]:
    """A row for each figure."""
    for job in found.jobs:
        if job.rule == "figure":
            name = job.name.removeprefix("figures/")
            behind = found.history.chain(job.outputs)
            minutes = sum(one.ended - one.began for one in behind) / 60
            trained = sum(one.rule == "train" for one in behind)
            field = Figures.model_fields.get(name.rpartition("/")[2])
            shows = (field.description if field else None) or name
            made = second(job.ended).removesuffix("+00:00").replace("T", " ")
            yield (
                f"| `figures/{name}.pdf` | {shows} | {len(behind)} | {trained} | "
                f"{minutes:,.1f} min | {made} |"
            )


def by_kind(files: Mapping[str, Path]) -> Kinds:
    """The table of an archive's files."""
    sizes = {name: file.stat().st_size for name, file in files.items()}
    rows = {
        title: [size for file, size in sizes.items() if manifest.kind(file) == kind]
        for kind, (title, _) in manifest.KINDS.items()
    }
    rows["in all"] = [*sizes.values()]
    return [(name, f"{len(row):,}", f"{sum(row) / 1e6:,.2f}") for name, row in rows.items() if row]


def commit(label: manifest.Label) -> str:
    """The commit in words."""
    if label.commit is None:
        return "without a history"
    if not label.changed:
        return f"commit {label.commit}"
    named = ", ".join(label.changed[:5]) + (", …" if label.changed[5:] else "")
    return f"commit {label.commit} **with changes that are in no commit** ({named})"
