"""Put the files of a study folder together into one `Study`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.registry.build import build_site, build_source, source_findings
from ember.registry.decisions import FILE as DECISIONS
from ember.registry.decisions import Decision, read_decisions
from ember.registry.files import read_files_table
from ember.registry.freezes import Freeze, Unfreezing, read_freeze, read_unfreezings
from ember.registry.model import Answer, GateChange, Site, Source, Study, Visit
from ember.registry.schemes import resolved_scheme
from ember.registry.yaml_file import YamlFile

SAME = ("label", "title", "question", "privacy", "disclosure", "design", "time_zero", "seed")
"""Keys of study.yaml that are fields of the study as they stand."""


@dataclass(frozen=True)
class Documents:
    """The YAML files of a study folder, `like:` and `preset:` already resolved in the sites."""

    study: YamlFile
    sites: dict[str, YamlFile]
    schemes: dict[str, YamlFile]
    analyses: dict[str, YamlFile]
    report: YamlFile
    verdicts: dict[str, YamlFile] = field(default_factory=dict)
    mixtures: dict[str, YamlFile] = field(default_factory=dict)


def build_study(
    documents: Documents, folder: Path, workspace: Path, environment: Mapping[str, str], findings: list[EmberError]
) -> Study | None:
    """Turn schema-valid documents into a `Study`, or None; cross-references are not checked here."""
    content = documents.study.content
    table = content.get("files")
    shown = documents.study.shown_path.removesuffix("study.yaml")
    decisions = read_decisions(folder / DECISIONS, f"{shown}{DECISIONS}", findings)
    release = content.get("release", {})
    frozen = read_freeze(folder, release["freeze"]) if "freeze" in release else None
    unfreezings = read_unfreezings(folder, shown, findings)
    files = read_files_table(folder / table, f"{shown}{table}", findings) if table else {}
    faults = [
        fault for name, entry in content["sources"].items() for fault in source_findings(name, entry, documents.study)
    ]
    faults.extend(_data_findings(content.get("data", {}), documents.study, environment))
    findings.extend(faults)
    if faults:
        return None
    data_folder, shown_data = _data_folder(content.get("data", {}), workspace, environment)
    fetched = workspace / "resources" / content["study"]
    sources: dict[str, Source] = {
        name: build_source(name, entry, data_folder, shown_data, files, fetched)
        for name, entry in content["sources"].items()
    }
    sites: dict[str, Site] = {name: build_site(document.content) for name, document in documents.sites.items()}
    return Study(
        **{key: content[key] for key in SAME},
        **_plan(documents),
        folder=folder,
        workspace=workspace,
        data_folder=data_folder,
        visits=_visits(documents),
        sources=sources,
        sites=sites,
        excluded_sites={entry["site"]: entry["reason"] for entry in content.get("exclude_sites", [])},
        answers=tuple(Answer(**entry) for entry in content.get("findings", [])),
        date_of_data=content.get("date_of_data"),
        consent_required=tuple(content.get("consent", {}).get("required", ())),
        locked_visits=tuple(content.get("locked_visits", ())),
        gate_changes=tuple(GateChange(**entry) for entry in content.get("gates", [])),
        release_status=release.get("status", "draft"),
        freeze=release.get("freeze"),
        decisions=decisions,
        frozen=frozen,
        unfreezings=unfreezings,
        dtd=content.get("dtd"),
        resolved=_resolved(documents, decisions, frozen, unfreezings),
    )


def _visits(documents: Documents) -> tuple[Visit, ...]:
    declared = documents.study.content["visits"]
    return tuple(Visit(name, visit["day"], visit["from"], visit["to"]) for name, visit in declared.items())


def _plan(documents: Documents) -> dict[str, Any]:
    return {
        "id": documents.study.content["study"],
        "schemes": {
            name: resolved_scheme(document.content, _visits(documents)) for name, document in documents.schemes.items()
        },
        "analyses": {name: document.content for name, document in documents.analyses.items()},
        "report": documents.report.content,
        "verdicts": {name: document.content for name, document in documents.verdicts.items()},
        "mixtures": {name: document.content for name, document in documents.mixtures.items()},
    }


def _resolved(
    documents: Documents, decisions: tuple[Decision, ...], frozen: Freeze | None, unfreezings: tuple[Unfreezing, ...]
) -> dict[str, Any]:
    plan = _plan(documents)
    return {
        "study": documents.study.content,
        "sites": {name: document.content for name, document in documents.sites.items()},
        "endotypes": plan["schemes"],
        "analyses": plan["analyses"],
        "report": plan["report"],
        **({"verdicts": plan["verdicts"]} if plan["verdicts"] else {}),
        **({"mixtures": plan["mixtures"]} if plan["mixtures"] else {}),
        "decisions": [decision.content for decision in decisions],
        "freeze": frozen.content if frozen else None,
        "unfreezings": [vars(line) for line in unfreezings],
    }


def _data_findings(data: dict[str, str], document: YamlFile, environment: Mapping[str, str]) -> list[EmberError]:
    variable = data.get("environment")
    if variable is None or environment.get(variable) or "folder" in data:
        return []
    return [
        EmberError(
            f"The environment variable {variable} is not set.",
            where=document.place(("data", "environment")),
            fix="Set it to the folder that holds the files, or name a `folder:`.",
        )
    ]


def _data_folder(data: dict[str, str], workspace: Path, environment: Mapping[str, str]) -> tuple[Path, str]:
    variable = data.get("environment", "")
    under = data.get("under", "")
    if environment.get(variable):
        return Path(environment[variable]) / under, f"${variable}/{under}".rstrip("/")
    folder = data.get("folder", "")
    return workspace / folder / under, f"{folder}/{under}".strip("/") or "."
