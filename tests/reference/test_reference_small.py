"""Multiplicity and the spline basis against R: closed forms, 1e-10."""

from __future__ import annotations

import numpy as np
import pytest

from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel
from ember.models.multiplicity import adjust
from ember.models.spline import basis, default_knots


@pytest.mark.parametrize(
    "method", [pytest.param(name, id=name) for name in ("holm", "benjamini_hochberg", "bonferroni")]
)
def test_equals_p_adjust(witness, method):
    expected = witness("small")
    p = np.array([np.nan if value is None else value for value in expected["p"]])
    wanted = np.array([np.nan if value is None else value for value in expected[method]])
    assert adjust(p, method) == pytest.approx(wanted, rel=1e-12, nan_ok=True)


def test_basis_and_knots(witness):
    expected = witness("small")
    assert basis(np.array(expected["x"], dtype=float), expected["knots"]) == pytest.approx(
        np.array(expected["basis"]), rel=1e-10, abs=1e-12
    )
    assert default_knots(np.array(expected["values"])) == pytest.approx(expected["quantiles"], rel=1e-12)


def test_basis_spans_the_natural_splines(witness):
    expected = witness("small")
    columns = basis(np.array(expected["x"], dtype=float), expected["knots"])
    design = np.column_stack([np.ones(columns.shape[0]), columns])
    result = fit(LinearModel(), Plan(("one", "x", "x1", "x2")), [SiteRows("a", design, np.array(expected["y"]))])
    assert design @ result.coefficients == pytest.approx(expected["fitted_ns"], rel=1e-8)
