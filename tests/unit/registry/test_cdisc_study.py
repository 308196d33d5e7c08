"""A study over the CDISC pilot's own tables: roster from DM, results from LB through the preset."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ember.registry.load import InvalidStudyError, load_study
from ember.registry.model import Study
from ember.steps import read_source
from tests.in_process import call, standardise
from tests.unit.extract.conftest import real_data

__all__ = ["real_data"]

STUDY = """\
study: pilot
label: "1"
title: Laboratory values of the CDISC pilot study
question: Do the tables of a trial come in as they are?
privacy: public
disclosure: sacro
design: randomised
time_zero: treatment_start
visits:
  baseline: {day: 0, from: -30, to: 0}
  week_4: {day: 28, from: 21, to: 35}
  week_8: {day: 56, from: 49, to: 63}
seed: 1
data: {environment: CDISC_FOLDER}
sources:
  dm: {path: dm.csv, format: csv}
  lb: {path: lb.csv.gz, format: csv, compression: gzip}
sites: [pilot]
endotypes: [wbc_bands]
analyses: [bands]
"""
# A study needs a question; the columns of its survey design stand in for one that this trial does not have.
SITE = """\
site: pilot
tables:
  dm:
    participant: USUBJID
    per_participant: one
    time_zero: {column: RFSTDTC, date: iso}
    missing: ["NA"]
    columns:
      age: {column: AGE, unit: a}
      sex: {column: SEX, codes: {F: female, M: male}}
      survey_weight: {column: AGE}
      survey_stratum: {column: SITEID}
      survey_psu: {column: SUBJID}
  lb:
    preset: cdisc_lb
    laboratory: {specimen: serum}
"""
SCHEME = """\
scheme: wbc_bands
version: 1
label: White cells
analyte: wbc
unit: 10*9/L
thresholds:
  wbc_at_least_10: wbc >= 10
  wbc_acute: wbc > 20
rules:
  - {rule: high, when: wbc_at_least_10, state: inflamed}
  - {rule: low, state: not_inflamed}
acute: wbc_acute
samples: {from: -28, to: 0, apart: 14}
inflamed: [inflamed_single]
persistent_above_10: out
sources: [made up for a test]
"""
THRESHOLDS = """\
threshold,analyte,operator,value,unit,label,source,verified
wbc_at_least_10,wbc,>=,10,10*9/L,At least 10,made up for a test,false
wbc_acute,wbc,>,20,10*9/L,Above 20,made up for a test,false
"""
BANDS = """\
analysis: bands
title: Shares
role: descriptive
estimand: {population: everyone, endpoint: white cells at baseline, summary: share}
bands: {scheme: wbc_bands}
survey: {lonely: fail}
models:
  - {id: shares, family: survey_proportion, pool: by_site}
"""
FILES = {
    "study.yaml": STUDY,
    "sites/pilot.yaml": SITE,
    "endotypes/wbc_bands.yaml": SCHEME,
    "registry/thresholds.csv": THRESHOLDS,
    "analyses/bands.yaml": BANDS,
    "report.yaml": "headline: {analysis: bands, model: shares, site: pilot}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "pilot" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "pilot"


def loaded(folder: Path, data: Path) -> Study:
    try:
        return load_study(str(folder), environment={"CDISC_FOLDER": str(data)})[0]
    except InvalidStudyError as error:
        pytest.fail("\n".join(str(finding) for finding in error.findings))


def read(study: Study, folder: Path) -> None:
    results = folder / "results" / "pilot"
    for source in study.sources:
        call(
            read_source,
            folder,
            source=source,
            consent=[],
            raw=results / f"restricted/raw/{source}.parquet",
            ledger=results / f"restricted/ledger/{source}/read_source.parquet",
            accounting=results / f"checks/accounting/{source}/read_source.csv",
            record=results / f"checks/inputs/{source}.json",
        )


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_it_loads_without_findings(folder: Path, real_data: Callable[[str], Path]) -> None:
    study = loaded(folder, real_data("cdisc_lb/dm.csv").parent)
    laboratory = study.sites["pilot"].tables[1].laboratory
    assert laboratory is not None
    assert laboratory.analyte.codes["WBC"] == "wbc"
    assert laboratory.unit_codes["THOU/uL"] == "10*3/uL"


def test_its_sources_are_read(folder: Path, real_data: Callable[[str], Path]) -> None:
    data = real_data("cdisc_lb/dm.csv").parent
    study = loaded(folder, data)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CDISC_FOLDER", str(data))
        read(study, folder)
    lb = pl.read_parquet(folder / "results/pilot/restricted/raw/lb.parquet")
    rows = rows_of(data / "lb.csv.gz")
    assert lb.height == len(rows)
    assert lb["LBORRES"].to_list() == [row["LBORRES"] for row in rows]
    assert lb["_row"].to_list() == list(range(2, len(rows) + 2))
    # The preset knows the unit of every result that it takes.
    laboratory = study.sites["pilot"].tables[1].laboratory
    assert laboratory is not None
    taken = lb.filter(pl.col("LBTESTCD").is_in(list(laboratory.analyte.codes)))
    assert taken["LBTESTCD"].n_unique() == 5
    assert set(taken["LBORRESU"].unique()) <= set(laboratory.unit_codes)


def test_results_reach_their_visit_by_date(folder: Path, real_data: Callable[[str], Path]) -> None:
    data = real_data("cdisc_lb/dm.csv").parent
    study = loaded(folder, data)
    results = folder / "results" / "pilot"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CDISC_FOLDER", str(data))
        read(study, folder)
        standardise(study, folder, results, "pilot")
    found = pl.read_parquet(results / "restricted/standard/pilot/measurements.parquet")
    # Counted anew from the tables: one result a participant, analyte and window, more samples being the site's choice.
    with (data / "dm.csv").open(encoding="utf-8", newline="") as lines:
        begun = {row["USUBJID"]: date.fromisoformat(row["RFSTDTC"]) for row in csv.DictReader(lines)}
    windows = {visit.id: range(visit.first, visit.last + 1) for visit in study.visits}
    expected = {
        (row["USUBJID"], row["LBTESTCD"], visit)
        for row in rows_of(data / "lb.csv.gz")
        if row["LBTESTCD"] in {"ALB", "LYM", "MONO", "PLAT", "WBC"} and row["LBORRES"]
        for visit, days in windows.items()
        if (date.fromisoformat(row["LBDTC"][:10]) - begun[row["USUBJID"]]).days in days
    }
    assert found.height == len(expected) > 1000
    units = dict(found.select("analyte", "unit_reported").unique().iter_rows())
    assert units["albumin"] == "g/dL" and units["wbc"] == "10*3/uL"
    # The preset wants no other test: these rows leave first, and none fills the quarantine.
    rules = pl.read_parquet(results / "restricted/ledger/pilot/standardise_site.parquet")["rule_id"]
    taken = {"ALB", "LYM", "MONO", "PLAT", "WBC"}
    others = sum(row["LBTESTCD"] not in taken for row in rows_of(data / "lb.csv.gz"))
    assert int((rules == "row.other_analyte").sum()) == others > 1000
    assert not (rules == "row.unknown_analyte").any()
