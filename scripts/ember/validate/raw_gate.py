"""The raw files under their rules: row group by row group, and only the columns that a rule names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.extract.own_rows import other_tests, own_rows
from ember.provenance.settings import included_sites
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import SITE, Counts, GateRule
from ember.validate.gate_tables import key_numbers
from ember.validate.raw_cells import Told, cell_verdicts
from ember.validate.raw_rules import (
    CELLS,
    COLUMNS_THERE,
    ROWS_ANALYTE,
    ROWS_PARTICIPANT,
    ROWS_REPEATED,
    ROWS_UNIQUE,
    ROWS_VISIT,
    MappedCell,
    absent_columns,
    mapped_cells,
    raw_rule_list,
)

METADATA_KEY = b"ember"
PLACES = ("_site", "_row", "_sheet", "_participant")
Check = Callable[[pl.DataFrame, Sequence[GateRule]], Mapping[str, Mapping[str, Counts]]]


@dataclass
class Pile:
    """Verdicts of many sites and columns by rule, checked together whenever enough of them lie there."""

    check: Check
    rows: int
    rules: Mapping[str, GateRule]
    found: dict[str, dict[str, Counts]] = field(default_factory=dict)
    waiting: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def add(self, rule: str, site: str, cells: pl.Series) -> None:
        """Add one verdict a row; a rule about repeated keys waits for all of them."""
        self.found.setdefault(rule, {})
        frame = pl.DataFrame({CELLS: cells}).select(pl.lit(site, pl.Categorical()).alias(SITE), CELLS)
        self.waiting.setdefault(rule, []).append(frame)
        if self.rules[rule].kind != "unique" and sum(part.height for part in self.waiting[rule]) >= self.rows:
            self.settle(rule)

    def settle(self, rule: str) -> None:
        """Check what waits."""
        frame = pl.concat(self.waiting.pop(rule))
        for site, counts in self.check(frame, [self.rules[rule]])[rule].items():
            self.found[rule][site] = self.found[rule].get(site, Counts()) + counts

    def settle_all(self) -> dict[str, dict[str, Counts]]:
        for rule in list(self.waiting):
            self.settle(rule)
        return self.found


@dataclass
class Seen:
    """Whether a mapped column has shown a value, and one that can be read; None where any text may stand."""

    value: bool = False
    readable: bool | None = None


def raw_counts(
    files: Mapping[str, Path], study: Study, registry: Registry, check: Check, rows: int
) -> tuple[list[GateRule], dict[str, dict[str, Counts]]]:
    """Return the rules about the raw files and the counts of each at each site that is analysed.

    Parameters
    ----------
    files : mapping
        Raw file by source.
    check : callable
        Counts a table under rules, by site (see `ember.validate.expectations.counts_by_site`).
    rows : int
        How many verdicts of a rule are checked together.
    """
    rules = {rule.rule: rule for rule in with_changes(raw_rule_list(study, registry), study)}
    pile = Pile(check, rows, rules)
    sites = [study.sites[site] for site in included_sites(study)]
    keys: list[pl.DataFrame] = []
    for place, (source, path) in enumerate(files.items()):
        tables = [(site, table) for site in sites for table in site.tables if table.source == source]
        keys.extend(_source(place, path, tables, study, registry, pile))
    _add_repeats(pile, keys)
    found = pile.settle_all()
    return [rule for rule in rules.values() if rule.rule in found], found


@dataclass(frozen=True)
class _Reading:
    """One table of one site, and where its rows lie; `leads`: the first of the site's tables of this source."""

    site: Site
    table: TableMap
    cells: Sequence[MappedCell]
    number: int
    leads: bool
    seen: Mapping[str, Seen]
    told: Mapping[str, Told]


def _source(
    place: int, path: Path, tables: Sequence[tuple[Site, TableMap]], study: Study, registry: Registry, pile: Pile
) -> Iterator[pl.DataFrame]:
    """Check every row group of a source; yield the keys of its rows."""
    with pq.ParquetFile(path) as file:
        stored = file.schema_arrow.names
        present = [name for name in stored if not name.startswith("_")]
        metadata = json.loads(file.schema_arrow.metadata[METADATA_KEY])["columns"]
        groups = _groups_of(file)
        for number, (site, table) in enumerate(tables):
            cells = mapped_cells(site, table, study, registry, present)
            absent = absent_columns(table, registry, present)
            there = pl.Series([True] * len(cells) + [False] * len(absent), dtype=pl.Boolean)
            pile.add(COLUMNS_THERE.rule, site.id, there)
            told = {
                cell.column.column: Told(cell, table, study.sources[table.source], metadata.get(cell.column.column, {}))
                for cell in cells
            }
            leads = not any(other is site for other, _ in tables[:number])
            seen = {cell.column.column: Seen() for cell in cells}
            reading = _Reading(site, table, cells, place * 1000 + number, leads, seen, told)
            named = [name for name in _named(table, cells) if name in present]
            for group in groups.get(site.id, []):
                rows = pl.DataFrame(pl.from_arrow(file.read_row_group(group, columns=[*PLACES, *named])))
                yield _row_group(_with_scope(rows, table), reading, place, registry, pile)
            _add_seen(pile, reading)


