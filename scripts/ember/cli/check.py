"""`ember check`: everything that can be known about a study without running it."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ember.cli.words import STUDY_HELP, counted
from ember.errors import EmberError
from ember.provenance.digest import sha256_of_file
from ember.provenance.freeze import extract_findings
from ember.provenance.privacy_key import pseudonym_key
from ember.registry.files import with_hashes
from ember.registry.load import inspect_study
from ember.registry.model import Source, Study, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.files import write_text

# Keys of a site file whose text is the name of a column of the extract.
NAMING = frozenset({"column", "participant", "value", "items", "total", "name", "batch"})


@dataclass
class Checked:
    """What a check has found so far."""

    errors: list[EmberError] = field(default_factory=list)
    warnings: list[EmberError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def add_parser(commands: Any) -> None:
    """Add `ember check` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check",
        help="say everything that is wrong with a study, without running it",
        description="Check a study folder against the schemas, the registry and its files. Nothing is run.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument(
        "--record",
        action="store_true",
        help="write the SHA-256 of files that have none into the table of files; one that stands is never changed",
    )
    parser.set_defaults(run=lambda arguments: check(arguments.study, record=arguments.record))


def check(name: str, *, record: bool = False, quiet: bool = False) -> int:
    """Print the findings of a study and return 1 if any is an error, else 0.

    Parameters
    ----------
    name : str
        A study under config/studies or a folder.
    record : bool
        Write blank hashes of files that are there into the table of files.
    quiet : bool
        Say nothing about a study without findings.

    Raises
    ------
    EmberError
        There is no such study, or hashes cannot be recorded because it has no table of files.
    """
    found = inspect_study(name)
    checked = Checked(errors=list(found.findings))
    hashes: dict[str, str] = {}
    study = found.readable
    if study is not None and found.registry is not None:
        hashes = _check_sources(study, found.registry, found.sites, checked)
        _check_key(study, checked)
        _check_gates(study, found.registry, checked)
        if record:
            _record(study, hashes, checked)
        elif study.resolved["study"].get("files"):
            checked.warnings.extend(_undeclared(study, file) for file in hashes)
    for line in (*checked.errors, *checked.warnings, *([] if quiet else checked.notes)):
        print(line)
    if checked.errors or checked.warnings:
        sites = f" in {counted(len(study.resolved['study']['sites']), 'site')}" if study else ""
        counts = f"{counted(len(checked.errors), 'error')}, {counted(len(checked.warnings), 'warning')}"
        print(f"{counts}{sites}. Nothing was run.")
    elif not quiet and study is not None:
        print(f"{_summary(study)}; no findings. Nothing was run.")
    return 1 if checked.errors else 0


def _check_sources(
    study: Study, registry: Registry, documents: Mapping[str, YamlFile], checked: Checked
) -> dict[str, str]:
    """Compare hashes and columns of the files that are there; return the hashes that nobody has declared."""
    undeclared: dict[str, str] = {}
    hashes: dict[Path, str] = {}
    absent = [source for source in study.sources.values() if not source.path.is_file()]
    checked.errors.extend(_not_fetched(study, source) for source in absent if source.url and source.sha256 is None)
    fetched = sorted({source.file for source in absent if source.url and source.sha256})
    if fetched:
        checked.notes.append(f"Fetched when the study runs: {', '.join(fetched)}.")
    for source in study.sources.values():
        if source in absent:
            continue
        if source.path not in hashes:
            hashes[source.path] = sha256_of_file(source.path)
            checked.errors.extend(_hash_findings(source, hashes[source.path]))
        if source.sha256 is None:
            undeclared[source.file] = hashes[source.path]
        if study.sites_of(source.id):
            checked.errors.extend(_column_findings(study, source, registry, documents))
    checked.errors.extend(
        extract_findings(study, {name: hashes[s.path] for name, s in study.sources.items() if s.path in hashes})
    )
    return undeclared


def _check_gates(study: Study, registry: Registry, checked: Checked) -> None:
    if study.gate_changes:
        from ember.validate.possible_rules import gate_findings  # loads polars, which no other check needs

        checked.errors.extend(gate_findings(study, registry))


def _not_fetched(study: Study, source: Source) -> EmberError:
    return EmberError(
        "The file is not there and has no SHA-256, so it will not be fetched: nobody could tell what arrives.",
        where=source.shown_path,
        fix=f"Download it once from {source.url} to that place, then run `ember check {study.id} --record`.",
    )


