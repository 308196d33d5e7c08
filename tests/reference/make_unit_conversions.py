"""Write data/unit_conversions.csv: what laboratories report, and the same in the canonical unit.

Nothing here reads config/registry. Where units differ by prefixes and powers of ten only, the second value comes from
the definitions of UCUM (`tests/ucum.py`) in exact fractions. Where a substance is weighed or counted, the factor is
typed below as it was read in published tables of SI units for clinical chemistry (instructions of journals, textbooks),
or follows from the figure that the site declares. The rows "CDISC pilot"
are results as the pilot study published them, in both units.

Run from the project: python -m tests.reference.make_unit_conversions
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

from tests.ucum import ucum

TARGET = Path(__file__).parent / "data" / "unit_conversions.csv"
COLUMNS = ("analyte", "value", "unit", "declared", "canonical_value", "canonical_unit", "source")
PREFIXES = "definitions of UCUM, exact"
TABLES = "factor of published tables of SI units"
CYTOKINE = ["pg/mL", "ng/L", "fg/mL", "ng/mL", "ug/L", "pg/dL", "ng/dL", "ug/mL", "ug/dL", "mg/L", "pg/uL"]
CYTOKINE_AMOUNT = ["pmol/L", "fmol/mL", "fmol/L", "nmol/L", "pmol/mL"]
ACTIVITY = ["[IU]/mL", "[IU]/L", "m[IU]/mL", "k[IU]/L"]
CRP = ["mg/L", "mg/dL", "ug/mL", "ng/mL", "ug/L", "ug/dL", "mg/mL", "g/L", "g/dL", "ng/dL", "pg/mL"]
CRP_AMOUNT = ["nmol/L", "pmol/L", "umol/L", "nmol/mL", "pmol/mL", "nmol/dL"]
COUNT = [
    "10*9/L", "10*3/uL", "10*3/mm3", "10*6/mL", "/nL", "/uL", "/mm3", "10*6/L", "10*4/uL", "10*3/mL", "/mL", "/L",
]  # fmt: skip
TRACE = ["ng/mL", "ug/L", "pg/mL", "ng/L", "ng/dL", "ug/dL", "mg/L", "ug/mL"]
PANEL: dict[str, tuple[str, list[str], list[str]]] = {
    "hscrp": ("mg/L", CRP, ["0.15", "2.4", "28.6"]),
    "crp_standard": ("mg/L", CRP, ["5", "112"]),
    "il6": ("pg/mL", CYTOKINE, ["0.7", "3.25"]),
    "tnf": ("pg/mL", CYTOKINE, ["1.1", "8.1"]),
    "il1b": ("pg/mL", CYTOKINE, ["0.05", "1.9"]),
    "il8": ("pg/mL", CYTOKINE, ["2.8", "14.5"]),
    "il10": ("pg/mL", CYTOKINE, ["0.24", "9.6"]),
    "ifng": ("pg/mL", CYTOKINE, ["0.37", "12.5"]),
    "il1ra": ("pg/mL", CYTOKINE, ["180", "1250"]),
    "fibrinogen": ("g/L", ["g/L", "mg/dL", "mg/mL", "g/dL", "mg/L", "ug/mL", "ug/dL"], ["2.45", "4.1"]),
    "wbc": ("10*9/L", COUNT, ["4.4", "11.2"]),
    "neutrophils": ("10*9/L", COUNT, ["1.8", "7.35"]),
    "lymphocytes": ("10*9/L", COUNT, ["0.95", "3.2"]),
    "monocytes": ("10*9/L", COUNT, ["0.2", "0.85"]),
    "platelets": ("10*9/L", [*COUNT, "10*5/uL", "10*5/mm3"], ["148", "402"]),
    "nlr": ("1", ["1"], ["1.25", "3.6"]),
    "glyca_nmr_lipoprofile": ("umol/L", ["umol/L", "mmol/L", "nmol/mL"], ["312", "455"]),
    "glyca_nightingale": ("mmol/L", ["mmol/L", "umol/L", "nmol/mL"], ["0.82", "1.28"]),
    "leptin": ("ng/mL", TRACE, ["2.2", "36.5"]),
    "esr": ("mm/h", ["mm/h"], ["6", "42"]),
    "ferritin": ("ng/mL", [*TRACE, "mg/dL"], ["12.4", "310"]),
    "albumin": ("g/L", ["g/L", "g/dL", "mg/dL", "mg/mL", "mg/L", "ug/mL"], ["36.5", "48"]),
    "protein": ("g/L", ["g/L", "g/dL", "mg/mL", "mg/dL"], ["61", "74"]),
    "haematocrit": ("1", ["1", "%", "L/L"], ["0.36", "0.475"]),
    "erythrocytes": (
        "10*12/L",
        ["10*12/L", "10*6/uL", "10*6/mm3", "10*9/mL", "/pL", "10*4/uL", "10*3/uL", "10*9/L", "/uL", "/mm3"],
        ["3.95", "5.4"],
    ),
    "mcv": ("fL", ["fL", "um3"], ["81", "96.5"]),
    "basophils": ("10*9/L", COUNT, ["0.02"]),
    "eosinophils": ("10*9/L", COUNT, ["0.31"]),
    **{
        f"{cell}s_share": ("1", ["1", "%"], ["0.045", "0.28"])
        for cell in ("neutrophil", "lymphocyte", "monocyte", "eosinophil", "basophil")
    },
    "hba1c": ("1", ["1", "%"], ["0.056"]),
    "tsh": ("m[IU]/L", ["m[IU]/L", "u[IU]/mL", "m[IU]/mL", "[IU]/L"], ["0.9", "4.4"]),
    **{
        enzyme: ("U/L", ["U/L", "mU/mL", "ukat/L", "nkat/L"], ["18", "61.2"])
        for enzyme in ("alt", "ast", "alp", "ggt", "ck")
    },
}
# What the site declares, invented but of the size in use, and units that then have a factor.
DECLARED: list[tuple[str, str, str, list[str]]] = [
    ("hscrp", "mg/L", "nmol_per_mg=9.524", CRP_AMOUNT),
    ("hscrp", "mg/L", "nmol_per_mg=8.686", CRP_AMOUNT[:1]),
    ("hscrp", "mg/L", "nmol_per_mg=8.475", CRP_AMOUNT[:1]),
    ("crp_standard", "mg/L", "nmol_per_mg=9.524", CRP_AMOUNT),
    *[
        (cytokine, "pg/mL", f"nmol_per_mg={factor}", CYTOKINE_AMOUNT)
        for cytokine, factor in (
            ("il6", "47.6"), ("tnf", "57.5"), ("il1b", "57.5"), ("il8", "119"), ("il10", "53.8"), ("ifng", "59.2"),
            ("il1ra", "58.1"),
        )
    ],
    *[
        (cytokine, "pg/mL", f"pg_per_iu={factor}", ACTIVITY)
        for cytokine, factor in (
            ("il6", "10"), ("tnf", "25"), ("il1b", "10"), ("il8", "1000"), ("il10", "200"), ("ifng", "50"),
            ("il1ra", "7.5"),
        )
    ],
    ("leptin", "ng/mL", "nmol_per_mg=62.5", ["pmol/L", "nmol/L"]),
    ("ferritin", "ng/mL", "nmol_per_mg=2.247", ["pmol/L", "nmol/L"]),
    ("albumin", "g/L", "nmol_per_mg=15.05", ["umol/L", "mmol/L"]),
]  # fmt: skip
# analyte, canonical unit, what one of the unit is in it, unit of that factor, units of mass, units of amount, results
CHEMISTRY = [
    ("glucose", "mmol/L", "0.05551", "mg/dL", ["g/L", "mg/mL", "mg/L"], ["umol/L", "umol/mL"], ["90", "126"]),
    ("cholesterol", "mmol/L", "0.02586", "mg/dL", ["g/L", "mg/L"], ["umol/L"], ["200", "164"]),
    ("hdl_cholesterol", "mmol/L", "0.02586", "mg/dL", ["g/L", "mg/L"], ["umol/L"], ["40", "61"]),
    ("ldl_cholesterol", "mmol/L", "0.02586", "mg/dL", ["g/L", "mg/L"], ["umol/L"], ["100", "159"]),
    ("triglycerides", "mmol/L", "0.01129", "mg/dL", ["g/L", "mg/L"], ["umol/L"], ["150", "88"]),
    ("creatinine", "umol/L", "88.4", "mg/dL", ["mg/L", "ug/mL"], ["mmol/L"], ["0.9", "1.35"]),
    ("urea_nitrogen", "mmol/L", "0.357", "mg/dL", ["mg/L", "g/L"], ["umol/L"], ["14", "22"]),
    ("urate", "umol/L", "59.48", "mg/dL", ["mg/L", "ug/mL"], ["mmol/L"], ["4.5", "7.1"]),
    ("bilirubin", "umol/L", "17.1", "mg/dL", ["mg/L", "ug/mL"], ["mmol/L"], ["0.6", "1.2"]),
    ("calcium", "mmol/L", "0.2495", "mg/dL", ["mg/L"], ["umol/L"], ["8.8", "9.6"]),
    ("phosphate", "mmol/L", "0.3229", "mg/dL", ["mg/L"], ["umol/L"], ["3.1", "4.2"]),
    ("sodium", "mmol/L", "1", "meq/L", [], [], ["136", "143"]),
    ("potassium", "mmol/L", "1", "meq/L", [], [], ["3.6", "4.9"]),
    ("chloride", "mmol/L", "1", "meq/L", [], [], ["99", "106"]),
    ("haemoglobin", "mmol/L", "0.6206", "g/dL", ["g/L"], [], ["12.1", "14.3"]),
    ("mchc", "mmol/L", "0.6206", "g/dL", ["g/L"], [], ["32", "35.5"]),
    ("mch", "fmol", "0.06206", "pg", [], [], ["27", "31.4"]),
    ("vitamin_b12", "pmol/L", "0.7378", "pg/mL", ["ng/L", "ng/dL", "ng/mL", "ug/L"], ["nmol/L"], ["310", "455"]),
    ("fibrinogen", "g/L", "0.34", "umol/L", [], [], ["9", "12.5"]),
]
CDISC = """\
albumin 3.8 g/dL 38 g/L|alp 34 U/L 34 U/L|alt 27 U/L 27 U/L|ast 40 U/L 40 U/L|basophils 0.02 THOU/uL 0.02 10*9/L
basophils_share 0.4 FRACTION 0.4 1|bilirubin 0.6 mg/dL 10.26 umol/L|urea_nitrogen 10 mg/dL 3.57 mmol/L
calcium 8.8 mg/dL 2.1956 mmol/L|cholesterol 230 mg/dL 5.9478 mmol/L|ck 70 U/L 70 U/L|chloride 106 mEq/L 106 mmol/L
creatinine 0.9 mg/dL 79.56 umol/L|eosinophils 0.08 THOU/uL 0.08 10*9/L|eosinophils_share 0.3 FRACTION 0.3 1
ggt 15 U/L 15 U/L|glucose 85 mg/dL 4.71835 mmol/L|glucose 40 mg/dL 2.2204 mmol/L|hba1c 8.20 % 0.082 1
haematocrit 42.0 % 0.42 1|haemoglobin 14.3 g/dL 8.87458 mmol/L|potassium 4.5 mEq/L 4.5 mmol/L
lymphocytes 1.93 THOU/uL 1.93 10*9/L|lymphocytes_share 0.05 FRACTION 0.05 1|mch 27 pg 1.67562 fmol
mchc 34 g/dL 21.1004 mmol/L|mcv 80 fL 80 fL|monocytes 0.23 THOU/uL 0.23 10*9/L|monocytes_share 0.5 FRACTION 0.5 1
phosphate 3.8 mg/dL 1.22702 mmol/L|platelets 266 THOU/uL 266 10*9/L|protein 6.1 g/dL 61 g/L
erythrocytes 5.30 MILL/uL 5.3 10*12/L|sodium 140 mEq/L 140 mmol/L|tsh 1.68 uIU/mL 1.68 m[IU]/L
urate 4.5 mg/dL 267.66 umol/L|vitamin_b12 399 pg/mL 294.3822 pmol/L|wbc 5.78 THOU/uL 5.78 10*9/L"""


def rows() -> Iterator[tuple[str, ...]]:
    """Yield every conversion, each with its source."""
    for analyte, (to, units, values) in PANEL.items():
        for unit in units:
            for value in values:
                reported = Fraction(value) / ucum().ratio(unit, to)
                yield _row(analyte, reported, unit, "", Fraction(value), to, PREFIXES)
    for analyte, to, declared, units in DECLARED:
        figure, text = declared.split("=")
        for unit in units:
            # A substance of 1 g/mol weighs 1 g a mole; the figure is 1e6 / (g/mol), or the weight of a unit in pg.
            grams = Fraction(10**6) / Fraction(text) if figure == "nmol_per_mg" else Fraction(text) / 10**12
            weight = unit.replace("mol", "g") if figure == "nmol_per_mg" else unit.replace("[IU]", "g")
            for value in ("0.4", "28.57"):
                result = Fraction(value) * grams * ucum().ratio(weight, to)
                yield _row(analyte, Fraction(value), unit, declared, result, to, "the declared figure, by hand")
    for analyte, to, factor, of, masses, amounts, values in CHEMISTRY:
        for value in values:
            result = Fraction(value) * Fraction(factor)
            yield _row(analyte, Fraction(value), of, "", result, to, f"{TABLES}: {of} x {factor} = {to}")
            for unit in masses:
                reported = Fraction(value) * ucum().ratio(of, unit)
                yield _row(analyte, reported, unit, "", result, to, f"{TABLES}: {of} x {factor} = {to}, and prefixes")
            for unit in [to, *amounts]:
                yield _row(analyte, result / ucum().ratio(unit, to), unit, "", result, to, PREFIXES)
    for line in CDISC.replace("\n", "|").split("|"):
        analyte, value, unit, result, to = line.split()
        yield (analyte, value, unit, "", result, to, "CDISC pilot: LBORRES with LBORRESU, LBSTRESN with LBSTRESU")


def _row(
    analyte: str, value: Fraction, unit: str, declared: str, result: Fraction, to: str, source: str
) -> tuple[str, ...]:
    return analyte, _decimal(value), unit, declared, _decimal(result), to, source


def _decimal(value: Fraction) -> str:
    """Return a number in decimals, exact where it ends within 25 digits."""
    with localcontext() as context:
        context.prec = 25
        text = f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"
    return text


def main() -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(dict.fromkeys(rows()))
    TARGET.write_text(out.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
