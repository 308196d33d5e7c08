"""Consent and names of treatments as they may leave: small counts hidden here and where they could be worked out."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.consortium.disclosure import Profile, protect
from ember.reporting.summary_run import consent_table
from ember.tables.store import conform

SACRO = Profile("sacro", 10, 0, 10)
PUBLIC = Profile("public", 0, 0, 0)
RULES = ("consent.erased", "consent.refused", "consent.unknown", "")


def consent(*numbers: int) -> pl.DataFrame:
    counts = [{"site": "porto", "rule_id": rule, "n": n} for rule, n in zip(RULES, numbers, strict=True)]
    return consent_table(conform(pl.DataFrame(counts), "consent_counts"))


def left_rows(rule: str, n: int) -> dict[str, Any]:
    return {
        "site": "porto", "stage": "read_source", "unit": "row", "rule_id": rule, "severity": "information",
        "action": "excluded", "category": "conformance", "title": rule, "n": n,
    }  # fmt: skip


def account(n_in: int, n_excluded: int) -> pl.DataFrame:
    line = {
        "site": "porto", "stage": "read_source", "unit": "row", "n_in": n_in, "n_created": 0,
        "n_out": n_in - n_excluded, "n_collapsed": 0, "n_quarantined": 0, "n_excluded": n_excluded,
    }  # fmt: skip
    return conform(pl.DataFrame([line]), "accounting")


def shown(tables: dict[str, pl.DataFrame], name: str, column: str = "n") -> list[int | None]:
    return protect(tables, SACRO)[name][column].to_list()


def test_reasons_stand_in_words() -> None:
    table = consent(1, 2, 3, 40)
    assert table.columns == ["site", "rule_id", "reason", "n"]
    assert table["reason"].to_list() == ["Participant erased", "Consent refused", "Consent unknown", "Agreed and stay"]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param((0, 10, 12, 80), [0, 10, 12, 80], id="none-small"),
        pytest.param((0, 9, 12, 80), [0, None, 12, 80], id="one-small-without-a-known-total"),
        pytest.param((3, 9, 12, 80), [None, None, 12, 80], id="two-small"),
    ],
)
def test_small_counts_are_hidden(numbers: tuple[int, ...], expected: list[int | None]) -> None:
    assert shown({"consent": consent(*numbers)}, "consent") == expected


def test_without_a_threshold_everything_is_shown() -> None:
    assert protect({"consent": consent(1, 2, 3, 4)}, PUBLIC)["consent"]["n"].to_list() == [1, 2, 3, 4]


def test_where_a_row_is_a_person_the_rows_read_tell_the_register_so_a_second_count_goes() -> None:
    rules = pl.DataFrame([left_rows("consent.refused", 9), left_rows("consent.unknown", 12)])
    tables = {"rules": rules, "accounting": account(101, 21), "consent": consent(0, 9, 12, 80)}
    protected = protect(tables, SACRO)
    people, rows = protected["consent"]["n"].to_list(), protected["rules"]["n"].to_list()
    assert people[1] is None and rows[0] is None
    # Whatever is hidden beside it: the nine are no difference of what is shown.
    known = {**dict(zip(RULES, people, strict=True)), **protected["accounting"].row(0, named=True)}
    register = (known["n_in"], known["consent.unknown"], known[""])
    rows_left = (known["n_excluded"], known["consent.unknown"])
    assert None in register and None in rows_left


def test_many_rows_of_few_people_are_hidden_too() -> None:
    rules = pl.DataFrame([left_rows("consent.refused", 12), left_rows("consent.unknown", 36)])
    tables = {"rules": rules, "consent": consent(0, 4, 12, 80)}
    assert shown(tables, "consent") == [0, None, 12, 80]
    assert shown(tables, "rules") == [None, 36]


def names(n_rows: int, n_unmatched: int, n_names: int) -> dict[str, pl.DataFrame]:
    table = {"site": ["porto"], "n_rows": [n_rows], "n_unmatched": [n_unmatched], "n_names": [n_names]}
    return {"treatment_names": pl.DataFrame(table)}


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        pytest.param((100, 0, 0), (100, 0, 0), id="all-known"),
        pytest.param((100, 9, 2), (100, None, None), id="nine"),
        pytest.param((100, 10, 2), (100, 10, 2), id="ten"),
        pytest.param((100, 91, 2), (100, None, None), id="nine-known"),
        pytest.param((9, 9, 2), (None, None, None), id="nine-rows"),
    ],
)
def test_names_of_treatments(numbers: tuple[int, int, int], expected: tuple[int | None, ...]) -> None:
    assert protect(names(*numbers), SACRO)["treatment_names"].row(0)[1:] == expected


def test_the_rule_of_unknown_names_is_the_same_count() -> None:
    rule = {**left_rows("treatment.unknown", 12), "stage": "standardise_site", "unit": "value", "action": "flagged"}
    tables = {"rules": pl.DataFrame([rule]), **names(15, 12, 3)}
    assert shown(tables, "rules") == [None]
    assert shown(tables, "treatment_names", "n_unmatched") == [None]


def test_the_few_who_were_not_asked_do_not_follow_from_what_is_expected() -> None:
    lines = {
        "site": ["porto", "porto"], "table": ["participants", "participants"], "variable": ["age", "pregnant"],
        "visit": ["", ""], "n_expected": [100, 95], "n_present": [100, 80], "n_excluded": [0, 0],
        "n_quarantined": [0, 0], "n_flagged": [0, 0], "share_present": [1.0, 80 / 95],
    }  # fmt: skip
    protected = protect({"quality": pl.DataFrame(lines)}, SACRO)["quality"]
    assert protected["n_expected"].to_list() == [100, None]
    assert protected["share_present"].to_list() == [1.0, None]
