"""A study with two sites whose tables break rules of every kind, for the tests of the gates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ember.registry.load import PROJECT
from ember.registry.model import Answer, GateChange, Site, Study, Visit
from ember.registry.registry import Registry, read_registry
from ember.tables.store import polars_schema
from ember.validate.gate_rule import Counts
from ember.validate.gate_tables import Checked, stage_counts
from ember.validate.gates import site_counts
from ember.validate.site_rows import Load
from ember.validate.tally import Judge

VISITS = (Visit("baseline", 0, -28, 0), Visit("week_12", 84, 70, 98))
SCHEME = {"scheme": "bands", "analyte": "hscrp", "visit": "baseline"}


def study(*answers: Answer, changes: tuple[GateChange, ...] = ()) -> Study:
    """Return a study with two sites, two visits, one scheme, these answers and these changes of gates."""
    sites = {name: Site(name, name.upper(), ()) for name in ("a", "b")}
    return Study(
        "trial", "T", "", "", "synthetic", "public", "randomised", "randomisation", 1, Path(), Path(), VISITS, {},
        sites, {}, answers, {"bands": SCHEME}, {}, {}, None, {}, gate_changes=changes,
    )  # fmt: skip


def loaded(sites: Mapping[str, Mapping[str, pl.DataFrame]], slice_rows: int = 1000) -> Load:
    """Return a loader over tables in memory, by site and contract name."""

    def load(site: str, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        tables = sites[site]
        if table == "results":
            found = tables["measurements"] if "measurements" in tables else tables["standard_measurements"]
            value = "value" if "value" in found.columns else "number"
            found = found.select("participant_id", "analyte", "visit", pl.col(value).alias("value"))
        else:
            found = tables[table].select(columns)
        for start in range(0, max(found.height, 1), slice_rows):
            yield found.slice(start, slice_rows)

    return load


def parts(
    stage: str,
    sites: Mapping[str, Mapping[str, pl.DataFrame]],
    changes: tuple[GateChange, ...] = (),
    judge: Judge = site_counts,
    slice_rows: int = 1000,
) -> list[Checked]:
    """Return rules and counts of each table in memory; the masks alone judge, if nobody else does."""
    return list(stage_counts(stage, list(sites), loaded(sites, slice_rows), study(changes=changes), registry(), judge))


def counts(
    stage: str, sites: Mapping[str, Mapping[str, pl.DataFrame]], judge: Judge = site_counts, slice_rows: int = 1000
) -> dict[str, dict[str, Counts]]:
    """Return the counts of every rule by site."""
    found = parts(stage, sites, (), judge, slice_rows)
    return {
        rule.rule: {site: by_site[rule.rule].get(site, Counts()) for site in sites}
        for rules, by_site in found
        for rule in rules
    }


def registry() -> Registry:
    """Return the registry that is shipped."""
    return read_registry(PROJECT / "config" / "registry")


def table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Return rows with the contract's types but without its checks: broken tables are the point."""
    schema = polars_schema(name)
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def participant(site: str, person: str | None, **more: Any) -> dict[str, Any]:
    return {"site_id": site, "participant_id": person, "source_file": "f.csv", "row_number": 2, **more}


def measurement(person: str, row_id: int, **more: Any) -> dict[str, Any]:
    return {
        "row_id": row_id, "site_id": "a", "participant_id": person, "visit": "baseline", "analyte": "hscrp",
        "replicate": 1, "specimen": "serum", "assay_id": "roche_crphs", "value_reported": "1", "unit_reported": "mg/L",
        "value": 1.0, "unit": "mg/L", "conversion_id": "x", "censoring": "none", "flags": "", "source_file": "f.csv",
        "row_number": 2, **more,
    }  # fmt: skip


def clean() -> dict[str, pl.DataFrame]:
    """Return tables of site a that meet every rule."""
    return {
        "participants": table("participants", [participant("a", "p1", age=40.0, sex="female", arm="escitalopram")]),
        "visits": table("visits", [{**participant("a", "p1"), "visit": "baseline", "study_day": 0}]),
        "measurements": table("measurements", [measurement("p1", 1)]),
        "scores": table("scores", [score("p1")]),
    }


def score(person: str, **more: Any) -> dict[str, Any]:
    return {
        **participant("a", person), "visit": "baseline", "instrument": "hamd17", "construct": "severity",
        "score": 20.0, "origin": "items", "n_items": 17, "flags": "", **more,
    }  # fmt: skip


def dirty() -> dict[str, pl.DataFrame]:
    """Return tables of site a that break at least one rule of each kind."""
    people = [
        participant("a", "p1", age=-1.0, sex="female", bmi=25.0, arm="escitalopram"),
        participant("a", "p1", age=40.0, sex="Female", bmi=float("nan"), arm="placebo pill"),
        participant("a", None, age=121.0, sex=None, bmi=9.0),
        participant("b", "p2", age=0.0, sex="male", bmi=150.0),
        participant("a", "p3", age=120.0, survey_weight=-2.0),
    ]
    visits = [
        {**participant("a", "p1"), "visit": "baseline", "study_day": 1},
        {**participant("a", "p1"), "visit": "week_12", "study_day": 70},
        {**participant("a", "p1"), "visit": "week_12", "study_day": None},
        {**participant("a", "stranger"), "visit": "week_99", "study_day": 5},
    ]
    results = [
        measurement("p1", 1, value=0.001),
        measurement("p1", 1, value=500.0),
        measurement("p1", 3, value=501.0, unit="mg/dL", specimen="saliva", assay_id="nobody"),
        measurement("p2", 4, value=0.005, censoring="left"),
        measurement("p2", 5, value=0.2, limit=0.2, censoring="left"),
        measurement("p3", 6, value=None, specimen=None, assay_id=None),
        measurement("p3", 7, analyte="il6", value=6000.0, unit="pg/mL", visit="week_12"),
        measurement("p3", 8, analyte="magic", censoring="maybe", assay_class="cheap"),
        measurement("stranger", 9, value=float("nan")),
    ]
    points = [
        score("p1", score=53.0),
        score("p1", score=0.0, construct="cognition"),
        score("p2", score=-1.0, instrument="madrs", origin="guess"),
        score("p3", instrument="unheard_of"),
    ]
    return {
        "participants": table("participants", people),
        "visits": table("visits", visits),
        "measurements": table("measurements", results),
        "scores": table("scores", points),
    }


def standard() -> dict[str, pl.DataFrame]:
    """Return standardised tables of site a, some rows of which break a rule."""
    items = [
        {**participant("a", "p1"), "visit": "baseline", "instrument": name, "item": item, "value": 1.0, "column": text}
        for name, item, text in (
            ("hamd17", 1, "H1"),
            ("hamd17", 18, "H18"),
            ("hamd17", 0, "H1"),
            ("hamd21", 1, "T1"),
            ("hamd21", 0, "T0"),
        )
    ]
    results = [
        {**participant("a", person), "visit": "baseline", "analyte": "hscrp", "replicate": 1, "value_reported": "1",
         "number": number, "operator": sign, "unit_reported": "mg/L", "column": "CRP", "row_number": row}
        for person, number, sign, row in (("p1", 1.0, "", 2), ("p2", None, "<", 3), ("nobody", 2.0, "~", 3))
    ]  # fmt: skip
    tables = dirty()
    return {
        "participants": tables["participants"],
        "visits": tables["visits"],
        "standard_measurements": table("standard_measurements", results),
        "standard_items": table("standard_items", items),
    }
