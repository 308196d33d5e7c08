"""Excel sheets: values as a person sees them, rows as a person counts them."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import xlsxwriter

from ember.errors import EmberError
from ember.extract.excel import read_excel, read_excel_header


def workbook(rows, sheet="Data"):
    """Return the bytes of a workbook; `rows` maps (row, column) counted from 0 to a value."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    page, day = book.add_worksheet(sheet), book.add_format({"num_format": "dd/mm/yyyy"})
    for (row, column), value in rows.items():
        page.write(row, column, value, day if isinstance(value, dt.date) else None)
    book.close()
    return stream.getvalue()


SIMPLE = {(2, 0): "id", (2, 1): "crp", (3, 0): "001", (3, 1): 3.0, (5, 0): 2, (5, 1): dt.date(2024, 1, 2)}


def test_titles_above_the_header_are_ignored_and_rows_keep_their_numbers(make_source):
    source = make_source(workbook({(0, 0): "Title", **SIMPLE}), "excel", sheet="Data", header_row=3)
    table = read_excel(source)
    assert read_excel_header(source) == table.names == ["id", "crp"]
    assert table.frame.rows() == [("001", "3", 4), ("2", "2024-01-02", 6)]
    assert table.rejected.rows() == [(5, "row.blank")]
    assert table.sheet == "Data"


def test_rows_count_from_the_top_of_the_sheet_not_of_its_content(make_source):
    table = read_excel(make_source(workbook(SIMPLE), "excel", sheet="Data", header_row=3))
    assert table.frame["_row"].to_list() == [4, 6]


def test_unnamed_column_is_kept_only_with_content(make_source):
    rows = {(0, 0): "id", (0, 3): "x", (1, 0): "1", (1, 2): "note", (1, 3): 1}
    table = read_excel(make_source(workbook(rows), "excel", sheet="Data"))
    assert table.names == ["id", "(column 3)", "x"]


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        pytest.param(workbook(SIMPLE), {"sheet": "data "}, ["no sheet 'data '", "Nearest: Data"], id="sheet"),
        pytest.param(workbook(SIMPLE), {"sheet": "Data", "header_row": 9}, ["row 9", "6 rows"], id="header-too-low"),
        pytest.param(workbook(SIMPLE), {"sheet": "Data"}, ["header row is blank"], id="header-too-high"),
        pytest.param(workbook({(0, 0): "a", (0, 1): "a", (1, 0): 1}), {"sheet": "Data"}, ["once: a"], id="repeated"),
        pytest.param(workbook({(0, 0): "a"}), {"sheet": "Data"}, ["no data row"], id="header-only"),
        pytest.param(workbook(SIMPLE)[:900], {"sheet": "Data"}, ["cannot be read"], id="cut-off"),
        pytest.param(b"a,b\n1,2\n", {"sheet": "Data"}, ["does not start like one"], id="really-text"),
        pytest.param(b"PAR1xxxx", {"sheet": "Data"}, ["format: parquet"], id="really-parquet"),
        pytest.param(b"", {"sheet": "Data"}, ["0 bytes"], id="empty"),
    ],
)
def test_refused(make_source, content, keys, words):
    with pytest.raises(EmberError) as error:
        read_excel(make_source(content, "excel", **keys))
    assert all(word in str(error.value) for word in ["data/extract.dat", *words]), str(error.value)


def test_real_workbook_with_titles_and_unnamed_column(make_source, real_data):
    content = real_data("formats/medicaldata_messy/messy_glucose.xlsx").read_bytes()
    table = read_excel(make_source(content, "excel", sheet="Sheet1", header_row=4))
    assert table.names[:4] == ["pat_id", "Race", "Sex", "DofB"]
    assert table.frame["pat_id"][0] == "1"
    assert table.frame["DofB"][0] == "1971-02-27"
    assert table.frame["_row"][0] == 5
