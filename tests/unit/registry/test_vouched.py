from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import PROJECT, InvalidStudyError, load_study
from ember.registry.vouched import VARIABLE, configuration_digest, is_vouched
from tests.unit.registry.study_folder import write_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path)


def vouched(study: Path) -> dict[str, str]:
    return {VARIABLE: configuration_digest(study, PROJECT)}


def test_a_vouched_study_is_the_same_study(study: Path) -> None:
    checked, _ = load_study(str(study), environment={})
    again, _ = load_study(str(study), environment=vouched(study))
    assert again == checked


@pytest.mark.parametrize("file", ["study.yaml", "report.yaml", "sites/north.yaml", "analyses/course.yaml"])
def test_a_change_after_the_check_is_checked_again(study: Path, file: str) -> None:
    environment = vouched(study)
    path = study / file
    path.write_text(path.read_text(encoding="utf-8") + "\nunknown_key: 1\n", encoding="utf-8")
    assert not is_vouched(study, PROJECT, environment)
    with pytest.raises(InvalidStudyError, match="'unknown_key' is not a key here"):
        load_study(str(study), environment=environment)


def test_a_new_file_of_the_study_counts_and_its_extracts_do_not(study: Path) -> None:
    environment = vouched(study)
    (study / "extracts").mkdir(exist_ok=True)
    (study / "extracts" / "more.csv").write_text("a\n1\n", encoding="utf-8")
    assert is_vouched(study, PROJECT, environment)
    (study / "decisions.csv").write_text("id\n", encoding="utf-8")
    assert not is_vouched(study, PROJECT, environment)


@pytest.mark.parametrize("value", ["", "1", "0" * 64])
def test_nobody_else_can_vouch(study: Path, value: str) -> None:
    assert not is_vouched(study, PROJECT, {VARIABLE: value})
