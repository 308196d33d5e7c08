"""Completeness in counts: what a site should hold, what it holds, and what was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ember.extract.columns import at_visits, item_columns
from ember.registry.model import Site, Study, TableMap
from ember.registry.questionnaires import in_framework_order
from ember.registry.registry import Registry
from ember.reporting.not_asked import HiddenCells, not_asked

if TYPE_CHECKING:
    from ember.reporting.summaries import SiteTables

UNPLACED = "unplaced"
"""Visit of a refused value whose row says no visit that can be used."""
LABORATORY = "laboratory"
"""Variable of a refused result whose row says no analyte that can be used."""

QUALITY = {
    "site": pl.String, "table": pl.String, "variable": pl.String, "visit": pl.String, "n_expected": pl.Int64,
    "n_present": pl.Int64, "n_excluded": pl.Int64, "n_quarantined": pl.Int64, "n_flagged": pl.Int64,
    "share_present": pl.Float64,
}  # fmt: skip
ACTIONS = {"n_excluded": "excluded", "n_quarantined": "quarantined", "n_flagged": "flagged"}

Line = tuple[str, str, str]
"""Table, variable and visit ("" for what does not change)."""
ROW = ["source_file", "sheet", "row_number"]
"""Source file, sheet of a workbook (else null) and row number."""


def quality(
    study: Study,
    registry: Registry,
    sites: Mapping[str, SiteTables],
    ledger: pl.DataFrame,
    hidden: Mapping[str, HiddenCells],
) -> pl.DataFrame:
    """Return counts by site, variable and visit.

    Notes
    -----
    Expected are the participants of the site for every variable and visit that its file maps, without those to
    whom the branching of a REDCap form never showed the field. Present are participants with at least one usable
    value. Refusals come from the ledger by the column they stand in; the visit of a long table's value is that of
    its row.
    """
    rows: list[dict[str, Any]] = []
    for name, tables in sites.items():
        expected = list(dict.fromkeys(_expected(study, study.sites[name], registry)))
        own = ledger.filter((pl.col("site_id") == name) & (pl.col("unit") == "value"))
        refused = _refused(own, study.sites[name], registry, tables)
        unasked = _unasked(study.sites[name], registry, tables, hidden)
        for line in [*expected, *[line for line in refused if line not in expected]]:
            counts = refused.get(line, {})
            wanted = tables.participants.height - unasked.get(line, 0) if line in expected else None
            present = _present(tables, line) if line in expected else None
            rows.append(
                {
                    "site": name, "table": line[0], "variable": line[1], "visit": line[2], "n_expected": wanted,
                    "n_present": present, **{column: counts.get(action, 0) for column, action in ACTIONS.items()},
                    "share_present": present / wanted if present is not None and wanted else None,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=QUALITY)


def _expected(study: Study, site: Site, registry: Registry) -> Iterator[Line]:
    for table in site.tables:
        for variable in table.columns:
            yield ("participants", variable, "")
        for analyte, mapping in table.measurements.items():
            for visit in _visits(study, table, mapping.visits):
                yield ("measurements", analyte, visit)
        if table.laboratory:
            for analyte in dict.fromkeys(table.laboratory.analyte.codes.values()):
                for visit in _visits(study, table, ()):
                    yield ("measurements", analyte, visit)
        yield from _expected_scores(study, table, registry)


def _expected_scores(study: Study, table: TableMap, registry: Registry) -> Iterator[Line]:
    """Yield the scores that the items and totals of a table make, in the framework's order."""
    for row in in_framework_order(registry):
        name, parent = row["instrument"], table.instruments.get(row["parent"])
        answers = table.instruments.get(name) or (parent if parent and parent.items else None)
        if answers is not None and row["scoring"] != "subscales":
            for visit in _visits(study, table, answers.visits):
                yield ("scores", name, visit)


