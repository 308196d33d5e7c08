"""What the disclosure reads beside the summaries: records of inputs and ledgers, and what only some studies have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.reporting.parts import CONSENT, MIXTURES, VERDICT_FILES
from ember.reporting.summary_run import consent_table
from ember.tables.store import read_table, read_tables


def analysis_ledgers(study: Study, restricted: Path) -> dict[str, pl.DataFrame]:
    """Return by analysis who was left out of it and why."""
    return {name: read_table(restricted / f"ledger/analysis/{name}.parquet", "ledger") for name in study.analyses}


def input_records(study: Study, checks: Path) -> list[dict[str, Any]]:
    """Return what was recorded of every input when it was read."""
    return [json.loads((checks / f"inputs/{source}.json").read_text(encoding="utf-8")) for source in study.sources]


def declared_tables(study: Study, restricted: Path, checks: Path) -> dict[str, pl.DataFrame]:
    """Return the tables that only some studies have beside their summaries: of consent, verdicts and mixtures."""
    found: dict[str, pl.DataFrame] = {}
    if study.consent_required:
        found[CONSENT] = consent_table(read_table(checks / "consent.csv", "consent_counts"))
    if study.verdicts:
        found |= verdict_tables(study, restricted)
    if study.mixtures:
        found |= mixture_tables(study, restricted)
    return found


def verdict_tables(study: Study, restricted: Path) -> dict[str, pl.DataFrame]:
    """Return what the verdicts about types left, all verdicts together."""
    return {
        table: read_tables([restricted / f"endotypes/{name}.{ending}.parquet" for name in study.verdicts], table)
        for table, ending in VERDICT_FILES.items()
    }


def mixture_tables(study: Study, restricted: Path) -> dict[str, pl.DataFrame]:
    """Return what the mixtures left, all mixtures together."""
    return {
        table: read_tables([restricted / f"endotypes/{name}.{table}.parquet" for name in study.mixtures], table)
        for table in MIXTURES
    }
