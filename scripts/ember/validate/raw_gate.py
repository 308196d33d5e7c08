"""The raw files under their rules: a site and a slice of its rows at a time, only the columns that a rule names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ember.extract.own_rows import other_tests, own_rows
from ember.provenance.settings import included_sites
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import COUNT, Counts, GateRule
from ember.validate.keys import People, key_hashes
from ember.validate.raw_cells import TEXT, Told, text_verdicts
from ember.validate.raw_rules import (
    COLUMNS_THERE,
    ROWS_ANALYTE,
    ROWS_PARTICIPANT,
    ROWS_REPEATED,
    ROWS_UNIQUE,
    ROWS_VISIT,
    absent_columns,
    mapped_cells,
    raw_rule_list,
)
from ember.validate.row_numbers import RowNumbers
from ember.validate.tally import Judge, Tally, times_of_keys

METADATA_KEY = b"ember"
PLACES = ("_row", "_sheet", "_participant")
SLICE_ROWS = 250_000
KEY_OF_ROW = ("_participant", "_visit", "_analyte")


@dataclass
class Cells:
    """A mapped column: its distinct texts so far, and whether it has shown a value, and one that can be read."""

    told: Told
    waiting: list[pl.DataFrame] = field(default_factory=list)
    value: bool = False
    readable: bool = False

    def __post_init__(self) -> None:
        self.name, self.rule = self.told.cell.column.column, f"raw.{self.told.cell.variable}"


@dataclass(frozen=True)
class Reading:
    """One table of one site in one source; `leads`: the first of the site's tables of this source."""

    site: Site
    table: TableMap
    cells: Sequence[Cells]
    leads: bool


def raw_counts(
    files: Mapping[str, Path], study: Study, registry: Registry, judge: Judge
) -> tuple[list[GateRule], dict[str, dict[str, Counts]]]:
    """Return the rules about the raw files and the counts of each at each site that is analysed.

    Parameters
    ----------
    files : mapping
        Raw file by source.
    judge : callable
        See `ember.validate.tally.Judge`.
    """
    rules = with_changes(raw_rule_list(study, registry), study)
    tally = Tally(judge, rules)
    sites = [study.sites[site] for site in included_sites(study)]
    for source, path in files.items():
        tables = [(site, table) for site in sites for table in site.tables if table.source == source]
        if tables:
            _source(path, tables, study, registry, tally)
    found = tally.settle_all()
    return [rule for rule in rules if rule.rule in found], found


def _source(
    path: Path, tables: Sequence[tuple[Site, TableMap]], study: Study, registry: Registry, tally: Tally
) -> None:
    """Check every table that lies in a source."""
    told = pq.read_metadata(path)
    schema = told.schema.to_arrow_schema()
    present = [name for name in schema.names if not name.startswith("_")]
    metadata = json.loads(told.metadata[METADATA_KEY])["columns"]
    slices, numbers = _slices_of(told), RowNumbers()
    for number, (site, table) in enumerate(tables):
        mapped = mapped_cells(site, table, study, registry, present)
        absent = absent_columns(table, registry, present)
        there = pl.Series([True] * len(mapped) + [False] * len(absent), dtype=pl.Boolean)
        _add(tally, COLUMNS_THERE.rule, site.id, there)
        source = study.sources[table.source]
        cells = [Cells(Told(cell, table, source, metadata.get(cell.column.column, {}))) for cell in mapped]
        leads = not any(other is site for other, _ in tables[:number])
        reading = Reading(site, table, cells, leads)
        named = [name for name in _named(reading) if name in present]
        parts = partial(_parts, path, slices.get(site.id, []), [*PLACES, *named])
        _read_table(parts, reading, numbers, registry, tally)
    for name, times in numbers.times().items():
        _put(tally, ROWS_UNIQUE.rule, name, times)


