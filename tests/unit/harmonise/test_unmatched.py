from __future__ import annotations

import polars as pl

from ember.harmonise.unmatched import unmatched_counts, unmatched_names

TREATMENTS = pl.DataFrame(
    {
        "site_id": ["b", "b", "b", "b", "a", "a"],
        "name_reported": ["zzz", "abc", "zzz", "SERTRALINE", "def", "SERTRALINE"],
        "treatment": [None, None, None, "sertraline", None, "sertraline"],
    }
)


def test_the_most_frequent_name_stands_first_and_ties_go_by_name() -> None:
    assert unmatched_names(TREATMENTS).rows() == [("zzz", 2), ("abc", 1), ("def", 1)]


def test_counts_by_site_hold_no_name() -> None:
    counts = unmatched_counts(TREATMENTS)
    assert counts.columns == ["site_id", "n_rows", "n_unmatched", "n_names"]
    assert counts.rows() == [("b", 4, 3, 2), ("a", 2, 1, 1)]


def test_where_every_name_is_known_nothing_is_listed() -> None:
    known = TREATMENTS.filter(pl.col("treatment").is_not_null())
    assert unmatched_names(known).is_empty()
    assert unmatched_counts(known)["n_unmatched"].to_list() == [0, 0]
    assert unmatched_counts(known.clear()).is_empty()
