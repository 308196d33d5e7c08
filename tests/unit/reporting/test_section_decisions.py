"""What a report says of decisions and of the freeze."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ember.registry.decisions import Decision
from ember.registry.freezes import Freeze, Unfreezing
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting.blocks import Table, Text
from ember.reporting.facts import Facts
from ember.reporting.section_decisions import decisions_section, status_words
from tests.unit.reporting.invented import VERSION

LOCK = Freeze("demo", "lock", "2025-07-01", {"porto": "0" * 64, "lund": "1" * 64}, {}, 1, {}, "d" * 64)


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("demo")[0]


def facts(study: Study) -> Facts:
    return Facts({}, study, load_study("demo")[1], VERSION)


def said(study: Study) -> tuple[dict[str, Table], str]:
    """Return the tables of the section by id, and its paragraphs as one text."""
    blocks = decisions_section(facts(study)).blocks
    tables = {block.id: block for block in blocks if isinstance(block, Table)}
    return tables, " ".join(block.text for block in blocks if isinstance(block, Text))


def test_the_log_is_printed_with_what_cites_it(study: Study) -> None:
    tables, _ = said(study)
    first, second = tables["decision_log"].rows
    assert first[0] == "CRP-MOLAR"
    assert first[1].startswith("2025-05-12, ")
    assert first[2] == "hscrp; Graz"
    assert first[6] == "Graz: measurements, hscrp, molar factor"
    assert second[6] == "no mapping cites it"


def test_a_superseded_decision_names_the_later_one(study: Study) -> None:
    line = Decision("NEW", "2025-06-10", "A", "all", "all", "So", "Why", "", "", "PORTO-L3", "decisions.csv:4")
    rows = said(replace(study, decisions=(*study.decisions, line)))[0]["decision_log"].rows
    assert [row[6] for row in rows[1:]] == ["superseded by NEW", "no mapping cites it"]
    assert rows[2][2] == "all; all sites"
    assert rows[2][5] == "–"


def test_an_empty_log_is_said(study: Study) -> None:
    tables, text = said(replace(study, decisions=()))
    assert "decision_log" not in tables
    assert text.startswith("No decision is logged")


def test_a_draft_says_that_it_is_not_frozen(study: Study) -> None:
    assert status_words(study) == "Draft, not frozen"
    assert "This is a draft: it is not frozen." in said(study)[1]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("d" * 64, "The code is that of the freeze.", id="same-code"),
        pytest.param("a" * 64, "The code has changed since, and is no part of the freeze.", id="other-code"),
    ],
)
def test_a_final_release_says_what_its_freeze_binds(study: Study, code: str, expected: str) -> None:
    final = replace(study, release_status="final", freeze="lock", frozen=replace(LOCK, code=code))
    assert status_words(final) == "Final, frozen as lock on 2025-07-01"
    text = said(final)[1]
    assert "the bytes of 2 extracts" in text
    assert "1 query was open" in text
    assert text.endswith(expected)


def test_a_lifted_freeze_is_shown_with_name_and_reason(study: Study) -> None:
    lifted = replace(study, unfreezings=(Unfreezing("lock", "2025-08-01", "B. Tester", "Late rows"),))
    assert said(lifted)[0]["unfreezings"].rows == [["lock", "2025-08-01", "B. Tester", "Late rows"]]
