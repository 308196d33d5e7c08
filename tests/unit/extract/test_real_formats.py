"""The real files of ../shared/data/formats, each with its right declaration and values looked up by eye."""

from __future__ import annotations

import pytest

from ember.errors import EmberError
from ember.extract.readers import READERS, read_header, read_table

SAMPLE_LABELS = {"1": "Male", "2": "Female"}
# The same five people were written in three formats; a date-time before 1900, and times up to 23:10:10.
SAMPLE = [
    ("a", "1.1", "2018-05-06", "2018-05-06T10:10:10", "1", "1", "10:10:10", 1),
    ("b", "1.2", "1880-05-06", "1880-05-06T10:10:10", "2", "2", "23:10:10", 2),
    ("c", "-1000.3", "1960-01-01", "1960-01-01T00:00:00", "1", "3", "00:00:00", 3),
    ("d", "-1.4", "1583-01-01", "1583-01-01T00:00:00", "2", "1", "16:10:10", 4),
    ("e", "1000.3", "", "", "1", "1", "", 5),
]


def source_of(make_source, real_data, file, form, **keys):
    return make_source(real_data(f"formats/{file}").read_bytes(), form, file.rsplit("/", 1)[1], **keys)


@pytest.mark.parametrize(
    ("file", "form"),
    [
        pytest.param("pyreadstat/sample.sav", "spss", id="sav"),
        pytest.param("pyreadstat/sample.por", "spss_portable", id="por"),
        pytest.param("pyreadstat/sample.xpt", "sas_transport", id="xpt"),
    ],
)
def test_one_table_in_three_formats(make_source, real_data, file, form):
    table = read_table(source_of(make_source, real_data, file, form))
    assert table.frame.rows() == SAMPLE
    labels = next(info.value_labels for name, info in table.columns.items() if name.lower() == "mylabl")
    assert labels == ({} if form == "sas_transport" else SAMPLE_LABELS)


def test_user_missing_values_and_ranges(make_source, real_data):
    table = read_table(source_of(make_source, real_data, "pyreadstat/sample_missing.sav", "spss"))
    assert table.frame.select("mychar", "mynum", "mylabl", "myord").rows()[5:] == [
        ("Z", "-1", "-1", "-1"),
        ("", "2500", "", "-3"),
    ]
    columns = table.columns
    assert (columns["mynum"].missing_values, columns["mynum"].missing_ranges) == (("-1",), ((2000.0, 3000.0),))
    assert columns["mylabl"].value_labels == {"-1": "undetermined", **SAMPLE_LABELS}
    assert columns["myord"].missing_values == ("-1", "-2", "-3")


