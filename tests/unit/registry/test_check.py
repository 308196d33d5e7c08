"""References that lead nowhere: one case a rule, broken in a study that is otherwise valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings, log_decision

NORTH, COURSE = "sites/north.yaml", "analyses/course.yaml"
MOLAR = "molar_factor: {nmol_per_mg: 9.524, reason: as the laboratory states, decision: MOLAR}"
SURVEY = "survey_linear, covariates: [age, sex], pool: one_stage}\nsurvey: {lonely: fail}"


def test_the_study_has_no_findings(study: Path) -> None:
    assert findings(study) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # study.yaml
        pytest.param("study.yaml", "disclosure: sacro", "disclosure: sacor", "Nearest: sacro", id="disclosure-profile"),
        pytest.param("study.yaml", "synthetic\ndisclosure: sacro", "restricted\ndisclosure: public",
                     "hides no count, and the data are restricted", id="restricted-data-without-protection"),
        pytest.param("study.yaml", "from: -7, to: 7", "from: 1, to: 7", "outside the window", id="window"),
        pytest.param("study.yaml", "seed: 1", "seed: 1\nexclude_sites: [{site: nrth, reason: no contract}]",
                     "'nrth' is not a site", id="excluded-site-unknown"),
        pytest.param("study.yaml", "seed: 1",
                     "seed: 1\nexclude_sites: [{site: north, reason: aaaaa}, {site: south, reason: aaaaa}]",
                     "Every site is excluded", id="every-site-excluded"),
        pytest.param("study.yaml", "seed: 1",
                     "seed: 1\nfindings: [{finding: unit:nrth:hscrp:all, action: confirm, reason: aaaaa}]",
                     "study.yaml:13  findings.0.finding\n  'nrth' is not a site", id="answer-for-no-site"),
        pytest.param("study.yaml", "seed: 1",
                     "seed: 1\nfindings: [{finding: unit:north:hscrp:all, action: confirm, reason: aaaaa},"
                     " {finding: unit:north:hscrp:all, action: exclude, reason: aaaaa}]", "answered twice",
                     id="two-answers"),
        pytest.param("study.yaml", "{path: north.csv, format: csv}", "{path: north.csv, format: excel}",
                     "needs its `sheet:`", id="excel-without-sheet"),
        pytest.param("study.yaml", "{path: north.csv, format: csv}",
                     "{path: north.csv, format: csv, dictionary: d.csv}",
                     "dictionary does not exist", id="no-dictionary"),
        pytest.param("study.yaml", "{path: north.csv, format: csv}", "{path: nrth.csv, format: csv}",
                     "The file does not exist.\n  Looked for data/nrth.csv.", id="no-file"),
        pytest.param("study.yaml", "  south: {", "  more: {path: north.csv, format: csv}\n  south: {",
                     "No site reads this source", id="source-of-nobody"),
        # sites
        pytest.param(NORTH, "from: north", "from: nort", "'nort' is not a source", id="source-unknown"),
        pytest.param(NORTH, "participant: ID\n", "", "'participant' is missing", id="no-participant"),
        pytest.param(NORTH, "V4: week_4", "V4: week_5", "'week_5' is not a visit of the study", id="visit-unknown"),
        pytest.param(NORTH, "visits: [baseline]", "visits: [week_9]", "not a visit of this table",
                     id="visit-of-a-measurement"),
        pytest.param(NORTH, "week_4}}", "week_4}, single: baseline}", "Exactly one of wide", id="two-kinds-of-visits"),
        pytest.param(NORTH, "visits: {wide: {V0: baseline, V4: week_4}}\n", "", "Exactly one of wide", id="no-visits"),
        pytest.param(NORTH, "week_4}}", 'week_4}, pattern: "{column}"}', "must hold both", id="pattern-without-visit"),
        pytest.param(NORTH, "week_4}}", 'week_4}, pattern: "{column}{visit}{arm}"}', "must hold both",
                     id="pattern-with-more"),
        pytest.param(NORTH, "  age:", "  agee:", "'agee' is not a column of participants", id="column-unknown"),
        pytest.param(NORTH, "{column: AGE, unit: a}", "{column: AGE}", "'age' needs its unit", id="age-without-unit"),
        pytest.param(NORTH, "1: male", "1: man", "'man' is not a code of 'sex'", id="code-unknown"),
        pytest.param(NORTH, "  sex:", "  ethnicity: {column: E, codes: {1: white}}\n  sex:", "a code of 'ethnicity'",
                     id="codelist"),
        pytest.param(NORTH, "  sex:", "  arm: {column: T, codes: {1: aspirin_x}}\n  sex:", "a code of 'arm'",
                     id="arm-unknown"),
        pytest.param(NORTH, "  hscrp:", "  hscpr: {column: X, unit: mg/L}\n  hscrp:", "Nearest: hscrp",
                     id="analyte-unknown"),
        pytest.param(NORTH, "unit: mg/L", "unit: pg/L",
                     "sites/north.yaml:9  measurements.hscrp.unit\n  'pg/L' is not a unit of hscrp",
                     id="unit-unknown"),
        pytest.param(NORTH, "unit: mg/L", "unit: nmol/L", "needs a declared molar factor", id="molar-factor-missing"),
        pytest.param(NORTH, "specimen: serum", "specimen: serrum", "Nearest: serum", id="specimen-unknown"),
        pytest.param(NORTH, "roche_crphs", "msd_vplex_il6", "'msd_vplex_il6' is not an assay of hscrp",
                     id="assay-of-another-analyte"),
        pytest.param(NORTH, "roche_crphs,", "roche_crphs, below: {column: F},", "belong together",
                     id="flag-without-codes"),
        pytest.param(NORTH, "roche_crphs,", "roche_crphs, below: {},", "Says nothing", id="empty-below"),
        pytest.param(NORTH, "  phq9:", "  phq99:", "Nearest: phq9", id="instrument-unknown"),
        pytest.param(NORTH, "{total: PHQ}", '{items: "P{item:zz}"}', "cannot be filled", id="item-pattern"),
        pytest.param(NORTH, "  phq9: {total: PHQ}", '  gaf: {items: "P{item}"}', "only its total is read",
                     id="items-of-a-given-score"),
        pytest.param(NORTH, "  phq9: {total: PHQ}", "  whoqol_bref: {total: W}", "has no total, only subscales",
                     id="total-of-subscales"),
        pytest.param(NORTH, "  phq9:", "  eq5d5l_index: {total: EQ}\n  phq9:",
                     "a country's value set, which is not named", id="value-set-missing"),
        pytest.param(NORTH, "  phq9:", "  eq5d5l_index: {total: EQ, value_set: germany_ludwg_2018}\n  phq9:",
                     "Nearest: germany_ludwig_2018", id="value-set-unknown"),
        pytest.param(NORTH, "  phq9:", "  eq5d5l_index: {total: EQ, value_set: uk_dolan_1997}\n  phq9:",
                     "'uk_dolan_1997' is not a value set of eq5d5l_index", id="value-set-of-three-levels"),
        pytest.param(NORTH, "{total: PHQ}", "{total: PHQ, value_set: uk_dolan_1997}", "not scored with a value set",
                     id="value-set-for-nothing"),
        pytest.param(NORTH, "{total: PHQ}", "{total: PHQ, linked: [{crosswalk: furukawa_2019_hamd17_bdi2}]}",
                     "is not a crosswalk from phq9", id="crosswalk-of-another-instrument"),
        pytest.param(NORTH, "{total: PHQ}", "{total: PHQ, linked: [{crosswalk: choi_2014_phq9_promis_d8a_t}]}",
                     "its table is not shipped", id="crosswalk-without-table"),
        pytest.param(NORTH, "phq9: {total: PHQ}", "qids_sr16: {total: Q, linked: [{crosswalk: qids_sr16_madrs_bands}]}",
                     "links severity bands, not scores", id="crosswalk-of-bands"),
        pytest.param(NORTH, "phq9: {total: PHQ}",
                     "hamd17: {total: H, linked: [{crosswalk: furukawa_2019_hamd17_bdi2}]}",
                     "A link between instruments is a choice", id="link-without-decision"),
        pytest.param(NORTH, "  phq9:", '  sds: {items: "S{item}"}\n  sds_work: {items: "S{item}"}\n  phq9:',
                     "its items are mapped a second time", id="items-of-a-subscale-too"),
        pytest.param(NORTH, "  phq9: {total: PHQ}", "  hamd17: {total: H}\n  hamd21: {total: H21}",
                     "would pool versions of one instrument: hamd17, hamd21", id="versions-pooled"),
        pytest.param(NORTH, "from: north\nparticipant: ID",
                     "from: north\ntables: {north: {participant: ID}}\nparticipant: ID",
                     "With `tables:`, 'columns' must stand under", id="mapping-beside-tables"),
        # endotypes
        pytest.param("endotypes/bands.yaml", "unit: mg/L", "unit: mg/dL", "not the canonical unit", id="scheme-unit"),
        pytest.param("endotypes/bands.yaml", "analyte: hscrp", "analyte: il6", "measures il6",
                     id="scheme-analyte-not-measured"),
        pytest.param("endotypes/bands.yaml", "acute: hscrp_acute", "acute: hscrp_acute\nvisit: screening",
                     "'screening' is not a visit", id="scheme-visit"),
        pytest.param("endotypes/bands.yaml", "[inflamed_single]", "[inflamed_supported]", "not a state of the scheme",
                     id="inflamed-state"),
        pytest.param("endotypes/bands.yaml", "hscrp >= 3", "hscrp > 3", "hscrp_at_least_3 is hscrp >= 3",
                     id="threshold-operator"),
        pytest.param("endotypes/bands.yaml", "hscrp >= 3", "hscrp >= 3.5", "hscrp_at_least_3 is hscrp >= 3",
                     id="threshold-value"),
        pytest.param("endotypes/bands.yaml", "acute: hscrp_acute", "acute: hscrp_at_least_3", "does not lie below",
                     id="scheme-order"),
        pytest.param("endotypes/bands.yaml", "hscrp_acute: hscrp > 10",
                     "hscrp_acute: hscrp > 10\n  bmi_obese: bmi >= 30", "Nothing uses bmi_obese",
                     id="threshold-unused"),
        pytest.param("endotypes/bands.yaml", "to: 7", "to: -8", "ends before it begins", id="window-reversed"),
        pytest.param("endotypes/bands.yaml", "from: -7, to: 7", "from: -90, to: -60", "No visit of the study meets",
                     id="window-of-no-visit"),
        pytest.param("endotypes/bands.yaml", "to: 7", "to: 0", "north maps no days of its visits", id="undated"),
        pytest.param("study.yaml", "time_zero: enrolment", "time_zero: treatment_start",
                     "Only samples before treatment may define a baseline state", id="window-under-treatment"),
        pytest.param("study.yaml", "endotypes: [bands]", "endotypes: [bands, hscrp_band]", "Nearest: hscrp_bands",
                     id="shipped-scheme"),
        pytest.param("endotypes/bands.yaml", "version: 1", "version: 1\nlike: hscrp_band", "Nearest: hscrp_bands",
                     id="like-nothing"),
        pytest.param("endotypes/bands.yaml", "version: 1", "version: 1\noverrides: for a test", "no shipped scheme",
                     id="overrides-nothing"),
        # analyses
        pytest.param(COURSE, "analyte: hscrp", "analyte: tnf", "No site of the analysis measures tnf",
                     id="exposure-not-measured"),
        pytest.param(COURSE, "analyte: hscrp", "analyte: hscpr", "Nearest: hscrp", id="exposure-unknown"),
        pytest.param(COURSE, "week_4, baseline", "week_5, baseline", "'week_5' is not a visit", id="outcome-visit"),
        pytest.param(COURSE, "scale: points", "scale: cut", "`cut:` belongs to `scale: cut`", id="cut-missing"),
        pytest.param(COURSE, "baseline: baseline, scale: points", "scale: response", "`baseline:`, which is not named",
                     id="response"),
        pytest.param(COURSE, "severity, visit", "cognition, visit", "No site maps an instrument of cognition",
                     id="construct"),
        pytest.param(COURSE, "severity, visit", "severity, instrument: madrs, visit",
                     "'madrs' is not an instrument of severity",
                     id="instrument-not-mapped"),
        pytest.param(COURSE, "models:", "treatment: {active: placebo, reference: escitalopram}\nmodels:",
                     "No site of the analysis has the arm", id="arm-of-nobody"),
        pytest.param(COURSE, "[age, sex]", "[age, sexx]", "Nearest: sex", id="covariate-unknown"),
        pytest.param(COURSE, "models:", "population: [{column: agee, operator: '>', value: 1}]\nmodels:",
                     "Nearest: age", id="population"),
        pytest.param(COURSE, "models:", "models:\n  - {id: pooled, family: logistic}", "Two models are named",
                     id="model-twice"),
        pytest.param(COURSE, "ancova,", "survey_linear,", "needs the key `survey:`", id="survey-missing"),
        pytest.param(COURSE, "ancova, covariates: [age, sex], pool: one_stage}", SURVEY,
                     "needs survey_weight, survey_stratum, survey_psu, which the site north", id="survey-columns"),
        pytest.param(COURSE, "exposure: {analyte: hscrp, visit: baseline, scale: log2, below_limit: fill_lod_sqrt2}\n",
                     "",
                     "needs an `exposure:`", id="exposure-missing"),
        # report
        pytest.param("report.yaml", "course", "corse", "Nearest: course", id="headline-analysis"),
        pytest.param("report.yaml", "pooled", "pold", "Nearest: pooled", id="headline-model"),
        pytest.param("report.yaml", "}", ", site: est}", "'est' is not a site", id="headline-site"),
        pytest.param("report.yaml", "}\n", "}\ninflamed_share: band\n", "Nearest: bands", id="inflamed-share"),
        pytest.param(COURSE, "pool: one_stage", "pool: by_site", "name the `site:`", id="headline-without-site"),
    ],
)  # fmt: skip
def test_finding(study: Path, file: str, old: str, new: str, expected: str) -> None:
    change(study, file, old, new)
    assert any(expected in text for text in findings(study)), findings(study)


def test_a_declared_molar_factor_is_accepted(study: Path) -> None:
    log_decision(study, "MOLAR", variable="hscrp", sites="north;south")
    change(study, NORTH, "unit: mg/L", f"unit: nmol/L, {MOLAR}")
    assert findings(study) == []


def test_a_site_without_biomarker_is_refused_unless_it_is_excluded(study: Path) -> None:
    change(study, "sites/south.yaml", "measurements:\n  hscrp: {unit: mg/dL}\n", "measurements:\n")
    assert any("The site has no biomarker" in text for text in findings(study))
    change(study, "study.yaml", "seed: 1", "seed: 1\nexclude_sites: [{site: south, reason: no blood was taken}]")
    assert findings(study) == []


def test_one_column_of_participants_in_two_tables(study: Path) -> None:
    (study / "sites" / "south.yaml").write_text(
        "site: south\ntables:\n  south:\n    participant: ID\n    columns: {age: {column: AGE, unit: a}}\n"
        "  north:\n    participant: ID\n    visits: {single: baseline}\n    columns: {age: {column: AGE, unit: a}}\n"
        "    measurements: {hscrp: {column: CRP, unit: mg/L}}\n",
        encoding="utf-8",
    )
    assert findings(study) == [
        "trial/sites/south.yaml:9  tables.north.columns.age\n  'age' is already mapped in the table south."
    ]


def test_a_laboratory_table(study: Path) -> None:
    mapping = (
        "laboratory:\n  analyte: {column: TEST, codes: {CRP: hscrp, IL6: il6}}\n  value: RESULT\n"
        "  unit: {column: UNIT}\n  assays: {tnf: msd_vplex_tnf, il6: roche_crphs}\n"
    )
    change(study, NORTH, "instruments:", f"{mapping}instruments:")
    found = findings(study)
    assert any("'tnf' is not an analyte of this table" in text for text in found)
    assert any("'roche_crphs' is not an assay of il6" in text for text in found)


SOURCE = "{path: north.csv, format: csv}"


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        # what a format cannot have
        pytest.param("format: parquet, delimiter: ';'", "delimiter", "a key of text files", id="delimiter"),
        pytest.param("format: spss, decimal: ','", "decimal", "a key of text files, spreadsheets", id="decimal"),
        pytest.param("format: stata, thousands: ','", "thousands", "a key of text files, spreadsheets", id="thousands"),
        pytest.param("format: excel, sheet: A, encoding: latin-1", "encoding", "a key of text files and files of",
                     id="encoding-of-a-workbook"),
        pytest.param("format: spss_portable, encoding: cp1252", "encoding", "a key of text files and files of",
                     id="encoding-of-a-portable-file"),
        pytest.param("format: csv, sheet: A", "sheet", "a key of spreadsheets", id="sheet"),
        pytest.param("format: feather, header_row: 3", "header_row", "a key of text files and spread", id="header-row"),
        pytest.param("format: sas, header_rows: 2", "header_rows", "a key of text files and spread", id="header-rows"),
        pytest.param("format: csv, member: a.csv", "member", "a file inside a zip", id="member-of-nothing"),
        pytest.param("format: csv, compression: gzip, member: a", "member", "a file inside a zip", id="member-of-gzip"),
        # what it needs
        pytest.param("format: excel", "", "needs its `sheet:`", id="no-sheet"),
        pytest.param("format: csv, header_row: 0", "header_row", "as `names:`", id="header-row-0-without-names"),
        pytest.param("format: csv, names: [ID, AGE]", "names", "is for a file without column names", id="names-alone"),
        pytest.param("format: csv, names: [ID, AGE], header_row: 2", "names", "Write `header_row: 0`",
                     id="names-and-row"),
        pytest.param("format: csv, names: [ID, ID], header_row: 0", "names", "more than once: ID", id="names-twice"),
        pytest.param("format: csv, names: [ID], header_row: 0, header_rows: 2", "header_rows", "no `header_rows:`",
                     id="rows-of-no-header"),
    ],
)  # fmt: skip
def test_a_key_that_a_source_lacks_or_cannot_have(study: Path, keys: str, key: str, expected: str) -> None:
    change(study, "study.yaml", SOURCE, f"{{path: north.csv, {keys}}}")
    place = f"trial/study.yaml:16  sources.north{'.' if key else ''}{key}\n"
    assert any(place in text and expected in text for text in findings(study)), findings(study)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("format: csv, delimiter: ';', decimal: ',', thousands: ' ', encoding: latin-1, header_rows: 2",
                     id="text"),
        pytest.param("format: excel, sheet: A, decimal: ',', header_row: 3, header_rows: 2", id="spreadsheet"),
        pytest.param("format: csv, header_row: 0, names: [ID, AGE]", id="names"),
        pytest.param("format: csv, compression: zip, member: 'folder/a.csv'", id="member"),
        pytest.param("format: stata, encoding: cp1252, compression: gzip", id="package"),
    ],
)  # fmt: skip
def test_keys_that_belong_together(study: Path, keys: str) -> None:
    change(study, "study.yaml", SOURCE, f"{{path: north.csv, {keys}}}")
    assert findings(study) == []


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/etc/passwd", id="absolute"),
        pytest.param("../north.csv", id="parent"),
        pytest.param("a/../../north.csv", id="parent-inside"),
        pytest.param("a\\..\\..\\north.csv", id="parent-of-windows"),
        pytest.param("C:\\north.csv", id="drive"),
        pytest.param("\\\\server\\north.csv", id="share"),
        pytest.param("~/north.csv", id="home"),
        pytest.param("x://../../north.csv", id="scheme"),
    ],
)
@pytest.mark.parametrize("key", ["dictionary", "supersedes", "member", "path"])
def test_a_path_that_leads_out_is_refused_with_its_line(study: Path, key: str, path: str) -> None:
    if key == "path":
        new = f"{{path: '{path}', format: csv}}"
    else:
        new = f"{{path: north.csv, format: csv, compression: zip, {key}: '{path}'}}"
    change(study, "study.yaml", SOURCE, new)
    found = findings(study)
    assert any(text.startswith(f"trial/study.yaml:16  sources.north.{key}\n") for text in found), found
    if "://" not in path:
        folder = "archive" if key == "member" else "data folder"
        assert any(f"leads out of the {folder}" in text for text in found), found
        assert not any("does not exist" in text for text in found)


def test_a_path_of_a_variant_and_of_corrections_is_held_against_the_folder_too(study: Path) -> None:
    change(study, "study.yaml", SOURCE, "{variant: a, variants: {a: {path: ../n.csv, format: csv}}}")
    change(study, NORTH, "participant: ID\n", "participant: ID\ncorrections: /elsewhere/corrections.csv\n")
    found = findings(study)
    assert any(text.startswith("trial/study.yaml:16  sources.north.variants.a.path\n") for text in found), found
    assert any(text.startswith("trial/sites/north.yaml:4  corrections\n") for text in found), found


def test_a_link_inside_the_data_folder_is_allowed(study: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "store.csv"
    (study / "data" / "north.csv").rename(elsewhere)
    (study / "data" / "north.csv").symlink_to(elsewhere)
    assert findings(study) == []


def test_a_link_that_cites_its_decision_is_sound(study: Path) -> None:
    log_decision(study, "LINK", variable="hamd17", sites="north;south")
    link = "{crosswalk: pmc3809821_hamd17_ids_sr30, decision: LINK}"
    change(study, NORTH, "phq9: {total: PHQ}", f"hamd17: {{total: H, linked: [{link}]}}")
    change(study, COURSE, "severity, visit", "severity, instrument: ids_sr30, linked: included, visit")
    assert findings(study) == []
