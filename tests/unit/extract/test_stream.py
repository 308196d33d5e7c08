"""Batches: the same rows as in the whole, whatever the format and the size of a batch."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import threading
from dataclasses import replace

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract import parquet_stream
from ember.extract.packed import unpacked
from ember.extract.parquet import read_parquet
from ember.extract.stream import ahead, open_stream
from ember.extract.table import whole

DAY = datetime.datetime(2024, 1, 2)
TYPED = pl.DataFrame(
    {
        "text": ["a", "", None, "é", "5"] * 4,
        "number": [1.0, 0.1, None, float("nan"), 1e20] * 4,
        "count": list(range(20)),
        "day": [DAY + datetime.timedelta(days=number) for number in range(20)],
        "time": [DAY] * 19 + [DAY + datetime.timedelta(hours=7)],
        "zoned": pl.Series([DAY] * 20).dt.replace_time_zone("UTC"),
        "yes": [True, None] * 10,
        "kind": pl.Series(["x", "y", "x", "x"] * 5, dtype=pl.Categorical),
        "date": [DAY.date()] * 20,
        "decimal": pl.Series(["1.50"] * 20).cast(pl.Decimal(10, 2)),
    }
)


def parquet_bytes(frame, **options):
    written = io.BytesIO()
    frame.write_parquet(written, **options)
    return written.getvalue()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_parquet_in_batches_is_the_whole(make_source, monkeypatch, size):
    monkeypatch.setattr(parquet_stream, "BATCH_ROWS", size)
    source = make_source(parquet_bytes(TYPED, row_group_size=6), "parquet")
    stream, table = open_stream(source), read_parquet(source)
    assert stream.columns == table.columns
    in_batches = whole(stream)
    assert in_batches.frame.equals(table.frame)
    assert in_batches.frame["day"][0] == "2024-01-02"
    assert in_batches.frame["time"][0] == "2024-01-02T00:00:00"


def test_blank_rows_of_parquet_are_rejected_over_batches(make_source, monkeypatch):
    monkeypatch.setattr(parquet_stream, "BATCH_ROWS", 2)
    frame = pl.DataFrame({"a": ["1", "", "", "", "2"], "b": ["", None, "", "", "3"]})
    table = whole(open_stream(make_source(parquet_bytes(frame), "parquet")))
    assert table.frame["_row"].to_list() == [1, 5]
    assert table.rejected.rows() == [(2, "row.blank"), (3, "row.blank"), (4, "row.blank")]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pl.DataFrame({"a": []}, schema={"a": pl.String()}), id="no-rows"),
        pytest.param(pl.DataFrame({"a": ["", None]}), id="blank-rows-only"),
    ],
)
def test_parquet_without_a_data_row_is_refused(make_source, frame):
    with pytest.raises(EmberError, match="no data row"):
        whole(open_stream(make_source(parquet_bytes(frame), "parquet")))


def test_damaged_parquet_is_refused(make_source):
    content = bytearray(parquet_bytes(pl.DataFrame({"a": [str(number) for number in range(5000)]})))
    content[100:600] = b"\xff" * 500
    with pytest.raises(EmberError, match="damaged"):
        whole(open_stream(make_source(bytes(content), "parquet")))


def test_missing_codes_of_the_source_are_those_of_every_column(make_source):
    stream = open_stream(make_source(b"a,b\n1,-9\n", missing_codes={"-9": "not done", "-8": "refused"}))
    for name in ("a", "b"):
        assert stream.columns[name].missing_values == ("-9", "-8")
        assert stream.columns[name].value_labels == {"-9": "not done", "-8": "refused"}


def test_the_next_item_is_made_meanwhile():
    made = threading.Event()

    def items():
        yield 1
        made.set()
        yield 2

    coming = ahead(items())
    assert next(coming) == 1
    assert made.wait(timeout=20)
    assert list(coming) == [2]


def test_an_error_in_the_thread_comes_through():
    def items():
        yield 1
        raise EmberError("stop")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(EmberError, match="stop"):
        next(coming)


def test_a_real_packed_laboratory_table_is_read_row_for_row(make_source, real_data, tmp_path):
    packed = real_data("cdisc_lb/lb.csv.gz")
    source = replace(make_source(None), path=packed, compression="gzip")
    with unpacked(source, tmp_path) as plain:
        table = whole(open_stream(plain))
    with gzip.open(packed, "rt", encoding="utf-8", newline="") as lines:
        header, *rows = list(csv.reader(lines))
    assert table.names == header
    assert table.frame.drop("_row").rows() == [tuple(row) for row in rows]
    assert table.rejected.is_empty()
