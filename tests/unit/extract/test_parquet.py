"""Parquet files: the types of the file become text."""

from __future__ import annotations

import datetime as dt
import io

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract.parquet import read_parquet, read_parquet_header


def content(**columns):
    stream = io.BytesIO()
    pl.DataFrame(columns).write_parquet(stream)
    return stream.getvalue()


def test_cells_and_types(make_source):
    source = make_source(
        content(id=["01", None], crp=[1.0, 1e-5], day=[dt.date(2024, 1, 2), None], n=[3, 4]), "parquet"
    )
    table = read_parquet(source)
    assert read_parquet_header(source) == table.names == ["id", "crp", "day", "n"]
    assert table.frame.rows() == [("01", "1", "2024-01-02", "3", 1), ("", "0.00001", "", "4", 2)]
    assert table.columns["crp"].type == "Float64"


def test_row_of_nulls_is_blank(make_source):
    table = read_parquet(make_source(content(a=[1, None, 3], b=["", None, "x"]), "parquet"))
    assert table.rejected.rows() == [(2, "row.blank")]
    assert table.frame["_row"].to_list() == [1, 3]


@pytest.mark.parametrize(
    ("made", "word"),
    [
        pytest.param(content(a=[[1, 2]]), "not one value a cell", id="list"),
        pytest.param(content(a=[1])[:-20], "damaged or cut off", id="cut-off"),
        pytest.param(content(a=pl.Series([], dtype=pl.Int64)), "no data row", id="no-rows"),
        pytest.param(content(_site=["x"]), "EMBER itself", id="reserved-name"),
        pytest.param(b"a,b\n1,2\n", "does not start like one", id="really-text"),
    ],
)
def test_refused(make_source, made, word):
    with pytest.raises(EmberError, match=word):
        read_parquet(make_source(made, "parquet"))
