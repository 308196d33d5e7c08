"""Files made to hurt: each is refused with a sentence, nothing is executed and nothing is written."""

from __future__ import annotations

import io
import struct
import zlib

import pandas as pd
import polars as pl
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import feather

from ember.errors import EmberError
from ember.extract import workbook
from ember.extract.readers import read_table
from tests.unit.extract.binary_files import (
    compound_file,
    ods,
    ods_cell,
    ods_row,
    rezipped,
    sheet_xml,
    xls,
    xlsx,
    zipped,
)

SHEET = "xl/worksheets/sheet1.xml"
HEADER = "<row r='1'><c r='A1' t='str'><v>id</v></c></row>"
LAUGHS = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def book(rows, **parts):
    changes = {SHEET: sheet_xml(HEADER + rows), **{name.replace("__", "/"): text for name, text in parts.items()}}
    return rezipped(xlsx([["id"]]), changes)


def cell(reference):
    return f"<row r='{reference.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}'><c r='{reference}'><v>1</v></c></row>"


def broken(content, at, piece):
    return content[:at] + piece + content[at + len(piece) :]


def wide_ods(more_row="", more_cell=""):
    return ods(ods_row(ods_cell("string", "id")) + ods_row(ods_cell("float", "1", more=more_cell), more=more_row))


ROWS = 'table:number-rows-repeated="{}"'
COLUMNS = 'table:number-columns-repeated="{}"'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(book(cell("XFD1048576")), "would hold more than 30,000,000 cells", id="last-cell-of-the-sheet"),
        pytest.param(book(cell("A1048577")), "would hold more", id="row-beyond-the-sheet"),
        pytest.param(book(cell("XFE2")), "would hold more", id="column-beyond-the-sheet"),
        pytest.param(book(cell("ZZZ9999999")), "would hold more", id="far-beyond"),
        pytest.param(book(cell("AAAA1")), "damaged", id="no-address"),
        pytest.param(book("<row r='2'><c r = '&#88;FD1048576'><v>1</v></c></row>"), "would hold", id="escaped-address"),
        pytest.param(book("<row r='2'><c><v>1</c></row>"), "damaged", id="no-xml"),
        pytest.param(
            rezipped(xlsx([["id"]]), {SHEET: LAUGHS.encode() + sheet_xml(HEADER)[21:]}), "document type", id="entities"
        ),
        pytest.param(
            rezipped(xlsx([["id"]]), {"xl/sharedStrings.xml": f"<?xml version='1.0'?>{LAUGHS}<sst/>".encode()}),
            "document type",
            id="entities-in-strings",
        ),
        pytest.param(ods(ods_row(ods_cell("string", "id")), LAUGHS), "document type", id="entities-in-ods"),
        pytest.param(wide_ods(ROWS.format(10**9)), "would hold", id="ods-rows"),
        pytest.param(wide_ods(ROWS.format("9" * 30)), "would hold", id="ods-rows-overflow"),
        pytest.param(wide_ods("", COLUMNS.format(2 * 10**9)), "would hold", id="ods-columns"),
        pytest.param(wide_ods(ROWS.format(1_000_000), COLUMNS.format(16_000)), "would hold", id="ods-both"),
        pytest.param(zipped({"xl/workbook.xml": "<workbook/>"}), "no sheet|damaged", id="hollow"),
        pytest.param(broken(xls([["id"], ["1"]]), 76, b"\x01\0\0\0"), "damaged", id="xls-chain"),
        pytest.param(compound_file("EncryptedPackage", bytes(5000)), "protected by a password", id="encrypted-xlsx"),
        pytest.param(
            xls([["id"], ["1"]]).replace(b"\x42\0\2\0", b"\x2f\0\2\0", 1), "protected by a password", id="encrypted-xls"
        ),
        pytest.param(compound_file("WordDocument", bytes(5000)), "not an Excel file", id="old-word-document"),
        pytest.param(xls([["id"], ["1"]])[:2000], "damaged|no sheet", id="xls-cut-off"),
    ],
)
def test_spreadsheets(make_source, content, words):
    with pytest.raises(EmberError, match=words):
        read_table(make_source(content, "excel", sheet="Data"))


