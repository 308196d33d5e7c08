"""Delimited text: nothing is guessed, no row is lost, and row numbers are lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract import csv_file, text_file
from ember.extract.csv_file import read_csv, read_csv_header, stream_csv
from tests.unit.extract.conftest import MakeSource


def cells(table):
    return table.frame.drop("_row").rows()


def rejected(table):
    return table.rejected.rows()


def test_everything_stays_text(make_source):
    table = read_csv(make_source(b'id,v\n001,"<0,2"\nNA,1e5\n03, 7 \n'))
    assert cells(table) == [("001", "<0,2"), ("NA", "1e5"), ("03", " 7 ")]
    assert table.frame["_row"].to_list() == [2, 3, 4]


def test_empty_cell_is_empty_text_quoted_or_not(make_source):
    assert cells(read_csv(make_source(b'a,b\n1,\n2,""\n'))) == [("1", ""), ("2", "")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param("a;b\nJosé;1\n".encode(), "utf-8", id="utf-8"),
        pytest.param("\ufeffa;b\nJosé;1\n".encode(), "utf-8", id="utf-8-bom"),
        pytest.param("a;b\nJosé;1\n".encode("utf-16"), "utf-16", id="utf-16"),
        pytest.param("a;b\r\nJosé;1\r\n".encode("latin-1"), "latin-1", id="latin-1-windows-lines"),
        pytest.param("a;b\rJosé;1\r".encode("cp1252"), "cp1252", id="cp1252-old-mac-lines"),
        pytest.param("a;b\nJosé;1".encode(), "utf-8", id="no-last-line-end"),
    ],
)
def test_declared_encoding_is_used(make_source, content, encoding):
    source = make_source(content, encoding=encoding, delimiter=";")
    assert read_csv_header(source) == ["a", "b"]
    assert cells(read_csv(source)) == [("José", "1")]


def test_rows_of_another_width_are_rejected_with_their_line(make_source):
    table = read_csv(make_source(b"a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert cells(table) == [("1", "2"), ("7", "8")]
    assert table.frame["_row"].to_list() == [2, 5]
    assert rejected(table) == [(3, "row.wrong_width"), (4, "row.wrong_width")]
    assert table.n_rows == 4


def test_blank_rows_are_rejected(make_source):
    table = read_csv(make_source(b"a,b\n1,2\n\n , \n3,4\n\n"))
    assert rejected(table) == [(3, "row.blank"), (4, "row.blank"), (6, "row.blank")]
    assert table.frame["_row"].to_list() == [2, 5]


def test_row_number_is_the_line_on_which_a_quoted_record_starts(make_source):
    table = read_csv(make_source(b'a,b\r\n1,"x\r\ny"\r\n2,z\r\n"p\r\nq"\r\n3,"u\nv\nw"\r\n4,t\r\n'))
    assert table.frame["_row"].to_list() == [2, 4, 7, 10]
    assert rejected(table) == [(5, "row.wrong_width")]
    assert table.frame["b"][0] == "x\r\ny"


def test_header_row_counts_from_the_top_and_a_header_may_span_lines(make_source):
    source = make_source(b'Study X\nexported today\n"a\n1",b\n1,2\n3\n', header_row=3)
    table = read_csv(source)
    assert read_csv_header(source) == table.names == ["a\n1", "b"]
    assert table.frame["_row"].to_list() == [5]
    assert rejected(table) == [(6, "row.wrong_width")]


def test_unnamed_columns_are_named_by_place(make_source):
    assert read_csv(make_source(b",a\n1,2\n")).names == ["(column 1)", "a"]


def test_rows_are_numbered_over_many_blocks(make_source, monkeypatch):
    monkeypatch.setattr("ember.extract.csv_file.BLOCK", 1 << 12)
    lines = [f"{number},{'x' * (number % 7)}" if number % 50 else "odd" for number in range(2, 3000)]
    table = read_csv(make_source(("a,b\n" + "\n".join(lines)).encode()))
    assert [int(text) for text in table.frame["a"]] == table.frame["_row"].to_list()
    assert table.rejected["row_number"].to_list() == list(range(50, 3000, 50))


@pytest.mark.parametrize(
    ("content", "keys", "words"),
    [
        pytest.param(None, {}, ["data/extract.dat", "does not exist"], id="absent"),
        pytest.param(b"", {}, ["data/extract.dat", "0 bytes"], id="empty"),
        pytest.param(b"a,b\n", {}, ["no data row"], id="header-only"),
        pytest.param(b"a,b\n\n\n", {}, ["no data row"], id="blank-rows-only"),
        pytest.param(b"\n1,2\n", {}, ["header row is blank"], id="blank-header"),
        pytest.param(b"a,b\n1,2\n", {"header_row": 9}, ["header row is blank"], id="header-beyond-the-end"),
        pytest.param(b"a,b,a,c,b\n1,2,3,4,5\n", {}, ["more than once (columns 1, 2, 3, 5)"], id="repeated-names"),
        pytest.param(b"a,_row\n1,2\n", {}, ["EMBER itself", "_row"], id="reserved-name"),
        pytest.param(b"a;b\n1;2\n", {}, ["delimiter: ';'"], id="another-delimiter"),
        pytest.param(b"title here\na,b\n1,2\n", {}, ["All 2 rows", "header_row"], id="title-taken-as-header"),
        pytest.param(b"a,b\n1,2\n3,\xe9\n", {}, ["data/extract.dat:3", "not utf-8"], id="not-utf-8"),
        pytest.param(b"a,\xe9\n1,2\n", {}, ["data/extract.dat:1", "not utf-8"], id="not-utf-8-in-header"),
        pytest.param(b"a,b\r\n1,2\r\n3,\x81\r\n", {"encoding": "cp1252"}, ["extract.dat:3", "not cp1252"], id="cp1252"),
        pytest.param(b"a,b\n1,2\n3,\x00\n", {}, ["data/extract.dat:3", "NUL"], id="nul"),
        pytest.param(
            "a,b\n1,2\n".encode("utf-16-le"), {"encoding": "latin-1"}, ["NUL", "utf-16"], id="utf-16-said-latin"
        ),
        pytest.param(b'a,b\n1,"2\n3,4\n5,6\n', {}, ["data/extract.dat:2", "quote"], id="quote-never-closed"),
        pytest.param(
            b'a,b\n0,0\n1,"5 tall\n3,"x"\n5,6\n', {}, ["data/extract.dat:3", "quote"], id="quote-closed-later"
        ),
        pytest.param(b'a,"b\n1,2\n', {}, ["quotes of the header"], id="quote-open-in-header"),
        pytest.param(b"PK\x03\x04rest", {}, ["format: csv", "Excel workbook", "format: excel"], id="really-excel"),
        pytest.param(b"$FL2@(#)", {}, ["SPSS"], id="really-spss"),
        pytest.param(b"\x1f\x8b\x08", {}, ["gzip"], id="really-gzip"),
        pytest.param(b"<!DOCTYPE html><p>Log in", {}, ["web page"], id="really-a-web-page"),
    ],
)
def test_refused_with_file_place_and_fix(make_source, content, keys, words):
    with pytest.raises(EmberError) as error:
        read_csv(make_source(content, **keys))
    assert all(word in str(error.value) for word in words), str(error.value)


def test_an_error_never_holds_a_value(make_source):
    with pytest.raises(EmberError) as error:
        read_csv(make_source(b'a,b\nsecret1,"secret2\nsecret3,4\n'))
    assert "secret" not in str(error.value)


def test_first_bad_line_is_found_beyond_the_first_piece(make_source, monkeypatch):
    monkeypatch.setattr("ember.extract.text_file.CHUNK", 7)
    content = b"a,b\r\n" + b"1,2\r\n" * 20 + b"3,\xff\r\n"
    with pytest.raises(EmberError, match=r"extract\.dat:22"):
        read_csv(make_source(content))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(st.text(alphabet='ab,;"\r\n é', max_size=6), min_size=1, max_size=4), min_size=1, max_size=8)
)
def test_same_as_the_standard_library_on_any_table(make_source, rows):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([["p", "q", "r"], *rows, ["1", "2", "3"]])
    table = read_csv(make_source(written.getvalue().encode()))
    reader = csv.reader(io.StringIO(written.getvalue(), newline=""))
    expected, start = {}, 1
    for record in reader:
        expected[start] = tuple(record)
        start = reader.line_num + 1
    del expected[1]
    whole = {
        line: row[:3]
        for line, row in expected.items()
        if len(row) >= 3 and not any(cell.strip() for cell in row[3:]) and any(cell.strip() for cell in row)
    }
    assert dict(zip(table.frame["_row"], cells(table), strict=True)) == whole
    assert set(table.rejected["row_number"]) == set(expected) - set(whole)


def test_real_file_with_decimal_comma_in_latin_1(make_source, real_data):
    source = make_source(real_data("il6_diurnal/IL6_data.csv").read_bytes(), encoding="latin-1", delimiter=";")
    table = read_csv(source)
    assert table.names[4] == "IL6_pgml-1"
    assert table.frame["IL6_pgml-1"][0] == "9,868440612"
    assert table.n_rows == len(source.path.read_bytes().decode("latin-1").splitlines()) - 1


def test_file_without_header_takes_the_declared_names(make_source):
    source = make_source(b"1;1,22\n2;1,38\n", delimiter=";", header_row=0, names=("subject", "il6"))
    table = read_csv(source)
    assert read_csv_header(source) == table.names == ["subject", "il6"]
    assert cells(table) == [("1", "1,22"), ("2", "1,38")]
    assert table.frame["_row"].to_list() == [1, 2]


@pytest.mark.parametrize("width", [2, 4])
def test_declared_names_must_be_as_many_as_the_cells(make_source, width):
    names = tuple(f"c{place}" for place in range(width))
    with pytest.raises(EmberError, match=f"gives {width} column names, but the first row has 3 cells") as error:
        read_csv(make_source(b"\nsecret,2,3\n", header_row=0, names=names))
    assert "secret" not in str(error.value)


def test_several_header_rows_are_joined_with_a_blank(make_source):
    source = make_source(b"Export\nid,CRP,CRP,\n,baseline, week 8,note\n1,2,3,4\n", header_row=2, header_rows=2)
    table = read_csv(source)
    assert table.names == ["id", "CRP baseline", "CRP week 8", "note"]
    assert table.frame["_row"].to_list() == [4]


def test_columns_without_name_and_content_are_left_out(make_source, monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", 16)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 1)
    table = read_csv(make_source(b"a,,b,,\n" + b"1,,2,,\n" * 9 + b"1,x,2,, \n"))
    assert table.names == ["a", "(column 2)", "b"]
    assert cells(table) == [*[("1", "", "2")] * 9, ("1", "x", "2")]


def test_content_of_an_unnamed_column_counts_in_rows_with_surplus_cells_too(make_source):
    table = read_csv(make_source(b"a,,b\n1,,2\n3,x,4,,\n5,,6\n"))
    assert cells(table) == [("1", "", "2"), ("3", "x", "4"), ("5", "", "6")]


def test_surplus_empty_cells_at_the_end_of_a_row_are_dropped(make_source):
    table = read_csv(make_source(b'a,b\n1,2,\n3,4, ,""\n5,6\n7,8,,x\n"9\n",0,,\n,,,\n'))
    assert cells(table) == [("1", "2"), ("3", "4"), ("5", "6"), ("9\n", "0")]
    assert table.frame["_row"].to_list() == [2, 3, 4, 6]
    assert rejected(table) == [(5, "row.wrong_width"), (8, "row.blank")]


def test_repeated_names_that_look_like_data_are_told_by_place(make_source):
    with pytest.raises(EmberError) as error:
        read_csv(make_source(b"Smith;1,5;Smith;2020-01-05\n1;2;3;4\n", delimiter=";"))
    assert "columns 1, 3" in str(error.value) and "header_row: 0" in str(error.value)
    assert "Smith" not in str(error.value)


@pytest.mark.parametrize("width", [100_001, 10_000_000])
def test_a_header_of_millions_of_columns_is_refused_unsplit(make_source, width):
    with pytest.raises(EmberError, match=r"columns are read|longer than"):
        read_csv(make_source(b"a," * (width - 1) + b"a\n1,2\n"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        pytest.param(b"x" * 5000, 1, id="header"),
        pytest.param(b"a,b\n1,2\n" + b"x" * 5000 + b"\n", 3, id="row"),
        pytest.param(b"a,b\n1,2\n" + b"x" * 5000, 3, id="row-to-the-end"),
    ],
)
def test_a_line_without_end_is_refused(make_source, monkeypatch, content, line):
    monkeypatch.setattr(csv_file, "BLOCK", 1024)
    monkeypatch.setattr(csv_file, "LONGEST_ROW", 1024)
    monkeypatch.setattr(text_file, "LONGEST_ROW", 1024)
    with pytest.raises(EmberError, match=rf"extract\.dat:{line}\n.*longer than"):
        read_csv(make_source(content))


def test_a_formula_is_text(make_source):
    assert cells(read_csv(make_source(b"a,b\n=cmd|' /C calc'!A0,@SUM(1)\n"))) == [("=cmd|' /C calc'!A0", "@SUM(1)")]


def test_an_open_quote_is_found_in_a_later_batch(make_source, monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", 256)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 1)
    content = b"a,b\n" + b'1,"x\ny"\n' * 100 + b'2,"5 tall\n3,"x"\n' + b"4,5\n" * 200
    with pytest.raises(EmberError, match=r"extract\.dat:202\n.*quote"):
        read_csv(make_source(content))


def test_batches_are_as_small_as_their_blocks(make_source, monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", 1024)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 100)
    heights = [batch.frame.height for batch in stream_csv(make_source(b"a,b\n" + b"1,2\n" * 2000)).batches]
    assert sum(heights) == 2000
    assert max(heights) < 400


IL6 = [
    pytest.param("Sothern1995IndividualData.csv", {"header_row": 0, "names": tuple("abcdefghij")}, id="headless"),
    pytest.param("Knudsen2008individual.csv", {}, id="unit-in-the-header"),
    pytest.param("IL6_data.csv", {"encoding": "latin-1"}, id="latin-1"),
]


@pytest.mark.parametrize(("file", "keys"), IL6)
def test_real_semicolon_files_are_read_cell_for_cell(make_source, real_data, file, keys):
    content = real_data(f"il6_diurnal/{file}").read_bytes()
    table = read_csv(make_source(content, delimiter=";", **keys))
    lines = content.decode(keys.get("encoding", "utf-8-sig")).splitlines()
    written = [tuple(line.split(";")) for line in lines]
    if "names" not in keys:
        assert tuple(table.names) == written.pop(0)
    assert cells(table) == [row for row in written if any(row)]
    assert all(line.count(";") == len(table.names) - 1 for line in lines)


def test_real_file_without_header_is_refused_without_a_cell(make_source, real_data):
    content = real_data("il6_diurnal/Sothern1995IndividualData.csv").read_bytes()
    with_twice = content.replace(b"1;46;1,22", b"46;46;1,22", 1)
    with pytest.raises(EmberError, match="columns 1, 2") as error:
        read_csv(make_source(with_twice, delimiter=";"))
    assert "46" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize(
    "end",
    [
        pytest.param('3;"x', id="open text"),
        pytest.param('3;"12', id="open number"),
        pytest.param('3;"a""', id="open after a quote inside"),
    ],
)
def test_a_file_cut_off_inside_a_quoted_cell_is_refused(make_source: MakeSource, end: str, encoding: str) -> None:
    source = make_source(f"a;b\n1;2\n{end}".encode(encoding), encoding=encoding, delimiter=";")
    with pytest.raises(EmberError, match=r"extract.dat:3.*\n.*quote"):
        read_csv(source)


@pytest.mark.parametrize("end", [pytest.param('3;"x"', id="closed"), pytest.param("3;x", id="plain")])
def test_a_file_without_a_last_line_end_is_whole(make_source: MakeSource, end: str) -> None:
    table = read_csv(make_source(f"a;b\n1;2\n{end}".encode(), delimiter=";"))
    assert table.frame["b"].to_list() == ["2", "x"]


def test_utf_16_without_the_mark_of_its_byte_order_is_refused(make_source):
    source = make_source("a,b\n1,2\n".encode("utf-16-le"), encoding="utf-16")
    with pytest.raises(EmberError, match="order of its bytes"):
        read_csv(source)


@pytest.mark.parametrize("row", [pytest.param('2,"c"d', id="text after"), pytest.param('"1"5,x', id="number after")])
def test_text_behind_a_closing_quote_is_refused(make_source: MakeSource, row: str) -> None:
    with pytest.raises(EmberError, match=r"extract.dat:3.*\n.*quote"):
        read_csv(make_source(f"a,b\n1,x\n{row}\n3,y\n".encode()))


def test_a_quote_inside_an_unquoted_cell_is_text(make_source: MakeSource) -> None:
    table = read_csv(make_source(b'a,b\n1,5" tube\n2,"say ""so"""\n'))
    assert table.frame["b"].to_list() == ['5" tube', 'say "so"']
