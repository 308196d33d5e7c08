"""Hold what EMBER made of dirty extracts against what was written into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tests.prove.dirty_cells import BLANKS, Cell
from tests.prove.dirty_fates import KEPT, Fates, fates, person_of, pseudonym
from tests.prove.dirty_plan import SIGNS, TESTS, TUBES, Column, StudyPlan, TablePlan
from tests.prove.dirty_rows import Row
from tests.prove.dirty_run import Outcome

MISSING = {"missing_code": "value.missing_code", "user_missing": "value.user_missing"}
VALUES = ("zero", "visit_date", "death", "attribute", "measurement", "derived", "result", "item", "treatment")
UNREADABLE = {
    "zero": "visit.date_unreadable",
    "visit_date": "visit.date_unreadable",
    "death": "value.date_unreadable",
    "measurement": "value.not_numeric",
    "derived": "value.not_numeric",
    "result": "value.not_numeric",
    "item": "value.not_numeric",
}
NUMBERS = {"age", "bmi"}
VISIT_RULES = frozenset(
    f"visit.{name}"
    for name in (
        *("date_unreadable", "before_enrolment", "date_order", "no_date", "no_time_zero"),
        *("after_death", "after_withdrawal"),
    )
)
HARMONISED = {
    "value.unit_unknown", "value.factor_undeclared", "value.limit_missing", "value.outside_hard_limits",
    "value.finding_excluded",
}  # fmt: skip
Place = tuple[str, int, str]


@dataclass(frozen=True)
class Written:
    """A mapped cell that is not empty, in a row that stays: where it stands and what was meant."""

    row: Row
    table: TablePlan
    column: Column
    cell: Cell
    file: str

    @property
    def place(self) -> Place:
        return self.file, self.row.line, self.column.name


def check(plan: StudyPlan, rows: Mapping[str, Sequence[Row]], outcome: Outcome, withdrawals: bool) -> list[str]:
    """Return everything that is not as it has to be; nothing where all is well."""
    faults: list[str] = []
    found = fates(plan, rows)
    faults += _rows_faults(plan, rows, found, outcome)
    for site, tables in plan.sites.items():
        census = list(_census(plan, tables, rows, found))
        faults += _cell_faults(plan, site, census, outcome, withdrawals)
        faults += _value_faults(site, tables, rows, found, census, outcome)
        faults += _told_faults(site, census, outcome)
        faults += _harmonised_faults(site, outcome)
    return [fault for fault in faults if fault]


def _rows_faults(plan: StudyPlan, rows: Mapping[str, Sequence[Row]], found: Fates, outcome: Outcome) -> Iterator[str]:
    """Each row that has to leave stands once in the ledger, under its rule; no other row does."""
    changed = outcome.ledger.filter(pl.col("action") == "corrected").select("source_file", "row_number", "column")
    wanted = Counter(
        (plan.sources[row.table.source].file, row.line, column)
        for row, column in plan.corrected
        if not any(rule.startswith("consent.") for rule in found.rules[row])
    )
    if Counter(changed.rows()) != wanted:
        yield f"{changed.height} cells were corrected, not {wanted.total()}, or others"
    ledger = outcome.ledger.filter(pl.col("unit") == "row")
    listed = Counter(ledger.select("source_file", "row_number").rows())
    rule = {(file, number): name for file, number, name in ledger.select("source_file", "row_number", "rule_id").rows()}
    yield from (f"row {place} stands {n} times in the ledger" for place, n in listed.items() if n > 1)
    for source, every in rows.items():
        for row in every:
            given = rule.pop((plan.sources[source].file, row.line), None)
            allowed = found.rules[row]
            if (given is None) != (allowed == KEPT) or (given is not None and given not in allowed):
                yield f"row {source}:{row.line} left as {given}, not as {'|'.join(sorted(allowed)) or 'kept'}"
        accounts = outcome.reads[source]
        left = outcome.ledgers[source].filter(pl.col("unit") == "row").height
        total = sum(accounts.counts.values()) + left + accounts.partners
        if total != len(every) or accounts.tally.n_rows != len(every):
            yield f"{source} has {len(every)} rows; {total} are accounted for, {accounts.tally.n_rows} were counted"
    yield from (f"the ledger names row {place}, where no record starts" for place in rule)


def _census(
    plan: StudyPlan, tables: Sequence[TablePlan], rows: Mapping[str, Sequence[Row]], found: Fates
) -> Iterator[Written]:
    for table in tables:
        columns = table.of(*VALUES)
        for row in found.kept(rows[table.source], table):
            for column in columns:
                cell = row.cells[column.name]
                if _mapped(column, table, found.visit[row]) and cell.status != "empty":
                    yield Written(row, table, column, cell, plan.sources[table.source].file)


def _mapped(column: Column, table: TablePlan, visit: str | None) -> bool:
    """Return whether a column is mapped in a row of that visit; names tell the visit in a wide table."""
    return "wide" in table.mapping["visits"] or not column.only or visit in column.only


def _cell_faults(
    plan: StudyPlan, site: str, census: Sequence[Written], outcome: Outcome, withdrawals: bool
) -> Iterator[str]:
    """Each cell stands in one place: a standard table, or the ledger under a rule that it deserves."""
    standard = outcome.standard[site]
    ledger = standard.ledger.filter((pl.col("unit") == "value") & (pl.col("action") != "flagged"))
    listed = Counter(ledger.select("source_file", "row_number", "column").rows())
    rule = {
        place: name
        for *place_, name in ledger.select("source_file", "row_number", "column", "rule_id").rows()
        for place in [tuple(place_)]
    }
    measured = {
        tuple(row[:3]): row[3:]
        for row in standard.measurements.select(
            "source_file", "row_number", "column", "number", "operator", "value_reported", "analyte", "participant_id"
        ).rows()
    }
    items = {
        tuple(row[:3]): row[3:]
        for row in standard.items.select("source_file", "row_number", "column", "value", "participant_id").rows()
    }
    treated: dict[tuple[str, int], list[str]] = {}
    for file, number, name in standard.treatments.select("source_file", "row_number", "name_reported").rows():
        treated.setdefault((file, number), []).append(name)
    yield from (f"cell {place} stands {n} times in the ledger" for place, n in listed.items() if n > 1)
    known = {written.place for written in census}
    yield from (f"the ledger names cell {place}, which was not written" for place in rule if place not in known)
    yield from (f"{place} became a value and was not written" for place in {**measured, **items} if place not in known)
    dated = withdrawals or any(
        table.one("visit_date") or table.one("death") or table.one("row_date") or table.one("row_day")
        for table in plan.sites[site]
    )
    for written in census:
        place, kind = written.place, written.column.kind
        given = rule.get(place)
        allowed = _allowed(written, dated)
        shown = (place in measured) + (place in items)
        if kind in {"measurement", "derived", "result", "item"} and shown + (given is not None) != 1:
            yield f"{kind} {place} stands in {shown} tables and under {given}"
        if given not in allowed:
            yield f"{kind} {place} ({written.cell.status}) left as {given}, not as {sorted(map(str, allowed))}"
        if place in measured:
            yield from _number_faults(plan, site, written, *measured[place])
        if place in items and items[place] != (written.cell.number, pseudonym(site, person_of(written.row))):
            yield f"item {place} became another number or another person's"
        if kind == "treatment" and given is None:
            names = treated.get(place[:2], [])
            lost = [name for name in written.cell.names if not any(name in shown_name for shown_name in names)]
            if lost:
                yield f"treatment {place}: {len(lost)} names are lost"


def _allowed(written: Written, dated: bool) -> set[str | None]:
    cell, kind = written.cell, written.column.kind
    if cell.status in MISSING:
        return {MISSING[cell.status]}
    visit: set[str | None] = set(VISIT_RULES) if dated and kind not in {"zero", "death", "attribute"} else set()
    if cell.status == "not_derived":
        return {"value.not_derived", *visit}
    if cell.status == "outside":
        return {"value.outside_hard_limits"}
    if cell.status == "unreadable":
        if kind == "visit_date":
            return {UNREADABLE[kind]}
        return {
            UNREADABLE.get(kind, "value.not_numeric" if written.column.target in NUMBERS else "value.not_in_codes"),
            *visit,
        }
    if kind in {"zero", "death", "attribute", "visit_date"}:
        return {None, "value.conflict", *visit}
    further = {"value.further_sample"} if written.table.one("row_date") or written.table.one("row_day") else set()
    if kind in {"measurement", "derived"}:
        return {None, *visit, *further}
    if kind != "result":
        return {None, *visit}
    return {_result_rule(written), *visit, *further}


def _result_rule(written: Written) -> str | None:
    row = written.row
    if "specimen" in written.table.mapping["laboratory"] and row.stripped("tube") not in {"", *TUBES}:
        return "value.specimen_unknown"
    if "operator" in written.table.mapping["laboratory"] and row.stripped("sign"):
        sign = SIGNS.get(row.stripped("sign"))
        own, number = written.cell.operator, written.cell.number or 0.0
        if sign is None or (sign in "<>" and ((own and own != sign) or number < 0)):
            return "value.operator_unclear"
    return None


def _number_faults(
    plan: StudyPlan, site: str, written: Written, number: float, operator: str, text: str, analyte: str, person: str
) -> Iterator[str]:
    cell, column, place = written.cell, written.column, written.place
    if number != cell.number:
        yield f"{column.kind} {place} became another number"
    if operator != _operator(written):
        yield f"{column.kind} {place} has the sign '{operator}'"
    source = plan.sources[written.table.source]
    same = text.rstrip() == cell.text.rstrip() if source.format == "spss" else text == cell.text
    if column.kind != "derived" and column.name not in source.numeric and not same:
        yield f"{column.kind} {place} is reported with another text"
    if analyte != (TESTS[written.row.stripped("test")] if column.kind == "result" else column.target):
        yield f"{column.kind} {place} became {analyte}"
    if person != pseudonym(site, person_of(written.row)):
        yield f"{column.kind} {place} became another person's"


def _operator(written: Written) -> str:
    """Return the sign that a result has by its own text, the sign or the flag beside it, or a declared fill."""
    cell, row = written.cell, written.row
    if cell.operator:
        return cell.operator
    if written.column.kind == "result":
        sign = SIGNS.get(row.stripped("sign"), "") if "operator" in written.table.mapping["laboratory"] else ""
        return sign if sign in "<>" else ""
    below = written.table.mapping["measurements"][written.column.target].get("below", {})
    if "heap" in below and cell.number is not None and abs(cell.number - below["heap"]) <= 1e-9 * below["heap"]:
        return "<"
    if "column" in below:
        flags = written.table.of("flag")
        flag = next(f for f in flags if (f.target, f.visit) == (written.column.target, written.column.visit))
        return "<" if row.stripped(flag.name) in below["codes"] else ""
    return ""


def _value_faults(
    site: str,
    tables: Sequence[TablePlan],
    rows: Mapping[str, Sequence[Row]],
    found: Fates,
    census: Sequence[Written],
    outcome: Outcome,
) -> Iterator[str]:
    """The account of values counts each mapped cell once."""
    standard = outcome.standard[site]
    account = next(account for account in standard.accounts if account.unit == "value")
    cells = sum(
        _mapped(column, table, found.visit[row])
        for table in tables
        for row in found.kept(rows[table.source], table)
        for column in table.of(*VALUES)
    )
    listed = standard.ledger.filter((pl.col("unit") == "value") & (pl.col("action") != "flagged"))
    left = set(listed.select("source_file", "row_number", "column").rows())
    used = sum(written.column.kind == "treatment" and written.place not in left for written in census)
    split = standard.treatments.height - used
    if account.n_created != cells + split:
        yield f"{site}: {account.n_created} values are created, {cells + split} were written"
    if len(census) != account.n_out - split + account.n_collapsed + listed.height:
        yield f"{site}: of {len(census)} cells {account.n_out - split + account.n_collapsed + listed.height} are found"


def _told_faults(site: str, census: Sequence[Written], outcome: Outcome) -> Iterator[str]:
    """What does not change stands in the table of participants as it was told, or all of it is a conflict."""
    standard = outcome.standard[site]
    left = {
        (file, number, column): rule
        for file, number, column, rule in standard.ledger.filter(pl.col("action") != "flagged")
        .select("source_file", "row_number", "column", "rule_id")
        .rows()
    }
    people = {row["participant_id"]: row for row in standard.participants.to_dicts()}
    told: dict[tuple[str, str, str], list[Written]] = {}
    for written in census:
        if written.column.kind in {"zero", "death", "attribute"} and written.cell.status == "read":
            name = written.column.target or written.column.kind
            told.setdefault((person_of(written.row), name, written.column.kind), []).append(written)
    for (person, name, kind), cells in told.items():
        values = {
            cell.cell.day if kind != "attribute" else cell.cell.number if name in NUMBERS else cell.cell.meaning
            for cell in cells
        }
        rules = {left.get(cell.place) for cell in cells}
        if rules != ({None} if len(values) == 1 else {"value.conflict"}):
            where = cells[0].place[:2]
            yield f"{name} of the person of row {where}: {len(values)} values left as {sorted(map(str, rules))}"
        row = people.get(pseudonym(site, person))
        if row is None:
            yield f"the person of row {cells[0].place[:2]} is not a participant"
        elif kind == "attribute" and row[name] != (next(iter(values)) if len(values) == 1 else None):
            yield f"{name} of the person of row {cells[0].place[:2]} became something else"
    yield from _day_faults(site, census, left, outcome)


def _day_faults(site: str, census: Sequence[Written], left: Mapping[Place, str], outcome: Outcome) -> Iterator[str]:
    """A usable date, counted from the participant's day zero, is the study day of the visit."""
    zero = {
        person_of(written.row): written.cell.day
        for written in census
        if written.column.kind == "zero" and written.cell.day is not None and written.place not in left
    }
    days = {tuple(row) for row in outcome.standard[site].visits.select("participant_id", "study_day").rows()}
    for written in census:
        if written.column.kind == "visit_date" and written.cell.day is not None and written.place not in left:
            start = zero.get(person_of(written.row))
            if start is None:
                yield f"date {written.place} is used without a day zero"
            elif (pseudonym(site, person_of(written.row)), written.cell.day - start) not in days:
                yield f"date {written.place} is no visit's day"


