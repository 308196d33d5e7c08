"""Whatever a file holds: nothing is lost, nothing is counted twice, and no number is read as another."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from ember.harmonise.numbers import number, operator
from ember.harmonise.standardise import Standardised
from ember.harmonise.standardise_rows import RawRows
from tests.unit.harmonise.standard_study import VISITS, account, raw_rows, standardised

PEOPLE = st.sampled_from(["a", "b", "c", ""])
NUMBERS = st.sampled_from(
    ["", " ", "1", "0.2", "<0.2", "> 5", "-9", "-9.0", "0,2", "abc", "1e3", "1e999", " 4 ", "0.01"]
)
DATES = st.sampled_from(
    ["", "2020-01-01", "2020-01-20", "2020-03-01", "2019-01-01", "20-01-01", "01/02/2020", "-9", "x"]
)
SEXES = st.sampled_from(["", "1", "2", "3", "-9"])
AGES = st.sampled_from(["", "40", "40.0", "41", "999", "-9", "old"])
DRUGS = st.sampled_from(["", "LITHIUM", "SERTRALINE", "UNKNOWN", "-9", ";"])
EVENTS = st.sampled_from(["b", "w4", " w12 ", "w99", ""])
METADATA = {"crp": {"missing_values": ["1"], "missing_ranges": [[900, 1100]]}}

PARTICIPANT_COLUMNS = {
    "age": {"column": "age", "unit": "a"},
    "sex": {"column": "sex", "codes": {"1": "male", "2": "female"}},
}
LONG: dict[str, Any] = {
    "time_zero": {"column": "zero", "date": "%Y-%m-%d"},
    "visits": {
        "long": {"column": "event", "codes": {"b": "baseline", "w4": "week_4", "w12": "week_12"}},
        "date": {"column": "date", "date": "%Y-%m-%d"},
    },
    "missing": ["-9"],
    "columns": PARTICIPANT_COLUMNS,
    "measurements": {
        "hscrp": {"column": "crp", "unit": "mg/L", "below": {"heap": 0.01}},
        "il6": {"column": "il6", "unit": "pg/mL", "visits": ["baseline", "week_4"]},
    },
    "instruments": {"phq9": {"total": "total"}},
    "treatments": {"name": "drug", "role": "background", "split": ";"},
}
WIDE: dict[str, Any] = {
    "time_zero": {"column": "zero", "date": "%Y-%m-%d"},
    "visits": {
        "wide": {"V0": "baseline", "V4": "week_4", "V12": "week_12"},
        "date": {"column": "date", "date": "%Y-%m-%d"},
    },
    "missing": ["-9"],
    "columns": PARTICIPANT_COLUMNS,
    "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
    "instruments": {"phq9": {"total": "total", "visits": ["baseline", "week_12"]}},
    "treatments": {"name": "drug", "role": "background"},
}
SUFFIXES = ("V0", "V4", "V12")

long_row = st.fixed_dictionaries(
    {
        "id": PEOPLE,
        "event": EVENTS,
        "zero": st.sampled_from(["", "", "2020-01-02", "2020-01-02", "2020-01-03", "x"]),
        "date": DATES,
        "age": AGES,
        "sex": SEXES,
        "crp": NUMBERS,
        "il6": NUMBERS,
        "total": NUMBERS,
        "drug": DRUGS,
    }
)
wide_row = st.fixed_dictionaries(
    {
        "id": PEOPLE,
        "zero": DATES,
        "age": AGES,
        "sex": SEXES,
        "drug": DRUGS,
        **{f"date_{suffix}": DATES for suffix in SUFFIXES},
        **{f"crp_{suffix}": NUMBERS for suffix in SUFFIXES},
        **{f"total_{suffix}": NUMBERS for suffix in ("V0", "V12")},
    }
)
WIDE_COLUMNS = [
    *("zero", "age", "sex", "drug"),
    *(f"{name}_{suffix}" for name in ("date", "crp") for suffix in SUFFIXES),
    *("total_V0", "total_V12"),
]


def kept_cells(
    raw: RawRows, columns: list[str], refused: set[int], measured: dict[str, set[str]]
) -> set[tuple[int, str]]:
    """Return (row, column) of the mapped non-empty cells, straight from the rows."""
    return {
        (row["_row"], column)
        for row in raw.frame.to_dicts()
        if row["_row"] not in refused
        for column in columns
        if row[column].strip() and (column not in measured or row["event"].strip() in measured[column])
    }


def check(
    result: Standardised, raw: RawRows, columns: list[str], measured: dict[str, set[str]], *, own_days: bool = False
) -> None:
    entries = result.ledger.filter(pl.col("action") != "flagged")
    refused = set(entries.filter(pl.col("unit") == "row")["row_number"])
    rows = account(result, "row")
    assert rows.get("n_in", 0) == raw.frame.height
    assert rows.get("n_out", 0) == raw.frame.height - len(refused)
    assert entries.filter(pl.col("unit") == "row").height == len(refused), "a row stands twice in the ledger"

    cells = kept_cells(raw, columns, refused, measured)
    listed = entries.filter(pl.col("unit") == "value").select("row_number", "column").rows()
    assert len(listed) == len(set(listed)), "a cell stands twice in the ledger"
    assert set(listed) <= cells, "the ledger names a cell that is empty or not mapped"

    shown = [
        *result.measurements.select("row_number", "column").rows(),
        *result.items.select("row_number", "column").rows(),
    ]
    assert len(shown) == len(set(shown))
    assert not set(shown) & set(listed), "a cell is both used and refused"
    results = {cell for cell in cells if cell[1].split("_")[0] in {"crp", "il6", "total", "result"}}
    assert results == (set(shown) | set(listed)) & results, "a result is lost"
    assert set(shown) <= results

    values = account(result, "value")
    assert len(cells) == values.get("n_out", 0) + values.get("n_collapsed", 0) + len(listed), "a cell is lost"
    assert set(result.visits["participant_id"]) <= set(result.participants["participant_id"])
    # Samples of one visit may be of several days, where the day of a row tells its visit.
    place = ["participant_id", "visit", *([] if own_days else ["study_day"])]
    placed = set(result.visits.select(place).rows())
    for table in (result.measurements, result.items, result.treatments):
        assert set(table.select(place).rows()) <= placed


@settings(max_examples=40, deadline=None)
@given(st.lists(long_row, min_size=1, max_size=9))
def test_no_cell_of_a_long_table_is_lost(rows: list[dict[str, str]]) -> None:
    raw = raw_rows(rows, metadata=METADATA)
    columns = ["zero", "date", "age", "sex", "crp", "il6", "total", "drug"]
    check(standardised(LONG, raw), raw, columns, {"il6": {"b", "w4"}})


@settings(max_examples=40, deadline=None)
@given(st.lists(wide_row, min_size=1, max_size=6))
def test_no_cell_of_a_wide_table_is_lost(rows: list[dict[str, str]]) -> None:
    raw = raw_rows(rows)
    check(standardised(WIDE, raw), raw, WIDE_COLUMNS, {})


RESULTS: dict[str, Any] = {
    "time_zero": {"column": "zero", "date": "iso"},
    "death": {"column": "died", "date": "iso"},
    "missing": ["-9"],
    "columns": PARTICIPANT_COLUMNS,
    "derived": {"twice": {"formula": "2 * age"}},
    "laboratory": {
        "analyte": {"column": "test", "codes": {"CRP": "hscrp", "IL-6": "il6"}},
        "value": "result",
        "unit": {"column": "unit", "codes": {"1": "mg/L"}},
        "operator": {"column": "sign", "codes": {"LT": "<", "GT": ">", "EQ": "="}},
        "specimen": {"column": "tube", "codes": {"S": "serum"}},
    },
}
OWN_DAYS = st.sampled_from(
    [{"by_date": {"column": "drawn", "date": "iso"}}, {"by_day": {"column": "day", "offset": -1}}, {"single": "week_4"}]
)
KEPT = st.sampled_from(
    [{}, *({"duplicates": {"keep": keep, "reason": "as the laboratory says"}} for keep in ("first", "last"))]
)
RESULT_COLUMNS = ["zero", "died", "age", "sex", "result"]

result_row = st.fixed_dictionaries(
    {
        "id": PEOPLE,
        "zero": st.sampled_from(["", "2020-01-02", "2020-01-02", "2020-01-02T08:00", "2020-01-03", "2020-01", "-9"]),
        "died": st.sampled_from(["", "", "", "2020-01-31", "2020-02-01", "x"]),
        "drawn": st.sampled_from(["2020-01-02", "2020-01-30", "2020-01-31", "2020-02-01", "2020-01", "", "2021-01-01"]),
        "day": st.sampled_from(["1", "29", "30", "30,0", "30,5", "", "-9", "900"]),
        "age": AGES,
        "sex": SEXES,
        "test": st.sampled_from(["CRP", "CRP", " IL-6", "TNF"]),
        "result": st.sampled_from(["1.234,5", "1,5", "1.5", "12.34", "<2", "-3", "-9", "", "x", "1"]),
        "unit": st.sampled_from(["1", "mg/L", ""]),
        "sign": st.sampled_from(["", "", "LT", "GT", "EQ", "LE"]),
        "tube": st.sampled_from(["S", "", "P"]),
    }
)


@settings(max_examples=60, deadline=None)
@given(st.lists(result_row, min_size=1, max_size=9), OWN_DAYS, KEPT, st.sampled_from([None, 18262, 18293]))
def test_no_cell_of_a_table_of_results_is_lost(
    rows: list[dict[str, str]], visits: dict[str, Any], kept: dict[str, Any], until: int | None
) -> None:
    raw = raw_rows(rows)
    withdrawn = None
    if until is not None:
        withdrawn = pl.DataFrame(
            {"participant_id": ["a"], "withdrawn_on": [until]}, schema_overrides={"withdrawn_on": pl.Int32}
        )
    mapping = {**RESULTS, "visits": visits, **kept}
    result = standardised(mapping, raw, decimal=",", thousands=".", withdrawn=withdrawn)
    check(result, raw, RESULT_COLUMNS, {}, own_days=True)
    found = result.measurements
    assert not found.select("participant_id", "visit", "analyte").is_duplicated().any()
    windows = {visit.id: (visit.first, visit.last) for visit in VISITS}
    assert all(
        windows[visit][0] <= day <= windows[visit][1] for visit, day in found.select("visit", "study_day").rows()
    )
    ends = found.join(result.participants, "participant_id", "left").filter(pl.col("death_day") < pl.col("study_day"))
    assert ends.is_empty()
    assert not (kept and "row.duplicate_conflict" in set(result.ledger["rule_id"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(long_row, min_size=1, max_size=9), st.lists(result_row, min_size=1, max_size=6), KEPT)
def test_no_row_of_two_tables_of_one_source_is_lost(
    clinic: list[dict[str, str]], laboratory: list[dict[str, str]], kept: dict[str, Any]
) -> None:
    ours = {"participant": "id", "from": "a"}
    results = {"laboratory": RESULTS["laboratory"], "visits": {"by_date": {"column": "drawn", "date": "iso"}}}
    mapping = {
        "tables": {
            "clinic": {**LONG, **ours, **kept, "rows": {"column": "kind", "equals": ""}},
            "laboratory": {**results, **ours, "rows": {"column": "kind", "equals": "L"}},
        }
    }
    raw = raw_rows([*({**row, "kind": " "} for row in clinic), *({**row, "kind": "L"} for row in laboratory)])
    result = standardised(mapping, raw)
    whole = account(result, "row")
    left = result.ledger.filter(pl.col("unit") == "row")
    assert whole["n_in"] == len(clinic) + len(laboratory)
    assert whole.get("n_out", 0) == whole["n_in"] - left.height == whole["n_in"] - left["row_number"].n_unique()
    values = result.ledger.filter((pl.col("unit") == "value") & (pl.col("action") != "flagged"))
    cells = values.select("row_number", "column").rows()
    assert len(cells) == len(set(cells))
    assert not set(cells) & set(result.measurements.select("row_number", "column").rows())
    assert not {row for row, _ in cells} & set(left["row_number"])


@settings(max_examples=15, deadline=None)
@given(st.lists(long_row, min_size=1, max_size=8), st.permutations(["a", "b", "c"]))
def test_pseudonyms_change_nothing_but_themselves(rows: list[dict[str, str]], names: list[str]) -> None:
    other = dict(zip("abc", names, strict=True))
    renamed = [{**row, "id": other.get(row["id"], "")} for row in rows]
    one, two = standardised(LONG, raw_rows(rows)), standardised(LONG, raw_rows(renamed))
    for table in ("participants", "visits", "measurements", "items", "treatments"):
        frame, again = getattr(one, table), getattr(two, table)
        assert frame.drop("participant_id").equals(again.drop("participant_id"))
        assert [other[name] for name in frame["participant_id"]] == again["participant_id"].to_list()
    assert one.ledger.equals(two.ledger)
    assert one.accounts == two.accounts


def read(text: str, decimal: str, thousands: str | None = None) -> tuple[str, float | None]:
    frame = pl.DataFrame({"text": [text]})
    value = number(pl.col("text"), decimal, True, thousands).alias("number")
    return frame.select(operator(pl.col("text")), value).row(0)


@given(
    st.floats(min_value=0, allow_nan=False, allow_infinity=False),
    st.sampled_from([".", ","]),
    st.sampled_from(["", "-", "<", ">", "< "]),
)
def test_every_number_reads_back(value: float, decimal: str, sign: str) -> None:
    expected = ("" if sign == "-" else sign.strip(), -value if sign == "-" else value)
    assert read(sign + repr(value).replace(".", decimal), decimal) == expected


@given(st.text(alphabet="0123456789.,-+eE<> ≤=_', abinf", max_size=8), st.sampled_from([".", ","]))
def test_what_is_read_is_what_stands_there(text: str, decimal: str) -> None:
    text = text.strip()
    sign, value = read(text, decimal)
    if value is None:
        return
    digits = text.removeprefix(sign).lstrip(" ")
    other = "," if decimal == "." else "."
    assert other not in digits
    assert digits.count(decimal) <= 1
    assert not set(digits) & set("<>≤=_' +") - ({"+"} if "e" in digits.lower() else set())
    assert math.isfinite(value)
    assert value == float(digits.replace(decimal, "."))


@given(st.integers(min_value=0, max_value=10**12), st.sampled_from([(".", ","), (",", "."), (".", " "), (",", "'")]))
def test_every_number_in_groups_of_three_reads_back(value: int, marks: tuple[str, str]) -> None:
    decimal, thousands = marks
    text = f"{value:,}".replace(",", thousands) + f"{decimal}25"
    assert read(text, decimal, thousands) == ("", value + 0.25)
    assert read(text, decimal)[1] == (None if value >= 1000 else value + 0.25)
