"""The cytokine composite of every visit: the mean of z scores of ln values against one reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.reference import (
    FrozenReference,
    frozen_references,
    scale_of,
    site_references,
)
from ember.endotypes.composites.scores import mean_of_present, z_against
from ember.endotypes.cuts import FloatArray, IntArray
from ember.endotypes.results import FILLS, PERSON, censored, values
from ember.errors import EmberError
from ember.tables.store import conform, empty_table

GROUP = ["site_id", "analyte", "assay_id", "platform", "batch"]
RESULT = [*PERSON, "visit", "analyte"]
MOST_KEYS = 1_000_000


@dataclass(frozen=True)
class Composites:
    """What a composite makes of the results.

    Attributes
    ----------
    table : DataFrame
        Contract composites: every participant at the baseline visit, and at later visits those with a result.
    references : DataFrame
        Contract composite_references: the means and standard deviations that were used.
    parts : DataFrame
        `site_id`, `participant_id`, `visit`, `analyte`, `row_id`, `z`: the results behind each composite.
    """

    table: pl.DataFrame
    references: pl.DataFrame
    parts: pl.DataFrame


def no_composites() -> Composites:
    """Return the tables of a scheme without a composite."""
    parts = {name: pl.String() for name in RESULT} | {"row_id": pl.Int64(), "z": pl.Float64()}
    return Composites(empty_table("composites"), empty_table("composite_references"), pl.DataFrame(schema=parts))


def composites(
    measurements: pl.DataFrame,
    participants: pl.DataFrame,
    declared: Mapping[str, Any],
    visit: str,
    *,
    frozen: FrozenReference | None = None,
    selected: Collection[str] = (),
    where: str = "composite",
) -> Composites:
    """Return the composite of every participant and visit, with the reference behind it.

    Parameters
    ----------
    measurements, participants : DataFrame
        Harmonised tables of all sites, contracts measurements and participants.
    declared : mapping
        The `composite:` block of a scheme: analytes, variant, by, minimum, below_limit, reference.
    visit : str
        The baseline visit, whose samples are the reference.
    frozen : FrozenReference, optional
        The external reference of the variant `reference`.
    selected : collection of str
        Sites that chose participants by a laboratory result.
    where : str
        For messages.

    Raises
    ------
    EmberError
        A result is below its limit and nothing says what stands for it, or a frozen reference is of another platform.

    Notes
    -----
    One mean and SD, of the baseline samples, serve every visit: standardised visit by visit, a fall that everybody
    shares would vanish. Within a site the composite says who is high among its own participants, so neither its mean
    nor the share above a cut can be compared between sites; that needs the variant `reference`, on one platform.
    """
    rows, visits = _results(measurements, participants, declared, visit, frozen)
    _check_limits(rows, declared, where)
    group, groups = _groups(rows)
    if frozen is None:
        references = site_references(rows, group, groups, rows["place"].to_numpy() == 0)
    else:
        references = frozen_references(groups, frozen, where)
    mean, sd = (references[name].fill_null(np.nan).to_numpy()[group] for name in ("ln_mean", "ln_sd"))
    method = declared.get("below_limit", next(iter(FILLS)))
    z = z_against(values(rows), censored(rows, "left"), censored(rows, "right"), mean, sd, method)
    parts = rows.select(*RESULT, "row_id", pl.Series("z", z)).filter(pl.col("z").is_not_nan())
    marked = references.with_columns(pl.col("site_id").is_in(list(selected)).alias("selected"))
    table = _table(rows, z, participants, declared, visits)
    return Composites(table, conform(marked, "composite_references"), parts)


def _results(
    measurements: pl.DataFrame,
    participants: pl.DataFrame,
    declared: Mapping[str, Any],
    visit: str,
    frozen: FrozenReference | None,
) -> tuple[pl.DataFrame, list[str]]:
    """Return the first usable result of each participant, visit and analyte, and the visits, the baseline first.

    With each result stand the numbers of its participant (`person`), visit (`place`) and analyte (`kind`).
    """
    wanted = measurements.filter(pl.col("analyte").is_in(declared["analytes"]) & pl.col("value").is_not_null())
    batch = pl.col("batch") if declared.get("by") == "batch" else pl.lit(None, pl.String).alias("batch")
    people = participants.select(*PERSON, pl.int_range(pl.len(), dtype=pl.Int64).alias("person"))
    rows = wanted.select(*RESULT, "row_id", "value", "censoring", "assay_id", scale_of(frozen), batch).join(
        people, on=PERSON, how="inner", maintain_order="left"
    )
    visits = [visit, *(name for name in rows["visit"].unique(maintain_order=True) if name != visit)]
    rows = rows.with_columns(_numbers("visit", visits, "place"), _numbers("analyte", declared["analytes"], "kind"))
    person, place, kind = (rows[name].to_numpy() for name in ("person", "place", "kind"))
    slot = (person * len(visits) + place) * len(declared["analytes"]) + kind
    first = np.full(participants.height * len(visits) * len(declared["analytes"]), -1, dtype=np.int64)
    first[slot[::-1]] = np.arange(slot.size)[::-1]  # the first row of a slot is written last
    is_first = first[slot] == np.arange(slot.size)
    return (rows if is_first.all() else rows.filter(pl.Series(is_first))), visits


def _numbers(column: str, order: Sequence[str], name: str) -> pl.Expr:
    """Return the places of texts in an order."""
    places = {text: number for number, text in enumerate(order)}
    return pl.col(column).cast(pl.String).replace_strict(places, return_dtype=pl.Int64).alias(name)


def _check_limits(rows: pl.DataFrame, declared: Mapping[str, Any], where: str) -> None:
    if "below_limit" not in declared and (rows["censoring"] != "none").any():
        raise EmberError(
            "A result of the composite is below or above its limit and the scheme does not say what stands for it.",
            where=f"{where}.below_limit",
            allowed=("conditional_mean", *FILLS),
        )


def _groups(rows: pl.DataFrame) -> tuple[IntArray, pl.DataFrame]:
    """Return the group of each row, and the groups in order of first appearance."""
    key, size = np.zeros(rows.height, dtype=np.int64), 1
    for name in GROUP:
        code = rows[name].cast(pl.Categorical).to_physical().cast(pl.Int64).fill_null(-1).to_numpy() + 1
        key, size = key * (int(code.max(initial=0)) + 1) + code, size * (int(code.max(initial=0)) + 1)
        if size > MOST_KEYS:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = int(key.max(initial=0)) + 1
    first = np.full(size, -1, dtype=np.int64)
    first[key[::-1]] = np.arange(key.size)[::-1]
    rank = np.full(size, -1, dtype=np.int64)
    found = np.sort(first[first >= 0])
    rank[key[found]] = np.arange(found.size)
    return rank[key], rows.select(GROUP)[found]


def _table(
    rows: pl.DataFrame, z: FloatArray, participants: pl.DataFrame, declared: Mapping[str, Any], visits: Sequence[str]
) -> pl.DataFrame:
    """Return one row a participant and visit, in the order of participants and then of first appearance of visits."""
    slot = rows["person"].to_numpy() * len(visits) + rows["place"].to_numpy()
    kind = rows["kind"].to_numpy()
    scores = []
    for number in range(len(declared["analytes"])):
        own = kind == number
        score = np.full(participants.height * len(visits), np.nan)
        score[slot[own]] = z[own]
        scores.append(score)
    mean, present = mean_of_present(scores, declared["minimum"])
    there = present > 0
    there[:: len(visits)] = True
    kept = np.flatnonzero(there)
    people = participants.select(*PERSON)
    people = people if len(visits) == 1 else people[kept // len(visits)]
    return conform(
        people.with_columns(
            pl.Series("visit", visits, dtype=pl.String).gather(kept % len(visits)),
            pl.Series("composite", mean[kept]).fill_nan(None),
            pl.Series("n_analytes", present[kept]),
        ),
        "composites",
    )
