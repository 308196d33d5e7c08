"""Every result of the CDISC pilot study in its original and its standard unit: ours must be the study's own number."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from ember.harmonise.units import find_conversion, in_canonical_unit
from ember.registry.registry import Registry, read_registry
from tests.real_data import real_file

TESTS = {
    "ALB": "albumin", "ALP": "alp", "ALT": "alt", "AST": "ast", "BASO": "basophils", "BASOLE": "basophils_share",
    "BILI": "bilirubin", "BUN": "urea_nitrogen", "CA": "calcium", "CHOL": "cholesterol", "CK": "ck", "CL": "chloride",
    "CREAT": "creatinine", "EOS": "eosinophils", "EOSLE": "eosinophils_share", "GGT": "ggt", "GLUC": "glucose",
    "HBA1C": "hba1c", "HCT": "haematocrit", "HGB": "haemoglobin", "K": "potassium", "LYM": "lymphocytes",
    "LYMLE": "lymphocytes_share", "MCH": "mch", "MCHC": "mchc", "MCV": "mcv", "MONO": "monocytes",
    "MONOLE": "monocytes_share", "PHOS": "phosphate", "PLAT": "platelets", "PROT": "protein", "RBC": "erythrocytes",
    "SODIUM": "sodium", "TSH": "tsh", "URATE": "urate", "VITB12": "vitamin_b12", "WBC": "wbc",
}  # fmt: skip
WITHOUT_UNIT = "NO UNITS"
Pair = tuple[str, str, str]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(Path(__file__).parents[2] / "config" / "registry")


@pytest.fixture(scope="module")
def results() -> dict[Pair, list[tuple[str, str]]]:
    """Return original and standard result by test, original unit and standard unit."""
    found: dict[Pair, list[tuple[str, str]]] = defaultdict(list)
    with gzip.open(real_file("cdisc_lb/lb.csv.gz"), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["LBORRESU"] != WITHOUT_UNIT:
                found[row["LBTESTCD"], row["LBORRESU"], row["LBSTRESU"]].append((row["LBORRES"], row["LBSTRESC"]))
    return found


def factor_of(registry: Registry, pair: Pair) -> Fraction:
    """Return the factor of a pair; its standard unit must be our canonical one."""
    test, original, standard = pair
    there, back = (find_conversion(registry, TESTS[test], unit) for unit in (original, standard))
    assert there is not None and back is not None, pair
    assert back.factor == 1, pair
    return there.factor


def test_there_are_37_pairs_and_we_know_them_all(results: dict[Pair, list[tuple[str, str]]]) -> None:
    assert len(results) == 37
    assert {test for test, _, _ in results} == set(TESTS)


def test_every_result_is_the_one_that_the_study_states(
    registry: Registry, results: dict[Pair, list[tuple[str, str]]]
) -> None:
    n_signs, other = 0, []
    for pair, rows in results.items():
        factor = factor_of(registry, pair)
        for original, standard in rows:
            sign = original[0] if original[0] in "<>" else ""
            assert standard.startswith(sign), (pair, original, standard)
            n_signs += bool(sign)
            if Fraction(original.removeprefix(sign)) * factor != Fraction(standard.removeprefix(sign)):
                other.append((pair[0], original, standard))
    assert sum(map(len, results.values())) > 20_000 and n_signs > 3
    # The study itself cut one number after seven digits; every other one is exact.
    assert [(test, len(standard.replace(".", ""))) for test, _, standard in other] == [("VITB12", 7)]


def test_numbers_in_the_pipeline_are_the_same_to_the_last_bit_but_one(
    registry: Registry, results: dict[Pair, list[tuple[str, str]]]
) -> None:
    for pair, rows in results.items():
        factor = factor_of(registry, pair)
        plain = [(original, standard) for original, standard in rows if original[0] not in "<>"]
        frame = pl.DataFrame(
            {
                "number": [float(original) for original, _ in plain],
                "numerator": float(factor.numerator),
                "denominator": float(factor.denominator),
            }
        )
        found = frame.select(in_canonical_unit("number"))["number"].to_list()
        tolerance = 1e-6 if pair[0] == "VITB12" else 4e-16
        assert found == pytest.approx([float(standard) for _, standard in plain], rel=tolerance, abs=0), pair


def test_a_limit_is_converted_with_its_sign(registry: Registry, results: dict[Pair, list[tuple[str, str]]]) -> None:
    signed = [pair_row for pair_row in results["GLUC", "mg/dL", "mmol/L"] if pair_row[0].startswith("<")]
    assert signed == [("<40", "<2.2204")]
    assert 40 * factor_of(registry, ("GLUC", "mg/dL", "mmol/L")) == Fraction("2.2204")
