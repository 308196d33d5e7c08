"""Excel sheets: values as a person sees them, rows as a person counts them."""

from __future__ import annotations

import datetime as dt
import io

import pytest
import xlsxwriter

from ember.errors import EmberError
from ember.extract.excel import read_excel, read_excel_header
from tests.unit.extract.binary_files import ods, ods_cell, ods_row, rezipped, sheet_xml, xls, xlsx


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
        pytest.param(
            workbook({(0, 0): "a", (0, 1): "a", (1, 0): 1}), {"sheet": "Data"}, ["once (columns 1, 2)"], id="repeated"
        ),
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


ROWS = [["id", "crp", "day"], ["01", 1.5, 43831], ["ä2", "#N/A", "x"]]
SHEET = "xl/worksheets/sheet1.xml"


def with_sheet(rows):
    """Return a workbook whose sheet Data has this XML as its rows."""
    return rezipped(xlsx([["id"]]), {SHEET: sheet_xml(rows)})


# Cells of every kind: a number, a date, a moment, hours above 24, a truth, an error, an error of a formula.
XLS_ROWS = [["id", "a", "b"], ["01", 1.5, [43831.0]], ["ä", "#N/A", 43831.0], ["3", ("#DIV/0!",), True]]
EVERY_ODS = ods(
    ods_row(ods_cell("string", "id"), ods_cell("string", "a"), ods_cell("string", "b"))
    + ods_row(ods_cell("string", "01"), ods_cell("float", "1.5", "1,5"), ods_cell("date", "2020-01-01", "1.1.20"))
    + ods_row(
        ods_cell("string", "ä"),
        ods_cell("float", "0", "#N/A", 'table:formula="of:=NA()" calcext:value-type="error"'),
        ods_cell("float", "43831"),
    )
    + ods_row(
        ods_cell("string", "3"),
        ods_cell("string", "", "#DIV/0!", 'table:formula="of:=1/0" calcext:value-type="error"'),
        ods_cell("time", "PT36H05M00S", "36:05"),
    )
    + ods_row(ods_cell(more='table:number-columns-repeated="16384"'), more='table:number-rows-repeated="1048572"')
)


@pytest.mark.parametrize(
    ("content", "last"),
    [
        pytest.param(xls(XLS_ROWS), "true", id="xls"),
        pytest.param(xls(XLS_ROWS, small=True), "true", id="small-xls"),
        pytest.param(EVERY_ODS, "36:05:00", id="ods"),
        pytest.param(
            with_sheet(
                "<row><c t='inlineStr'><is><t>id</t></is></c><c t='inlineStr'><is><t>a</t></is></c>"
                "<c t='inlineStr'><is><t>b</t></is></c></row>"
                "<row r='2'><c r='A2' t='str'><v>01</v></c><c r='B2'><v>1.5</v></c>"
                "<c r='C2' t='d'><v>2020-01-01</v></c></row>"
                "<row r='3'><c r='A3' t='str'><v>ä</v></c><c r='B3' t='e'><v>#N/A</v></c>"
                "<c r='C3'><v>43831</v></c></row><row r='4'><c r='A4' t='str'><v>3</v></c>"
                "<c r='B4' t='e'><f>1/0</f><v>#DIV/0!</v></c>"
                "<c r='C4' t='b'><v>1</v></c></row>"
            ),
            "true",
            id="xlsx",
        ),
    ],
)
def test_cells_of_every_kind(make_source, content, last):
    table = read_excel(make_source(content, "excel", sheet="Data"))
    assert table.frame.rows() == [
        ("01", "1.5", "2020-01-01", 2),
        ("ä", "#N/A", "43831", 3),
        ("3", "#DIV/0!", last, 4),
    ]


@pytest.mark.parametrize("date_1904", [pytest.param(False, id="1900"), pytest.param(True, id="1904")])
@pytest.mark.parametrize("old", [pytest.param(False, id="xlsx"), pytest.param(True, id="xls")])
def test_a_date_is_the_same_day_in_both_calendars_and_a_number_stays_one(make_source, date_1904, old):
    # 1 January 2020 is day 43831 since 1900, and 42369 since 1904.
    day = 42369 if date_1904 else 43831
    rows = [["id", "date", "number"], ["1", [float(day)], float(day)]]
    if old:
        content = xls(rows, date_1904=date_1904)
    else:
        plain = [rows[0], ["1", day, day]]
        content = xlsx(plain, date_1904=date_1904, formats={"B2": "dd.mm.yyyy"})
    table = read_excel(make_source(content, "excel", sheet="Data"))
    assert table.frame.rows() == [("1", "2020-01-01", str(day), 2)]


def test_hours_above_24_and_times(make_source):
    content = xlsx([["id", "hours", "time"], ["1", 1.5, 0.5]], formats={"B2": "[h]:mm", "C2": "hh:mm"})
    assert read_excel(make_source(content, "excel", sheet="Data")).frame.row(0) == ("1", "36:00:00", "12:00:00", 2)


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("<c r='B2'><f>1+1</f></c>", id="no-value"),
        pytest.param("<c r='B2'><f>1+1</f><v></v></c>", id="empty-value"),
        pytest.param("<c r='B2'><f>1+1</f><v/></c>", id="closed-value"),
    ],
)
def test_formula_that_was_never_computed_is_refused_with_its_address(make_source, cell):
    rows = f"<row r='1'><c r='A1' t='str'><v>id</v></c></row><row r='2'>{cell}</row>"
    source = make_source(with_sheet(rows), "excel", sheet="Data")
    with pytest.raises(EmberError, match="1 cells hold a formula without a stored value, the first in B2"):
        read_excel(source)


