"""What may leave: counts in all tables together, and what is computed from them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.consortium.disclosure import WITHHELD, Profile, profile_of, protect, rounded
from ember.registry.load import load_study
from ember.tables.store import conform, polars_schema
from tests.unit.reporting.invented import invented_tables

SACRO = Profile("sacro", 10, 0, 10)
PUBLIC = Profile("public", 0, 0, 0)
OPENSAFELY = Profile("opensafely", 8, 5, 0)


def quality(present: int, expected: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "site": ["porto"],
            "table": ["participants"],
            "variable": ["age"],
            "visit": [""],
            "n_expected": [expected],
            "n_present": [present],
            "n_excluded": [0],
            "n_quarantined": [0],
            "n_flagged": [0],
            "share_present": [present / expected],
        }
    )


@pytest.mark.parametrize(
    ("present", "shown"),
    [
        pytest.param(9, False, id="nine_present"),
        pytest.param(10, True, id="ten_present"),
        pytest.param(11, True, id="eleven_present"),
        pytest.param(89, True, id="eleven_absent"),
        pytest.param(90, True, id="ten_absent"),
        pytest.param(91, False, id="nine_absent"),
        pytest.param(100, True, id="none_absent"),
        pytest.param(0, True, id="none_present"),
    ],
)
def test_a_share_is_shown_only_with_its_count_and_complement(present: int, shown: bool) -> None:
    row = protect({"quality": quality(present)}, SACRO)["quality"].row(0, named=True)
    assert row["n_present"] == (present if shown else None)
    assert row["share_present"] == (pytest.approx(present / 100) if shown else None)
    assert row["n_expected"] == 100


def estimate(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(polars_schema("estimates"))
    return (
        row
        | {
            "analysis": "a",
            "model_id": "m",
            "estimand": "e",
            "population": "p",
            "outcome": "o",
            "term": "t",
            "level": "site",
            "site": "porto",
            "adjustment": "none",
            "missing_data_method": "complete_cases",
            "scale": "points",
            "estimate": 1.0,
            "std_error": 0.5,
            "df": 40.0,
            "n": 50,
            "n_participants": 50,
            "converged": True,
            "note": "",
            "plan_hash": "0",
        }
        | values
    )


def protected_estimates(*rows: dict[str, Any], profile: Profile = SACRO) -> list[dict[str, Any]]:
    schema = polars_schema("estimates")
    frame = conform(pl.DataFrame({name: [row[name] for row in rows] for name in schema}, schema=schema), "estimates")
    return protect({"estimates": frame}, profile)["estimates"].to_dicts()


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        pytest.param({"n": 9, "n_participants": 9, "df": None}, False, id="nine_people"),
        pytest.param({"n": 10, "n_participants": 10, "df": None}, True, id="ten_people"),
        pytest.param({"df": 9.0}, False, id="nine_residual_degrees"),
        pytest.param({"df": 10.0}, True, id="ten_residual_degrees"),
        pytest.param({"df": 3.0, "level": "two_stage", "site": None}, True, id="degrees_that_count_sites"),
        pytest.param({"scale": "proportion", "n_events": 9}, False, id="share_of_nine_events"),
        pytest.param({"scale": "proportion", "n_events": 41}, False, id="share_with_nine_others"),
        pytest.param({"scale": "proportion", "n_events": 25}, True, id="share_of_many"),
        pytest.param({"scale": "log_odds_ratio", "n_events": 9}, True, id="odds_ratio_keeps_its_numbers"),
    ],
)
def test_estimates_lose_their_numbers(values: dict[str, Any], shown: bool) -> None:
    (row,) = protected_estimates(estimate(**values))
    assert (row["estimate"] is not None) is shown
    assert (row["note"] == WITHHELD) is not shown


def test_events_and_their_complement_are_hidden() -> None:
    for events in (9, 41):
        (row,) = protected_estimates(estimate(scale="log_odds_ratio", n_events=events))
        assert row["n_events"] is None


def test_one_withheld_site_of_a_pooled_estimate_takes_the_next_smallest_with_it() -> None:
    sites = [estimate(site=site, n=n, n_participants=n) for site, n in (("a", 5), ("b", 60), ("c", 70))]
    pooled = estimate(site=None, level="two_stage", n=135, n_participants=135, df=2.0)
    rows = protected_estimates(*sites, pooled)
    assert [row["estimate"] is None for row in rows] == [True, True, False, False]


def test_the_smallest_profile_changes_nothing() -> None:
    study, registry = load_study("demo")
    tables = invented_tables(study, registry)
    protected = protect(tables, PUBLIC)
    for name in ("flow", "quality", "rules", "accounting", "estimates", "curves", "findings", "gates"):
        assert protected[name].equals(tables[name]), name


def test_no_small_count_is_left_in_any_table() -> None:
    study, registry = load_study("demo")
    protected = protect(invented_tables(study, registry), profile_of(registry, "sacro"))
    counted = {
        "flow": ["n"],
        "quality": ["n_expected", "n_present", "n_excluded", "n_quarantined", "n_flagged"],
        "harmonisation": ["n", "n_below", "n_above"],
        "distributions": ["n"],
        "endotypes": ["n", "total"],
        "characteristics": ["n"],
        "rules": ["n"],
        "findings": ["n"],
        "gates": ["n_checked", "n_failed"],
        "inputs": ["rows"],
        "accounting": ["n_in", "n_created", "n_out", "n_collapsed", "n_quarantined", "n_excluded"],
        "estimates": ["n", "n_participants", "n_events"],
    }
    for table, columns in counted.items():
        for column in columns:
            assert protected[table].filter(pl.col(column).is_between(1, 9)).is_empty(), (table, column)


def test_a_gate_does_not_tell_what_a_hidden_completeness_hides() -> None:
    gate = {
        "stage": "standardised",
        "site": "porto",
        "category": "plausibility",
        "table": "participants",
        "column": "age",
        "severity": "error",
        "n_failed": 0,
        "passed": True,
        "title": "…",
    }
    gates = conform(
        pl.DataFrame([gate | {"rule": "key", "n_checked": 100}, gate | {"rule": "age", "n_checked": 99}]), "gates"
    )
    protected = protect({"quality": quality(99), "gates": gates}, SACRO)
    assert protected["quality"]["n_present"].to_list() == [None]
    assert protected["gates"]["n_checked"].to_list() == [100, None]


def test_a_message_goes_with_its_count() -> None:
    row = {
        "finding": "unit:porto:hscrp:L3",
        "stage": "harmonise_site",
        "site": "porto",
        "rule_id": "r",
        "severity": "error",
        "answered": False,
        "action": None,
        "reason": None,
    }
    table = pl.DataFrame(
        [
            row | {"finding": "a:b:c", "n": 9, "message": "9 values"},
            row | {"finding": "a:b:d", "n": 85, "message": "10 times higher (n 85 v 502)"},
            row | {"finding": "a:b:e", "n": 85, "message": "10 times higher (n 85 v 5)"},
        ],
        schema_overrides={"action": pl.String, "reason": pl.String},
    )
    found = protect({"findings": conform(table, "findings")}, SACRO)["findings"]
    assert found["n"].to_list() == [None, 85, 85]
    assert found["message"].to_list() == [WITHHELD, "10 times higher (n 85 v 502)", WITHHELD]


def trait(variable: str, n: int, level: str = "", mean: float | None = None) -> dict[str, Any]:
    return {
        "group_by": "site",
        "group": "porto",
        "variable": variable,
        "label": variable,
        "level": level,
        "unit": "",
        "n": n,
        "share": n / 100 if level else None,
        "mean": mean,
        "sd": mean,
    }


@pytest.mark.parametrize(
    ("n", "n_shown", "mean"),
    [
        pytest.param(9, None, None, id="mean_of_nine"),
        pytest.param(10, 10, 12.3, id="mean_of_ten"),
        pytest.param(95, None, 12.3, id="mean_with_five_missing"),
    ],
)
def test_means_stand_on_enough_people_and_are_coarse(n: int, n_shown: int | None, mean: float | None) -> None:
    table = pl.DataFrame([trait("participants", 100), trait("age", n, mean=12.3456)])
    row = protect({"characteristics": table}, SACRO)["characteristics"].row(1, named=True)
    assert (row["n"], row["mean"], row["sd"]) == (n_shown, mean, mean)


@pytest.mark.parametrize(
    ("count", "base", "expected"),
    [
        pytest.param(12, 5, 10, id="down"),
        pytest.param(13, 5, 15, id="up"),
        pytest.param(0, 5, 0, id="zero"),
        pytest.param(13, 0, 13, id="no_rounding"),
    ],
)
def test_rounding(count: int, base: int, expected: int) -> None:
    assert rounded(count, base) == expected


def test_shares_come_from_rounded_counts() -> None:
    row = protect({"quality": quality(52, 101)}, OPENSAFELY)["quality"].row(0, named=True)
    assert (row["n_expected"], row["n_present"], row["share_present"]) == (100, 50, 0.5)


def test_a_count_hidden_in_one_table_is_hidden_in_the_others() -> None:
    """The rule's count in the flow and in the ledger's rules is one count."""
    study, registry = load_study("demo")
    tables = invented_tables(study, registry)
    analysis = next(iter(study.analyses))
    flow = tables["flow"].filter((pl.col("analysis") == analysis) & (pl.col("site") == "cork"))
    rule = flow.filter(pl.col("rule_id") == "analysis.no_outcome").row(0, named=True)
    rules = pl.DataFrame(
        {
            "site": ["cork"],
            "stage": [f"analysis:{analysis}"],
            "unit": ["participant"],
            "rule_id": [rule["rule_id"]],
            "severity": ["information"],
            "action": ["excluded"],
            "category": ["completeness"],
            "title": [""],
            "n": [rule["n"]],
        }
    )
    protected = protect({"flow": tables["flow"], "rules": rules}, SACRO)
    in_flow = protected["flow"].filter(
        (pl.col("analysis") == analysis) & (pl.col("site") == "cork") & (pl.col("rule_id") == rule["rule_id"])
    )
    assert rule["n"] < 10
    assert in_flow["n"].to_list() == [None]
    assert protected["rules"]["n"].to_list() == [None]


def test_results_of_all_visits_do_not_tell_a_hidden_visit() -> None:
    """549 results less 256 at week 12 are 293 at baseline, so 7 of 300 have none: the sum must not be shown."""
    visits = {"baseline": 293, "week_12": 256}
    completeness = pl.concat(
        [
            quality(n, 300).with_columns(table=pl.lit("measurements"), variable=pl.lit("hscrp"), visit=pl.lit(visit))
            for visit, n in visits.items()
        ]
    )
    bins = pl.DataFrame(
        {
            "site": "porto",
            "analyte": "hscrp",
            "visit": list(visits),
            "stage": "after",
            "unit": "mg/L",
            "bin_low": 1.0,
            "bin_high": 2.0,
            "n": list(visits.values()),
        }
    )
    method = pl.DataFrame(
        {
            "site": ["porto"],
            "analyte": ["hscrp"],
            "assay_id": ["x"],
            "unit_reported": ["mg/L"],
            "n": [549],
            "n_below": [0],
            "share_below": [0.0],
            "n_above": [0],
        }
    )
    found = protect({"quality": completeness, "distributions": bins, "harmonisation": method}, SACRO)
    shown = [found["harmonisation"]["n"][0], found["quality"]["n_present"][1], found["distributions"]["n"][1]]
    assert found["quality"]["n_present"][0] is None
    assert found["distributions"]["n"][0] is None
    assert shown[0] is None or shown[1:] == [None, None]
