"""Rows of dirty extracts: people, their visits, and everything that goes wrong with a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from tests.prove.dirty_cells import (
    EMPTY,
    Cell,
    Dialect,
    code_cell,
    date_cell,
    number_cell,
    text_cell,
    treatment_cell,
    whole_cell,
)
from tests.prove.dirty_plan import (
    ARMS,
    CHOICES,
    CODES,
    SEX,
    SMOKER,
    TESTS,
    VISITS,
    Column,
    SourcePlan,
    StudyPlan,
    TablePlan,
)

SEX_NAMES = {"female": "female", "Women": "female", "weiblich": "female", "F": "female"}
IDS = ("{:04d}", "P-{:x}", "ID {:d}", "p\u00e4t{:d}", "\U0001f600{:d}", "00{:d}", "=id{:d}", 'q"{:d}')
FIRST_DAY = 18262


@dataclass(eq=False)
class Row:
    """One record: its cells by column, the table whose row it is, and where it starts in the file.

    `shape` is data, short (cells are lost), long (cells too many) or empty (no cell at all).
    """

    cells: dict[str, Cell]
    table: TablePlan | None
    shape: str = "data"
    line: int = 0
    partnerless: bool = False

    def text(self, column: str) -> str:
        return self.cells.get(column, EMPTY).text

    def stripped(self, column: str) -> str:
        return self.cells.get(column, EMPTY).stripped

    @property
    def blank(self) -> bool:
        return all(not cell.stripped for cell in self.cells.values())


@dataclass
class Person:
    """Whoever is behind the rows of one id: the true day zero, and what is told of them."""

    id: str
    zero: int
    told: dict[str, Cell] = field(default_factory=dict)


def draw_rows(rng: Random, plan: StudyPlan) -> dict[str, list[Row]]:
    """Draw the rows of every source, in file order."""
    rows: dict[str, list[Row]] = {source: [] for source in plan.sources}
    for site, tables in plan.sites.items():
        people = _people(rng, plan, site)
        for place, table in enumerate(tables):
            source = plan.sources[table.source]
            here = [person for person in people if place == 0 or rng.random() < 0.9]
            if place and rng.random() < 0.4:
                here.append(Person(f"stranger-{rng.randrange(10**6)}", FIRST_DAY))
            own = [row for person in here for row in _rows_of(rng, plan, table, source, person)]
            own = own or [_row(rng, plan, table, source, people[0], "baseline", "CRP")]
            rows[table.source].extend(_dirtied(rng, own, table, source))
    for name, source in plan.sources.items():
        if source.partner_of:
            rows[name] = _partners(rng, plan, source, rows[source.partner_of])
        rows[name] = _with_strays(rng, rows[name], source)
    for row in (row for listed in rows.values() for row in listed):
        _derive(row)
    return rows


def header_of(rows: list[Row], plan: StudyPlan, source: str) -> list[str]:
    """Return the columns of a file."""
    derived = {column.name for table in plan.tables for column in table.of("derived")}
    brought = {name for entry in plan.sources[source].entry.get("join", ()) for name in entry["columns"]}
    named = dict.fromkeys(name for row in rows for name in row.cells)
    return [name for name in named if name not in derived | brought]


def _people(rng: Random, plan: StudyPlan, site: str) -> list[Person]:
    dialects = [plan.sources[table.source].dialect for table in plan.sites[site]]
    forms = [form for form in IDS if all(dialect.holds(form) for dialect in dialects)]
    start = rng.randrange(1000, 900000)
    count = rng.randint(60, 90) if plan.large else rng.randint(2, 6)
    return [Person(rng.choice(forms).format(start + place), FIRST_DAY + rng.randrange(600)) for place in range(count)]


def _rows_of(rng: Random, plan: StudyPlan, table: TablePlan, source: SourcePlan, person: Person) -> Iterator[Row]:
    visits = table.mapping["visits"]
    if table.one("analyte"):
        for visit in VISITS:
            for test in rng.sample(list(TESTS), rng.randint(0, 3)):
                yield _row(rng, plan, table, source, person, visit, test)
    elif "wide" in visits or "single" in visits:
        for _ in range(rng.randint(1, 3) if table.name == "drugs" else 1):
            yield _row(rng, plan, table, source, person, "baseline", "")
    else:
        for visit in VISITS:
            if rng.random() < 0.85:
                yield _row(rng, plan, table, source, person, visit, "")


def _row(
    rng: Random, plan: StudyPlan, table: TablePlan, source: SourcePlan, person: Person, visit: str, test: str
) -> Row:
    cells = {}
    for column in table.columns:
        at = column.visit or visit
        day = VISITS[at]["day"] + _jitter(rng, source.dialect, at)
        cells[column.name] = _cell(rng, plan, table, source, person, column, at, day, test)
    return Row(cells, table)


def _jitter(rng: Random, dialect: Dialect, visit: str) -> int:
    wild = rng.random() < dialect.dirt / 2
    return rng.choice([-400, -90, -40, 60, 500]) if wild else rng.randint(-4, 4 if VISITS[visit]["day"] else 0)


def _cell(
    rng: Random,
    plan: StudyPlan,
    table: TablePlan,
    source: SourcePlan,
    person: Person,
    column: Column,
    visit: str,
    day: int,
    test: str,
) -> Cell:
    dialect = source.dialect
    match column.kind:
        case "participant":
            return Cell(rng.choice([person.id] * 8 + [f" {person.id}", f"{person.id}\t"]))
        case "who":
            return Cell(rng.choice([table.who] * 8 + [f" {table.who}", f"{table.who}\t"]))
        case "visit":
            code = next(code.strip() for code, name in CODES.items() if name == visit)
            return Cell("99?" if rng.random() < dialect.dirt / 4 else rng.choice([code] * 5 + [f" {code} "]))
        case "row_date" | "visit_date":
            return date_cell(rng, dialect, column.form, person.zero + day)
        case "row_day":
            return _day(rng, dialect, day - column.item)
        case "zero" | "death" | "attribute":
            return _told(rng, table, dialect, person, column)
        case "measurement" | "operand":
            scale = column.scale * (plan.slip if column.target == "hscrp" else 1.0)
            if rng.random() < 0.05 and column.kind == "measurement":
                return Cell(f"0{dialect.decimal}07", "read", 0.07)
            return number_cell(rng, dialect, scale, signs=column.kind == "measurement")
        case "result":
            return number_cell(rng, dialect, plan.slip if test == "CRP" else 1.0)
        case "item":
            high = {"phq9": 3, "hamd17": 2}.get(column.target, 20) if column.item else 20
            return whole_cell(rng, dialect, 0, high, (7, 9, 3) if column.item else (70, 200))
        case "consent":
            return consent_cell(rng, dialect, column, person.zero)
    return _beside(rng, dialect, column, test)


def _beside(rng: Random, dialect: Dialect, column: Column, test: str) -> Cell:
    """Draw a treatment, or what stands beside a result."""
    odd = rng.random() < dialect.dirt
    match column.kind:
        case "treatment":
            return treatment_cell(rng, dialect, column.target or None)
        case "analyte":
            return Cell(rng.choice(["Zn", "", "crp"]) if odd else rng.choice([test, test, f" {test}"]))
        case "unit":
            known = {"CRP": ["mgl", "mg/L"], "IL-6": ["pgml", "ng/L"], "TNF a": ["pgml"]}.get(test, ["1", " 1"])
            return Cell(rng.choice(["furlong", "", "mol", "\xb5"]) if odd else rng.choice(known))
        case "operator":
            return Cell(rng.choice(["LE", "?", "<="]) if odd else rng.choice(["", "", "LT", " GT", "EQ"]))
        case "specimen":
            return Cell(rng.choice(["X", "urine"]) if odd else rng.choice(["S", " P ", ""]))
        case "batch":
            return Cell(rng.choice(["b1", "b2", " b1", ""]))
        case "flag":
            return Cell(rng.choice(["", "", "", "BDL", " BDL ", "ok"]))
    return text_cell(rng, dialect)


def consent_cell(rng: Random, dialect: Dialect, column: Column, zero: int) -> Cell:
    """Draw an answer about consent; most people agree and stay."""
    if column.target == "agree":
        return Cell(rng.choice(["y"] * 14 + [" y", "n", "", "?"]))
    if rng.random() < 0.9:
        return Cell("")
    if column.target == "choice":
        return Cell(rng.choice([*CHOICES, "K", "?"]))
    told = date_cell(rng, dialect, column.form, zero + rng.randint(-20, 100))
    return Cell(told.text, day=told.day, meaning=told.status)  # a missing code is no day on which somebody left


def _day(rng: Random, dialect: Dialect, day: int) -> Cell:
    if rng.random() < dialect.dirt / 2:
        text = rng.choice(["", "-9", "day 3", f"5{dialect.decimal}5", "1e9", "<3"])
        if not text:
            return EMPTY
        return Cell(
            text,
            "missing_code" if text in dialect.missing else "read" if text == "-9" else "unreadable",
            day=-9 if text == "-9" else None,
        )
    if dialect.clashes(float(day)):
        day += 1
    return Cell(rng.choice([f"{day}", f" {day}", f"{day}{dialect.decimal}0"]), "read", day=day)


def _told(rng: Random, table: TablePlan, dialect: Dialect, person: Person, column: Column) -> Cell:
    """Draw what does not change: mostly the same on every row, or nothing."""
    place = f"{table.name}.{column.name}"
    if place in person.told and rng.random() > dialect.dirt / 3:
        return rng.choice([person.told[place]] * 3 + [EMPTY])
    cell = _first_told(rng, dialect, person, column)
    person.told.setdefault(place, cell)
    return cell


def _first_told(rng: Random, dialect: Dialect, person: Person, column: Column) -> Cell:
    if column.kind == "zero":
        return date_cell(rng, replace(dialect, dirt=dialect.dirt / 4), column.form, person.zero)
    if column.kind == "death":
        died = person.zero + rng.choice([10, 40, 300, -5])
        return date_cell(rng, dialect, column.form, died) if rng.random() < 0.3 else EMPTY
    match column.target:
        case "age" | "bmi":
            low, high = (0, 120) if column.target == "age" else (10, 150)
            cell = whole_cell(rng, dialect, low + 15, 70, (high + 20,))
            outside = cell.number is not None and not low <= cell.number <= high
            return replace(cell, status="outside") if outside else cell
        case "sex":
            return code_cell(rng, dialect, SEX_NAMES if column.form == "codelist" else SEX)
        case "arm":
            return code_cell(rng, dialect, ARMS)
        case "smoker":
            return code_cell(rng, dialect, SMOKER)
    return text_cell(rng, dialect)


def _dirtied(rng: Random, rows: list[Row], table: TablePlan, source: SourcePlan) -> list[Row]:
    """Return rows with repeats, contradictions, rows without a participant and rows in another order."""
    found = list(rows)
    for row in rows:
        if rng.random() >= source.dialect.dirt / 2:
            continue
        copy = Row(dict(row.cells), table)
        kind = rng.choice(["same", "same", "padded", "other", "nobody"])
        values = [name for name, cell in copy.cells.items() if cell.status != "beside"]
        if kind == "padded":
            name = rng.choice(list(copy.cells))
            if name != "who":
                copy.cells[name] = replace(copy.cells[name], text=f" {copy.cells[name].text}")
        elif kind == "other" and values:
            copy.cells[rng.choice(values)] = EMPTY
        elif kind == "nobody":
            copy.cells[f"id_{table.name}"] = Cell(rng.choice(["", " ", "\t"]))
        found.insert(rng.randint(0, len(found)), copy)
    if rng.random() < 0.3:
        rng.shuffle(found)
    return found


def _with_strays(rng: Random, rows: list[Row], source: SourcePlan) -> list[Row]:
    """Return rows with rows of nobody among them: blank, of another width, claimed by no site."""
    found = list(rows)
    for row in rows:
        if rng.random() >= source.dialect.dirt / 3:
            continue
        kinds = ["blank", "unclaimed"] + (["short", "long", "empty"] if source.format == "csv" else [])
        kind = rng.choice(kinds)
        if kind == "blank":
            stray = Row({name: Cell(rng.choice(["", " "]), "empty") for name in row.cells}, None)
        elif kind == "unclaimed" and "who" in row.cells:
            who = rng.choice(["?", "", "S1"])
            stray = Row({**row.cells, "who": Cell(who)}, None)
        elif kind in {"short", "long", "empty"}:
            stray = Row(dict(row.cells), None, kind)
        else:
            continue
        found.insert(rng.randint(0, len(found)), stray)
    return found


def _partners(rng: Random, plan: StudyPlan, source: SourcePlan, rows: list[Row]) -> list[Row]:
    """Move what the join brings to a file of its own, one row a participant, and leave some without."""
    join = plan.sources[source.partner_of].entry["join"][0]
    partners: dict[str, Row] = {}
    for row in rows:
        key = row.stripped("id_clinic")
        if key and key not in partners:
            cells = {"pid": row.cells["id_clinic"], **{name: row.cells[name] for name in join["columns"]}}
            partners[key] = Row(cells, None)
    for key in list(partners):
        if len(partners) > 1 and rng.random() < source.dialect.dirt / 3:
            del partners[key]
    for row in rows:
        partner = partners.get(row.stripped("id_clinic"))
        for name in join["columns"]:
            row.cells[name] = partner.cells[name] if partner else EMPTY
        row.partnerless = partner is None
    return list(partners.values())


def _derive(row: Row) -> None:
    """Compute what the formula of a derived column means for this row."""
    if row.table is None or row.table.one("derived") is None:
        return
    half = row.cells["half"]
    if half.status in {"empty", "missing_code", "user_missing"}:
        row.cells["twice"] = Cell("", "empty")
    elif half.number is None:
        row.cells["twice"] = Cell("!", "not_derived")
    else:
        row.cells["twice"] = Cell("!", "read", 2 * half.number)
