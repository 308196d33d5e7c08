"""The biomarker of an analysis: one number a participant, on the scale that the analysis declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.scores import group_numbers, mean_of_present, z_of_ln
from ember.endotypes.cuts import UNPLACED, BoolArray, FloatArray, cut_of, place, points_up
from ember.endotypes.results import censored, filled, results_at, standard_limits, values
from ember.errors import EmberError


def exposure_columns(people: pl.DataFrame, found: pl.DataFrame | None, analysis: Mapping[str, Any]) -> pl.DataFrame:
    """Return `exposure_value`, `exposure_censored` and `exposure` (not centred yet), one row a person.

    Parameters
    ----------
    people : DataFrame
        `site_id` and `participant_id` in the order of the rows.
    found : DataFrame or None
        The result that stands for each person (`ember.endotypes.results.results_at`); None without `exposure:`.
    analysis : mapping
        Content of analyses/<analysis>.yaml; without `exposure:` all three are null.

    Raises
    ------
    EmberError
        The cut lies below the limit of a standard-class assay, or log2 meets a value that is not positive.

    Notes
    -----
    On the scale `cut` a left- or right-censored value counts only if its whole interval lies on one side.
    """
    declared = analysis.get("exposure")
    if declared is None or found is None:
        nothing = np.full(people.height, np.nan)
        return _columns(nothing, None, nothing)
    value = filled(found, declared["below_limit"])
    if declared["scale"] == "cut":
        _check_standard_assays(found, declared["cut"]["value"], analysis)
        exposure = _side(found, declared["cut"])
    else:
        if (value <= 0).any():
            raise EmberError(
                f"{int((value <= 0).sum())} results of {declared['analyte']} are not positive and have no logarithm.",
                where=f"analyses/{analysis['analysis']}.yaml  exposure.scale",
            )
        exposure = np.log2(value)
    return _columns(value, found["censoring"] != "none", exposure)


def centred(exposure: FloatArray, site: pl.Series, counted: BoolArray, weight: FloatArray | None) -> FloatArray:
    """Return the exposure minus its site's mean over the rows that count.

    Parameters
    ----------
    exposure : ndarray, shape (n,)
        nan where missing.
    site : Series, length n
        Site of each row.
    counted : ndarray of bool, shape (n,)
        Rows in the set.
    weight : ndarray, shape (n,), optional
        Survey weights.

    Notes
    -----
    With the site means removed an interaction uses only contrasts within sites, which randomisation protects;
    differences between sites (assay, season, population) cannot enter it (Fisher 2017, BMJ 356:j573).
    """
    result = exposure.copy()
    for name in site.unique(maintain_order=True):
        rows = (site == name).to_numpy()
        inside = rows & counted
        if inside.any():
            result[rows] -= np.average(exposure[inside], weights=None if weight is None else weight[inside])
    return result


def composite_column(
    people: pl.DataFrame, measurements: pl.DataFrame, analysis: Mapping[str, Any], in_set: BoolArray
) -> FloatArray:
    """Return the mean z of ln values over the set, nan where an analyte is missing or the row is outside.

    Raises
    ------
    EmberError
        A value is below its limit and the analysis does not say what stands for it.
    """
    declared = analysis.get("composite")
    if declared is None:
        return np.full(people.height, np.nan)
    exposure, outcome = analysis.get("exposure", {}), analysis.get("outcome", {})
    visit = exposure.get("visit") or outcome.get("baseline") or outcome.get("visit")
    if visit is None:
        raise EmberError(
            "The composite needs a visit, which the exposure or the outcome gives.",
            where=f"analyses/{analysis['analysis']}.yaml  composite",
        )
    within = declared["standardise"] == "within_site"
    scores = []
    for analyte in declared["analytes"]:
        found = results_at(people, measurements, analyte, visit)
        if "below_limit" not in exposure and censored(found, "left").any():
            raise EmberError(
                f"A result of {analyte} is below its limit and the analysis does not say what stands for it.",
                where=f"analyses/{analysis['analysis']}.yaml  composite",
                fix="An `exposure:` declares it with `below_limit`.",
            )
        value = filled(found, exposure["below_limit"]) if "below_limit" in exposure else values(found)
        everyone = np.zeros(found.height, dtype=np.int64)
        scores.append(z_of_ln(value, group_numbers(found, ["site_id", "assay_id"]) if within else everyone, in_set))
    return mean_of_present(scores, minimum=len(scores))[0]


def _side(found: pl.DataFrame, cut: Mapping[str, Any]) -> FloatArray:
    at = place(
        values(found), censored(found, "left"), censored(found, "right"), [cut_of(cut["operator"], cut["value"])]
    )
    side = np.where(at == (1 if points_up(cut["operator"]) else 0), 1.0, 0.0)
    side[at == UNPLACED] = np.nan
    return side


def _check_standard_assays(found: pl.DataFrame, cut: float, analysis: Mapping[str, Any]) -> None:
    limit = standard_limits(found)
    blind = np.isnan(limit) | (limit > cut)
    if blind.any():
        sites = ", ".join(found.filter(pl.Series(blind))["site_id"].unique(maintain_order=True))
        raise EmberError(
            f"The cut at {cut:g} lies below the limit of a standard assay, or that limit is not known ({sites}).",
            where=f"analyses/{analysis['analysis']}.yaml  exposure.cut",
            fix="Such an assay cannot tell the two sides apart: use a higher cut or leave the site out.",
        )


def _columns(value: FloatArray, is_censored: pl.Series | None, exposure: FloatArray) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "exposure_value": pl.Series(value).fill_nan(None),
            "exposure_censored": is_censored
            if is_censored is not None
            else pl.Series([None] * value.size, dtype=pl.Boolean),
            "exposure": pl.Series(exposure).fill_nan(None),
        }
    )
