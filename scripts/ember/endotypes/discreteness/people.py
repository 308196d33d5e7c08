"""The panel of a verdict from the harmonised tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.endotypes.cuts import FloatArray, IntArray, holds
from ember.endotypes.discreteness.panel import Panel
from ember.endotypes.results import PERSON, censored, values

COLUMNS = ("value", "censoring", "assay_id", "detection_limit")


def panel_of(measurements: pl.DataFrame, participants: pl.DataFrame, plan: Mapping[str, Any]) -> Panel:
    """Return everybody with at least one marker; sites are numbered in the order of the participants.

    Parameters
    ----------
    measurements, participants : DataFrame
        Contracts measurements and participants, all sites in study order.
    plan : mapping
        Content of verdicts/<verdict>.yaml.

    Notes
    -----
    Of several results of an analyte at the visit the first in contract order stands. Values of unknown assays of one
    site count as one assay. A result above the upper limit of its assay counts as acute where the limit itself does.
    """
    sites = participants["site_id"].unique(maintain_order=True).to_list()
    found = [_results(measurements, participants, analyte, plan["visit"]) for analyte in plan["markers"]]
    parts = [_marker(results) for results in found]
    columns = {name: np.stack([part[name] for part in parts], axis=1) for name in parts[0]}
    acute, screen = plan["acute"], found[0]
    raised = holds(values(screen), acute["operator"], acute["value"])
    raised |= censored(screen, "right") & (values(screen) >= acute["value"])
    compared = np.zeros(participants.height, dtype=bool)
    if "comparison" in plan:
        chosen = participants[plan["comparison"]["column"]].is_in(plan["comparison"]["equals"])
        compared = chosen.fill_null(False).to_numpy().astype(np.bool_)
    panel = Panel(
        **columns,
        site=_numbers(participants["site_id"], sites),
        bmi=_floats(participants["bmi"]),
        acute=raised,
        compared=compared,
    )
    return panel.of(np.asarray(~np.isnan(panel.value).all(axis=1)))


def _results(measurements: pl.DataFrame, participants: pl.DataFrame, analyte: str, visit: str) -> pl.DataFrame:
    wanted = (pl.col("analyte") == analyte) & (pl.col("visit") == visit) & (pl.col("value") > 0)
    first = measurements.filter(wanted).unique(subset=PERSON, keep="first", maintain_order=True)
    people = participants.select(PERSON)
    return people.join(first.select(*PERSON, *COLUMNS), on=PERSON, how="left", maintain_order="left")


def _marker(results: pl.DataFrame) -> dict[str, NDArray[Any]]:
    """Return value, limits, censoring and stratum of one marker, (n,) each, on the log scale.

    Notes
    -----
    The upper limit of an assay is the lowest result that is known only to lie above it; without one there is none.
    """
    value, left, right = np.log(values(results)), censored(results, "left"), censored(results, "right")
    limit = np.log(_floats(results["detection_limit"]))
    low = np.where(left, value, np.where(np.isnan(limit), -np.inf, np.minimum(limit, value)))
    assay = results.select(pl.concat_str("site_id", pl.col("assay_id").fill_null(""), separator="\t")).to_series()
    groups = assay.unique(maintain_order=True).to_list()
    caps = {
        group: float(np.nanmin(value[rows])) for group in groups if (rows := (assay == group).to_numpy() & right).any()
    }
    high = np.array([caps.get(group, np.inf) for group in groups])[_numbers(assay, groups)]
    return {
        "value": value,
        "low": low,
        "high": np.where(right, value, high),
        "left": left,
        "right": right,
        "stratum": _numbers(assay, groups),
    }


def _numbers(column: pl.Series, order: list[str]) -> IntArray:
    places = {name: number for number, name in enumerate(order)}
    return np.array([places[name] for name in column.to_list()], dtype=np.int64)


def _floats(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
