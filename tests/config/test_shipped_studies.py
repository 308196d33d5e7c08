"""Every shipped study loads, and every schema is closed at every level."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from ember.cli.check import check
from ember.registry.load import PROJECT, inspect_study
from ember.registry.schema import validator
from ember.registry.schemes import shipped_names
from tests.real_data import REAL_DATA, real_file

STUDIES = sorted(path.parent.name for path in (PROJECT / "config" / "studies").glob("*/study.yaml"))
SCHEMAS = sorted(path.name.removesuffix(".schema.yaml") for path in (PROJECT / "workflow" / "schemas").glob("*.yaml"))


def test_the_shipped_studies_are_there() -> None:
    assert {"demo", "nhanes"} <= set(STUDIES)


@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_has_no_findings(name: str) -> None:
    found = inspect_study(name)
    absent = [text for text in map(str, found.findings) if "The file does not exist" in text]
    assert [text for text in map(str, found.findings) if text not in absent] == []
    assert found.study is not None
    if name == "nhanes" and not (REAL_DATA / "nhanes").is_dir():
        # Only the rebuilt CRP file has no address to fetch it from.
        assert len(absent) == 1
    else:
        assert absent == []


@pytest.mark.parametrize("name", STUDIES)
def test_every_file_of_a_shipped_study_is_named_after_its_id(name: str) -> None:
    folder = PROJECT / "config" / "studies" / name
    for kind, key in (("sites", "site"), ("endotypes", "scheme"), ("analyses", "analysis")):
        content = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        listed = set(content.get(kind, []))
        present = {path.stem for path in (folder / kind).glob("*.yaml")}
        if kind == "endotypes":  # a shipped scheme needs no file of the study
            listed -= set(shipped_names(PROJECT)) - present
        assert present == listed, f"{kind} on disk and in study.yaml, by {key}"


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema inside a schema with its path; names of properties are not keywords."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            for name, inner in value.items():
                yield from subschemas(inner, f"{path}/{keyword}/{name}")
        elif keyword in ("oneOf", "anyOf", "allOf"):
            for index, inner in enumerate(value):
                yield from subschemas(inner, f"{path}/{keyword}/{index}")
        elif keyword in ("items", "additionalProperties", "propertyNames"):
            yield from subschemas(value, f"{path}/{keyword}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_closed_at_every_level(name: str) -> None:
    objects = [
        (path, schema)
        for path, schema in subschemas(validator(name).schema)
        if schema.get("type") == "object" or "properties" in schema
    ]
    assert objects
    for path, schema in objects:
        rest = schema.get("additionalProperties")
        assert rest is False or (isinstance(rest, dict) and rest), f"{name}{path or '/'} takes any key"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_list_says_what_it_holds(name: str) -> None:
    for path, schema in subschemas(validator(name).schema):
        if schema.get("type") == "array":
            assert schema.get("items"), f"{name}{path} takes anything"


def nhanes_files() -> dict[str, dict[str, str]]:
    with (PROJECT / "config" / "studies" / "nhanes" / "files.csv").open(encoding="utf-8", newline="") as lines:
        return {row["file"]: row for row in csv.DictReader(lines)}


def test_a_file_of_nhanes_has_a_hash_or_an_address_and_an_origin() -> None:
    for file, row in nhanes_files().items():
        assert row["sha256"] or row["url"], file
        assert row["source"], file
        assert row["url"] == "" or row["url"].startswith("https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public/"), file


def test_the_demo_study_passes_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert check("demo") == 0
    assert "no findings. Nothing was run." in capsys.readouterr().out


def test_the_files_of_nhanes_are_the_declared_ones_and_have_the_named_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    real_file("nhanes")
    assert check("nhanes") == 0
    assert capsys.readouterr().out == (
        "nhanes: 2 sites, 10 sources, 1 endotype scheme, 4 analyses; no findings. Nothing was run.\n"
    )


def test_the_difficulty_question_is_no_part_of_the_score() -> None:
    found = inspect_study("nhanes")
    assert found.study is not None
    assert found.registry is not None
    scored = {
        int(row["item"])
        for row in found.registry.rows("instrument_items")
        if row["instrument"] == "phq9" and row["scored"] == "true"
    }
    items = [
        table.instruments["phq9"].items
        for site in found.study.sites.values()
        for table in site.tables
        if "phq9" in table.instruments
    ]
    columns = {pattern.format(item=item) for pattern in items if pattern for item in scored}
    assert columns == {f"DPQ0{item}0" for item in range(1, 10)}


def test_the_two_cycles_keep_their_own_unit_assay_and_limit() -> None:
    found = inspect_study("nhanes")
    assert found.study is not None
    crp = {
        site.id: table.measurements["hscrp"]
        for site in found.study.sites.values()
        for table in site.tables
        if "hscrp" in table.measurements
    }
    first, second = crp["cycle_2009_2010"], crp["cycle_2015_2016"]
    assert (first.unit, second.unit) == ("mg/dL", "mg/L")
    assert first.assay != second.assay
    assert first.below is not None
    assert second.below is not None
    assert (first.below.heap, first.below.limit) == (0.01, 0.02)
    assert (second.below.column, second.below.codes, second.below.limit) == ("LBDHRPLC", ("1",), 0.11)
    assert second.below.heap is None, "0.08 is a fill and also a possible value of another cycle: the code decides"
