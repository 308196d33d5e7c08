"""Consent and corrections of a dirty study: what is declared, and what must follow from it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from tests.prove.dirty_cells import Cell
from tests.prove.dirty_plan import AGREED, CHOICES, Column, StudyPlan, TablePlan
from tests.prove.dirty_rows import Row

CAUTION = ("granted", "unknown", "refused")
HEADER = ("id", "participant", "visit", "column", "expect", "value", "reason", "provider", "date", "entry")


def consent_rules(tables: Sequence[TablePlan], rows: Mapping[str, Sequence[Row]]) -> dict[str, str] | None:
    """Return by participant the rule under which their rows leave, "" for those who stay; None without consent."""
    table = tables[0]
    if "consent" not in table.mapping:
        return None
    answers: dict[str, list[Row]] = {}
    for row in rows[table.source]:
        ours = row.table is table if not table.who else row.stripped("who") == table.who
        name = row.stripped(f"id_{table.name}")
        if ours and row.shape == "data" and name:
            answers.setdefault(name, []).append(row)
    return {name: _rule(table, told) for name, told in answers.items()}


def _rule(table: TablePlan, rows: Sequence[Row]) -> str:
    erases = [_erases(table, row) for row in rows if _told(row, "left_on") or _told(row, "choice")]
    if any(erases):
        return "consent.erased"
    given = max(CAUTION.index(AGREED.get(row.stripped("agree"), "unknown")) for row in rows)
    return {"granted": "", "refused": "consent.refused", "unknown": "consent.unknown"}[CAUTION[given]]


def _told(row: Row, column: str) -> bool:
    """Return whether a cell says something: a missing code says that there was nothing to say."""
    return bool(row.stripped(column)) and row.cells[column].meaning not in {"missing_code", "user_missing"}


def _erases(table: TablePlan, row: Row) -> bool:
    chosen = table.mapping["consent"].get("on_withdrawal", "erase")
    if isinstance(chosen, dict):
        chosen = CHOICES.get(row.stripped("choice"), "erase")
    return chosen == "erase" or row.cells["left_on"].day is None


def draw_corrections(rng: Random, plan: StudyPlan, rows: Mapping[str, Sequence[Row]], folder: Path) -> None:
    """Write files of corrections beside the extracts; the cells of the rows become what was corrected."""
    for table in plan.tables:
        source = plan.sources[table.source]
        columns = [column for column in table.of("measurement", "result") if column.name not in source.numeric]
        own = [row for row in rows[table.source] if row.table is table and row.shape == "data" and not row.partnerless]
        counts = Counter(_key(table, row) for row in own)
        sure = [row for row in own if counts[_key(table, row)] == 1 and row.stripped(f"id_{table.name}")]
        sure = [row for row in sure if not _has_visit(table) or _visit(table, row)]
        sure = [row for row in sure if not table.one("analyte") or row.stripped("test")]
        if not columns or not sure or rng.random() > 0.12:
            continue
        lines = []
        for number, row in enumerate(rng.sample(sure, min(len(sure), rng.randint(1, 3)))):
            column = rng.choice(columns)
            line = _line(table, row, column, f"C{number}", f"4{source.dialect.decimal}25")
            if line["expect"] != line["value"]:
                row.cells[column.name] = replace(Cell(line["value"], "read", 4.25))
                lines.append(line)
                plan.corrected.append((row, column.name))
        name = f"corrections_{table.site}_{table.name}.csv"
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADER)
            writer.writeheader()
            writer.writerows(lines)
        table.mapping["corrections"] = name


def spoil_correction(plan: StudyPlan, folder: Path) -> str:
    """Let a correction expect another cell; return the source that it is about, "" where there is none."""
    for table in plan.tables:
        path = folder / table.mapping.get("corrections", "absent")
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                lines = list(csv.DictReader(file))
            if lines:
                lines[0]["expect"] = "never this"
                with path.open("w", encoding="utf-8", newline="") as file:
                    writer = csv.DictWriter(file, HEADER)
                    writer.writeheader()
                    writer.writerows(lines)
                return table.source
    return ""


def _line(table: TablePlan, row: Row, column: Column, name: str, value: str) -> dict[str, str]:
    return {
        "id": name,
        "participant": row.stripped(f"id_{table.name}"),
        "visit": _visit(table, row),
        "column": column.name,
        "expect": row.text(column.name).strip(),
        "value": value,
        "reason": "a slip of the pen",
        "provider": "the site",
        "date": "2026-01-02",
        "entry": row.stripped("test") if table.one("analyte") else "",
    }


def _has_visit(table: TablePlan) -> bool:
    return table.one("visit") is not None or table.one("row_date") is not None or table.one("row_day") is not None


def _visit(table: TablePlan, row: Row) -> str:
    column = table.one("visit") or table.one("row_date") or table.one("row_day")
    return row.stripped(column.name).strip() if column else ""


def _key(table: TablePlan, row: Row) -> Hashable:
    test = row.stripped("test") if table.one("analyte") else ""
    return row.stripped(f"id_{table.name}"), _visit(table, row), test
