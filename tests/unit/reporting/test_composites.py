"""What the report says of a composite, and what it refuses to set side by side."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.reporting.blocks import Table, Text
from ember.reporting.facts import Facts
from ember.reporting.section_composites import composite_blocks
from ember.reporting.summary_composites import composite_tables
from ember.reporting.summary_states import comparable_states
from ember.tables.store import conform
from tests.unit.reporting.invented import VERSION

SCHEME = "cytokine_supported"
REFERENCE = {"assay_id": "sim_il6", "platform": "simulated_multiplex", "variant": "within_site", "selected": False}
COUNTS = {"porto": [3, 20, 277], "lund": [0, 40, 210]}


def references(**changed: object) -> pl.DataFrame:
    rows = [
        {**REFERENCE, "site_id": site, "analyte": analyte, "ln_mean": 0.54321, "ln_sd": 0.61234, "n": n, "n_below": low,
         "n_above": 0, **changed}
        for site, analyte, n, low in (("porto", "il6", 290, 30), ("porto", "tnf", 8, 0), ("lund", "il6", 250, 4))
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "composite_references")


def scores() -> pl.DataFrame:
    rows = [
        {"site_id": site, "participant_id": f"{site}{number}-{place}", "visit": "baseline",
         "composite": 0.1 if number > 1 else None, "n_analytes": number}
        for site, counts in COUNTS.items() for number, many in enumerate(counts) for place in range(many)
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "composites")


def facts_of(**changed: object) -> Facts:
    study, registry = load_study("demo")
    made = {SCHEME: {"composites": scores(), "composite_references": references(**changed)}}
    tables = protect(composite_tables(study, made), profile_of(registry, "sacro"))
    return Facts(tables, study, registry, VERSION)


def told(facts: Facts) -> tuple[str, list[Table]]:
    blocks = composite_blocks(facts, SCHEME, facts.study.schemes[SCHEME])
    return " ".join(b.text for b in blocks if isinstance(b, Text)), [b for b in blocks if isinstance(b, Table)]


def test_counts_add_up_and_name_the_minimum() -> None:
    study, _ = load_study("demo")
    table = composite_tables(study, {SCHEME: {"composites": scores(), "composite_references": references()}})
    counted = table["composite_analytes"]
    assert counted.select("site", "n_analytes", "n").rows() == [
        (site, number, n) for site, counts in COUNTS.items() for number, n in enumerate(counts)
    ]
    assert set(counted["minimum"]) == {2}


def test_small_counts_and_the_means_of_few_are_hidden() -> None:
    rows = facts_of().lines("composites")
    assert [row["n"] for row in rows] == [290, None, 250]
    assert [row["n_below"] for row in rows] == [30, 0, None]
    assert [row["ln_mean"] for row in rows] == [0.543, None, 0.543]
    hidden = {row["n"] for row in facts_of().lines("composite_analytes", site="porto")}
    assert 3 not in hidden and None in hidden


def test_an_external_reference_hides_nothing() -> None:
    rows = facts_of(variant="reference", reference="own_2020", n=5, n_below=None).lines("composites")
    assert {row["n"] for row in rows} == {5} and {row["ln_mean"] for row in rows} == {0.54321}


def test_the_report_says_what_it_does_not_compare() -> None:
    text, tables = told(facts_of())
    assert "Not compared:" in text and "per standard deviation of the site" in text
    assert "At least 2 of 2 analytes" in text
    assert [table.id for table in tables] == [f"composite_{SCHEME}", f"composite_{SCHEME}_analytes"]
    assert "Flagged" not in text


def test_one_site_alone_has_nothing_to_compare() -> None:
    facts = facts_of()
    others = dict.fromkeys(["lund", "graz", "cork"], "a test")
    text, _ = told(replace(facts, study=replace(facts.study, excluded_sites=others)))
    assert "Not compared" not in text


def test_a_site_that_chose_by_a_result_is_flagged() -> None:
    text, tables = told(facts_of(selected=True))
    assert "Flagged: Porto and Lund chose participants by a laboratory result" in text
    assert any("(flagged)" in row[0] for row in tables[0].rows)


def test_a_frozen_reference_is_not_touched_by_selection() -> None:
    facts = facts_of(selected=True, variant="reference", reference="own_2020")
    scheme = facts.study.schemes[SCHEME]
    composite = {**scheme["composite"], "variant": "reference", "reference": "own_2020"}
    schemes = {SCHEME: {**scheme, "composite": composite}}
    text, _ = told(replace(facts, study=replace(facts.study, schemes=schemes)))
    assert "the frozen reference own_2020" in text and "is not touched" in text
    assert "Flagged" not in text and "Not compared" not in text


def test_states_that_only_the_composite_tells_apart_are_counted_together() -> None:
    study, _ = load_study("demo")
    scheme = study.schemes[SCHEME]
    classes = ["not_inflamed", "inflamed_unsupported", "inflamed_supported", "inflamed_single"]
    states = pl.DataFrame({"class": classes})
    merged = comparable_states(study, scheme, states)["class"].to_list()
    assert merged == ["not_inflamed", *["raised_support_not_compared"] * 3]
    alone = replace(study, excluded_sites=dict.fromkeys(["lund", "graz", "cork"], "a test"))
    assert comparable_states(alone, scheme, states)["class"].to_list() == classes
    bands = study.schemes["hscrp_bands"]
    assert comparable_states(study, bands, states)["class"].to_list() == classes
