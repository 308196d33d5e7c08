"""Delimited text: nothing is guessed, no row is lost, and row numbers are lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract.csv_file import read_csv, read_csv_header


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
        pytest.param(b"a,b,a,c,b\n1,2,3,4,5\n", {}, ["more than once: a, b"], id="repeated-names"),
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
    whole = {line: row for line, row in expected.items() if len(row) == 3 and any(cell.strip() for cell in row)}
    assert dict(zip(table.frame["_row"], cells(table), strict=True)) == whole
    assert set(table.rejected["row_number"]) == set(expected) - set(whole)


def test_real_file_with_decimal_comma_in_latin_1(make_source, real_data):
    source = make_source(real_data("il6_diurnal/IL6_data.csv").read_bytes(), encoding="latin-1", delimiter=";")
    table = read_csv(source)
    assert table.names[4] == "IL6_pgml-1"
    assert table.frame["IL6_pgml-1"][0] == "9,868440612"
    assert table.n_rows == len(source.path.read_bytes().decode("latin-1").splitlines()) - 1


def test_real_file_without_header_is_seen_by_its_names(make_source, real_data):
    content = real_data("il6_diurnal/Sothern1995IndividualData.csv").read_bytes()
    assert read_csv_header(make_source(content, delimiter=";"))[:3] == ["1", "46", "1,22"]
