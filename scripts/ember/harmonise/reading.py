"""What reading the cells of one column needs, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ember.harmonise.value_columns import ValueColumn
from ember.registry.model import TableMap


@dataclass(frozen=True)
class Reading:
    """What reading the cells of one column needs to know.

    Attributes
    ----------
    rows : DataFrame
        Kept rows with `_at`, `_person`, `_visit`, `_analyte`.
    order : int
        Position of the column among the site's value columns.
    visit : int or None
        Position of the visit that the column's name tells.
    visits : tuple of int
        Positions of the visits at which a long table is mapped; empty means all.
    thousands : str or None
        The declared mark between groups of three digits.
    """

    rows: pl.DataFrame
    table: TableMap
    column: ValueColumn
    order: int
    decimal: str
    metadata: Mapping[str, Any]
    visit: int | None
    visits: tuple[int, ...]
    thousands: str | None = None


@dataclass(frozen=True)
class Cells:
    """Cells of one column: `frame` has the non-empty ones with `rule` (null where usable), `n` counts all."""

    frame: pl.DataFrame
    n: int


def ruled(frame: pl.DataFrame, rule_id: str, condition: pl.Expr) -> pl.DataFrame:
    """Give the rule to the cells that meet the condition and have none yet."""
    return frame.with_columns(pl.coalesce("rule", pl.when(condition).then(pl.lit(rule_id))).alias("rule"))


def without_blanks(codes: Mapping[str, str]) -> dict[str, str]:
    """Return declared codes without outer white space, as the cells are compared."""
    return {code.strip(): meaning for code, meaning in codes.items()}
