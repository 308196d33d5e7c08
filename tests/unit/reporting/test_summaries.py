"""Summaries of small sites: every number is counted by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest

from ember.registry.load import load_study
from ember.registry.model import DateColumn, DayColumn, VisitMap
from ember.reporting.flow import flow_table
from ember.reporting.parts import ACUTE, SUMMARIES
from ember.reporting.summaries import SiteTables, summarise
from ember.reporting.summary_measures import distributions
from ember.tables.store import conform, empty_table
from ember.validate.accounting import Account, account_table
from ember.validate.ledger import entries, join_entries

PEOPLE = ["p1", "p2", "p3", "p4"]


def site_tables() -> SiteTables:
    """Four people of Porto; hsCRP at baseline 0.5, 1, 20 mg/dL reported, the last one below the limit."""
    participants = conform(
        pl.DataFrame(
            {
                "site_id": "porto",
                "participant_id": PEOPLE,
                "age": [30.0, 40.0, None, 50.0],
                "sex": ["female", "male", "female", "female"],
                "source_file": "porto/estudo.csv",
                "row_number": [2, 3, 4, 5],
            }
        ),
        "participants",
    )
    measured = pl.DataFrame(
        {
            "site_id": "porto",
            "participant_id": PEOPLE[:3],
            "visit": "baseline",
            "analyte": "hscrp",
            "replicate": 1,
            "specimen": "serum",
            "assay_id": "sim_crp_wide",
            "unit_reported": "mg/dL",
            "source_file": "porto/estudo.csv",
            "row_number": [2, 3, 4],
            "value_reported": ["0.5", "1", "<0.02"],
        }
    )
    standard = measured.with_columns(
        number=pl.Series([0.5, 1.0, 0.02]), operator=pl.Series(["", "", "<"]), column=pl.lit("PCR_V0")
    )
    harmonised = measured.with_columns(
        row_id=pl.Series([1, 2, 3]),
        assay_class=pl.lit("high_sensitivity"),
        value=pl.Series([5.0, 10.0, 0.2]),
        unit=pl.lit("mg/L"),
        conversion_id=pl.lit("hscrp:mg/dL:mg/L"),
        censoring=pl.Series(["none", "none", "left"]),
        limit=pl.Series([None, None, 0.2]),
        flags=pl.lit(""),
    )
    return SiteTables(
        standard_measurements=conform(standard, "standard_measurements"),
        standard_items=empty_table("standard_items"),
        participants=participants,
        visits=empty_table("visits"),
        measurements=conform(harmonised, "measurements"),
        scores=empty_table("scores"),
        treatments=empty_table("treatments"),
    )


def ledger() -> pl.DataFrame:
    cell = pl.DataFrame({"source_file": ["porto/estudo.csv"], "row_number": [5], "column": ["PCR_V0"]})
    row = pl.DataFrame({"source_file": ["porto/estudo.csv"], "row_number": [9]})
    return join_entries(
        [
            entries(cell, "value.not_numeric", site="porto", stage="standardise_site"),
            entries(row, "row.unclaimed", site=None, stage="read_source"),
        ]
    )


def endotypes() -> pl.DataFrame:
    states = ["not_inflamed", "intermediate", "inflamed_single", "acute_suspect", "indeterminate"]
    given = dict(zip(PEOPLE, ("inflamed_single", "acute_suspect", "not_inflamed", "indeterminate"), strict=True))
    rows = [
        {
            "site_id": "porto",
            "participant_id": person,
            "visit": "baseline",
            "class": state,
            "probability": float(state == given[person]),
            "assigned": state == given[person],
            "rule_id": "r",
            "evidence": "",
            "flags": "above_10" if given[person] == "acute_suspect" else "",
            "missing": "",
            "n_samples": int(given[person] != "indeterminate"),
        }
        for person in PEOPLE
        for state in states
    ]
    return conform(pl.DataFrame(rows), "endotypes")


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    study, registry = load_study("demo")
    return summarise(study, registry, {"porto": site_tables()}, ledger(), {"hscrp_bands": endotypes()}, {}, {})


def only(frame: pl.DataFrame, /, **equals: str) -> dict[str, object]:
    found = frame.filter(*[pl.col(name) == value for name, value in equals.items()])
    assert found.height == 1
    return found.row(0, named=True)


def test_all_tables_are_there(tables: dict[str, pl.DataFrame]) -> None:
    assert tuple(tables) == (*SUMMARIES, ACUTE)


def test_completeness_counts_participants_and_refusals(tables: dict[str, pl.DataFrame]) -> None:
    age = only(tables["quality"], table="participants", variable="age")
    assert (age["n_expected"], age["n_present"], age["share_present"]) == (4, 3, 0.75)
    crp = only(tables["quality"], table="measurements", variable="hscrp", visit="baseline")
    assert (crp["n_expected"], crp["n_present"], crp["n_quarantined"], crp["n_excluded"]) == (4, 3, 1, 0)


def test_harmonisation_names_factor_limit_and_share_below(tables: dict[str, pl.DataFrame]) -> None:
    row = only(tables["harmonisation"], site="porto", analyte="hscrp")
    assert (row["factor"], row["limit"], row["n"], row["n_below"], row["n_above"]) == (10.0, 0.2, 3, 1, 0)
    assert row["share_below"] == pytest.approx(1 / 3)


def test_bins_are_common_and_closed_below(tables: dict[str, pl.DataFrame]) -> None:
    table = tables["distributions"].filter(pl.col("n") > 0)
    before = table.filter(pl.col("stage") == "before").select("bin_low", "n").rows()
    after = table.filter(pl.col("stage") == "after").select("bin_low", "n").rows()
    assert before == [(pytest.approx(10**-1.75), 1), (pytest.approx(10**-0.5), 1), (1.0, 1)]
    assert after == [(pytest.approx(10**-0.75), 1), (pytest.approx(10**0.5), 1), (10.0, 1)]
    assert tables["distributions"].filter(pl.col("stage") == "after").height == 28


def test_the_text_of_a_unit_that_nobody_declared_is_not_told() -> None:
    study, _ = load_study("tests/data/tiny")
    own = site_tables()
    texts = pl.Series("unit_reported", ["mg/dL", "mg/dL", "KANARIE"])
    odd = replace(own, standard_measurements=own.standard_measurements.with_columns(texts))
    table = distributions(study, {"porto": odd})
    units = table.filter(pl.col("stage") == "before").group_by("unit", maintain_order=True).agg(pl.col("n").sum())
    assert units.rows() == [("mg/dL", 2), ("unknown unit", 1)]


def test_states_add_up_and_are_marked(tables: dict[str, pl.DataFrame]) -> None:
    own = tables["endotypes"].filter(pl.col("site") == "porto")
    assert own["n"].to_list() == [1, 0, 1, 1, 1]
    assert own["inflamed"].to_list() == [False, False, True, False, False]
    assert own["total"].to_list() == [4] * 5


def test_characteristics_describe_numbers_and_groups(tables: dict[str, pl.DataFrame]) -> None:
    age = only(tables["characteristics"], group_by="site", group="porto", variable="age")
    assert (age["n"], age["mean"], age["sd"]) == (3, 40.0, 10.0)
    women = only(tables["characteristics"], group_by="site", group="porto", variable="sex", level="female")
    assert (women["n"], women["share"]) == (3, 0.75)
    crp = only(tables["characteristics"], group_by="site", group="porto", variable="ln_hscrp")
    assert crp["mean"] == pytest.approx((math.log(5) + math.log(10) + math.log(0.2)) / 3)
    inflamed = only(tables["characteristics"], group_by="state", group="inflamed_single", variable="participants")
    assert inflamed["n"] == 1


def test_rules_are_counted_and_rows_of_no_site_kept(tables: dict[str, pl.DataFrame]) -> None:
    assert tables["rules"].select("site", "rule_id", "n").rows() == [
        ("porto", "value.not_numeric", 1),
        ("", "row.unclaimed", 1),
    ]


def test_the_flow_adds_up_with_the_largest_reason_first() -> None:
    def out(rule: str, n: int, site: str) -> pl.DataFrame:
        rows = pl.DataFrame({"source_file": ["f"] * n, "row_number": list(range(n))})
        return entries(rows, rule, site=site, stage="analysis:moderation")

    book = join_entries(
        [out("analysis.no_covariate", 1, "a"), out("analysis.no_outcome", 2, "a"), out("analysis.no_outcome", 3, "b")]
    )
    accounts = account_table(
        [
            Account("a", "analysis:moderation", "participant", n_in=20, n_out=17, n_excluded=3),
            Account("b", "analysis:moderation", "participant", n_in=10, n_out=7, n_excluded=3),
        ]
    )
    flow = flow_table(accounts, {"moderation": book})
    everyone = flow.filter(pl.col("site") == "all").select("box", "rule_id", "n").rows()
    assert everyone == [
        ("enrolled", "", 30),
        ("excluded", "analysis.no_outcome", 5),
        ("excluded", "analysis.no_covariate", 1),
        ("analysed", "", 24),
    ]
    for site in ("all", "a", "b"):
        own = flow.filter(pl.col("site") == site)
        gone = own.filter(pl.col("box") == "excluded")["n"].sum()
        assert (
            own.filter(pl.col("box") == "enrolled")["n"].sum()
            == gone + own.filter(pl.col("box") == "analysed")["n"].sum()
        )


@pytest.mark.parametrize(
    "visits",
    [
        pytest.param(VisitMap(by_day=DayColumn("day")), id="by day"),
        pytest.param(VisitMap(by_date=DateColumn("date", "iso")), id="by date"),
    ],
)
def test_rows_placed_by_their_day_may_hold_every_visit_of_the_study(visits: VisitMap) -> None:
    study, registry = load_study("demo")
    porto = study.sites["porto"]
    placed = replace(porto, tables=tuple(replace(table, visits=visits) for table in porto.tables))
    own = replace(study, sites={**study.sites, "porto": placed})
    shown = summarise(own, registry, {"porto": site_tables()}, ledger(), {"hscrp_bands": endotypes()}, {}, {})
    scores = shown["quality"].filter((pl.col("site") == "porto") & (pl.col("table") == "scores"))
    assert scores["visit"].to_list() == [visit.id for visit in study.visits]
