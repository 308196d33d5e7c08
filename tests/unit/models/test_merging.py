"""Every moment estimator gives the same answer however the rows are split and ordered (1e-10)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ember.models.contract import Plan, SiteRows, fit
from ember.models.firth import FirthLogisticModel
from ember.models.linear import LinearModel
from ember.models.logistic import LogisticModel
from ember.models.random_intercept import RandomInterceptModel
from ember.models.site_weighted import SiteWeightedModel

PLAN = Plan(("one", "x", "arm"))
POOLED = [
    *(
        pytest.param(LinearModel(kind), False, id=f"linear_{kind}")
        for kind in ("classical", "hc0", "hc1", "hc2", "hc3")
    ),
    pytest.param(LogisticModel(), True, id="logistic"),
    pytest.param(LogisticModel("hc0"), True, id="logistic_hc0"),
    pytest.param(FirthLogisticModel(), True, id="firth"),
]
BY_SITE = [
    pytest.param(LinearModel("cr1s"), False, id="linear_cr1s"),
    pytest.param(LinearModel("cr2"), False, id="linear_cr2"),
    pytest.param(LogisticModel("cr1"), True, id="logistic_cr1"),
    pytest.param(RandomInterceptModel(), False, id="random_intercept"),
    pytest.param(SiteWeightedModel(), False, id="site_weighted"),
]


def _rows(binary: bool) -> list[SiteRows]:
    rng = np.random.default_rng(11)
    rows = []
    for index, n in enumerate((40, 25, 35)):
        design = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
        mean = design @ np.array([0.2, 0.5, -0.4]) + 0.6 * index
        outcome = (rng.random(n) < 1 / (1 + np.exp(-mean))).astype(float) if binary else mean + rng.normal(size=n)
        rows.append(SiteRows(f"s{index}", design, outcome, rng.uniform(0.5, 2, n)))
    return rows


def _split(rows: SiteRows, name: str, cuts: list[int]) -> list[SiteRows]:
    edges = [0, *sorted(cuts), rows.outcome.size]
    return [
        SiteRows(name.format(part), rows.design[a:b], rows.outcome[a:b], rows.weight[a:b])
        for part, (a, b) in enumerate(pairwise(edges))
    ]


def _same(found, wanted):
    assert found.coefficients == pytest.approx(wanted.coefficients, rel=1e-10, abs=1e-12)
    assert found.covariance == pytest.approx(wanted.covariance, rel=1e-10, abs=1e-12)
    assert (found.n, found.df_residual) == (wanted.n, wanted.df_residual)


@pytest.mark.parametrize(("estimator", "binary"), POOLED)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 100), max_size=5), seed=st.integers(0, 1000))
def test_any_split_into_sites_equals_the_pooled_rows(estimator, binary, cuts, seed):
    parts = _rows(binary)
    pooled = SiteRows(
        "all",
        np.vstack([r.design for r in parts]),
        np.concatenate([r.outcome for r in parts]),
        np.concatenate([r.weight for r in parts]),
    )
    order = np.random.default_rng(seed).permutation(100)
    shuffled = SiteRows("all", pooled.design[order], pooled.outcome[order], pooled.weight[order])
    _same(fit(estimator, PLAN, _split(shuffled, "part{}", cuts)), fit(estimator, PLAN, [pooled]))


@pytest.mark.parametrize(("estimator", "binary"), BY_SITE)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 25), max_size=3), seed=st.integers(0, 1000))
def test_a_site_in_parts_equals_the_whole_site(estimator, binary, cuts, seed):
    rows = _rows(binary)
    parts = []
    for part in rows:
        order = np.random.default_rng(seed).permutation(part.outcome.size)
        shuffled = SiteRows(part.site, part.design[order], part.outcome[order], part.weight[order])
        parts.extend(_split(shuffled, part.site, cuts))
    _same(fit(estimator, PLAN, parts), fit(estimator, PLAN, rows))


@pytest.mark.parametrize(("estimator", "binary"), [*POOLED, *BY_SITE])
def test_a_site_without_rows_changes_nothing(estimator, binary):
    rows = _rows(binary)
    empty = SiteRows("empty", np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    _same(fit(estimator, PLAN, [rows[0], empty, *rows[1:]]), fit(estimator, PLAN, rows))


@pytest.mark.parametrize(("estimator", "binary"), [*POOLED, *BY_SITE])
def test_the_same_rows_give_the_same_bits(estimator, binary):
    first, second = (fit(estimator, PLAN, _rows(binary)) for _ in range(2))
    assert first.coefficients.tobytes() == second.coefficients.tobytes()
    assert first.covariance.tobytes() == second.covariance.tobytes()
