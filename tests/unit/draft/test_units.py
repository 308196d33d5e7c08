from __future__ import annotations

import numpy as np
import pytest

from ember.draft.units import fitting_units, is_doubtful, stated_unit

CRP = np.exp(np.random.default_rng(1).normal(0.614, 1.36, 400))


@pytest.mark.parametrize(
    ("text", "analyte", "unit"),
    [
        pytest.param("CRP (mg/L)", "hscrp", "mg/L", id="in brackets"),
        pytest.param("C-reactive protein, nmol/L", "hscrp", "nmol/L", id="after a comma"),
        pytest.param("crp_mg_l", "hscrp", "mg/L", id="at the end of a name"),
        pytest.param("IL6_pgml-1", "il6", "pg/mL", id="with an exponent"),
        pytest.param("CRP [mg/dl]", "hscrp", "mg/dL", id="another spelling"),
        pytest.param("WBC (1000 cells/uL)", "wbc", "10*3/uL", id="with a factor"),
        pytest.param("Neutrophils (1000 widgets/uL)", "neutrophils", None, id="a factor of something else"),
        pytest.param("Neutrophils 1000 cells/uL", "neutrophils", "10*3/uL", id="a factor without brackets"),
        pytest.param("Neutrophils 77 /uL", "neutrophils", None, id="a number before the unit"),
        pytest.param("CRP", "hscrp", None, id="nothing said"),
        pytest.param("CRP (serum)", "hscrp", None, id="brackets without a unit"),
        pytest.param("Age (y)", None, "a", id="years"),
        pytest.param("Age in months", None, "mo", id="months"),
        pytest.param("IDADE (anos)", None, "a", id="Portuguese years"),
        pytest.param("BMI (kg/m**2)", None, "kg/m2", id="body mass index"),
        pytest.param("BMI", None, None, id="a body mass index that says nothing"),
    ],
)
def test_a_unit_is_what_the_words_say(text, analyte, unit, tools):
    found = stated_unit(text, "header", tools.spellings[analyte])
    assert (found.unit if found else None) == unit


def test_values_alone_only_raise_candidates(registry):
    assert fitting_units(CRP, "hscrp", registry)[0] in {"mg/L", "ug/mL"}
    assert fitting_units(CRP / 10, "hscrp", registry) == ["mg/dL"]
    assert fitting_units(CRP, "il8", registry) == []


@pytest.mark.parametrize(
    ("factor", "unit", "doubtful"),
    [
        pytest.param(1, "mg/L", False, id="as it should be"),
        pytest.param(1, "mg/dL", True, id="ten times too much"),
        pytest.param(0.1, "mg/L", True, id="ten times too little"),
        pytest.param(9.5, "nmol/L", False, id="without a fixed factor nothing is said"),
    ],
)
def test_a_stated_unit_is_held_against_the_values(factor, unit, doubtful, registry):
    assert is_doubtful(CRP * factor, "hscrp", unit, registry) is doubtful


def test_few_values_say_nothing(registry):
    assert not is_doubtful(CRP[:5], "hscrp", "mg/dL", registry)
