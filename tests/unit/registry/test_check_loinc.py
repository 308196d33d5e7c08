"""LOINC codes and declared factors of site files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings, log_decision

NORTH, SOUTH = "sites/north.yaml", "sites/south.yaml"
MEASUREMENT = "  hscrp: {column: CRP, unit: mg/L, specimen: serum, assay: roche_crphs, visits: [baseline]}"
LABORATORY = """\
site: north
tables:
  people:
    from: north
    participant: ID
    columns: {{age: {{column: AGE, unit: a}}, sex: {{column: SEX, codes: {{1: male, 2: female}}}}}}
    visits: {{wide: {{V0: baseline, V4: week_4}}}}
    instruments: {{phq9: {{total: PHQ}}}}
    measurements: {{hscrp: {{column: CRP, unit: mg/L, visits: [baseline]}}}}
  lab:
    from: more
    participant: ID
    visits: {{single: baseline}}
    laboratory:
      analyte: {{column: CODE, codes: {{{codes}}}}}
      value: VALUE
      unit: {unit}
{more}"""


def laboratory(folder: Path, codes: str, unit: str = "{column: UNIT}", more: str = "") -> list[str]:
    """Give north a laboratory table and return the findings on it."""
    lines = "".join(f"      {line}\n" for line in more.splitlines())
    (folder / NORTH).write_text(LABORATORY.format(codes=codes, unit=unit, more=lines), encoding="utf-8")
    south = "site: south\nlike: north\ntables: {people: {from: south}, lab: {from: more2}}\n"
    (folder / SOUTH).write_text(south, encoding="utf-8")
    sources = "".join(f"  {name}: {{path: {name}.csv, format: csv}}\n" for name in ("more", "more2"))
    change(folder, "study.yaml", "sites: [north, south]", "sites: [north, south]")
    change(folder, "study.yaml", "  south: {path", f"{sources}  south: {{path")
    for name in ("more", "more2"):
        (folder / "data" / f"{name}.csv").write_text("ID,CODE,VALUE,UNIT\n", encoding="utf-8")
    with (folder / "files.csv").open("a", encoding="utf-8") as lines_of_files:
        lines_of_files.write("more.csv,,,a test\nmore2.csv,,,a test\n")
    return [finding for finding in findings(folder) if "south" not in finding.splitlines()[0]]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param('"3236-2": tnf', "'3236-2' is no LOINC code: its check digit is wrong", id="check digit"),
        pytest.param('"770-8": neutrophils',
                     "is Neutrophils, share of white cells (neutrophils_share), not Neutrophils (neutrophils)",
                     id="percent for a count"),
        pytest.param('"751-8": neutrophils_share', "LOINC 751-8 is Neutrophils (neutrophils), not Neutrophils, share",
                     id="count for a percent"),
        pytest.param('"33762-6": il1b', "NT-proBNP, which the registry does not have, not Interleukin-1",
                     id="a heart marker for a cytokine"),
        pytest.param('"26881-3": tnf', "LOINC 26881-3 is Interleukin-6 (il6), not Tumour necrosis factor alpha (tnf)",
                     id="another cytokine"),
        pytest.param('"1988-5": hscrp', "LOINC 1988-5 is C-reactive protein, standard assay (crp_standard), not",
                     id="standard for high sensitivity"),
    ],
)  # fmt: skip
def test_a_wrong_code_is_found_with_both_names(study: Path, codes: str, expected: str) -> None:
    (found,) = laboratory(study, codes)
    assert expected in found
    assert found.startswith("trial/sites/north.yaml:15  tables.lab.laboratory.analyte.codes.")
    assert "confirmed_codes" in found


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param('"30522-7": hscrp, "26881-3": il6, "751-8": neutrophils', id="right"),
        pytest.param('"76486-0": hscrp, "71426-1": hscrp', id="other codes of the analyte"),
        pytest.param('"48346-1": il10', id="valid, and unknown to the registry"),
        pytest.param('"CRP": hscrp, "12-3": il6', id="codes of the house"),
    ],
)
def test_right_and_unknown_codes_pass(study: Path, codes: str) -> None:
    assert laboratory(study, codes) == []


def test_a_code_that_the_file_has_wrong_is_used_once_it_is_confirmed(study: Path) -> None:
    more = 'confirmed_codes: {"3236-2": {reason: the laboratory writes it for TNF, decision: TNF-CODE}}'
    log_decision(study, "TNF-CODE", variable="tnf")
    assert laboratory(study, '"3236-2": tnf', more=more) == []


def test_a_confirmed_code_is_a_choice_that_cites_a_decision(study: Path) -> None:
    more = 'confirmed_codes: {"3236-2": {reason: the laboratory writes it for TNF}}'
    log_decision(study, "OTHER", variable="il6")
    (found,) = laboratory(study, '"3236-2": tnf', more=more)
    assert "A code against LOINC is a choice, and cites no decision" in found


@pytest.mark.parametrize(
    ("confirmed", "expected"),
    [
        pytest.param("26881-3", "Nothing speaks against 26881-3 as il6", id="needless"),
        pytest.param("3236-2", "'3236-2' is not a code of `analyte:`", id="of no code"),
    ],
)
def test_a_needless_confirmation_is_found(study: Path, confirmed: str, expected: str) -> None:
    log_decision(study, "CODE")
    more = f'confirmed_codes: {{"{confirmed}": {{reason: for a test, decision: CODE}}}}'
    (found,) = laboratory(study, '"26881-3": il6', more=more)
    assert expected in found


@pytest.mark.parametrize(
    ("code", "unit", "expected"),
    [
        pytest.param("30522-8", "mg/L", "check digit is wrong", id="check digit"),
        pytest.param("1988-5", "mg/L", "(crp_standard), not C-reactive protein, high", id="other analyte"),
        pytest.param("76486-0", "mg/L", "an amount of substance a volume, and 'mg/L' is a mass", id="amount or mass"),
        pytest.param("30522-7", "mg/L", "", id="right"),
        pytest.param("48346-1", "mg/L", "", id="unknown"),
    ],
)  # fmt: skip
def test_the_code_of_a_measurement_is_checked(study: Path, code: str, unit: str, expected: str) -> None:
    change(study, NORTH, MEASUREMENT, MEASUREMENT.replace("unit: mg/L", f'unit: {unit}, loinc: "{code}"'))
    # South takes the code over with the unit mg/dL, and has the same finding.
    found = [finding for finding in dict.fromkeys(findings(study)) if "'mg/dL'" not in finding]
    assert len(found) == bool(expected)
    assert expected in "".join(found)


@pytest.mark.parametrize(
    ("analyte", "unit", "expected"),
    [
        pytest.param("il6", "pmol/L", "Add `molar_factor: {nmol_per_mg: …, reason: …}`", id="cytokine amount"),
        pytest.param("il6", "IU/mL", "Add `iu_factor: {pg_per_iu: …, reason: …}`", id="international unit"),
        pytest.param("il6", "pmol/L, iu_factor: {pg_per_iu: 10, reason: as the kit says, decision: D}",
                     "'pmol/L' needs a declared molar factor for il6", id="the other factor"),
        pytest.param("hscrp", "mg/L, iu_factor: {pg_per_iu: 10, reason: as the kit says, decision: D}",
                     "No unit of hscrp needs a declared activity factor", id="a needless factor"),
        pytest.param("il6", "IU/mL, iu_factor: {pg_per_iu: 10, reason: as the kit says, decision: D}", "",
                     id="declared"),
        pytest.param("il6", "pmol/L, molar_factor: {nmol_per_mg: 47.6, reason: as the kit says, decision: D}", "",
                     id="declared molar factor"),
        pytest.param("il6", "IU/mL, iu_factor: {pg_per_iu: 10, reason: as the kit says}",
                     "An activity factor is a choice, and cites no decision", id="without a decision"),
    ],
)  # fmt: skip
def test_a_factor_is_declared_where_a_unit_needs_one(study: Path, analyte: str, unit: str, expected: str) -> None:
    log_decision(study, "D")
    new = (
        MEASUREMENT.replace("hscrp", analyte).replace("unit: mg/L", f"unit: {unit}").replace(" assay: roche_crphs,", "")
    )
    text = (study / NORTH).read_text(encoding="utf-8")
    if analyte != "hscrp":
        new = f"{MEASUREMENT}\n{new}"
    (study / NORTH).write_text(text.replace(MEASUREMENT, new), encoding="utf-8")
    found = [finding for finding in findings(study) if "north.yaml" in finding.splitlines()[0]]
    assert len(found) == bool(expected)
    assert expected in "".join(found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param("molar_factor: {nmol_per_mg: 9.524, reason: for a test, decision: D}",
                     "One molar factor cannot hold for hscrp and il6", id="one for two substances"),
        pytest.param("molar_factors: {tnf: {nmol_per_mg: 57.5, reason: for a test, decision: D}}",
                     "'tnf' is not an analyte of this table", id="of no analyte"),
        pytest.param("iu_factors: {hscrp: {pg_per_iu: 10, reason: for a test, decision: D}}",
                     "No unit of hscrp needs a declared activity factor", id="needless"),
        pytest.param("molar_factors: {il6: {nmol_per_mg: 47.6, reason: for a test}}",
                     "A molar factor is a choice, and cites no decision", id="without a decision"),
        pytest.param("molar_factors: {il6: {nmol_per_mg: 47.6, reason: for a test, decision: D}}\n"
                     "iu_factors: {il6: {pg_per_iu: 10, reason: for a test, decision: D}}", "", id="right"),
    ],
)  # fmt: skip
def test_each_substance_of_a_laboratory_table_has_its_own_factor(study: Path, more: str, expected: str) -> None:
    log_decision(study, "D")
    found = laboratory(study, "CRP: hscrp, IL6: il6", more=more)
    assert len(found) == bool(expected)
    assert expected in "".join(found)


def test_a_laboratory_table_in_moles_says_where_its_factors_go(study: Path) -> None:
    found = laboratory(study, "CRP: hscrp, IL6: il6", unit="nmol/L")
    assert ["Add `molar_factors: {hscrp: {nmol_per_mg: …, reason: …}}`" in text for text in found] == [True, False]
