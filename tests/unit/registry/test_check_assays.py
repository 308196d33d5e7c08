"""Limits, bridges and platforms in study files that lead nowhere, contradict each other or pool what is not alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import load_study
from tests.unit.registry.study_folder import change, findings, log_decision

NORTH, SOUTH, COURSE = "sites/north.yaml", "sites/south.yaml", "analyses/course.yaml"
DATES = "visits: {wide: {V0: baseline, V4: week_4}, date: {column: D, date: iso}}"
BECKMAN = "assay: beckman_dxc_hscrp_nhanes_2015, bridge: {id: nhanes_dxc_to_cobas, decision: BRIDGE}"


def limits(*entries: str) -> str:
    more = [f"{{{entry}, unit: mg/L, reason: on its reports, decision: LIMIT}}" for entry in entries]
    return f"assay: roche_crphs, batch: LOT, limits: [{', '.join(more)}]"


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        pytest.param(("low: 0.3",), None, id="one limit"),
        pytest.param(("low: 0.3, to: 2019-06", "low: 0.2, from: 2019-07"), None, id="one after the other"),
        pytest.param(("low: 0.3, batches: [A]", "low: 0.2, batches: [B]"), None, id="by batch"),
        pytest.param(("low: 0.3, to: 2019-07", "low: 0.2, from: 2019-07"), "same month", id="a month of both"),
        pytest.param(("low: 0.3", "low: 0.2, batches: [B]"), "same month and batch", id="a batch of both"),
        pytest.param(("low: 0.3, from: 2019-08, to: 2019-07",), "lies after", id="period backwards"),
        pytest.param(("low: 0.3, high: 0.3",), "does not lie below", id="range backwards"),
        pytest.param(("low: 0.3, from: 2019-13",), "2019-13", id="no month"),
        pytest.param(("low: 0.3, from: 2019-01-05",), "", id="a day is no month"),
    ],
)
def test_declared_limits(study: Path, entries: tuple[str, ...], expected: str | None) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    change(study, NORTH, "visits: {wide: {V0: baseline, V4: week_4}}", DATES)
    change(study, NORTH, "assay: roche_crphs", limits(*entries))
    found = findings(study)
    if expected is None:
        assert found == []
    else:
        assert found and expected in found[0]


def test_limits_by_month_need_dates(study: Path) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    change(study, NORTH, "assay: roche_crphs", limits("low: 0.3, to: 2019-06"))
    assert "Nothing in this table tells the month of a sample" in findings(study)[0]


def test_limits_by_batch_need_batches(study: Path) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    change(study, NORTH, "assay: roche_crphs", limits("low: 0.3, batches: [A]").replace("batch: LOT, ", ""))
    assert "no `batch:` is mapped" in findings(study)[0]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        pytest.param("pg/L", "'pg/L' is not a unit of hscrp", id="unit-unknown"),
        pytest.param("nmol/L", "needs a declared molar factor", id="molar-factor-missing"),
    ],
)
def test_the_unit_of_a_limit_is_converted(study: Path, unit: str, expected: str) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    change(study, NORTH, "assay: roche_crphs", limits("low: 0.3").replace("unit: mg/L", f"unit: {unit}"))
    assert expected in findings(study)[0]
    assert "measurements.hscrp.limits.0.unit" in findings(study)[0]


@pytest.mark.parametrize("mapping", [limits("low: 0.3"), BECKMAN], ids=["limit", "bridge"])
def test_limits_and_bridges_are_choices(study: Path, mapping: str) -> None:
    log_decision(study, "OTHER")
    change(
        study, NORTH, "assay: roche_crphs", mapping.replace(", decision: LIMIT", "").replace(", decision: BRIDGE", "")
    )
    assert any("is a choice, and cites no decision" in text for text in findings(study))


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        pytest.param(BECKMAN, None, id="as the registry says"),
        pytest.param(BECKMAN.replace("nhanes_dxc_to_cobas", "nhanes_dxc_to_coba"), "Nearest: nhanes_dxc_to_cobas",
                     id="unknown"),
        pytest.param(BECKMAN.replace("beckman_dxc_hscrp_nhanes_2015", "roche_crphs"),
                     "leads away from beckman_dxc_hscrp_nhanes_2015; the site file names roche_crphs", id="assay"),
        pytest.param(BECKMAN.replace("assay: beckman_dxc_hscrp_nhanes_2015, ", ""), "names no assay", id="no-assay"),
    ],
)  # fmt: skip
def test_bridges(study: Path, mapping: str, expected: str | None) -> None:
    log_decision(study, "BRIDGE", variable="hscrp")
    change(study, NORTH, "assay: roche_crphs", mapping)
    found = findings(study)
    assert found == [] if expected is None else expected in found[0]


def test_limits_and_bridges_of_a_laboratory_table_stand_by_analyte(study: Path) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    table = (
        "laboratory:\n  analyte: {column: TEST, codes: {CRP: hscrp}}\n  value: RESULT\n  unit: mg/L\n"
        "  assays: {hscrp: beckman_dxc_hscrp_nhanes_2015}\n"
        "  limits: {hscrp: [{low: 0.2, unit: mg/L, reason: on its reports, decision: LIMIT}], il6: "
        "[{low: 0.2, unit: pg/mL, reason: on its reports, decision: LIMIT}]}\n"
        "  bridge: {hscrp: {id: nhanes_dxc_to_cobas, decision: LIMIT}}\n"
    )
    # A key without a value drops what the site inherits.
    change(study, SOUTH, "measurements:\n  hscrp: {unit: mg/dL}\n", f"measurements:\n{table}")
    found = [text for text in findings(study) if "il6" in text]
    assert any("'il6' is not an analyte of this table" in text for text in found)


def test_a_site_file_with_limits_and_a_bridge_is_built(study: Path) -> None:
    log_decision(study, "LIMIT", variable="hscrp")
    log_decision(study, "BRIDGE", variable="hscrp")
    change(study, NORTH, "visits: {wide: {V0: baseline, V4: week_4}}", DATES)
    both = limits("low: 0.3, to: 2019-06, batches: [A, B]").replace("assay: roche_crphs", BECKMAN)
    change(study, NORTH, "assay: roche_crphs", both)
    loaded, _ = load_study(str(study), environment={})
    mapping = loaded.sites["north"].tables[0].measurements["hscrp"]
    [limit] = mapping.limits
    assert (limit.low, limit.first, limit.last, limit.batches) == (0.3, None, "2019-06", ("A", "B"))
    assert mapping.bridge is not None and mapping.bridge.id == "nhanes_dxc_to_cobas"


def cytokine(study: Path, north: str, south: str) -> None:
    """Let both sites measure IL-6 and the analysis pool it on one scale."""
    change(study, NORTH, "instruments:", f"  il6: {{column: IL6, unit: pg/mL, specimen: serum{north}}}\ninstruments:")
    change(study, SOUTH, "hscrp: {unit: mg/dL}", f"hscrp: {{unit: mg/dL}}\n  il6: {{unit: pg/mL{south}}}")
    change(study, COURSE, "analyte: hscrp", "analyte: il6")


MSD, LUMINEX = ", assay: msd_vplex_il6", ", assay: luminex_hs_il6"


@pytest.mark.parametrize(
    ("north", "south", "expected"),
    [
        pytest.param(MSD, MSD, None, id="one platform"),
        pytest.param(MSD, LUMINEX, "from luminex_high_sensitivity, msd_vplex", id="two platforms"),
        pytest.param("", MSD, "north does not say by which assay", id="a platform that nobody names"),
        pytest.param("", "", "north, south does not say by which assay", id="none named"),
    ],
)
def test_raw_cytokines_are_pooled_over_one_platform_only(
    study: Path, north: str, south: str, expected: str | None
) -> None:
    cytokine(study, north, south)
    found = findings(study)
    assert found == [] if expected is None else expected in found[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("scale: log2,", "scale: log2, centre: within_site,", id="centred within sites"),
        pytest.param("pool: one_stage", "pool: two_stage", id="two stages"),
        pytest.param("pool: one_stage", "pool: by_site", id="sites apart"),
    ],
)
def test_comparisons_within_sites_are_free(study: Path, old: str, new: str) -> None:
    cytokine(study, MSD, LUMINEX)
    change(study, COURSE, old, new)
    assert not [text for text in findings(study) if "pools raw results" in text]


def test_a_composite_over_the_analysis_set_is_raw(study: Path) -> None:
    cytokine(study, MSD, LUMINEX)
    change(study, COURSE, "analyte: il6", "analyte: hscrp")
    change(study, COURSE, "models:", "composite: {analytes: [il6, tnf], standardise: analysis_set}\nmodels:")
    assert any("pools raw results of il6" in text and "composite.standardise" in text for text in findings(study))


def test_crp_is_standardised_over_platforms(study: Path) -> None:
    change(study, SOUTH, "{unit: mg/dL}", "{unit: mg/dL, assay: siemens_bnii_crphs}")
    assert findings(study) == []
