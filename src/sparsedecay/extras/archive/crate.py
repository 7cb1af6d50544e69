"""The archive's description for machines: RO-Crate 1.1, with the profiles Workflow Run Crate and
Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5).

Each job is an action: its rule the instrument, its files object and result, its settings as
parameters, with the times at which it began and ended. So the chain of steps behind a figure is
found by going from result to object again and again.
"""

import json
import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity, Entity
from rocrate.rocrate import ROCrate
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sparsedecay.errors import UserError
from sparsedecay.extras.archive.contents import Contents
from sparsedecay.extras.archive.history import Job
from sparsedecay.extras.archive.manifest import README, Label, kind
from sparsedecay.files.provenance import file_digest, sha256

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""Of Workflow Run Crate, which RO-Crate 1.1 does not know itself."""
FORMATS = mimetypes.MimeTypes()
for ending, type_ in (
    (".jsonl", "application/jsonl"),
    (".md", "text/markdown"),
    (".parquet", "application/vnd.apache.parquet"),
    (".safetensors", "application/octet-stream"),
    (".yaml", "application/yaml"),
):
    FORMATS.add_type(type_, ending)
WORKFLOW, SNAKEMAKE = "Snakefile", "https://snakemake.github.io"


class Citation:
    """Who made the package, and the paper it reproduces: what the project's CITATION.cff says."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            UserError: it is missing, or lacks what every citation file has.
        """
        try:
            said = YAML(typ="safe").load(file)
            (paper,) = (one for one in said["references"] if one["type"] == "article")
            self.title, self.license = str(said["title"]), str(said["license"])
            self.keywords = ", ".join(said["keywords"])
            self.authors = authors(said)
            self.paper, self.paper_year = str(paper["title"]), int(paper["year"])
            self.paper_url = paper.get("url")
            self.paper_authors = authors(paper)
        except (OSError, YAMLError, KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file}: cannot be read ({error}); get it back from git") from None


@dataclass(frozen=True)
class Author:
    """Who made a work: a person, perhaps of some place, or an organization."""

    name: str
    kind: str
    """What schema.org calls it."""
    affiliation: str | None
    website: str | None


def authors(work: dict[str, Any]) -> list[Author]:
    """The authors of a work."""
    return [
        Author(
            one.get("name") or f"{one['given-names']} {one['family-names']}",
            "Organization" if "name" in one else "Person",
            one.get("affiliation"),
            one.get("website"),
        )
        for one in work["authors"]
    ]


@dataclass
class Writer:
    """An RO-Crate in the making."""

    label: Label
    citation: Citation
    contents: Contents
    files: Mapping[str, Path]
    """All that the crate lists, by its place in the archive."""

    def write(self) -> str:
        """The file `ro-crate-metadata.json`; the same archive gives the same bytes."""
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(TERMS)
        self.root = self.crate.root_dataset
        self.authors = self.agents(self.citation.authors)
        self.add_root()
        self.add_files()
        self.add_workflow()
        self.add_actions()
        return json.dumps(self.crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"

    def add(self, identifier: str, kind_of: str, name: str, **more: Any) -> Entity:
        """An entity that is no file."""
        values = {"@type": kind_of, "name": name}
        values |= {key: single(value) for key, value in more.items() if value}
        return self.crate.add(ContextEntity(self.crate, identifier, properties=values))

    def agents(self, people: Iterable[Author]) -> list[Entity]:
        """Those who made something, and the places they are of, at whose address they are found."""
        found = []
        for one in people:
            there: dict[str, Any] = {"url": one.website}
            if one.affiliation and one.website:
                place = self.add(one.website, "Organization", one.affiliation, **there)
                there = {"affiliation": place}
            found.append(self.add(slug(one.name), one.kind, one.name, **there))
        return found

    def add_root(self) -> None:
        """The archive as a whole, its licence, and the paper."""
        label, citation, root = self.label, self.citation, self.root
        root["name"] = f"sparsedecay {label.version}: results of {label.config}"
        root["description"] = (
            f"{citation.title}. Source, configuration, data, tables and figures, made by the "
            f"targets {', '.join(label.targets)} of a Snakemake workflow, with what it takes to "
            f"draw the figures again. Begin with {README}."
        )
        root["datePublished"] = second(max(job.ended for job in self.contents.jobs))[:10]
        root["version"], root["keywords"] = label.version, citation.keywords
        root["author"] = single(self.authors)
        if organizations := [agent for agent in self.authors if agent.type == "Organization"]:
            root["publisher"] = organizations[0]
        root["license"] = self.add(
            f"https://spdx.org/licenses/{citation.license}",
            "CreativeWork",
            f"{citation.license} licence",
            description="The licence of source, data, tables and figures.",
        )
        year, people = str(citation.paper_year), self.agents(citation.paper_authors)
        root["citation"] = self.add(
            citation.paper_url or "#paper",
            "ScholarlyArticle",
            citation.paper,
            datePublished=year,
            author=people,
            url=citation.paper_url,
        )
        root["conformsTo"] = [
            self.add(url, "CreativeWork", name, version=url.rpartition("/")[2])
            for url, name in PROFILES.items()
        ]

    def add_files(self) -> None:
        """Every file of the archive but this one and the manifest, which lists it; the workflow
        comes later."""
        self.known: dict[str, Entity] = {}
        for name in sorted(self.files.keys() - {WORKFLOW}):
            told = {"name": name, "description": kind(name), **self.bytes_of(name)}
            told["encodingFormat"] = FORMATS.guess_type(name)[0] or "text/plain"
            told |= {"about": self.root} if name in ("README.md", README) else {}
            self.known[name] = self.crate.add_file(dest_path=name, properties=told)
        why = "Left out of the archive: a state, which training makes again, or data of one's own."
        for name in self.contents.left_out:
            self.known[name] = self.add(f"#left-out/{name}", "CreativeWork", name, description=why)

    def bytes_of(self, name: str) -> dict[str, str]:
        file = self.files[name]
        return {"contentSize": str(file.stat().st_size), "sha256": file_digest(file)}

    def add_workflow(self) -> None:
        """The Snakefile, its rules, and the steps they are."""
        about = {"url": SNAKEMAKE, "version": self.label.version}
        places = [name for name in self.contents.files if name.startswith("workflow/rules/")]
        texts = "".join(self.contents.files[name].read_text(encoding="utf-8") for name in places)
        told = dict(re.findall(r'^rule (\w+):\n +"""(.+?)"""', texts, re.MULTILINE))
        self.tools: dict[str, Entity] = {}
        self.steps: dict[str, Entity] = {}
        for i, rule in enumerate(sorted({job.rule for job in self.contents.jobs})):
            place, words = f"#rule/{rule}", told.get(rule, f"The rule {rule} of the workflow.")
            tool = self.add(place, "SoftwareSourceCode", f"rule {rule}", description=words, **about)
            step = self.add(f"#step/{rule}", "HowToStep", rule, position=str(i), workExample=tool)
            self.tools[rule], self.steps[rule] = tool, step
        config = self.known[self.label.config]
        words = "What is computed; config/README.md explains every key."
        asked = {"description": words, "additionalType": "File", "workExample": config}
        parameter = self.add("#parameter/config", "FormalParameter", "configfile", **asked)
        config["exampleOfWork"] = parameter
        profile = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
        properties = {
            **about,
            **self.bytes_of(WORKFLOW),
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "sparsedecay",
            "description": self.citation.title,
            "identifier": self.label.commit or "no commit",
            "license": self.root["license"],
            "author": single(self.authors),
            "encodingFormat": "text/x-snakemake",
            "conformsTo": {"@id": profile},
            "hasPart": [*self.tools.values()],
            "step": [*self.steps.values()],
            "input": parameter,
        }
        self.workflow = self.crate.add_workflow(
            dest_path=WORKFLOW, main=True, lang="snakemake", properties=properties
        )

    def add_actions(self) -> None:
        """The jobs, the workflow's run as a whole, and how Snakemake organised it."""
        jobs, label, controls = self.contents.jobs, self.label, []
        for job in jobs:
            name, tool = f"{job.rule} {job.name}", self.tools[job.rule]
            read = [*self.references(job.inputs), *self.parameters(job)]
            made, about = self.references(job.outputs), tool["description"]
            files = {"description": about, "instrument": tool, "object": read, "result": made}
            action = self.action(f"#job/{job.rule}/{job.name}", name, [job], **files)
            task = {"instrument": self.steps[job.rule], "object": action}
            place, words = f"#control/{job.rule}/{job.name}", f"control of {name}"
            controls.append(self.add(place, "ControlAction", words, **task))
        run = self.action(
            "#workflow-run",
            f"snakemake {' '.join(label.targets)} --configfile {label.config}",
            jobs,
            description="All jobs together, from data to figures, however often it was called.",
            instrument=self.workflow,
            object=self.known[label.config],
            result=self.references(n for job in jobs if job.rule == "figure" for n in job.outputs),
        )
        about = {"url": SNAKEMAKE, "softwareVersion": label.versions["snakemake"]}
        engine = self.add(f"{SNAKEMAKE}/#engine", "SoftwareApplication", "Snakemake", **about)
        told = {"instrument": engine, "agent": self.authors[0], "object": controls, "result": run}
        self.add("#organize", "OrganizeAction", "Snakemake runs the workflow", **told)

    def action(self, identifier: str, name: str, jobs: list[Job], **more: Any) -> Entity:
        """What was done by one or more jobs."""
        times = {
            "startTime": second(min(job.began for job in jobs)),
            "endTime": second(max(job.ended for job in jobs)),
            "actionStatus": "http://schema.org/CompletedActionStatus",
        }
        action = self.add(identifier, "CreateAction", name, agent=self.authors[0], **times, **more)
        self.root.append_to("mentions", action)
        return action

    def parameters(self, job: Job) -> Iterator[Entity]:
        """The settings that a job was given, as JSON; jobs of one run share theirs."""
        for param in job.params:
            value = param[1:-1] if param[:1] == param[-1:] == "'" else param
            if value.startswith("{"):
                place = f"#settings/{sha256(value)[:16]}"
                yield self.add(place, "PropertyValue", "settings", value=value)

    def references(self, names: Iterable[str]) -> list[Entity]:
        """Files, in the archive or left out of it."""
        return [self.known[name] for name in names if name in self.known]


def single(value: Any) -> Any:
    """A list of one as JSON-LD would have it: without the list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def slug(name: str) -> str:
    """The place of someone in the crate."""
    return "#" + "-".join(re.findall(r"\w+", name.lower()))


def second(time: float) -> str:
    """A time in ISO 8601, in whole seconds of UTC."""
    return datetime.fromtimestamp(int(time), UTC).isoformat()
