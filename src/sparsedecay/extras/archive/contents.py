"""What goes into an archive: the project's own files, and what its targets are made of.

In a git checkout the project's own files are those that git knows, and new ones that it is not told
to ignore; in an unpacked archive they are those that its manifest lists. What the targets are made
of is known from Snakemake's history.
"""

import os
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sparsedecay.errors import UserError
from sparsedecay.extras.archive import manifest
from sparsedecay.extras.archive.history import History, Job
from sparsedecay.files import paths
from sparsedecay.files.provenance import file_digest
from sparsedecay.files.storage import again
from sparsedecay.science.data.file import File
from sparsedecay.study import parse
from sparsedecay.study.plan import Plan
from sparsedecay.study.sections import Archive, Target
from sparsedecay.study.study import Study

ENDINGS = ("pdf", "png", "svg", "json")
MOST_BYTES = 100_000_000
"""Of a file of data in an archive."""
OWN_DATA = "results/data/file-"
"""What tables begin with that were made of a file of one's own."""
FINDINGS = ("findings.md", "verdict.html", "findings.html", "method.html")


@dataclass(frozen=True)
class Source:
    """The files of a project, by their places in it, and the commit they belong to."""

    project: Path
    files: tuple[str, ...]
    commit: str | None
    changed: tuple[str, ...]
    """Files that differ from the commit."""

    @property
    def digest(self) -> str:
        """Stands for the content of all files and the commit."""
        whole = sha256(str(self.commit).encode())
        for name in self.files:
            whole.update(f"\0{name}\0{file_digest(self.project / name)}".encode())
        return whole.hexdigest()

    @property
    def programs(self) -> set[str]:
        """The files that can be called."""
        names = (name for name in self.files if not name.endswith(".md"))
        return {name for name in names if os.access(self.project / name, os.X_OK)}


def source(project: Path) -> Source:
    """The source in a project's folder.

    Raises:
        UserError: it is neither a git checkout nor an unpacked archive, or no archive can hold it.
    """
    top = git(project, "rev-parse", "--show-toplevel")
    if top.stdout and Path(top.stdout.rstrip("\n")).resolve() == project.resolve():
        return from_git(project)
    if (project / manifest.SUMS).exists() and (project / manifest.LABEL).exists():
        return from_archive(project)
    if (project / ".git").exists():
        reason = top.stderr.strip() or "it has no work tree there"
        raise UserError(f"{project.resolve()}: git cannot say what belongs to it: {reason}")
    raise UserError(
        f"{project.resolve()}: is neither a git checkout nor an unpacked archive, so it cannot be "
        "said which source belongs to the results. Clone the project with git, or begin a history: "
        "git init && git add . && git commit"
    )


