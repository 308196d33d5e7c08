"""Difficult-to-treat depression by the study's own rule: disorder, burden and usual treatment, each documented.

There is no validated rule: what comes out is study-defined and printed as such. Treatment trials play no part in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.endotypes.cuts import holds
from ember.history.answers import INDETERMINATE, named_where, word
from ember.registry.model import Visit

PARTS = ("disorder", "burden", "usual_treatment")
Grid = NDArray[np.int8]
"""By participant and visit: 1 yes, 0 no, -1 unknown."""
Rule = Mapping[str, Any]


def difficult_to_treat(
    rule: Rule,
    visits: Sequence[Visit],
    people: pl.DataFrame,
    attended: pl.DataFrame,
    scores: pl.DataFrame,
    treatments: pl.DataFrame,
    listed: pl.Series,
) -> pl.DataFrame:
    """Return for each participant `dtd`, its three parts, and which of them decided.

    Parameters
    ----------
    rule : mapping
        `dtd:` of study.yaml.
    visits : sequence of Visit
        The planned visits.
    people, attended, scores, treatments : DataFrame
        Contracts participants, visits, scores and treatments.
    listed : Series of bool
        By participant: every usual treatment is listed.

    Notes
    -----
    Burden holds where at least `visits` visits, the first and the last of them `days_apart` days apart or more, each
    have at least `at_least` burdened domains. A domain is burdened where one of its scores meets its limit, not
    burdened where it has scores and none does, unknown without a score. A planned visit that did not take place may
    have been burdened on its planned day. Any part unknown makes the whole indeterminate, also beside a part that is
    no: what is missing is said instead of what would follow without it.
    """
    grid = _Grid(visits, people, attended)
    parts = pl.DataFrame(
        {
            "disorder": _documented(people, rule["disorder"]),
            "burden": _burden(rule["burden"], grid, scores),
            "usual_treatment": _usual(rule, grid, people, treatments, listed),
        }
    )
    return decided(parts)


def decided(parts: pl.DataFrame) -> pl.DataFrame:
    """Return `dtd` from its three parts (booleans, null where unknown), the parts in words, and what decided."""
    unknown = pl.any_horizontal(pl.col(PARTS).is_null())
    verdict = pl.when(~unknown).then(pl.all_horizontal(PARTS))
    told = parts.with_columns(word(verdict, INDETERMINATE).alias("dtd"))
    by = (
        pl.when(pl.col("dtd") == INDETERMINATE)
        .then(named_where({part: pl.col(part).is_null() for part in PARTS}))
        .when(pl.col("dtd") == "no")
        .then(named_where({part: ~pl.col(part) for part in PARTS}))
        .otherwise(pl.lit(";".join(PARTS)))
    )
    return told.select("dtd", *(word(pl.col(part)).alias(f"dtd_{part}") for part in PARTS), by.alias("dtd_decided_by"))


class _Grid:
    """Participants by planned visits: the day of each, and whether it took place on a day that is known."""

    def __init__(self, visits: Sequence[Visit], people: pl.DataFrame, attended: pl.DataFrame) -> None:
        self.visits = [visit.id for visit in visits]
        self._person = people.select("participant_id").with_row_index("person")
        self.shape = (people.height, len(visits))
        planned = np.array([visit.day for visit in visits], dtype=np.float64)
        self.day = np.broadcast_to(planned, self.shape).copy()
        self.known = np.zeros(self.shape, dtype=np.bool_)
        rows = attended.filter(pl.col("study_day").is_not_null())
        person, visit, kept = self.places(rows)
        self.day[person, visit] = rows["study_day"].cast(pl.Float64).to_numpy()[kept]
        self.known[person, visit] = True

    def places(self, rows: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return participant and visit of the rows that are of both, and which rows these are."""
        named = rows.select(pl.col("participant_id", "visit").cast(pl.String))
        joined = named.join(self._person, on="participant_id", how="left", maintain_order="left")
        position = {visit: index for index, visit in enumerate(self.visits)}
        visit = named["visit"].replace_strict(position, default=-1, return_dtype=pl.Int64).to_numpy()
        person = joined["person"].cast(pl.Int64).fill_null(-1).to_numpy()
        kept = np.asarray((visit >= 0) & (person >= 0))
        return person[kept], visit[kept], kept

    def spread(self, answers: Grid, n: int, days_apart: float) -> pl.Series:
        """Return whether at least `n` visits are yes, first and last `days_apart` apart; null where it may be so."""
        yes = self._apart((answers == 1) & self.known, n, days_apart)
        may = self._apart(answers != 0, n, days_apart)
        return pl.select(pl.when(pl.Series(yes)).then(True).when(~pl.Series(may)).then(False)).to_series()

    def _apart(self, mask: NDArray[np.bool_], n: int, days_apart: float) -> NDArray[np.bool_]:
        first = np.where(mask, self.day, np.inf).min(axis=1, initial=np.inf)
        last = np.where(mask, self.day, -np.inf).max(axis=1, initial=-np.inf)
        return np.asarray((mask.sum(axis=1) >= n) & (last - first >= days_apart))


def _documented(people: pl.DataFrame, declared: Mapping[str, Any]) -> pl.Series:
    values = [str(value) for value in declared["equals"]]
    found = pl.col(declared["column"]).cast(pl.String).is_in(values)  # null stays null
    return people.select(found).to_series()


def _burden(burden: Rule, grid: _Grid, scores: pl.DataFrame) -> pl.Series:
    domains = np.stack([_domain(limits, grid, scores) for limits in burden["domains"].values()])
    yes, unknown = (domains == 1).sum(axis=0), (domains == -1).sum(axis=0)
    needed = burden["at_least"]
    visits = np.where(yes >= needed, 1, np.where(yes + unknown >= needed, -1, 0)).astype(np.int8)
    return grid.spread(visits, burden["visits"], burden["days_apart"])


def _domain(limits: Sequence[Rule], grid: _Grid, scores: pl.DataFrame) -> Grid:
    found = np.full(grid.shape, -1, dtype=np.int8)
    for limit in limits:
        own = scores.filter(pl.col("instrument").cast(pl.String) == limit["instrument"])
        person, visit, kept = grid.places(own)
        meets = holds(own["score"].to_numpy()[kept], limit["operator"], float(limit["value"]))
        np.maximum.at(found, (person, visit), meets.astype(np.int8))
    return found


def _usual(rule: Rule, grid: _Grid, people: pl.DataFrame, treatments: pl.DataFrame, listed: pl.Series) -> pl.Series:
    declared = rule["usual_treatment"]
    if "column" in declared:
        return _documented(people, declared)
    # A complete list says nothing of a visit that did not take place.
    found = np.where(listed.to_numpy()[:, None] & grid.known, 0, -1).astype(np.int8)
    in_role = treatments.filter(pl.col("role").is_in(declared["roles"]))
    for answer, rows in (
        (-1, in_role.filter(pl.col("treatment").is_null())),  # may be one of the kinds
        (1, in_role.filter(pl.col("kind").is_in(declared["kinds"]))),
    ):
        person, visit, _ = grid.places(rows)
        found[person, visit] = answer
    return grid.spread(found, rule["burden"]["visits"], rule["burden"]["days_apart"])


def usual_kinds(rule: Rule) -> Collection[str]:
    """Return the kinds of treatment that the rule counts as usual; none where a column says it."""
    return tuple(rule["usual_treatment"].get("kinds", ()))
