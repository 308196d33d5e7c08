"""Columns of another source: each row finds its one partner, or is refused."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract import csv_file
from ember.extract.csv_file import read_csv_header
from ember.extract.join import joined_names, with_joins
from ember.extract.stream import open_stream
from ember.extract.table import whole
from ember.registry.model import Join

LAB = b"sample,crp\ns1,1\n s2 ,2\n,3\ns9,4\ns1,5\n"
KEYS = b"tube,pid,note\ns2,p2,x\ns1 ,p1,y\n,p0,z\n,p0,z\ns3,p3,w\n"


@pytest.fixture
def joined(make_source):
    def make(left=LAB, right=KEYS, cardinality="many_to_one", on=None, columns=("pid",), **keys):
        join = Join("keys", on or {"sample": "tube"}, cardinality, columns)
        other = replace(make_source(right, name="keys.csv", **keys), id="keys")
        source = replace(make_source(left, name="lab.csv"), id="lab", joins=(join,))
        return source, other

    return make


def read(source, other):
    return whole(with_joins(open_stream(source), source, lambda _: open_stream(other)))


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_each_row_finds_its_partner_and_the_others_are_refused(joined, block, monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", block)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 1)
    table = read(*joined())
    assert table.frame.rows() == [("s1", "1", "p1", 2), (" s2 ", "2", "p2", 3), ("s1", "5", "p1", 6)]
    assert table.names == ["sample", "crp", "pid"]
    assert table.rejected.rows() == [(4, "row.no_partner"), (5, "row.no_partner")]
    assert table.n_rows == 5


def test_a_key_of_two_columns(joined):
    left = b"sample,visit,crp\ns1,1,1\ns1,2,2\ns1,3,3\n"
    right = b"tube,v,pid,when\ns1,2,p1,b\ns1,1,p1,a\n"
    table = read(*joined(left, right, "one_to_one", {"sample": "tube", "visit": "v"}, ("when",)))
    assert table.frame.rows() == [("s1", "1", "1", "a", 2), ("s1", "2", "2", "b", 3)]
    assert table.rejected["row_number"].to_list() == [4]


def test_columns_bring_what_their_file_says_of_them(joined):
    source, other = joined(missing_codes={"-9": "not done"})
    stream = with_joins(open_stream(source), source, lambda _: open_stream(other))
    assert stream.columns["pid"].missing_values == ("-9",)
    assert stream.columns["crp"].missing_values == ()
    assert joined_names(source, {"keys": other}, read_csv_header) == stream.names


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param(
            {"right": b"tube,pid\nsecret,p1\nsecret ,p2\ns3,p3\n"},
            ["declared many_to_one", "1 keys stand in more than one row of keys (2 rows)"],
            id="repeated-in-the-other",
        ),
        pytest.param(
            {"cardinality": "one_to_one"},
            ["declared one_to_one", "1 keys stand in more than one row of this source (2 rows)"],
            id="repeated-in-this-one",
        ),
        pytest.param({"columns": ("pidd",)}, ["'pidd' is not among the columns of keys", "pid"], id="no-such-column"),
        pytest.param({"on": {"tube": "tube"}}, ["'tube' is not among the columns of lab"], id="no-such-key"),
        pytest.param({"on": {"sample": "tub"}}, ["'tub' is not among the columns of keys"], id="no-such-other-key"),
        pytest.param({"right": b"tube,crp\ns1,1\n", "columns": ("crp",)}, ["columns of its own", "crp"], id="clash"),
    ],
)
def test_refused_with_counts_only(joined, keys, words, monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", 16)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 1)
    with pytest.raises(EmberError) as error:
        read(*joined(**keys))
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "secret" not in str(error.value)


def test_nothing_is_lost(joined):
    left = "sample,crp\n" + "".join(f"s{number % 7},{number}\n" for number in range(100))
    right = "tube,pid\n" + "".join(f"s{number},p{number}\n" for number in range(5))
    table = read(*joined(left.encode(), right.encode()))
    assert table.n_rows == 100
    assert (table.frame["pid"] == "p" + table.frame["sample"].str.slice(1)).all()
    assert table.frame["_row"].is_sorted()
    assert pl.concat([table.frame["_row"], table.rejected["row_number"]]).n_unique() == 100
