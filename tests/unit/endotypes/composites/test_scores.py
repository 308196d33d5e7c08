"""z scores within groups and their mean."""

from __future__ import annotations

import numpy as np
import polars as pl

from ember.endotypes.composites.scores import group_numbers, mean_of_present, z_of_ln

NAN = float("nan")


def test_z_has_mean_0_and_sd_1_in_each_group() -> None:
    value = np.exp(np.array([1.0, 10.0, 2.0, 30.0, 3.0, 20.0]))
    group = np.array([0, 1, 0, 1, 0, 1])
    z = z_of_ln(value, group, np.ones(6, bool))
    np.testing.assert_allclose(z, [-1, -1, 0, 1, 1, 0], atol=1e-12)


def test_z_is_missing_without_spread_or_value() -> None:
    value = np.array([2.0, 2.0, 5.0, NAN, 0.0])
    z = z_of_ln(value, np.array([0, 0, 1, 0, 0]), np.ones(5, bool))
    assert np.isnan(z).all()


def test_z_leaves_out_rows_that_do_not_count() -> None:
    value = np.exp(np.array([1.0, 2.0, 3.0, 50.0]))
    z = z_of_ln(value, np.zeros(4, int), np.array([True, True, True, False]))
    np.testing.assert_allclose(z[:3], [-1, 0, 1], atol=1e-12)
    assert np.isnan(z[3])


def test_groups_are_numbered_by_first_row_and_null_is_a_group() -> None:
    frame = pl.DataFrame({"site": ["b", "a", "b", "b"], "assay": ["x", None, None, "x"]})
    assert group_numbers(frame, ["site", "assay"]).tolist() == [0, 1, 2, 0]


def test_mean_counts_what_is_there_and_keeps_to_the_minimum() -> None:
    scores = [np.array([1.0, 1.0, NAN]), np.array([3.0, NAN, NAN])]
    for minimum, expected in ((1, [2.0, 1.0, NAN]), (2, [2.0, NAN, NAN])):
        mean, number = mean_of_present(scores, minimum)
        np.testing.assert_array_equal(mean, expected)
        assert number.tolist() == [2, 1, 0]
