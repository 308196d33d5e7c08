"""Linear regression in which every site has its own residual variance (feasible GLS by REML)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ember.errors import EmberError
from ember.models.contract import (
    FloatArray,
    Moments,
    Plan,
    Result,
    SiteRows,
    State,
    merge_by_site,
    sites_with_rows,
    total,
)
from ember.models.cross_products import site_cross_products
from ember.models.normal_equations import inverse

SPARE_ROWS = 0.5
"""Residual degrees of freedom below which a site has no variance of its own."""


@dataclass(frozen=True)
class SiteWeightedModel:
    """One set of coefficients, one residual variance per site, by restricted maximum likelihood.

    Parameters
    ----------
    tolerance : float
        Largest relative change of a site's variance at convergence.
    most_steps : int
        Steps before giving up.

    Notes
    -----
    For outcomes from different instruments on one standardised scale: sites differ in reliability, and
    weighting by 1/variance keeps a noisy instrument from ruling the estimate. One pass over the rows, then
    fixed-point steps on per-site cross-products: variance = RSS / (n - h), h the site's trace of leverages,
    which is the REML score equation (as R's nlme::gls with varIdent, method REML). Fails for sites whose own
    rows only determine site-specific coefficients. df = n - p, so intervals assume many rows per site.
    """

    tolerance: float = 1e-12
    most_steps: int = 1000

    @property
    def rounds(self) -> int:
        """One pass."""
        return 1

    def start(self, plan: Plan) -> State:
        """Return the state of the only pass."""
        return State(plan, "cross_products")

    def site_pass(self, rows: SiteRows, state: State) -> Moments:
        """Return the cross-products of one site."""
        return site_cross_products(rows, state.plan)

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the moments of sites."""
        return merge_by_site(first, second)

    def advance(self, state: State, moments: Moments) -> Result:
        """Iterate variances and coefficients to the REML estimate."""
        inverse(total(moments, "xtx"), state.plan.names)
        moments = sites_with_rows(moments)
        sites = list(moments)
        sums = [moments[site] for site in sites]
        variances = np.full(len(sites), max(float(total(moments, "yty")), 1e-300) / float(total(moments, "n")))
        converged = False
        for _ in range(self.most_steps):
            coefficients, covariance = _weighted_fit(sums, variances, state.plan)
            updated = _update(sums, sites, coefficients, covariance, variances)
            converged = bool(np.max(np.abs(updated / variances - 1.0)) < self.tolerance)
            variances = updated
            if converged:
                break
        coefficients, covariance = _weighted_fit(sums, variances, state.plan)
        n = int(total(moments, "n"))
        return Result(
            state.plan.names, coefficients, covariance, float(n - len(state.plan.names)), n, converged,
            note="" if converged else "The site variances did not settle.",
            extras={"site_residual_sd": np.sqrt(variances), "sites": ",".join(sites)},
        )  # fmt: skip


def _weighted_fit(
    sums: Sequence[Mapping[str, FloatArray]], variances: FloatArray, plan: Plan
) -> tuple[FloatArray, FloatArray]:
    xtx = np.zeros_like(sums[0]["xtx"])
    xty = np.zeros_like(sums[0]["xty"])
    for part, variance in zip(sums, variances, strict=True):
        xtx = xtx + part["xtx"] / variance
        xty = xty + part["xty"] / variance
    covariance = inverse(xtx, plan.names)
    return covariance @ xty, covariance


def _update(
    sums: Sequence[Mapping[str, FloatArray]], sites: Sequence[str], coefficients: FloatArray, covariance: FloatArray,
    variances: FloatArray,
) -> FloatArray:  # fmt: skip
    """Return RSS / (n - h) of every site."""
    updated = np.empty(len(sites))
    for i, part in enumerate(sums):
        rss = part["yty"] - 2.0 * coefficients @ part["xty"] + coefficients @ part["xtx"] @ coefficients
        spare = part["n"] - np.sum(part["xtx"] * covariance) / variances[i]
        if spare < SPARE_ROWS or rss <= 1e-14 * part["yty"]:
            raise EmberError(
                "No residual variance of its own can be estimated: too few rows, or the outcome is fitted exactly.",
                where=f"site {sites[i]}",
                fix="Leave the site out, or use one residual variance for all sites.",
            )
        updated[i] = rss / spare
    return updated
