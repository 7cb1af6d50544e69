"""What an archive holds, and what it says of itself."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sparsedecay.runs import Settings

Target = Literal["all", "replicate", "readings", "sweep"]


class Archive(Settings):
    """The package for a repository: what `snakemake archive` puts into it beside the source."""

    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=4, strict=False)]
    """Targets whose results it holds: `all` (the figures), `replicate`, `readings` and `sweep`.
    They are made first if they are not there."""
    weights: bool
    """Whether it holds the milestones that figures read. Without them it is far smaller, but
    figures 3 and 4 cannot be drawn again from it without training."""

    @model_validator(mode="after")
    def check(self) -> "Archive":
        if len(set(self.targets)) != len(self.targets):
            raise ValueError("targets: each target may stand only once")
        return self


class Label(Settings):
    """The file `archive.json` of an archive: what it is, for programs."""

    name: str
    version: str
    """Of sparsedecay."""
    commit: str | None
    """Of git; null if the source was never in git."""
    changed: tuple[str, ...]
    """Source files that differ from that commit, or are not in it."""
    config: str
    """The config file of the results, in the project's folder."""
    targets: tuple[Target, ...]
    weights: bool
    versions: dict[str, str]
    """Python, libraries and kind of machine where it was packed."""
