"""The raw file: one site after the other, each in its own row groups."""

from __future__ import annotations

import polars as pl
import pyarrow.parquet as pq
import pytest

from ember.errors import EmberError
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


def test_unknown_site_is_refused(raw):
    with pytest.raises(EmberError, match="no row of the site c"):
        read_raw(raw, "c")
