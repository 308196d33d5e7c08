"""Cross-products of a site: the moments that linear, site-weighted and random-intercept models share."""

from __future__ import annotations

import numpy as np

from ember.models.contract import FloatArray, Moments, Plan, SiteRows, batches, check_rows


def site_cross_products(rows: SiteRows, plan: Plan) -> Moments:
    """Sum what a linear model needs of one site.

    Returns
    -------
    Moments
        For the site: `xtx` (p, p), `xty` (p,), `yty`, `n` (rows of positive weight), and for the random
        intercept `x` (p,) and `y` (weighted sums), `weight` and `log_weight` (sums).
    """
    check_rows(rows, plan)
    p = len(plan.names)
    sums: dict[str, FloatArray] = {
        "xtx": np.zeros((p, p)), "xty": np.zeros(p), "yty": np.zeros(()), "n": np.zeros(()),
        "x": np.zeros(p), "y": np.zeros(()), "weight": np.zeros(()), "log_weight": np.zeros(()),
    }  # fmt: skip
    for design, outcome, weight in batches(rows):
        weighted = design if rows.weight is None else design * weight[:, None]
        inside = weight > 0
        sums["xtx"] += weighted.T @ design
        sums["xty"] += weighted.T @ outcome
        sums["yty"] += (weight * outcome) @ outcome
        sums["n"] += inside.sum()
        sums["x"] += weight @ design
        sums["y"] += weight @ outcome
        sums["weight"] += weight.sum()
        sums["log_weight"] += np.log(weight[inside]).sum()
    return {rows.site: sums}
