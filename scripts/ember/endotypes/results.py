"""The one laboratory result that stands for a participant at a visit, and what a censored one is taken to be."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, FloatArray
from ember.errors import EmberError

PERSON = ["site_id", "participant_id"]
FILLS = {"fill_lod_sqrt2": 1 / math.sqrt(2), "fill_lod_half": 0.5, "fill_lod": 1.0}
"""Share of the detection limit that stands for a left-censored value."""


def results_at(people: pl.DataFrame, measurements: pl.DataFrame, analyte: str, visit: str) -> pl.DataFrame:
    """Return one row a person, in their order, with the first usable result of the analyte at the visit.

    Parameters
    ----------
    people : DataFrame
        Has `site_id` and `participant_id`.
    measurements : DataFrame
        Contract measurements. Of several replicates the first in contract order stands.

    Returns
    -------
    DataFrame
        `site_id`, `participant_id`, `row_id`, `value`, `censoring`, `assay_id`, `assay_class`,
        `detection_limit`; null without a result.
    """
    found = measurements.filter(
        (pl.col("analyte") == analyte) & (pl.col("visit") == visit) & pl.col("value").is_not_null()
    )
    first = found.unique(subset=PERSON, keep="first", maintain_order=True)
    columns = [*PERSON, "row_id", "value", "censoring", "assay_id", "assay_class", "detection_limit"]
    return people.select(PERSON).join(first.select(columns), on=PERSON, how="left", maintain_order="left")


def values(results: pl.DataFrame) -> FloatArray:
    """Return the values as floats, nan where there is no result."""
    return results["value"].fill_null(float("nan")).to_numpy().astype(np.float64)


def censored(results: pl.DataFrame, side: str) -> BoolArray:
    """Return where the result is censored on a side, "left" or "right"."""
    return (results["censoring"] == side).fill_null(False).to_numpy().astype(np.bool_)


def filled(results: pl.DataFrame, method: str) -> FloatArray:
    """Return values with a share of the limit where left-censored; right-censored ones stay at their limit.

    Raises
    ------
    EmberError
        No such method.
    """
    if method not in FILLS:
        raise EmberError(f"'{method}' is no way to fill values below the limit.", where="below_limit", allowed=FILLS)
    value = values(results)
    return np.where(censored(results, "left"), value * FILLS[method], value)


def of_standard_assay(results: pl.DataFrame) -> BoolArray:
    """Return where the result is of a standard-class assay."""
    return (results["assay_class"] == "standard").fill_null(False).to_numpy().astype(np.bool_)


def standard_limits(results: pl.DataFrame) -> FloatArray:
    """Return the detection limit (canonical unit) behind each result of a standard-class assay.

    Returns
    -------
    ndarray, shape (n,)
        minus infinity where the assay is not of the standard class, nan where its limit is not known.
    """
    limit = results["detection_limit"].fill_null(float("nan")).to_numpy().astype(np.float64)
    return np.where(of_standard_assay(results), limit, -np.inf)
