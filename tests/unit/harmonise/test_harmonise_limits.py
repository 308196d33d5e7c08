"""Limits, fills and bridges through the whole of harmonise_measurements: every value, its flags, its ledger."""

from __future__ import annotations

from typing import Any

import polars as pl

from ember.harmonise.measured import harmonise_measurements
from ember.harmonise.passes import Passes
from ember.registry.model import BridgeUse, DeclaredLimit, MeasurementMap, Site, TableMap
from ember.tables.store import conform
from tests.unit.harmonise.harmonise_rows import measurement_rows, shared_registry, study_with

DXC = "beckman_dxc_hscrp_nhanes_2015"
NUMBERS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 1.2, 1.6, 2.2, 3.1] * 4


def done(
    rows: list[dict[str, Any]], limits: tuple[DeclaredLimit, ...] = (), bridge: str | None = None
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return measurements, ledger and findings of a site that declares limits and a bridge for hsCRP."""
    use = BridgeUse(bridge) if bridge else None
    mapping = MeasurementMap("PCR", "mg/L", limits=limits, bridge=use)
    site = Site("porto", "Porto", (TableMap("porto", "PATID", measurements={"hscrp": mapping}),))
    filled = [{"value_reported": str(row["number"]), **row} for row in rows]
    results = Passes(lambda: [measurement_rows(filled)], single=True)
    judged = harmonise_measurements(study_with(), site, shared_registry(), results)
    ((table, ledger),) = judged.measurements
    return table, ledger, judged.findings


def limit(low: float, first: str | None = None, last: str | None = None) -> DeclaredLimit:
    return DeclaredLimit("mg/L", "as its reports say", low=low, first=first, last=last)


def about_limits(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings without those on units, which so few and so low numbers raise too."""
    return findings.filter(pl.col("rule_id") != "value.unit_suspect")


def rules(ledger: pl.DataFrame) -> dict[str, int]:
    return dict(ledger.group_by("rule_id", maintain_order=True).len().rows())


def test_a_number_below_the_limit_is_kept_as_text_and_censored() -> None:
    table, ledger, _ = done([{"number": 0.05, "assay_id": DXC}])
    row = table.row(0, named=True)
    assert (row["value_reported"], row["unit_reported"]) == ("0.05", "mg/L")
    assert (row["value"], row["limit"], row["censoring"], row["detection_limit"]) == (0.11, 0.11, "left", 0.11)
    assert (row["platform"], row["assay_class"], row["bridge_id"]) == ("beckman_dxc", "high_sensitivity", None)
    assert row["flags"] == "value.below_limit;value.unmarked_below_limit"
    assert rules(ledger) == {"value.below_limit": 1, "value.unmarked_below_limit": 1}


def test_a_fill_is_flagged_and_censored() -> None:
    rows = [{"number": 0.2} for _ in range(40)] + [{"number": number} for number in NUMBERS]
    table, ledger, findings = done(rows, (limit(0.2),))
    fills = table.filter(pl.col("flags").cast(pl.String).str.contains("value.fill"))
    assert fills.select("censoring", "value").unique().rows() == [("left", 0.2)]
    assert rules(ledger) == {"value.below_limit": 40, "value.fill": 40}
    assert about_limits(findings).height == 0


def test_a_heap_of_unknown_meaning_is_a_finding_and_stays() -> None:
    rows = [{"number": 0.18} for _ in range(40)] + [{"number": number} for number in NUMBERS]
    table, _, findings = done(rows)
    assert table.height == 80
    assert about_limits(findings).select("rule_id", "severity").rows() == [("value.fill_suspect", "error")]


def test_a_limit_in_doubt_is_quarantined_under_its_own_rule() -> None:
    limits = (limit(0.5, last="2019-06"), limit(0.2, first="2019-07"))
    rows: list[dict[str, Any]] = [
        {"number": 0.3},
        {"number": 0.6},
        {"number": 0.1, "operator": "<"},
        {"number": 9.0, "operator": ">"},
    ]
    table, ledger, _ = done(rows, limits)
    assert table["value"].to_list() == [0.6]
    assert rules(ledger) == {"value.limit_period": 2, "value.limit_missing": 1}


def test_a_bridge_keeps_what_was_before_it() -> None:
    rows: list[dict[str, Any]] = [{"number": number, "assay_id": DXC} for number in (3.0, 40.0)]
    rows += [{"number": 0.08, "operator": "<", "assay_id": DXC}]
    rows += [{"number": 60.0, "operator": "<", "limit_reported": 60.0, "assay_id": DXC}]
    rows += [{"number": 600.0, "assay_id": DXC}]
    table, ledger, _ = done(rows, bridge="nhanes_dxc_to_cobas")
    assert table["value_unbridged"].to_list() == [3.0, 40.0, 0.11]
    assert table["censoring"].to_list() == ["none", "right", "left"]
    assert table["bridge_id"].unique().to_list() == ["nhanes_dxc_to_cobas"]
    assert table["flags"].to_list() == ["", "value.above_limit;value.acute;value.bridge_range", "value.below_limit"]
    assert rules(ledger) == {
        "value.not_bridged": 1,
        "value.outside_hard_limits": 1,
        "value.above_limit": 1,
        "value.acute": 1,
        "value.below_limit": 1,
        "value.bridge_range": 1,
    }


def test_the_table_meets_its_contract_without_rows() -> None:
    table, _, _ = done([])
    assert conform(table, "measurements").height == 0
