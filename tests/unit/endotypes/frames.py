"""Small tables and schemes for the tests of endotypes and analysis sets."""

from __future__ import annotations

from typing import Any

import polars as pl

from ember.registry.model import Visit
from ember.registry.registry import Registry
from ember.tables.store import conform

ROSTER = {"source_file": "roster.csv"}
LIMITS = {"turbid": 4.0, "roche_crphs": 0.15}
"""Detection limits of the assays in these tests; the standard assay "unstated" has none."""


def people(*sites: str, **columns: list[Any]) -> pl.DataFrame:
    """Return participants p1, p2… of the sites, one for each name given, in that order."""
    number = len(sites)
    return conform(
        pl.DataFrame(
            {
                "site_id": list(sites),
                "participant_id": [f"p{i + 1}" for i in range(number)],
                "source_file": ["roster.csv"] * number,
                "row_number": list(range(2, number + 2)),
                **columns,
            }
        ),
        "participants",
    )


def result(
    site: str,
    person: str,
    value: float | None,
    *,
    analyte: str = "hscrp",
    visit: str = "baseline",
    day: int | None = None,
    censoring: str = "none",
    assay: str | None = "roche_crphs",
    assay_class: str | None = "high_sensitivity",
    replicate: int = 1,
) -> dict[str, Any]:
    """Return one row of measurements."""
    return {
        "site_id": site,
        "participant_id": person,
        "visit": visit,
        "study_day": day,
        "analyte": analyte,
        "replicate": replicate,
        "assay_id": assay,
        "assay_class": assay_class,
        "value_reported": "text",
        "unit_reported": "mg/L",
        "value": value,
        "unit": "mg/L",
        "conversion_id": "identity",
        "censoring": censoring,
        "limit": value if censoring != "none" else None,
        "detection_limit": LIMITS.get(assay or ""),
        "flags": "",
        "source_file": "roster.csv",
    }


def measurements(*rows: dict[str, Any]) -> pl.DataFrame:
    """Return rows as a table of measurements, numbered from 1."""
    numbered = [{**row, "row_id": number, "row_number": number + 1} for number, row in enumerate(rows, start=1)]
    return conform(pl.DataFrame(numbered, infer_schema_length=None), "measurements")


def registry() -> Registry:
    """Return a registry of a few instruments."""
    instrument = {"construct": "severity", "direction": "higher_worse", "response_rule": "fall_50"}
    instruments = {
        "hamd17": {**instrument, "remission_operator": "<=", "remission_value": "7", "reference_mean": "21",
                   "reference_sd": "5"},
        "madrs": {**instrument, "remission_operator": "<=", "remission_value": "10", "reference_mean": "29",
                  "reference_sd": "6.5"},
        "bare": {**instrument, "response_rule": "", "remission_operator": "", "remission_value": "",
                 "reference_mean": "", "reference_sd": ""},
        "upward": {**instrument, "direction": "higher_better", "reference_mean": "50", "reference_sd": "10"},
    }  # fmt: skip
    rows = {name: {"instrument": name, **row} for name, row in instruments.items()}
    return Registry({"instruments": rows})


VISITS = (
    Visit("screening", -28, -56, -21),
    Visit("baseline", 0, -14, 0),
    Visit("week_4", 28, 21, 35),
)

BANDS: dict[str, Any] = {
    "scheme": "bands",
    "analyte": "hscrp",
    "visit": "baseline",
    "thresholds": {"at_least_1": "hscrp >= 1", "above_3": "hscrp > 3", "above_10": "hscrp > 10"},
    "rules": [
        {"rule": "high", "when": "above_3", "state": "inflamed"},
        {"rule": "middle", "when": "at_least_1", "state": "intermediate"},
        {"rule": "low", "state": "not_inflamed"},
    ],
    "acute": "above_10",
    "samples": {"from": -90, "to": 0, "apart": 14},
    "inflamed": ["inflamed_single", "inflamed_persistent"],
}

SUPPORTED: dict[str, Any] = {
    **BANDS,
    "scheme": "supported",
    "thresholds": {**BANDS["thresholds"], "panel_high": "composite > 0"},
    "support": {
        "all_of": ["panel_high"],
        "met": {"rule": "high_with", "state": "inflamed_supported"},
        "not_met": {"rule": "high_without", "state": "inflamed_unsupported"},
        "unknown": "crp_only",
    },
    "composite": {
        "analytes": ["il6", "tnf"],
        "variant": "within_site",
        "minimum": 2,
        "below_limit": "fill_lod_sqrt2",
    },
    "inflamed": ["inflamed_supported"],
}