@pytest.mark.parametrize(
    ("file", "column", "cells", "facts"),
    [
        pytest.param("haven/labelled-num-na.sav", "VAR00002", ["1", "9"],
                     {"missing_values": ("9",), "value_labels": {"1": "This is one"}, "label": "Only one value"},
                     id="missing-number"),
        pytest.param("haven/labelled-num.sav", "VAR00002", ["1"], {"value_labels": {"1": "This is one"}}, id="label"),
        pytest.param("haven/labelled-str.sav", "gender", ["M", "F"],
                     {"value_labels": {"F": "Female", "M": "Male"}, "missing_values": ()}, id="text-codes"),
        pytest.param("haven/umlauts.sav", "var1", ["1", "2", "1", "3"],
                     {"label": "This is an ä-umlaut",
                      "value_labels": {"1": "the ä umlaut", "2": "the ü umlaut", "3": "the ö umlaut"}}, id="umlauts"),
        pytest.param("pyreadstat/missing_char.sav", "mychar", ["Z", "a"],
                     {"missing_values": ("Z",), "value_labels": {"a": "labeled"}}, id="missing-text"),
        pytest.param("pyreadstat/missing_test.sav", "var1", ["1", "2"], {"missing_values": ("1",)}, id="missing-label"),
        pytest.param("pyreadstat/ordered_category.sav", "Col1", ["1", "2", "3", "2"],
                     {"value_labels": {"1": "high", "2": "low", "3": "medium"}}, id="ordered-categories"),
        pytest.param("pyreadstat/simple_alltypes.sav", "x", ["1", "2", "3", "4", "8", "9"],
                     {"missing_values": ("7", "8", "99"), "value_labels": {"1": "red", "2": "green", "3": "blue"}},
                     id="three-missing-values"),
        pytest.param("pyreadstat/simple_alltypes.sav", "z", ["-9", "", "1.234", "999", "3.14159", ""],
                     {"missing_values": ("999",), "missing_ranges": ((-999.0, 0.0),)}, id="range-and-value"),
        pytest.param("pyreadstat/simple_alltypes.sav", "str",
                     ["red", "green", "reg-green-blue-whatever", "NA", "", "MORE JUNK"], {}, id="text-na-stays"),
        pytest.param("pyreadstat/simple_alltypes.sav", "y",
                     ["2000-01-01", "2000-01-02", "1950-12-24", "1776-07-04", "", ""], {"type": "ADATE10"}, id="dates"),
        pytest.param("pyreadstat/simple_alltypes.sav", "quarter", ["2014-10-01"] * 4 + ["2015-01-01"] * 2,
                     {"type": "QYR8"}, id="quarters"),
    ],
)  # fmt: skip
def test_spss(make_source, real_data, file, column, cells, facts):
    table = read_table(source_of(make_source, real_data, file, "spss"))
    assert table.frame[column].to_list() == cells
    for name, value in facts.items():
        assert getattr(table.columns[column], name) == value


def test_hebrew_name(make_source, real_data):
    table = read_table(source_of(make_source, real_data, "pyreadstat/hebrews.sav", "spss"))
    assert table.names == ["ותק_ב"]
    assert table.frame[table.names[0]].to_list()[:3] == ["33", "34", "15"]
    assert table.n_rows == 99


@pytest.mark.parametrize("file", ["haven/tagged-na-double.dta", "haven/tagged-na-int.dta"])
def test_tagged_missing_values_of_stata(make_source, real_data, file):
    table = read_table(source_of(make_source, real_data, file, "stata"))
    assert table.frame["x"].to_list() == ["1", "2", "3", "4", "5", ".a", ".h", ".z"]
    assert table.columns["x"].missing_values == (".a", ".h", ".z")
    assert table.columns["x"].value_labels == {".a": "apple", ".z": ".zebra"}


def test_plain_and_tagged_missing_values_side_by_side(make_source, real_data):
    table = read_table(source_of(make_source, real_data, "pyreadstat/missing_test.dta", "stata"))
    assert table.frame.row(0) == (".a", ".b", ".c", ".x", ".y", ".z", "", "", "1", 1)
    assert table.columns["var1"].value_labels == {".a": "missing"}


def test_dates_of_sas_transport_8_agree_with_their_own_text(make_source, real_data):
    frame = read_table(source_of(make_source, real_data, "pyreadstat/dates_xpt_v8.xpt", "sas_transport")).frame
    assert frame.height == 19
    assert frame["dt"].to_list() == frame["string_dt"].str.replace(" ", "T").to_list()
    assert frame["dates"].to_list() == frame["string_dates"].to_list()
    assert frame["times"].to_list() == frame["string_times"].to_list()
    assert frame["missings"].to_list()[:6] == ["1", "", "3", "4", "", "6"]
    assert (frame["seconds"][0], frame["seconds"][-1]) == ("-86401", "2485773565")  # 2038-10-08 12:39:25


UC = ["pat_id", "treatment", "start_date", "ethnic", "race", "dob", "start_bp", "pre/post_wt_kg"]


