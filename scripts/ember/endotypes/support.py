"""What supports a raised screening analyte: conditions that hold, do not hold, or are not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, FloatArray, holds
from ember.endotypes.results import PERSON
from ember.endotypes.scheme import Threshold

UNKNOWN, NOT_MET, MET = -1, 0, 1


@dataclass(frozen=True)
class Judged:
    """All conditions together, one entry a participant, and which quantities were not known."""

    answer: np.ndarray[tuple[int], np.dtype[np.int8]]
    missing: dict[str, BoolArray]


def judged(conditions: Sequence[Threshold], quantities: Mapping[str, FloatArray]) -> Judged:
    """Return whether all conditions hold.

    Parameters
    ----------
    quantities : mapping of str to ndarray
        By name (composite, bmi, symptoms), one value a participant, nan where missing.

    Notes
    -----
    One condition that fails decides, whatever the others are: not met. Where none fails and one is missing nobody
    knows.
    """
    number = next(iter(quantities.values())).size
    fails, open_ = np.zeros(number, dtype=np.bool_), np.zeros(number, dtype=np.bool_)
    missing: dict[str, BoolArray] = {}
    for condition in conditions:
        value = quantities[condition.quantity]
        absent = np.isnan(value)
        fails |= ~absent & ~holds(value, condition.operator, condition.value)
        open_ |= absent
        missing[condition.quantity] = missing.get(condition.quantity, np.zeros(number, dtype=np.bool_)) | absent
    answer = np.where(fails, NOT_MET, np.where(open_, UNKNOWN, MET)).astype(np.int8)
    return Judged(answer, missing)


def at_visit(participants: pl.DataFrame, table: pl.DataFrame, visit: str, column: str) -> FloatArray:
    """Return a column of a table at a visit, one value a participant, nan where it is missing."""
    own = table.filter(pl.col("visit") == visit).select(*PERSON, column)
    joined = participants.select(PERSON).join(own, on=PERSON, how="left", maintain_order="left")
    return joined[column].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
