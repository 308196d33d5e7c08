"""Rows of the table of estimates: absent numbers are null, the declared family is adjusted and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ember.models.contract import Plan, Result, effect
from ember.models.estimate_rows import (
    adjustment_words,
    estimate_row,
    estimates_table,
    missing_row,
    pooled_details,
    site_effect,
)
from ember.models.meta_analysis import pool
from ember.tables.store import polars_schema
from tests.unit.models.analyses import plan

FAMILY = {"multiplicity": {"family": "primary", "method": "holm"}}
PLACE = {"level": "two_stage", "site": None, "estimand": "e", "scale": "reference_sd"}


def row(of, term="treatment:exposure", estimate=0.5, model=0, **details):
    return estimate_row(of, of.models[model], term, effect(estimate, 0.04, 20), **{**PLACE, **details})


def test_a_number_that_does_not_exist_is_null():
    of = plan()
    table = estimates_table([row(of, df=math.inf, pred_low=math.nan)], of, [])
    assert table["df"].to_list() == [None] and table["pred_low"].to_list() == [None]
    assert list(table.columns) == list(polars_schema("estimates"))


def test_no_rows_make_an_empty_table():
    assert estimates_table([], plan(**FAMILY), ["treatment:exposure"]).height == 0


def test_a_missing_row_has_a_reason_and_no_number_and_no_count():
    of = plan()
    (found,) = estimates_table([missing_row(of, of.models[0], "exposure", "why", **PLACE)], of, []).to_dicts()
    assert found["note"] == "why" and found["converged"] is False
    numbers = ("estimate", "std_error", "conf_low", "conf_high", "df", "statistic", "p_value", "n", "n_events")
    assert all(found[name] is None for name in numbers)


def test_only_the_pooled_headline_of_the_first_model_is_adjusted():
    first, second = {"id": "a", "family": "ancova", "pool": "two_stage"}, {"id": "b", "family": "ancova"}
    of = plan(first, second, **FAMILY)
    rows = [row(of), row(of, level="site", site="alfa"), row(of, term="treatment"), row(of, model=1)]
    adjusted = estimates_table(rows, of, ["treatment:exposure"])["p_adjusted"]
    assert [value is None for value in adjusted] == [False, True, True, True]


def test_a_model_that_keeps_sites_apart_is_adjusted_over_its_sites():
    of = plan({"id": "a", "family": "ancova", "pool": "by_site"}, **FAMILY)
    rows = [row(of, estimate=value, level="site", site=site) for site, value in (("alfa", 0.5), ("beta", 0.3))]
    table = estimates_table(rows, of, ["treatment:exposure"])
    p = table["p_value"].to_list()
    assert table["p_adjusted"].to_list() == pytest.approx([2 * p[0], max(2 * p[0], p[1])])


def test_a_headline_that_was_not_fitted_does_not_count_in_the_family():
    of = plan({"id": "a", "family": "ancova", "pool": "by_site"}, **FAMILY)
    gone = missing_row(of, of.models[0], "treatment:exposure", "why", **{**PLACE, "level": "site", "site": "beta"})
    table = estimates_table([row(of, level="site", site="alfa"), gone], of, ["treatment:exposure"])
    assert table["p_adjusted"].to_list() == [table["p_value"][0], None]


def test_without_a_family_nothing_is_adjusted():
    of = plan()
    assert estimates_table([row(of)], of, ["treatment:exposure"])["p_adjusted"].null_count() == 1


def test_pooled_details_of_one_site_have_no_heterogeneity():
    details = pooled_details(pool([0.2], [0.1]))
    assert details["n_sites"] == 1 and math.isnan(details["tau2"]) and "One site" in details["note"]


def test_columns_constant_within_sites_have_their_own_degrees_of_freedom():
    extras = {"between": np.array([1.0, 0.0]), "df_between": 3.0}
    result = Result(Plan(("a", "b")).names, np.array([1.0, 2.0]), np.eye(2), 90.0, 100, extras=extras)
    assert (site_effect(result, "a").df, site_effect(result, "b").df) == (3.0, 90.0)


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        pytest.param({"family": "ancova", "covariates": ["age"]}, {}, "baseline score + age", id="baseline_and_age"),
        pytest.param(
            {"family": "ancova"},
            {"outcome": {"construct": "severity", "visit": "v", "scale": "points"}},
            "none",
            id="nothing",
        ),
    ],
)
def test_adjustment_in_words(model, changes, words):
    of = plan({"id": "m", **model}, **changes)
    assert adjustment_words(of, of.models[0]) == words
