"""Faults change cells and say which ledger lines they must give."""

from __future__ import annotations

import pytest

from ember.simulate.draft import HARMONISE, STANDARDISE, Draft, note_laboratory_lines


@pytest.fixture
def draft() -> Draft:
    columns = {"id": ["a", "b"], "date": ["2024-01-01", "2024-02-01"], "crp": ["1.0", ""], "item": ["2", "3"]}
    return Draft("lund", "lund/file.csv", "", 2, columns, {"baseline": ("date", "crp", "item")})


def rules_of(draft: Draft) -> list[tuple[int, str, str]]:
    return [(line.row_number, line.column, line.rule_id) for line in draft.lines]


def test_spoilt_cell_is_one_line(draft: Draft) -> None:
    draft.spoil(1, "crp", "-3", HARMONISE, "value.outside_hard_limits")
    assert draft.cell(1, "crp") == "-3"
    assert rules_of(draft) == [(3, "crp", "value.outside_hard_limits")]


def test_spoilt_answer_also_costs_the_score(draft: Draft) -> None:
    draft.spoil_answer(0, "item", "9", HARMONISE, "item.outside_range")
    assert rules_of(draft) == [(2, "item", "item.outside_range"), (2, "", "score.incomplete")]


def test_refused_visit_takes_its_filled_cells_along(draft: Draft) -> None:
    draft.refuse_visit(1, "baseline", "date", "2024-31-01", "visit.date_unreadable")
    assert rules_of(draft) == [(3, "date", "visit.date_unreadable"), (3, "item", "visit.date_unreadable")]


def test_repeated_row_stands_at_the_end_and_is_one_line(draft: Draft) -> None:
    draft.repeat_row(0)
    assert draft.height == 3
    assert draft.extract().cells.row(2) == draft.extract().cells.row(0)
    assert rules_of(draft) == [(4, "", "row.duplicate_exact")]


def test_line_carries_the_action_of_its_rule(draft: Draft) -> None:
    draft.expect(0, "crp", STANDARDISE, "value.missing_code")
    assert draft.lines[0].cells() == (
        "lund", STANDARDISE, "lund/file.csv", "", 2, "crp", "value.missing_code", "excluded",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "canonical", "below", "expected"),
    [
        pytest.param("<0.2", 0.2, None, ["value.below_limit"], id="below by sign"),
        pytest.param("0.14", 0.14, True, ["value.below_limit"], id="below by flag"),
        pytest.param(">10", 10.0, None, ["value.above_limit", "value.acute"], id="capped at the threshold"),
        pytest.param(">5", 5.0, None, ["value.above_limit"], id="capped below the threshold"),
        pytest.param("10.00", 10.0, None, [], id="exactly at the threshold"),
        pytest.param("10.01", 10.01, None, ["value.acute"], id="above the threshold"),
        pytest.param("", None, None, [], id="empty"),
    ],
)
def test_laboratory_lines(
    draft: Draft, text: str, canonical: float | None, below: bool | None, expected: list[str]
) -> None:
    note_laboratory_lines(draft, 0, "crp", text, canonical, 10.0, below)
    assert [line.rule_id for line in draft.lines] == expected


def test_analyte_without_threshold_is_never_acute(draft: Draft) -> None:
    note_laboratory_lines(draft, 0, "crp", "90.0", 90.0, None)
    assert draft.lines == []


def test_spoilt_cell_has_no_second_line(draft: Draft) -> None:
    draft.spoil(0, "crp", "60", HARMONISE, "value.finding_excluded")
    note_laboratory_lines(draft, 0, "crp", "60", 600.0, 10.0)
    assert rules_of(draft) == [(2, "crp", "value.finding_excluded")]
