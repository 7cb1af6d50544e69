"""What an archive holds, and what it says of itself."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sparsedecay.science.settings import Settings


def printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it holds control characters")
    return text


Printable = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(printable)]
"""Text that a terminal only shows."""
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
        if "all" not in self.targets:
            raise ValueError("targets: it must hold all, the figures; add it")
        return self


class Label(Settings):
    """The file `archive.json` of an archive: what it is, for programs."""

    name: Literal["sparsedecay"]
    version: Annotated[str, Field(pattern=r"^[\w.+-]{1,40}$")]
    """Of sparsedecay."""
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40,64}$")] | None
    """Of git; null if the source was never in git."""
    changed: tuple[Printable, ...]
    """Source files that differ from that commit, or are not in it."""
    config: Printable
    """The config file of the results, in the project's folder."""
    targets: tuple[Target, ...]
    weights: bool
    versions: dict[Printable, Printable]
    """Python, libraries and kind of machine where it was packed."""
