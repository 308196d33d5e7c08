"""Logistic models at their boundaries: separation, no events, wrong outcomes."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, SiteRows, fit
from ember.models.firth import FirthLogisticModel
from ember.models.logistic import LogisticModel

PLAN = Plan(("one", "x", "arm"))


def _separated(make_rows, kind):
    row = make_rows((120,), binary=True)[0]
    outcome = {
        "complete": (row.design[:, 1] > 0).astype(float),
        "quasi": np.where(row.design[:, 2] == 1, 1.0, row.outcome),
        "no_events": np.zeros(120),
        "all_events": np.ones(120),
    }[kind]
    return [SiteRows("a", row.design, outcome)]


@pytest.mark.parametrize("kind", [pytest.param(k, id=k) for k in ("complete", "quasi", "no_events", "all_events")])
def test_separation_is_reported_and_firth_is_finite(make_rows, kind):
    rows = _separated(make_rows, kind)
    plain = fit(LogisticModel(), PLAN, rows)
    assert not plain.converged
    assert "Separation" in plain.note
    firth = fit(FirthLogisticModel(), PLAN, rows)
    assert firth.converged
    assert np.abs(firth.coefficients).max() < 30


def test_separation_of_few_rows_in_many(make_rows):
    row = make_rows((60_000,), binary=True)[0]
    rare = np.zeros(60_000)
    rare[:5] = 1.0
    outcome = np.where(rare == 1, 1.0, row.outcome)
    rows = [SiteRows("a", np.column_stack([row.design, rare]), outcome)]
    assert not fit(LogisticModel(), Plan((*PLAN.names, "rare")), rows).converged


def test_strong_but_finite_effects_converge(make_rows):
    row = make_rows((4000,), binary=True)[0]
    outcome = (np.random.default_rng(1).random(4000) < 1 / (1 + np.exp(-6 * row.design[:, 1]))).astype(float)
    result = fit(LogisticModel(), PLAN, [SiteRows("a", row.design, outcome)])
    assert result.converged
    assert 4.5 < result.coefficients[1] < 7.5


def test_unscaled_columns_converge(make_rows):
    row = make_rows((500,), binary=True)[0]
    plain = fit(LogisticModel(), PLAN, [row])
    scaled = fit(LogisticModel(), PLAN, [SiteRows("a", row.design * [1, 1e4, 1], row.outcome, row.weight)])
    assert scaled.coefficients[1] * 1e4 == pytest.approx(plain.coefficients[1], rel=1e-8)


def test_an_aliased_column_is_named(make_rows):
    rows = [
        SiteRows("a", np.column_stack([r.design, r.design[:, 1]]), r.outcome) for r in make_rows((50,), binary=True)
    ]
    with pytest.raises(EmberError, match="copy"):
        fit(LogisticModel(), Plan((*PLAN.names, "copy")), rows)


@pytest.mark.parametrize(
    "estimator", [pytest.param(LogisticModel(), id="ml"), pytest.param(FirthLogisticModel(), id="firth")]
)
def test_an_outcome_other_than_0_and_1_is_refused(make_rows, estimator):
    with pytest.raises(EmberError, match="0 or 1"):
        fit(estimator, PLAN, make_rows((30,)))


def test_too_few_steps_are_reported(make_rows):
    result = fit(LogisticModel(most_steps=1), PLAN, make_rows((80,), binary=True))
    assert not result.converged
    assert "not settled" in result.note


def test_firth_with_too_few_steps_is_reported(make_rows):
    result = fit(FirthLogisticModel(most_steps=1), PLAN, make_rows((80,), binary=True))
    assert not result.converged
