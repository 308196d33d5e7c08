"""Tables that only some studies have: who agreed, names of treatments, and fields that a form hid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.reporting.blocks import Table
from ember.reporting.parts import optional_tables, restricted_summaries, summaries_of
from ember.reporting.report import build_report
from ember.reporting.summaries import SiteTables
from ember.reporting.summary_run import consent_table
from ember.reporting.summary_treatments import treatment_names, unmatched_by_site
from ember.tables.files import remove_others
from ember.tables.store import conform, empty_table
from tests.unit.reporting.invented import VERSION, invented_tables

RULES = ("consent.erased", "consent.refused", "consent.unknown", "")
CONSENT = consent_table(
    conform(
        pl.DataFrame(
            [
                {"site": site, "rule_id": rule, "n": n}
                for site, numbers in {"porto": (0, 3, 12, 300), "lund": (0, 11, 14, 250)}.items()
                for rule, n in zip(RULES, numbers, strict=True)
            ]
        ),
        "consent_counts",
    )
)
NAMES = pl.DataFrame({"site": ["porto", "lund"], "n_rows": [400, 90], "n_unmatched": [25, 3], "n_names": [4, 2]})


def tables_of(**added: pl.DataFrame) -> dict[str, Table]:
    study, registry = load_study("demo")
    protected = protect(invented_tables(study, registry) | added, profile_of(registry, "sacro"))
    return {table.id: table for table in build_report(protected, study, registry, VERSION).tables}


def test_a_study_without_them_prints_nothing_of_them() -> None:
    study, _ = load_study("demo")
    assert optional_tables(study) == ("acute_samples", "composites", "composite_analytes")
    assert summaries_of(study) == restricted_summaries(study)
    assert not {"consent", "treatment_names", "history"} & set(tables_of())


def test_a_study_has_those_of_which_it_has_something_to_say() -> None:
    study, _ = load_study("nhanes")
    assert optional_tables(study) == ("treatment_names", "history", "acute_samples")
    assert set(restricted_summaries(study)) - set(summaries_of(study)) == {"unmatched"}
    assert optional_tables(replace(study, consent_required=("sharing",)))[:2] == ("consent", "treatment_names")


def test_who_left_for_which_reason_and_who_stays_by_site() -> None:
    table = tables_of(consent=CONSENT)["consent"]
    assert table.columns == ["Participants", "Porto", "Lund"]
    assert table.rows == [
        ["Participant erased", "0", "0"],
        ["Consent refused", "<10", "11"],
        ["Consent unknown", "12", "14"],
        ["Agreed and stay", "300", "250"],
    ]
    assert table.notes


def test_treatments_without_a_match_are_counted_and_not_named() -> None:
    table = tables_of(treatment_names=NAMES)["treatment_names"]
    assert table.rows == [["Porto", "400", "25", "4"], ["Lund", "90", "<10", "–"]]


@pytest.mark.parametrize("shown_if", ["", "[sex] = '2'"])
def test_branching_is_told_only_where_there_is_some(shown_if: str) -> None:
    study, registry = load_study("demo")
    tables = invented_tables(study, registry)
    tables["dictionary"] = tables["dictionary"].with_columns(pl.lit(shown_if).alias("shown_if"))
    made = build_report(protect(tables, profile_of(registry, "sacro")), study, registry, VERSION)
    (section,) = [section for section in made.sections if section.id == "quality"]
    assert ("branching" in repr(section.blocks[0])) == bool(shown_if)


def site(*names: tuple[str, str | None]) -> SiteTables:
    people = [
        {
            "site_id": "porto", "participant_id": f"p{place}", "visit": "baseline", "treatment": treatment,
            "role": "concomitant", "name_reported": name, "source_file": "f.csv", "row_number": place, "trial": False,
            "list": "drugs", "entry": 1,
        }
        for place, (name, treatment) in enumerate(names)
    ]  # fmt: skip
    empty = {name: empty_table(name) for name in ("standard_measurements", "standard_items", "participants", "visits",
                                                  "measurements", "scores", "treatments")}  # fmt: skip
    return SiteTables(
        **empty | {"treatments": conform(pl.DataFrame(people), "treatments") if people else empty["treatments"]}
    )


def test_names_are_listed_for_the_site_and_counted_for_everyone_else() -> None:
    sites = {"porto": site(("tea", None), ("ESCITALOPRAM", "escitalopram"), ("tea", None), ("x", None)), "lund": site()}
    assert unmatched_by_site(sites).rows() == [("porto", "tea", 2), ("porto", "x", 1)]
    assert treatment_names(sites).rows() == [("porto", 4, 3, 2)]


def test_a_table_that_the_study_no_longer_has_does_not_stay(tmp_path: Path) -> None:
    for name in ("consent.csv", "flow.csv", "estimates.parquet"):
        (tmp_path / name).write_text("")
    remove_others(tmp_path, ["flow.csv"], "*.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"flow.csv", "estimates.parquet"}
