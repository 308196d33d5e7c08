"""What must become of each row, worked out from what was written and not from what EMBER read."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from ember.provenance.privacy_key import PUBLISHED_KEY
from tests.prove.dirty_cells import EMPTY
from tests.prove.dirty_conditions import consent_rules
from tests.prove.dirty_plan import CODES, TESTS, VISITS, StudyPlan, TablePlan
from tests.prove.dirty_rows import Row, header_of

Rules = frozenset[str]
KEPT: Rules = frozenset()


@dataclass
class Fates:
    """What becomes of rows: the rules under which one may leave (`KEPT`: it stays), its visit and its study day."""

    rules: dict[Row, Rules] = field(default_factory=dict)
    visit: dict[Row, str | None] = field(default_factory=dict)
    claimed: dict[Row, str] = field(default_factory=dict)

    def kept(self, rows: Sequence[Row], table: TablePlan) -> list[Row]:
        return [row for row in rows if row.table is table and self.rules[row] == KEPT]


def pseudonym(site: str, written: str) -> str:
    """Return the pseudonym of an id as the manual describes it."""
    message = site.encode() + b"\0" + written.encode()
    return hmac.new(PUBLISHED_KEY, message, hashlib.sha256).hexdigest()[:20]


def person_of(row: Row) -> str:
    """Return the written id of a row's participant, without white space around it."""
    assert row.table is not None
    return row.stripped(f"id_{row.table.name}")


def fates(plan: StudyPlan, rows: Mapping[str, Sequence[Row]]) -> Fates:
    """Return the fate of every row of every source."""
    found = Fates()
    for source, listed in rows.items():
        header = header_of(list(listed), plan, source)
        joins = "join" in plan.sources[source].entry
        for row in listed:
            found.rules[row] = _on_reading(row, header, joins, bool(plan.sources[source].partner_of))
    for tables in plan.sites.values():
        _without_consent(tables, rows, found)
        starts = _starts(tables, rows, found)
        roster: set[str] | None = None
        for table in tables:
            own = [row for row in rows[table.source] if row.table is table and found.rules[row] == KEPT]
            _sort(plan, table, own, starts, roster, found)
            if roster is None:
                roster = {person_of(row) for row in own if found.rules[row] == KEPT}
    return found


def _on_reading(row: Row, header: Sequence[str], joins: bool, partner: bool) -> Rules:
    blank = all(not row.stripped(name) for name in header)
    if row.shape != "data":
        return (
            frozenset({"row.wrong_width", "row.blank"})
            if blank or row.shape == "empty"
            else frozenset({"row.wrong_width"})
        )
    if blank:
        return frozenset({"row.blank"})
    if joins and row.partnerless:
        return frozenset({"row.no_partner"})
    if row.table is None and not partner:
        return frozenset({"row.unclaimed"})
    return KEPT


def _without_consent(tables: Sequence[TablePlan], rows: Mapping[str, Sequence[Row]], found: Fates) -> None:
    """Let rows of people who did not agree leave; who is not asked did not agree."""
    people = consent_rules(tables, rows)
    for table in tables if people is not None else ():
        for row in rows[table.source]:
            if row.table is table and found.rules[row] == KEPT and person_of(row) and people is not None:
                rule = people.get(person_of(row), "consent.unknown")
                found.rules[row] = frozenset({rule}) if rule else KEPT


def _starts(tables: Sequence[TablePlan], rows: Mapping[str, Sequence[Row]], found: Fates) -> dict[str, int]:
    """Return day zero by participant, of those for whom all rows agree."""
    days: dict[str, set[int]] = {}
    for table in tables:
        zero = table.one("zero")
        for row in rows[table.source] if zero else ():
            if row.table is table and found.rules[row] == KEPT and zero:
                day = row.cells[zero.name].day
                if day is not None and person_of(row):
                    days.setdefault(person_of(row), set()).add(day)
    return {person: next(iter(told)) for person, told in days.items() if len(told) == 1}


def _sort(
    plan: StudyPlan,
    table: TablePlan,
    rows: Sequence[Row],
    starts: Mapping[str, int],
    roster: set[str] | None,
    found: Fates,
) -> None:
    seen: set[Hashable] = set()
    days: dict[Row, int | None] = {}
    for row in rows:
        visit, day, unplaced = _place(table, row, starts)
        found.visit[row], days[row] = visit, day
        rule = None if person_of(row) else "row.no_participant"
        content = _content(plan, row)
        if rule is None and content in seen:
            rule = "row.duplicate_exact"
        seen.add(content)
        if rule is None and roster is not None and person_of(row) not in roster:
            rule = "row.not_in_roster"
        rule = rule or unplaced
        if rule is None and table.one("analyte") and row.stripped("test") not in TESTS:
            rule = "row.unknown_analyte"
        found.rules[row] = frozenset({rule}) if rule else KEPT
    if table.name != "drugs":
        _refuse_contradictions(table, [row for row in rows if found.rules[row] == KEPT], days, found)


def _refuse_contradictions(table: TablePlan, rows: Sequence[Row], days: Mapping[Row, int | None], found: Fates) -> None:
    laboratory = table.one("analyte") is not None

    def key(row: Row) -> Hashable:
        return person_of(row), found.visit[row], *((row.stripped("test"), days[row]) if laboratory else ())

    counts = Counter(key(row) for row in rows)
    keep = table.mapping.get("duplicates", {}).get("keep")
    chosen = {key(row): row for row in (rows if keep == "last" else reversed(rows))}
    for row in rows:
        if counts[key(row)] > 1 and keep is None:
            found.rules[row] = frozenset({"row.duplicate_conflict"})
        elif counts[key(row)] > 1 and chosen[key(row)] is not row:
            found.rules[row] = frozenset({"row.duplicate_resolved"})


def _place(table: TablePlan, row: Row, starts: Mapping[str, int]) -> tuple[str | None, int | None, str | None]:
    """Return visit, study day and the rule of a row that has no place."""
    visits = table.mapping["visits"]
    if "wide" in visits:
        return None, None, None
    if "single" in visits:
        return visits["single"], None, None
    if "long" in visits:
        visit = {code.strip(): name for code, name in CODES.items()}.get(row.stripped(f"event_{table.name}"))
        return visit, None, None if visit else "row.unknown_visit"
    column = table.one("row_date") or table.one("row_day")
    assert column is not None
    cell = row.cells[column.name]
    if cell.status in {"empty", "missing_code", "user_missing"}:
        return None, None, "row.no_date"
    if cell.day is None:
        return None, None, "row.date_unreadable"
    if column.kind == "row_day":
        day = cell.day + column.item
    elif person_of(row) not in starts:
        return None, None, "row.no_time_zero"
    else:
        day = cell.day - starts[person_of(row)]
    held = [name for name, visit in VISITS.items() if visit["from"] <= day <= visit["to"]]
    return (held[0], day, None) if held else (None, day, "row.outside_windows")


def _content(plan: StudyPlan, row: Row) -> Hashable:
    """Return what has to be the same in two rows for one to repeat the other."""
    assert row.table is not None
    source = plan.sources[row.table.source]
    ids = {f"id_{table.name}" for table in plan.tables if table.source == source.id}
    cells = []
    for name in sorted(row.cells):
        cell = row.cells.get(name, EMPTY)
        if name in ids or name == "twice":
            continue
        told = cell.number if name in source.numeric and cell.status != "empty" else cell.stripped
        if told not in ("", None):
            cells.append((name, told))
    return person_of(row), tuple(cells)
