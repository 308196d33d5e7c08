"""Treatments with what stands beside their name: dose, days, duration, outcome, episode; the unreadable is listed."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.unit.harmonise.standard_study import account, listed, raw_rows, standardised

ZERO = {"time_zero": {"column": "zero", "date": "%Y-%m-%d"}, "columns": {"age": {"column": "age", "unit": "a"}}}
DATES = {"start": {"column": "from", "date": "%Y-%m-%d"}, "end": {"column": "to", "date": "%Y-%m-%d"}}
CODED = {
    "outcome": {"column": "outcome", "codes": {"0": "none", "1": "partial", "2": "response", "3": "intolerance"}},
    "adherence": {"column": "taken", "codes": {"y": "adherent", "n": "not_adherent"}},
    "episode": {"column": "when", "codes": {"now": "current", "before": "earlier"}},
}


def treated(mapping: dict[str, Any], *cells: dict[str, str], decimal: str = ".", **site: Any) -> Any:
    """Standardise rows of one participant; `mapping` is what stands under `treatments:` beside name and role."""
    treatments = {"name": "drug", "role": "background", **mapping}
    rows = [{"id": "a", "zero": "2024-01-01", "age": "40", **row} for row in cells]
    return standardised(
        {"visits": {"single": "baseline"}, "treatments": treatments, **site}, raw_rows(rows), decimal=decimal
    )


def doses(result: Any) -> list[tuple[str | None, float | None, str | None]]:
    return result.treatments.select("treatment", "dose", "dose_unit").rows()


class TestDose:
    @pytest.mark.parametrize(
        ("drug", "dose", "unit", "expected", "rules"),
        [
            pytest.param("sertraline", "100", "mg/day", (100.0, "mg/day"), [], id="as it stands"),
            pytest.param("sertraline", "0.1", "g/day", (100.0, "mg/day"), [], id="grams"),
            pytest.param("liothyronine", "25", "µg/d", (0.025, "mg/day"), [], id="micrograms"),
            pytest.param("cbt", "12", "sessions", (12.0, "sessions"), [], id="sessions"),
            pytest.param("exercise", "30", "min/day", (210.0, "minutes/week"), [], id="minutes of a day"),
            pytest.param("exercise", "2.5", "hours/week", (150.0, "minutes/week"), [], id="hours of a week"),
            pytest.param("sertraline", "", "mg/day", (None, None), [], id="empty"),
            pytest.param(
                "sertraline", "100", "sessions", (None, None), ["treatment.dose_unit"], id="sessions of a drug"
            ),
            pytest.param("cbt", "100", "mg/day", (None, None), ["treatment.dose_unit"], id="milligrams of a therapy"),
            pytest.param("placebo", "100", "mg/day", (None, None), ["treatment.dose_unit"], id="a kind without a dose"),
            pytest.param("sertraline", "much", "mg/day", (None, None), ["treatment.unread"], id="no number"),
            pytest.param("sertraline", "-5", "mg/day", (None, None), ["treatment.unread"], id="negative"),
            pytest.param("sertraline", "50-100", "mg/day", (None, None), ["treatment.unread"], id="a range"),
            pytest.param("nothing known", "100", "mg/day", (None, None), ["treatment.unknown"], id="no kind, no dose"),
        ],
    )
    def test_it_stands_in_the_unit_of_the_kind(
        self, drug: str, dose: str, unit: str, expected: tuple[float | None, str | None], rules: list[str]
    ) -> None:
        result = treated({"dose": {"column": "dose", "unit": unit}}, {"drug": drug, "dose": dose})
        assert [row[1:] for row in doses(result)] == [expected]
        assert [rule for *_, rule in listed(result)] == rules
        assert account(result, "value")["n_out"] == 1

    def test_a_refused_dose_is_listed_under_its_own_column(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": "mg/day"}}
        result = treated(mapping, {"drug": "sertraline", "dose": "x"}, {"drug": "cbt", "dose": "5"})
        assert listed(result) == [(2, "dose", "treatment.unread"), (3, "dose", "treatment.dose_unit")]
        assert result.treatments["dose_reported"].to_list() == ["x", "5"]

    def test_a_declared_conversion_is_exact(self) -> None:
        conversion = {"to": "mg/day", "numerator": 1, "denominator": 7, "reason": "given once a week"}
        mapping = {"dose": {"column": "dose", "unit": "mg/week", "conversion": conversion}}
        assert doses(treated(mapping, {"drug": "methotrexate", "dose": "14"})) == [("methotrexate", 2.0, "mg/day")]

    def test_without_it_a_weekly_dose_is_refused(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": {"column": "unit"}}}
        result = treated(mapping, {"drug": "methotrexate", "dose": "14", "unit": "mg/week"})
        assert doses(result) == [("methotrexate", None, None)]
        assert listed(result) == [(2, "dose", "treatment.dose_unit")]

    def test_an_unknown_unit_of_a_kind_without_doses_is_refused_as_well(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": {"column": "unit"}}}
        result = treated(mapping, {"drug": "placebo", "dose": "1", "unit": "pills"})
        assert (doses(result), listed(result)) == ([("placebo", None, None)], [(2, "dose", "treatment.dose_unit")])

    def test_each_row_may_tell_its_unit(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": {"column": "unit", "codes": {"1": "mg/day", "2": "sessions"}}}}
        cells = [{"drug": "sertraline", "dose": "50", "unit": "1"}, {"drug": "ECT", "dose": "8", "unit": "2"}]
        assert doses(treated(mapping, *cells)) == [("sertraline", 50.0, "mg/day"), ("ect", 8.0, "sessions")]

    @pytest.mark.parametrize(
        ("frequency", "expected"),
        [
            pytest.param("od", 75.0, id="once"),
            pytest.param("bd", 150.0, id="twice"),
            pytest.param("eod", 37.5, id="1/2"),
        ],
    )
    def test_the_dose_of_an_intake_times_the_intakes_of_a_day(self, frequency: str, expected: float) -> None:
        codes = {"od": "1", "bd": "2", "eod": "1/2"}
        mapping = {"dose": {"column": "dose", "unit": "mg"}, "frequency": {"column": "often", "codes": codes}}
        cells = {"drug": "venlafaxine", "dose": "75", "often": frequency}
        assert doses(treated(mapping, cells)) == [("venlafaxine", expected, "mg/day")]

    def test_a_frequency_that_is_not_known_leaves_no_dose(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": "mg"}, "frequency": {"column": "often", "codes": {"od": "1"}}}
        result = treated(mapping, {"drug": "venlafaxine", "dose": "75", "often": "prn"})
        assert doses(result) == [("venlafaxine", None, None)]
        assert listed(result) == [(2, "often", "treatment.unread")]

    def test_one_dose_beside_two_treatments_is_neithers(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": "mg/day"}, "split": "+"}
        result = treated(mapping, {"drug": "sertraline + lithium", "dose": "100"})
        assert doses(result) == [("sertraline", None, None), ("lithium", None, None)]
        assert listed(result) == [(2, "dose", "treatment.dose_shared")]
        assert account(result, "value")["n_out"] == 2

    def test_the_declared_decimal_mark(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": "mg/day"}}
        assert doses(treated(mapping, {"drug": "tianeptine", "dose": "37,5"}, decimal=",")) == [
            ("tianeptine", 37.5, "mg/day")
        ]

    def test_codes_that_mean_missing_are_no_dose(self) -> None:
        mapping = {"dose": {"column": "dose", "unit": "mg/day"}, "missing": ["999"]}
        result = treated(mapping, {"drug": "sertraline", "dose": "999"})
        assert (doses(result), listed(result)) == ([("sertraline", None, None)], [])


class TestDoseInTheName:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            pytest.param("Sertraline 100 mg", ("sertraline", 100.0), id="name, number, unit"),
            pytest.param("venlafaxine XR 75mg/d", ("venlafaxine", 75.0), id="formulation, a day"),
            pytest.param("SERTRALINE, 50 mg per day", ("sertraline", 50.0), id="comma, per day"),
            pytest.param("tianeptine 37.5 mg daily", (None, None), id="other words are not read"),
            pytest.param("sertraline", ("sertraline", None), id="no dose"),
            pytest.param("methotrexate 15 mg/week", (None, None), id="another unit"),
            pytest.param("sertraline 50-100 mg", (None, None), id="a range"),
            pytest.param("sertraline 1 g", (None, None), id="grams"),
            pytest.param("unheard 20 mg", (None, None), id="a name that is not in the registry"),
        ],
    )
    def test_it_is_read_where_the_site_says_so(self, text: str, expected: tuple[str | None, float | None]) -> None:
        result = treated({"dose": {"in_name": True, "unit": "mg/day"}}, {"drug": text})
        assert result.treatments.select("treatment", "dose", "name_reported").rows() == [(*expected, text)]
        assert [rule for *_, rule in listed(result)] == ([] if expected[0] else ["treatment.unknown"])

    def test_else_such_a_name_is_not_known(self) -> None:
        result = treated({}, {"drug": "Sertraline 100 mg"})
        assert result.treatments.select("treatment", "dose", "name_reported").rows() == [
            (None, None, "Sertraline 100 mg")
        ]

    def test_each_of_several_has_its_own(self) -> None:
        mapping = {"dose": {"in_name": True, "unit": "mg/day"}, "split": "+"}
        result = treated(mapping, {"drug": "Sertraline 100 mg + lithium 600 mg"})
        assert doses(result) == [("sertraline", 100.0, "mg/day"), ("lithium", 600.0, "mg/day")]

    def test_two_doses_of_one_treatment_are_none(self) -> None:
        mapping = {"dose": {"in_name": True, "unit": "mg/day"}, "split": "+"}
        result = treated(mapping, {"drug": "Sertraline 100 mg + Sertraline 50 mg"})
        assert doses(result) == [("sertraline", None, None)]
        assert listed(result) == [(2, "drug", "treatment.dose_shared")]


class TestDays:
    def times(self, result: Any) -> tuple[int | None, int | None, float | None]:
        found: tuple[int | None, int | None, float | None] = result.treatments.select(
            "start_day", "end_day", "weeks"
        ).row(0)
        return found

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            pytest.param("2023-12-01", "2023-12-28", (-31, -4, 4.0), id="both days count: four weeks"),
            pytest.param("2023-12-01", "2023-12-27", (-31, -5, 27 / 7), id="a day less"),
            pytest.param("2024-01-01", "2024-01-01", (0, 0, 1 / 7), id="one day"),
            pytest.param("2023-12-01", "", (-31, None, None), id="no end"),
            pytest.param("", "2023-12-28", (None, -4, None), id="no start"),
        ],
    )
    def test_dates_become_study_days(self, start: str, end: str, expected: tuple[Any, ...]) -> None:
        result = treated(DATES, {"drug": "sertraline", "from": start, "to": end}, **ZERO)
        assert self.times(result) == expected
        assert listed(result) == []

    def test_a_partial_date_is_not_completed(self) -> None:
        result = treated(DATES, {"drug": "sertraline", "from": "2023-12", "to": "2023-12-28"}, **ZERO)
        assert self.times(result) == (None, -4, None)
        assert listed(result) == [(2, "from", "treatment.unread")]

    def test_an_end_before_the_start_leaves_neither(self) -> None:
        result = treated(DATES, {"drug": "sertraline", "from": "2023-12-02", "to": "2023-12-01"}, **ZERO)
        assert self.times(result) == (None, None, None)
        assert listed(result) == [(2, "to", "treatment.days_order")]

    def test_what_goes_on_counts_up_to_the_visit(self) -> None:
        mapping = {**DATES, "end": {**DATES["end"], "ongoing": ["", "still"]}}
        for text in ("", "still"):
            result = treated(mapping, {"drug": "sertraline", "from": "2023-12-05", "to": text}, **ZERO)
            assert self.times(result) == (-27, 0, 4.0)

    def test_without_time_zero_of_the_participant_the_duration_stands(self) -> None:
        cells = {"drug": "sertraline", "from": "2023-12-01", "to": "2023-12-28", "zero": ""}
        assert self.times(treated(DATES, cells, **ZERO)) == (None, None, 4.0)

    @pytest.mark.parametrize(
        ("text", "day", "rules"),
        [
            pytest.param("-31", -30, [], id="offset"),
            pytest.param("-31.5", None, ["treatment.unread"], id="half a day"),
            pytest.param("soon", None, ["treatment.unread"], id="words"),
        ],
    )
    def test_study_days(self, text: str, day: int | None, rules: list[str]) -> None:
        mapping = {"start": {"column": "from", "unit": "study_day", "offset": 1}}
        result = treated(mapping, {"drug": "sertraline", "from": text})
        assert result.treatments["start_day"].to_list() == [day]
        assert [rule for *_, rule in listed(result)] == rules

    @pytest.mark.parametrize(
        ("unit", "weeks"), [pytest.param("weeks", 14.0, id="weeks"), pytest.param("days", 2.0, id="days")]
    )
    def test_duration(self, unit: str, weeks: float) -> None:
        mapping = {"duration": {"column": "long", "unit": unit}}
        assert treated(mapping, {"drug": "sertraline", "long": "14"}).treatments["weeks"].to_list() == [weeks]


class TestTrial:
    def test_codes_are_translated(self) -> None:
        cells = {"drug": "sertraline", "outcome": "3", "taken": "n", "when": "before"}
        found = treated(CODED, cells).treatments.select("trial", "outcome", "adherence", "episode").row(0)
        assert found == (True, "intolerance", "not_adherent", "earlier")

    def test_other_codes_are_listed_and_leave_the_rest(self) -> None:
        result = treated(CODED, {"drug": "sertraline", "outcome": "9", "taken": "y", "when": "?"})
        assert result.treatments.select("outcome", "adherence", "episode").row(0) == (None, "adherent", None)
        assert listed(result) == [(2, "outcome", "treatment.unread"), (2, "when", "treatment.unread")]

    @pytest.mark.parametrize(
        ("percent", "outcome"),
        [
            pytest.param("-10", "none", id="worse"),
            pytest.param("24.9", "none", id="below 25"),
            pytest.param("25", "partial", id="25"),
            pytest.param("49.9", "partial", id="below 50"),
            pytest.param("50", "response", id="50"),
            pytest.param("", None, id="empty"),
        ],
    )
    def test_improvement_in_percent(self, percent: str, outcome: str | None) -> None:
        mapping = {"outcome": {"column": "fall", "unit": "%"}, "episode": "current"}
        found = treated(mapping, {"drug": "sertraline", "fall": percent}).treatments
        assert found.select("outcome", "episode", "trial").row(0) == (outcome, "current", True)

    def test_rows_without_an_outcome_column_are_no_trials(self) -> None:
        assert treated({}, {"drug": "sertraline"}).treatments.select("trial", "list", "entry").row(0) == (False, "a", 1)

    def test_a_row_may_hold_several_trials(self) -> None:
        mapping = {
            "name": "drug_{trial}",
            "trials": [1, 2],
            "dose": {"column": "dose_{trial}", "unit": "mg/day"},
            "outcome": {"column": "result_{trial}", "codes": {"0": "none"}},
            "episode": "current",
        }
        first = {"drug_1": "sertraline", "dose_1": "100", "result_1": "0"}
        cells = {**first, "drug_2": "sertraline", "dose_2": "x", "result_2": ""}
        result = treated(mapping, cells)
        found = result.treatments.select("entry", "treatment", "dose", "outcome").rows()
        assert found == [(1, "sertraline", 100.0, "none"), (2, "sertraline", None, None)]
        assert listed(result) == [(2, "dose_2", "treatment.unread")]
        assert account(result, "value") == {"n_created": 2, "n_out": 2}


def test_columns_beside_a_treatment_of_a_wide_file() -> None:
    site = {
        "visits": {"wide": {"V0": "baseline", "V4": "week_4"}},
        "treatments": {"name": "MED", "role": "concomitant", "dose": {"column": "MG", "unit": "mg/day"}},
    }
    cells = {"id": "a", "MED_V0": "sertraline", "MG_V0": "50", "MED_V4": "sertraline", "MG_V4": "100"}
    result = standardised(site, raw_rows([cells]))
    assert result.treatments.select("visit", "dose").rows() == [("baseline", 50.0), ("week_4", 100.0)]


def test_several_lists_of_one_site_are_told_apart() -> None:
    place = {"participant": "id", "visits": {"single": "baseline"}}
    tables = {
        "trials": {**place, "treatments": {"name": "drug", "role": "background", **CODED}},
        "now": {
            **place,
            "treatments": {"name": "drug", "role": "concomitant", "dose": {"column": "mg", "unit": "mg/day"}},
        },
    }
    raw = {
        "trials": raw_rows([{"id": "a", "drug": "sertraline", "outcome": "0", "taken": "", "when": "now"}]),
        "now": raw_rows([{"id": "a", "drug": "celecoxib", "mg": "200"}], file="now.csv"),
    }
    found = standardised({"tables": tables}, raw).treatments
    assert found.select("list", "treatment", "role", "trial", "dose", "outcome").rows() == [
        ("trials", "sertraline", "background", True, None, "none"),
        ("now", "celecoxib", "concomitant", False, 200.0, None),
    ]
    assert found.select(pl.col("kind").is_null().sum()).item() == 0
