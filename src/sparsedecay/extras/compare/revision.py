"""A config as it is in a git revision: REV:path, or REV for config/config.yaml.

show("HEAD~1")                  ("HEAD~1:config/config.yaml", "HEAD~1:./config/config.yaml", b"…")
"""

import os
import subprocess

from sparsedecay.errors import UserError

UNKNOWN = "Needed a single revision"
"""All that git says of a name that it does not know."""
DEFAULT = "config/config.yaml"


def show(name: str) -> tuple[str, str, bytes]:
    """What messages call the file, what git calls it, and its content.

    Raises:
        UserError: git is not there, or knows no such revision or file. It says what was tried.
    """
    revision, _, path = name.partition(":")
    # git takes paths from the repository's root, which a project may lie below
    spec = f"{revision}:{path or './' + DEFAULT}"
    shown = f"{revision}:{path or DEFAULT}"
    tried = f"{name}: there is no file or folder of this name"
    commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}", tried=tried)
    if commit.returncode:
        why = reason(commit)
        because = "" if why == UNKNOWN else f" ({why})"
        raise UserError(
            f"{tried}, and git knows no revision {revision!r} here{because}; name a results "
            "folder, a .zip, a .yaml, or a revision as `git log` lists them"
        )
    # cat-file, unlike show, refuses what is no file
    content = git("cat-file", "blob", "--end-of-options", spec, tried=tried)
    if content.returncode:
        raise UserError(
            f"{shown}: the revision has no such file ({reason(content)}); name one of those that "
            f"`git ls-tree -r --name-only {revision}` lists, as {revision}:path.yaml"
        )
    return shown, spec, content.stdout


def git(*arguments: str, tried: str) -> subprocess.CompletedProcess[bytes]:
    """What git answers.

    Raises:
        UserError: git is not installed.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        raise UserError(
            f"{tried}, and git, which may know it as a revision, cannot be run; name a results "
            "folder, a .zip or a .yaml, or install git"
        ) from None


def reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of git's complaint."""
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["git gives no reason"]
    return lines[0].removeprefix("fatal: ")
