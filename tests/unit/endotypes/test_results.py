"""The result that stands for a participant."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ember.endotypes.results import filled, results_at, standard_limits, values
from ember.errors import EmberError
from tests.unit.endotypes.frames import measurements, people, result


def test_the_first_usable_replicate_stands_and_order_is_the_roster() -> None:
    table = measurements(
        result("a", "p2", None),
        result("a", "p2", 4.0, replicate=2),
        result("a", "p2", 5.0, replicate=3),
        result("a", "p1", 7.0, visit="week_4"),
        result("b", "p1", 8.0),
    )
    found = results_at(people("a", "a"), table, "hscrp", "baseline")
    np.testing.assert_array_equal(values(found), [math.nan, 4.0])
    assert found["row_id"].to_list() == [None, 2]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        pytest.param("fill_lod_sqrt2", 0.2 / math.sqrt(2), id="over the root of two"),
        pytest.param("fill_lod_half", 0.1, id="half"),
        pytest.param("fill_lod", 0.2, id="the limit"),
    ],
)
def test_only_left_censored_values_are_filled(method: str, expected: float) -> None:
    table = measurements(
        result("a", "p1", 0.2, censoring="left"), result("a", "p2", 10.0, censoring="right"), result("a", "p3", 0.2)
    )
    found = results_at(people("a", "a", "a"), table, "hscrp", "baseline")
    np.testing.assert_allclose(filled(found, method), [expected, 10.0, 0.2], rtol=1e-15)


def test_unknown_fill_is_refused() -> None:
    with pytest.raises(EmberError, match="fill_zero"):
        filled(results_at(people("a"), measurements(result("a", "p1", 1.0)), "hscrp", "baseline"), "fill_zero")


def test_limits_of_standard_assays_alone_matter() -> None:
    table = measurements(
        result("a", "p1", 5.0),
        result("a", "p2", 5.0, assay="turbid", assay_class="standard"),
        result("a", "p3", 5.0, assay="unstated", assay_class="standard"),
        result("a", "p4", 5.0, assay=None, assay_class="standard"),
    )
    found = results_at(people("a", "a", "a", "a"), table, "hscrp", "baseline")
    np.testing.assert_array_equal(standard_limits(found), [-math.inf, 4.0, math.nan, math.nan])
