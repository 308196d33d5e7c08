"""The rows of one site as the gates look at them: codes in place of texts, and what other rows say of a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import polars as pl

from ember.validate.cross_field import Visits
from ember.validate.gate_rule import GateRule
from ember.validate.gate_rules import screening_column
from ember.validate.keys import People

Load = Callable[[str, str, Sequence[str]], Iterable[pl.DataFrame]]
"""Takes site, table and columns; gives the site's rows in slices, in order, and at least one, if need be empty."""


@dataclass
class SiteRows:
    """The tables of one site, read when their turn comes."""

    site: str
    load: Load
    people: People

    def slices(
        self, table: str, columns: Sequence[str], compared: Collection[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Return the rows of a table, slice by slice: participants as codes, and texts as categories.

        Parameters
        ----------
        compared : collection of str, optional
            The only columns to turn into codes; of the others only what is missing counts.
        """
        coded = frozenset(columns if compared is None else compared)
        # A slice is let go before the next one is read, and with it the categories of its participants.
        return map(partial(self._as_codes, coded=coded), self.load(self.site, table, columns))

    def _as_codes(self, part: pl.DataFrame, coded: Collection[str]) -> pl.DataFrame:
        texts = [name for name in part.columns if name in coded and part.schema[name] == pl.String]
        people = [self.people.coded(part["participant_id"])] if "participant_id" in part.columns else []
        return part.with_columns(
            *people, *(pl.col(name).cast(pl.Categorical) for name in texts if name != "participant_id")
        )

    def whole(self, table: str, columns: Sequence[str]) -> pl.DataFrame:
        """Return a table whole: a few columns, as codes."""
        return pl.concat(self.slices(table, columns))

    @cached_property
    def visits(self) -> Visits:
        return Visits(self.whole("visits", ["participant_id", "visit"]))

    def participants(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return columns of the roster in the order of the participants' codes, of each the first row."""
        told = self.whole("participants", ["participant_id", *columns]).drop_nulls("participant_id")
        return told.unique("participant_id", keep="first", maintain_order=True).drop("participant_id")

    def with_biomarkers(self, screened: Sequence[tuple[str, str]]) -> Mapping[str, pl.Series]:
        """Return the participants who have a result of an analyte at a visit, by the column that says so."""
        found: dict[tuple[str, str], list[pl.Series]] = {pair: [] for pair in screened}
        columns = ["participant_id", "analyte", "visit", "value"]
        for part in self.slices("results", columns) if screened else ():
            for analyte, visit in screened:
                told = (pl.col("analyte") == analyte) & (pl.col("visit") == visit) & pl.col("value").is_not_null()
                found[analyte, visit].append(part.filter(told)["participant_id"].unique())
        return {screening_column(*pair): pl.concat(parts) for pair, parts in found.items()}


def compared_columns(rules: Iterable[GateRule]) -> set[str]:
    """Return the columns whose cells rules compare with something; of others they ask whether they are there."""
    return {name for rule in rules for name in rule.columns if rule.kind != "present" or name != rule.checked}


def slim(rows: pl.DataFrame, rules: Sequence[GateRule]) -> pl.DataFrame:
    """Return what rules look at: a column that must only be there as 1 or null, for what it says is not looked at."""
    compared = compared_columns(rules)
    there = {rule.checked for rule in rules} - compared
    return rows.select(
        *(name for name in rows.columns if name in compared),
        *(pl.when(_there(rows, name)).then(pl.lit(1, pl.Int8)).alias(name) for name in rows.columns if name in there),
    )


def _there(rows: pl.DataFrame, name: str) -> pl.Expr:
    column = pl.col(name)
    return (column.fill_nan(None) if rows.schema[name].is_float() else column).is_not_null()