def _visits(study: Study, table: TableMap, only: tuple[str, ...]) -> list[str]:
    """Return the visits at which a table holds a variable, in study order."""
    mapped = table.visits
    held = set(mapped.wide.values()) | (set(mapped.long.codes.values()) if mapped.long else set())
    held |= {mapped.single} if mapped.single else set()
    if mapped.by_date or mapped.by_day:
        held = {visit.id for visit in study.visits}
    return [visit.id for visit in study.visits if visit.id in held and (not only or visit.id in only)]


def _present(tables: SiteTables, line: Line) -> int:
    table, variable, visit = line
    if table == "participants":
        return tables.participants.height - tables.participants[variable].null_count()
    frame, key = (tables.measurements, "analyte") if table == "measurements" else (tables.scores, "instrument")
    own = frame.filter((pl.col(key) == variable) & (pl.col("visit") == visit))
    usable = own.filter(pl.col("value").is_not_null() if table == "measurements" else pl.col("origin") != "linked")
    return usable["participant_id"].n_unique()


def _refused(ledger: pl.DataFrame, site: Site, registry: Registry, tables: SiteTables) -> dict[Line, dict[str, int]]:
    meaning = dict(_columns(site, registry))
    columns = pl.DataFrame(
        [(column, *place) for column, place in meaning.items()],
        schema={"column": pl.String, "table": pl.String, "variable": pl.String, "named": pl.String},
        orient="row",
    )
    visits, analytes = _rows_of(tables)
    place = pl.coalesce("named", "visit", pl.lit(UNPLACED))
    lines = (
        ledger.select(*ROW, "column", "action")
        .join(columns, on="column", maintain_order="left")
        .join(visits, on=ROW, how="left", nulls_equal=True, maintain_order="left")
        .join(analytes, on=ROW, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            pl.when(pl.col("variable") == LABORATORY)
            .then(pl.coalesce("analyte", "variable"))
            .otherwise("variable")
            .alias("variable"),
            pl.when(pl.col("table") == "participants").then(pl.lit("")).otherwise(place).alias("place"),
        )
    )
    counted = lines.group_by("table", "variable", "place", "action", maintain_order=True).len()
    found: dict[Line, dict[str, int]] = {}
    for table, variable, visit, action, count in counted.iter_rows():
        found.setdefault((table, variable, visit), {})[action] = count
    return found


def _unasked(site: Site, registry: Registry, tables: SiteTables, hidden: Mapping[str, HiddenCells]) -> dict[Line, int]:
    """Return by line the participants who never saw its field; nothing is read where no form has branching."""
    if not hidden:
        return {}
    columns = [(table, list(_table_columns(table, registry))) for table in site.tables]
    return not_asked(site.id, columns, hidden, tables.participants["participant_id"], _rows_of(tables)[0].drop("sheet"))


def _columns(site: Site, registry: Registry) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Yield each value column of a site with table, variable and the visit that its name tells."""
    for table in site.tables:
        yield from _table_columns(table, registry)


def _table_columns(table: TableMap, registry: Registry) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    for variable, participant in table.columns.items():
        yield participant.column, ("participants", variable, "")
    for analyte, mapping in table.measurements.items():
        for column, visit in at_visits(table.visits, mapping.column, mapping.visits):
            yield column, ("measurements", analyte, visit)
    if table.laboratory:
        yield table.laboratory.value, ("measurements", LABORATORY, None)
    for instrument, answers in table.instruments.items():
        items = item_columns(instrument, answers.items, registry) if answers.items else []
        names = [*[column for _, column in items], *([answers.total] if answers.total else [])]
        for name in names:
            for column, visit in at_visits(table.visits, name, answers.visits):
                yield column, ("scores", instrument, visit)


def _rows_of(tables: SiteTables) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the visit, and the analyte, that each source row is about, where it can be told."""
    parts = [tables.visits, tables.standard_items, tables.standard_measurements]
    visits = pl.concat([frame.select(*ROW, "visit") for frame in parts])
    analytes = tables.standard_measurements.select(*ROW, "analyte")
    return visits.unique(ROW, keep="first"), analytes.unique(ROW, keep="last")
