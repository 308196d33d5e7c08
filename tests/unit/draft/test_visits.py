from __future__ import annotations

import pytest

from ember.draft.visits import VisitCode, planned_visits, visit_code, wide_layout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("BL", VisitCode("baseline"), id="baseline"),
        pytest.param("V0", VisitCode("baseline"), id="visit 0"),
        pytest.param("V4", VisitCode("visit", 4), id="a visit number"),
        pytest.param("W12", VisitCode("week", 12), id="week"),
        pytest.param("wk4", VisitCode("week", 4), id="wk"),
        pytest.param("Week 4", VisitCode("week", 4), id="Week 4"),
        pytest.param("Woche 4", VisitCode("week", 4), id="German week"),
        pytest.param("3 months", VisitCode("month", 3), id="month"),
        pytest.param("week_12_arm_1", VisitCode("week", 12), id="REDCap event"),
        pytest.param("baseline_arm_2", VisitCode("baseline"), id="REDCap baseline"),
        pytest.param("SCREENING 1", VisitCode("screening"), id="screening"),
        pytest.param("12", VisitCode("number", 12), id="a bare number"),
        pytest.param("AMBUL ECG", None, id="something else"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_codes(text, code, lexicon):
    assert visit_code(text, lexicon) == code


@pytest.mark.parametrize(
    ("names", "pattern", "suffixes"),
    [
        pytest.param(["id", "crp_V0", "crp_V4", "dt_V0", "dt_V4"], "{column}_{visit}", {"V0", "V4"}, id="suffix"),
        pytest.param(["id", "BL_crp", "W4_crp", "BL_il6", "W4_il6"], "{visit}_{column}", {"BL", "W4"}, id="prefix"),
        pytest.param(["bdi.pre", "bdi.2m", "bdi.8m"], "{column}.{visit}", {"pre", "2m", "8m"}, id="months"),
        pytest.param(["crp_0", "crp_12", "q01_0", "q01_12"], "{column}_{visit}", {"0", "12"}, id="bare numbers"),
        pytest.param(["crp_week_0", "crp_week_4"], "{column}_{visit}", {"week_0", "week_4"}, id="two words"),
    ],
)
def test_wide_names(names, pattern, suffixes, lexicon):
    found = wide_layout(names, lexicon)
    assert found is not None
    assert (found.pattern, set(found.suffixes)) == (pattern, suffixes)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"phq9_{item}" for item in range(1, 11)], id="items"),
        pytest.param(["IL.10", "IL.6", "IL.8"], id="interleukins"),
        pytest.param(["age", "sex"], id="plain names"),
        pytest.param(["crp_V0", "il6"], id="one visit"),
    ],
)
def test_names_that_are_not_wide(names, lexicon):
    assert wide_layout(names, lexicon) is None


def test_numbers_become_weeks_only_where_the_dates_fit(lexicon):
    with_dates = planned_visits(["0", "4", "12"], {"0": -9, "4": 28, "12": 85}, lexicon)
    assert [with_dates[code].id for code in ("0", "4", "12")] == ["baseline", "week_4", "week_12"]
    without = planned_visits(["0", "4", "12"], {}, lexicon)
    assert without["4"].confidence < 0.5 and without["4"].day is None


def test_numbers_that_fit_months_are_months(lexicon):
    assert planned_visits(["0", "3", "6"], {"3": 92, "6": 180}, lexicon)["6"].id == "month_6"


def test_a_column_of_weeks_says_the_unit(lexicon):
    assert planned_visits(["0", "4"], {}, lexicon, "week")["4"].day == 28
