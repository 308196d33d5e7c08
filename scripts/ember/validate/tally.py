"""How many rows of each site hold the same cells: what is judged in place of the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.validate.gate_rule import COUNT, KEY, SITE, Counts, GateRule
from ember.validate.keys import all_differ, key_numbers

Judge = Callable[[pl.DataFrame, Sequence[GateRule]], Mapping[str, Mapping[str, Counts]]]
"""Takes a tally (site, count and the columns of the rules) and rules; gives their counts by rule and site."""

Columns = tuple[str, ...]
LARGEST = 500_000


@dataclass
class Tally:
    """Distinct cells of many sites, for each set of columns that rules look at, and the verdicts on them.

    Rows are added a site and a slice at a time. Where few rows share their cells a tally grows; it is judged whenever
    it passes `largest` rows, so that memory does not depend on how many rows there are.
    """

    judge: Judge
    rules: Sequence[GateRule]
    largest: int = LARGEST
    found: dict[str, dict[str, Counts]] = field(default_factory=dict)
    waiting: dict[Columns, list[pl.DataFrame]] = field(default_factory=dict)
    by_columns: dict[Columns, list[GateRule]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_columns = {}
        for rule in self.rules:
            self.by_columns.setdefault(rule.columns, []).append(rule)

    def add(self, site: str, rows: pl.DataFrame) -> None:
        """Add rows of a site under every rule whose columns they have."""
        present = set(rows.columns)
        sets = [columns for columns in self.by_columns if present.issuperset(columns)]
        for columns, counted in distinct_counts(rows, sets).items():
            self.put(site, columns, counted)

    def put(self, site: str, columns: Columns, counted: pl.DataFrame) -> None:
        """Add cells of a site with their counts."""
        parts = self.waiting.setdefault(columns, [])
        parts.append(counted.select(pl.lit(site).alias(SITE), *columns, pl.col(COUNT).cast(pl.Int64)))
        if sum(part.height for part in parts) > self.largest:
            self.waiting[columns] = [merged(pl.concat(parts))]
            if self.waiting[columns][0].height > self.largest // 2:
                self.settle(columns)

    def settle(self, columns: Columns) -> None:
        """Judge what waits."""
        table = merged(pl.concat(self.waiting.pop(columns)))
        for rule, by_site in self.judge(table, self.by_columns[columns]).items():
            sites = self.found.setdefault(rule, {})
            for site, counts in by_site.items():
                sites[site] = sites.get(site, Counts()) + counts

    def settle_all(self) -> dict[str, dict[str, Counts]]:
        for columns in list(self.waiting):
            self.settle(columns)
        return self.found


def distinct_counts(rows: pl.DataFrame, sets: Iterable[Columns]) -> dict[Columns, pl.DataFrame]:
    """Return for each set of columns their distinct cells, and how many rows hold them.

    Notes
    -----
    The larger sets come first: a set within another is counted from it.
    """
    found: dict[Columns, pl.DataFrame] = {}
    for columns in sorted(sets, key=len, reverse=True):
        wider = [table for names, table in found.items() if set(columns) < set(names)]
        if wider:
            smallest = min(wider, key=lambda table: table.height)
            found[columns] = smallest.group_by(columns).agg(pl.col(COUNT).sum())
        else:
            found[columns] = _counted(rows.select(columns))
    return found


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.width == 1 and rows.height and rows.to_series().null_count() in (0, rows.height):
        column = rows.to_series()
        if column.dtype in (pl.Boolean, pl.Int8) and column.min() == column.max():  # the usual verdict: all the same
            return rows.head(1).with_columns(pl.lit(rows.height).alias(COUNT))
    return rows.group_by(rows.columns).agg(pl.len().alias(COUNT))


def merged(tally: pl.DataFrame) -> pl.DataFrame:
    """Return a tally with one row for the same cells of the same site."""
    names = [name for name in tally.columns if name != COUNT]
    return tally.group_by(names, maintain_order=True).agg(pl.col(COUNT).sum())


def times_of(keys: pl.Series) -> pl.DataFrame:
    """Return how many rows have a key that stands once, twice …: columns KEY (times) and COUNT (rows).

    Parameters
    ----------
    keys : Series of int
        A number for each row (see `ember.validate.keys.key_numbers`).
    """
    if not keys.len():
        return times_table({})
    if not keys.is_sorted():  # usually it is, as tables are in order
        keys = keys.sort()
    if not (keys.diff(null_behavior="drop") == 0).any():
        return times_table({1: keys.len()})
    times = keys.rle().struct.field("len").value_counts(name=COUNT)
    return times_table({times: times * keys_of_it for times, keys_of_it in times.iter_rows()})


def times_of_keys(
    hashes: Sequence[NDArray[np.uint64]], whole: Callable[[], pl.DataFrame], key: Sequence[str]
) -> pl.DataFrame:
    """Return how often the keys of a site's rows stand, as `times_of`.

    Parameters
    ----------
    hashes : sequence of uint64 arrays
        Of the keys of each slice (see `ember.validate.keys.key_hashes`).
    whole : callable
        Gives the key columns of all slices together.

    Notes
    -----
    Keys usually differ, which hashes tell in eight bytes a row; only where two are equal the keys are looked at.
    """
    if all_differ(hashes):
        n = sum(map(len, hashes))
        return times_table({1: n} if n else {})
    return times_of(key_numbers(whole(), key))


def times_table(rows: Mapping[int, int]) -> pl.DataFrame:
    """Return how many rows have a key that stands so many times, as a tally of `KEY`."""
    return pl.DataFrame({KEY: list(rows), COUNT: list(rows.values())}, schema={KEY: pl.Int64(), COUNT: pl.Int64()})


def by_condition(table: pl.DataFrame, rules: Collection[GateRule]) -> Iterable[tuple[list[GateRule], pl.DataFrame]]:
    """Yield rules about the same rows together with these rows; a rule whose condition no row meets is left out."""
    for names in dict.fromkeys(tuple(name for name, _ in rule.where) for rule in rules):
        of_names = [rule for rule in rules if tuple(name for name, _ in rule.where) == names]
        parts: dict[tuple[Any, ...], pl.DataFrame] = table.partition_by(names, as_dict=True) if names else {(): table}
        for values in dict.fromkeys(tuple(value for _, value in rule.where) for rule in of_names):
            if values in parts:
                yield [rule for rule in of_names if tuple(value for _, value in rule.where) == values], parts[values]
