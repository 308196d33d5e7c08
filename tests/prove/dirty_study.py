"""Studies of dirty extracts: which sites, sources and tables there are, and what each column holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tests.prove.dirty_cells import PATTERNS, Dialect

VISITS: dict[str, dict[str, int]] = {
    "baseline": {"day": 0, "from": -28, "to": 7},
    "week_4": {"day": 28, "from": 21, "to": 35},
    "week_12": {"day": 84, "from": 70, "to": 98},
}
CODES = {"B": "baseline", "w4 ": "week_4", "12": "week_12"}
SUFFIXES = {"V0": "baseline", "V4": "week_4", "V12": "week_12"}
# Unit: what a number of the usual size has to be multiplied by to be written in it.
UNITS: dict[str, dict[str, float]] = {
    "hscrp": {"mg/L": 1.0, "mg/l": 1.0, "mg/dL": 0.1, "ng/mL": 1000.0},
    "il6": {"pg/mL": 1.0, "ng/L": 1.0},
    "tnf": {"pg/mL": 1.0, "ng/L": 1.0},
}
SEX = {"1": "male", "2": "female"}
ARMS = {"E": "escitalopram", "C": "citalopram"}
SMOKER = {"y": "yes", "n": "no"}
TESTS = {"CRP": "hscrp", "IL-6": "il6", "TNF a": "tnf"}
SIGNS = {"LT": "<", "GT": ">", "EQ": "="}
TUBES = {"S": "serum", "P": "plasma"}
AGREED = {"y": "granted", "n": "refused"}
CHOICES = {"K": "keep", "E": "erase"}
LAYOUTS = ("wide", "long", "by_date", "by_day", "results", "drugs", "shared", "three", "joined")


@dataclass(frozen=True)
class Column:
    """A column of a file: what it holds, of which visit, and what it becomes.

    `target` is a column of participants, an analyte or an instrument, `only` the visits at which a long table
    maps it, `form` the declared form of dates.
    """

    name: str
    kind: str
    target: str = ""
    visit: str | None = None
    item: int = 0
    only: tuple[str, ...] = ()
    form: str = ""
    scale: float = 1.0


@dataclass
class TablePlan:
    """One table of one site: its mapping as in the site file, and the columns that it names."""

    site: str
    name: str
    source: str
    mapping: dict[str, Any]
    columns: list[Column]
    layout: str
    who: str = ""

    def of(self, *kinds: str) -> list[Column]:
        return [column for column in self.columns if column.kind in kinds]

    def one(self, kind: str) -> Column | None:
        return next((column for column in self.columns if column.kind == kind), None)


@dataclass
class SourcePlan:
    """One file: how it is written and declared, and which faults it carries as a whole."""

    id: str
    format: str
    dialect: Dialect
    entry: dict[str, Any] = field(default_factory=dict)
    fault: str = ""
    partner_of: str = ""
    header: list[str] = field(default_factory=list)
    numeric: set[str] = field(default_factory=set)
    ranges: set[str] = field(default_factory=set)


@dataclass
class StudyPlan:
    """A drawn study: `tables` in the order of each site."""

    layout: str
    sources: dict[str, SourcePlan]
    sites: dict[str, list[TablePlan]]
    slip: float = 1.0
    large: bool = False
    consent: bool = False

    @property
    def tables(self) -> list[TablePlan]:
        return [table for tables in self.sites.values() for table in tables]


def draw_study(rng: Random) -> StudyPlan:
    """Draw a study with one to three sites."""
    layout = rng.choice(LAYOUTS)
    names = [f"s{place}" for place in range(1, rng.choice([1, 1, 1, 2, 2, 3]) + 1)]
    together = layout == "shared" or (layout != "joined" and len(names) > 1 and rng.random() < 0.5)
    plan = StudyPlan(layout, {}, {}, large=rng.random() < 0.03, consent=rng.random() < 0.15)
    if plan.large and rng.random() < 0.7:
        plan.slip = rng.choice([0.001, 100.0, 1000.0])
    drawn: list[TablePlan] = []
    for site in names:
        if not drawn or not together:
            drawn = _tables(rng, layout, site, plan.sources, "" if together else site)
            if plan.consent:
                _consented(rng, drawn[0])
        plan.sites[site] = [_of_site(table, site, together) for table in drawn]
    return plan


def _of_site(table: TablePlan, site: str, together: bool) -> TablePlan:
    """Return the table as one site has it; where sites or tables share a source, a column tells their rows apart."""
    if not together:
        return replace(table, site=site)
    who = f"{site}-{table.name}" if table.layout == "shared" else site
    mapping = {**table.mapping, "rows": {"column": "who", "equals": who}}
    return replace(table, site=site, mapping=mapping, columns=[*table.columns, Column("who", "who")], who=who)


def _tables(rng: Random, layout: str, site: str, sources: dict[str, SourcePlan], own: str) -> list[TablePlan]:
    def table(name: str, *parts: Any) -> TablePlan:
        source = "all" + own if layout == "shared" else name + own
        if source not in sources:
            sources[source] = draw_source(rng, source, plain=layout == "joined")
        drawn = TablePlan(site, name, source, {"participant": f"id_{name}"}, [], layout)
        drawn.columns.append(Column(f"id_{name}", "participant"))
        missing = sources[source].dialect.missing
        if missing:
            drawn.mapping["missing"] = list(missing)
        for part in parts:
            part(rng, drawn, sources[source])
        if rng.random() < 0.3 and layout != "drugs":
            drawn.mapping["duplicates"] = {"keep": rng.choice(["first", "last"]), "reason": "as the site says", "decision": "D1"}
        drawn.columns.extend(Column(f"note_{name}_{place}", "junk") for place in range(rng.randint(0, 2)))
        return drawn

    if layout in {"wide", "long", "by_date", "by_day"}:
        kind = {"wide": _wide, "long": _long, "by_date": _by_date, "by_day": _by_day}[layout]
        return [table("clinic", _people, kind, _measured, _asked, _treated, _derived)]
    if layout == "joined":
        return [_joined(rng, table("clinic", _long, _measured, _asked, _people), sources)]
    roster = table("roster", _people, _single)
    if layout == "drugs":
        drugs = table("drugs", rng.choice([_long_undated, _single, _by_date]), _treated_surely)
        clinic = table("clinic", rng.choice([_long, _wide]), _measured)
        return [roster, clinic, _without_duplicates(drugs)]
    laboratory = table("lab", rng.choice([_long_undated, _by_date, _by_day, _single]), _results)
    if layout == "results":
        return [roster, laboratory]
    visit = rng.choice([_long, _by_day, _by_date])
    return [roster, table("clinic", visit, _measured, _asked, _treated, _derived), laboratory]


def _without_duplicates(table: TablePlan) -> TablePlan:
    table.mapping.pop("duplicates", None)
    return table


def _joined(rng: Random, table: TablePlan, sources: dict[str, SourcePlan]) -> TablePlan:
    """Let a second file hold what does not change; the table brings it by the participant's id."""
    partner = f"people_{table.source}"
    sources[partner] = draw_source(rng, partner, plain=True)
    sources[partner].dialect = sources[table.source].dialect
    sources[partner].entry["encoding"] = sources[table.source].entry["encoding"]
    sources[partner].partner_of = table.source
    brought = [column.name for column in table.of("attribute", "zero", "death")]
    cardinality = {"source": partner, "on": {"id_clinic": "pid"}, "cardinality": "many_to_one", "columns": brought}
    sources[table.source].entry["join"] = [cardinality]
    return table


