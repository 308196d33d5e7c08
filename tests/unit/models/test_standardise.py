"""Standardised risks: identities that hold by hand, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, SiteRows, fit
from ember.models.logistic import LogisticModel
from ember.models.standardise import CounterfactualRows, StandardisedRisks, log_risk_ratio, risk_difference

PLAN = Plan(("one", "arm"))
ARM = np.repeat([0.0, 1.0], [40, 50])
OUTCOME = np.concatenate([np.repeat([1.0, 0.0], [10, 30]), np.repeat([1.0, 0.0], [25, 25])])


def _designs(n: int = 90) -> tuple[np.ndarray, np.ndarray]:
    return np.column_stack([np.ones(n), np.zeros(n)]), np.column_stack([np.ones(n), np.ones(n)])


def _model():
    return fit(LogisticModel(), PLAN, [SiteRows("a", np.column_stack([np.ones(90), ARM]), OUTCOME)])


@pytest.mark.parametrize("variance", [pytest.param("fixed", id="fixed"), pytest.param("superpopulation", id="super")])
def test_without_covariates_it_is_the_two_by_two_table(variance):
    risks = fit(StandardisedRisks(_model(), variance=variance), PLAN, [CounterfactualRows("a", _designs())])
    difference, ratio = risk_difference(risks), log_risk_ratio(risks)
    assert risks.coefficients == pytest.approx([0.25, 0.5], rel=1e-9)
    assert difference.std_error == pytest.approx(np.sqrt(0.25 * 0.75 / 40 + 0.25 / 50), rel=1e-8)
    assert ratio.estimate == pytest.approx(np.log(2), rel=1e-8)
    assert ratio.std_error == pytest.approx(np.sqrt(0.75 / 10 + 0.5 / 25), rel=1e-8)


def test_splitting_people_over_sites_changes_nothing():
    control, treated = _designs()
    whole = fit(StandardisedRisks(_model()), PLAN, [CounterfactualRows("a", (control, treated))])
    parts = [
        CounterfactualRows("a", (control[:30], treated[:30])),
        CounterfactualRows("b", (control[30:], treated[30:])),
    ]
    split = fit(StandardisedRisks(_model()), PLAN, parts)
    assert split.coefficients == pytest.approx(whole.coefficients, rel=1e-12)
    assert split.covariance == pytest.approx(whole.covariance, rel=1e-10)


def test_weights_choose_the_population():
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    arm = rng.integers(0, 2, 200)
    design = np.column_stack([np.ones(200), arm, x])
    outcome = (rng.random(200) < 1 / (1 + np.exp(-(0.5 * arm + x)))).astype(float)
    plan = Plan(("one", "arm", "x"))
    model = fit(LogisticModel(), plan, [SiteRows("a", design, outcome)])
    pair = tuple(np.column_stack([np.ones(200), np.full(200, a), x]) for a in (0.0, 1.0))
    keep = (x > 0).astype(float)
    weighted = fit(StandardisedRisks(model), plan, [CounterfactualRows("a", pair, keep)])
    subset = fit(StandardisedRisks(model), plan, [CounterfactualRows("a", tuple(d[x > 0] for d in pair))])
    assert weighted.n == subset.n == int(keep.sum())
    assert weighted.covariance == pytest.approx(subset.covariance, rel=1e-10)


def test_a_model_that_did_not_converge_is_refused():
    separated = fit(LogisticModel(), PLAN, [SiteRows("a", np.column_stack([np.ones(90), ARM]), ARM)])
    with pytest.raises(EmberError, match="did not converge"):
        fit(StandardisedRisks(separated), PLAN, [CounterfactualRows("a", _designs())])


@pytest.mark.parametrize(
    ("designs", "words"),
    [
        pytest.param(_designs()[:1], "1 designs for 2 arms", id="one_arm"),
        pytest.param((_designs()[0], _designs(5)[1]), "shape", id="other_people"),
        pytest.param((_designs()[0], _designs()[1] * np.nan), "complete", id="missing"),
    ],
)
def test_wrong_designs_are_refused(designs, words):
    with pytest.raises(EmberError, match=words):
        fit(StandardisedRisks(_model()), PLAN, [CounterfactualRows("a", designs)])


def test_unknown_variance_is_refused():
    with pytest.raises(EmberError, match="no variance"):
        StandardisedRisks(_model(), variance="bootstrap")
