"""Run a drawn study on its files: the schemas, the readers, the claims, the raw files and both stages of every site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unittest.mock import patch

import polars as pl

from ember.consent.collect import collect_consent
from ember.consent.rows import withdrawn_participants
from ember.extract import csv_file, parquet_stream, statistical
from ember.extract.admission import Conditions
from ember.extract.claims import tables_of
from ember.extract.reading import Read, read_source
from ember.extract.source import row_accounts, row_ledger
from ember.harmonise.harmonise import Harmonised
from ember.harmonise.standardise import Standardised
from ember.provenance.privacy_key import PUBLISHED_KEY
from ember.registry.assemble import Documents, build_study
from ember.registry.check import cross_check
from ember.registry.load import PROJECT
from ember.registry.model import Study
from ember.registry.registry import Registry, read_registry
from ember.registry.schema import schema_findings
from ember.registry.yaml_file import YamlFile
from ember.tables.store import conform
from ember.validate.accounting import account_table
from ember.validate.chain import collect_accounts
from ember.validate.ledger import join_entries
from tests.prove.dirty_plan import VISITS, StudyPlan
from tests.prove.dirty_shares import as_site, harmonised_shares, standard_shares

TABLES = {
    "participants": "participants",
    "visits": "visits",
    "measurements": "standard_measurements",
    "items": "standard_items",
    "treatments": "treatments",
    "ledger": "ledger",
    "findings": "findings",
}
DECISIONS = """id,date,who,variable,sites,decision,reason,evidence,alternative,supersedes
D1,2025-05-12,Data management,all,all,As the site files say.,The sites say so.,Their letters.,To refuse it.,
"""


@dataclass
class Outcome:
    """Everything that a run left behind; `ledgers` of reading are by source."""

    reads: dict[str, Read] = field(default_factory=dict)
    ledgers: dict[str, pl.DataFrame] = field(default_factory=dict)
    standard: dict[str, Standardised] = field(default_factory=dict)
    harmonised: dict[str, Harmonised] = field(default_factory=dict)
    accounting: pl.DataFrame | None = None

    @property
    def ledger(self) -> pl.DataFrame:
        parts = [*self.ledgers.values()]
        parts += [result.ledger for stage in (self.standard, self.harmonised) for result in stage.values()]
        return pl.concat(parts)


@cache
def shared_registry() -> Registry:
    """Return the registry, read once a process."""
    return read_registry(PROJECT / "config" / "registry")


def documents_of(plan: StudyPlan, answers: list[dict[str, str]]) -> Documents:
    """Return the YAML content of the study and its sites, as it would stand in their files."""
    content = {
        "study": "dirty",
        "label": "1",
        "title": "Dirty extracts",
        "question": "Is anything lost?",
        "privacy": "synthetic",
        "disclosure": "sacro",
        "design": "cohort",
        "time_zero": "enrolment",
        "visits": VISITS,
        "seed": 1,
        "data": {"folder": "extracts"},
        "sources": {name: source.entry for name, source in plan.sources.items()},
        "sites": list(plan.sites),
        "analyses": [],
        **({"consent": {"required": ["sharing"]}} if plan.consent else {}),
        **({"findings": answers} if answers else {}),
    }
    sites = {
        site: {"site": site, "tables": {table.name: {"from": table.source, **table.mapping} for table in tables}}
        for site, tables in plan.sites.items()
    }
    shown = {site: YamlFile(Path(f"{site}.yaml"), f"sites/{site}.yaml", entry, {}) for site, entry in sites.items()}
    report = YamlFile(Path("report.yaml"), "report.yaml", {}, {})
    return Documents(YamlFile(Path("study.yaml"), "study.yaml", content, {}), shown, {}, {}, report)


def build(documents: Documents, folder: Path, check: bool) -> tuple[Study | None, list[str]]:
    """Return the study and everything that `ember check` would say of it.

    Parameters
    ----------
    check : bool
        Hold it against the closed schemas and the registry as well.
    """
    found = schema_findings(documents.study, "study") if check else []
    for document in documents.sites.values() if check else ():
        found.extend(schema_findings(document, "site"))
    (folder / "decisions.csv").write_text(DECISIONS, encoding="utf-8")
    study = build_study(documents, folder, folder, {}, found)
    if study is not None and check:
        kinds = ("study", "sites", "schemes", "analyses", "report")
        found.extend(cross_check(study, shared_registry(), {kind: getattr(documents, kind) for kind in kinds}))
    return study, [str(finding) for finding in found]


def run(study: Study, folder: Path, batch: int, block: int, withdrawn: Mapping[str, pl.DataFrame]) -> Outcome:
    """Run the study.

    Parameters
    ----------
    batch : int
        Rows of a batch; small ones make every reader pass several.
    block : int
        Bytes of a block of text, at least as long as the longest record.
    withdrawn : mapping
        Participants who left, by site.
    """
    outcome = Outcome()
    parts: list[pl.DataFrame] = []
    registry = shared_registry()
    with (
        patch.object(csv_file, "BATCH_ROWS", batch),
        patch.object(csv_file, "BLOCK", block),
        patch.object(parquet_stream, "BATCH_ROWS", batch),
        patch.object(statistical, "BATCH_ROWS", batch),
    ):
        register = collect_consent(study, registry, PUBLISHED_KEY, folder / "raw") if study.consent_required else None
        conditions = Conditions(study.data_folder, register, study.consent_required)
        for name, source in study.sources.items():
            claims = tables_of(name, list(study.sites.values()))
            raw = raw_path(folder, name)
            read = read_source(source, study.sources, claims, conditions, registry, PUBLISHED_KEY, raw)
            lost = row_ledger(read.tally, read.unclaimed, source.file)
            ledger = conform(join_entries([lost, read.ledger]), "ledger")
            parts.append(account_table(row_accounts(read.counts, lost, read.partners, read.left)))
            outcome.reads[name], outcome.ledgers[name] = read, ledger
    for site in study.sites.values():
        leavers = withdrawn.get(site.id) if register is None else withdrawn_participants(register, site.id)
        paths = {name: raw_path(folder, name) for name in site.sources}
        shares = standard_shares(study, site, registry, paths, leavers, batch)
        outcome.standard[site.id] = standard = as_site(study, site, shares)
        for attribute, table in TABLES.items():
            conform(getattr(standard, attribute), table)
        parts.append(account_table(standard.accounts))
        outcome.harmonised[site.id] = harmonised = harmonised_shares(study, site, registry, standard, shares)
        parts.append(account_table(harmonised.accounts))
    outcome.accounting = collect_accounts(parts)
    return outcome


def raw_path(folder: Path, source: str) -> Path:
    """Return where the raw file of a source is written."""
    return folder / "raw" / f"{source}.parquet"