def draw_source(rng: Random, name: str, plain: bool = False) -> SourcePlan:
    """Draw how a file is written."""
    kind = "csv" if plain or rng.random() < 0.8 else rng.choice(["excel", "parquet", "feather", "spss", "stata"])
    missing = rng.choice([(), ("-9",), ("-9", "999"), ("-99", "k.A."), ("NA", "-9")])
    dialect = Dialect(missing=missing, dirt=rng.choice([0.0, 0.03, 0.12, 0.3]))
    entry: dict[str, Any] = {"format": kind}
    if kind == "csv":
        entry, dialect = _text(rng, dialect, entry)
    else:
        dialect = replace(dialect, printable=True)
    if rng.random() < 0.2 and not plain:
        entry["missing_codes"] = {"-7": "refused", "8888": "unknown"}
        dialect = replace(dialect, user_missing=("-7", "8888"))
    return SourcePlan(name, kind, dialect, entry)


def _text(rng: Random, dialect: Dialect, entry: dict[str, Any]) -> tuple[dict[str, Any], Dialect]:
    encoding = rng.choice(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "cp1252"])
    delimiter = rng.choice([",", ";", "\t", "|"])
    decimal, thousands = rng.choice([(".", None), (".", None), (",", None), (",", "."), (".", ","), (",", " "), (".", "'")])
    entry |= {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    if thousands:
        entry["thousands"] = thousands
    dialect = replace(dialect, decimal=decimal, thousands=thousands, encoding=encoding)
    return entry, dialect


def _people(rng: Random, table: TablePlan, source: SourcePlan) -> None:
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


def _consented(rng: Random, table: TablePlan) -> None:
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


def _single(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    table.mapping["visits"] = {"single": "baseline"}


def _wide(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    table.mapping["visits"] = {"wide": SUFFIXES}
    _visit_dates(rng, table, [(f"seen_{suffix}", visit) for suffix, visit in SUFFIXES.items()])


def _long(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    _long_undated(rng, table, source)
    _visit_dates(rng, table, [("seen", None)])


def _long_undated(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name = f"event_{table.name}"
    table.mapping["visits"] = {"long": {"column": name, "codes": CODES}}
    table.columns.append(Column(name, "visit"))


def _visit_dates(rng: Random, table: TablePlan, columns: Sequence[tuple[str, str | None]]) -> None:
    if rng.random() < 0.6:
        form = rng.choice(PATTERNS)
        table.mapping["visits"]["date"] = {"column": "seen", "date": form}
        table.columns.extend(Column(name, "visit_date", visit=visit, form=form) for name, visit in columns)


def _by_date(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name, form = f"drawn_{table.name}", rng.choice(PATTERNS)
    table.mapping["visits"] = {"by_date": {"column": name, "date": form}}
    table.columns.append(Column(name, "row_date", form=form))


def _by_day(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    name = f"day_{table.name}"
    offset = rng.choice([0, -1])
    table.mapping["visits"] = {"by_day": {"column": name, "offset": offset}}
    table.columns.append(Column(name, "row_day", item=offset))


def at_visits(table: TablePlan, column: Column, only: Sequence[str] = ()) -> list[Column]:
    """Return a column of the file for each visit of a wide table, else the one column."""
    if "wide" not in table.mapping["visits"]:
        return [replace(column, only=tuple(only))]
    return [
        replace(column, name=f"{column.name}_{suffix}", visit=visit)
        for suffix, visit in SUFFIXES.items()
        if not only or visit in only
    ]


def _only(rng: Random, table: TablePlan) -> list[str]:
    coded = {"wide", "long"} & set(table.mapping["visits"])
    return rng.choice([[], [], ["baseline"], ["baseline", "week_12"]]) if coded else []


def _measured(rng: Random, table: TablePlan, source: SourcePlan) -> None:
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
            entry["below"] = rng.choice([{"heap": 0.07, "limit": 0.1, "decision": "D1"}, {"column": f"f_{analyte}", "codes": ["BDL"]}])
            if "column" in entry["below"]:
                table.columns.extend(at_visits(table, Column(f"f_{analyte}", "flag", analyte), only))
        column = Column(entry["column"], "measurement", analyte, scale=scale)
        table.columns.extend(at_visits(table, column, only))
        found[analyte] = entry
    table.mapping["measurements"] = found


def _asked(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    found: dict[str, Any] = {}
    for name, items, total in (("phq9", 9, True), ("hamd17", 17, True), ("hamd21", 0, True)):
        if rng.random() > (0.5 if name == "phq9" else 0.1):
            continue
        only = _only(rng, table) if name == "phq9" else [*_only(rng, table)][:1]
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


def _treated(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    if rng.random() < 0.3:
        _treated_surely(rng, table, source)


def _treated_surely(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    split = rng.choice([None, "+", ";"])
    table.mapping["treatments"] = {"name": "drug", "role": "background", **({"split": split} if split else {})}
    visit = "baseline" if "wide" in table.mapping["visits"] else None
    table.columns.append(Column("drug", "treatment", split or "", visit=visit))


def _derived(rng: Random, table: TablePlan, source: SourcePlan) -> None:
    if "wide" in table.mapping["visits"] or rng.random() > 0.2 or "tnf" in table.mapping["measurements"]:
        return
    table.mapping["derived"] = {"twice": {"formula": "2 * half", "decision": "D1"}}
    table.mapping["measurements"]["tnf"] = {"column": "twice", "unit": "pg/mL"}
    table.columns.extend([Column("half", "operand"), Column("twice", "derived", "tnf")])


def _results(rng: Random, table: TablePlan, source: SourcePlan) -> None:
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
