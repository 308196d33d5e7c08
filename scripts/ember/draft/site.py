"""One site: its tables together, its visits, and what is open."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ember.draft.dates import parsed
from ember.draft.hint import FileDraft
from ember.draft.laboratory import map_laboratory
from ember.draft.mapping import date_order, map_table
from ember.draft.notes import Notes
from ember.draft.preset import preset_of
from ember.draft.proposal import LEAST_CONFIDENCE, Proposal
from ember.draft.sample import Sample, sample_of
from ember.draft.table import Found, find_meanings, read_columns
from ember.draft.tools import Tools
from ember.draft.visits import PlannedVisit, planned_visits
from ember.errors import EmberError

REPEATED = "stand more than once"
Dates = dict[str, list[tuple[str, str]]]
KEY_ORDER = (
    "participant", "rows", "time_zero", "visits", "missing", "columns", "measurements", "laboratory", "instruments",
)  # fmt: skip


@dataclass
class TableDraft:
    """A source of a site and its mapping; `found` is None where the file could not be read."""

    file: FileDraft
    notes: Notes
    mapping: dict[str, Any] = field(default_factory=dict)
    found: Found | None = None
    n_rows: int = 0
    whole: bool = True


@dataclass
class SiteDraft:
    """A site's tables, the roster first, and the planned visits that they name."""

    id: str
    tables: list[TableDraft]
    visits: dict[str, PlannedVisit] = field(default_factory=dict)

    @property
    def proposals(self) -> list[Proposal]:
        """What the draft says of each table, in their order."""
        return [proposal for table in self.tables for proposal in table.notes.proposals]

    @property
    def open_points(self) -> list[Proposal]:
        """What people have to settle."""
        return [proposal for proposal in self.proposals if proposal.is_open]


def draft_site(site: str, files: Sequence[FileDraft], tools: Tools) -> SiteDraft:
    """Return what the extracts of one site say of themselves."""
    tables = [_draft_table(site, file, tools) for file in files]
    draft = SiteDraft(site, sorted(tables, key=lambda table: -_roster_worth(table)))
    _one_table_each(draft)
    _add_visits(draft, tools)
    for table in draft.tables:
        table.mapping = {key: table.mapping[key] for key in KEY_ORDER if key in table.mapping}
    return draft


def _draft_table(site: str, file: FileDraft, tools: Tools) -> TableDraft:
    notes = Notes(site, file.id)
    draft = TableDraft(file, notes)
    for hint in file.hints:
        notes.propose("", hint.key, str(hint.value), hint.evidence, hint.confidence)
        if hint.alternatives:
            notes.leave("", hint.key, hint.alternatives, hint.evidence)
    if file.keys.get("names"):
        notes.leave(
            "", "names", [], f"the {len(file.keys['names'])} columns have no names; those in `names:` are invented"
        )
    try:
        sample = sample_of(file.source(file.shown))
    except (EmberError, KeyError) as error:
        again = _with_two_header_rows(draft, error, notes)
        if again is None:
            return draft
        sample = again
    table = sample.table
    draft.whole = sample.whole
    if not sample.whole:
        notes.propose("", "sample", f"{table.frame.height}", "only the first rows of the file were looked at", 0.99)
    draft.n_rows = table.n_rows
    draft.found = found = find_meanings(read_columns(draft.file, table, tools))
    draft.mapping = map_table(found, notes)
    laboratory = map_laboratory(found, notes)
    if laboratory:
        draft.mapping["laboratory"] = laboratory
        draft.mapping.pop("measurements", None)
    _sites_inside(found, notes)
    _medicines(found, notes)
    preset = preset_of(table.names)
    if preset:
        notes.skip("", f"the table has the columns of the preset {preset}, which may stand in place of its mapping")
    return draft


def _medicines(found: Found, notes: Notes) -> None:
    key = found.of("role", "medicine")
    if key is not None:
        roles = [f"{{name: {key[0]}, role: {role}}}" for role in ("concomitant", "background", "arm")]
        notes.leave(key[0], "treatments", roles, f"{key[1].evidence}; no column says why the medicine was taken")