def _hash_findings(source: Source, actual: str) -> list[EmberError]:
    if source.sha256 is None or source.sha256 == actual:
        return []
    return [
        EmberError(
            "The file is not the one that the table of files declares: its SHA-256 differs.",
            where=source.shown_path,
            fix=f"Declared {source.sha256[:12]}…, found {actual[:12]}…. Get the declared file, or declare this one.",
        )
    ]


def _column_findings(
    study: Study, source: Source, registry: Registry, documents: Mapping[str, YamlFile]
) -> list[EmberError]:
    # The readers load data libraries; without a file to open they are not needed.
    from ember.extract.admission import corrections_of
    from ember.extract.columns import absent_columns, mapped_columns
    from ember.extract.join import joined_names
    from ember.extract.readers import read_header
    from ember.harmonise.value_columns import value_columns

    try:
        header = joined_names(source, study.sources, read_header)
    except EmberError as error:
        return [error]
    findings = []
    for site in study.sites_of(source.id):
        for table in (table for table in site.tables if table.source == source.id):
            try:
                absent = absent_columns(source, header, site, table, registry)
                named = dict.fromkeys(column for column, _ in mapped_columns(table, registry, header))
                for finding, column in zip(absent, [name for name in named if name not in header], strict=False):
                    finding.where = column_place(documents[site.id], table, column) or finding.where
                    finding.fix = f"Looked in {source.shown_path}. {finding.fix}".rstrip()
                findings.extend(absent)
                if not absent:
                    value_columns(table, registry, study.visits, header)
                corrections_of(site, table, study.data_folder, source.file, None)
            except EmberError as error:
                error.where = f"sites/{site.id}.yaml  {error.where}".rstrip()
                findings.append(error)
    return findings


def column_place(document: YamlFile, table: TableMap, column: str) -> str | None:
    """Return where a site file names a column; a wide file adds the visit to its name, an instrument the item."""
    base: Keys = ("tables", table.name) if "tables" in document.content else ()
    for keys in document.places:
        if keys[: len(base)] == base and keys[-1] in NAMING and "codes" not in keys:
            written = _at(document.content, keys)
            if isinstance(written, str) and _names(written, table, column):
                return document.place(keys)
    return None


def _at(content: Any, keys: Keys) -> Any:
    """Return what stands at keys; None where a site took over a file and changed the kind of what stood there."""
    for key in keys:
        if isinstance(content, dict):
            content = content.get(str(key))
        else:
            content = (
                content[key] if isinstance(content, list) and isinstance(key, int) and key < len(content) else None
            )
    return content


def _names(written: str, table: TableMap, column: str) -> bool:
    pattern = re.escape(written)
    if "{item" in written:
        pattern = r"[0-9]+".join(re.escape(part) for part in re.split(r"[{]item[^}]*[}]", written))
    visits = [re.escape(table.visits.column_for("\0", suffix)).replace("\0", pattern) for suffix in table.visits.wide]
    return any(re.fullmatch(form, column) for form in (pattern, *visits))


def _check_key(study: Study, checked: Checked) -> None:
    try:
        pseudonym_key(study, os.environ)
    except EmberError as error:
        checked.errors.append(error)


def _undeclared(study: Study, file: str) -> EmberError:
    return EmberError(
        "No SHA-256 is declared: nobody can tell later whether this is the file that was analysed.",
        where=f"{study.resolved['study']['files']}  {file}",
        fix=f"`ember check {study.id} --record` writes down the one that the file has now.",
    )


def _record(study: Study, hashes: dict[str, str], checked: Checked) -> None:
    table = study.resolved["study"].get("files")
    if table is None:
        raise EmberError(
            "There is no table of files to record hashes in.",
            where="study.yaml  files",
            fix="Add `files: files.csv`, and the file with the line `file,sha256,url,recorded,source`.",
        )
    if not hashes:
        checked.notes.append("Every file that is there has its SHA-256 already; nothing was recorded.")
        return
    path = study.folder / table
    write_text(with_hashes(path.read_text(encoding="utf-8"), hashes), path)
    for file, sha256 in hashes.items():
        checked.notes.append(f"Recorded in {table}: {file}  {sha256}")


def _summary(study: Study) -> str:
    counts = [
        counted(len(study.sites), "site"),
        counted(len(study.sources), "source"),
        counted(len(study.schemes), "endotype scheme"),
        *([counted(len(study.verdicts), "verdict")] if study.verdicts else []),
        counted(len(study.analyses), "analysis", "analyses"),
    ]
    return f"{study.id}: {', '.join(counts)}"
