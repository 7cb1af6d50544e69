"""The licences of the pinned packages, from what each says of itself once it is installed."""

import re
from importlib.metadata import Distribution, distribution
from pathlib import Path

HEADER = """\
# Licences of what is pinned

What `requirements.lock` installs, and under which licence, as each package says it itself; written
by `sparsedecay document`. This package is under the [MIT licence](../LICENSE), and contains none of
them.

| package | version | licence |
| --- | --- | --- |
"""


def page(lock: Path) -> str:
    """A table of the packages that a lock pins.

    Raises:
        importlib.metadata.PackageNotFoundError: one is not installed.
    """
    pins = re.findall(r"^([\w.-]+)==(\S+)$", lock.read_text("utf-8"), re.MULTILINE)
    rows = (f"| {name} | {version} | {licence(distribution(name))} |\n" for name, version in pins)
    return HEADER + "".join(rows)


def licence(package: Distribution) -> str:
    """The licence of an installed package: the SPDX expression of its metadata, or else its
    classifiers, the first line of the field that was there before them, or of its licence file."""
    said = package.metadata
    if "License-Expression" in said:
        return str(said["License-Expression"])
    classifiers = [one for one in said.get_all("Classifier", []) if one.startswith("License ::")]
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.count(" :: ") > 1]
    if names:
        return "; ".join(names)
    texts = said.get_all("License", [])
    texts += [file.read_text() for file in package.files or () if "LICEN" in file.name.upper()]
    lines = (line.strip() for text in texts for line in text.splitlines())
    return next((line for line in lines if line), "not said")
