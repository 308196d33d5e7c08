"""`ember check` on broken studies: one fault each, with its file, line and key, what is allowed and what is nearest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.cli.check import check
from ember.cli.main import main
from ember.registry.load import inspect_study
from tests.unit.cli.ten_sites import LIKE, write_ten_sites
from tests.unit.registry.study_folder import change, log_decision

Printed = pytest.CaptureFixture[str]
STUDY, NORTH, SOUTH, COURSE = "study.yaml", "sites/north.yaml", "sites/south.yaml", "analyses/course.yaml"
LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{letter}: &{letter} [{', '.join(['*' + before] * 9)}]\n"
    for before, letter in zip("abcdefgh", "bcdefghi", strict=True)
)
MOLAR = "unit: nmol/L, molar_factor: {nmol_per_mg: 9.524, reason: as the laboratory states"


@pytest.fixture
def broken(study: Path) -> Path:
    """Return the small study without a table of files, which would warn of hashes that nobody declared."""
    (study / "files.csv").unlink()
    change(study, STUDY, "files: files.csv\n", "")
    return study


CASES = [
    # keys, types, forms
    pytest.param(STUDY, "seed: 1", "seed: 1\nlable: x", "study.yaml:13  lable", "Nearest: label.", id="unknown-key"),
    pytest.param(NORTH, "specimen: serum", "speciment: serum", "sites/north.yaml:9  measurements.hscrp.speciment",
                 "Allowed: assay, batch, below, bridge, column, iu_factor, limits, loinc, molar_factor, specimen,",
                 id="unknown-key-of-a-measurement"),
    pytest.param(STUDY, "seed: 1", "seed: one", "study.yaml:12  seed", "'one' should be a whole number.",
                 id="wrong-type"),
    pytest.param(STUDY, "sites: [north, south]", "sites: north", "study.yaml:17  sites", "should be a list.",
                 id="text-for-a-list"),
    pytest.param(STUDY, "title: A small trial\n", "", "study.yaml:1", "The key 'title' is missing.", id="missing-key"),
    pytest.param(STUDY, "study: trial", "study: Trial", "study.yaml:1  study", "'Trial' does not have the form",
                 id="form-of-an-id"),
    pytest.param(STUDY, "[north, south]", "[north, ../south]", "study.yaml:17  sites.1", "does not have the form",
                 id="path-in-a-name"),
    pytest.param(STUDY, "north.csv, format: csv}", "north.csv, format: cvs}", "study.yaml:15  sources.north.format",
                 "sql. Nearest: csv.", id="format-unknown"),
    # references
    pytest.param(NORTH, "V4: week_4", "V4: week_5", "sites/north.yaml:4  visits",
                 "Allowed: baseline, week_4. Nearest: week_4.", id="visit-unknown"),
    pytest.param(NORTH, "visits: [baseline]", "visits: [week_44]", "sites/north.yaml:9  measurements.hscrp.visits",
                 "Nearest: week_4.", id="visit-of-a-measurement"),
    pytest.param(NORTH, "  age:", "  agee:", "sites/north.yaml:6  columns.agee", "Nearest: age.", id="variable"),
    pytest.param(NORTH, "assay: roche_crphs", "assay: roche_crph", "sites/north.yaml:9  measurements.hscrp.assay",
                 "Nearest: roche_crphs.", id="assay"),
    pytest.param(NORTH, "phq9:", "phq_9:", "sites/north.yaml:11  instruments.phq_9", "Nearest: phq9.", id="instrument"),
    pytest.param(NORTH, "from: north", "from: nrth", "sites/north.yaml:2  from",
                 "Allowed: north, south. Nearest: north.", id="source"),
    pytest.param(NORTH, "site: north", "site: nord", "sites/north.yaml:1  site",
                 "The file is named 'north' but its site is 'nord'.", id="misnamed"),
    pytest.param(SOUTH, "like: north", "like: nort", "sites/south.yaml:2  like",
                 "Allowed: north, south. Nearest: north.", id="like-of-nobody"),
    pytest.param(STUDY, "[north, south]", "[north, south, sout]", "study.yaml:17  sites.2",
                 "Allowed: north, south. Nearest: south.", id="site-without-file"),
    pytest.param(STUDY, "[north, south]", "[north, north, south]", "study.yaml:17  sites.1",
                 "'north' stands twice under sites.", id="site-twice"),
    pytest.param(STUDY, "sacro", "sacor", "study.yaml:6  disclosure", "Nearest: sacro.", id="disclosure-profile"),
    pytest.param(COURSE, "analyte: hscrp", "analyte: hscpr", "analyses/course.yaml:5  exposure.analyte",
                 "Nearest: hscrp.", id="exposure"),
    pytest.param(COURSE, "[age, sex]", "[age, sexx]", "analyses/course.yaml:8  models.0.covariates", "Nearest: sex.",
                 id="covariate"),
    pytest.param("report.yaml", "pooled", "poled", "report.yaml:1  headline.model", "Nearest: pooled.", id="headline"),
    # units, dimension, codes
    pytest.param(NORTH, "unit: mg/L", "unit: mg/Lx", "sites/north.yaml:9  measurements.hscrp.unit", "Nearest: mg/L.",
                 id="unit-unknown"),
    pytest.param(NORTH, "unit: mg/L", "unit: U/L", "sites/north.yaml:9  measurements.hscrp.unit",
                 "Allowed: mg/L, mg/dL, ug/mL, ng/mL, ug/L, ug/dL, mg/mL, g/L, pg/mL, ng/dL, g/dL, nmol/L and 5 more",
                 id="activity-for-a-mass-concentration"),
    pytest.param(NORTH, "unit: mg/L", "unit: kg/m2", "sites/north.yaml:9  measurements.hscrp.unit",
                 "'kg/m2' is not a unit of hscrp", id="unit-of-a-body-mass-index"),
    pytest.param(NORTH, "unit: a}", "unit: mo}", "sites/north.yaml:6  columns.age.unit", "Allowed: a.",
                 id="age-in-months"),
    pytest.param(NORTH, "2: female", "2: femal", "sites/north.yaml:7  columns.sex.codes.2",
                 "Allowed: female, male. Nearest: female.", id="code"),
    # files and columns
    pytest.param(STUDY, "path: north.csv", "path: nort.csv", "study.yaml:15  sources.north",
                 "Looked for data/nort.csv.", id="no-file"),
    pytest.param(NORTH, "column: AGE", "column: AEG", "sites/north.yaml:6  columns.age.column", "nearest: AGE.",
                 id="column-of-the-file"),
    pytest.param(NORTH, "participant: ID", "participant: IDD", "sites/north.yaml:3  participant", "nearest: ID.",
                 id="participant-of-the-file"),
    pytest.param(NORTH, "total: PHQ", "total: PHQQ", "sites/north.yaml:11  instruments.phq9.total", "nearest: PHQ_V",
                 id="total-of-a-wide-file"),
    pytest.param(NORTH, "week_4}}", 'week_4}, pattern: "{column}"}', "sites/north.yaml:4  visits.pattern",
                 "must hold both", id="pattern-without-visit"),
    # decisions and release
    pytest.param(NORTH, "unit: mg/L", f"{MOLAR}}}", "sites/north.yaml:9  measurements.hscrp.molar_factor",
                 "no decisions.csv", id="molar-factor-without-decision"),
    pytest.param(NORTH, "2: female}", "2: female, 3: female}", "sites/north.yaml:7  columns.sex",
                 "A recoding of several codes onto one is a choice", id="recoding-without-decision"),
    pytest.param(STUDY, "seed: 1", "seed: 1\nrelease: {status: final}", "study.yaml:13  release",
                 "A final release needs a freeze.", id="final-without-freeze"),
    pytest.param(STUDY, "seed: 1", "seed: 1\nrelease: {status: draft, freeze: lock}", "study.yaml:13  release",
                 "A draft has no freeze.", id="draft-with-freeze"),
    # YAML itself
    pytest.param(NORTH, "from: north", "from: [north", "sites/north.yaml:3", "Not valid YAML", id="unclosed-list"),
    pytest.param(NORTH, "  age:", "\tage:", "sites/north.yaml:6", "The line holds a tab", id="tab"),
    pytest.param(NORTH, "from: north", "from: !!python/object/apply:os.system [ls]", "sites/north.yaml:2",
                 "A tag (!) is not allowed here", id="tag"),
    pytest.param(NORTH, "site: north\n", f"site: north\n{LAUGHS}", "sites/north.yaml:2", "repeats itself without end",
                 id="billion-laughs"),
    pytest.param(NORTH, "from: north", "from: &x [*x]", "sites/north.yaml:2", "repeats itself without end",
                 id="alias-of-itself"),
    pytest.param(NORTH, "from: north", "from: north\nfrom: south", "sites/north.yaml:3", "'from' stands twice",
                 id="key-twice"),
    pytest.param(NORTH, "from: north", "from: nor\x00th", "sites/north.yaml", "a character that may not stand in it",
                 id="control-character"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "place", "hint"), CASES)
def test_the_fault_is_told_with_its_place(
    broken: Path, capsys: Printed, file: str, old: str, new: str, place: str, hint: str
) -> None:
    change(broken, file, old, new)
    assert check(str(broken)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"trial/{place}"
    told = [line for line in lines[1:] if line.startswith("  ")]
    assert any(hint in line for line in told), lines
    assert lines[-1].endswith("Nothing was run.")


def test_a_file_of_another_format_is_told_with_the_file(broken: Path, capsys: Printed) -> None:
    change(broken, STUDY, "{path: north.csv, format: csv}", "{path: north.csv, format: spss}")
    assert check(str(broken)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "data/north.csv"
    assert "`format: spss`" in lines[1]


def test_windows_that_share_a_day_where_the_date_tells_the_visit(broken: Path, capsys: Printed) -> None:
    change(broken, STUDY, "{day: 28, from: 21, to: 35}", "{day: 28, from: 7, to: 35}")
    change(broken, NORTH, "visits: {wide: {V0: baseline, V4: week_4}}",
           'time_zero: {column: T0, date: "%Y"}\nvisits: {by_date: {column: D, date: "%Y"}}')  # fmt: skip
    assert check(str(broken)) == 1
    assert "The windows of baseline and week_4 share days" in capsys.readouterr().out


def test_a_unit_of_another_analyte_is_never_called_the_nearest(broken: Path, capsys: Printed) -> None:
    change(broken, NORTH, "unit: mg/L", "unit: U/L")
    check(str(broken))
    assert "Nearest" not in capsys.readouterr().out


def test_faults_of_all_kinds_come_out_together(broken: Path, capsys: Printed) -> None:
    change(broken, "report.yaml", "headline:", "headlin:")
    change(broken, COURSE, "role: primary", "role: main")
    change(broken, SOUTH, "like: north\n", "like: north\nparticipants: ID\n")
    change(broken, NORTH, "unit: mg/L", "unit: mg/Lx")
    change(broken, NORTH, "column: AGE", "column: AEG")
    (broken / "endotypes" / "bands.yaml").write_text("scheme: [bands\n", encoding="utf-8")
    assert check(str(broken)) == 1
    lines = capsys.readouterr().out.splitlines()
    for place in (
        "trial/endotypes/bands.yaml:2", "trial/sites/south.yaml:3  participants", "trial/analyses/course.yaml:3  role",
        "trial/report.yaml:1  headlin", "trial/sites/north.yaml:9  measurements.hscrp.unit",
        "trial/sites/north.yaml:6  columns.age.column",
    ):  # fmt: skip
        assert place in lines, lines


def test_what_refers_to_a_broken_file_is_not_called_broken_itself(broken: Path, capsys: Printed) -> None:
    change(broken, NORTH, "specimen: serum", "speciment: serum")
    change(broken, SOUTH, "like: north\n", "")
    change(broken, SOUTH, "from: south\n", "from: south\nparticipant: ID\n")
    check(str(broken))
    lines = capsys.readouterr().out.splitlines()
    assert not any(line.startswith(("trial/analyses", "trial/report", "trial/endotypes")) for line in lines), lines
    assert not any("No site reads" in line for line in lines)


def test_a_cited_decision_is_no_finding(broken: Path, capsys: Printed) -> None:
    change(broken, NORTH, "unit: mg/L", f"{MOLAR}, decision: D1}}")
    log_decision(broken, "D1", variable="hscrp")
    assert check(str(broken)) == 0
    assert "no findings" in capsys.readouterr().out


def test_ten_sites(tmp_path: Path, capsys: Printed) -> None:
    folder = write_ten_sites(tmp_path)
    assert main(["check", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("ten: 10 sites, 12 sources")
    found = inspect_study(str(folder))
    assert found.study is not None
    assert len(found.study.sites) == 4 + len(LIKE)
    change(folder, "sites/faro.yaml", "like: porto", "like: porto\nmeasurements: {il6: {unit: pg/mLl}}")
    change(folder, "sites/linz.yaml", "like: graz", "like: graz\nlabl: Linz")
    assert main(["check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "ten/sites/faro.yaml:3  measurements.il6.unit" in lines
    assert "ten/sites/linz.yaml:3  labl" in lines
