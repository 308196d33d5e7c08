"""Published variability within persons: multiplicative or refused."""

from __future__ import annotations

import math

import pytest

from ember.endotypes.usual_level.published import ln_sd
from ember.errors import EmberError

ROW = {"within_person": "one", "measure": "cv", "value": "0.42", "unit": "1", "includes_assay": "true"}


def test_a_coefficient_of_variation_becomes_an_sd_of_the_logarithm():
    assert ln_sd(ROW, None) == pytest.approx(math.sqrt(math.log(1 + 0.42**2)))


def test_the_assay_is_added_where_it_is_left_out():
    row = {**ROW, "includes_assay": "false"}
    assert ln_sd(row, 0.1) == pytest.approx(math.sqrt(math.log(1 + 0.42**2) + math.log(1 + 0.1**2)))
    assert ln_sd(ROW, 0.1) == ln_sd(ROW, None)


def test_an_sd_of_the_logarithm_stands_as_it_is():
    assert ln_sd({**ROW, "measure": "ln_sd"}, None) == pytest.approx(0.42)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        pytest.param({"measure": "sd", "unit": "mg/L"}, "additive", id="SD in mg/L"),
        pytest.param({"includes_assay": "false"}, "assay", id="assay left out"),
    ],
)
def test_refused(row, said):
    with pytest.raises(EmberError, match=said):
        ln_sd({**ROW, **row}, None)
