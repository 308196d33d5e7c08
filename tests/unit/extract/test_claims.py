"""Rows go to the site that claims them; ids become pseudonyms."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract.claims import check_claimed, claim_rows, pseudonyms, site_frames, tables_of
from ember.extract.pseudonyms import Pseudonyms
from ember.registry.model import RowFilter, Site, TableMap

KEY = b"k" * 32
FRAME = pl.DataFrame(
    {"c": ["A", "B", "X", "A"], "p": ["1", "1", "2", ""], "q": ["9", "8", "7", "6"], "_row": [2, 3, 4, 5]}
)


def site(name, equals, participant="p"):
    return Site(name, name, (TableMap("s", participant, rows=RowFilter("c", equals) if equals else None),))


@pytest.mark.parametrize("length", [32, 64, 65, 200])
def test_pseudonym_is_the_keyed_hash_of_site_and_id(length):
    key = bytes(range(256))[:length]
    expected = [hmac.new(key, b"lund\x00" + name, hashlib.sha256).hexdigest()[:20] for name in (b"007", "é".encode())]
    made = pseudonyms(pl.Series(["007", " 007 ", "", "  ", "é"]), "lund", key)
    assert made.to_list() == [expected[0], expected[0], None, None, expected[1]]


def test_pseudonyms_differ_by_site_and_key():
    made = {pseudonyms(pl.Series(["7"]), name, key)[0] for name, key in (("a", KEY), ("b", KEY), ("a", b"x" * 32))}
    assert len(made) == 3


def test_rows_are_claimed_and_the_rest_is_not(make_source):
    claims = tables_of("s", [site("a", "A"), site("b", "B"), Site("c", "c", (TableMap("other", "p"),))])
    owner = claim_rows(FRAME, make_source(b""), claims)
    assert owner.to_list() == [0, 1, None, 0]


def test_each_site_has_its_own_participant_column_and_no_id_stays(make_source):
    claims = tables_of("s", [site("b", "B", "q"), site("a", "A")])
    frames = dict(site_frames(FRAME, claim_rows(FRAME, make_source(b""), claims), claims, KEY))
    assert list(frames) == ["b", "a"]
    assert frames["a"].columns == ["c", "_row", "_participant"]
    assert frames["a"]["_row"].to_list() == [2, 5]
    assert frames["a"]["_participant"][1] is None
    assert frames["b"]["_participant"].to_list() == pseudonyms(pl.Series(["8"]), "b", KEY).to_list()


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        pytest.param([site("a", "A"), site("b", "A")], "2 rows are claimed by both a and b", id="same-rows"),
        pytest.param([site("a", None), site("b", "B")], "1 rows are claimed by both a and b", id="whole-and-part"),
        pytest.param(
            [Site("a", "a", (TableMap("s", "p", RowFilter("c", "A"), name="one"), TableMap("s", "p", name="two")))],
            "2 rows are claimed by two tables of a, one and two",
            id="tables-of-one-site",
        ),
    ],
)
def test_refused(make_source, sites, words):
    with pytest.raises(EmberError, match=words):
        claim_rows(FRAME, make_source(b""), tables_of("s", sites))


def test_a_table_without_a_row_is_refused_once_all_batches_have_passed(make_source):
    claims = tables_of("s", [site("a", "A"), site("z", "Z")])
    check_claimed(make_source(b""), claims, {0, 1})
    with pytest.raises(EmberError, match="No row has the value that the site file of z gives"):
        check_claimed(make_source(b""), claims, {0})


def test_tables_of_one_site_share_its_rows_in_file_order(make_source):
    tables = (TableMap("s", "p", RowFilter("c", "A"), name="one"), TableMap("s", "q", RowFilter("c", "B"), name="two"))
    claims = tables_of("s", [Site("a", "a", tables)])
    frames = dict(site_frames(FRAME, claim_rows(FRAME, make_source(b""), claims), claims, KEY))
    expected = [pseudonyms(pl.Series([name]), "a", KEY)[0] for name in ("1", "8", "")]
    assert frames["a"].columns == ["c", "_row", "_participant"]
    assert frames["a"]["_row"].to_list() == [2, 3, 5]
    assert frames["a"]["_participant"].to_list() == expected


def test_a_site_without_rows_in_a_batch_has_no_frame(make_source):
    claims = tables_of("s", [site("a", "A"), site("z", "Z")])
    assert [name for name, _ in site_frames(FRAME, claim_rows(FRAME, make_source(b""), claims), claims, KEY)] == ["a"]


@pytest.mark.parametrize("remembered", [0, 4, 1000])
def test_what_is_remembered_does_not_change_a_pseudonym(remembered, monkeypatch):
    monkeypatch.setattr("ember.extract.pseudonyms.REMEMBERED", remembered)
    known = Pseudonyms(KEY)
    for batch in (["1", "2", "3"], ["3", " 4", "1"], ["5", "", "2"], ["1", "4", "5"]):
        for place in ("a", "b"):
            ids = pl.Series(batch)
            assert known.of(ids, place).to_list() == pseudonyms(ids, place, KEY).to_list()
