"""Rows go to the site that claims them; ids become pseudonyms."""

from __future__ import annotations

import hashlib
import hmac

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract.claims import claim_rows, pseudonyms, site_frames, tables_of
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
        pytest.param([site("a", "Z")], "No row has the value", id="no-rows"),
    ],
)
def test_refused(make_source, sites, words):
    with pytest.raises(EmberError, match=words):
        claim_rows(FRAME, make_source(b""), tables_of("s", sites))