def _harmonised_faults(site: str, outcome: Outcome) -> Iterator[str]:
    """Each result and each answer of the standard tables goes on, or leaves under one rule."""
    standard, result = outcome.standard[site], outcome.harmonised[site]
    ledger = result.ledger.filter(pl.col("action") != "flagged")
    key = ["source_file", "row_number"]
    gone = Counter(ledger.filter(pl.col("rule_id").is_in(sorted(HARMONISED))).select(*key, "column").rows())
    yield from (f"result {place} left {n} times" for place, n in gone.items() if n > 1)
    before = Counter(standard.measurements.select(*key, "analyte", "value_reported").rows())
    after = Counter(result.measurements.select(*key, "analyte", "value_reported").rows())
    left = standard.measurements.filter(
        pl.struct(*key, "column").is_in(
            pl.Series(
                [dict(zip([*key, "column"], place, strict=True)) for place in gone],
                dtype=pl.Struct({"source_file": pl.String, "row_number": pl.Int64, "column": pl.String}),
            ).implode()
        )
    )
    if before != after + Counter(left.select(*key, "analyte", "value_reported").rows()) or left.height != len(gone):
        yield f"{site}: results are lost between standardising and harmonising"
    if result.measurements["value"].is_null().any() or not result.measurements["value"].is_finite().all():
        yield f"{site}: a harmonised result has no value"
    yield from _score_faults(site, outcome)


