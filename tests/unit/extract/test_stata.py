"""Stata files: tags of missing values are shown, periods and dates are read as Stata shows them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from ember.errors import EmberError
from ember.extract.stata import read_stata, read_stata_header, stream_stata
from ember.extract.statistical import Package, stream_statistical
from ember.extract.table import whole

FRAME = pd.DataFrame(
    {
        "id": ["a", "b", "ä"],
        "x": [1.5, "a", "z"],
        "code": [1, "c", None],
        "day": [21916.0, "b", None],
        "moment": [1893456000000.0, 1893459600500.0, None],
        "month": [602.0, 0.0, -1.0],
        "far": [1e12, 1.0, None],
    }
)
FORMATS = {"day": "%td", "moment": "%tc", "month": "%tm", "far": "%td"}


def dta(tmp_path, frame=FRAME, **options):
    pyreadstat.write_dta(frame, tmp_path / "made.dta", **options)
    return (tmp_path / "made.dta").read_bytes()


@pytest.fixture
def tagged(make_source, tmp_path):
    content = dta(
        tmp_path,
        missing_user_values={"x": ["a", "z"], "day": ["b"], "code": ["c"]},
        variable_value_labels={"code": {1: "one", "c": "refused"}},
        column_labels={"x": "CRP"},
        variable_format=FORMATS,
    )
    return make_source(content, "stata")


def test_cells_as_stata_shows_them(tagged):
    table = read_stata(tagged)
    assert read_stata_header(tagged) == table.names == list(FRAME.columns)
    assert table.frame.rows() == [
        ("a", "1.5", "1", "2020-01-02", "2020-01-01T00:00:00", "2010m3", "1000000000000", 1),
        ("b", ".a", ".c", ".b", "2020-01-01T01:00:00.500", "1960m1", "1960-01-02", 2),
        ("ä", ".z", "", "", "", "1959m12", "", 3),
    ]


def test_tags_are_declared_missing_with_their_labels(tagged):
    columns = read_stata(tagged).columns
    assert columns["x"].missing_values == (".a", ".z")
    assert columns["x"].label == "CRP"
    assert columns["code"].missing_values == (".c",)
    assert columns["code"].value_labels == {"1": "one", ".c": "refused"}
    assert columns["day"].missing_values == (".b",)
    assert columns["id"].missing_values == ()
    assert columns["month"].type == "%tm"


def test_batches_are_together_the_whole_table(tagged):
    table = read_stata(tagged)
    for rows in (1, 2, 3, 10):
        stream = stream_statistical(tagged, Package("dta", "stata", None, tags=True), rows)
        assert (stream.names, stream.columns) == (table.names, table.columns)
        assert whole(stream).frame.equals(table.frame)
    assert whole(stream_stata(tagged)).frame.equals(table.frame)


@pytest.mark.parametrize("version", [8, 10, 11, 12, 13, 14, 15])
def test_every_version(make_source, tmp_path, version):
    frame = pd.DataFrame({"id": ["01", "x"], "n": [1.25, None]})
    table = read_stata(make_source(dta(tmp_path, frame, version=version), "stata"))
    assert table.frame.rows() == [("01", "1.25", 1), ("x", "", 2)]


def test_old_files_are_read_in_the_declared_encoding(make_source, tmp_path):
    content = dta(tmp_path, pd.DataFrame({"id": ["xyz"], "n": [1.0]}), version=12).replace(b"xyz", b"\xe4\xf6z")
    with pytest.raises(EmberError, match="another encoding"):
        read_stata(make_source(content, "stata"))
    assert read_stata(make_source(content, "stata", encoding="latin-1")).frame["id"].to_list() == ["äöz"]


def test_dates_at_midnight_are_plain_dates(make_source, tmp_path):
    frame = pd.DataFrame({"at": [dt.datetime(2020, 1, 1), dt.datetime(1959, 12, 31)]}).astype("datetime64[us]")
    table = read_stata(make_source(dta(tmp_path, frame), "stata"))
    assert table.frame["at"].to_list() == ["2020-01-01", "1959-12-31"]


def test_single_precision_is_written_with_the_digits_that_it_has(make_source, tmp_path):
    frame = pd.DataFrame({"single": np.array([0.1, 2.5, np.nan], dtype="float32"), "twice": [0.1, 1 / 3, 1.0]})
    frame.to_stata(tmp_path / "made.dta", write_index=False)
    table = read_stata(make_source((tmp_path / "made.dta").read_bytes(), "stata"))
    assert table.frame["single"].to_list() == ["0.1", "2.5", ""]
    assert table.frame["twice"].to_list() == ["0.1", "0.3333333333333333", "1"]


def test_header_only_is_refused(make_source, tmp_path):
    content = dta(tmp_path, pd.DataFrame({"a": pd.Series([], dtype=float)}))
    with pytest.raises(EmberError, match="no data row"):
        read_stata(make_source(content, "stata"))
    with pytest.raises(EmberError, match="no data row"):
        stream_stata(make_source(content, "stata"))