def _with_two_header_rows(draft: TableDraft, error: Exception, notes: Notes) -> Sample | None:
    """Return the table read with two rows of names, where one row repeats names; None where that is no help."""
    row = draft.file.source("").header_row
    if REPEATED in str(error) and row > 1:
        keys = {**draft.file.keys, "header_row": row - 1, "header_rows": 2}
        two = replace(draft.file, keys=keys)
        try:
            sample = sample_of(two.source(two.shown))
        except EmberError:
            sample = None
        if sample is not None:
            draft.file = two
            notes.leave("", "header_rows", ["2"], "names stand twice in one row, and together with the row above once")
            return sample
    notes.leave("", "file", [], _why_unread(error))
    return None


def _why_unread(error: Exception) -> str:
    if not isinstance(error, EmberError):
        return "there is no reader for this format"
    first = error.what.splitlines()[0]
    # A header may be a row of participants: its cells are not repeated.
    return first.split(":")[0].rstrip(".") if REPEATED in first else first.rstrip(".")


def _sites_inside(found: Found, notes: Notes) -> None:
    key = found.of("role", "site")
    if key is None or len(found.columns.profile(key[0]).codes) < 2:
        return
    base, meaning = key
    codes = found.columns.profile(base).codes
    rows = [f"{{column: {base}, equals: {code}}}" for code in codes]
    notes.leave(base, "rows", rows, f"{meaning.evidence}: {len(codes)} codes that at least 5 rows hold may be sites")


def _roster_worth(table: TableDraft) -> float:
    columns = len(table.mapping.get("columns", {})) + ("time_zero" in table.mapping)
    return columns - 0.1 * ("laboratory" in table.mapping)


def _one_table_each(draft: SiteDraft) -> None:
    """Keep each participant column and the time zero in the first table that has them."""
    seen: set[str] = set()
    for table in draft.tables:
        columns = table.mapping.get("columns", {})
        for name in [name for name in columns if name in seen]:
            table.notes.skip(columns.pop(name)["column"], f"'{name}' is mapped in another table already")
        seen |= set(columns)
        if "columns" in table.mapping and not columns:
            del table.mapping["columns"]
        if "time_zero" in table.mapping and "time_zero" in seen:
            del table.mapping["time_zero"]
        if "time_zero" in table.mapping:
            seen.add("time_zero")


def _add_visits(draft: SiteDraft, tools: Tools) -> None:
    zero = _time_zeros(draft)
    days: dict[str, float] = {}
    codes: list[str] = []
    for table in draft.tables:
        if table.found is None:
            continue
        codes += _visit_codes(table.found)
        for code, values in _days(table, zero).items():
            days.setdefault(code, values)
    columns = [key[0] for table in draft.tables if table.found and (key := table.found.of("role", "visit"))]
    named = columns[0] if len(set(columns)) == 1 else ""
    planned = planned_visits(list(dict.fromkeys(codes)), days, tools.lexicon, named)
    for table in draft.tables:
        if table.found is not None:
            _write_visits(table, table.found, planned)
            _measured_visits(table, table.found)
    used = {code: visit for code, visit in planned.items() if visit.id and visit.confidence >= LEAST_CONFIDENCE}
    draft.visits = {visit.id: visit for visit in used.values()}


def _visit_codes(found: Found) -> list[str]:
    if found.columns.wide:
        return list(found.columns.wide.suffixes)
    key = found.of("role", "visit")
    return list(found.columns.profile(key[0]).codes) if key else []


def _time_zeros(draft: SiteDraft) -> dict[str, datetime.date]:
    for table in draft.tables:
        zero = table.mapping.get("time_zero")
        if zero and table.found and "participant" in table.mapping:
            frame = table.found.columns.table.frame
            pairs = zip(frame[table.mapping["participant"]], frame[zero["column"]], strict=True)
            dated = ((one.strip(), parsed(text.strip(), zero["date"])) for one, text in pairs)
            return {one: day for one, day in dated if day is not None}
    return {}