def test_declared_dimension_is_not_believed(make_source):
    lie = sheet_xml(HEADER + cell("A2")).replace(b"<sheetData>", b"<dimension ref='A1:XFD1048576'/><sheetData>")
    table = read_table(make_source(rezipped(xlsx([["id"]]), {SHEET: lie}), "excel", sheet="Data"))
    assert table.frame.rows() == [("1", 2)]


def test_empty_styled_cells_far_away_are_no_content(make_source):
    content = book("<row r='2'><c r='A2'><v>7</v></c></row><row r='1048576'><c r='XFD1048576' s='1'/></row>")
    assert read_table(make_source(content, "excel", sheet="Data")).frame.rows() == [("7", 2)]


def test_workbook_that_explodes_is_refused_before_it_is_opened(make_source, monkeypatch):
    monkeypatch.setattr(workbook, "RATIO_FROM", 10**6)
    strings = b"<?xml version='1.0'?><sst><si><t>" + b"0" * 3 * 10**6 + b"</t></si></sst>"
    content = rezipped(xlsx([["id"]]), {"xl/sharedStrings.xml": strings})
    with pytest.raises(EmberError, match="which no table does"):
        read_table(make_source(content, "excel", sheet="Data"))


@pytest.mark.parametrize("size", [pytest.param(100, id="larger"), pytest.param(10**6, id="smaller")])
def test_workbook_part_that_lies_about_its_size(make_source, size):
    content = bytearray(xlsx([["id"], ["1"]]))
    central = content.rindex(b"PK\x01\x02", 0, content.rindex(b"xl/sharedStrings.xml"))
    content[central + 24 : central + 28] = struct.pack("<I", size)
    with pytest.raises(EmberError, match="damaged"):
        read_table(make_source(bytes(content), "excel", sheet="Data"))


def parquet(frame):
    stream = io.BytesIO()
    frame.write_parquet(stream)
    return stream.getvalue()


def arrow(table):
    stream = io.BytesIO()
    feather.write_feather(table, stream)
    return stream.getvalue()


WIDE = {f"c{number}": [1] for number in range(100_001)}
NESTED = pl.DataFrame({"id": ["a"], "all": [{"x": 1}]})


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [
        pytest.param(parquet(NESTED), "parquet", "not one value a cell", id="structure-in-parquet"),
        pytest.param(parquet(pl.DataFrame({"id": [b"a"]})), "parquet", "not one value a cell", id="bytes-in-parquet"),
        pytest.param(arrow(NESTED.to_arrow()), "feather", "not one value a cell", id="structure-in-feather"),
        pytest.param(arrow(pa.table({"id": ["a"]}))[:-30], "feather", "damaged or cut off", id="feather-cut-off"),
        pytest.param(b"ARROW1\0\0" + b"\xff" * 200, "feather", "damaged or cut off", id="feather-junk"),
        pytest.param(b"FEA1" + b"\xff" * 200, "feather", "damaged or cut off", id="feather-1-junk"),
        pytest.param(b"PAR1" + b"\xff" * 200 + b"PAR1", "parquet", "damaged or cut off", id="parquet-junk"),
        pytest.param(b"PAR1" + b"\0" * 16 + b"\xff\xff\xff\x7fPAR1", "parquet", "damaged", id="parquet-huge-footer"),
        pytest.param(arrow(pa.table({"_row": ["a"]})), "feather", "EMBER itself", id="reserved-name"),
    ],
)
def test_columnar_files(make_source, content, form, words):
    with pytest.raises(EmberError, match=words):
        read_table(make_source(content, form))


@pytest.mark.parametrize(
    ("form", "make"),
    [pytest.param("parquet", lambda: parquet(pl.DataFrame(WIDE)), id="parquet"),
     pytest.param("feather", lambda: arrow(pa.table(WIDE)), id="feather")],
)  # fmt: skip
def test_more_columns_than_a_table_has(make_source, form, make):
    with pytest.raises(EmberError, match="100,001"):
        read_table(make_source(make(), form))


def packaged(write, tmp_path, **options):
    write(pd.DataFrame({"id": ["abcdefgh", "x"], "n": [1.0, 2.0]}), tmp_path / "made", **options)
    return (tmp_path / "made").read_bytes()


