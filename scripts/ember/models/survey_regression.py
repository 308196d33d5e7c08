"""Linear and logistic regression in complex surveys, with Taylor-linearised covariances."""

from __future__ import annotations

import numpy as np
from scipy import special

from ember.models.contract import FloatArray, Plan, Result, SiteRows, batches, fit
from ember.models.linear import LinearModel
from ember.models.logistic import LogisticModel
from ember.models.survey import BoolArray, SurveyDesign, checked_domain, degrees_of_freedom, linearised_covariance


def survey_linear(
    design: SurveyDesign, names: tuple[str, ...], matrix: FloatArray, outcome: FloatArray,
    domain: BoolArray | None = None,
) -> Result:  # fmt: skip
    """Fit a linear model to the population of a domain.

    Parameters
    ----------
    design : SurveyDesign
        All rows of the sample.
    names : tuple of str, length p
    matrix : ndarray, shape (n, p)
    outcome : ndarray, shape (n,)
    domain : ndarray of bool, shape (n,), optional

    Returns
    -------
    Result
        df are design degrees of freedom - p + 1, as R's svyglm; `extras` has `design_df`, `n_missing` and
        `population`.

    Raises
    ------
    EmberError
        If a column is aliased, or the design or domain is unusable.

    Notes
    -----
    Weighted least squares; the covariance is that of the PSU totals of the weighted scores (Binder 1983).
    Rows that lack a value count as outside the domain and stay in the design. df of zero or less leave
    intervals and p values NaN: the design cannot carry so many coefficients.
    """
    inside, missing = checked_domain(design, domain, matrix, outcome)
    rows = _domain_rows(design, matrix, outcome, inside)
    fitted = fit(LinearModel(), Plan(names), [rows])
    residual = rows.outcome - rows.design @ fitted.coefficients
    return _with_design(design, fitted, rows, residual, fitted.covariance / fitted.scale, inside, missing)


def survey_logistic(
    design: SurveyDesign, names: tuple[str, ...], matrix: FloatArray, outcome: FloatArray,
    domain: BoolArray | None = None,
) -> Result:  # fmt: skip
    """Fit a logistic model to the population of a domain; parameters and errors as `survey_linear`.

    A separated model comes back with `converged` False and no design-based covariance.
    """
    inside, missing = checked_domain(design, domain, matrix, outcome)
    rows = _domain_rows(design, matrix, outcome, inside)
    fitted = fit(LogisticModel(tolerance=1e-13), Plan(names), [rows])
    residual = rows.outcome - special.expit(rows.design @ fitted.coefficients)
    return _with_design(design, fitted, rows, residual, fitted.covariance, inside, missing)


def _domain_rows(design: SurveyDesign, matrix: FloatArray, outcome: FloatArray, inside: BoolArray) -> SiteRows:
    weight = design.weight[inside]
    return SiteRows("survey", matrix[inside], outcome[inside], weight / weight.mean())


def _with_design(
    design: SurveyDesign, fitted: Result, rows: SiteRows, residual: FloatArray, bread: FloatArray, inside: BoolArray,
    missing: int,
) -> Result:  # fmt: skip
    p = len(fitted.names)
    scores = np.zeros((design.weight.size, p))
    if rows.weight is not None:
        scores[inside] = rows.design * (rows.weight * residual)[:, None] @ bread
    covariance = linearised_covariance(design, scores, inside)
    if not fitted.converged:
        covariance = np.full((p, p), np.nan)
    design_df = degrees_of_freedom(design, inside)
    return Result(
        fitted.names, fitted.coefficients, covariance, design_df - p + 1, int(inside.sum()), fitted.converged,
        _residual_variance(rows, residual), None, fitted.note,
        {
            "design_df": design_df, "n_missing": float(missing),
            "population": float(design.weight[inside].sum()),
        },
    )  # fmt: skip


def _residual_variance(rows: SiteRows, residual: FloatArray) -> float:
    square, weight_sum, begin = 0.0, 0.0, 0
    for _, outcome, weight in batches(rows):
        part = residual[begin : begin + outcome.size]
        square += float(weight @ part**2)
        weight_sum += float(weight.sum())
        begin += outcome.size
    return square / weight_sum