def _groups_of(file: Any) -> dict[str, list[int]]:
    """Return the row groups of each site; a group holds one site, as its statistics say."""
    groups: dict[str, list[int]] = {}
    at = file.schema_arrow.names.index("_site")
    for group in range(file.num_row_groups):
        told = file.metadata.row_group(group)
        if told.num_rows:  # nobody of a site may have agreed
            groups.setdefault(str(told.column(at).statistics.min), []).append(group)
    return groups


def _named(table: TableMap, cells: Sequence[MappedCell]) -> list[str]:
    """Return the columns of the file that the rules about a table look at, each once."""
    keys = [
        table.rows.column if table.rows else None,
        table.visits.long.column if table.visits.long else None,
        table.laboratory.analyte.column if table.laboratory else None,
    ]
    return list(dict.fromkeys(name for name in (*keys, *(cell.column.column for cell in cells)) if name))


def _with_scope(rows: pl.DataFrame, table: TableMap) -> pl.DataFrame:
    """Return the rows of a table with what they say of participant, visit and test, and whether they can be used."""
    if table.rows and table.rows.column in rows.columns:
        rows = rows.filter(own_rows(rows, table))
    known = {"_visit": table.visits.long, "_analyte": table.laboratory.analyte if table.laboratory else None}
    columns = [pl.when(pl.col("_participant") != "").then(pl.lit(1, pl.Int8)).alias("_present")]
    usable = pl.col("_present").is_not_null()
    for name, coded in known.items():
        if coded is None:
            columns.append(pl.lit("", pl.String).alias(name))
            continue
        codes = {code.strip(): meaning for code, meaning in coded.codes.items()}
        text = pl.col(coded.column).str.strip_chars()
        columns.append(text.replace_strict(codes, default=None, return_dtype=pl.String).alias(name))
        usable = usable & pl.col(name).is_not_null()
    return rows.with_columns(columns).with_columns(usable.alias("_asked"))


def _row_group(rows: pl.DataFrame, reading: _Reading, place: int, registry: Registry, pile: Pile) -> pl.DataFrame:
    """Put the verdicts on rows and cells on the pile; return the keys of the rows that can be used."""
    site, table = reading.site.id, reading.table
    if reading.leads or table.rows:  # two tables of a site may share rows, which are counted once
        pile.add(ROWS_PARTICIPANT.rule, site, rows["_present"])
        pile.add(ROWS_UNIQUE.rule, site, _row_numbers(rows, place))
    named = rows.filter(pl.col("_present").is_not_null())
    if table.visits.long:
        pile.add(ROWS_VISIT.rule, site, named["_visit"].is_not_null())
    if table.laboratory:
        wanted = named.filter(~other_tests(named, table))
        pile.add(ROWS_ANALYTE.rule, site, wanted["_analyte"].is_not_null())
    for cell in reading.cells:
        asked = rows["_asked"]
        if cell.column.visits and cell.column.visit is None:
            asked = asked & rows["_visit"].is_in(list(cell.column.visits)).fill_null(False)
        verdicts = cell_verdicts(rows[cell.column.column], asked, reading.told[cell.column.column], registry)
        for name, verdict in verdicts.items():
            pile.add(f"raw.{cell.variable}.{name}", site, verdict)
        seen = reading.seen[cell.column.column]
        seen.value = seen.value or bool(verdicts["filled"].any())
        if cell.form:
            seen.readable = bool(seen.readable) or bool(verdicts[cell.form].any())
    return _keys(rows, reading)


def _row_numbers(rows: pl.DataFrame, place: int) -> pl.Series:
    """Return a number for each row of each sheet of each file."""
    sheets = rows["_sheet"].cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1) + 1
    return (sheets + place * 100_000) * (1 << 40) + rows["_row"]


def _keys(rows: pl.DataFrame, reading: _Reading) -> pl.DataFrame:
    """Return what may stand once: participant, visit and test; nothing for a table that may repeat them."""
    table = reading.table
    lists = table.treatments is not None and not (table.measurements or table.laboratory or table.instruments)
    by_day = table.visits.by_date is not None or table.visits.by_day is not None
    used = rows.filter("_asked") if not (lists or by_day) else rows.clear()
    return used.select(
        pl.lit(reading.site.id, pl.Categorical()).alias(SITE),
        pl.lit(reading.number, pl.Int64).alias("_table"),
        pl.col("_participant", "_visit", "_analyte").cast(pl.Categorical),
    )


def _add_seen(pile: Pile, reading: _Reading) -> None:
    """Add the verdict on each whole column: does it hold a value, and one that can be read."""
    for cell in reading.cells:
        seen = reading.seen[cell.column.column]
        pile.add(f"raw.{cell.variable}.some_value", reading.site.id, pl.Series([seen.value]))
        if cell.form and seen.value:
            pile.add(f"raw.{cell.variable}.some_readable", reading.site.id, pl.Series([bool(seen.readable)]))


def _add_repeats(pile: Pile, keys: Sequence[pl.DataFrame]) -> None:
    if not keys:
        return
    whole = pl.concat(keys)
    numbers = key_numbers(whole, ["_table", "_participant", "_visit", "_analyte"])
    for (site,), part in (
        whole.select(SITE)
        .with_columns(numbers.alias(CELLS))
        .partition_by(SITE, as_dict=True, maintain_order=True)
        .items()
    ):
        pile.add(ROWS_REPEATED.rule, str(site), part[CELLS])
