"""The dictionary: what a file says of its columns, what they become, and which counts may stand beside variables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from ember.consortium.disclosure import Profile, protect
from ember.extract.raw_file import METADATA_KEY
from ember.registry.load import load_study
from ember.registry.model import Below, DerivedColumn, Join, Site, Study
from ember.registry.registry import Registry
from ember.reporting.dictionary import DICTIONARY, dictionary, with_presence
from ember.reporting.raw_columns import RawColumns, meanings, read_raw_columns
from ember.reporting.summary_quality import QUALITY

GRAZ = RawColumns(
    ("redcap_event_name", "age", "sex", "bmi", "smoker", "adversity", "rand_group", "rand_date", "visit_date", "crp",
     "il6", "tnf", *[f"phq9_{item}" for item in range(1, 11)]),
    {
        "sex": {"label": "Sex", "value_labels": {"0": "Male", "1": "Female"}, "type": "radio"},
        "bmi": {
            "missing_values": ["-8"],
            "missing_ranges": [[-1.797e308, -100.0], [7.0, 7.0], [90.0, 1.797e308], [1.0, 2.5]],
        },
        "crp": {"branch": "[lab] = '1'"},
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def demo() -> tuple[Study, Registry]:
    return load_study("demo")


def quality(*rows: tuple[str, str, str, str, int | None, int | None]) -> pl.DataFrame:
    """Return lines of completeness: site, table, variable, visit, expected, present."""
    names = ("site", "table", "variable", "visit", "n_expected", "n_present")
    lines = [dict(zip(names, row, strict=True)) for row in rows]
    zeros = {name: 0 for name in ("n_excluded", "n_quarantined", "n_flagged")}
    return pl.DataFrame([{**line, **zeros, "share_present": None} for line in lines], schema=QUALITY)


def made(demo: tuple[Study, Registry], *rows: tuple[str, str, str, str, int | None, int | None]) -> pl.DataFrame:
    return dictionary(*demo, {"graz": GRAZ}, quality(*rows))


def row(table: pl.DataFrame, level: str, variable: str) -> dict[str, object]:
    return table.filter(pl.col("level") == level, pl.col("variable") == variable).row(0, named=True)


def test_every_column_of_the_file_stands_once_and_an_unmapped_one_says_so(demo: tuple[Study, Registry]) -> None:
    raw = made(demo).filter(pl.col("level") == "raw")
    assert raw["variable"].to_list() == ["record_id", *GRAZ.names]
    assert raw.filter(pl.col("mapped_to") == "")["variable"].to_list() == ["phq9_10"]


@pytest.mark.parametrize(
    ("column", "meaning"),
    [
        pytest.param("record_id", "participant identifier", id="identifier"),
        pytest.param("redcap_event_name", "visit", id="visit"),
        pytest.param("rand_date", "time zero", id="time-zero"),
        pytest.param("visit_date", "date of the visit", id="visit-date"),
        pytest.param("age", "age", id="number"),
        pytest.param("sex", "sex (0: male, 1: female)", id="codes"),
        pytest.param("crp", "hscrp", id="biomarker"),
        pytest.param("phq9_3", "phq9 item 3", id="item"),
    ],
)
def test_what_a_column_becomes(demo: tuple[Study, Registry], column: str, meaning: str) -> None:
    assert row(made(demo), "raw", column)["mapped_to"] == meaning


def test_what_the_file_and_the_study_say_of_a_column(demo: tuple[Study, Registry]) -> None:
    table = made(demo)
    sex = row(table, "raw", "sex")
    assert (sex["label"], sex["type"], sex["codes"]) == ("Sex", "radio", "0 = Male; 1 = Female")
    assert row(table, "raw", "bmi")["missing"] == "-8; up to -100; 7; from 90; 1 to 2.5; -9; 999"
    assert row(table, "raw", "bmi")["unit"] == "kg/m2"
    assert row(table, "raw", "crp")["shown_if"] == "[lab] = '1'"
    assert row(table, "raw", "crp")["unit"] == "nmol/L"


def test_a_wide_file_tells_the_visit_and_the_columns_beside_a_result(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    names = ["SEXO", "IDADE", "IMC", "FUMADOR", "ADVERSIDADE", "BRAÇO", "DT_ALEAT"]
    names += [
        f"{base}_{suffix}" for suffix in ("V0", "V4", "V12") for base in ("DT", *[f"HAMD{i:02d}" for i in range(1, 18)])
    ]
    names += [f"{base}_{suffix}" for suffix in ("V0", "V12") for base in ("LOTE", "PCR", "IL6", "TNF")]
    found = meanings(study, registry, "porto", names)
    assert found["PCR_V12"].words == {"porto": ["hscrp at week 12"]}
    assert found["LOTE_V0"].words == {"porto": ["batch of hscrp at baseline"]}
    assert found["HAMD07_V4"].words == {"porto": ["hamd17 item 7 at week 4"]}


def with_sites(study: Study, **sites: Site) -> Study:
    return replace(study, sites={**study.sites, **sites})


def test_sites_are_named_where_they_differ(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    graz = study.sites["graz"]
    table = graz.tables[0]
    other = Site("linz", "Linz", (replace(table, columns={"age": table.columns["age"]}),))
    found = dictionary(with_sites(study, linz=other), registry, {"graz": GRAZ}, quality())
    assert row(found, "raw", "age")["mapped_to"] == "age"
    assert row(found, "raw", "bmi")["mapped_to"] == "graz: bmi"


def test_a_derived_column_shows_its_formula_and_its_parts(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    graz = study.sites["graz"]
    table = graz.tables[0]
    columns = {**table.columns, "bmi": replace(table.columns["bmi"], column="half")}
    derived = replace(table, columns=columns, derived={"half": DerivedColumn("bmi / 2", "D1")})
    found = dictionary(with_sites(study, graz=replace(graz, tables=(derived,))), registry, {"graz": GRAZ}, quality())
    half = row(found, "derived", "half")
    assert (half["label"], half["mapped_to"], half["sites"]) == ("bmi / 2", "bmi", "graz")
    assert row(found, "raw", "bmi")["mapped_to"] == "part of half"
    assert found.filter(pl.col("level") == "raw", pl.col("variable") == "half").is_empty()


def test_a_source_that_another_one_joins(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    brought = Join("visits", {"record_id": "subject"}, "one_to_one", ("ward",))
    sources = {**study.sources, "graz": replace(study.sources["graz"], joins=(brought,))}
    found = dictionary(replace(study, sources=sources), registry, {"visits": RawColumns((), {})}, quality())
    told = {(line["variable"], line["mapped_to"]) for line in found.to_dicts() if line["level"] == "raw"}
    assert told == {("subject", "joined into graz"), ("ward", "joined into graz")}


def test_a_flag_of_the_limit_is_named(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    graz = study.sites["graz"]
    table = graz.tables[0]
    crp = replace(table.measurements["hscrp"], below=Below(column="phq9_10", codes=("9",)))
    flagged = replace(table, measurements={**table.measurements, "hscrp": crp})
    found = meanings(with_sites(study, graz=replace(graz, tables=(flagged,))), registry, "graz", GRAZ.names)
    assert found["phq9_10"].words == {"graz": ["limit flag of hscrp"]}


def test_harmonised_variables_with_unit_codes_and_the_sites_that_have_them(demo: tuple[Study, Registry]) -> None:
    table = made(demo).filter(pl.col("level") == "harmonised")
    crp = row(table, "harmonised", "hscrp")
    assert (crp["source"], crp["unit"], crp["sites"]) == ("measurements", "mg/L", "porto;lund;graz;cork")
    assert row(table, "harmonised", "sex")["codes"] == "female; male"
    assert row(table, "harmonised", "arm")["codes"] == "escitalopram; escitalopram_bupropion"
    phq9 = row(table, "harmonised", "phq9")
    assert (phq9["codes"], phq9["unit"], phq9["sites"]) == ("0 to 27", "points", "graz")
    assert table.columns == list(DICTIONARY)


def test_values_present_add_up_over_sites_and_visits(demo: tuple[Study, Registry]) -> None:
    lines = [
        ("porto", "measurements", "il6", visit, 90, present) for visit, present in (("baseline", 80), ("week_12", 60))
    ]
    lines.append(("lund", "measurements", "il6", "baseline", 50, 40))
    il6 = row(made(demo, *lines), "harmonised", "il6")
    assert (il6["n_present"], il6["n_at_least"]) == (180, 180)


def test_a_protected_count_takes_the_sum_away_and_leaves_what_is_shown(demo: tuple[Study, Registry]) -> None:
    lines = [("porto", "participants", "age", "", 90, 85), ("lund", "participants", "age", "", 50, 30)]
    table = made(demo, *lines)
    assert row(table, "harmonised", "age")["n_present"] == 115
    protected = protect({"quality": quality(*lines), "dictionary": table}, Profile("sacro", 10, 0, 10))
    age = row(protected["dictionary"], "harmonised", "age")
    assert (age["n_present"], age["n_at_least"]) == (None, 30), "90 - 85 = 5 absent people must not follow"
    assert protected["dictionary"].height == table.height


def test_a_number_given_by_mistake_does_not_survive(demo: tuple[Study, Registry]) -> None:
    table = made(demo).with_columns(pl.lit(3, dtype=pl.Int64).alias("n_present"))
    assert with_presence(table, quality())["n_present"].null_count() == table.height


def test_the_columns_of_a_raw_file_are_read_without_its_rows(tmp_path: Path) -> None:
    keys = {"_site": ["a"], "_row": [1], "_file": ["f"], "_sheet": [None], "_participant": ["p"]}
    table = pl.DataFrame({**keys, "age": ["SECRET77"]}).to_arrow()
    content = json.dumps({"columns": {"age": {"label": "Age"}}}).encode()
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: content}), tmp_path / "raw.parquet")
    read = read_raw_columns(tmp_path / "raw.parquet")
    assert read == RawColumns(("age",), {"age": {"label": "Age"}})
