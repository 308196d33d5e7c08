"""What is true of real files that the draft was not built for, read in their documentation by a person."""

from __future__ import annotations

NHANES_PHQ9 = {("items", "DPQ{item:02d}0", "phq9"), ("participant", "SEQN", "participant")}
WEEKS = {f"WEEK {week} = week_{week}" for week in (2, 4, 6, 8, 12, 16, 20, 24, 26)}

# File: (what is true of it, columns whose unit or codes nothing in the file tells).
# A statement is (kind, column, proposal); only those that a file can tell are listed.
TRUE: dict[str, set[tuple[str, str, str]]] = {
    "btheb/BtheB.csv": {
        ("variable", "treatment", "arm"),
        ("visits", "", "wide"),
        ("missing", "", "NA"),
        *(("visit", "", f"{month}m = month_{month}") for month in (2, 3, 5, 8)),
        ("visit", "", "pre = baseline"),
    },
    "antidepressant_dia/antidepressant_data.csv": {
        ("participant", "PATIENT", "participant"),
        ("variable", "THERAPY", "arm"),
        ("variable", "GENDER", "sex"),
        ("code", "GENDER", "F = female"),
        ("code", "GENDER", "M = male"),
        ("code", "THERAPY", "PLACEBO = placebo"),
        ("total", "HAMDTL17", "hamd17"),
        ("visits", "VISIT", "long"),
    },
    "il6_diurnal/IL6_data.csv": {("analyte", "IL6_pgml-1", "il6"), ("unit", "IL6_pgml-1", "pg/mL")},
    "il6_diurnal/Knudsen2008individual.csv": {
        ("participant", "Subject", "participant"),
        ("analyte", "IL6_pgml-1", "il6"),
        ("unit", "IL6_pgml-1", "pg/mL"),
    },
    "il6_diurnal/Sothern1995IndividualData.csv": set(),
    "phq9_items/PHQ9_data.csv": {
        ("participant", "ObservationID", "participant"),
        ("items", "Item{item}_num", "phq9"),
        ("total", "SumScore", "phq9"),
    },
    "nhanes/CRP_F_rebuilt_mgdl.csv": {("participant", "SEQN", "participant"), ("analyte", "LBXCRP", "hscrp")},
    "nhanes/HSCRP_I.XPT": {
        ("participant", "SEQN", "participant"),
        ("analyte", "LBXHSCRP", "hscrp"),
        ("unit", "LBXHSCRP", "mg/L"),
        ("flag", "LBDHRPLC", "hscrp"),
    },
    "nhanes/DPQ_I.XPT": NHANES_PHQ9,
    "nhanes/DPQ_F.XPT": NHANES_PHQ9,
    "nhanes/DEMO_I.XPT": {
        ("participant", "SEQN", "participant"),
        ("variable", "RIDAGEYR", "age"),
        ("unit", "RIDAGEYR", "a"),
        ("variable", "RIAGENDR", "sex"),
        ("variable", "RIDRETH1", "ethnicity"),
        ("variable", "SDMVSTRA", "survey_stratum"),
        ("variable", "SDMVPSU", "survey_psu"),
    },
    "nhanes/DEMO_F.XPT": {
        ("participant", "SEQN", "participant"),
        ("variable", "RIDAGEYR", "age"),
        ("variable", "RIAGENDR", "sex"),
        ("variable", "RIDRETH1", "ethnicity"),
        ("variable", "SDMVSTRA", "survey_stratum"),
        ("variable", "SDMVPSU", "survey_psu"),
    },
    "nhanes/BMX_I.XPT": {
        ("participant", "SEQN", "participant"),
        ("variable", "BMXBMI", "bmi"),
        ("unit", "BMXBMI", "kg/m2"),
    },
    "nhanes/BMX_F.XPT": {
        ("participant", "SEQN", "participant"),
        ("variable", "BMXBMI", "bmi"),
        ("unit", "BMXBMI", "kg/m2"),
    },
    "nhanes/CBC_I.XPT": {
        ("participant", "SEQN", "participant"),
        *(
            (kind, column, proposal)
            for column, analyte in {
                "LBXWBCSI": "wbc",
                "LBDLYMNO": "lymphocytes",
                "LBDMONO": "monocytes",
                "LBDNENO": "neutrophils",
                "LBXPLTSI": "platelets",
            }.items()
            for kind, proposal in (("analyte", analyte), ("unit", "10*3/uL"))
        ),
    },
    "nhanes/SMQ_I.XPT": {("participant", "SEQN", "participant"), ("variable", "SMQ040", "smoker")},
    "nhanes/RXQ_RX_F.XPT": {("participant", "SEQN", "participant")},
    "cdisc_lb/lb.csv.gz": {
        ("participant", "USUBJID", "participant"),
        ("test", "LBTESTCD", "analyte"),
        ("result", "LBORRES", "value"),
        ("unit", "LBORRESU", "column"),
        ("code", "LBTESTCD", "ALB = albumin"),
        ("code", "LBTESTCD", "WBC = wbc"),
        ("code", "LBTESTCD", "PLAT = platelets"),
        ("code", "LBTESTCD", "LYM = lymphocytes"),
        ("code", "LBTESTCD", "MONO = monocytes"),
        ("visits", "VISIT", "long"),
        ("visit", "", "BASELINE = baseline"),
        ("visit", "", "SCREENING 1 = screening"),
        *(("visit", "", visit) for visit in WEEKS),
        ("visit_date", "LBDTC", "date"),
        ("date_format", "LBDTC", "iso"),
    },
    "cdisc_lb/dm.csv": {
        ("participant", "USUBJID", "participant"),
        ("time_zero", "RFSTDTC", "treatment_start"),
        ("date_format", "RFSTDTC", "%Y-%m-%d"),
        ("variable", "AGE", "age"),
        ("unit", "AGE", "a"),
        ("variable", "SEX", "sex"),
        ("code", "SEX", "F = female"),
        ("code", "SEX", "M = male"),
    },
    "formats/medicaldata_messy/messy_aki.xlsx": {
        ("participant", "study_id", "participant"),
        ("variable", "Sex", "sex"),
        ("code", "Sex", "Female = female"),
        ("code", "Sex", "Male = male"),
        ("variable", "Race", "ethnicity"),
        ("visits", "", "wide"),
        ("visit", "", "Day 4 = day_4"),
        ("visit", "", "DAY5 = day_5"),
    },
    "formats/medicaldata_messy/messy_bp.xlsx": {
        ("participant", "pat_id", "participant"),
        ("variable", "Sex", "sex"),
        ("code", "Sex", "Female = female"),
        ("code", "Sex", "Male = male"),
        ("variable", "Race", "ethnicity"),
    },
    "formats/medicaldata_messy/messy_glucose.xlsx": {
        ("participant", "pat_id", "participant"),
        ("variable", "Sex", "sex"),
        ("variable", "Race", "ethnicity"),
    },
    "formats/medicaldata_messy/messy_cirrhosis.xlsx": set(),
    "formats/medicaldata_messy/messy_infarct.xlsx": set(),
    "formats/medicaldata_messy/messy_uc.xlsx": {
        ("participant", "pat_id", "participant"),
        ("variable", "treatment", "arm"),
        ("time_zero", "start_date", "treatment_start"),
        ("date_format", "start_date", "%Y-%m-%d"),
    },
    "cytoprofile/ExampleData1.csv": {
        ("variable", "Treatment", "arm"),
        ("analyte", "IFN.G", "ifng"),
        ("analyte", "IL.10", "il10"),
        ("analyte", "IL.1B", "il1b"),
        ("analyte", "IL.6", "il6"),
        ("analyte", "TNF.A", "tnf"),
    },
}
