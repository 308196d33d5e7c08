"""The columns that a site file names, expanded, and those the file lacks."""

from __future__ import annotations

import pytest

from ember.errors import EmberError
from ember.extract.columns import absent_columns, check_columns, item_columns, mapped_columns, value_columns
from ember.registry.load import PROJECT
from ember.registry.model import (
    Below,
    CodedColumn,
    ColumnMap,
    ConsentMap,
    DateColumn,
    DayColumn,
    DerivedColumn,
    InstrumentMap,
    LaboratoryMap,
    MeasurementMap,
    Site,
    TableMap,
    TreatmentMap,
    VisitMap,
)
from ember.registry.registry import read_registry


@pytest.fixture(scope="module")
def registry():
    return read_registry(PROJECT / "config" / "registry")


WIDE = TableMap(
    "s",
    "ID",
    time_zero=DateColumn("T0", "%Y"),
    visits=VisitMap(wide={"V0": "baseline", "V4": "week_4"}, date=DateColumn("DT", "%Y")),
    columns={"age": ColumnMap("AGE")},
    measurements={
        "hscrp": MeasurementMap("CRP", "mg/L", batch="LOT", below=Below(column="FLAG"), visits=("baseline",))
    },
    instruments={"phq9": InstrumentMap(items="P{item:02d}", total="PT", visits=("week_4",))},
    treatments=TreatmentMap("ARM", "arm"),
)


def test_wide_columns_are_expanded_for_the_visits_of_each_mapping(registry):
    columns = mapped_columns(WIDE, registry, {"LOT_V0", "FLAG", "ARM"})
    items = [(f"P{item:02d}_V4", "item") for item in range(1, 10)]
    assert columns == [
        ("ID", "participant"),
        ("T0", "time_zero"),
        ("DT_V0", "visit_date"),
        ("DT_V4", "visit_date"),
        ("AGE", "column"),
        ("CRP_V0", "measurement"),
        ("LOT_V0", "batch"),
        ("FLAG", "flag"),
        *items,
        ("PT_V4", "total"),
        ("ARM", "treatment"),
    ]


def test_value_columns_leave_out_keys(registry):
    assert set(value_columns(WIDE, registry)).isdisjoint({"ID", "LOT", "LOT_V0", "FLAG"})


def test_long_laboratory_columns(registry):
    table = TableMap(
        "s",
        "ID",
        visits=VisitMap(long=CodedColumn("VISIT", {"1": "baseline"})),
        laboratory=LaboratoryMap(CodedColumn("TEST", {}), "RESULT", None, unit_column="UNIT", batch="LOT"),
    )
    roles = dict(mapped_columns(table, registry))
    assert roles == {
        "ID": "participant",
        "VISIT": "visit_code",
        "TEST": "analyte",
        "RESULT": "result",
        "UNIT": "unit",
        "LOT": "batch",
    }


def test_everything_that_a_laboratory_row_says(registry):
    table = TableMap(
        "s",
        "ID",
        visits=VisitMap(by_date=DateColumn("DRAWN", "iso")),
        death=DateColumn("DIED", "iso"),
        consent=ConsentMap(
            {"biomarkers": CodedColumn("BIO", {"1": "granted"})},
            withdrawn=DateColumn("LEFT", "iso"),
            on_withdrawal_column=CodedColumn("THEN", {"1": "keep"}),
        ),
        laboratory=LaboratoryMap(
            CodedColumn("TEST", {}),
            "RESULT",
            "mg/L",
            operator=CodedColumn("SIGN", {}),
            specimen_column=CodedColumn("TUBE", {}),
        ),
    )
    assert mapped_columns(table, registry) == [
        ("ID", "participant"),
        ("DRAWN", "row_date"),
        ("DIED", "death"),
        ("BIO", "consent"),
        ("LEFT", "consent"),
        ("THEN", "consent"),
        ("TEST", "analyte"),
        ("RESULT", "result"),
        ("SIGN", "operator"),
        ("TUBE", "specimen"),
    ]
    assert value_columns(table, registry) == ["DIED", "RESULT"]


def test_operands_stand_for_derived_columns(registry, make_source):
    table = TableMap(
        "s",
        "ID",
        visits=VisitMap(by_day=DayColumn("day")),
        columns={"bmi": ColumnMap("bmi")},
        derived={"m2": DerivedColumn("M ^ 2"), "bmi": DerivedColumn("KG / m2"), "day": DerivedColumn("[DAY 1] - 1")},
    )
    assert mapped_columns(table, registry) == [
        ("ID", "participant"),
        ("M", "operand"),
        ("KG", "operand"),
        ("DAY 1", "operand"),
    ]
    absent = absent_columns(make_source(b"x"), ["ID", "KG", "M"], Site("s", "S", (table,)), table, registry)
    assert [error.where for error in absent] == ["data/extract.dat  column DAY 1"]


def test_unscored_items_are_not_mapped(registry):
    assert [number for number, _ in item_columns("phq9", "q{item}", registry)] == list(range(1, 10))


@pytest.mark.parametrize(
    ("instrument", "pattern", "word"),
    [
        pytest.param("bdi", "q{item}", "no scored items", id="no-items"),
        pytest.param("phq9", "q{number}", "cannot be filled", id="pattern"),
    ],
)
def test_items_refused(registry, instrument, pattern, word):
    with pytest.raises(EmberError, match=word):
        item_columns(instrument, pattern, registry)


def test_absent_columns_name_file_column_and_nearest(registry, make_source):
    table = TableMap("s", "ID", columns={"age": ColumnMap("CRP_V0"), "bmi": ColumnMap("zzz")})
    source, site = make_source(b"x"), Site("lund", "Lund", (table,))
    columns = ["ID", "CRP_VO", "CRPV0", "OTHER"]
    with pytest.raises(EmberError) as error:
        check_columns(source, columns, site, table, registry)
    lines = str(error.value).splitlines()
    assert lines[0] == "data/extract.dat  column CRP_V0"
    assert lines[1].strip().startswith("The site file of lund names CRP_V0; the file has 4 columns, nearest: ")
    assert {"CRP_VO", "CRPV0"} <= set(lines[1].strip(".").replace(",", "").split())
    assert lines[3].strip() == "The site file of lund names zzz; the file has 4 columns."
    assert absent_columns(source, [*columns, "CRP_V0", "zzz"], site, table, registry) == []


def test_a_header_that_looks_like_data_is_never_printed(registry, make_source):
    table = TableMap("s", "Smith")
    absent = absent_columns(make_source(b""), ["Smithe", "46", "1,22"], Site("a", "A", (table,)), table, registry)
    assert "the file has 3 columns." in str(absent[0])
    assert "header_row: 0" in str(absent[0])
    assert "Smithe" not in str(absent[0])
