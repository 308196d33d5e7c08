"""What is written to a binary format is what is read from it, whatever the table."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyreadstat
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from ember.extract.readers import read_table
from ember.extract.text import number_text
from ember.registry.model import Source

NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.integers(-(10**9), 10**9).map(float))
# Packages trim blanks at the end of a text and cannot hold NUL or half of a surrogate pair.
WORDS = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Zs", "Zl", "Zp", "Cc", "Cn"]), max_size=40)
ROWS = st.lists(st.tuples(WORDS, st.one_of(st.none(), NUMBERS)), min_size=1, max_size=12)


def expected(rows):
    return [(word, "" if number is None else number_text(number)) for word, number in rows]


def read(path, form, **keys):
    table = read_table(Source(id="x", path=path, shown_path="x", format=form, **keys))
    return dict(zip(table.frame["_row"], table.frame.select("id", "value").rows(), strict=True)), table.rejected


@pytest.mark.parametrize(
    ("form", "write"),
    [
        pytest.param("spss", lambda frame, path: pyreadstat.write_sav(frame, path), id="sav"),
        pytest.param("spss", lambda frame, path: pyreadstat.write_sav(frame, path, row_compress=True), id="sav-codes"),
        pytest.param("spss", lambda frame, path: pyreadstat.write_sav(frame, path, compress=True), id="zsav"),
        pytest.param("stata", lambda frame, path: pyreadstat.write_dta(frame, path), id="dta"),
    ],
)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_statistical_packages(form, write, rows):
    frame = pd.DataFrame({"id": ["first", *(word for word, _ in rows)], "value": [1.0, *(value for _, value in rows)]})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        write(frame.astype({"value": float}), path)
        found, rejected = read(path, form)
    wanted = {number: row for number, row in enumerate([("first", "1"), *expected(rows)], start=1)}
    assert found == {number: row for number, row in wanted.items() if any(row)}
    assert rejected["row_number"].to_list() == [number for number, row in wanted.items() if not any(row)]


@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_workbooks(rows):
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    page = book.add_worksheet("Data")
    page.write_row(0, 0, ["id", "value"])
    page.write_row(1, 0, ["first", 1.0])
    for place, (word, number) in enumerate(rows, start=2):
        page.write_string(place, 0, word)
        if number is not None:
            page.write_number(place, 1, number)
    book.close()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        path.write_bytes(stream.getvalue())
        found, _ = read(path, "excel", sheet="Data")
    written = {place: row for place, row in enumerate(rows, start=3) if row[0] or row[1] is not None}
    assert set(found) == {2, *written}
    for place, (word, number) in written.items():
        assert found[place][0] == word
        # The writer keeps 16 digits.
        assert found[place][1] == ("" if number is None else number_text(float(f"{number:.16G}")))
