"""The raw file: one site after the other, each in its own row groups."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ember.extract.raw_file import read_raw, write_raw
from ember.extract.table import ColumnInfo

A = pl.DataFrame({"x": ["1", ""], "_row": [2, 7], "_participant": ["p", None]})
B = pl.DataFrame({"x": ["é"], "_row": [3], "_participant": ["q"]})
INFO = {"x": ColumnInfo("X", {"1": "one"}, ("9",), ((1.0, 2.0),), "F8.2"), "dropped": ColumnInfo()}


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw" / "s.parquet"
    counts = write_raw([("b", B), ("a", A)], INFO, path, file="folder/s.csv", sheet=None)
    assert counts == {"b": 1, "a": 2}
    return path


def test_one_site_comes_back_with_metadata(raw):
    frame, metadata = read_raw(raw, "a")
    assert frame.columns == ["_site", "_row", "_file", "_sheet", "_participant", "x"]
    assert frame.rows() == [("a", 2, "folder/s.csv", None, "p", "1"), ("a", 7, "folder/s.csv", None, None, "")]
    assert metadata == {
        "columns": {
            "x": {
                "label": "X",
                "value_labels": {"1": "one"},
                "missing_values": ["9"],
                "missing_ranges": [[1.0, 2.0]],
                "type": "F8.2",
            }
        }
    }


def test_a_row_group_holds_a_single_site(raw):
    file = pq.ParquetFile(raw)
    assert [set(file.read_row_group(group)["_site"].to_pylist()) for group in range(file.num_row_groups)] == [
        {"b"},
        {"a"},
    ]


def test_same_content_gives_the_same_bytes(raw, tmp_path):
    write_raw([("b", B), ("a", A)], INFO, tmp_path / "again.parquet", file="folder/s.csv", sheet=None)
    assert (tmp_path / "again.parquet").read_bytes() == raw.read_bytes()


def test_a_failure_leaves_nothing_behind(tmp_path):
    def frames():
        yield "a", A
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_raw(frames(), INFO, tmp_path / "s.parquet", file="s", sheet=None)
    assert list(tmp_path.iterdir()) == []


def test_a_site_without_a_row_has_the_columns_of_the_source(raw):
    frame, metadata = read_raw(raw, "c")
    assert frame.is_empty()
    assert frame.columns == read_raw(raw, "a")[0].columns
    assert metadata == read_raw(raw, "a")[1]


def test_a_site_may_come_again_with_later_rows(tmp_path):
    later = A.with_columns(_row=pl.Series([8, 9]))
    path = tmp_path / "s.parquet"
    counts = write_raw([("a", A), ("b", B), ("a", later)], INFO, path, file="s.csv", sheet=None)
    assert counts == {"a": 4, "b": 1}
    assert read_raw(path, "a")[0]["_row"].to_list() == [2, 7, 8, 9]


def test_only_the_row_groups_of_the_site_are_touched(raw):
    group = pq.read_metadata(raw).row_group(0)
    content = bytearray(raw.read_bytes())
    for place in range(group.num_columns):
        column = group.column(place)
        start = column.data_page_offset
        content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    raw.write_bytes(bytes(content))
    assert read_raw(raw, "a")[0]["x"].to_list() == ["1", ""]
    with pytest.raises(pl.exceptions.ComputeError):
        read_raw(raw, "b")


def test_only_the_columns_asked_for_are_read(tmp_path):
    path = tmp_path / "s.parquet"
    write_raw([("a", A.with_columns(y=pl.col("x"), z=pl.col("x")))], INFO, path, file="s.csv", sheet=None)
    keys = ["_site", "_row", "_file", "_sheet", "_participant"]
    assert read_raw(path, "a", ["z", "x", "not there"])[0].columns == [*keys, "x", "z"]
    assert read_raw(path, "a", [])[0].columns == keys


def test_a_source_of_no_site_has_a_file_without_rows(tmp_path):
    path = tmp_path / "s.parquet"
    assert write_raw([], INFO, path, file="s.csv", sheet=None) == {}
    assert pq.read_metadata(path).num_rows == 0
    assert read_raw(path, "a")[0].is_empty()


def test_an_empty_cell_that_is_null_is_refused(tmp_path):
    with pytest.raises(pa.ArrowInvalid, match="non-nullable"):
        write_raw([("a", A.with_columns(x=pl.Series(["1", None])))], INFO, tmp_path / "s.parquet", file="s", sheet=None)
    assert list(tmp_path.iterdir()) == []


def test_values_that_repeat_are_stored_once(tmp_path):
    rows = pl.DataFrame({"x": ["1", "2"] * 50, "y": [str(n) for n in range(100)], "_row": range(100)})
    path = tmp_path / "s.parquet"
    write_raw([("a", rows.with_columns(_participant=pl.col("y")))], INFO, path, file="s.csv", sheet=None)
    group = pq.read_metadata(path).row_group(0)
    stored = {column.path_in_schema: column.has_dictionary_page for column in map(group.column, range(7))}
    assert {name for name, once in stored.items() if once} == {"_site", "_file", "_sheet", "x"}
    assert read_raw(path, "a")[0]["x"].to_list() == rows["x"].to_list()
