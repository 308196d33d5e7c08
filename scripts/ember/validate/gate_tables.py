"""The tables of a stage under their rules: a site and a slice of its rows at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.validate.cross_field import (
    compared_rows,
    named_limits,
    needed_columns,
    row_verdicts,
    rows_of,
    site_verdicts,
)
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import COUNT, KEY, KNOWN, OWN_SITE, ROWS, STAGES, Counts, GateRule
from ember.validate.gate_rules import rows_rule, screening, table_rules
from ember.validate.keys import People, key_hashes, key_numbers
from ember.validate.site_rows import Load, SiteRows, compared_columns, slim
from ember.validate.tally import Judge, Tally, times_of_keys

Checked = tuple[Sequence[GateRule], Mapping[str, Mapping[str, Counts]]]
"""Rules, and their counts by rule and site."""


@dataclass
class GateTable:
    """One table of a stage: its tally, and what is known of it only after the last site."""

    table: str
    rules: Sequence[GateRule]
    tally: Tally
    keys: dict[str, pl.DataFrame] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)
    occurring: set[str] = field(default_factory=set)
    strays: bool = False


def stage_counts(
    stage: str, sites: Sequence[str], load: Load, study: Study, registry: Registry, judge: Judge
) -> Iterator[Checked]:
    """Yield the rules of each table and their counts, in the order of the stage.

    Parameters
    ----------
    judge : callable
        See `ember.validate.tally.Judge`.
    """
    tables = [_opened(table, study, registry, judge) for table in STAGES[stage]]
    for site in sites:
        roster = map(itemgetter("participant_id"), load(site, "participants", ["participant_id"]))
        rows = SiteRows(site, load, People(roster))
        for table in tables:
            add_site(table, rows, study, registry)
    for table in tables:
        if contract(table.table).must_have_rows:
            yield rows_checked(table.heights, with_changes([rows_rule(table.table)], study), judge)
        add_keys(table, sites, load)
        found = table.tally.settle_all()
        rules = table_rules(table.table, table.occurring, study, registry, screening(study))
        if sites:
            yield with_changes(rules, study), found


def _opened(table: str, study: Study, registry: Registry, judge: Judge) -> GateTable:
    """Return an empty table with every rule that its rows can give rise to."""
    named = {row[name] for name in ("analyte", "instrument") for row in registry.rows(f"{name}s")}
    rules = table_rules(table, named, study, registry, screening(study))
    return GateTable(table, rules, Tally(judge, rules))


def rows_checked(heights: Mapping[str, int], rules: Sequence[GateRule], judge: Judge) -> Checked:
    """Return the verdict on how many rows each site has."""
    tally = Tally(judge, rules)
    for site, height in heights.items():
        tally.add(site, pl.DataFrame({ROWS: [float(height)]}))
    return rules, tally.settle_all() if heights else {rule.rule: {} for rule in rules}


def add_site(table: GateTable, rows: SiteRows, study: Study, registry: Registry) -> None:
    """Add a site's rows to the tally: each slice as it comes, what compares rows once all of them are there."""
    rules, name = contract(table.table), table.table
    needed = needed_columns(name, registry)
    looked_at = [column for column in columns_of(table.rules) if column in rules.by_name]
    columns = list(dict.fromkeys([*rules.key, *needed, *looked_at, "site_id", "participant_id"]))
    limits = named_limits(name, registry)
    roster = rows.participants(limits) if limits else pl.DataFrame()
    visits = rows.visits if any(row["kind"] == "reference" for row in rows_of(name, registry)) else None
    has = rows.with_biomarkers(screening(study)) if name == "participants" else {}
    hashes: list[NDArray[np.uint64]] = []
    compared: list[pl.DataFrame] = []
    for part in rows.slices(name, columns, {*rules.key, *needed, *compared_columns(table.rules)}):
        told = _with_derived(part, rows, has)
        told = told.hstack(row_verdicts(name, part, visits, roster, registry).get_columns())
        table.strays |= not told[OWN_SITE].all()
        table.occurring |= _occurring(told)
        table.tally.add(rows.site, slim(told, table.rules))
        hashes.append(key_hashes(part, rules.key))
        compared.append(compared_rows(name, part, registry))
    for column, verdicts in site_verdicts(name, pl.concat(compared), _planned(study), registry).items():
        table.tally.add(rows.site, verdicts.alias(column).to_frame())
    table.heights[rows.site] = sum(map(len, hashes))
    table.keys[rows.site] = times_of_keys(hashes, lambda: rows.whole(name, rules.key), rules.key)


def _with_derived(part: pl.DataFrame, rows: SiteRows, has: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Return rows with what site and roster say of them."""
    person = pl.col("participant_id")
    return part.with_columns(
        (pl.col("site_id") == rows.site).fill_null(False).alias(OWN_SITE),
        (person < rows.people.known).fill_null(False).alias(KNOWN),
        *(person.is_in(found.implode()).fill_null(False).alias(name) for name, found in has.items()),
    )


def _planned(study: Study) -> dict[str, int]:
    return {visit.id: visit.day for visit in study.visits}


def columns_of(rules: Iterable[GateRule]) -> list[str]:
    """Return the columns that rules look at, each once."""
    return list(dict.fromkeys(name for rule in rules for name in rule.columns))


def _occurring(rows: pl.DataFrame) -> set[str]:
    return {
        name
        for column in ("analyte", "instrument")
        if column in rows.columns
        for name in rows[column].unique().drop_nulls().cast(pl.String).to_list()
    }


def add_keys(table: GateTable, sites: Collection[str], load: Load) -> None:
    """Add how often the keys of each site stand.

    Notes
    -----
    A key names its site, so that the rows of one site decide. Where a row names another site, which is an error of
    its own, the keys of all sites are compared together.
    """
    keys = keys_of_all(table.table, sites, load) if table.strays else table.keys
    for site, times in keys.items():
        table.tally.put(site, (KEY,), times)


def keys_of_all(table: str, sites: Collection[str], load: Load) -> dict[str, pl.DataFrame]:
    """Return how often the keys at each site stand among the keys of all sites."""
    key, people = contract(table).key, People()
    parts = [
        SiteRows(site, load, people).whole(table, key).with_columns(pl.lit(place).alias("_at"))
        for place, site in enumerate(sites)
    ]
    whole = pl.concat(parts)
    times = whole.select("_at", key_numbers(whole, key).alias(KEY)).select("_at", pl.len().over(KEY).alias(KEY))
    counted = times.group_by("_at", KEY).agg(pl.len().alias(COUNT))
    return {site: counted.filter(pl.col("_at") == place).select(KEY, COUNT) for place, site in enumerate(sites)}
