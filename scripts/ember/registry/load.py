"""Load a study folder into a validated `Study`, with all findings at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ember.errors import EmberError, nearest_name
from ember.registry.assemble import Documents, build_study
from ember.registry.model import Study
from ember.registry.preset import merged, with_presets
from ember.registry.registry import Registry, read_registry
from ember.registry.schemes import SHIPPED, SHIPPED_VERDICTS, with_shipped
from ember.registry.vouched import is_vouched
from ember.registry.ways import with_ways
from ember.registry.yaml_file import YamlFile, read_yaml

PROJECT = Path(__file__).parents[3]
NAME = re.compile("[a-z][a-z0-9_]*")


class InvalidStudyError(EmberError):
    """A study folder has findings; `findings` holds them all."""

    def __init__(self, findings: Iterable[EmberError]) -> None:
        # What two sites share through `like:` is wrong once.
        self.findings = tuple({str(finding): finding for finding in findings}.values())
        super().__init__("\n".join(str(finding) for finding in self.findings))


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
    """A study as far as it could be built, and everything that is wrong with it.

    `study` is there if every file keeps to its schema; `readable` holds at least the sites whose files do, and
    `sites` those files, for places in messages.
    """

    folder: Path
    study: Study | None
    registry: Registry | None
    findings: tuple[EmberError, ...]
    readable: Study | None = None
    sites: Mapping[str, YamlFile] = field(default_factory=dict)


def load_study(
    name: str, project: Path = PROJECT, environment: Mapping[str, str] | None = None
) -> tuple[Study, Registry]:
    """Load and validate a study and the registry rows it may use.

    Raises
    ------
    InvalidStudyError
        Something in the study folder is not right; all findings together.

    Notes
    -----
    A job of the workflow does not check anew what the workflow has checked: it is vouched for by its digest.
    """
    given = os.environ if environment is None else environment
    folder, _ = find_study(name, project)
    found = inspect_study(name, project, environment, checked=is_vouched(folder, project, given))
    if found.findings or found.study is None or found.registry is None:
        raise InvalidStudyError(found.findings)
    return found.study, found.registry


def inspect_study(
    name: str,
    project: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
    *,
    release: bool = True,
    checked: bool = False,
) -> Inspection:
    """Load a study and collect its findings instead of raising them.

    A study whose files break their schemas is not built; one whose references lead nowhere is.

    Parameters
    ----------
    release : bool
        Hold a final release against its freeze; not while one is made.
    checked : bool
        Schemas and references have been checked: only build the study.

    Raises
    ------
    EmberError
        There is no such study.
    """
    folder, workspace = find_study(name, project)
    findings: list[EmberError] = []
    documents = _documents(folder, project, findings, _nothing if checked else _schema_findings)
    if documents is None:
        return Inspection(folder, None, None, InvalidStudyError(findings).findings)
    whole = not findings
    registry = _registry(documents.study, folder, project, findings, checked)
    study = build_study(documents, folder, workspace, os.environ if environment is None else environment, findings)
    if study is not None and registry is not None and not checked:
        from ember.provenance.freeze import release_findings
        from ember.registry.check import cross_check

        kinds = ("study", "sites", "schemes", "analyses", "report", "verdicts", "mixtures")
        findings.extend(cross_check(study, registry, {kind: getattr(documents, kind) for kind in kinds}))
        if whole and release:
            findings.extend(release_findings(study, registry, documents.study))
    told = InvalidStudyError(findings).findings
    return Inspection(folder, study if whole else None, registry, told, study, documents.sites)


def _registry(
    document: YamlFile, folder: Path, project: Path, findings: list[EmberError], checked: bool
) -> Registry | None:
    overridden = [(entry["table"], entry["key"]) for entry in document.content.get("overrides", [])]
    own = folder / "registry"
    try:
        shared = project / "config" / "registry"
        return read_registry(shared, own if own.is_dir() else None, overridden, checked=checked)
    except EmberError as error:
        findings.append(error)
        return None


SchemaCheck = Callable[[YamlFile, str], list[EmberError]]


def _nothing(document: YamlFile, schema: str) -> list[EmberError]:
    return []


def _schema_findings(document: YamlFile, schema: str) -> list[EmberError]:
    from ember.registry.schema import schema_findings

    return schema_findings(document, schema)


def _documents(
    folder: Path, project: Path, findings: list[EmberError], schema_findings: SchemaCheck
) -> Documents | None:
    """Return the files that can be used, or None without a usable study.yaml; what is wrong goes to `findings`."""
    shown = _shown(folder, project)
    try:
        study = read_yaml(folder / "study.yaml", f"{shown}/study.yaml")
    except EmberError as error:
        findings.append(error)
        return None
    wrong = schema_findings(study, "study")
    findings.extend(wrong)
    sites = _read_all(folder, study, "sites", findings)
    presets = (project / "config" / "registry", folder / "registry")
    resolved = {name: _resolve_like(document, folder, shown, findings, presets) for name, document in sites.items()}
    sites = {name: document for name, document in resolved.items() if document is not None}
    groups = {
        "site": sites,
        "scheme": _schemes(folder, project, study, findings),
        "analysis": _read_all(folder, study, "analyses", findings),
        "verdict": _read_all(folder, study, "verdicts", findings, project / SHIPPED_VERDICTS),
        "mixture": _read_all(folder, study, "mixtures", findings),
    }
    usable = {kind: _usable(documents, kind, findings, schema_findings) for kind, documents in groups.items()}
    report = _report(folder, shown, findings, schema_findings)
    if wrong:
        return None
    analyses = with_ways(usable["analysis"])
    return Documents(study, usable["site"], usable["scheme"], analyses, report, usable["verdict"], usable["mixture"])


def _usable(
    documents: dict[str, YamlFile], schema: str, findings: list[EmberError], schema_findings: SchemaCheck
) -> dict[str, YamlFile]:
    """Return the documents that keep to their schema and carry their own name."""
    usable = {}
    for name, document in documents.items():
        wrong = [*schema_findings(document, schema), *_misnamed(name, document, schema)]
        findings.extend(wrong)
        if not wrong:
            usable[name] = document
    return usable


def _report(folder: Path, shown: str, findings: list[EmberError], schema_findings: SchemaCheck) -> YamlFile:
    try:
        report = read_yaml(folder / "report.yaml", f"{shown}/report.yaml")
    except EmberError as error:
        findings.append(error)
        return YamlFile(folder / "report.yaml", f"{shown}/report.yaml", {}, {})
    findings.extend(schema_findings(report, "report"))
    return report


def _shown(folder: Path, project: Path) -> str:
    return str(folder.relative_to(project)) if folder.is_relative_to(project) else folder.name


def _schemes(folder: Path, project: Path, study: YamlFile, findings: list[EmberError]) -> dict[str, YamlFile]:
    """Return the study's own schemes, with what they take over, and the shipped ones that it names."""
    found = _read_all(folder, study, "endotypes", findings, project / SHIPPED)
    own = folder / "endotypes"
    known = {
        name: with_shipped(document, project, findings) if document.path.parent == own else document
        for name, document in found.items()
    }
    return {name: document for name, document in known.items() if document is not None}


