"""Linear models against R's lm and sandwich: closed forms, relative tolerance 1e-8."""

from __future__ import annotations

import numpy as np
import pytest

from ember.models.contract import contrast, fit, single
from ember.models.distributions import critical_value, two_sided_p
from ember.models.linear import COVARIANCES, LinearModel
from tests.reference.trial_rows import plan, site_rows, witness_order

CLOSED = 1e-8


@pytest.mark.parametrize("covariance", [pytest.param(name, id=name) for name in COVARIANCES if name != "cr2"])
@pytest.mark.parametrize("weights", [pytest.param(False, id="plain"), pytest.param(True, id="weighted")])
def test_equals_lm_and_sandwich(witness, table, covariance, weights):
    frame = table("trial")
    expected = witness("linear")["weighted" if weights else "plain"]
    result = fit(LinearModel(covariance), plan(frame), site_rows(frame, "outcome", weighted=weights))
    order = witness_order(result.names, expected["names"])
    assert result.coefficients == pytest.approx(np.array(expected["coefficients"])[order], rel=CLOSED)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(np.array(expected[covariance])[order], rel=CLOSED)
    assert np.sqrt(result.scale) == pytest.approx(expected["sigma"], rel=CLOSED)
    assert result.log_likelihood == pytest.approx(expected["log_likelihood"], rel=CLOSED)


def test_p_values_and_intervals_equal_lm(witness, table):
    frame = table("trial")
    expected = witness("linear")["plain"]
    result = fit(LinearModel(), plan(frame), site_rows(frame, "outcome"))
    assert result.df_residual == expected["df"]
    for name in result.names:
        place = expected["names"].index(name)
        effect = single(result, name)
        assert effect.p_value == pytest.approx(expected["p_value"][place], rel=1e-7)
        assert effect.conf_low == pytest.approx(expected["conf_low"][place], rel=CLOSED)
        assert effect.conf_high == pytest.approx(expected["conf_high"][place], rel=CLOSED)


def test_fixed_sites_with_hc3(witness, table):
    frame = table("trial")
    expected = witness("linear")["fixed"]
    result = fit(LinearModel("hc3"), plan(frame, fixed_sites=True), site_rows(frame, "outcome", fixed_sites=True))
    order = witness_order(result.names, expected["names"])
    assert result.coefficients == pytest.approx(np.array(expected["coefficients"])[order], rel=CLOSED)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(np.array(expected["hc3"])[order], rel=CLOSED)


def test_cluster_covariance_has_clusters_minus_one_df(table):
    frame = table("trial")
    result = fit(LinearModel("cr1"), plan(frame), site_rows(frame, "outcome"))
    vector = [0, 0, 0, 1, 0, 0]
    assert contrast(result, vector).df == 5
    assert contrast(result, vector).conf_low < contrast(result, vector, "normal").conf_low


def test_tails_and_quantiles(witness):
    expected = witness("linear")["t_tail"]
    assert [two_sided_p(t, expected["df"]) for t in expected["t"]] == pytest.approx(expected["p"], rel=1e-10)
    assert [critical_value(df) for df in (1, 2, 3.5, 11, 4000)] == pytest.approx(expected["q"], rel=1e-10)


def _brute_force_cr2(x, y, cluster, vector):
    """CR2 and its Satterthwaite df by their definitions, with n x n matrices (Pustejovsky and Tipton 2018)."""
    bread = np.linalg.inv(x.T @ x)
    residual_maker = np.eye(len(y)) - x @ bread @ x.T
    residual = residual_maker @ y
    middle, columns = 0, []
    for label in np.unique(cluster):
        inside = np.flatnonzero(cluster == label)
        values, vectors = np.linalg.eigh(residual_maker[np.ix_(inside, inside)])
        root = np.where(values > 1e-8, 1 / np.sqrt(np.maximum(values, 1e-8)), 0)
        adjusted = x[inside].T @ ((vectors * root) @ vectors.T)
        score = adjusted @ residual[inside]
        middle = middle + np.outer(score, score)
        columns.append(residual_maker[:, inside] @ adjusted.T @ bread @ vector)
    gram = np.array(columns) @ np.array(columns).T
    return bread @ middle @ bread, np.trace(gram) ** 2 / (gram**2).sum()


@pytest.mark.parametrize("fixed_sites", [pytest.param(False, id="plain"), pytest.param(True, id="fixed_sites")])
@pytest.mark.parametrize("weights", [pytest.param(False, id="unweighted"), pytest.param(True, id="weighted")])
def test_cr2_equals_its_definition(table, fixed_sites, weights):
    # clubSandwich is not at hand: the definition is written out over the rows.
    frame = table("trial")
    rows = site_rows(frame, "outcome", fixed_sites=fixed_sites, weighted=weights)
    result = fit(LinearModel("cr2"), plan(frame, fixed_sites=fixed_sites), rows)
    root = np.sqrt(np.concatenate([r.weight if weights else np.ones(r.outcome.size) for r in rows]))
    x = np.vstack([r.design for r in rows]) * root[:, None]
    y = np.concatenate([r.outcome for r in rows]) * root
    vector = np.zeros(len(result.names))
    vector[result.names.index("arm:log2crp")] = 1.0
    covariance, df = _brute_force_cr2(x, y, np.repeat([r.site for r in rows], [r.outcome.size for r in rows]), vector)
    found = single(result, "arm:log2crp")
    assert found.std_error == pytest.approx(np.sqrt(vector @ covariance @ vector), rel=1e-7)
    assert found.df == pytest.approx(df, rel=1e-7)
    assert found.df < 5
