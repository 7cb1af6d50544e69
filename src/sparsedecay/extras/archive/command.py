"""Command `sparsedecay archive`: pack the results of a config with all that made them.

    sparsedecay archive --config config/config.yaml --out results/archive/sparsedecay-0.1.0.zip

Beside the archive lies its SHA-256, as sha256sum checks it. The same results give the same bytes.
"""

import argparse
import importlib.metadata
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.citation import Citation
from sparsedecay.extras.archive.contents import contents
from sparsedecay.extras.archive.crate import Writer
from sparsedecay.extras.archive.names import CRATE, LABEL, README
from sparsedecay.extras.archive.packing import digest, pack, size
from sparsedecay.extras.archive.readme import by_kind, readme
from sparsedecay.extras.archive.settings import Label
from sparsedecay.extras.archive.source import config_in, executable, source
from sparsedecay.files.provenance import PACKAGE, versions
from sparsedecay.files.storage import write_file
from sparsedecay.study.plan import load_plan


def main(arguments: list[str]) -> None:
    """Pack.

    Raises:
        UserError: the config says nothing of an archive, or something that belongs in is missing.
    """
    parser = argparse.ArgumentParser(prog="sparsedecay archive", description=__doc__)
    add = parser.add_argument
    add("--config", required=True, type=Path, help="config file, in the project's folder")
    add("--out", required=True, type=Path, help=".zip to write")
    options = parser.parse_args(arguments)
    project = Path()
    plan, used = load_plan([options.config]), source(project)
    if plan.study.archive is None:
        raise UserError(f"{options.config}: has no section `archive`; see config/config.yaml")
    config = config_in(used, options.config, plan.study)
    found = contents(project, plan, plan.study.archive, used)
    label = Label(
        name=PACKAGE,
        version=importlib.metadata.version(PACKAGE),
        commit=used.commit,
        changed=used.changed,
        config=config,
        targets=plan.study.archive.targets,
        weights=plan.study.archive.weights,
        versions={**versions(), "snakemake": importlib.metadata.version("snakemake")},
    )
    files: dict[str, Path | bytes] = dict(found.files)
    citation = Citation(project / "CITATION.cff")
    files[LABEL] = (label.model_dump_json(indent=2) + "\n").encode()
    sizes = {name: size(content) for name, content in files.items()}
    files[README] = readme(label, citation, found, sizes)
    listed = {LABEL: files[LABEL], README: files[README], **found.files}
    digests = {name: digest(content) for name, content in listed.items()}
    sizes = {name: size(content) for name, content in listed.items()}
    files[CRATE] = Writer(label, citation, found, digests, sizes).write()
    programs = frozenset(name for name in used.files if executable(project, name))
    whole = pack(options.out, files, programs)
    write_file(
        options.out.with_name(options.out.name + ".sha256"), f"{whole}  {options.out.name}\n"
    )
    for row in by_kind({name: size(content) for name, content in files.items()}):
        print("{:<36}{:>8} files {:>10} MB".format(*row))
    if used.changed:
        print(f"note: not committed, but packed as it is here: {', '.join(used.changed)}")
    print(f"{options.out}: {options.out.stat().st_size / 1e6:,.1f} MB, SHA-256 {whole}")