def _read_all(
    folder: Path, study: YamlFile, kind: str, findings: list[EmberError], shipped: Path | None = None
) -> dict[str, YamlFile]:
    found: dict[str, YamlFile] = {}
    names = study.content.get(kind, [])
    shown = study.shown_path.removesuffix("study.yaml")
    for index, name in enumerate(names if isinstance(names, list) else []):
        if not isinstance(name, str) or not NAME.fullmatch(name):
            continue  # the schema has said so, and it must not become a path
        if name in found:
            findings.append(EmberError(f"'{name}' stands twice under {kind}.", where=study.place((kind, index))))
        own = sorted(path.stem for path in (folder / kind).glob("*.yaml"))
        known = sorted({*own, *(path.stem for path in (shipped.glob("*.yaml") if shipped else ()))})
        if name not in known:
            what, nearest = f"The file {kind}/{name}.yaml does not exist.", nearest_name(name, known)
            findings.append(EmberError(what, where=study.place((kind, index)), allowed=known, nearest=nearest))
            continue
        file, said = folder / kind / f"{name}.yaml", f"{shown}{kind}/{name}.yaml"
        if name not in own and shipped is not None:
            file, said = shipped / f"{name}.yaml", f"config/registry/{shipped.name}/{name}.yaml"
        try:
            found[name] = read_yaml(file, said)
        except EmberError as error:
            findings.append(error)
    return found


def _misnamed(name: str, document: YamlFile, key: str) -> list[EmberError]:
    if document.content.get(key) == name:
        return []
    return [
        EmberError(
            f"The file is named '{name}' but its {key} is '{document.content.get(key)}'.",
            where=document.place((key,)),
            fix="Two files must never carry one id: give both the same name.",
        )
    ]


def _resolve_like(
    document: YamlFile, folder: Path, shown: str, findings: list[EmberError], presets: tuple[Path, Path]
) -> YamlFile | None:
    """Return the site with what it takes over, or None where that cannot be read."""
    like = document.content.get("like")
    if like is None or not NAME.fullmatch(str(like)):
        return with_presets(document, *presets)
    known = sorted(path.stem for path in (folder / "sites").glob("*.yaml"))
    if like not in known:
        what, nearest = f"There is no site file '{like}'.", nearest_name(str(like), known)
        findings.append(EmberError(what, where=document.place(("like",)), allowed=known, nearest=nearest))
        return None
    try:
        base = read_yaml(folder / "sites" / f"{like}.yaml", f"{shown}/sites/{like}.yaml")
    except EmberError as error:
        findings.append(error)
        return None
    if "like" in base.content:
        findings.append(
            EmberError(f"'{like}' itself says like: only one step is allowed.", where=document.place(("like",)))
        )
    # Both are complete before one changes the other, so that a key without a value also drops a preset's.
    base, document = with_presets(base, *presets), with_presets(document, *presets)
    own = {key: value for key, value in document.content.items() if key != "like"}
    inherited = {key: value for key, value in base.content.items() if key not in {"site", "label"}}
    places = {**base.places, **document.places}
    return YamlFile(document.path, document.shown_path, merged(inherited, own), places)
