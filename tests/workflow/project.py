"""A copy of the project in a folder of its own, driven as a user would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sparsedecay.extras.archive.contents import source

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "config", "profiles", "src", "workflow", "README.md", "pyproject.toml"]
ROOMS = ("data", "train", "measure", "claims", "requests", "sweep")


class Project:
    """The project in `folder`, with the smoke configuration as its config/config.yaml."""

    python = sys.executable
    """What its Snakemake and its stages are started with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config" / "config.yaml"

    def clone(self) -> "Project":
        """Put the project's files there, all of them new; results stay as they are."""
        self.folder.mkdir(exist_ok=True)
        for part in PARTS:
            source, target = ROOT / part, self.folder / part
            if source.is_dir():
                shutil.rmtree(target, ignore_errors=True)
                ignore = shutil.ignore_patterns("__pycache__")
                # without copystat: as in a fresh clone every file is dated now
                shutil.copytree(source, target, copy_function=shutil.copyfile, ignore=ignore)
            else:
                shutil.copyfile(source, target)
        shutil.copyfile(ROOT / "config" / "smoke.yaml", self.config)
        return self

    def checkout(self) -> "Project":
        """Put all of the project's files there, in a git history of their own."""
        for name in source(ROOT).files:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        shutil.copyfile(ROOT / "config" / "smoke.yaml", self.config)
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "The project")
        compiled = "src/sparsedecay/engines/compiled"
        for library in (ROOT / compiled).glob("*.so"):
            shutil.copyfile(library, self.folder / compiled / library.name)
        return self

    def git(self, *arguments: str) -> str:
        """Call git in the project's folder."""
        people = {f"GIT_{who}_NAME": "A. Student" for who in ("AUTHOR", "COMMITTER")}
        mails = {name.replace("NAME", "EMAIL"): "student@example.org" for name in people}
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=main", *arguments],
            cwd=self.folder,
            env={**os.environ, **people, **mails},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def sparsedecay(self, *arguments: str | Path) -> subprocess.CompletedProcess:
        """Run a command of the copy's own code in its folder."""
        return self.snakemake(*map(str, arguments), module="sparsedecay")

    def snakemake(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess:
        """Run Snakemake on the copy's own code, as if the copy were the one that is installed."""
        process = self.start(*arguments, **options)
        output, errors = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def said(self, *arguments: str, code: int = 0, **options: Any) -> str:
        """All that Snakemake says, once it has ended with this status and without a traceback."""
        done = self.snakemake(*arguments, **options)
        told = str(done.stdout) + str(done.stderr)
        assert done.returncode == code, told
        assert "Traceback" not in told, told
        return told

    def refused(self, *arguments: str) -> str:
        """The same of a call that fails before any job has written something."""
        before = self.files()
        told = self.said(*arguments, code=1)
        assert self.files() == before
        return told

    def start(
        self,
        *arguments: str,
        module: str = "snakemake",
        before: Sequence[str] = (),
        env: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> subprocess.Popen:
        """The same, without waiting for its end.

        Args:
            arguments: of Snakemake, or of another module
            before: words of a command that starts it
            env: what differs in its environment
            options: of `subprocess.Popen`
        """
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            [*before, self.python, "-m", module, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder / "src"), **env},
            **{**streams, **options},
        )

    def make(self, *arguments: str) -> str:
        """What make would do."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        command = ["make", "--dry-run", *arguments]
        return subprocess.check_output(command, cwd=self.folder, env=env, text=True)

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def files(self) -> dict[str, int]:
        """When each result was written, without logs and benchmarks."""
        return {
            str(path.relative_to(self.folder)): path.stat().st_mtime_ns
            for room in (*(f"results/{name}" for name in ROOMS), "figures")
            for path in (self.folder / room).rglob("*")
            if path.is_file()
        }

    def jobs(self, *arguments: str) -> set[str]:
        """Run Snakemake and tell which jobs wrote something, by what they wrote."""
        before = self.files()
        self.said("--cores", "2", *arguments)
        after = self.files()
        assert not before.keys() - after.keys()
        return {job(path) for path in after if after[path] != before.get(path)}

    def wanted(self, *arguments: str) -> set[str]:
        """Which jobs a dry run names, by what they would write."""
        said = self.said("--dry-run", *arguments)
        outputs = re.findall(r"^    output: ([^,\n]+)", said, re.MULTILINE)
        return {job(output) for output in outputs}


def job(path: str) -> str:
    """The job that writes a file, without the digests in the names of runs."""
    match [part for part in Path(path).parts if part != "results"]:
        case ["data", name, _]:
            return f"data {plain(name)}"
        case [("train" | "measure") as stage, run, epoch, _]:
            return f"{stage} {plain(run)} {epoch}"
        case ["measure", table]:
            return f"join {Path(table).stem}"
        case ["claims", name]:
            return f"findings {name}" if name.endswith((".md", ".html")) else f"statements {name}"
        case ["sweep", table]:
            return f"join sweep {Path(table).stem}"
        case ["requests", *names]:
            return f"request {Path(*names).with_suffix('')}"
        case ["figures", *names]:
            return f"figure {Path(*names).with_suffix('')}"
    raise ValueError(path)


def plain(name: str) -> str:
    return re.sub(r"-seed\d+-[0-9a-f]{10}$", "", name)
