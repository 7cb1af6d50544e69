"""The archive's description for machines: RO-Crate 1.1, with the profiles Workflow Run Crate and
Provenance Run Crate 0.5 (https://w3id.org/ro/wfrun/provenance/0.5).

Each job is an action: its rule the instrument, its files object and result, its settings as
parameters, with the times at which it began and ended. So the chain of steps behind a figure is
found by going from result to object again and again.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rocrate.model import ContextEntity, Entity
from rocrate.rocrate import ROCrate

from sparsedecay.extras.archive.citation import Citation
from sparsedecay.extras.archive.contents import Contents
from sparsedecay.extras.archive.names import ADDED, CRATE, README, kind
from sparsedecay.extras.archive.records import Job
from sparsedecay.extras.archive.settings import Label
from sparsedecay.files.provenance import sha256

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""Of Workflow Run Crate, which RO-Crate 1.1 does not know itself."""
FORMATS = {
    "json": "application/json",
    "jsonl": "application/jsonl",
    "md": "text/markdown",
    "html": "text/html",
    "log": "text/plain",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "py": "text/x-python",
    "yaml": "application/yaml",
    "parquet": "application/vnd.apache.parquet",
    "safetensors": "application/octet-stream",
}
WORKFLOW, RUN = "Snakefile", "#workflow-run"
SNAKEMAKE = "https://snakemake.github.io"
DONE = "http://schema.org/CompletedActionStatus"


