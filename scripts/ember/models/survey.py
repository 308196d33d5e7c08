"""Complex surveys: means, proportions and ratios with Taylor-linearised errors, for domains of the design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ember.errors import EmberError
from ember.models.contract import Effect, FloatArray, effect
from ember.models.distributions import critical_value

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.intp]
LONELY_POLICIES = ("fail", "adjust", "certainty")


@dataclass(frozen=True)
class SurveyDesign:
    """Every row of the sample, also those outside a domain: made by `survey_design`.

    `stratum` holds codes 0..H-1; `psu` codes of primary sampling units, unique over strata; `psu_stratum`
    the stratum of each unit.
    """

    weight: FloatArray
    stratum: IntArray
    psu: IntArray
    psu_stratum: IntArray
    stratum_names: tuple[str, ...]
    lonely_psu: str


@dataclass(frozen=True)
class SurveyEstimate:
    """An estimate with the unweighted rows it rests on, those left out as missing, and the weighted population."""

    effect: Effect
    n: int
    n_missing: int
    population: float
    note: str = ""


def survey_design(
    weight: FloatArray,
    stratum: NDArray[Any] | Sequence[Any] | None = None,
    psu: NDArray[Any] | Sequence[Any] | None = None,
    *,
    lonely_psu: str = "fail",
) -> SurveyDesign:
    """Describe a stratified sample of primary sampling units (PSU), drawn with replacement.

    Parameters
    ----------
    weight : ndarray, shape (n,)
        Sampling weights; zero for rows that were not eligible.
    stratum, psu : array-like, shape (n,), optional
        PSU are nested: the same label in two strata means two units. Without strata all rows are one
        stratum; without PSU every row is its own.
    lonely_psu : {"fail", "adjust", "certainty"}
        What to do with a stratum that has a single PSU: refuse; centre it at the grand mean; or count it as
        taken with certainty (no contribution to the variance).

    Raises
    ------
    EmberError
        If weights are missing, negative or all zero, a label is missing, or the policy is unknown.
    """
    if lonely_psu not in LONELY_POLICIES:
        raise EmberError(f"'{lonely_psu}' is no policy for single sampling units.", allowed=LONELY_POLICIES)
    w = np.asarray(weight, dtype=np.float64)
    if w.ndim != 1 or not np.isfinite(w).all() or (w < 0).any() or not (w > 0).any():
        raise EmberError("Survey weights must be present, not negative, and not all zero.")
    names, stratum_code = _codes(stratum, w.size, "stratum", one=True)
    _, psu_label = _codes(psu, w.size, "PSU", one=False)
    pair = stratum_code * (int(psu_label.max()) + 1) + psu_label
    _, first, psu_code = np.unique(pair, return_index=True, return_inverse=True)
    return SurveyDesign(w, stratum_code, psu_code, stratum_code[first], names, lonely_psu)


def _codes(
    labels: NDArray[Any] | Sequence[Any] | None, n: int, what: str, *, one: bool
) -> tuple[tuple[str, ...], IntArray]:
    if labels is None:
        return ("all",), np.zeros(n, dtype=np.intp) if one else np.arange(n, dtype=np.intp)
    values = np.asarray(labels)
    missing = np.isnan(values).any() if values.dtype.kind == "f" else any(label is None for label in values.tolist())
    if values.shape != (n,) or missing:
        raise EmberError(f"Every row of a survey needs a {what}: {n} rows, {values.size} labels.")
    names, codes = np.unique(values, return_inverse=True)
    return tuple(str(name) for name in names), codes.astype(np.intp)


def checked_domain(design: SurveyDesign, domain: BoolArray | None, *columns: FloatArray) -> tuple[BoolArray, int]:
    """Return the rows of the domain that have every value, and the number that lack one.

    Raises
    ------
    EmberError
        If shapes disagree or no row of positive weight is left.
    """
    n = design.weight.size
    inside = design.weight > 0
    if domain is not None:
        if domain.shape != (n,) or domain.dtype != np.bool_:
            raise EmberError(f"A domain must be {n} truth values, one for each row of the design.")
        inside = inside & domain
    complete = np.ones(n, dtype=np.bool_)
    for column in columns:
        if column.shape[0] != n:
            raise EmberError(f"A variable has {column.shape[0]} rows and the design {n}: keep every row in the design.")
        finite = np.isfinite(column)
        complete &= finite if column.ndim == 1 else finite.all(axis=1)
    if not (inside & complete).any():
        raise EmberError("No row of the domain has a weight and every value.")
    return inside & complete, int((inside & ~complete).sum())


def degrees_of_freedom(design: SurveyDesign, domain: BoolArray) -> float:
    """Return PSU minus strata, counted among rows of the domain with positive weight (as R's degf)."""
    inside = domain & (design.weight > 0)
    return float(np.unique(design.psu[inside]).size - np.unique(design.stratum[inside]).size)


def linearised_covariance(design: SurveyDesign, influence: FloatArray, domain: BoolArray) -> FloatArray:
    """Return the covariance of a total of influence values over the design.

    Parameters
    ----------
    design : SurveyDesign
    influence : ndarray, shape (n, q)
        Weighted influence of each row; zero outside the domain.
    domain : ndarray of bool, shape (n,)
        Rows of the domain. All PSU of the design stay in: those without domain rows have a total of zero.

    Raises
    ------
    EmberError
        If a stratum that holds domain rows has one PSU and the policy is "fail".

    Notes
    -----
    Ultimate-cluster estimator: sum over strata of n/(n-1) times the squares of PSU totals about their mean.
    """
    units = design.psu_stratum.size
    totals = np.column_stack([np.bincount(design.psu, weights=column, minlength=units) for column in influence.T])
    count = np.bincount(design.psu_stratum, minlength=len(design.stratum_names)).astype(np.float64)
    _refuse_lonely(design, count, domain)
    means = np.column_stack([np.bincount(design.psu_stratum, weights=column) for column in totals.T]) / count[:, None]
    lonely = count == 1
    if design.lonely_psu == "adjust":
        means[lonely] = 0.0
    factor = np.where(lonely, 1.0, count / np.maximum(count - 1.0, 1.0))
    spread = (totals - means[design.psu_stratum]) * np.sqrt(factor)[design.psu_stratum, None]
    return np.asarray(spread.T @ spread, dtype=np.float64)


def _refuse_lonely(design: SurveyDesign, count: FloatArray, domain: BoolArray) -> None:
    if design.lonely_psu != "fail":
        return
    used = np.bincount(design.stratum[domain], minlength=count.size) > 0
    lonely = np.flatnonzero((count == 1) & used)
    if lonely.size:
        raise EmberError(
            f"{lonely.size} stratum(s) with a single sampling unit, first {design.stratum_names[lonely[0]]}: "
            "their variance cannot be estimated.",
            where="survey design",
            allowed=LONELY_POLICIES,
            fix="Join strata as the survey's documentation says, or declare lonely_psu.",
        )


def survey_ratio(
    design: SurveyDesign, numerator: FloatArray, denominator: FloatArray, domain: BoolArray | None = None,
    level: float = 0.95,
) -> SurveyEstimate:  # fmt: skip
    """Estimate a ratio of two totals in a domain; t with the domain's degrees of freedom.

    Rows that lack a value count as outside the domain and stay in the design.

    Raises
    ------
    EmberError
        If the denominator's total is zero, or the design or domain is unusable.
    """
    inside, missing = checked_domain(design, domain, numerator, denominator)
    weight = np.where(inside, design.weight, 0.0)
    top, bottom = np.where(inside, numerator, 0.0), np.where(inside, denominator, 0.0)
    below = float(weight @ bottom)
    if below == 0:
        raise EmberError("The denominator of a ratio adds up to zero.")
    ratio = float(weight @ top) / below
    influence = weight * (top - ratio * bottom) / below
    variance = float(linearised_covariance(design, influence[:, None], inside)[0, 0])
    estimate = effect(ratio, variance, degrees_of_freedom(design, inside), level)
    return SurveyEstimate(estimate, int(inside.sum()), missing, float(weight.sum()))


def survey_mean(
    design: SurveyDesign, values: FloatArray, domain: BoolArray | None = None, level: float = 0.95
) -> SurveyEstimate:
    """Estimate a mean in a domain: the ratio of the values' total to the population."""
    return survey_ratio(design, values, np.ones_like(values, dtype=np.float64), domain, level)


def survey_proportion(
    design: SurveyDesign, indicator: FloatArray, domain: BoolArray | None = None, level: float = 0.95,
    interval: str = "logit",
) -> SurveyEstimate:  # fmt: skip
    """Estimate a proportion in a domain.

    Parameters
    ----------
    design : SurveyDesign
    indicator : ndarray, shape (n,)
        0 or 1; NaN where missing.
    domain : ndarray of bool, optional
    level : float
    interval : {"logit", "plain"}
        logit: on the log odds and back, never outside 0 to 1 (R's svyciprop, method "logit"); plain:
        symmetric about the proportion.

    Raises
    ------
    EmberError
        If a value is neither 0, 1 nor missing, or the interval is unknown.

    Notes
    -----
    A proportion of 0 or 1 has no linearised error: its interval is NaN and the note says so.
    """
    if interval not in ("logit", "plain"):
        raise EmberError(f"'{interval}' is no interval of a proportion.", allowed=("logit", "plain"))
    if not (np.isnan(indicator) | (indicator == 0) | (indicator == 1)).all():
        raise EmberError("A proportion needs an indicator of 0 and 1.")
    plain = survey_mean(design, indicator, domain, level)
    p = plain.effect.estimate
    if plain.effect.std_error == 0.0 or not 0.0 < p < 1.0:
        nowhere = replace(plain.effect, p_value=float("nan"), conf_low=float("nan"), conf_high=float("nan"))
        return replace(plain, effect=nowhere, note="All or none in the domain: no linearised interval exists.")
    if interval == "plain":
        return plain
    half = critical_value(plain.effect.df, level) * plain.effect.std_error / (p * (1.0 - p))
    odds = float(special.logit(p))
    low, high = float(special.expit(odds - half)), float(special.expit(odds + half))
    return replace(plain, effect=replace(plain.effect, conf_low=low, conf_high=high))