def _score_faults(site: str, outcome: Outcome) -> Iterator[str]:
    standard, result = outcome.standard[site], outcome.harmonised[site]
    ledger = result.ledger.filter(pl.col("action") != "flagged")
    gone = set(ledger.filter(pl.col("column").is_not_null()).select("source_file", "row_number", "column").rows())
    incomplete = set(ledger.filter(pl.col("rule_id") == "score.incomplete").select("source_file", "row_number").rows())
    scores = {
        tuple(row[:3]): row[3] for row in result.scores.select("participant_id", "visit", "instrument", "score").rows()
    }
    answers: dict[tuple[str, str, str], list[tuple[int, float, tuple[str, int]]]] = {}
    for row in standard.items.iter_rows(named=True):
        if (row["source_file"], row["row_number"], row["column"]) not in gone:
            name = (row["participant_id"], row["visit"], row["instrument"])
            answers.setdefault(name, []).append((row["item"], row["value"], (row["source_file"], row["row_number"])))
    for name, given in answers.items():
        if name not in scores and not incomplete & {place for _, _, place in given}:
            yield f"{site}: answers of one questionnaire of row {given[0][2]} are lost"
        points = list({item: value for item, value, _ in given if item}.values())
        if name[2] == "phq9" and len(points) == 9 and scores.get(name) != sum(points):
            yield f"{site}: the score of row {given[0][2]} is not the sum of its answers"
    yield from (f"{site}: a score of no answer" for name in scores if name not in answers)


def secrets_in(text: str, rows: Mapping[str, Sequence[Row]]) -> int:
    """Return how many participant ids and texts of cells stand in a message."""
    told = set()
    for row in (row for listed in rows.values() for row in listed):
        for name, cell in row.cells.items():
            plain = cell.text.strip(BLANKS)
            if (name.startswith("id_") or name.startswith("note") or cell.status == "unreadable") and len(plain) > 5:
                told.add(plain)
    return sum(1 for secret in told if secret in text)