def _days(table: TableDraft, zero: dict[str, datetime.date]) -> dict[str, float]:
    """Return the median study day of each visit's rows, where dates or a column of days tell it."""
    found = table.found
    assert found is not None
    if "participant" not in table.mapping:
        return {}
    frame = found.columns.table.frame
    ids = [one.strip() for one in frame[table.mapping["participant"]]]
    date, wide, visit = found.of("role", "date"), found.columns.wide, found.of("role", "visit")
    collected: dict[str, list[float]] = {}
    if date and len(found.columns.profile(date[0]).dates.orders) == 1:
        order = found.columns.profile(date[0]).dates.orders[0]
        if wide and date[0] in wide.bases:
            columns = {code: list(frame[name]) for code, name in wide.bases[date[0]].items()}
            rows = [(one, code, cells[at]) for code, cells in columns.items() for at, one in enumerate(ids)]
        elif visit:
            codes = [code.strip() for code in frame[visit[0]]]
            rows = list(zip(ids, codes, frame[date[0]], strict=True))
        else:
            rows = []
        for one, code, text in rows:
            day = parsed(text.strip(), order)
            if day is not None and one in zero:
                collected.setdefault(code, []).append((day - zero[one]).days)
    elif visit and (number := found.of("role", "study_day")):
        for code, text in zip(frame[visit[0]], frame[number[0]], strict=True):
            if text.strip().lstrip("-").isdigit():
                collected.setdefault(code.strip(), []).append(float(text))
    return {code: float(np.median(values)) for code, values in collected.items()}


def _write_visits(table: TableDraft, found: Found, planned: dict[str, PlannedVisit]) -> None:
    mapping, notes, wide = table.mapping, table.notes, found.columns.wide
    holds = any(key in mapping for key in ("measurements", "laboratory", "instruments"))
    visit = found.of("role", "visit")
    date = found.of("role", "date")
    if not holds and not (wide or visit):
        return
    told = [code for code in _visit_codes(found) if planned[code].confidence >= LEAST_CONFIDENCE]
    codes = {code: planned[code].id for code in sorted(told, key=lambda code: planned[code].day or 0)}
    made: dict[str, Any] = {}
    if wide and codes:
        notes.propose("", "visits", "wide", f"{len(wide.bases)} names repeat with {', '.join(wide.suffixes)}", 0.95)
        made["wide"] = codes
        if wide.pattern != "{column}_{visit}":
            made["pattern"] = wide.pattern
    elif visit and codes:
        notes.propose(visit[0], "visits", "long", visit[1].evidence, visit[1].confidence)
        made["long"] = {"column": visit[0], "codes": codes}
    elif holds and not (wide or visit):
        repeated = "ids repeat" if _repeats(mapping, found) else "each participant has one row"
        notes.leave("", "visits", ["single: baseline"], f"no name and no column tells the visit; {repeated}")
    for code in _visit_codes(found):
        if code in codes:
            notes.propose("", "visit", f"{code} = {codes[code]}", planned[code].evidence, planned[code].confidence)
        elif planned[code].id:
            notes.leave("", "visit", [f"{code} = {planned[code].id}"], planned[code].evidence)
        else:
            notes.leave("", "visit", [], planned[code].evidence)
    if made and date:
        notes.propose(date[0], "visit_date", "date", date[1].evidence, date[1].confidence)
        order = date_order(found, date[0], notes)
        if order:
            made["date"] = {"column": date[0], "date": order}
    if made:
        mapping["visits"] = made


def _repeats(mapping: dict[str, Any], found: Found) -> bool:
    if "participant" not in mapping:
        return False
    profile = found.columns.profile(mapping["participant"])
    return profile.n_distinct < profile.n_filled


def _measured_visits(table: TableDraft, found: Found) -> None:
    """Say at which visits an analyte was measured, where there are visits without a single value of it."""
    visits = table.mapping.get("visits", {})
    wide, long = visits.get("wide"), visits.get("long")
    for entry in table.mapping.get("measurements", {}).values():
        base = entry["column"]
        if wide and found.columns.wide:
            here = [visit for code, visit in wide.items() if code in found.columns.wide.bases.get(base, {})]
            every = list(wide.values())
        elif long:
            frame = found.columns.table.frame
            filled = set(frame.filter(frame[base].str.strip_chars() != "")[long["column"]].str.strip_chars())
            here, every = (
                [visit for code, visit in long["codes"].items() if code in filled],
                list(long["codes"].values()),
            )
        else:
            continue
        if here and len(here) < len(every):
            entry["visits"] = here
