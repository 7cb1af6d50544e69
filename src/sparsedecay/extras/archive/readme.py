"""The file READ-ME-FIRST.md of an archive: for someone who opens it without knowing the project."""

from collections.abc import Mapping

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.citation import Citation
from sparsedecay.extras.archive.contents import Contents
from sparsedecay.extras.archive.crate import second
from sparsedecay.extras.archive.names import KINDS, MANIFEST, kind
from sparsedecay.extras.archive.records import Job
from sparsedecay.extras.archive.settings import Label
from sparsedecay.study.study import Figures

TEMPLATE = "workflow/report/archive.md"
WITHOUT = """
**The weights were left out** to keep this archive small. Figures 3 and 4 show weights, so
`make figures` trains before it draws them.
"""


def readme(label: Label, citation: Citation, contents: Contents, sizes: Mapping[str, int]) -> bytes:
    """The text, for the files of the given sizes in bytes.

    Raises:
        UserError: the project lacks its template.
    """
    authors = [name for name, _ in citation.paper_authors]
    if TEMPLATE not in contents.files:
        raise UserError(f"{TEMPLATE}: is missing; get it back from git")
    template = contents.files[TEMPLATE].read_text(encoding="utf-8")
    text = template.format(
        title=f"sparsedecay {label.version}: results of {label.config}",
        authors=" and ".join([", ".join(authors[:-1]), authors[-1]] if authors[1:] else authors),
        year=citation.paper_year,
        paper=citation.paper,
        figures="\n".join(figures(contents)),
        manifest=MANIFEST,
        weights="" if label.weights else WITHOUT,
        kinds="\n".join(f"| {' | '.join(row)} |" for row in by_kind(sizes)),
        version=label.version,
        commit=commit(label),
        config=label.config,
        targets=" ".join(label.targets),
        versions=", ".join(f"{name} {version}" for name, version in label.versions.items()),
    )
    return text.encode()


def figures(contents: Contents) -> list[str]:
    """A row for each figure."""
    rows = []
    maker = {output: job for job in contents.jobs for output in job.outputs}
    for job in contents.jobs:
        if job.rule == "figure":
            name = job.name.removeprefix("figures/")
            behind = chain(job, maker)
            seconds = sum(one.ended - one.began for one in behind)
            trained = sum(one.rule == "train" for one in behind)
            field = Figures.model_fields.get(name.rpartition("/")[2])
            shows = (field.description if field else None) or name
            time = f"{seconds / 60:,.1f} min"
            made = second(job.ended).removesuffix("+00:00").replace("T", " ")
            cells = f"`figures/{name}.pdf`", shows, str(len(behind)), str(trained), time, made
            rows.append(f"| {' | '.join(cells)} |")
    return sorted(rows)


def chain(job: Job, maker: Mapping[str, Job]) -> list[Job]:
    """A job and all that its inputs come from."""
    found: dict[int, Job] = {}
    waiting = [job]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += [maker[name] for name in one.inputs if name in maker]
    return list(found.values())


def by_kind(sizes: Mapping[str, int]) -> list[tuple[str, str, str]]:
    """Kind, number of files and megabytes, the sum last."""
    rows = []
    for one, name in KINDS.items():
        of_kind = [size for file, size in sizes.items() if kind(file) == one]
        if of_kind:
            rows.append((name, f"{len(of_kind):,}", f"{sum(of_kind) / 1e6:,.2f}"))
    return [*rows, ("in all", f"{len(sizes):,}", f"{sum(sizes.values()) / 1e6:,.2f}")]


def commit(label: Label) -> str:
    """The commit in words."""
    if label.commit is None:
        return "without a history"
    if not label.changed:
        return f"commit {label.commit}"
    named = ", ".join(label.changed[:5]) + (", …" if label.changed[5:] else "")
    return f"commit {label.commit} **with changes that are in no commit** ({named})"
