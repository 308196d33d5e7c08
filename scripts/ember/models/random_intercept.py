"""Linear mixed model with a random intercept by site, by REML, from per-site cross-products."""

from __future__ import annotations

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
from ember.models.scalar_search import minimise_on_grid, rising_root_between


@dataclass(frozen=True)
class RandomInterceptModel:
    """outcome = design x coefficients + site intercept + residual.

    Notes
    -----
    The restricted likelihood is profiled to one dimension, the ratio of the site SD to the residual SD
    (lme4's theta; Bates et al. 2015), and searched on a grid before it is refined, because it can have two
    maxima. Fixed-effect covariances are (X'V^-1 X)^-1 as lme4 gives them, without Kenward-Roger inflation.
    `df_residual` is n - p - (sites - 1), right for columns that vary within sites; columns constant within
    every site are marked in `extras["between"]` and have `extras["df_between"]` (containment, as nlme).
    With few sites the site SD is poorly known: fewer than five are better served by fixed sites.
    """

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
        """Maximise the profiled restricted likelihood.

        Raises
        ------
        EmberError
            With fewer than two sites, or an aliased column.
        """
        moments = sites_with_rows(moments)
        if len(moments) < 2:
            raise EmberError("A random intercept by site needs at least two sites.", fix="Use the linear model.")
        inverse(total(moments, "xtx"), state.plan.names)
        stacked = _Stacked.of(moments)
        if stacked.n <= len(state.plan.names) + 1:
            raise EmberError(f"{stacked.n} rows cannot carry {len(state.plan.names)} coefficients and two variances.")
        theta, criterion = minimise_on_grid(lambda value: stacked.solve(value, state.plan)[0], _GRID)
        if theta >= BOUNDARY:
            # The criterion is flat at its minimum: only its slope places the ratio to full precision.
            nearby = (theta * (1.0 - 1e-4), theta * (1.0 + 1e-4))
            theta = rising_root_between(lambda value: stacked.slope(value, state.plan), *nearby, otherwise=theta)
        return _result(state.plan, stacked, theta, criterion)


_GRID = np.concatenate([[0.0], np.geomspace(1e-4, 1e6, 81)])
"""Ratios of site SD to residual SD to look at first."""

BOUNDARY = 1e-5
"""A ratio below this is reported as zero: the likelihood is flat there to double precision."""


@dataclass(frozen=True)
class _Stacked:
    """Sums over sites, split into a within-site part and weighted site means."""

    within_xtx: FloatArray
    within_xty: FloatArray
    within_yty: float
    weight: FloatArray
    mean_x: FloatArray
    mean_y: FloatArray
    log_weight: float
    n: int

    @classmethod
    def of(cls, moments: Moments) -> _Stacked:
        sums = list(moments.values())
        weight = np.array([float(part["weight"]) for part in sums])
        mean_x = np.array([part["x"] for part in sums]) / weight[:, None]
        mean_y = np.array([float(part["y"]) for part in sums]) / weight
        return cls(
            total(moments, "xtx") - (mean_x * weight[:, None]).T @ mean_x,
            total(moments, "xty") - mean_x.T @ (weight * mean_y),
            float(total(moments, "yty")) - float(weight @ mean_y**2),
            weight, mean_x, mean_y, float(total(moments, "log_weight")), int(total(moments, "n")),
        )  # fmt: skip

    def solve(self, theta: float, plan: Plan) -> tuple[float, FloatArray, FloatArray, float]:
        """Return REML criterion, coefficients, unscaled covariance and residual variance at a ratio."""
        ratio = theta**2
        between = self.weight / (1.0 + ratio * self.weight)
        weighted_x = self.mean_x * between[:, None]
        xtx = self.within_xtx + weighted_x.T @ self.mean_x
        unscaled = inverse(xtx, plan.names)
        xty = self.within_xty + weighted_x.T @ self.mean_y
        coefficients = unscaled @ xty
        yty = self.within_yty + float(between @ self.mean_y**2)
        df = self.n - coefficients.size
        variance = max(yty - float(coefficients @ xty), 1e-14 * yty) / df
        log_det = float(np.log1p(ratio * self.weight).sum()) - self.log_weight
        log_det -= float(np.linalg.slogdet(unscaled)[1])
        return df * float(np.log(2.0 * np.pi * variance) + 1.0) + log_det, coefficients, unscaled, variance

    def slope(self, theta: float, plan: Plan) -> float:
        """Return the derivative of the REML criterion by the squared ratio."""
        _, coefficients, unscaled, variance = self.solve(theta, plan)
        between = self.weight / (1.0 + theta**2 * self.weight)
        leverage = np.einsum("ij,jk,ik->i", self.mean_x, unscaled, self.mean_x)
        residual = self.mean_y - self.mean_x @ coefficients
        return float(between.sum() - between**2 @ (leverage + residual**2 / variance))


def _result(plan: Plan, stacked: _Stacked, theta: float, criterion: float) -> Result:
    boundary = theta < BOUNDARY
    theta = 0.0 if boundary else theta
    _, coefficients, unscaled, variance = stacked.solve(theta, plan)
    p, sites = len(plan.names), stacked.weight.size
    spread = np.diag(stacked.within_xtx)
    square = spread + stacked.weight @ stacked.mean_x**2
    constant = spread <= 1e-10 * square
    extras: dict[str, FloatArray | float | str] = {
        "site_sd": theta * float(np.sqrt(variance)), "residual_sd": float(np.sqrt(variance)),
        "boundary": float(boundary), "reml_criterion": criterion, "sites": float(sites),
        "between": constant.astype(np.float64), "df_between": float(sites - int(constant.sum())),
    }  # fmt: skip
    return Result(
        plan.names, coefficients, unscaled * variance, float(stacked.n - p - (sites - 1)), stacked.n, True, variance,
        -0.5 * criterion, "The site variance is estimated as zero." if boundary else "", extras,
    )  # fmt: skip
