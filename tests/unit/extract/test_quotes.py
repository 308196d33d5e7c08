from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.extract.quotes import QuoteGrammar, QuoteWatch


def watched(text: str, *cuts: int, delimiter: str = ",") -> QuoteWatch:
    watch = QuoteWatch(delimiter)
    content = text.encode()
    places = [0, *sorted(cuts), len(content)]
    for start, end in pairwise(places):
        watch.see(content[start:end])
    return watch


@pytest.mark.parametrize(
    ("text", "seen", "odd"),
    [
        pytest.param("a,b\n1,2\n", False, False, id="no quote"),
        pytest.param('"a","b"\n"",2\n', True, False, id="quotes around cells"),
        pytest.param('a,b\r\n1,"2"', True, False, id="no line end at the end"),
        pytest.param('a,b\n1,"c"d\n', True, True, id="text behind a closing quote"),
        pytest.param('a,b\n"1"5,2\n', True, True, id="number behind a closing quote"),
        pytest.param('a,b\n1,"say ""so"" again"\n', True, True, id="doubled inside a cell"),
        pytest.param('a,b\n1,5" tube\n', True, True, id="inside an unquoted cell"),
        pytest.param('a,b\n1,","c\n', True, True, id="text behind a quoted delimiter"),
        pytest.param('a,b\n1,"x,"c\n', True, True, id="text behind a quote behind a delimiter"),
        pytest.param('a,b\n1,"x\ny"\n', True, False, id="a line break inside a cell"),
    ],
)
def test_watch(text: str, seen: bool, odd: bool) -> None:
    watch = watched(text)
    assert (watch.seen, watch.odd) == (seen, odd)


def test_a_delimiter_of_several_bytes_always_needs_the_grammar() -> None:
    assert watched('a¦"b"\n', delimiter="¦").odd


PIECES = st.lists(st.sampled_from(['"', '""', ",", "\n", "a", " "]), max_size=14).map("".join)


@given(PIECES, st.lists(st.integers(0, 12), max_size=4))
def test_it_does_not_matter_where_the_text_is_cut(text: str, cuts: list[int]) -> None:
    whole, parts = watched(text), watched(text, *(cut for cut in cuts if cut <= len(text)))
    assert (whole.seen, whole.odd) == (parts.seen, parts.odd)


@given(st.lists(st.sampled_from(['"', ",", "a", " "]), max_size=12).map("".join))
def test_a_line_without_odd_quotes_is_sound_or_open(line: str) -> None:
    """What the watch lets pass, the grammar takes for a record or for one whose last quote is still open."""
    if not watched(f"{line}\n").odd:
        assert QuoteGrammar(",").after(f"{line}\n", within=False) is not None