def _parts(path: Path, slices: Sequence[tuple[int, int]], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
    scanned = pl.scan_parquet(path, use_statistics=False, glob=False)
    for rows in slices:
        yield scanned.slice(*rows).select(columns).collect()


def _slices_of(told: Any) -> dict[str, list[tuple[int, int]]]:
    """Return where the rows of each site lie: position and number, as many row groups together as make a slice."""
    slices: dict[str, list[tuple[int, int]]] = {}
    at, start = told.schema.names.index("_site"), 0
    for group in (told.row_group(number) for number in range(told.num_row_groups)):
        if group.num_rows:  # a group holds one site; nobody of a site may have agreed
            found = slices.setdefault(str(group.column(at).statistics.min), [])
            begin, height = found[-1] if found else (start, 0)
            if begin + height == start and height + group.num_rows <= SLICE_ROWS:
                found[-1:] = [(begin, height + group.num_rows)]
            else:
                found.append((start, group.num_rows))
        start += group.num_rows
    return slices


def _named(reading: Reading) -> list[str]:
    """Return the columns of the file that the rules about a table look at, each once."""
    table = reading.table
    keys = [
        table.rows.column if table.rows else None,
        table.visits.long.column if table.visits.long else None,
        table.laboratory.analyte.column if table.laboratory else None,
    ]
    return list(dict.fromkeys(name for name in (*keys, *(cells.name for cells in reading.cells)) if name))


def _read_table(
    parts: Callable[[], Iterator[pl.DataFrame]], reading: Reading, numbers: RowNumbers, registry: Registry, tally: Tally
) -> None:
    """Add the verdicts on a table's rows and cells."""
    site, table = reading.site.id, reading.table
    hashes: list[NDArray[np.uint64]] = []
    for rows in (_with_scope(part, table) for part in parts()):
        if reading.leads or table.rows:  # two tables of a site may share rows, which are counted once
            _add(tally, ROWS_PARTICIPANT.rule, site, rows["_present"])
            numbers.add(site, rows)
        _add_codes(rows, reading, tally)
        for cells in reading.cells:
            _gather(cells, rows, site, registry, tally)
        if not _may_repeat(table):
            hashes.append(key_hashes(rows.filter("_asked"), KEY_OF_ROW))
    if sum(map(len, hashes)):
        _put(tally, ROWS_REPEATED.rule, site, times_of_keys(hashes, lambda: _keys(parts(), table), KEY_OF_ROW))
    for cells in reading.cells:
        _judge(cells, site, registry, tally)
        _add(tally, f"{cells.rule}.some_value", site, pl.Series([cells.value]))
        if cells.told.cell.form and cells.value:
            _add(tally, f"{cells.rule}.some_readable", site, pl.Series([cells.readable]))


def _keys(parts: Iterator[pl.DataFrame], table: TableMap) -> pl.DataFrame:
    """Return what names each row that can be used, participants as codes."""
    people = People()
    used = (_with_scope(part, table).filter("_asked").select(KEY_OF_ROW) for part in parts)
    return pl.concat([part.with_columns(people.coded(part["_participant"])) for part in used])


def _add(tally: Tally, rule: str, site: str, verdicts: pl.Series) -> None:
    tally.add(site, verdicts.alias(rule).to_frame())


def _put(tally: Tally, rule: str, site: str, counted: pl.DataFrame) -> None:
    """Add the counts of the first column's values as those of a rule."""
    tally.put(site, (rule,), counted.rename({counted.columns[0]: rule}))


def _with_scope(rows: pl.DataFrame, table: TableMap) -> pl.DataFrame:
    """Return the rows of a table with what they say of participant, visit and test, and whether they can be used."""
    if table.rows and table.rows.column in rows.columns:
        rows = rows.filter(own_rows(rows, table))
    known = {"_visit": table.visits.long, "_analyte": table.laboratory.analyte if table.laboratory else None}
    columns = [pl.when(pl.col("_participant") != "").then(pl.lit(1, pl.Int8)).alias("_present")]
    usable = pl.col("_present").is_not_null()
    for name, coded in known.items():
        if coded is None:
            columns.append(pl.lit("", pl.Categorical()).alias(name))
            continue
        codes = {code.strip(): meaning for code, meaning in coded.codes.items()}
        text = pl.col(coded.column).str.strip_chars()
        meaning = text.replace_strict(codes, default=None, return_dtype=pl.String)
        columns.append(meaning.cast(pl.Categorical).alias(name))
        usable = usable & pl.col(name).is_not_null()
    return rows.with_columns(columns).with_columns(usable.alias("_asked"))


def _may_repeat(table: TableMap) -> bool:
    """Return whether participant, visit and test may stand in several rows of a table."""
    lists = table.treatments is not None and not (table.measurements or table.laboratory or table.instruments)
    return lists or table.visits.by_date is not None or table.visits.by_day is not None


def _add_codes(rows: pl.DataFrame, reading: Reading, tally: Tally) -> None:
    """Add whether the visit and the test of each row are known."""
    named = rows.filter(pl.col("_present").is_not_null())
    if reading.table.visits.long:
        _add(tally, ROWS_VISIT.rule, reading.site.id, named["_visit"].is_not_null())
    if reading.table.laboratory:
        wanted = named.filter(~other_tests(named, reading.table))
        _add(tally, ROWS_ANALYTE.rule, reading.site.id, wanted["_analyte"].is_not_null())


def _gather(cells: Cells, rows: pl.DataFrame, site: str, registry: Registry, tally: Tally) -> None:
    """Count the texts of a column in the rows that can be used; judge them once there are many."""
    asked, column = pl.col("_asked"), cells.told.cell.column
    if column.visits and column.visit is None:
        asked = asked & pl.col("_visit").is_in(list(column.visits)).fill_null(False)
    texts = rows.lazy().filter(asked).select(pl.col(cells.name).alias(TEXT)).collect()
    cells.waiting.append(texts.group_by(TEXT).agg(pl.len().alias(COUNT)))
    if sum(part.height for part in cells.waiting) > tally.largest:
        _judge(cells, site, registry, tally)


def _judge(cells: Cells, site: str, registry: Registry, tally: Tally) -> None:
    """Add the verdicts on the texts that wait."""
    if not cells.waiting:
        return
    texts = pl.concat(cells.waiting).group_by(TEXT).agg(pl.col(COUNT).sum())
    cells.waiting.clear()
    verdicts = text_verdicts(texts, cells.told, registry)
    for name in (name for name in verdicts.columns if name != COUNT):
        counted = verdicts.group_by(name).agg(pl.col(COUNT).sum())
        _put(tally, f"{cells.rule}.{name}", site, counted.select(name, COUNT))
        met = bool(counted[name].any())
        cells.value = cells.value or (met and name == "filled")
        cells.readable = cells.readable or (met and name == cells.told.cell.form)
