"""Presets: the columns and codes of a standard table under what a site says of its own."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ember.registry.build import build_site
from ember.registry.load import PROJECT, inspect_study
from ember.registry.preset import merged, with_presets
from ember.registry.registry import read_registry
from ember.registry.schema import schema_findings
from ember.registry.yaml_file import YamlFile, read_yaml
from tests.unit.registry.study_folder import findings, write_study

REGISTRY = PROJECT / "config" / "registry"
PRESETS = sorted(path.stem for path in (REGISTRY / "presets").glob("*.yaml"))

OMOP = """\
site: north
tables:
  people:
    from: north
    participant: ID
    time_zero: {column: START, date: iso}
    columns:
      sex: {column: SEX, codes: {1: male, 2: female}}
  labs:
    preset: omop_measurement
    laboratory: {specimen: serum, assays: {hscrp: roche_crphs}}
"""


@pytest.fixture
def resolve(tmp_path: Path):
    """Return a site file as it stands after its presets."""

    def read(text: str, own: Path | None = None) -> YamlFile:
        path = tmp_path / "north.yaml"
        path.write_text(text, encoding="utf-8")
        return with_presets(read_yaml(path, "sites/north.yaml"), REGISTRY, own)

    return read


def test_there_are_presets() -> None:
    assert PRESETS == ["cdisc_lb", "omop_measurement", "omop_observation"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fits_the_schema_and_the_registry(resolve, preset: str) -> None:
    document = resolve(f"site: north\nfrom: north\npreset: {preset}\n")
    assert schema_findings(document, "site") == []
    (table,) = build_site(document.content).tables
    registry = read_registry(REGISTRY)
    assert table.laboratory is not None and table.laboratory.unit is None
    codes = table.laboratory.analyte.codes
    assert codes and all(registry.has("analytes", analyte) for analyte in codes.values())
    units = {row["from_unit"] for row in registry.rows("units")}
    assert table.laboratory.unit_codes and set(table.laboratory.unit_codes.values()) <= units
    if table.laboratory.operator:
        assert set(table.laboratory.operator.codes.values()) == {"<", ">", "="}


def test_what_the_site_says_wins_and_the_rest_comes_from_the_preset(resolve) -> None:
    labs = resolve(OMOP).content["tables"]["labs"]
    assert labs["participant"] == "person_id"
    assert labs["laboratory"]["specimen"] == "serum"
    assert labs["laboratory"]["analyte"]["column"] == "measurement_concept_id"
    assert labs["laboratory"]["analyte"]["codes"]["3010156"] == "hscrp"
    assert labs["laboratory"]["unit"]["codes"]["8840"] == "mg/dL"
    assert labs["laboratory"]["operator"]["codes"] == {"4172703": "=", "4171756": "<", "4172704": ">"}
    other = resolve(OMOP.replace("specimen: serum", "specimen: serum, unit: mg/L, operator: "))
    assert other.content["tables"]["labs"]["laboratory"]["unit"] == "mg/L"
    assert "operator" not in other.content["tables"]["labs"]["laboratory"]


def test_one_more_code_is_added_to_the_presets(resolve) -> None:
    more = 'analyte: {codes: {"3020460": hscrp, "9": il8}}, specimen: serum'
    codes = resolve(OMOP.replace("specimen: serum", more)).content["tables"]["labs"]["laboratory"]["analyte"]["codes"]
    assert (codes["3020460"], codes["9"], codes["3023091"]) == ("hscrp", "il8", "il6")


def test_the_roster_table_is_untouched(resolve) -> None:
    assert "laboratory" not in resolve(OMOP).content["tables"]["people"]


@pytest.mark.parametrize(
    ("visits", "kind"),
    [
        pytest.param("{single: baseline}", "single", id="single"),
        pytest.param("{long: {column: v, codes: {1: baseline}}}", "long", id="long"),
        pytest.param("{by_day: {column: LBDY}}", "by_day", id="by_day"),
        pytest.param("{date: {column: d, date: iso}}", "by_date", id="only-a-date-keeps-the-presets-kind"),
    ],
)
def test_another_kind_of_visits_replaces_the_presets(resolve, visits: str, kind: str) -> None:
    document = resolve(f"site: north\nfrom: north\npreset: cdisc_lb\nvisits: {visits}\n")
    kinds = [key for key in document.content["visits"] if key != "date"]
    assert kinds == [kind]


def test_every_line_keeps_its_place(resolve) -> None:
    document = resolve(OMOP)
    laboratory = ("tables", "labs", "laboratory")
    assert document.place((*laboratory, "specimen")).startswith("sites/north.yaml:11")
    assert document.place((*laboratory, "value")).startswith("config/registry/presets/omop_measurement.yaml:")
    with (REGISTRY / "standard_codes.csv").open(encoding="utf-8") as lines:
        line = next(number for number, text in enumerate(lines, start=1) if text.startswith("omop,unit,8840,"))
    place = document.place((*laboratory, "unit", "codes", "8840"))
    assert place.startswith(f"config/registry/standard_codes.csv:{line} ")


def test_a_study_adds_codes_of_its_own(resolve, tmp_path: Path) -> None:
    own = tmp_path / "registry"
    own.mkdir()
    header = "standard,kind,code,meaning,source,verified\n"
    (own / "standard_codes.csv").write_text(header + "omop,analyte,77,il8,a test,true\n", encoding="utf-8")
    document = resolve("site: north\nfrom: north\npreset: omop_observation\n", own)
    assert document.content["laboratory"]["analyte"]["codes"]["77"] == "il8"
    assert document.place(("laboratory", "analyte", "codes", "77")).startswith("registry/standard_codes.csv:2")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("site: north\npreset: omop\n", id="unknown"),
        pytest.param("site: north\npreset: ../../../units\n", id="outside"),
        pytest.param("site: north\npreset: [a]\n", id="list"),
        pytest.param("site: north\ntables: [a]\n", id="tables-are-a-list"),
    ],
)
def test_what_is_no_preset_is_left_to_the_schema(resolve, text: str) -> None:
    document = resolve(text)
    assert "laboratory" not in document.content
    assert schema_findings(document, "site")


def test_an_unknown_preset_names_the_known_ones(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    site = folder / "sites" / "north.yaml"
    site.write_text(site.read_text(encoding="utf-8") + "preset: cdisc_lbb\n", encoding="utf-8")
    (found,) = [finding for finding in findings(folder) if "cdisc_lbb" in finding and "north.yaml" in finding]
    assert "nearest: cdisc_lb" in found.lower() or "cdisc_lb" in found


def test_like_takes_a_site_with_its_preset(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    (folder / "sites" / "north.yaml").write_text(OMOP, encoding="utf-8")
    south = (
        "site: south\nlike: north\ntables:\n  people: {from: south}\n  labs: {laboratory: {unit: mg/dL, operator: }}\n"
    )
    (folder / "sites" / "south.yaml").write_text(south, encoding="utf-8")
    laboratory = inspect_study(str(folder)).sites["south"].content["tables"]["labs"]["laboratory"]
    assert laboratory["unit"] == "mg/dL"
    assert "operator" not in laboratory
    assert laboratory["analyte"]["codes"]["3023091"] == "il6"


@pytest.mark.parametrize(
    ("base", "change", "expected"),
    [
        pytest.param({"a": 1}, {}, {"a": 1}, id="nothing"),
        pytest.param({"a": 1}, {"a": None}, {}, id="dropped"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}, id="deep"),
        pytest.param({"a": {"b": 1}}, {"a": "x"}, {"a": "x"}, id="text-over-keys"),
        pytest.param({}, {"a": None}, {}, id="nothing-to-drop"),
    ],
)
def test_merged(base: dict, change: dict, expected: dict) -> None:
    assert merged(base, change) == expected


def test_codes_mean_what_the_registry_has() -> None:
    with (REGISTRY / "standard_codes.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    concepts = [row["code"] for row in rows if row["standard"] == "omop"]
    assert all(code.isdigit() for code in concepts)
    assert len(set(concepts)) == len(concepts)
