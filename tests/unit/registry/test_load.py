"""Finding, reading and building a study; `like:`; the data folder; all findings at once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ember.errors import EmberError
from ember.registry.load import InvalidStudyError, find_study, inspect_study, load_study
from tests.unit.registry.study_folder import change, findings, write_study


def test_the_study_loads(study: Path) -> None:
    loaded, registry = load_study(str(study), environment={})
    assert (loaded.id, list(loaded.sites), list(loaded.sources)) == ("trial", ["north", "south"], ["north", "south"])
    assert loaded.workspace == loaded.folder == study.resolve()
    assert loaded.visits[0].first == -7
    assert registry.row("analytes", "hscrp")["canonical_unit"] == "mg/L"


def test_a_study_that_does_not_exist() -> None:
    with pytest.raises(EmberError) as caught:
        find_study("nhane")
    assert caught.value.nearest == "nhanes"
    assert "nhanes" in caught.value.allowed


def test_a_shipped_study_is_found_by_name_and_lies_in_the_project() -> None:
    folder, workspace = find_study("nhanes")
    assert (folder.name, workspace) == ("nhanes", folder.parents[2])


def test_a_folder_without_study_file_is_not_a_study(tmp_path: Path) -> None:
    with pytest.raises(EmberError, match="There is no study"):
        find_study(str(tmp_path))


def test_like_takes_over_what_is_not_said_again(study: Path) -> None:
    loaded, _ = load_study(str(study), environment={})
    north, south = (loaded.sites[name].tables[0] for name in ("north", "south"))
    assert south.source == "south"
    assert south.measurements["hscrp"].unit == "mg/dL"
    assert south.measurements["hscrp"].assay == north.measurements["hscrp"].assay == "roche_crphs"
    assert south.columns == north.columns
    assert loaded.sites["south"].label == "South"


def test_like_drops_a_key_without_value(study: Path) -> None:
    change(study, "sites/south.yaml", "measurements:", "columns: {sex: }\nmeasurements:")
    loaded, _ = load_study(str(study), environment={})
    assert list(loaded.sites["south"].tables[0].columns) == ["age"]


def test_a_finding_in_what_was_taken_over_stands_once_and_points_at_the_file_it_stands_in(study: Path) -> None:
    change(study, "sites/north.yaml", "assay: roche_crphs", "assay: roche_crph")
    assert [text.split("\n")[0] for text in findings(study)] == ["trial/sites/north.yaml:9  measurements.hscrp.assay"]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param("sites/south.yaml", "like: north", "like: nort", "Nearest: north.", id="like-nobody"),
        pytest.param("sites/north.yaml", "from: north", "like: south\nfrom: north", "only one step", id="like-of-like"),
        pytest.param("sites/south.yaml", "site: south", "site: north", "never carry one id",
                     id="two-sites-with-one-id"),
        pytest.param("study.yaml", "[north, south]", "[north, south, north]", "stands twice", id="site-listed-twice"),
        pytest.param("study.yaml", "[north, south]", "[north, south, east]", "does not exist", id="no-site-file"),
        pytest.param("study.yaml", "[course]", "[course, other]", "does not exist", id="no-analysis-file"),
        pytest.param("study.yaml", "files: files.csv", "files: list.csv", "does not exist", id="no-table-of-files"),
    ],
)  # fmt: skip
def test_refuses(study: Path, file: str, old: str, new: str, expected: str) -> None:
    change(study, file, old, new)
    assert any(expected in text for text in findings(study)), findings(study)


def test_all_findings_come_together(study: Path) -> None:
    change(study, "study.yaml", "disclosure: sacro", "disclosure: sacor")
    change(study, "sites/north.yaml", "unit: mg/L", "unit: pg/L")
    change(study, "report.yaml", "pooled", "poolled")
    (study / "data" / "south.csv").unlink()
    found = "\n".join(findings(study))
    for part in ("'sacor'", "'pg/L'", "'poolled'", "Looked for data/south.csv"):
        assert part in found


def test_inspection_keeps_the_study_that_has_findings(study: Path) -> None:
    change(study, "report.yaml", "pooled", "poolled")
    found = inspect_study(str(study), environment={})
    assert found.study is not None
    assert len(found.findings) == 1
    with pytest.raises(InvalidStudyError, match="poolled"):
        load_study(str(study), environment={})


def test_inspection_of_a_study_that_cannot_be_built(study: Path) -> None:
    (study / "study.yaml").write_text("study: [\n", encoding="utf-8")
    found = inspect_study(str(study), environment={})
    assert found.study is None
    assert "Not valid YAML" in str(found.findings[0])


def test_the_environment_names_the_data_folder(study: Path, tmp_path: Path) -> None:
    change(study, "study.yaml", "{folder: data}", "{environment: TRIAL_DATA, folder: nowhere, under: trial/data}")
    loaded, _ = load_study(str(study), environment={"TRIAL_DATA": str(tmp_path)})
    assert loaded.sources["north"].path == tmp_path / "trial" / "data" / "north.csv"
    assert loaded.sources["north"].shown_path == "$TRIAL_DATA/trial/data/north.csv"
    assert any("Looked for nowhere/trial/data/north.csv" in text for text in findings(study))


def test_an_environment_variable_that_is_not_set(study: Path) -> None:
    change(study, "study.yaml", "{folder: data}", "{environment: TRIAL_DATA}")
    assert findings(study) == [
        "trial/study.yaml:13  data.environment\n  The environment variable TRIAL_DATA is not set.\n"
        "  Set it to the folder that holds the files, or name a `folder:`."
    ]


def test_two_studies_do_not_share_state(tmp_path: Path) -> None:
    first, second = write_study(tmp_path / "one"), write_study(tmp_path / "two")
    change(second, "sites/south.yaml", "mg/dL", "mg/L")
    units = [
        load_study(str(folder), environment={})[0].sites["south"].tables[0].measurements["hscrp"].unit
        for folder in (first, second, first)
    ]
    assert units == ["mg/dL", "mg/L", "mg/dL"]


def test_loading_imports_no_data_library() -> None:
    import subprocess

    code = (
        "import sys; from ember.registry.load import load_study, inspect_study; inspect_study('nhanes');"
        "print([name for name in ('polars', 'numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": str(Path(__file__).parents[3] / "scripts")}
