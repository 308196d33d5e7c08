"""Linear regression from cross-products, with classical, robust (HC0 to HC3) and cluster covariances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg

from ember.errors import EmberError
from ember.models.contract import (
    FloatArray,
    Moments,
    Plan,
    Result,
    SiteRows,
    State,
    batches,
    check_rows,
    merge_by_site,
    sites_with_rows,
    total,
)
from ember.models.cross_products import site_cross_products
from ember.models.normal_equations import inverse
from ember.models.small_sample import cr2_covariance

ROBUST = ("hc0", "hc1", "hc2", "hc3")
CLUSTER = ("cr1", "cr1s", "cr2")
COVARIANCES = ("classical", *ROBUST, *CLUSTER)
LEVERAGE_ONE = 1e-10


@dataclass(frozen=True)
class LinearModel:
    """Ordinary or weighted least squares by moments.

    Parameters
    ----------
    covariance : {"classical", "hc0", "hc1", "hc2", "hc3", "cr1", "cr1s", "cr2"}
        Classical; heteroscedasticity-consistent (MacKinnon and White 1985; hc3 as in Long and Ervin 2000,
        with leverages); or cluster-robust with the site as cluster. cr1 multiplies by G/(G-1), cr1s by
        G/(G-1) x (n-1)/(n-p), the default of Stata and statsmodels (Cameron and Miller 2015), and cr2 adjusts
        for few sites (`ember.models.small_sample`), with degrees of freedom per contrast.

    Notes
    -----
    df are n - p, and G - 1 for cr1 and cr1s: with 12 clusters t(11) is 12 % wider than the normal. These two
    are biased downwards with few sites; below about 40 use cr2, fixed sites with hc3, or the random
    intercept. With weights the sandwich uses the weighted residual, as R's sandwich does.
    """

    covariance: str = "classical"

    def __post_init__(self) -> None:
        if self.covariance not in COVARIANCES:
            raise EmberError(f"'{self.covariance}' is no covariance of a linear model.", allowed=COVARIANCES)

    @property
    def rounds(self) -> int:
        """Robust covariances need the coefficients first, hence a second pass."""
        return 2 if self.covariance in ROBUST else 1

    def start(self, plan: Plan) -> State:
        """Return the state of the first pass."""
        return State(plan, "cross_products")

    def site_pass(self, rows: SiteRows, state: State) -> Moments:
        """Return cross-products, or in the second pass the sums of squared residuals."""
        if state.stage == "cross_products":
            return site_cross_products(rows, state.plan)
        return _residual_sums(rows, state, self.covariance)

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the moments of sites."""
        return merge_by_site(first, second)

    def advance(self, state: State, moments: Moments) -> State | Result:
        """Solve for the coefficients; after the robust pass, build the covariance."""
        if state.stage == "residuals":
            return _robust_result(state, moments, self.covariance)
        bread = inverse(total(moments, "xtx"), state.plan.names)
        coefficients = bread @ total(moments, "xty")
        if self.covariance in ROBUST:
            arrays = {"coefficients": coefficients, "bread": bread}
            return replace(state, stage="residuals", step=1, arrays=arrays, kept=moments)
        if self.covariance in CLUSTER:
            return _cluster_result(state.plan, moments, coefficients, bread, self.covariance)
        return _classical_result(state.plan, moments, coefficients, bread)


def residual_sum_of_squares(moments: Moments, coefficients: FloatArray) -> float:
    """Return the weighted residual sum of squares from cross-products, never below zero."""
    cross = float(coefficients @ total(moments, "xty"))
    square = float(coefficients @ total(moments, "xtx") @ coefficients)
    return max(float(total(moments, "yty")) - 2.0 * cross + square, 0.0)


def _classical_result(plan: Plan, moments: Moments, coefficients: FloatArray, bread: FloatArray) -> Result:
    rss = residual_sum_of_squares(moments, coefficients)
    return _result(plan, moments, coefficients, bread, rss)


def _result(plan: Plan, moments: Moments, coefficients: FloatArray, bread: FloatArray, rss: float) -> Result:
    n, p = int(total(moments, "n")), len(plan.names)
    if n <= p:
        raise EmberError(f"{n} rows cannot carry {p} coefficients and a residual variance.", where="design")
    scale = rss / (n - p)
    log_weight = float(total(moments, "log_weight"))
    log_likelihood = 0.5 * (log_weight - n * (np.log(2.0 * np.pi * rss / n) + 1.0)) if rss > 0 else float("inf")
    return Result(plan.names, coefficients, bread * scale, float(n - p), n, True, scale, log_likelihood)


def _cluster_result(
    plan: Plan, moments: Moments, coefficients: FloatArray, bread: FloatArray, covariance: str
) -> Result:
    base = _classical_result(plan, moments, coefficients, bread)
    parts = list(sites_with_rows(moments).values())
    clusters = len(parts)
    if clusters < 2:
        raise EmberError(
            f"The cluster covariance {covariance} with sites as clusters needs at least two sites.",
            fix="Use hc3 within one site.",
        )
    scores = np.array([sums["xty"] - sums["xtx"] @ coefficients for sums in parts])
    base = replace(base, df_residual=float(clusters - 1), extras={"clusters": float(clusters)})
    if covariance == "cr2":
        adjusted, small_sample = cr2_covariance([sums["xtx"] for sums in parts], list(scores), bread)
        return replace(base, covariance=adjusted, small_sample=small_sample)
    factor = clusters / (clusters - 1)
    if covariance == "cr1s":
        factor *= (base.n - 1) / (base.n - len(plan.names))
    note = f"{clusters} sites as clusters: cluster-robust errors are too small with few clusters; cr2 is not."
    sandwich = bread @ (scores.T @ scores) @ bread * factor
    return replace(base, covariance=sandwich, note=note if clusters < 40 else "")


def _residual_sums(rows: SiteRows, state: State, covariance: str) -> Moments:
    check_rows(rows, state.plan)
    coefficients, bread = state.arrays["coefficients"], state.arrays["bread"]
    half = linalg.cholesky(bread, lower=True)
    p = coefficients.size
    sums = {"meat": np.zeros((p, p)), "rss": np.zeros(()), "leverage_one": np.zeros(())}
    for design, outcome, weight in batches(rows):
        residual = outcome - design @ coefficients
        squared = (weight * residual) ** 2
        sums["rss"] += weight @ residual**2
        if covariance in ("hc2", "hc3"):
            spare = 1.0 - weight * np.einsum("ij,ij->i", *(design @ half,) * 2)
            full = spare < LEVERAGE_ONE
            sums["leverage_one"] += full.sum()
            squared = squared / np.where(full, 1.0, spare) ** (1 if covariance == "hc2" else 2)
        sums["meat"] += (design * squared[:, None]).T @ design
    return {rows.site: sums}


def _robust_result(state: State, moments: Moments, covariance: str) -> Result:
    coefficients, bread = state.arrays["coefficients"], state.arrays["bread"]
    alone = int(total(moments, "leverage_one"))
    if alone:
        raise EmberError(
            f"{covariance} is not defined: {alone} row(s) determine their own fitted value (leverage 1).",
            where="design",
            fix="Join the category that holds a single row with another, or use hc1.",
        )
    base = _result(state.plan, state.kept, coefficients, bread, float(total(moments, "rss")))
    factor = base.n / (base.n - coefficients.size) if covariance == "hc1" else 1.0
    return replace(base, covariance=bread @ total(moments, "meat") @ bread * factor)
