"""The shipped registry tables agree with themselves, with each other and with arithmetic."""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests.real_data import real_file

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = ROOT / "config" / "registry"

# Key columns, a bar, the other columns.
SCHEMAS = {
    "analytes": "analyte|label,loinc,loinc_accepted,canonical_unit,specimens,hard_low,hard_high,reference_ln_mean,"
    "reference_ln_sd,acute_above,reference_population,source,verified",
    "units": "analyte,from_unit|to_unit,numerator,denominator,needs,example_from,example_to,source,verified",
    "unit_aliases": "alias|unit,source,verified",
    "loinc_codes": "loinc|analyte,name,property,source,verified",
    "assays": "assay_id|label,analyte,platform,assay_class,unit,limit_low,limit_high,fill,valid_from,valid_to,"
    "source,verified",
    "bridges": "bridge_id|label,analyte,from_assay,to_assay,unit,slope,intercept,valid_low,valid_high,slope_se,"
    "intercept_se,residual_sd,method,source,verified",
    "composite_references": "reference,analyte|platform,unit,ln_mean,ln_sd,n,n_below,population,source,verified",
    "within_person": "within_person|analyte,measure,value,unit,interval,includes_assay,population,source,verified",
    "instruments": "instrument|label,construct,parent,version_group,needs,n_items,total_low,total_high,missing_totals,"
    "direction,scoring,missing_rule,max_missing,response_rule,remission_operator,remission_value,reference_mean,reference_sd,reference_population,licence,"
    "source,verified",
    "instrument_items": "instrument,item|item_low,item_high,scored,reverse,domain,not_points,missing_codes,"
    "source,verified",
    "severity_bands": "instrument,banding,band|low,high,source,verified",
    "raw_scores": "instrument,raw|score,standard_error,source,verified",
    "constructs": "construct|label,outcome,source,verified",
    "value_sets": "value_set|instrument,label,source,verified",
    "crosswalks": "crosswalk|from_instrument,to_instrument,kind,intercept,slope,from_low,from_high,error_sd,population,"
    "source,verified",
    "crosswalk_points": "crosswalk,from_low|from_high,to_low,to_high,source,verified",
    "treatments": "treatment|label,kind,atc,components,source,verified",
    "treatment_names": "name|treatment,source,verified",
    "treatment_kinds": "kind|label,drug,dose_unit,trd,modifies,carry_over_days,source,verified",
    "dose_units": "unit|to_unit,numerator,denominator,example_from,example_to,source,verified",
    "adequate_doses": "treatment|minimum_dose,unit,minimum_weeks,source,verified",
    "trial_outcomes": "outcome|label,failed,improvement_from,improvement_below,source,verified",
    "staging": "scheme,part,level|points,above,to,counts,unit,source,verified",
    "codelists": "codelist,code|label,source,verified",
    "codelist_names": "codelist,name|code,source,verified",
    "disclosure": "profile|threshold,rounding,minimum_residual_df,source,verified",
    "symptom_items": "profile,instrument,item|symptom,source,verified",
    "thresholds": "threshold|analyte,operator,value,unit,label,source,verified",
    "cross_field_rules": "rule,table|kind,left,operator,right,tolerance,category,severity,title,source,verified",
    "variable_names": "kind,target,name|language,confidence,source,verified",
    "standard_codes": "standard,kind,code|meaning,source,verified",
    "unit_evidence": "demand|value,unit,meaning,source,verified",
    "unit_populations": "analyte|components,cut,share_low,share_high,location_low,location_high,usual_resolution,"
    "source,verified",
    "unit_companions": "analyte,companion|slope,spread,source,verified",
}
ALLOWED = {
    ("units", "needs"): {"", "molar_factor", "iu_factor"},
    ("loinc_codes", "property"): {
        "mass_volume", "moles_volume", "count_volume", "activity_volume", "arbitrary_volume", "share", "ratio", "mass",
        "volume", "length_time", "time", "rate", "presence", "panel",
    },
    ("within_person", "measure"): {"cv", "ln_sd", "sd"},
    ("within_person", "includes_assay"): {"true", "false"},
    ("assays", "assay_class"): {"high_sensitivity", "standard", "multiplex"},
    ("assays", "fill"): {"none", "lod_sqrt2", "lod_half", "lod"},
    ("instruments", "construct"): {
        "severity", "functioning", "quality_of_life", "cognition", "anhedonia", "fatigue", "adversity", "staging",
        "infection",
    },
    ("instruments", "direction"): {"higher_worse", "higher_better"},
    ("instruments", "needs"): {"", "value_set"},
    ("instruments", "scoring"): {"sum", "qids_domains", "mean_domains", "raw_table", "subscales", "given"},
    ("instruments", "missing_rule"): {"all_required", "prorate", "domain_mean", "discard_assessment"},
    ("constructs", "outcome"): {"true", "false"},
    ("crosswalks", "kind"): {"points", "table", "linear", "bands"},
    ("instruments", "response_rule"): {"", "fall_50"},
    ("instruments", "remission_operator"): {"", "<", "<="},
    ("instrument_items", "scored"): {"true", "false"},
    ("instrument_items", "reverse"): {"true", "false"},
    ("treatment_kinds", "drug"): {"true", "false"},
    ("treatment_kinds", "dose_unit"): {"", "mg/day", "sessions", "minutes/week"},
    ("treatment_kinds", "trd"): {"yes", "no", "unknown"},
    ("trial_outcomes", "failed"): {"yes", "no"},
    ("staging", "scheme"): {"trd", "maudsley"},
    ("thresholds", "operator"): {"<", "<=", ">", ">="},
    ("cross_field_rules", "kind"): {"analytes", "earlier_visit", "participant", "reference", "flag"},
    ("cross_field_rules", "operator"): {"<=", ">=", "in", "lacks"},
    ("cross_field_rules", "category"): {"conformance", "completeness", "plausibility"},
    ("cross_field_rules", "severity"): {"error", "warning", "information"},
    ("standard_codes", "standard"): {"omop", "cdisc"},
    ("standard_codes", "kind"): {"analyte", "unit", "operator"},
}  # fmt: skip
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")
ATC = re.compile(r"[A-Z]\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?")

