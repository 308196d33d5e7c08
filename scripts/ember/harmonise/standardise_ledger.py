"""Ledger entries and findings of the standardise stage: where, which rule, what was expected; never a value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ember.harmonise.site_cells import MappedColumn, SiteCells
from ember.harmonise.standardise_rows import SortedRows
from ember.registry.model import Site, Study
from ember.tables.contract import contract
from ember.tables.store import conform, polars_schema
from ember.validate.ledger import entries, rules

STAGE = "standardise_site"


def conflict_finding(site: Site, source: str) -> str:
    """Return the id of the finding that rows of a source contradict each other."""
    return f"duplicate:{site.id}:{source}"


def row_entries(study: Study, site: Site, source: str, rows: SortedRows) -> list[pl.DataFrame]:
    """Return the entries of the rows that left."""
    answer = study.answer(conflict_finding(site, source))
    parts = []
    for (rule_id,), part in rows.refused.group_by(["_rule"], maintain_order=True):
        where = part.select(source_file="_file", sheet="_sheet", row_number="_row")
        reason = answer.reason if answer and rule_id == "row.duplicate_conflict" else None
        parts.append(entries(where, str(rule_id), site=site.id, stage=STAGE, reason=reason))
    return parts


def findings(study: Study, site: Site, rows: Sequence[SortedRows]) -> pl.DataFrame:
    """Return what the study has to answer: sources whose rows contradict each other."""
    found = []
    for table, part in zip(site.tables, rows, strict=True):
        n = part.count("row.duplicate_conflict")
        name = conflict_finding(site, table.source)
        answer = study.answer(name)
        if n:
            found.append(
                {
                    "finding": name,
                    "stage": STAGE,
                    "site": site.id,
                    "rule_id": "row.duplicate_conflict",
                    "severity": rules()["row.duplicate_conflict"].severity,
                    "n": n,
                    "message": f"{n} rows of {table.source} repeat a participant and visit with other content.",
                    "answered": answer is not None,
                    "action": answer.action if answer else None,
                    "reason": answer.reason if answer else None,
                }
            )
    return conform(pl.DataFrame(found, schema=polars_schema("findings")), "findings")


def cell_entries(study: Study, site: Site, cells: SiteCells, refused: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the entries of cells.

    Parameters
    ----------
    refused : DataFrame
        `at`, `order`, `visit` and `rule` (no nulls).
    """
    parts = []
    for (rule_id,), part in refused.group_by(["rule"], maintain_order=True):
        origin = cells.rows[part["at"]]
        names = pl.Series([mapped.column.column for mapped in cells.columns], dtype=pl.String)
        where = origin.select(source_file="_file", sheet="_sheet", row_number="_row").with_columns(
            names.gather(part["order"].cast(pl.UInt32)).alias("column")
        )
        told = entries(where, str(rule_id), site=site.id, stage=STAGE)
        parts.append(told.with_columns(_messages(study, site, cells.columns, str(rule_id), part)))
    return parts


def _messages(study: Study, site: Site, columns: Sequence[MappedColumn], rule_id: str, part: pl.DataFrame) -> pl.Series:
    if rule_id == "visit.outside_window":
        texts = [f"Expected study day {visit.first} to {visit.last}." for visit in study.visits]
        return pl.Series("message", texts, pl.String).gather(part["visit"].cast(pl.UInt32))
    met = set(part["order"].unique())
    texts = [_expected(study, site, mapped, rule_id) if order in met else "" for order, mapped in enumerate(columns)]
    return pl.Series("message", texts, pl.String).gather(part["order"].cast(pl.UInt32))


def _expected(study: Study, site: Site, mapped: MappedColumn, rule_id: str) -> str:
    table, column = site.tables[mapped.table], mapped.column
    if rule_id == "value.not_numeric":
        return f"Expected a number with the decimal mark '{study.sources[table.source].decimal}'."
    if rule_id == "value.outside_hard_limits" and column.kind == "participant":
        target = contract("participants").by_name[column.name]
        return f"Expected {target.low:.12g} to {target.high:.12g} {target.unit or ''}".strip() + "."
    if rule_id == "value.not_in_codes":
        return f"Expected a code of the site file for {column.name}."
    if rule_id == "visit.date_unreadable":
        declared = table.time_zero if column.kind == "time_zero" else table.visits.date
        return f"Expected {declared.date}." if declared and column.kind in {"time_zero", "visit_date"} else ""
    if rule_id == "visit.before_enrolment":
        earliest = min(visit.first for visit in study.visits)
        return f"Expected study day {earliest} or later, and none before time zero after baseline."
    return ""
