"""What a schema refuses, in the words and with the places of a data manager."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            "study.yaml", "privacy:", "privcy:",
            [
                "trial/study.yaml:1\n  The key 'privacy' is missing.",
                "trial/study.yaml:5  privcy\n  'privcy' is not a key here.\n  Allowed: analyses, consent, data, "
                "date_of_data, design, disclosure, dtd, endotypes, exclude_sites, files, findings, gates and 15 "
                "more. Nearest: privacy.",
            ],
            id="unknown-key-and-what-it-leaves-missing",
        ),
        pytest.param(
            "study.yaml", "synthetic", "syntetic",
            ["trial/study.yaml:5  privacy\n  'syntetic' is not allowed here.\n"
             "  Allowed: synthetic, public, restricted. Nearest: synthetic."],
            id="nearest-value",
        ),
        pytest.param(
            "study.yaml", "seed: 1", "seed: one",
            ["trial/study.yaml:12  seed\n  'one' should be a whole number."],
            id="type",
        ),
        pytest.param(
            "study.yaml", "seed: 1", "seed: 1\nopen_points:\n  - visits of north\n  - 'design: cohort?'",
            ["trial/study.yaml:13  open_points\n"
             "  2 points of the draft are open: settle them and take `open_points:` out.\n"
             "  - visits of north\n  - design: cohort?"],
            id="open-points-of-a-draft",
        ),
        pytest.param(
            "sites/north.yaml", "from: north", "from: north\nopen_points: [unit of CRP]",
            ["trial/sites/north.yaml:3  open_points\n"
             "  1 point of the draft is open: settle it and take `open_points:` out.\n  - unit of CRP"],
            id="one-open-point-also-of-the-site-that-is-like-it",
        ),
        pytest.param(
            "study.yaml", "seed: 1", "seed: 1\nopen_points:",
            ["trial/study.yaml:13  open_points\n  Every point of the draft is settled: take `open_points:` out."],
            id="no-open-point-left",
        ),
        pytest.param(
            "study.yaml", 'label: "1"', "label: 1",
            ["trial/study.yaml:2  label\n  '1' should be text; put quotes around text that looks like a number.\n"
             "  First part of the version."],
            id="number-where-text-belongs",
        ),
        pytest.param(
            "study.yaml", "sites: [north, south]", "sites: north",
            ["trial/study.yaml:18  sites\n  'north' should be a list."],
            id="list",
        ),
        pytest.param(
            "sites/north.yaml", "{column: AGE, unit: a}", "{unit: a, colum: AGE}",
            [
                "trial/sites/north.yaml:6  columns.age\n  The key 'column' is missing.",
                "trial/sites/north.yaml:6  columns.age.colum\n  'colum' is not a key here.\n"
                "  Allowed: codelist, codes, column, decision, missing, unit. Nearest: column.",
            ],
            id="deep-in-a-site-file",
        ),
        pytest.param(
            "sites/north.yaml", "{total: PHQ}", "{visits: [baseline]}",
            ["trial/sites/north.yaml:11  instruments.phq9\n  The keys given do not fit together.\n"
             "  Items, a total, or both."],
            id="one-of-several-keys",
        ),
        pytest.param(
            "sites/north.yaml", "unit: mg/L", "unit: {colum: UNIT}",
            ["trial/sites/north.yaml:9  measurements.hscrp.unit.colum\n  'colum' is not a key here.\n"
             "  Allowed: codes, column. Nearest: column."],
            id="inside-an-alternative",
        ),
        pytest.param(
            "sites/north.yaml", "  hscrp:", "  hsCRP:",
            ["trial/sites/north.yaml:9  measurements.hsCRP\n  'hsCRP' does not have the form ^[a-z][a-z0-9_]*$."],
            id="form-of-a-key",
        ),
        pytest.param(
            "analyses/course.yaml",
            "outcome: {construct: severity, visit: week_4, baseline: baseline, scale: points}\n", "",
            ["trial/analyses/course.yaml:1\n  The keys given do not fit together.\n"
             "  Exactly one of `outcome:` and `bands:` must stand in an analysis."],
            id="neither-outcome-nor-bands",
        ),
        pytest.param(
            "endotypes/bands.yaml", "hscrp >= 3", "3 or more",
            ["trial/endotypes/bands.yaml:7  thresholds.hscrp_at_least_3\n  '3 or more' does not have the "
             "form ^[a-z][a-z0-9_]* (>=|>) -?[0-9]+([.][0-9]+)?$."],
            id="pattern-of-a-threshold",
        ),
    ],
)  # fmt: skip
def test_findings(study: Path, file: str, old: str, new: str, expected: list[str]) -> None:
    change(study, file, old, new)
    found = [text for text in findings(study) if not text.startswith("trial/sites/south")]
    assert sorted(found) == sorted(expected)


def test_all_files_are_read_before_anything_is_said(study: Path) -> None:
    change(study, "sites/north.yaml", "participant:", "particpant:")
    change(study, "analyses/course.yaml", "role: primary", "role: first")
    change(study, "report.yaml", "model", "modell")
    files = {text.split(":")[0] for text in findings(study)}
    assert files == {"trial/sites/north.yaml", "trial/analyses/course.yaml", "trial/report.yaml"}
