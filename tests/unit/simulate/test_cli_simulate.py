"""`ember simulate` writes a new folder and refuses to write into one that holds something."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ember.cli.simulate import add_parser, simulate
from ember.errors import EmberError
from ember.registry.load import load_study
from ember.simulate.consortium import write_consortium


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *words])


def test_writes_the_files_of_the_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "ember.cli.simulate.write_consortium",
        lambda consortium, folder, registry: write_consortium(consortium, folder, registry, population=4000),
    )
    assert simulate(parsed(str(tmp_path / "new"), "--shape", "tiny", "--seed", "3", "--participants", "25")) == 0
    written = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*.*")}
    assert written == {
        "README.md", "truth.json", "planted_faults.csv",
        "porto/estudo.csv", "graz/redcap_export.csv", "graz/redcap_dictionary.csv",
    }  # fmt: skip
    assert "50 synthetic participants of 2 sites" in capsys.readouterr().out


def test_refuses_a_folder_that_is_not_empty(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(EmberError, match="not empty"):
        simulate(parsed(str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_unknown_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmberError, match="no shape"):
        simulate(parsed(str(tmp_path / "new"), "--shape", "huge"))
    assert not (tmp_path / "new").exists()


def test_a_truth_writes_a_study_folder_that_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ember.cli.simulate.write_consortium",
        lambda consortium, folder, registry: write_consortium(consortium, folder, registry, population=4000),
    )
    assert simulate(parsed(str(tmp_path / "twin"), "--truth", "shift", "--participants", "90")) == 0
    study, _ = load_study(str(tmp_path / "twin"))
    assert (study.id, list(study.verdicts)) == ("demo_shift", ["inflamed_type"])


def test_only_the_demonstration_has_twins(tmp_path: Path) -> None:
    with pytest.raises(EmberError, match="Only the demonstration"):
        simulate(parsed(str(tmp_path / "new"), "--truth", "shift", "--shape", "tiny"))