@pytest.mark.parametrize(
    ("file", "keys", "names", "first", "height"),
    [
        # Three title rows and a blank one; a blank column (6th) between; below the table stand notes, which are rows.
        pytest.param("messy_aki", {"sheet": "Sheet1", "header_row": 5},
                     ["study_id", "dob", "Race", "Sex", "Hispanic", "Admission GFR"],
                     {"study_id": "1", "dob": "1967-11-11", "DAY2GFR`": "10", "_row": 6}, 22, id="titles-blank-column"),
        # Visits are merged over their two columns, and without them BP and HR would repeat.
        pytest.param("messy_bp", {"sheet": "Sheet1", "header_row": 3, "header_rows": 2},
                     ["pat_id", "Month of birth", "Day birth", "Year birth", "Race", "Sex", "Hispanic", "Visit 1 BP",
                      "Visit 1 HR", "Visit 2 BP", "Visit 2 HR", "Visit 3 BP", "Visit 3 HR"],
                     {"pat_id": "1", "Visit 1 BP": "167/92", "Visit 3 HR": "77", "_row": 5}, 20, id="merged-header"),
        # A table of counts: the groups stand left over their columns without being merged. The third column has the
        # name of the groups and no content.
        pytest.param("messy_cirrhosis", {"sheet": "cirrhosis", "header_row": 1, "header_rows": 3},
                     ["Cirrhosis Type", "Sex", "Age Survived to Transplant"],
                     {"Cirrhosis Type": "Hepatitis C", "Adult Yes": "311", "_row": 4}, 8, id="three-header-rows"),
        pytest.param("messy_glucose", {"sheet": "Sheet1", "header_row": 4},
                     ["pat_id", "Race", "Sex", "DofB", "glucose PRE", "glucose POST"],
                     {"pat_id": "1", "DofB": "1971-02-27", "glucose POST": "125.8", "_row": 5}, None, id="codes-below"),
        # The upper header rows do not belong to single columns; the columns are called by their place.
        pytest.param("messy_infarct", {"sheet": "statin_infarct", "header_row": 3},
                     ["Race", "Hispanic", "Sex", "(column 5)"],
                     {"Hispanic": "Hispanic", "(column 5)": "1", "(column 12)": "1", "_row": 4}, 20,
                     id="no-usable-names"),
        pytest.param("messy_uc", {"sheet": "Data", "header_row": 7}, UC,
                     {"pat_id": "001", "dob": "2005-01-07", "start_mes": "3", "end_dl": "5.217336232502179",
                      "fake_zip": "96074", "_row": 8}, 30, id="six-titles"),
        pytest.param("messy_uc", {"sheet": "Codebook"}, ["Variable", "Details", "Units", "Range"],
                     {"Variable": "pat_id", "_row": 2}, 33, id="codebook"),
    ],
)  # fmt: skip
def test_messy_workbooks(make_source, real_data, file, keys, names, first, height):
    source = source_of(make_source, real_data, f"medicaldata_messy/{file}.xlsx", "excel", **keys)
    table = read_table(source)
    assert table.names[: len(names)] == names
    row = table.frame.row(0, named=True)
    assert {name: row[name] for name in first} == {**first}
    assert height is None or table.frame.height == height


def test_every_real_file_has_a_reader(make_source, real_data):
    forms = {"sav": "spss", "por": "spss_portable", "dta": "stata", "xpt": "sas_transport", "xlsx": "excel"}
    files = [path for path in real_data("formats").rglob("*") if path.is_file()]
    assert {path.suffix.removeprefix(".") for path in files} == set(forms)
    assert set(forms.values()) <= set(READERS)


def test_a_repeated_header_is_refused_where_the_merged_row_is_not_declared(make_source, real_data):
    source = source_of(make_source, real_data, "medicaldata_messy/messy_bp.xlsx", "excel", sheet="Sheet1", header_row=4)
    with pytest.raises(EmberError, match=r"once \(columns 8, 9, 10, 11, 12, 13\)"):
        read_header(source)
