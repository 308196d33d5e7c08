"""Sources and sites as objects: variants, hashes, defaults, and the shapes a mapping may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.build import build_site, build_table
from ember.registry.load import load_study
from tests.unit.registry.study_folder import change, findings

HASH = "0" * 63 + "a"
VARIANTS = "variants: {a: {path: north.csv, format: csv}, b: {path: other.csv, format: csv}}"


def test_a_source_carries_its_row_of_the_table_of_files(study: Path) -> None:
    change(study, "files.csv", "north.csv,,", f"north.csv,{HASH},")
    source = load_study(str(study), environment={})[0].sources["north"]
    assert (source.file, source.sha256, source.url, source.recorded) == ("north.csv", HASH, None, False)
    assert source.path.is_file()


def test_a_file_with_an_address_that_is_not_there_is_expected_where_the_workflow_fetches_it(study: Path) -> None:
    change(study, "files.csv", "south.csv,,,", "south.csv,,https://example.org/south.csv,")
    (study / "data" / "south.csv").unlink()
    source = load_study(str(study), environment={})[0].sources["south"]
    assert source.path == study.resolve() / "resources" / "trial" / "south.csv"
    assert source.shown_path == "resources/trial/south.csv"


def test_a_chosen_variant(study: Path) -> None:
    change(study, "study.yaml", "{path: north.csv, format: csv}", f"{{variant: a, {VARIANTS}}}")
    source = load_study(str(study), environment={})[0].sources["north"]
    assert (source.variant, source.file) == ("a", "north.csv")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(f"{{{VARIANTS}}}", "say which under `variant:`", id="no-variant-chosen"),
        pytest.param(f"{{variant: c, {VARIANTS}}}", "Allowed: a, b.", id="unknown-variant"),
        pytest.param("{variant: a, path: north.csv, format: csv}", "has no `variants:`", id="no-variants"),
        pytest.param("{format: csv}", "The source needs path.", id="no-path"),
        pytest.param("{}", "The source needs path and format.", id="nothing"),
        pytest.param(f"{{variant: b, {VARIANTS}}}", "Another variant is a.", id="variant-that-is-not-there"),
    ],
)
def test_a_source_that_cannot_be_built(study: Path, entry: str, expected: str) -> None:
    change(study, "study.yaml", "{path: north.csv, format: csv}", entry)
    assert any(expected in text for text in findings(study)), findings(study)


def test_one_table_stands_at_the_top_and_several_under_tables() -> None:
    one = build_site({"site": "a", "from": "x", "participant": "ID"})
    two = build_site({"site": "a", "tables": {"x": {"participant": "ID"}, "y": {"participant": "NO"}}})
    assert (one.sources, two.sources) == (("x",), ("x", "y"))
    assert [table.participant for table in two.tables] == ["ID", "NO"]
    assert one.label == "A"


def test_unit_is_a_unit_or_a_column() -> None:
    measurements = {"hscrp": {"column": "CRP", "unit": "mg/L"}, "il6": {"column": "IL6", "unit": {"column": "UNIT"}}}
    table = build_table("x", {"participant": "ID", "measurements": measurements})
    fixed, told = table.measurements["hscrp"], table.measurements["il6"]
    assert (fixed.unit, fixed.unit_column) == ("mg/L", None)
    assert (told.unit, told.unit_column) == (None, "UNIT")


def test_lists_become_tuples_so_that_nothing_can_change_them() -> None:
    table = build_table(
        "x",
        {
            "participant": "ID",
            "missing": ["-9"],
            "measurements": {
                "hscrp": {"column": "C", "unit": "mg/L", "visits": ["v"], "below": {"column": "F", "codes": ["1"]}}
            },
            "instruments": {"phq9": {"total": "P", "missing": ["99"]}},
            "treatments": {"name": "T", "role": "arm", "missing": ["x"]},
        },
    )
    below, instrument = table.measurements["hscrp"].below, table.instruments["phq9"]
    assert below is not None
    assert table.treatments is not None
    assert (table.missing, below.codes, instrument.missing) == (("-9",), ("1",), ("99",))
    assert (table.measurements["hscrp"].visits, table.treatments.missing) == (("v",), ("x",))
