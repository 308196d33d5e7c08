from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import pytest

from ember.consent.register import site_register
from ember.consent.rows import consent_rules, people_counts
from ember.registry.build import build_site

KEY = b"k" * 32
CODES = {"1": "granted", "0": "refused"}
CONSENT: Mapping[str, Any] = {
    "purposes": {"biomarkers": {"column": "bio", "codes": CODES}},
    "withdrawn": {"column": "left", "date": "%d.%m.%Y"},
    "on_withdrawal": {"column": "what", "codes": {"K": "keep", "E": "erase"}},
}


def register(*rows: Mapping[str, str], consent: Mapping[str, Any] = CONSENT) -> pl.DataFrame:
    site = build_site({"site": "s", "from": "f", "participant": "id", "consent": consent})
    filled = [{"id": "1", "bio": "1", "left": "", "what": "", **row} for row in rows]
    return site_register(site, [(site.tables[0], pl.DataFrame(filled))], KEY)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        pytest.param("1", "granted", id="granted"),
        pytest.param(" 1 ", "granted", id="blanks around"),
        pytest.param("0", "refused", id="refused"),
        pytest.param("", "unknown", id="empty"),
        pytest.param("2", "unknown", id="code that is not declared"),
    ],
)
def test_an_answer(cell: str, expected: str) -> None:
    assert register({"bio": cell})["biomarkers"].to_list() == [expected]


def test_a_purpose_that_no_table_tells_is_unknown() -> None:
    assert register({})["sharing"].to_list() == ["unknown"]


@pytest.mark.parametrize(
    ("left", "what", "expected", "day"),
    [
        pytest.param("", "", "no", None, id="did not withdraw"),
        pytest.param("03.04.2025", "K", "keep", date(2025, 4, 3), id="keeps up to the day"),
        pytest.param("03.04.2025", "E", "erase", date(2025, 4, 3), id="erase"),
        pytest.param("03.04.2025", "", "erase", date(2025, 4, 3), id="no choice: erase"),
        pytest.param("2025-04-03", "K", "erase", None, id="a day that cannot be read: erase"),
        pytest.param("", "K", "erase", None, id="a choice without a day: erase"),
    ],
)
def test_a_withdrawal(left: str, what: str, expected: str, day: date | None) -> None:
    row = register({"left": left, "what": what}).row(0, named=True)
    assert row["withdrawal"] == expected
    assert row["withdrawn_on"] == (None if day is None else (day - date(1970, 1, 1)).days)


def test_of_several_rows_the_most_cautious_counts() -> None:
    found = register({"bio": "1"}, {"bio": "0"}, {"bio": "1", "left": "03.04.2025", "what": "K"})
    assert found.select("biomarkers", "withdrawal").rows() == [("refused", "keep")]


def test_rows_without_participant_are_not_in_the_register() -> None:
    assert register({"id": " "}, {"id": "2"}).height == 1


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        pytest.param({}, None, id="agreed"),
        pytest.param({"bio": "0"}, "consent.refused", id="refused"),
        pytest.param({"bio": ""}, "consent.unknown", id="unknown counts as no"),
        pytest.param({"left": "03.04.2025", "what": "E"}, "consent.erased", id="erased"),
        pytest.param({"bio": "0", "left": "03.04.2025", "what": "E"}, "consent.erased", id="erased before refused"),
        pytest.param({"left": "03.04.2025", "what": "K"}, None, id="data up to the day stay"),
    ],
)
def test_rows_leave_under_one_rule(row: Mapping[str, str], rule: str | None) -> None:
    people = register(row)
    rows = pl.Series([people["participant_id"][0]] * 2)
    assert consent_rules(rows, people, ["biomarkers"]).to_list() == [rule, rule]


def test_somebody_who_was_never_asked_is_unknown_and_a_row_of_nobody_stays_for_its_own_rule() -> None:
    rows = pl.Series(["stranger", None], dtype=pl.String)
    assert consent_rules(rows, register({}), ["biomarkers"]).to_list() == ["consent.unknown", None]


def test_counts_of_people() -> None:
    people = register({}, {"id": "2", "bio": "0"}, {"id": "3", "bio": ""})
    counts = dict(people_counts(people, ["biomarkers"]).select("rule_id", "n").iter_rows())
    assert counts == {"consent.erased": 0, "consent.refused": 1, "consent.unknown": 1, "": 1}
