"""Who made the package, and the paper it reproduces: read from `CITATION.cff` of the project."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sparsedecay.errors import UserError


class Citation:
    """What CITATION.cff says."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            UserError: it is missing, or lacks what every citation file has.
        """
        try:
            self.said: dict[str, Any] = YAML(typ="safe").load(file)
            self.title: str = self.said["title"]
            self.license: str = self.said["license"]
            self.keywords: list[str] = self.said["keywords"]
            self.authors = [name(author) for author in self.said["authors"]]
            (paper,) = (one for one in self.said["references"] if one["type"] == "article")
            self.paper: str = paper["title"]
            self.paper_year = int(paper["year"])
            self.paper_authors = [name(author) for author in paper["authors"]]
        except (OSError, YAMLError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file}: cannot be read ({error}); get it back from git") from None


def name(author: dict[str, str]) -> tuple[str, bool]:
    """An author's name, and whether it is a person's."""
    if "name" in author:
        return author["name"], False
    return f"{author['given-names']} {author['family-names']}", True
