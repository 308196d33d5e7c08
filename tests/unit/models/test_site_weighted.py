"""Site-specific residual variances: one site, equal sites, sites that cannot carry one."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel
from ember.models.site_weighted import SiteWeightedModel

PLAN = Plan(("one", "x", "arm"))


def test_one_site_is_ordinary_least_squares(make_rows):
    rows = make_rows((50,))
    weighted, linear = fit(SiteWeightedModel(), PLAN, rows), fit(LinearModel(), PLAN, rows)
    assert weighted.coefficients == pytest.approx(linear.coefficients, rel=1e-10)
    assert weighted.covariance == pytest.approx(linear.covariance, rel=1e-10)


def test_noisy_sites_count_less(make_rows):
    rng = np.random.default_rng(0)
    rows = [
        SiteRows(r.site, r.design, r.design[:, 1] + s * rng.normal(size=400))
        for r, s in zip(make_rows((400, 400)), (0.1, 3.0), strict=True)
    ]
    sd = fit(SiteWeightedModel(), PLAN, rows).extras["site_residual_sd"]
    assert sd == pytest.approx([0.1, 3.0], rel=0.1)


def _own_indicator(big: SiteRows, other: SiteRows) -> list[SiteRows]:
    tiny = SiteRows("tiny", np.column_stack([other.design[:1], [[1.0]]]), other.outcome[:1])
    return [SiteRows("big", np.column_stack([big.design, 0 * big.outcome]), big.outcome), tiny]


def _no_spread(big: SiteRows, other: SiteRows) -> list[SiteRows]:
    tiny = SiteRows("tiny", np.column_stack([other.design, 0 * other.outcome]), other.design @ [1.0, 2.0, 3.0])
    fitted = big.design @ [1.0, 2.0, 3.0]
    return [SiteRows("big", np.column_stack([big.design, big.outcome]), fitted + big.outcome), tiny]


@pytest.mark.parametrize(
    "spoil", [pytest.param(_own_indicator, id="own_indicator"), pytest.param(_no_spread, id="no_spread")]
)
def test_a_site_without_a_variance_of_its_own_is_refused(make_rows, spoil):
    with pytest.raises(EmberError, match="No residual variance of its own") as refused:
        fit(SiteWeightedModel(), Plan((*PLAN.names, "extra")), spoil(*make_rows((40, 30))))
    assert refused.value.where.startswith("site")


def test_too_few_steps_are_reported(make_rows):
    result = fit(SiteWeightedModel(most_steps=1), PLAN, make_rows())
    assert not result.converged
    assert result.note
