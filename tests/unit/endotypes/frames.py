"""Small tables and schemes for the tests of endotypes and analysis sets."""

from __future__ import annotations

from typing import Any

import polars as pl

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


BANDS: dict[str, Any] = {
    "scheme": "bands",
    "analyte": "hscrp",
    "visit": "baseline",
    "acute": {"operator": ">", "value": 10, "state": "acute_suspect"},
    "states": [
        {"rule": "low", "state": "not_inflamed", "below": {"operator": "<", "value": 1}},
        {
            "rule": "middle",
            "state": "intermediate",
            "above": {"operator": ">=", "value": 1},
            "below": {"operator": "<=", "value": 3},
        },
        {"rule": "high", "state": "inflamed_single", "above": {"operator": ">", "value": 3}},
    ],
}

HIGH = {"operator": ">", "value": 3}
SUPPORTED: dict[str, Any] = {
    **BANDS,
    "scheme": "supported",
    "states": [
        *BANDS["states"][:2],
        {"rule": "high_with", "state": "inflamed_supported", "above": HIGH, "composite": {"operator": ">", "value": 0}},
        {
            "rule": "high_without",
            "state": "inflamed_unsupported",
            "above": HIGH,
            "composite": {"operator": "<=", "value": 0},
        },
    ],
    "composite": {
        "analytes": ["il6", "tnf"],
        "variant": "within_site",
        "minimum": 2,
        "below_limit": "fill_lod_sqrt2",
        "missing": "crp_only",
    },
}