def from_git(project: Path) -> Source:
    """The source in a git checkout.

    Raises:
        UserError: a file of it cannot be archived.
    """
    listed = git(project, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    status = git(project, "status", "-z", "--porcelain", "--untracked-files=all", "--no-renames")
    commit = git(project, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()
    # in the root: what an earlier archive put there when it was unpacked
    names = sorted({*listed.split("\0")} - {""} - manifest.ADDED)
    changed = {line[3:] for line in status.stdout.split("\0") if line} - manifest.ADDED
    for name in names:
        path, reason = project / name, None
        if not name.isprintable():
            reason = "has a name with control characters or not in UTF-8"
        elif path.is_symlink() or path.is_dir():
            reason = "is a link" if path.is_symlink() else "is another repository"
        if reason:
            raise UserError(f"{name!r}: {reason}, which no archive can hold; replace or remove it")
    files = (name for name in names if (project / name).is_file())
    return Source(project, tuple(files), commit or None, tuple(sorted(changed)))


def from_archive(project: Path) -> Source:
    """The source in an unpacked archive.

    Raises:
        UserError: its manifest or label is damaged, or of another version.
    """
    sums, about = project / manifest.SUMS, project / manifest.LABEL
    label = manifest.read_label(about.read_bytes(), str(about))
    listed = manifest.read_sums(sums.read_bytes(), str(sums))
    names = [name for name in sorted(listed) if manifest.kind(name) == "source"]
    here = {n: file_digest(project / n) for n in names if (project / n).is_file()}
    changed = {*label.changed, *(name for name in names if here.get(name) != listed[name])}
    return Source(project, tuple(here), label.commit, tuple(sorted(changed)))


def git(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What git answers; nothing and the reason where it fails or is not installed."""
    # not of a repository around the project, nor of one that a hook has set
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(project), *arguments]
    try:
        return subprocess.run(
            command, env=env, capture_output=True, encoding="utf-8", errors="surrogateescape"
        )
    except OSError:
        return subprocess.CompletedProcess(command, 1, "", "it is not installed")


def config_in(source: Source, config: Path, study: Study) -> str:
    """The place of a config in the source, which also holds the files that it names: of readings,
    and of data if the archive shall have them.

    Raises:
        UserError: one of them lies outside, or git ignores it.
    """
    places, needed = [], [config]
    if study.claims:
        needed.append(config.parent / study.claims.readings)
    if (file := own_data(study)) and isinstance(study.data, File):
        if study.archive and study.archive.data:
            needed.append(file)
            if (size := file.stat().st_size) > MOST_BYTES:
                raise UserError(
                    f"{file}: has {size:,} bytes, too much for an archive ({MOST_BYTES:,}); leave "
                    "it out with archive.data: false"
                )
        else:
            told = parse.read(config).at(("data",)).value
            if not {"sha256", "rows"} <= told.keys():
                raise UserError(
                    f"{config}: archive.data is false, so the archive tells the data by what the "
                    f"config says of them; add to the section data:\n  sha256: {study.data.sha256}"
                    f"\n  rows: {study.data.points}\n  test_rows: {study.data.tests}"
                )
    for file in needed:
        try:
            places.append(file.resolve().relative_to(source.project.resolve()).as_posix())
        except ValueError:
            reason = "lies outside of the project, so an archive would lack it"
            raise UserError(f"{file}: {reason}; copy it to config/") from None
        if places[-1] not in source.files:
            raise UserError(f"{file}: is no part of the source; does git ignore it?")
    return places[0]


def own_data(study: Study) -> Path | None:
    """The file that a study's data come from, if there is one and it is here."""
    file = Path(study.data.file) if isinstance(study.data, File) and study.data.file else None
    return file if file and file.exists() else None


def wanted(plan: Plan, target: Target) -> list[str]:
    """The files that a target of the workflow makes, without those they are made of."""
    shown = paths.MERGED if plan.study.shown else ()
    figures, tables = {
        "all": (plan.study.figures.names, map(paths.merged, shown)),
        "replicate": (plan.replicated, ()),
        "readings": (["readings"], (f"results/claims/{name}" for name in FINDINGS)),
        "sweep": ((), map(paths.swept, paths.MERGED)),
    }[target]
    return [*(paths.figure(name, ending) for name in figures for ending in ENDINGS), *tables]


@dataclass(frozen=True)
class Contents:
    """The files of an archive that are not about the archive itself."""

    files: dict[str, Path]
    """By their place in the archive."""
    history: History
    jobs: list[Job]
    """What the workflow did to make them, first to last."""
    left_out: tuple[str, ...]
    """States that no figure reads, or states and data that were asked to be left out."""


def contents(source: Source, plan: Plan, asked: Archive) -> Contents:
    """The files that belong into an archive of a project.

    Raises:
        UserError: a file is missing, or has no record, or a format that no archive holds.
    """
    project, history = source.project, History(source.project)
    jobs = history.chain(file for target in asked.targets for file in wanted(plan, target))
    made = {file for job in jobs for file in job.outputs}
    read = {file for job in jobs if job.rule == "figure" for file in job.inputs}
    states = {file for file in made if file.endswith(".safetensors")}
    left_out = states - read if asked.weights else states
    kept = set(source.files)
    if not asked.data:  # nor of experiments in other folders
        kept = {name for name in kept if OWN_DATA not in name}
    if not asked.data and isinstance(plan.study.data, File):
        left_out |= {name for name in made if name.startswith(OWN_DATA)}
        if (file := own_data(plan.study)) and file.is_relative_to(project):
            kept -= {file.relative_to(project).as_posix()}
    files = {name: project / name for name in (*sorted(kept), *(made - left_out))}
    if missing := sorted(name for name, path in files.items() if not path.is_file()):
        more = f", with {len(missing) - 1} more" if missing[1:] else ""
        raise UserError(f"{missing[0]}: is missing{more}.\n{again(missing[0])}")
    # jobs whose results came from a cache have neither log nor benchmark
    said = {name for job in jobs for name in (*job.logs, job.benchmark) if name}
    files |= {name: project / name for name in said if (project / name).is_file()}
    records = (history.files[output] for output in made)
    files |= {record.relative_to(project).as_posix(): record for record in records}
    if wrong := next((name for name in files if not manifest.kind(name)), None):
        raise UserError(f"{wrong}: is in a format that no archive holds")
    return Contents(dict(sorted(files.items())), history, jobs, tuple(sorted(left_out)))
