"""What a site maps: people, visits, results, answers and treatments, each part drawn with its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

from tests.prove.dirty_cells import PATTERNS
from tests.prove.dirty_plan import (
    AGREED,
    ARMS,
    CHOICES,
    CODES,
    SEX,
    SIGNS,
    SMOKER,
    SUFFIXES,
    TESTS,
    TUBES,
    UNITS,
    Column,
    SourcePlan,
    TablePlan,
)


def people(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    form, mapping = rng.choice(PATTERNS), table.mapping
    mapping["time_zero"] = {"column": "zero", "date": form}
    table.columns.append(Column("zero", "zero", form=form))
    if rng.random() < 0.3:
        mapping["death"] = {"column": "died", "date": form}
        table.columns.append(Column("died", "death", form=form))
    sex = {"column": "sex", "codes": SEX} if rng.random() < 0.7 else {"column": "sex", "codelist": "sex"}
    columns = {
        "age": {"column": "age", "unit": "a"},
        "sex": sex,
        "bmi": {"column": "bmi", "unit": "kg/m2"},
        "smoker": {"column": "smoke", "codes": SMOKER},
        "arm": {"column": "group", "codes": ARMS},
        "ethnicity": {"column": "ethnic"},
    }
    mapping["columns"] = {name: columns[name] for name in rng.sample(list(columns), rng.randint(1, len(columns)))}
    for name, entry in mapping["columns"].items():
        table.columns.append(Column(entry["column"], "attribute", name, form="codelist" if "codelist" in entry else ""))


def consented(rng: Random, table: TablePlan) -> None:
    """Let a table tell who agreed, who left and what becomes of the data of those who did."""
    form = rng.choice(PATTERNS)
    consent: dict[str, Any] = {"purposes": {"sharing": {"column": "agree", "codes": AGREED}}}
    consent["withdrawn"] = {"column": "left_on", "date": form}
    table.columns.extend([Column("agree", "consent", "agree"), Column("left_on", "consent", "left_on", form=form)])
    if rng.random() < 0.5:
        consent["on_withdrawal"] = {"column": "choice", "codes": CHOICES}
        table.columns.append(Column("choice", "consent", "choice"))
    elif rng.random() < 0.5:
        consent["on_withdrawal"] = rng.choice(["keep", "erase"])
    table.mapping["consent"] = consent


def single(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    table.mapping["visits"] = {"single": "baseline"}


def wide(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    table.mapping["visits"] = {"wide": SUFFIXES}
    if source.format in {"csv", "excel", "parquet"} and rng.random() < 0.3:
        table.mapping["visits"]["pattern"] = "{visit}.{column}"
    _visit_dates(rng, table)


def long(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    long_undated(rng, table, source)
    _visit_dates(rng, table)


def long_undated(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name = f"event_{table.name}"
    table.mapping["visits"] = {"long": {"column": name, "codes": CODES}}
    table.columns.append(Column(name, "visit"))


def _visit_dates(rng: Random, table: TablePlan) -> None:
    if rng.random() < 0.6:
        form = rng.choice(PATTERNS)
        table.mapping["visits"]["date"] = {"column": "seen", "date": form}
        table.columns.extend(at_visits(table, Column("seen", "visit_date", form=form)))


def by_date(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name, form = f"drawn_{table.name}", rng.choice(PATTERNS)
    table.mapping["visits"] = {"by_date": {"column": name, "date": form}}
    table.columns.append(Column(name, "row_date", form=form))


def by_day(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name = f"day_{table.name}"
    offset = rng.choice([0, -1])
    table.mapping["visits"] = {"by_day": {"column": name, "offset": offset}}
    table.columns.append(Column(name, "row_day", item=offset))


def at_visits(table: TablePlan, column: Column, only: Sequence[str] = ()) -> list[Column]:
    """Return a column of the file for each visit of a wide table, else the one column."""
    if "wide" not in table.mapping["visits"]:
        return [replace(column, only=tuple(only))]
    pattern = table.mapping["visits"].get("pattern", "{column}_{visit}")
    return [
        replace(column, name=pattern.format(column=column.name, visit=suffix), visit=visit)
        for suffix, visit in SUFFIXES.items()
        if not only or visit in only
    ]


def _only(rng: Random, table: TablePlan) -> list[str]:
    coded = {"wide", "long"} & set(table.mapping["visits"])
    return rng.choice([[], [], ["baseline"], ["baseline", "week_12"]]) if coded else []


def measured(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    found: dict[str, Any] = {}
    for analyte in rng.sample(list(UNITS), rng.randint(1, 3)):
        unit, only = rng.choice(list(UNITS[analyte])), _only(rng, table)
        entry: dict[str, Any] = {"column": f"v_{analyte}", "unit": unit}
        if only:
            entry["visits"] = only
        scale = UNITS[analyte][unit]
        if rng.random() < 0.2:
            entry["unit"] = {"column": f"u_{analyte}", "codes": {"1": unit}}
            table.columns.extend(at_visits(table, Column(f"u_{analyte}", "unit", analyte), only))
        if rng.random() < 0.2:
            entry["batch"] = f"b_{analyte}"
            table.columns.extend(at_visits(table, Column(f"b_{analyte}", "batch", analyte), only))
        if rng.random() < 0.2:
            entry["below"] = rng.choice(
                [{"heap": 0.07, "limit": 0.1, "decision": "D1"}, {"column": f"f_{analyte}", "codes": ["BDL"]}]
            )
            if "column" in entry["below"]:
                table.columns.extend(at_visits(table, Column(f"f_{analyte}", "flag", analyte), only))
        column = Column(entry["column"], "measurement", analyte, scale=scale)
        table.columns.extend(at_visits(table, column, only))
        found[analyte] = entry
    table.mapping["measurements"] = found


def asked(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    found: dict[str, Any] = {}
    for name, items, total in (("phq9", 9, True), ("hamd17", 17, True), ("hamd21", 0, True)):
        if rng.random() > (0.35 if name == "phq9" else 0.08):
            continue
        only = _only(rng, table) if name == "hamd21" else _only(rng, table)[:1]
        entry: dict[str, Any] = {"visits": only} if only else {}
        if items:
            entry["items"] = f"{name}_{{item}}"
            for item in range(1, items + 1):
                table.columns.extend(at_visits(table, Column(f"{name}_{item}", "item", name, item=item), only))
        if total and (not items or rng.random() < 0.5):
            entry["total"] = f"{name}_T"
            table.columns.extend(at_visits(table, Column(f"{name}_T", "item", name), only))
        found[name] = entry
    if found:
        table.mapping["instruments"] = found


def treated(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    if rng.random() < 0.3:
        treated_surely(rng, table, source)


def treated_surely(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    split = rng.choice([None, "+", ";"])
    table.mapping["treatments"] = {"name": "drug", "role": "background", **({"split": split} if split else {})}
    visit = "baseline" if "wide" in table.mapping["visits"] else None
    table.columns.append(Column("drug", "treatment", split or "", visit=visit))


def derived(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    if "wide" in table.mapping["visits"] or rng.random() > 0.2 or "tnf" in table.mapping["measurements"]:
        return
    table.mapping["derived"] = {"twice": {"formula": "2 * half", "decision": "D1"}}
    table.mapping["measurements"]["tnf"] = {"column": "twice", "unit": "pg/mL"}
    table.columns.extend([Column("half", "operand"), Column("twice", "derived", "tnf")])


def results(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    entry: dict[str, Any] = {"analyte": {"column": "test", "codes": TESTS}, "value": "result"}
    entry["unit"] = {"column": "unit", "codes": {"mgl": "mg/L", "pgml": "pg/mL"}}
    table.columns.extend([Column("test", "analyte"), Column("result", "result"), Column("unit", "unit")])
    if rng.random() < 0.4:
        entry["operator"] = {"column": "sign", "codes": SIGNS}
        table.columns.append(Column("sign", "operator"))
    if rng.random() < 0.4:
        entry["specimen"] = {"column": "tube", "codes": TUBES}
        table.columns.append(Column("tube", "specimen"))
    if rng.random() < 0.3:
        entry["batch"] = "run"
        table.columns.append(Column("run", "batch"))
    table.mapping["laboratory"] = entry
