"""Load a study folder into a validated `Study`, with all findings at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ember.errors import EmberError, nearest_name
from ember.registry.build import build_site, build_source, source_findings
from ember.registry.check import cross_check
from ember.registry.files import read_files_table
from ember.registry.model import Answer, GateChange, Site, Source, Study, Visit
from ember.registry.registry import Registry, read_registry
from ember.registry.schema import schema_findings
from ember.registry.yaml_file import YamlFile, read_yaml

PROJECT = Path(__file__).parents[3]


class InvalidStudyError(EmberError):
    """A study folder has findings; `findings` holds them all."""

    def __init__(self, findings: Iterable[EmberError]) -> None:
        # What two sites share through `like:` is wrong once.
        self.findings = tuple({str(finding): finding for finding in findings}.values())
        super().__init__("\n".join(str(finding) for finding in self.findings))


@dataclass(frozen=True)
class Documents:
    """The YAML files of a study folder, `like:` already resolved in the sites."""

    study: YamlFile
    sites: dict[str, YamlFile]
    schemes: dict[str, YamlFile]
    analyses: dict[str, YamlFile]
    report: YamlFile


def find_study(name: str, project: Path = PROJECT) -> tuple[Path, Path]:
    """Return the folder of a study and its workspace.

    Parameters
    ----------
    name : str
        A name under `config/studies` or a folder that holds a study.yaml.

    Raises
    ------
    EmberError
        There is no such study.
    """
    shipped = project / "config" / "studies"
    for folder in (shipped / name, Path(name)):
        if (folder / "study.yaml").is_file():
            folder = folder.resolve()
            return folder, project if folder.parent == shipped.resolve() else folder
    known = sorted(folder.parent.name for folder in shipped.glob("*/study.yaml"))
    raise EmberError(
        f"There is no study '{name}'.",
        where="study",
        allowed=known,
        nearest=nearest_name(name, known),
        fix="Give the name of a study under config/studies or a folder that holds a study.yaml.",
    )


@dataclass(frozen=True)
class Inspection:
    """A study as far as it could be built, and everything that is wrong with it."""

    folder: Path
    study: Study | None
    registry: Registry | None
    findings: tuple[EmberError, ...]


def load_study(
    name: str, project: Path = PROJECT, environment: Mapping[str, str] | None = None
) -> tuple[Study, Registry]:
    """Load and validate a study and the registry rows it may use.

    Raises
    ------
    InvalidStudyError
        Something in the study folder is not right; all findings together.
    """
    found = inspect_study(name, project, environment)
    if found.findings or found.study is None or found.registry is None:
        raise InvalidStudyError(found.findings)
    return found.study, found.registry


def inspect_study(name: str, project: Path = PROJECT, environment: Mapping[str, str] | None = None) -> Inspection:
    """Load a study and collect its findings instead of raising them.

    A study whose files break their schemas is not built; one whose references lead nowhere is.

    Raises
    ------
    EmberError
        There is no such study.
    """
    folder, workspace = find_study(name, project)
    try:
        documents = read_documents(folder, project)
    except InvalidStudyError as error:
        return Inspection(folder, None, None, error.findings)
    except EmberError as error:
        return Inspection(folder, None, None, (error,))
    findings: list[EmberError] = []
    registry = _registry(documents.study, folder, project, findings)
    study = build_study(documents, folder, workspace, os.environ if environment is None else environment, findings)
    if study is not None and registry is not None:
        kinds = ("study", "sites", "schemes", "analyses", "report")
        findings.extend(cross_check(study, registry, {kind: getattr(documents, kind) for kind in kinds}))
    return Inspection(folder, study, registry, InvalidStudyError(findings).findings)


def _registry(document: YamlFile, folder: Path, project: Path, findings: list[EmberError]) -> Registry | None:
    overridden = [(entry["table"], entry["key"]) for entry in document.content.get("overrides", [])]
    own = folder / "registry"
    try:
        return read_registry(project / "config" / "registry", own if own.is_dir() else None, overridden)
    except EmberError as error:
        findings.append(error)
        return None


def read_documents(folder: Path, project: Path = PROJECT) -> Documents:
    """Read the YAML files of a study and hold them against their schemas."""
    shown = _shown(folder, project)
    study = read_yaml(folder / "study.yaml", f"{shown}/study.yaml")
    findings = schema_findings(study, "study")
    if findings:
        raise InvalidStudyError(findings)
    sites = _read_all(folder, shown, "sites", study.content["sites"], findings)
    sites = {name: _resolve_like(document, folder, shown, findings) for name, document in sites.items()}
    schemes = _read_all(folder, shown, "endotypes", study.content.get("endotypes", []), findings)
    analyses = _read_all(folder, shown, "analyses", study.content["analyses"], findings)
    report = read_yaml(folder / "report.yaml", f"{shown}/report.yaml")
    for documents, schema in ((sites, "site"), (schemes, "scheme"), (analyses, "analysis")):
        for document in documents.values():
            findings.extend(schema_findings(document, schema))
    findings.extend(schema_findings(report, "report"))
    findings.extend(_misnamed({"site": sites, "scheme": schemes, "analysis": analyses}))
    if findings:
        raise InvalidStudyError(findings)
    return Documents(study, sites, schemes, analyses, report)


def _shown(folder: Path, project: Path) -> str:
    return str(folder.relative_to(project)) if folder.is_relative_to(project) else folder.name


def _read_all(folder: Path, shown: str, kind: str, names: list[str], findings: list[EmberError]) -> dict[str, YamlFile]:
    found = {}
    for name in names:
        if name in found:
            findings.append(EmberError(f"'{name}' stands twice under {kind}.", where=f"{shown}/study.yaml"))
        try:
            found[name] = read_yaml(folder / kind / f"{name}.yaml", f"{shown}/{kind}/{name}.yaml")
        except EmberError as error:
            findings.append(error)
    return found


def _misnamed(groups: dict[str, dict[str, YamlFile]]) -> list[EmberError]:
    return [
        EmberError(
            f"The file is named '{name}' but its {key} is '{document.content.get(key)}'.",
            where=document.place((key,)),
            fix="Two files must never carry one id: give both the same name.",
        )
        for key, documents in groups.items()
        for name, document in documents.items()
        if document.content.get(key) != name
    ]


def _resolve_like(document: YamlFile, folder: Path, shown: str, findings: list[EmberError]) -> YamlFile:
    like = document.content.get("like")
    if like is None:
        return document
    try:
        base = read_yaml(folder / "sites" / f"{like}.yaml", f"{shown}/sites/{like}.yaml")
    except EmberError:
        known = sorted(path.stem for path in (folder / "sites").glob("*.yaml"))
        findings.append(
            EmberError(
                f"There is no site file '{like}'.",
                where=document.place(("like",)),
                allowed=known,
                nearest=nearest_name(str(like), known),
            )
        )
        return document
    if "like" in base.content:
        findings.append(
            EmberError(f"'{like}' itself says like: only one step is allowed.", where=document.place(("like",)))
        )
    own = {key: value for key, value in document.content.items() if key != "like"}
    inherited = {key: value for key, value in base.content.items() if key not in {"site", "label"}}
    return YamlFile(document.path, document.shown_path, _merged(inherited, own), {**base.places, **document.places})


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    # A key without a value takes the inherited one away.
    merged = {key: value for key, value in base.items() if not (key in change and change[key] is None)}
    for key, value in change.items():
        if value is None:
            continue
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merged(base[key], value) if both else value
    return merged


def build_study(
    documents: Documents, folder: Path, workspace: Path, environment: Mapping[str, str], findings: list[EmberError]
) -> Study | None:
    """Turn schema-valid documents into a `Study`, or None; cross-references are not checked here."""
    content = documents.study.content
    table = content.get("files")
    shown = documents.study.shown_path.removesuffix("study.yaml")
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
    schemes = {name: document.content for name, document in documents.schemes.items()}
    analyses = {name: document.content for name, document in documents.analyses.items()}
    return Study(
        id=content["study"],
        label=content["label"],
        title=content["title"],
        question=content["question"],
        privacy=content["privacy"],
        disclosure=content["disclosure"],
        design=content["design"],
        time_zero=content["time_zero"],
        seed=content["seed"],
        folder=folder,
        workspace=workspace,
        visits=tuple(Visit(name, v["day"], v["from"], v["to"]) for name, v in content["visits"].items()),
        sources=sources,
        sites=sites,
        excluded_sites={entry["site"]: entry["reason"] for entry in content.get("exclude_sites", [])},
        answers=tuple(Answer(**entry) for entry in content.get("findings", [])),
        schemes=schemes,
        analyses=analyses,
        report=documents.report.content,
        date_of_data=content.get("date_of_data"),
        data_folder=data_folder,
        consent_required=tuple(content.get("consent", {}).get("required", ())),
        locked_visits=tuple(content.get("locked_visits", ())),
        gate_changes=tuple(GateChange(**entry) for entry in content.get("gates", [])),
        release_status=content.get("release", {}).get("status", "draft"),
        freeze=content.get("release", {}).get("freeze"),
        resolved={
            "study": content,
            "sites": {name: document.content for name, document in documents.sites.items()},
            "endotypes": schemes,
            "analyses": analyses,
            "report": documents.report.content,
        },
    )


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
