"""Draw a study: its sites, and the sources and tables of each."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from tests.prove import dirty_parts as parts
from tests.prove.dirty_cells import Dialect
from tests.prove.dirty_plan import LAYOUTS, Column, SourcePlan, StudyPlan, TablePlan


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
                parts.consented(rng, drawn[0])
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
            drawn.mapping["duplicates"] = {
                "keep": rng.choice(["first", "last"]),
                "reason": "as the site says",
                "decision": "D1",
            }
        drawn.columns.extend(_junk(rng, name, sources[source]))
        return drawn

    if layout in {"wide", "long", "by_date", "by_day"}:
        kind = {"wide": parts.wide, "long": parts.long, "by_date": parts.by_date, "by_day": parts.by_day}[layout]
        return [table("clinic", parts.people, kind, parts.measured, parts.asked, parts.treated, parts.derived)]
    if layout == "joined":
        return [_joined(rng, table("clinic", parts.long, parts.measured, parts.asked, parts.people), sources)]
    roster = table("roster", parts.people, parts.single)
    if layout == "drugs":
        drugs = table("drugs", rng.choice([parts.long_undated, parts.single, parts.by_date]), parts.treated_surely)
        clinic = table("clinic", rng.choice([parts.long, parts.wide]), parts.measured)
        return [roster, clinic, _without_duplicates(drugs)]
    laboratory = table(
        "lab", rng.choice([parts.long_undated, parts.by_date, parts.by_day, parts.single]), parts.results
    )
    if layout == "results":
        return [roster, laboratory]
    if rng.random() < 0.3:
        parts.asked(rng, roster, sources[roster.source])
        roster.columns = [
            replace(column, name=f"r_{column.name}") if column.kind == "item" else column for column in roster.columns
        ]
        for entry in roster.mapping.get("instruments", {}).values():
            entry |= {key: f"r_{entry[key]}" for key in ("items", "total") if key in entry}
    visit = rng.choice([parts.long, parts.by_day, parts.by_date])
    return [roster, table("clinic", visit, parts.measured, parts.asked, parts.treated, parts.derived), laboratory]


def _junk(rng: Random, table: str, source: SourcePlan) -> list[Column]:
    """Return columns that nothing maps, with names as people write them."""
    names = [f"note_{table}"]
    if source.format in {"csv", "excel", "parquet"}:
        names += [f"note of\n{table}", f'note "{table}"', f"note; {table}, x", f"\xe4\xb5 {table}", f" note {table} "]
    return [Column(name, "junk") for name in rng.sample(names, rng.randint(0, min(2, len(names))))]


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
    file = rng.choice([f"{name}.dat"] * 9 + [f"{name} [2025] \xe9*.dat"])
    return SourcePlan(name, kind, dialect, entry | {"path": file}, file)


def _text(rng: Random, dialect: Dialect, entry: dict[str, Any]) -> tuple[dict[str, Any], Dialect]:
    encoding = rng.choice(["utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "cp1252"])
    delimiter = rng.choice([",", ";", "\t", "|"])
    decimal, thousands = rng.choice(
        [(".", None), (".", None), (",", None), (",", "."), (".", ","), (",", " "), (".", "'")]
    )
    entry |= {"encoding": encoding, "delimiter": delimiter, "decimal": decimal}
    if thousands:
        entry["thousands"] = thousands
    dialect = replace(dialect, decimal=decimal, thousands=thousands, encoding=encoding)
    return entry, dialect
