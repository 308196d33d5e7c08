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
    "assays": "assay_id|label,analyte,platform,assay_class,unit,limit_low,limit_high,fill,valid_from,valid_to,"
    "source,verified",
    "instruments": "instrument|label,construct,n_items,total_low,total_high,direction,scoring,missing_rule,max_missing,"
    "response_rule,remission_operator,remission_value,reference_mean,reference_sd,reference_population,licence,"
    "source,verified",
    "instrument_items": "instrument,item|item_low,item_high,scored,reverse,domain,not_points,missing_codes,"
    "source,verified",
    "severity_bands": "instrument,banding,band|low,high,source,verified",
    "treatments": "treatment|label,kind,atc,components,source,verified",
    "treatment_names": "name|treatment,source,verified",
    "codelists": "codelist,code|label,source,verified",
    "codelist_names": "codelist,name|code,source,verified",
    "disclosure": "profile|threshold,rounding,minimum_residual_df,source,verified",
    "thresholds": "threshold|analyte,operator,value,unit,label,source,verified",
    "cross_field_rules": "rule,table|kind,left,operator,right,tolerance,category,severity,title,source,verified",
    "variable_names": "kind,target,name|language,confidence,source,verified",
    "standard_codes": "standard,kind,code|meaning,source,verified",
}
ALLOWED = {
    ("units", "needs"): {"", "molar_factor"},
    ("assays", "assay_class"): {"high_sensitivity", "standard", "multiplex"},
    ("assays", "fill"): {"none", "lod_sqrt2", "lod_half", "lod"},
    ("instruments", "construct"): {
        "severity", "functioning", "quality_of_life", "cognition", "anhedonia", "fatigue", "adversity", "staging",
    },
    ("instruments", "direction"): {"higher_worse", "higher_better"},
    ("instruments", "scoring"): {"sum", "qids_domains", "mean_domains", "given"},
    ("instruments", "missing_rule"): {"all_required", "prorate", "domain_mean"},
    ("instruments", "response_rule"): {"", "fall_50"},
    ("instruments", "remission_operator"): {"", "<", "<="},
    ("instrument_items", "scored"): {"true", "false"},
    ("instrument_items", "reverse"): {"true", "false"},
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
        pytest.param("thresholds", "analyte", "analytes", "analyte", id="thresholds-analytes"),
        pytest.param("instrument_items", "instrument", "instruments", "instrument", id="items-instruments"),
        pytest.param("severity_bands", "instrument", "instruments", "instrument", id="bands-instruments"),
        pytest.param("treatments", "components", "treatments", "treatment", id="components-treatments"),
        pytest.param("treatment_names", "treatment", "treatments", "treatment", id="names-treatments"),
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
            assert "mol" in row["from_unit"], row
            assert not (row["numerator"] or row["denominator"] or row["example_from"] or row["example_to"]), row

    def test_the_same_change_of_unit_has_the_same_factor_everywhere(self) -> None:
        factors = defaultdict(set)
        for row in TABLES["units"]:
            if not row["needs"]:
                factors[row["from_unit"], row["to_unit"]].add((row["numerator"], row["denominator"]))
        # Two units without a substance in them convert alike whatever is measured.
        assert {pair for pair, seen in factors.items() if len(seen) > 1 and "mol" not in pair[0]} == set()

    def test_aliases_never_shadow_a_unit(self) -> None:
        assert {row["alias"] for row in TABLES["unit_aliases"]}.isdisjoint(row["from_unit"] for row in TABLES["units"])

    @pytest.mark.parametrize("alias", ["G/L", "IU/mL", "IU/ml", "M/L", "%", "mg%", "U/L"])
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


class TestInstruments:
    def test_ranges_constants_and_rules_are_consistent(self) -> None:
        for row in TABLES["instruments"]:
            low, high = float(row["total_low"]), float(row["total_high"])
            assert low < high and int(row["n_items"]) > 0, row
            assert bool(row["remission_operator"]) == bool(row["remission_value"]), row
            assert bool(row["reference_mean"]) == bool(row["reference_sd"]) == bool(row["reference_population"]), row
            if row["remission_value"]:
                assert low <= float(row["remission_value"]) < high, row
            if row["reference_mean"]:
                assert low < float(row["reference_mean"]) < high and float(row["reference_sd"]) > 0, row
            assert (row["missing_rule"] == "all_required") == (row["max_missing"] == "0"), row
            assert row["licence"], row

    @pytest.mark.parametrize("instrument", [r["instrument"] for r in TABLES["instruments"] if r["scoring"] != "given"])
    def test_items_add_up_to_the_total(self, instrument: str) -> None:
        row = next(row for row in TABLES["instruments"] if row["instrument"] == instrument)
        items = scored_items(instrument)
        assert len(items) == int(row["n_items"])
        if row["scoring"] == "sum":
            assert sum(int(item["item_low"]) for item in items) == int(row["total_low"])
            assert sum(int(item["item_high"]) for item in items) == int(row["total_high"])
        elif row["scoring"] == "qids_domains":
            domains = {item["domain"]: int(item["item_high"]) for item in items}
            assert len(domains) == 9 and sum(domains.values()) == int(row["total_high"])
        else:
            assert len({(item["item_low"], item["item_high"], item["domain"]) for item in items}) == 1
            assert (row["total_low"], row["total_high"]) == ("0", "100")
            assert int(row["max_missing"]) < len(items)

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
    assert all(row["unit"] == canonical[row["analyte"]] for row in TABLES["thresholds"])
    cuts = [(row["analyte"], row["operator"], row["value"]) for row in TABLES["thresholds"]]
    assert len(set(cuts)) == len(cuts)


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
