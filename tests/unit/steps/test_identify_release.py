"""A final release is named only from the extracts of its freeze."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import date
from pathlib import Path

import pytest

from ember.cli.freeze import freeze
from ember.errors import EmberError
from ember.provenance.digest import sha256_of_file
from ember.steps.identify_release import main
from tests.unit.registry.study_folder import change, log_decision, write_study


def name_release(study: Path, **hashes: str) -> dict[str, object]:
    """Run the step on the hashes that a run would have found and return what it wrote."""
    found = {name: sha256_of_file(study / "data" / f"{name}.csv") for name in ("north", "south")} | hashes
    inputs = study / "inputs.csv"
    lines = [f"{name},{name}.csv,{sha256}" for name, sha256 in found.items()]
    inputs.write_text("\n".join(["source,file,sha256", *lines]) + "\n", encoding="utf-8")
    version = study / "version.json"
    main(Namespace(study=str(study), inputs=[inputs], version=version, log=None))
    content: dict[str, object] = json.loads(version.read_text(encoding="utf-8"))
    return content


@pytest.fixture
def final(tmp_path: Path) -> Path:
    study = write_study(tmp_path)
    freeze(str(study), "lock", date(2025, 7, 1))
    change(study, "study.yaml", "seed: 1", "seed: 1\nrelease: {status: final, freeze: lock}")
    return study


def test_a_draft_is_named_as_such(tmp_path: Path) -> None:
    assert name_release(write_study(tmp_path))["release"] == {"status": "draft", "freeze": None}


def test_a_final_release_names_its_freeze(final: Path) -> None:
    assert name_release(final)["release"] == {"status": "final", "freeze": "lock"}


def test_an_extract_that_is_not_the_frozen_one_stops_it(final: Path) -> None:
    with pytest.raises(EmberError) as stopped:
        name_release(final, north="0" * 64)
    assert str(stopped.value) == (
        "freezes/lock.json\n"
        "  The release is called final, and the extract north changed since it was frozen as 'lock' on 2025-07-01.\n"
        "  Take the change back, or lift the freeze with `ember unfreeze trial lock`."
    )
    assert not (final / "version.json").exists()


def test_decisions_and_freeze_decide_the_content_id(tmp_path: Path, final: Path) -> None:
    other = write_study(tmp_path / "other")
    draft = name_release(other)["content_id"]
    assert name_release(final)["content_id"] != draft
    log_decision(other, "D1")
    assert name_release(other)["content_id"] != draft