def test_formula_that_gives_empty_text_is_an_empty_cell_and_a_title_may_be_uncomputed(make_source):
    rows = (
        "<row r='1'><c r='A1'><f>TODAY()</f></c></row><row r='2'><c r='A2' t='str'><v>id</v></c></row>"
        "<row r='3'><c r='A3' t='str'><v>1</v></c><c r='B3' t='str'><f>\"\"</f><v></v></c></row>"
    )
    table = read_excel(make_source(with_sheet(rows), "excel", sheet="Data", header_row=2))
    assert table.frame.rows() == [("1", 3)]


def test_uncomputed_formula_of_an_open_document(make_source):
    rows = ods_row(ods_cell("string", "id")) + ods_row(ods_cell(more='table:formula="of:=1+1"'))
    with pytest.raises(EmberError, match="the first in A2"):
        read_excel(make_source(ods(rows), "excel", sheet="Data"))


def test_text_that_looks_like_a_formula_is_text(make_source):
    content = with_sheet("<row><c t='str'><v>id</v></c></row><row><c t='str'><v>=cmd|'/c calc'!A1</v></c></row>")
    assert read_excel(make_source(content, "excel", sheet="Data")).frame.row(0) == ("=cmd|'/c calc'!A1", 2)


TWO_ROWS = [["", "", "Visit 1", "", "Visit 2", ""], ["id", "sex", "BP", "HR", "BP", "HR"], ["1", "m", 1, 2, 3, 4]]
NAMES = ["id", "sex", "Visit 1 BP", "Visit 1 HR", "Visit 2 BP", "Visit 2 HR"]


def merged_book(merges):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    page = book.add_worksheet("Data")
    for row, cells in enumerate(TWO_ROWS):
        page.write_row(row, 0, cells)
    for place, text in merges.items():
        page.merge_range(place, text)
    book.close()
    return stream.getvalue()


def test_merged_header_cells_are_carried_over_their_own_columns_only(make_source):
    both = merged_book({"C1:D1": "Visit 1", "E1:F1": "Visit 2"})
    source = make_source(both, "excel", sheet="Data", header_rows=2)
    assert read_excel_header(source) == read_excel(source).names == NAMES
    assert read_excel(source).frame["_row"].to_list() == [3]
    only_first = make_source(merged_book({"C1:D1": "Visit 1"}), "excel", sheet="Data", header_rows=2)
    assert read_excel_header(only_first) == [*NAMES[:5], "HR"]


def test_without_merged_cells_a_blank_takes_the_text_on_its_left(make_source):
    assert read_excel_header(make_source(xlsx(TWO_ROWS), "excel", sheet="Data", header_rows=2)) == NAMES


def test_merged_cells_of_an_open_document(make_source):
    spans = 'table:number-columns-spanned="2"'
    rows = ods_row(ods_cell(), ods_cell("string", "Visit 1", more=spans), "<table:covered-table-cell/>", ods_cell())
    rows += ods_row(*(ods_cell("string", name) for name in ("id", "BP", "HR", "note")))
    rows += ods_row(*(ods_cell("string", name) for name in ("1", "2", "3", "4")))
    source = make_source(ods(rows), "excel", sheet="Data", header_rows=2)
    assert read_excel_header(source) == ["id", "Visit 1 BP", "Visit 1 HR", "note"]


def test_names_that_stay_alike_are_refused(make_source):
    with pytest.raises(EmberError, match=r"once \(columns 3, 4, 5, 6\)"):
        read_excel(make_source(xlsx(TWO_ROWS), "excel", sheet="Data", header_row=2))


def test_a_sheet_without_names_takes_them_from_the_study(make_source):
    source = make_source(xlsx([["1", 2.5], ["2", 3]]), "excel", sheet="Data", header_row=0, names=("id", "crp (mg/L)"))
    assert read_excel_header(source) == ["id", "crp (mg/L)"]
    assert read_excel(source).frame.rows() == [("1", "2.5", 1), ("2", "3", 2)]


@pytest.mark.parametrize("names", [pytest.param(("id",), id="fewer"), pytest.param(("id", "a", "b"), id="more")])
def test_another_number_of_declared_names_is_refused(make_source, names):
    source = make_source(xlsx([["1", 2.5]]), "excel", sheet="Data", header_row=0, names=names)
    with pytest.raises(EmberError, match=f"2 columns, and `names:` gives {len(names)}"):
        read_excel(source)


def test_unit_in_the_header_and_trailing_blanks(make_source):
    rows = [["id", "CRP (mg/L)\nserum", "", ""], ["1", 2, "", ""], ["", "", "", " "]]
    table = read_excel(make_source(xlsx(rows), "excel", sheet="Data"))
    assert table.names == ["id", "CRP (mg/L)\nserum"]
    assert table.rejected.rows() == [(3, "row.blank")]
