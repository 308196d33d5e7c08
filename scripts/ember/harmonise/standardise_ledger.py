"""Ledger entries and findings of the standardise stage: where, which rule, what was expected; never a value."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ember.harmonise.dates import expected_date
from ember.harmonise.derived import RULE as NOT_DERIVED_RULE
from ember.harmonise.row_tally import conflict_finding
from ember.harmonise.site_cells import MappedColumn, SiteCells
from ember.harmonise.standardise_rows import SortedRows
from ember.registry.model import Site, Study, TableMap
from ember.tables.contract import contract
from ember.validate.ledger import entries

STAGE = "standardise_site"


def row_entries(study: Study, site: Site, table: TableMap, rows: SortedRows) -> list[pl.DataFrame]:
    """Return the entries of the rows that left."""
    answer = study.answer(conflict_finding(site, table))
    reasons = {
        "row.duplicate_conflict": answer.reason if answer else None,
        "row.duplicate_resolved": table.duplicates.reason if table.duplicates else None,
    }
    parts = []
    for (rule_id,), part in rows.refused.group_by(["_rule"], maintain_order=True):
        where = part.select(source_file="_file", sheet="_sheet", row_number="_row")
        message, reason = _row_message(study, table, str(rule_id)), reasons.get(str(rule_id))
        parts.append(entries(where, str(rule_id), site=site.id, stage=STAGE, message=message, reason=reason))
    return parts


def _row_message(study: Study, table: TableMap, rule_id: str) -> str:
    if rule_id == "row.date_unreadable":
        return expected_date(table.visits.by_date.date) if table.visits.by_date else "Expected a whole number of days."
    if rule_id == "row.outside_windows":
        windows = ", ".join(f"{visit.first} to {visit.last} ({visit.id})" for visit in study.visits)
        return f"Expected study day {windows}."
    return ""


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
    by_visit = {
        "visit.outside_window": [f"Expected study day {visit.first} to {visit.last}." for visit in study.visits],
        "value.further_sample": [f"Another sample is nearer to study day {visit.day}." for visit in study.visits],
    }
    if rule_id in by_visit:
        texts = by_visit[rule_id]
        return pl.Series("message", texts, pl.String).gather(part["visit"].cast(pl.UInt32))
    met = set(part["order"].unique())
    texts = [_expected(study, site, mapped, rule_id) if order in met else "" for order, mapped in enumerate(columns)]
    return pl.Series("message", texts, pl.String).gather(part["order"].cast(pl.UInt32))


def _expected(study: Study, site: Site, mapped: MappedColumn, rule_id: str) -> str:
    table, column = site.tables[mapped.table], mapped.column
    if rule_id == "value.not_numeric":
        source = study.sources[table.source]
        thousands = f" and '{source.thousands}' between groups of three digits" if source.thousands else ""
        return f"Expected a number with the decimal mark '{source.decimal}'{thousands}."
    if rule_id == "value.outside_hard_limits" and column.kind == "participant":
        target = contract("participants").by_name[column.name]
        return f"Expected {target.low:.12g} to {target.high:.12g} {target.unit or ''}".strip() + "."
    if rule_id == "value.not_in_codes":
        return f"Expected a code of the site file for {column.name}."
    if rule_id in {"visit.date_unreadable", "value.date_unreadable"}:
        declared = {"time_zero": table.time_zero, "visit_date": table.visits.date, "death": table.death}
        form = declared.get(column.kind)
        return expected_date(form.date) if form else ""
    if rule_id == NOT_DERIVED_RULE:
        return f"The formula of {column.column} has no result: an operand is no number, or the operation has none."
    if rule_id == "value.operator_unclear" and table.laboratory and table.laboratory.operator:
        known = ", ".join(table.laboratory.operator.codes)
        return f"Expected in {table.laboratory.operator.column} nothing or one of {known}, as in the result itself."
    if rule_id == "visit.before_enrolment":
        earliest = min(visit.first for visit in study.visits)
        return f"Expected study day {earliest} or later, and none before time zero after baseline."
    return ""