@pytest.mark.parametrize(
    ("form", "write"),
    [
        pytest.param("spss", pyreadstat.write_sav, id="sav"),
        pytest.param("stata", pyreadstat.write_dta, id="dta"),
        pytest.param("sas_transport", pyreadstat.write_xport, id="xpt"),
    ],
)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9], ids=lambda share: f"first-{share:.0%}")
def test_cut_off_and_overwritten_packages(make_source, tmp_path, form, write, share):
    content = packaged(write, tmp_path)
    place = int(len(content) * share)
    with pytest.raises(EmberError):
        read_table(make_source(content[:place], form))
    source = make_source(content[:place] + b"\xff" * (len(content) - place), form)
    try:
        read_table(source)
    except EmberError as error:
        assert "data/extract.dat" in str(error)


def test_text_of_a_cell_never_reaches_a_message(make_source, tmp_path):
    content = packaged(pyreadstat.write_xport, tmp_path).replace(b"abcdefgh", b"abc\xe4\xf6\xfcgh")
    with pytest.raises(EmberError) as error:
        read_table(make_source(content, "sas_transport"))
    assert "another encoding" in str(error.value)
    assert "abc" not in str(error.value)


NUL_TEXT = pd.DataFrame(
    {"n": [1.0, 2.5, None, 300.25], "id": ["abcdefgh", "XxYZ", "", "a longer text"], "m": [0.0, 1.0, 2.0, 3.0]}
)


@pytest.mark.parametrize(
    "options",
    [pytest.param({}, id="plain"), pytest.param({"row_compress": True}, id="codes")],
)
def test_nul_inside_a_text_of_spss_is_refused_and_one_at_its_end_is_padding(make_source, tmp_path, options):
    pyreadstat.write_sav(NUL_TEXT, tmp_path / "made.sav", **options)
    content = (tmp_path / "made.sav").read_bytes()
    assert content.count(b"XxYZ    ") == content.count(b"abcdefgh") == 1
    expected = NUL_TEXT["id"].to_list()
    assert read_table(make_source(content, "spss")).frame["id"].to_list() == expected
    padded = content.replace(b"XxYZ    ", b"XxYZ\0\0\0\0")
    assert read_table(make_source(padded, "spss")).frame["id"].to_list() == expected
    for old, new in ((b"XxYZ", b"X\0YZ"), (b"abcdefgh", b"\0bcdefgh")):
        with pytest.raises(EmberError, match="hold 1 NUL characters in the middle of a text"):
            read_table(make_source(content.replace(old, new), "spss"))


def test_nul_inside_a_text_of_compressed_spss_is_refused(make_source, tmp_path):
    pyreadstat.write_sav(NUL_TEXT, tmp_path / "plain.sav", row_compress=True)
    pyreadstat.write_sav(NUL_TEXT, tmp_path / "made.zsav", compress=True)
    assert read_table(make_source((tmp_path / "made.zsav").read_bytes(), "spss")).n_rows == 4
    content = (tmp_path / "made.zsav").read_bytes()
    place = content.index(b"\x78", content.rindex(b"\xe7\x03\0\0"))
    unpacker = zlib.decompressobj()
    codes = unpacker.decompress(content[place:])
    packed = zlib.compress(codes.replace(b"XxYZ", b"X\0YZ"))
    end = len(content) - len(unpacker.unused_data)
    shift = len(packed) - (end - place)
    trailer = bytearray(unpacker.unused_data)
    trailer[44:48] = struct.pack("<i", len(packed))
    header = bytearray(content[:place])
    for at in (place - 16,):
        header[at : at + 8] = struct.pack("<q", struct.unpack_from("<q", header, at)[0] + shift)
    with pytest.raises(EmberError, match="hold 1 NUL characters"):
        read_table(make_source(bytes(header) + packed + bytes(trailer), "spss"))


def test_text_of_stata_ends_at_its_first_nul_as_in_stata(make_source, tmp_path):
    content = packaged(pyreadstat.write_dta, tmp_path).replace(b"abcdefgh", b"abc\0efgh")
    assert read_table(make_source(content, "stata")).frame["id"].to_list() == ["abc", "x"]