@dataclass
class Writer:
    """An RO-Crate in the making."""

    label: Label
    citation: Citation
    contents: Contents
    digests: dict[str, str]
    """SHA-256 of each file that the crate lists."""
    sizes: dict[str, int]

    def write(self) -> bytes:
        """The file `ro-crate-metadata.json`; the same archive gives the same bytes."""
        self.crate = ROCrate(version="1.1")
        self.crate.metadata.extra_terms.update(TERMS)
        self.known: dict[str, Entity] = {}
        self.agents = [self.agent(*author) for author in self.citation.authors]
        self.root()
        self.files()
        self.workflow()
        jobs = [job for job in self.contents.jobs if job.outputs]
        actions = [self.action(job) for job in jobs]
        self.run(jobs, actions)
        text = json.dumps(self.crate.metadata.generate(), indent=1, ensure_ascii=False)
        return (text + "\n").encode()

    def add(self, identifier: str, type_: str | list[str], **properties: Any) -> ContextEntity:
        """An entity that is no file."""
        values = {"@type": type_, **{k: alone(v) for k, v in properties.items() if v}}
        return self.crate.add(ContextEntity(self.crate, identifier, properties=values))

    def agent(self, name: str, person: bool) -> ContextEntity:
        return self.add(f"#{slug(name)}", "Person" if person else "Organization", name=name)

    def root(self) -> None:
        """The archive as a whole, its licence, and the paper."""
        label, citation, crate = self.label, self.citation, self.crate
        license_ = self.add(
            f"https://spdx.org/licenses/{citation.license}",
            "CreativeWork",
            name=f"{citation.license} licence",
            description="The licence of source, data, tables and figures.",
        )
        paper = self.add(
            "#paper",
            "ScholarlyArticle",
            name=citation.paper,
            datePublished=str(citation.paper_year),
            author=[self.agent(*author) for author in citation.paper_authors],
        )
        profiles = [
            self.add(url, "CreativeWork", name=name, version=url.rpartition("/")[2])
            for url, name in PROFILES.items()
        ]
        root = crate.root_dataset
        root["name"] = f"sparsedecay {label.version}: results of {label.config}"
        root["description"] = (
            f"{citation.title}. Source, configuration, data, tables and figures, made by the "
            f"targets {', '.join(label.targets)} of a Snakemake workflow, with what it takes to "
            f"draw the figures again. Begin with {README}."
        )
        root["datePublished"] = day(max(job.ended for job in self.contents.jobs))
        root["version"] = label.version
        root["license"] = license_
        root["author"] = alone(self.agents)
        if organizations := [agent for agent in self.agents if agent.type == "Organization"]:
            root["publisher"] = organizations[0]
        root["keywords"] = ", ".join(citation.keywords)
        root["citation"] = paper
        root["conformsTo"] = profiles
        descriptor = crate.metadata
        descriptor["conformsTo"] = [
            {"@id": "https://w3id.org/ro/crate/1.1"},
            {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
        ]

    def files(self) -> None:
        """Every file of the archive but this one and the manifest, which lists it."""
        for name in sorted({*self.contents.files, *(ADDED & self.digests.keys())} - {CRATE}):
            properties = {
                "name": name,
                "description": kind(name),
                "contentSize": str(self.sizes[name]),
                "sha256": self.digests[name],
                "encodingFormat": FORMATS.get(name.rpartition(".")[2], "text/plain"),
            }
            if name in ("README.md", README):
                properties["about"] = self.crate.root_dataset
            if name != WORKFLOW:
                self.known[name] = self.crate.add_file(dest_path=name, properties=properties)
        for name in self.contents.left_out:
            about = (
                "A state that training went on from; not in the archive, training makes it again."
            )
            identifier = f"#left-out/{name}"
            self.known[name] = self.add(identifier, "CreativeWork", name=name, description=about)

    def workflow(self) -> None:
        """The Snakefile, its rules, and the steps they are."""
        label = self.label
        snakemake = self.add(
            f"{SNAKEMAKE}/#engine",
            "SoftwareApplication",
            name="Snakemake",
            url=SNAKEMAKE,
            softwareVersion=label.versions["snakemake"],
        )
        self.rules = sorted({job.rule for job in self.contents.jobs})
        self.told = docstrings(self.contents)
        tools = {
            rule: self.add(
                f"#rule/{rule}",
                "SoftwareSourceCode",
                name=f"rule {rule}",
                description=self.told.get(rule, f"The rule {rule} of the workflow."),
                url=SNAKEMAKE,
                version=label.version,
            )
            for rule in self.rules
        }
        self.steps = {
            rule: self.add(
                f"#step/{rule}", "HowToStep", name=rule, position=str(i), workExample=tools[rule]
            )
            for i, rule in enumerate(self.rules)
        }
        self.tools, self.snakemake = tools, snakemake
        config = self.add(
            "#parameter/config",
            "FormalParameter",
            name="configfile",
            additionalType="File",
            description="What is computed; every key is explained in config/README.md.",
            workExample=self.known[label.config],
        )
        self.known[label.config]["exampleOfWork"] = config
        main = self.crate.add_workflow(
            dest_path=WORKFLOW,
            main=True,
            lang="snakemake",
            properties={
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
                "name": "sparsedecay",
                "description": self.citation.title,
                "version": label.version,
                "url": SNAKEMAKE,
                "identifier": label.commit or "no commit",
                "license": {"@id": f"https://spdx.org/licenses/{self.citation.license}"},
                "author": alone(self.agents),
                "encodingFormat": "text/x-snakemake",
                "contentSize": str(self.sizes[WORKFLOW]),
                "sha256": self.digests[WORKFLOW],
                "conformsTo": {
                    "@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
                },
            },
        )
        main["hasPart"] = list(tools.values())
        main["step"] = list(self.steps.values())
        main["input"] = config

    def action(self, job: Job) -> ContextEntity:
        """One job."""
        action = self.add(
            f"#job/{job.rule}/{job.name}",
            "CreateAction",
            name=f"{job.rule} {job.name}",
            description=self.told.get(job.rule, job.rule),
            instrument=self.tools[job.rule],
            agent=self.agents[0],
            startTime=second(job.began),
            endTime=second(job.ended),
            actionStatus=DONE,
            object=[*self.references(job.inputs), *self.parameters(job)],
            result=self.references(job.outputs),
        )
        self.crate.root_dataset.append_to("mentions", action)
        return action

    def parameters(self, job: Job) -> Iterable[ContextEntity]:
        """The settings that a job was given, as JSON; jobs of one run share theirs."""
        for param in job.params:
            value = param[1:-1] if param[:1] == param[-1:] == "'" else param
            if value.startswith("{"):
                identifier = f"#settings/{sha256(value)[:16]}"
                yield self.crate.get(identifier) or self.add(
                    identifier, "PropertyValue", name="settings", value=value
                )

    def references(self, names: Iterable[str]) -> list[Entity]:
        """Files, in the archive or left out of it."""
        return [self.known[name] for name in names if name in self.known]

    def run(self, jobs: list[Job], actions: list[ContextEntity]) -> None:
        """The workflow's run as a whole, and how Snakemake organised it."""
        figures = [name for job in jobs if job.rule == "figure" for name in job.outputs]
        run = self.add(
            RUN,
            "CreateAction",
            name=f"snakemake {' '.join(self.label.targets)} --configfile {self.label.config}",
            description="All jobs together, from data to figures, however often it was called.",
            instrument={"@id": WORKFLOW},
            agent=self.agents[0],
            startTime=second(min(job.began for job in jobs)),
            endTime=second(max(job.ended for job in jobs)),
            actionStatus=DONE,
            object=self.known[self.label.config],
            result=self.references(figures or jobs[-1].outputs),
        )
        self.crate.root_dataset.append_to("mentions", run)
        controls = [
            self.add(
                f"#control/{job.rule}/{job.name}",
                "ControlAction",
                name=f"control of {job.rule} {job.name}",
                instrument=self.steps[job.rule],
                object=action,
            )
            for job, action in zip(jobs, actions, strict=True)
        ]
        self.add(
            "#organize",
            "OrganizeAction",
            name="Snakemake runs the workflow",
            instrument=self.snakemake,
            agent=self.agents[0],
            object=controls,
            result=run,
        )


def docstrings(contents: Contents) -> dict[str, str]:
    """What each rule says of itself."""
    found: dict[str, str] = {}
    for name, file in contents.files.items():
        if name.startswith("workflow/rules/"):
            text = file.read_text(encoding="utf-8")
            found |= re.findall(r'^rule (\w+):\n +"""(.+?)"""', text, re.MULTILINE)
    return found


def alone(value: Any) -> Any:
    """A value that stands alone in a list, without it."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def slug(name: str) -> str:
    return re.sub(r"\W+", "-", name).strip("-").lower()


def second(time: float) -> str:
    """A time in ISO 8601, in whole seconds of UTC."""
    return datetime.fromtimestamp(int(time), UTC).isoformat()


def day(time: float) -> str:
    return second(time)[:10]