Row = dict[str, str]


def read(table: str) -> list[Row]:
    with (REGISTRY / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


TABLES = {table: read(table) for table in SCHEMAS}


def parts(cell: str) -> list[str]:
    return cell.split(";") if cell else []


def loinc_is_valid(code: str) -> bool:
    """Mod-10 check digit of LOINC: from the right, every second digit doubled and its digits added."""
    match = re.fullmatch(r"(\d+)-(\d)", code)
    if match is None:
        return False
    digits = [int(digit) for digit in reversed(match[1])]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return -total % 10 == int(match[2])


def in_canonical_unit(analyte: str, unit: str, value: str) -> Fraction:
    row = next(row for row in TABLES["units"] if (row["analyte"], row["from_unit"]) == (analyte, unit))
    return Fraction(value) * Fraction(int(row["numerator"]), int(row["denominator"]))


def scored_items(instrument: str) -> list[Row]:
    return [row for row in TABLES["instrument_items"] if row["instrument"] == instrument and row["scored"] == "true"]


def test_no_table_is_left_unchecked() -> None:
    assert {path.stem for path in REGISTRY.glob("*.csv")} == set(SCHEMAS)


@pytest.mark.parametrize("table", SCHEMAS)
class TestEveryTable:
    def test_has_its_columns_in_order(self, table: str) -> None:
        text = (REGISTRY / f"{table}.csv").read_bytes()
        assert text.split(b"\n", 1)[0].decode() == SCHEMAS[table].replace("|", ",")
        assert b"\r" not in text and text.endswith(b"\n")

    def test_has_whole_rows_without_stray_space(self, table: str) -> None:
        for row in TABLES[table]:
            assert None not in row and None not in row.values()
            assert all(cell == cell.strip() for cell in row.values()), row

    def test_has_unique_complete_keys(self, table: str) -> None:
        columns = SCHEMAS[table].split("|")[0].split(",")
        keys = [tuple(row[column] for column in columns) for row in TABLES[table]]
        assert len(set(keys)) == len(keys) > 0
        assert all(all(key) for key in keys)

    def test_names_a_source_and_says_whether_it_was_verified(self, table: str) -> None:
        for row in TABLES[table]:
            assert row["source"], row
            assert row["verified"] in {"true", "false"}, row

    def test_textbook_rows_are_not_verified(self, table: str) -> None:
        for row in TABLES[table]:
            if re.search("textbook|not read in", row["source"]):
                assert row["verified"] == "false", row


@pytest.mark.parametrize(("table", "column"), ALLOWED)
def test_closed_columns_hold_only_known_values(table: str, column: str) -> None:
    assert {row[column] for row in TABLES[table]} <= ALLOWED[table, column]


def test_names_are_plain_identifiers() -> None:
    named = [("assays", "platform"), ("severity_bands", "band"), ("treatments", "kind"), ("codelists", "code")]
    named += [(table, SCHEMAS[table].split("|")[0]) for table in ("analytes", "assays", "instruments", "treatments")]
    named += [("disclosure", "profile"), ("thresholds", "threshold")]
    for table, column in named:
        assert [row[column] for row in TABLES[table] if not IDENTIFIER.fullmatch(row[column])] == [], table


@pytest.mark.parametrize(
    ("table", "column", "target", "target_column"),
    [
        pytest.param("units", "analyte", "analytes", "analyte", id="units-analytes"),
        pytest.param("unit_aliases", "unit", "units", "from_unit", id="aliases-units"),
        pytest.param("assays", "analyte", "analytes", "analyte", id="assays-analytes"),
        pytest.param("bridges", "from_assay", "assays", "assay_id", id="bridges-from"),
        pytest.param("bridges", "to_assay", "assays", "assay_id", id="bridges-to"),
        pytest.param("symptom_items", "instrument", "instruments", "instrument", id="symptoms-instruments"),
        pytest.param("instrument_items", "instrument", "instruments", "instrument", id="items-instruments"),
        pytest.param("severity_bands", "instrument", "instruments", "instrument", id="bands-instruments"),
        pytest.param("treatments", "components", "treatments", "treatment", id="components-treatments"),
        pytest.param("treatment_names", "treatment", "treatments", "treatment", id="names-treatments"),
        pytest.param("treatments", "kind", "treatment_kinds", "kind", id="treatments-kinds"),
        pytest.param("treatment_kinds", "modifies", "analytes", "analyte", id="kinds-analytes"),
        pytest.param("adequate_doses", "treatment", "treatments", "treatment", id="doses-treatments"),
    ],
)
def test_references_between_tables_hold(table: str, column: str, target: str, target_column: str) -> None:
    known = {row[target_column] for row in TABLES[target]}
    assert {part for row in TABLES[table] for part in parts(row[column])} <= known


class TestAnalytes:
    def test_loinc_check_digits(self) -> None:
        for row in TABLES["analytes"]:
            assert all(loinc_is_valid(code) for code in [*parts(row["loinc"]), *parts(row["loinc_accepted"])]), row

    @pytest.mark.parametrize("code", ["3236-2", "2293-7", "49246-0", "30522-8", "30522"])
    def test_check_digit_refuses_codes_seen_in_the_wild(self, code: str) -> None:
        assert not loinc_is_valid(code)

    def test_every_code_has_its_name(self) -> None:
        named = {row["loinc"]: row["analyte"] for row in TABLES["loinc_codes"]}
        assert all(loinc_is_valid(code) for code in named)
        for row in TABLES["analytes"]:
            codes = [*parts(row["loinc"]), *parts(row["loinc_accepted"])]
            assert [code for code in codes if named.get(code) != row["analyte"]] == [], row
            assert [code for code, analyte in named.items() if analyte == row["analyte"]] == codes or not codes, row
        assert set(named.values()) <= {row["analyte"] for row in TABLES["analytes"]} | {""}

    def test_a_loinc_names_one_analyte(self) -> None:
        codes = [c for row in TABLES["analytes"] for c in [*parts(row["loinc"]), *parts(row["loinc_accepted"])]]
        assert len(set(codes)) == len(codes)

    def test_limits_reference_and_acute_cut_are_in_order(self) -> None:
        for row in TABLES["analytes"]:
            low, high = float(row["hard_low"]), float(row["hard_high"])
            assert 0 <= low < high, row
            assert bool(row["reference_ln_mean"]) == bool(row["reference_ln_sd"]) == bool(row["reference_population"])
            if row["reference_ln_mean"]:
                assert low < math.exp(float(row["reference_ln_mean"])) < high, row
                assert float(row["reference_ln_sd"]) > 0, row
        assert {row["analyte"]: row["acute_above"] for row in TABLES["analytes"] if row["acute_above"]} == {
            "hscrp": "10"
        }

    def test_specimens_are_in_the_codelist(self) -> None:
        known = {row["code"] for row in TABLES["codelists"] if row["codelist"] == "specimen"}
        for row in TABLES["analytes"]:
            assert row["specimens"] and set(parts(row["specimens"])) <= known, row


class TestUnits:
    def test_every_row_ends_in_the_canonical_unit(self) -> None:
        canonical = {row["analyte"]: row["canonical_unit"] for row in TABLES["analytes"]}
        assert all(row["to_unit"] == canonical[row["analyte"]] for row in TABLES["units"])

    def test_every_analyte_has_its_identity_row(self) -> None:
        identity = {
            row["analyte"]: Fraction(int(row["numerator"]), int(row["denominator"]))
            for row in TABLES["units"]
            if row["from_unit"] == row["to_unit"]
        }
        assert identity == {row["analyte"]: Fraction(1) for row in TABLES["analytes"]}

    def test_worked_examples_are_exact(self) -> None:
        for row in TABLES["units"]:
            if row["needs"]:
                continue
            numerator, denominator = int(row["numerator"]), int(row["denominator"])
            assert numerator > 0 and denominator > 0, row
            assert Fraction(row["example_to"]) == Fraction(row["example_from"]) * Fraction(numerator, denominator), row

    def test_worked_examples_are_plausible_results(self) -> None:
        limits = {row["analyte"]: (Fraction(row["hard_low"]), Fraction(row["hard_high"])) for row in TABLES["analytes"]}
        for row in TABLES["units"]:
            if not row["needs"]:
                low, high = limits[row["analyte"]]
                assert low <= Fraction(row["example_to"]) <= high, row

    def test_molar_units_carry_no_factor(self) -> None:
        molar = [row for row in TABLES["units"] if row["needs"]]
        assert {("hscrp", "nmol/L"), ("il6", "pmol/L")} <= {(row["analyte"], row["from_unit"]) for row in molar}
        for row in molar:
            assert {"molar_factor": "mol", "iu_factor": "[IU]"}[row["needs"]] in row["from_unit"], row
            assert not (row["numerator"] or row["denominator"] or row["example_from"] or row["example_to"]), row

    def test_the_same_change_of_unit_has_the_same_factor_everywhere(self) -> None:
        factors = defaultdict(set)
        for row in TABLES["units"]:
            if not row["needs"]:
                factors[row["from_unit"], row["to_unit"]].add((row["numerator"], row["denominator"]))
        # Two units without a substance in them convert alike whatever is measured; from mass to amount none does.
        crossing = {pair for pair in factors if ("mol" in pair[0]) != ("mol" in pair[1])}
        assert {pair for pair, seen in factors.items() if len(seen) > 1} <= crossing

    def test_aliases_never_shadow_a_unit(self) -> None:
        assert {row["alias"] for row in TABLES["unit_aliases"]}.isdisjoint(row["from_unit"] for row in TABLES["units"])

    @pytest.mark.parametrize("alias", ["G/L", "U/mL", "M/L", "%", "mg%", "mg", "U", "mEq", "Mg/L"])
    def test_ambiguous_spellings_are_absent(self, alias: str) -> None:
        assert alias not in {row["alias"] for row in TABLES["unit_aliases"]}

    def test_common_spellings_are_known(self) -> None:
        units = {row["alias"]: row["unit"] for row in TABLES["unit_aliases"]}
        assert units["\u00b5g/mL"] == units["\u03bcg/mL"] == units["mcg/mL"] == units["ug/ml"] == "ug/mL"
        assert (units["MG/L"], units["mg/dl"]) == ("mg/L", "mg/dL")
        assert (units["K/uL"], units["x10^9/L"]) == ("10*3/uL", "10*9/L")


class TestAssays:
    def test_unit_is_convertible_without_a_molar_factor(self) -> None:
        exact = {(row["analyte"], row["from_unit"]) for row in TABLES["units"] if not row["needs"]}
        assert {(row["analyte"], row["unit"]) for row in TABLES["assays"]} <= exact

    def test_limits_lie_within_the_hard_limits(self) -> None:
        limits = {row["analyte"]: (Fraction(row["hard_low"]), Fraction(row["hard_high"])) for row in TABLES["analytes"]}
        for row in TABLES["assays"]:
            low, high = limits[row["analyte"]]
            below = in_canonical_unit(row["analyte"], row["unit"], row["limit_low"])
            above = in_canonical_unit(row["analyte"], row["unit"], row["limit_high"]) if row["limit_high"] else high
            assert low <= below < above <= high, row

    def test_validity_is_a_period(self) -> None:
        for row in TABLES["assays"]:
            assert bool(row["valid_from"]) == bool(row["valid_to"]), row
            if row["valid_from"]:
                assert date.fromisoformat(row["valid_from"]) < date.fromisoformat(row["valid_to"]), row


class TestBridges:
    def test_both_assays_measure_the_analyte_in_its_canonical_unit(self) -> None:
        analytes = {row["assay_id"]: row["analyte"] for row in TABLES["assays"]}
        units = {row["analyte"]: row["canonical_unit"] for row in TABLES["analytes"]}
        for row in TABLES["bridges"]:
            assert analytes[row["from_assay"]] == analytes[row["to_assay"]] == row["analyte"], row
            assert row["from_assay"] != row["to_assay"] and row["unit"] == units[row["analyte"]], row

    def test_results_rise_and_stay_above_zero_within_the_range(self) -> None:
        for row in TABLES["bridges"]:
            slope, intercept = Fraction(row["slope"]), Fraction(row["intercept"])
            low, high = Fraction(row["valid_low"] or 0), row["valid_high"]
            assert slope > 0 and slope * low + intercept > 0, row
            assert not high or low < Fraction(high), row
            errors = [row[name] for name in ("slope_se", "intercept_se", "residual_sd")]
            assert all(float(error) > 0 for error in errors if error), row

    def test_the_published_equations_of_nhanes(self) -> None:
        rows = {row["bridge_id"]: row for row in TABLES["bridges"]}
        there, back = rows["nhanes_dxc_to_cobas"], rows["nhanes_cobas_to_dxc"]
        assert (there["slope"], there["intercept"], there["valid_high"]) == ("0.8695", "0.2954", "23")
        assert (back["slope"], back["intercept"], back["valid_high"]) == ("1.150", "-0.3397", "20")
        assert float(Fraction(there["slope"]) * Fraction("0.11") + Fraction(there["intercept"])) == 0.391045

    def test_no_row_leads_from_one_glyca_to_the_other(self) -> None:
        ways = [(row["analyte"], row["from_unit"]) for row in TABLES["units"] if row["analyte"].startswith("glyca")]
        assert {analyte for analyte, _ in ways} == {"glyca_nmr_lipoprofile", "glyca_nightingale"}
        assert not [row for row in TABLES["bridges"] if row["analyte"].startswith("glyca")]


class TestInstruments:
    def test_ranges_constants_and_rules_are_consistent(self) -> None:
        for row in TABLES["instruments"]:
            assert bool(row["total_low"]) == bool(row["total_high"]) == (row["scoring"] != "subscales"), row
            assert (row["missing_rule"] == "all_required") == (row["max_missing"] == "0"), row
            assert row["licence"] and int(row["n_items"]) > 0, row
            assert bool(row["remission_operator"]) == bool(row["remission_value"]), row
            assert bool(row["reference_mean"]) == bool(row["reference_sd"]) == bool(row["reference_population"]), row
            if not row["total_low"]:
                continue
            low, high = float(row["total_low"]), float(row["total_high"])
            assert low < high, row
            assert not any(low <= float(code) <= high for code in parts(row["missing_totals"])), row
            if row["remission_value"]:
                assert low <= float(row["remission_value"]) < high, row
            if row["reference_mean"]:
                assert low < float(row["reference_mean"]) < high and float(row["reference_sd"]) > 0, row

    @pytest.mark.parametrize("instrument", [r["instrument"] for r in TABLES["instruments"] if r["scoring"] != "given"])
    def test_items_add_up_to_the_total(self, instrument: str) -> None:
        row = next(row for row in TABLES["instruments"] if row["instrument"] == instrument)
        items = scored_items(instrument)
        assert len(items) == int(row["n_items"])
        sums = [sum(int(item[side]) for item in items) for side in ("item_low", "item_high")]
        if row["scoring"] == "sum":
            assert sums == [int(row["total_low"]), int(row["total_high"])]
        elif row["scoring"] == "qids_domains":
            domains = {item["domain"] or item["item"]: int(item["item_high"]) for item in items}
            assert len(domains) == {"qids_sr16": 9, "qids_c16": 9, "ids_sr30": 28}[instrument]
            assert sum(domains.values()) == int(row["total_high"])
        elif row["scoring"] == "raw_table":
            raw = [int(own["raw"]) for own in TABLES["raw_scores"] if own["instrument"] == instrument]
            scores = [float(own["score"]) for own in TABLES["raw_scores"] if own["instrument"] == instrument]
            assert raw == list(range(sums[0], sums[1] + 1)) and scores == sorted(set(scores))
            assert (scores[0], scores[-1]) == (float(row["total_low"]), float(row["total_high"]))
        elif row["scoring"] == "mean_domains":
            assert len({(item["item_low"], item["item_high"], item["domain"]) for item in items}) == 1
            assert (row["total_low"], row["total_high"]) == ("0", "100")
            assert int(row["max_missing"]) < len(items)
        else:
            assert instrument == "whoqol_bref" and int(row["max_missing"]) / len(items) <= 0.2 < 6 / len(items)

    def test_a_subscale_counts_items_of_its_questionnaire_the_same_way(self) -> None:
        own = {(item["instrument"], item["item"]): item for item in TABLES["instrument_items"]}
        for row in TABLES["instruments"]:
            if row["parent"] and row["scoring"] != "given":
                for item in scored_items(row["instrument"]):
                    parent = own[row["parent"], item["item"]]
                    for column in ("item_low", "item_high", "reverse", "scored"):
                        assert item[column] == parent[column], item

    @pytest.mark.parametrize("parent", ["mfi20", "ctq_sf", "sds"])
    def test_subscales_share_out_the_scored_items(self, parent: str) -> None:
        children = [row["instrument"] for row in TABLES["instruments"] if row["parent"] == parent]
        shared = sorted(int(item["item"]) for child in children for item in scored_items(child))
        assert shared == sorted(int(item["item"]) for item in scored_items(parent))

    def test_parents_and_versions_are_instruments_of_one_construct(self) -> None:
        constructs = {row["instrument"]: row["construct"] for row in TABLES["instruments"]}
        groups = defaultdict(set)
        for row in TABLES["instruments"]:
            assert not row["parent"] or constructs[row["parent"]] == row["construct"], row
            groups[row["version_group"]].add(row["construct"])
        assert all(len(found) == 1 for group, found in groups.items() if group)

    def test_instruments_stand_in_the_framework_s_order_of_outcomes(self) -> None:
        order = [row["construct"] for row in TABLES["constructs"]]
        assert order[:4] == ["functioning", "quality_of_life", "cognition", "severity"]
        assert {row["construct"] for row in TABLES["constructs"] if row["outcome"] == "true"} == set(order[:4])
        places = [order.index(row["construct"]) for row in TABLES["instruments"]]
        assert places == sorted(places) and set(places) == set(range(len(order)))

    def test_an_index_has_value_sets_and_nothing_else_has(self) -> None:
        needing = {row["instrument"] for row in TABLES["instruments"] if row["needs"] == "value_set"}
        assert needing == {row["instrument"] for row in TABLES["value_sets"]} == {"eq5d3l_index", "eq5d5l_index"}

    def test_given_totals_have_no_items(self) -> None:
        given = {row["instrument"] for row in TABLES["instruments"] if row["scoring"] == "given"}
        assert given.isdisjoint(row["instrument"] for row in TABLES["instrument_items"])

    def test_special_codes_lie_outside_the_points(self) -> None:
        for row in TABLES["instrument_items"]:
            low, high = int(row["item_low"]), int(row["item_high"])
            assert low < high, row
            codes = [int(code) for code in [*parts(row["not_points"]), *parts(row["missing_codes"])]]
            assert len(set(codes)) == len(codes) and not any(low <= code <= high for code in codes), row

    def test_no_item_carries_words(self) -> None:
        assert all(re.fullmatch("[a-z_]*", row["domain"]) for row in TABLES["instrument_items"])

    def test_bands_cover_the_range_without_gap_or_overlap(self) -> None:
        ranges = {row["instrument"]: (int(row["total_low"]), int(row["total_high"]))
                  for row in TABLES["instruments"] if row["total_low"].isdigit()}  # fmt: skip
        bandings = defaultdict(list)
        for row in TABLES["severity_bands"]:
            bandings[row["instrument"], row["banding"]].append((int(row["low"]), int(row["high"])))
        for (instrument, _), bands in bandings.items():
            assert (bands[0][0], bands[-1][1]) == ranges[instrument]
            assert all(low <= high for low, high in bands)
            assert all(after[0] == before[1] + 1 for before, after in pairwise(bands))


class TestCrosswalks:
    def test_instruments_and_points_are_known(self) -> None:
        instruments = {row["instrument"] for row in TABLES["instruments"]}
        ids = {row["crosswalk"] for row in TABLES["crosswalks"]}
        for row in TABLES["crosswalks"]:
            assert {row["from_instrument"], row["to_instrument"]} <= instruments and row["population"], row
            assert float(row["from_low"]) < float(row["from_high"]), row
        assert {row["crosswalk"] for row in TABLES["crosswalk_points"]} <= ids

    def test_published_errors_of_single_scores_in_t_points(self) -> None:
        errors = {row["from_instrument"]: row["error_sd"] for row in TABLES["crosswalks"] if "choi" in row["crosswalk"]}
        assert {name: round(float(error), 1) for name, error in errors.items()} == {
            "phq9": 6.7, "cesd": 5.8, "bdi2": 6.0,
        }  # fmt: skip


class TestTreatments:
    def test_atc_codes_have_their_shape(self) -> None:
        assert all(ATC.fullmatch(row["atc"]) for row in TABLES["treatments"] if row["atc"])

    def test_antidepressants_are_exactly_the_drugs_of_that_atc_group(self) -> None:
        for row in TABLES["treatments"]:
            in_group = row["atc"].startswith(("N06A", "N06CA"))
            assert in_group == (row["kind"] == "antidepressant"), row

    def test_a_regimen_has_at_least_two_components(self) -> None:
        for row in TABLES["treatments"]:
            assert len(parts(row["components"])) != 1, row
            assert row["kind"] != "combination" or row["components"], row

    def test_a_spelling_stands_once_whatever_its_case(self) -> None:
        names = [row["name"].casefold() for row in TABLES["treatment_names"]]
        assert len(set(names)) == len(names)

    def test_every_treatment_has_a_name(self) -> None:
        named = {row["treatment"] for row in TABLES["treatment_names"]}
        assert {row["treatment"] for row in TABLES["treatments"]} - named <= {"escitalopram_bupropion"}


class TestTreatmentKinds:
    KINDS = ("antidepressant", "augmentation", "anti_inflammatory", "physical_activity", "diet", "psychological",
             "neuromodulation")  # fmt: skip

    def test_the_kinds_of_the_framework_have_their_unit(self) -> None:
        units = {row["kind"]: row["dose_unit"] for row in TABLES["treatment_kinds"]}
        expected = ("mg/day", "mg/day", "mg/day", "minutes/week", "sessions", "sessions", "sessions")
        assert tuple(units[kind] for kind in self.KINDS) == expected

    def test_every_kind_of_the_framework_has_a_treatment(self) -> None:
        assert set(self.KINDS) <= {row["kind"] for row in TABLES["treatments"]}

    def test_only_drugs_have_an_atc_code_and_every_drug_has_one(self) -> None:
        drugs = {row["kind"] for row in TABLES["treatment_kinds"] if row["drug"] == "true"}
        for row in TABLES["treatments"]:
            assert bool(row["atc"]) == (row["kind"] in drugs), row

    def test_what_changes_an_analyte_says_for_how_long(self) -> None:
        for row in TABLES["treatment_kinds"]:
            assert bool(row["modifies"]) == bool(row["carry_over_days"]), row
            assert not row["carry_over_days"] or int(row["carry_over_days"]) > 0

    def test_only_antidepressants_count_as_trials_of_resistance(self) -> None:
        assert [row["kind"] for row in TABLES["treatment_kinds"] if row["trd"] == "yes"] == ["antidepressant"]


class TestDoses:
    def test_worked_examples_are_exact(self) -> None:
        for row in TABLES["dose_units"]:
            factor = Fraction(int(row["numerator"]), int(row["denominator"]))
            assert Fraction(row["example_to"]) == Fraction(row["example_from"]) * factor, row

    def test_every_unit_ends_in_that_of_a_kind(self) -> None:
        ends = {row["dose_unit"] for row in TABLES["treatment_kinds"] if row["dose_unit"]}
        assert {row["to_unit"] for row in TABLES["dose_units"]} == ends
        identity = {row["unit"] for row in TABLES["dose_units"] if row["unit"] == row["to_unit"]}
        assert identity == ends

    def test_no_unit_of_a_week_becomes_one_of_a_day(self) -> None:
        assert not [row for row in TABLES["dose_units"] if "week" in row["unit"] and row["to_unit"] == "mg/day"]

    def test_minimum_doses_are_of_antidepressants_in_the_unit_of_their_kind(self) -> None:
        kinds = {row["treatment"]: row["kind"] for row in TABLES["treatments"]}
        units = {row["kind"]: row["dose_unit"] for row in TABLES["treatment_kinds"]}
        for row in TABLES["adequate_doses"]:
            assert kinds[row["treatment"]] == "antidepressant", row
            assert row["unit"] == units["antidepressant"] and float(row["minimum_dose"]) > 0, row
            assert int(row["minimum_weeks"]) >= 4, row

    def test_what_has_no_dose_of_its_own_has_no_minimum(self) -> None:
        components = {row["treatment"] for row in TABLES["treatments"] if row["components"]}
        without = {*components, "antidepressant_unspecified", "selegiline"}
        assert without.isdisjoint(row["treatment"] for row in TABLES["adequate_doses"])


class TestOutcomesAndStages:
    def test_improvement_is_divided_without_gap_or_overlap(self) -> None:
        told = [row for row in TABLES["trial_outcomes"] if row["improvement_from"] or row["improvement_below"]]
        assert [(row["outcome"], row["failed"]) for row in told] == [
            ("none", "yes"), ("partial", "no"), ("response", "no"),
        ]  # fmt: skip
        assert all(after["improvement_from"] == before["improvement_below"] for before, after in pairwise(told))
        assert (told[0]["improvement_from"], told[-1]["improvement_below"]) == ("", "")

    def test_maudsley_parts_add_up_to_three_to_fifteen(self) -> None:
        points = defaultdict(list)
        for row in TABLES["staging"]:
            if row["scheme"] == "maudsley" and row["part"] != "band":
                points[row["part"]].append(int(row["points"]))
        assert points == {
            "duration": [1, 2, 3], "severity": [1, 2, 3, 4, 5], "failures": [1, 2, 3, 4, 5], "augmentation": [0, 1],
            "ect": [0, 1],
        }  # fmt: skip
        assert (sum(map(min, points.values())), sum(map(max, points.values()))) == (3, 15)

    @pytest.mark.parametrize("part", ["duration", "failures", "band"])
    def test_levels_follow_each_other_without_a_gap(self, part: str) -> None:
        rows = [row for row in TABLES["staging"] if (row["scheme"], row["part"]) == ("maudsley", part)]
        assert all(after["above"] == before["to"] for before, after in pairwise(rows))

    def test_bands_are_three_to_six_seven_to_ten_eleven_to_fifteen(self) -> None:
        bands = [(row["level"], row["above"], row["to"]) for row in TABLES["staging"] if row["part"] == "band"]
        assert bands == [("mild", "2", "6"), ("moderate", "6", "10"), ("severe", "10", "15")]

    def test_resistance_takes_two_failures(self) -> None:
        assert [row["above"] for row in TABLES["staging"] if row["scheme"] == "trd"] == ["1"]


class TestCodelistNames:
    def test_a_name_means_one_code_of_its_list(self) -> None:
        names = [(row["codelist"], row["name"].casefold()) for row in TABLES["codelist_names"]]
        assert len(set(names)) == len(names)
        codes = {(row["codelist"], row["code"]) for row in TABLES["codelists"]}
        assert {(row["codelist"], row["code"]) for row in TABLES["codelist_names"]} <= codes

    def test_names_are_in_small_letters_as_they_are_looked_up(self) -> None:
        assert all(row["name"] == row["name"].lower() for row in TABLES["codelist_names"])

    def test_numbers_are_declared_by_the_site(self) -> None:
        assert not [row["name"] for row in TABLES["codelist_names"] if re.search(r"\d", row["name"])]

    @pytest.mark.parametrize(
        ("codelist", "name"),
        [
            # H and M are man and woman in Spanish and Portuguese, M and W or F man and woman elsewhere.
            pytest.param("sex", "m", id="male or mujer"),
            pytest.param("sex", "h", id="only beside m for mujer"),
            pytest.param("sex", "v", id="vrouw or varón"),
            # Someone who does not smoke has never smoked or has stopped.
            pytest.param("smoking", "non-smoker", id="never or former"),
            pytest.param("smoking", "nichtraucher", id="never or former, German"),
            pytest.param("smoking", "yes", id="current or ever"),
        ],
    )
    def test_ambiguous_names_are_absent(self, codelist: str, name: str) -> None:
        assert name not in {row["name"] for row in TABLES["codelist_names"] if row["codelist"] == codelist}

    @pytest.mark.parametrize("codelist", ["sex", "yes_no", "smoking", "specimen"])
    def test_every_code_of_the_common_lists_has_a_name(self, codelist: str) -> None:
        named = {row["code"] for row in TABLES["codelist_names"] if row["codelist"] == codelist}
        assert {row["code"] for row in TABLES["codelists"] if row["codelist"] == codelist} == named


class TestDisclosure:
    def test_rounding_never_reaches_below_the_threshold(self) -> None:
        for row in TABLES["disclosure"]:
            threshold, rounding = int(row["threshold"]), int(row["rounding"])
            assert 0 <= rounding <= threshold and int(row["minimum_residual_df"]) >= 0, row

    def test_the_strictest_small_cell_rule_is_ten(self) -> None:
        assert {row["profile"]: int(row["threshold"]) for row in TABLES["disclosure"]} == {
            "sacro": 10, "opensafely": 8, "ohdsi": 5, "datashield": 3, "public": 0,
        }  # fmt: skip


def test_thresholds_are_in_the_canonical_unit() -> None:
    canonical = {row["analyte"]: row["canonical_unit"] for row in TABLES["analytes"]}
    canonical |= {"composite": "1", "bmi": "kg/m2", "symptoms": "1"}  # what a scheme may ask beside its analyte
    assert all(row["unit"] == canonical[row["analyte"]] for row in TABLES["thresholds"])
    cuts = [(row["analyte"], row["operator"], row["value"]) for row in TABLES["thresholds"]]
    assert len(set(cuts)) == len(cuts)


def test_items_of_symptom_profiles_are_scored_items() -> None:
    scored = {(row["instrument"], row["item"]) for row in TABLES["instrument_items"] if row["scored"] == "true"}
    assert [row for row in TABLES["symptom_items"] if (row["instrument"], row["item"]) not in scored] == []
    framework = {row["symptom"] for row in TABLES["symptom_items"] if row["profile"] == "inflamed_profile"}
    assert framework == {"fatigue", "slowing", "motivation", "anhedonia"}


def nhanes(name: str) -> Path:
    return real_file(f"nhanes/{name}.XPT")


class TestAgainstNhanes:
    """The rows that say they were computed from NHANES say what NHANES says."""

    @pytest.mark.parametrize(
        ("analyte", "file", "column", "divisor"),
        [
            pytest.param("hscrp", "HSCRP_I", "LBXHSCRP", "", id="hscrp"),
            pytest.param("wbc", "CBC_I", "LBXWBCSI", "", id="wbc"),
            pytest.param("neutrophils", "CBC_I", "LBDNENO", "", id="neutrophils"),
            pytest.param("lymphocytes", "CBC_I", "LBDLYMNO", "", id="lymphocytes"),
            pytest.param("monocytes", "CBC_I", "LBDMONO", "", id="monocytes"),
            pytest.param("platelets", "CBC_I", "LBXPLTSI", "", id="platelets"),
            pytest.param("nlr", "CBC_I", "LBDNENO", "LBDLYMNO", id="nlr"),
        ],
    )
    def test_reference_distribution(self, analyte: str, file: str, column: str, divisor: str) -> None:
        import pyreadstat

        people, _ = pyreadstat.read_xport(nhanes("DEMO_I"), usecols=["SEQN", "RIDAGEYR"])
        results, _ = pyreadstat.read_xport(nhanes(file))
        adults = results.merge(people[people.RIDAGEYR >= 20], on="SEQN")
        values = adults[column] / adults[divisor] if divisor else adults[column]
        logs = [math.log(value) for value in values.dropna()]
        mean = math.fsum(logs) / len(logs)
        sd = math.sqrt(math.fsum((x - mean) ** 2 for x in logs) / (len(logs) - 1))
        row = next(row for row in TABLES["analytes"] if row["analyte"] == analyte)
        assert f"n = {len(logs)}" in row["source"]
        assert mean == pytest.approx(float(row["reference_ln_mean"]), abs=0.0005)
        assert sd == pytest.approx(float(row["reference_ln_sd"]), abs=0.0005)

    def test_treatment_names_are_spelled_as_in_the_survey(self) -> None:
        import pyreadstat

        drugs, _ = pyreadstat.read_xport(nhanes("RXQ_RX_F"), usecols=["RXDDRUG"])
        names = {row["name"] for row in TABLES["treatment_names"] if "NHANES" in row["source"]}
        assert names and names <= set(drugs.RXDDRUG)
