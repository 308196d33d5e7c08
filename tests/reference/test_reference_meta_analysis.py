"""Two-stage pooling against metafor and against published results."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.meta_analysis import pool

TRIALS = ("bcg", "linde2005", "depression_mortality", "homogeneous", "two")
MODELS = {
    "reml": {"tau2": "reml", "interval": "normal"},
    "reml_knha": {"tau2": "reml", "interval": "hartung_knapp"},
    "reml_adhoc": {"tau2": "reml", "interval": "hartung_knapp", "floor": True},
    "dl": {"tau2": "dersimonian_laird", "interval": "normal"},
    "dl_knha": {"tau2": "dersimonian_laird", "interval": "hartung_knapp"},
    "pm_knha": {"tau2": "paule_mandel", "interval": "hartung_knapp"},
    "ee": {"tau2": "equal_effects", "interval": "normal"},
}


@pytest.mark.parametrize("trials", [pytest.param(name, id=name) for name in TRIALS])
@pytest.mark.parametrize("model", [pytest.param(name, id=name) for name in MODELS])
def test_equals_metafor(witness, trials, model):
    data = witness("meta_analysis")[trials]
    expected = data[model]
    rel = 1e-6 if model.startswith(("reml", "pm")) else 1e-8
    pooled = pool(data["yi"], np.sqrt(data["vi"]), **MODELS[model])
    near = {"rel": rel, "abs": 1e-9}
    assert pooled.tau2 == pytest.approx(expected["tau2"], **near)
    assert pooled.effect.estimate == pytest.approx(expected["estimate"], **near)
    assert pooled.effect.std_error == pytest.approx(expected["std_error"], **near)
    assert pooled.effect.p_value == pytest.approx(expected["p_value"], **near)
    assert pooled.effect.conf_low == pytest.approx(expected["conf_low"], **near)
    assert pooled.effect.conf_high == pytest.approx(expected["conf_high"], **near)
    assert pooled.i2_tau2 == pytest.approx(expected["i2"], rel=rel, abs=1e-7)
    assert pooled.q == pytest.approx(expected["q"], **near)
    assert pooled.q_p_value == pytest.approx(expected["q_p"], **near)
    assert pooled.weights == pytest.approx(expected["weights"], rel=rel)
    if "prediction_low" in expected:
        assert pooled.prediction_low == pytest.approx(expected["prediction_low"], **near)
        assert pooled.prediction_high == pytest.approx(expected["prediction_high"], **near)
    if "tau2_se" in expected:
        assert pooled.tau2_std_error == pytest.approx(expected["tau2_se"], rel=1e-5)
        # metafor stops looking for the upper limit at 100, or at the data's own bound.
        assert pooled.tau2_low == pytest.approx(expected["tau2_low"], rel=1e-4, abs=1e-5)
        if expected["tau2_high"] < 99:
            assert pooled.tau2_high == pytest.approx(expected["tau2_high"], rel=1e-4, abs=1e-5)


def test_published_bcg(witness):
    # Published in metafor's documentation, to the digits given there.
    data = witness("meta_analysis")["bcg"]
    se = np.sqrt(data["vi"])
    reml = pool(data["yi"], se, interval="normal")
    assert (round(reml.effect.estimate, 4), round(reml.effect.std_error, 4)) == (-0.7145, 0.1798)
    assert (round(reml.tau2, 4), round(reml.q, 4), reml.q_df) == (0.3132, 152.2330, 12)
    assert np.round(np.exp([reml.prediction_low, reml.prediction_high]), 3).tolist() == [0.155, 1.549]
    assert (round(reml.i2_tau2, 2), round(reml.i2_q, 2)) == (92.22, 92.12)
    knapp = pool(data["yi"], se)
    assert np.round(np.exp([knapp.prediction_low, knapp.prediction_high]), 3).tolist() == [0.136, 1.763]
    dl = pool(data["yi"], se, tau2="dersimonian_laird", interval="normal")
    assert (round(dl.effect.estimate, 4), round(dl.tau2, 4)) == (-0.7141, 0.3088)
    equal = pool(data["yi"], se, tau2="equal_effects", interval="normal").effect
    assert [round(x, 4) for x in (equal.estimate, equal.conf_low, equal.conf_high)] == [-0.4303, -0.5097, -0.3509]


def _log_risk_ratios(a, n1, c, n2):
    """Log risk ratios and standard errors; 1/2 is added to every cell of a table with an empty one."""
    a, n1, c, n2 = (np.asarray(values, dtype=float) for values in (a, n1, c, n2))
    empty = (a == 0) | (c == 0) | (a == n1) | (c == n2)
    a, c, n1, n2 = a + 0.5 * empty, c + 0.5 * empty, n1 + empty, n2 + empty
    return np.log((a / n1) / (c / n2)), np.sqrt(1 / a - 1 / n1 + 1 / c - 1 / n2)


def test_published_linde2005(real_data, witness):
    frame = pl.read_csv(real_data / "meta_analysis" / "metadat_dat.linde2005.csv", null_values="").drop_nulls("ai")
    y, se = _log_risk_ratios(frame["ai"], frame["n1i"], frame["ci"], frame["n2i"])
    assert y.tolist() == pytest.approx(witness("meta_analysis")["linde2005"]["yi"], rel=1e-12)
    # A trial without a response in either group says nothing about their ratio, and the published figures leave it out.
    usable = ((frame["ai"] > 0) | (frame["ci"] > 0)).to_numpy()
    pooled = pool(y[usable], se[usable], tau2="dersimonian_laird", interval="normal")
    assert pooled.k == 23
    assert [round(x, 4) for x in (pooled.effect.estimate, pooled.effect.conf_low, pooled.effect.conf_high)] == [
        0.5574, 0.3610, 0.7537,
    ]  # fmt: skip
    assert (round(pooled.tau2, 4), round(pooled.q, 4)) == (0.1413, 84.4155)


def test_published_depression_and_mortality(real_data):
    frame = pl.read_csv(real_data / "meta_analysis" / "dmetar_DepressionMortality.csv")
    y, se = _log_risk_ratios(frame["event.e"], frame["n.e"], frame["event.c"], frame["n.c"])
    pooled = pool(y, se, tau2="paule_mandel")
    low, middle, high = np.exp([pooled.effect.conf_low, pooled.effect.estimate, pooled.effect.conf_high])
    assert [round(x, 4) for x in (middle, low, high)] == [2.0217, 1.5786, 2.5892]
    assert (round(pooled.tau2, 4), round(pooled.q, 2), round(pooled.i2_q, 1)) == (0.1865, 74.49, 77.2)
