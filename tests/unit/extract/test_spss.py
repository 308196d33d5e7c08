"""SPSS files: codes stay, labels and declared missing values come along."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pyreadstat
import pytest

from ember.errors import EmberError
from ember.extract.spss import read_spss, read_spss_header, stream_spss
from ember.extract.table import whole


@pytest.fixture
def sav(make_source, tmp_path):
    """Write a small SPSS file with every awkward thing and return it as a source."""
    path = tmp_path / "made.sav"
    frame = pd.DataFrame(
        {
            "id": ["001", "002", "ä3"],
            "crp": [1.0, -9.0, 0.25],
            "sex": [1.0, 2.0, float("nan")],
            "day": [dt.date(2024, 1, 2), dt.date(1950, 12, 24), None],
        }
    )
    pyreadstat.write_sav(
        frame,
        path,
        column_labels=["Participant", "CRP", "", "Day"],
        variable_value_labels={"sex": {1: "man", 2: "kvinna"}},
        missing_ranges={"crp": [-9, {"lo": 900, "hi": 999}]},
    )
    return make_source(path.read_bytes(), "spss", "quest.sav")


def test_codes_dates_and_missing_values(sav):
    table = read_spss(sav)
    assert read_spss_header(sav) == table.names == ["id", "crp", "sex", "day"]
    assert table.frame["crp"].to_list() == ["1", "-9", "0.25"]
    assert table.frame["sex"].to_list() == ["1", "2", ""]
    assert table.frame["day"].to_list() == ["2024-01-02", "1950-12-24", ""]
    assert table.frame["_row"].to_list() == [1, 2, 3]
    assert table.columns["crp"].label == "CRP"
    assert table.columns["crp"].missing_values == ("-9",)
    assert table.columns["crp"].missing_ranges == ((900.0, 999.0),)
    assert table.columns["sex"].value_labels == {"1": "man", "2": "kvinna"}


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95, 0.99], ids=lambda share: f"first-{share:.0%}")
def test_cut_off_file_is_refused(sav, share):
    content = sav.path.read_bytes()
    sav.path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(EmberError, match=r"quest\.sav\n.*cut off"):
        read_spss(sav)


def test_text_named_sav_is_refused(make_source):
    with pytest.raises(EmberError, match="does not start like one"):
        read_spss(make_source(b"id,crp\n1,2\n", "spss", "quest.sav"))


def test_header_only_is_refused(make_source, tmp_path):
    pyreadstat.write_sav(pd.DataFrame({"a": pd.Series([], dtype=float)}), tmp_path / "made.sav")
    with pytest.raises(EmberError, match="no data row"):
        read_spss(make_source((tmp_path / "made.sav").read_bytes(), "spss"))


@pytest.mark.parametrize(
    ("file", "column", "expected"),
    [
        pytest.param("haven/umlauts.sav", "var1", {"labels": {"1": "the ä umlaut"}}, id="umlauts"),
        pytest.param("haven/labelled-str.sav", "gender", {"labels": {"F": "Female"}}, id="text-codes"),
        pytest.param("haven/labelled-num-na.sav", "VAR00002", {"values": ("9",), "cells": ["1", "9"]}, id="missing"),
        pytest.param(
            "pyreadstat/missing_char.sav", "mychar", {"values": ("Z",), "cells": ["Z", "a"]}, id="text-missing"
        ),
        pytest.param("pyreadstat/sample_missing.sav", "mynum", {"ranges": ((2000.0, 3000.0),)}, id="range"),
        pytest.param("pyreadstat/simple_alltypes.sav", "quarter", {"first": "2014-10-01"}, id="quarter-is-a-date"),
        pytest.param("pyreadstat/hebrews.sav", "ותק_ב", {"first": "33"}, id="hebrew-name"),
    ],
)
def test_real_files(make_source, real_data, file, column, expected):
    table = read_spss(make_source(real_data(f"formats/{file}").read_bytes(), "spss", "real.sav"))
    info, cells = table.columns[column], table.frame[column].to_list()
    assert expected.get("labels", {}).items() <= dict(info.value_labels).items()
    assert info.missing_values == expected.get("values", info.missing_values)
    assert info.missing_ranges == expected.get("ranges", info.missing_ranges)
    assert cells == expected.get("cells", cells)
    assert cells[0] == expected.get("first", cells[0])


def awkward(tmp_path, **options):
    # Seconds since 14 October 1582: 1 January 1900 stands for "unknown" here.
    frame = pd.DataFrame(
        {
            "day": [13797216000.0, 10010390400.0, None],
            "late": [13797216000.0, 1e20, 10010390400.0],
            "hours": [100000.0, -5.0, 36600.5],
            "at": [13797216000.0, 13797219600.0, None],
        }
    )
    formats = {"day": "DATE11", "late": "EDATE10", "hours": "TIME8", "at": "DATETIME20"}
    ranges = {"day": [10010390400.0], "late": [{"lo": 10010304000.0, "hi": 10010476800.0}]}
    pyreadstat.write_sav(frame, tmp_path / "made.sav", variable_format=formats, missing_ranges=ranges, **options)
    return (tmp_path / "made.sav").read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="sav"),
        pytest.param({"row_compress": True}, id="rows"),
        pytest.param({"compress": True}, id="z"),
    ],
)
def test_times_above_24_hours_dates_beyond_the_calendar_and_missing_dates(make_source, tmp_path, options):
    source = make_source(awkward(tmp_path, **options), "spss")
    table = read_spss(source)
    assert table.frame.drop("_row").rows() == [
        ("2020-01-01", "2020-01-01", "27:46:40", "2020-01-01T00:00:00"),
        ("1900-01-01", "1e+20", "-00:00:05", "2020-01-01T01:00:00"),
        ("", "1900-01-01", "10:10:00.5", ""),
    ]
    assert table.columns["day"].missing_values == ("1900-01-01",)
    assert table.columns["late"].missing_values == ("1900-01-01",)
    assert table.columns["late"].missing_ranges == ()
    assert whole(stream_spss(source)).frame.equals(table.frame)
    assert stream_spss(source).columns == table.columns


def test_a_file_of_which_every_row_is_blank_is_refused(make_source):
    source = make_source(None, "spss", "blank.sav")
    pyreadstat.write_sav(pd.DataFrame({"crp": [float("nan")] * 2}), source.path)
    with pytest.raises(EmberError, match="no data row"):
        whole(stream_spss(source))
