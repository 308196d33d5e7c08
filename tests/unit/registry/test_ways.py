"""An analysis with several ways becomes several analyses."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import load_study
from ember.registry.ways import base_of
from tests.unit.registry.study_folder import change, findings, write_study

COURSE = "analyses/course.yaml"
WAYS = "acute_samples: {scheme: bands, ways: [all, at_most_10, repeat_only]}\nmodels:"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path)


def test_each_further_way_is_an_analysis_of_its_own(folder: Path) -> None:
    change(folder, COURSE, "models:", WAYS)
    study, _ = load_study(str(folder))
    assert list(study.analyses) == ["course", "course_at_most_10", "course_repeat_only"]
    assert "acute_way" not in study.analyses["course"]
    way = study.analyses["course_repeat_only"]
    assert (way["acute_way"], way["role"], way["analysis"]) == ("repeat_only", "secondary", "course_repeat_only")
    assert way["models"] == study.analyses["course"]["models"]
    assert way["title"] == "Course, a value above the acute cut only through its repeat"
    assert study.resolved["analyses"] == study.analyses


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("models:", WAYS.replace("bands", "band"), "Nearest: bands", id="scheme"),
        pytest.param("models:", WAYS.replace("all, ", ""), "acute_samples.ways", id="all-is-always-there"),
        pytest.param("exposure: {analyte: hscrp, visit: baseline, scale: log2, below_limit: fill_lod_sqrt2}\n",
                     "acute_samples: {scheme: bands, ways: [all, at_most_10]}\n", "those of an `exposure:`",
                     id="exposure"),
    ],
)  # fmt: skip
def test_what_does_not_fit(folder: Path, old: str, new: str, expected: str) -> None:
    change(folder, COURSE, old, new)
    assert any(expected in finding for finding in findings(folder)), findings(folder)


def test_a_way_must_not_take_the_name_of_another_analysis(folder: Path) -> None:
    change(folder, COURSE, "models:", WAYS)
    other = (folder / COURSE).read_text(encoding="utf-8").replace("analysis: course", "analysis: course_at_most_10")
    (folder / "analyses/course_at_most_10.yaml").write_text(other.replace(WAYS, "models:"), encoding="utf-8")
    change(folder, "study.yaml", "analyses: [course]", "analyses: [course, course_at_most_10]")
    assert any("would have the name of another analysis" in finding for finding in findings(folder))


def test_the_base_of_a_way() -> None:
    known = ["course", "course_repeat_only", "other_at_most_10"]
    assert base_of("course_repeat_only", known) == "course"
    assert base_of("other_at_most_10", known) is None
    assert base_of("course", known) is None
