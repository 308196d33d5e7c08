"""Logistic models and standardised risks against R's glm and sandwich; Firth against brute force."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import optimize

from ember.models.contract import Plan, SiteRows, fit
from ember.models.firth import FirthLogisticModel
from ember.models.logistic import LogisticModel
from ember.models.standardise import CounterfactualRows, StandardisedRisks, log_risk_ratio, risk_difference
from tests.reference.trial_rows import design, plan, site_rows, witness_order

ITERATIVE = 1e-6
"""Relative; the witness runs to a deviance change of 1e-15."""


@pytest.mark.parametrize("covariance", [pytest.param(name, id=name) for name in ("classical", "hc0", "cr1")])
@pytest.mark.parametrize("weights", [pytest.param(False, id="plain"), pytest.param(True, id="weighted")])
def test_equals_glm(witness, table, covariance, weights):
    frame = table("trial")
    expected = witness("logistic")["weighted" if weights else "plain"]
    result = fit(LogisticModel(covariance), plan(frame), site_rows(frame, "response", weighted=weights))
    order = witness_order(result.names, expected["names"])
    assert result.converged
    assert result.coefficients == pytest.approx(np.array(expected["coefficients"])[order], rel=ITERATIVE)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(np.array(expected[covariance])[order], rel=ITERATIVE)
    assert -2 * result.log_likelihood == pytest.approx(expected["deviance"], rel=1e-10)


def _counterfactuals(frame):
    sites = frame["site"].unique(maintain_order=True).to_list()
    parts = [frame.filter(pl.col("site") == site) for site in sites]
    return [CounterfactualRows(s, (design(p, 0), design(p, 1))) for s, p in zip(sites, parts, strict=True)]


@pytest.mark.parametrize(
    ("variance", "suffix"),
    [pytest.param("fixed", "", id="fixed"), pytest.param("superpopulation", "_super", id="super")],
)
def test_standardised_risks(witness, table, variance, suffix):
    # The witness differentiates the mean prediction numerically: standard errors to 1e-6.
    frame = table("trial")
    expected = witness("logistic")["standardised"]
    model = fit(LogisticModel(), plan(frame), site_rows(frame, "response"))
    risks = fit(StandardisedRisks(model, variance=variance), plan(frame), _counterfactuals(frame))
    assert risks.coefficients == pytest.approx([expected["control"], expected["treated"]], rel=1e-8)
    difference, ratio = risk_difference(risks), log_risk_ratio(risks)
    assert difference.estimate == pytest.approx(expected["difference"], rel=1e-8)
    assert ratio.estimate == pytest.approx(expected["log_ratio"], rel=1e-8)
    assert difference.std_error == pytest.approx(expected[f"difference_se{suffix}"], rel=ITERATIVE)
    assert ratio.std_error == pytest.approx(expected[f"log_ratio_se{suffix}"], rel=ITERATIVE)


def _penalised(beta, x, y):
    eta = x @ beta
    risk = 1 / (1 + np.exp(-eta))
    information = (x * (risk * (1 - risk))[:, None]).T @ x
    return -(y @ eta - np.logaddexp(0, eta).sum() + 0.5 * np.linalg.slogdet(information)[1])


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(lambda frame: frame["response"].to_numpy(), id="ordinary"),
        pytest.param(lambda frame: (frame["arm"] * (frame["log2crp"] > 0.5)).to_numpy(), id="quasi_separated"),
    ],
)
def test_firth_maximises_the_penalised_likelihood(table, response):
    # No R package for Firth is at hand: the penalised likelihood is maximised by brute force, tolerance 1e-5.
    frame = table("trial").head(80)
    frame = frame.with_columns(y=pl.Series(response(frame)))
    x = design(frame)[:, [0, 3, 4]]
    x[:, 2] -= x[:, 2].mean()
    y = frame["y"].to_numpy().astype(float)
    result = fit(FirthLogisticModel(), Plan(("one", "arm", "crp")), [SiteRows("all", x, y)])
    best = optimize.minimize(_penalised, np.zeros(3), (x, y), method="BFGS", options={"gtol": 1e-9})
    assert result.converged
    assert result.coefficients == pytest.approx(best.x, abs=1e-5)
    assert result.extras["penalised_log_likelihood"] == pytest.approx(-best.fun, rel=1e-10)


def test_firth_of_a_two_by_two_table_adds_one_half():
    # For a saturated 2 x 2 table Firth's estimate is the log odds ratio with 1/2 added to every cell.
    arm = np.repeat([0.0, 1.0], [13, 11])
    y = np.concatenate([np.zeros(13), np.repeat([1.0, 0.0], [4, 7])])
    result = fit(FirthLogisticModel(), Plan(("one", "arm")), [SiteRows("a", np.column_stack([np.ones(24), arm]), y)])
    assert result.coefficients[1] == pytest.approx(np.log((4.5 / 7.5) / (0.5 / 13.5)), rel=1e-8)
