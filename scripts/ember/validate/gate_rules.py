"""What a table must satisfy, generated from its contract and the registry: no rule is written by hand twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import Column, Contract, contract
from ember.validate.cross_field import cross_field_rules
from ember.validate.gate_rule import KEY, KNOWN, OWN_SITE, ROWS, GateRule


def table_rules(
    table: str, occurring: Collection[str], study: Study, registry: Registry, screened: Iterable[tuple[str, str]]
) -> list[GateRule]:
    """Return the rules for one table, in order.

    Parameters
    ----------
    occurring : collection of str
        Analytes or instruments of the table; rules about one are made for those that occur.
    screened : iterable of (analyte, visit)
        Biomarkers that participants should have.
    """
    rules = list(contract_rules(contract(table), study, registry))
    title = "The row names the site whose file it is in"
    rules.append(GateRule(f"{table}.site_id.own", table, "true", OWN_SITE, "conformance", "error", title, "site_id"))
    if table == "participants":
        rules.extend(_completeness(analyte, visit) for analyte, visit in screened)
    else:
        rules.append(_known(table))
    if table == "visits":
        rules.extend(_windows(study))
    if table == "standard_items":
        rules.extend(_item_rules(occurring, registry))
    if table == "measurements":
        rules.extend(_measurement_rules(occurring, registry))
    if table == "scores":
        rules.extend(_score_rules(occurring, registry))
    return [*rules, *cross_field_rules(table, occurring, registry)]


def rows_rule(table: str, prefix: str = "") -> GateRule:
    """Return the rule that a site has rows in a table; without it an empty table would meet every other rule."""
    title = f"The table {table.replace('_', ' ')} has rows"
    rule = f"{prefix or table}.rows.present"
    return GateRule(rule, table, "between", ROWS, "completeness", "error", title, low=1, unit="table")


def screening(study: Study) -> list[tuple[str, str]]:
    """Return the biomarker and visit of every scheme and exposure of the study, each once."""
    schemes = [(scheme["analyte"], scheme["visit"]) for scheme in study.schemes.values()]
    declared = [analysis["exposure"] for analysis in study.analyses.values() if "exposure" in analysis]
    return list(dict.fromkeys([*schemes, *((exposure["analyte"], exposure["visit"]) for exposure in declared)]))


def screening_column(analyte: str, visit: str) -> str:
    """Return the name of the derived column that says whether a participant has a biomarker at a visit."""
    return f"_has_{analyte}_{visit}"


def contract_rules(rules: Contract, study: Study, registry: Registry, prefix: str = "") -> Iterator[GateRule]:
    """Return what the contract itself says: keys, columns that must be there, allowed values and ranges."""
    table, named = rules.table, prefix or rules.table
    if rules.key:
        title = f"One row for each {', '.join(rules.key)}"
        yield GateRule(f"{named}.key.unique", table, "unique", KEY, "conformance", "error", title)
    for column in rules.columns:
        if not column.nullable:
            title = f"{column.name} is there"
            rule = f"{named}.{column.name}.present"
            yield GateRule(rule, table, "present", column.name, "completeness", "error", title, column.name)
        yield from _column_rules(table, named, column, allowed_values(column, study, registry))


def _known(table: str) -> GateRule:
    title, rule = "The participant is in the roster", f"{table}.participant_id.known"
    return GateRule(rule, table, "true", KNOWN, "conformance", "error", title, "participant_id")


def _column_rules(table: str, named: str, column: Column, allowed: tuple[str, ...]) -> Iterator[GateRule]:
    name = column.name
    if allowed:
        title = f"{name} is one of the allowed values"
        yield GateRule(
            f"{named}.{name}.allowed", table, "one_of", name, "conformance", "error", title, name, allowed=allowed
        )
    if column.low is not None or column.high is not None:
        title = f"{name} lies between {_text(column.low)} and {_text(column.high)} {column.unit or ''}".strip()
        low, high = column.low, column.high
        yield GateRule(
            f"{named}.{name}.range", table, "between", name, "plausibility", "error", title, name, low=low, high=high
        )


def allowed_values(column: Column, study: Study, registry: Registry) -> tuple[str, ...]:
    """Return the values that a column may hold; empty where any may stand."""
    if column.allowed:
        return column.allowed
    if column.registry:
        return tuple(row[column.registry[:-1]] for row in registry.rows(column.registry))
    if column.name == "visit":
        return tuple(visit.id for visit in study.visits)
    tables = {"analyte": "analytes", "instrument": "instruments", "assay_id": "assays", "bridge_id": "bridges"}
    if column.name in tables:
        return tuple(row[column.name] for row in registry.rows(tables[column.name]))
    return ()


def _completeness(analyte: str, visit: str) -> GateRule:
    name = screening_column(analyte, visit)
    title = f"The participant has a result of {analyte} at {visit.replace('_', ' ')}"
    rule = f"participants.has_{analyte}.{visit}"
    return GateRule(rule, "participants", "true", name, "completeness", "warning", title)


def _windows(study: Study) -> Iterator[GateRule]:
    for visit in study.visits:
        title = f"{visit.id} lies between study day {visit.first} and {visit.last}"
        yield GateRule(
            f"visits.study_day.window.{visit.id}", "visits", "between", "study_day", "plausibility", "warning", title,
            "study_day", low=visit.first, high=visit.last, where=(("visit", visit.id),),
        )  # fmt: skip


def _item_rules(occurring: Collection[str], registry: Registry) -> Iterator[GateRule]:
    highest: dict[str, int] = {}
    for row in registry.rows("instrument_items"):
        highest[row["instrument"]] = max(int(row["item"]), highest.get(row["instrument"], 0))
    for name in _occurring(occurring, "instrument", registry):
        high = highest.get(name, 0)
        title = f"{name} has items 1 to {high}, 0 for its total" if high else f"{name} is given as its total, item 0"
        yield GateRule(
            f"standard_items.item.range.{name}", "standard_items", "between", "item", "conformance", "error", title,
            "item", low=0, high=high, where=(("instrument", name),),
        )  # fmt: skip


def _measurement_rules(occurring: Collection[str], registry: Registry) -> Iterator[GateRule]:
    yield GateRule(
        "measurements.value.present", "measurements", "present", "value", "completeness", "error",
        "A result has its canonical value", "value",
    )  # fmt: skip
    for side in ("left", "right"):
        yield GateRule(
            f"measurements.limit.present.{side}", "measurements", "present", "limit", "completeness", "error",
            f"A {side}-censored result has its limit", "limit", where=(("censoring", side),),
        )  # fmt: skip
    for name in _occurring(occurring, "analyte", registry):
        yield from _analyte_rules(name, registry)


def _analyte_rules(name: str, registry: Registry) -> Iterator[GateRule]:
    row = registry.row("analytes", name)
    of_analyte = (("analyte", name),)
    unit = row["canonical_unit"]
    yield GateRule(
        f"measurements.unit.canonical.{name}", "measurements", "one_of", "unit", "conformance", "error",
        f"{name} is in {unit}", "unit", allowed=(unit,), where=of_analyte,
    )  # fmt: skip
    if row["hard_low"] or row["hard_high"]:
        low, high = _number(row["hard_low"]), _number(row["hard_high"])
        yield GateRule(
            f"measurements.value.hard_limits.{name}", "measurements", "between", "value", "plausibility", "error",
            f"{name} lies between {_text(low)} and {_text(high)} {unit}", "value", low=low, high=high,
            where=(*of_analyte, ("censoring", "none")),
        )  # fmt: skip
    if row["specimens"]:
        yield GateRule(
            f"measurements.specimen.allowed.{name}", "measurements", "one_of", "specimen", "conformance", "warning",
            f"{name} is measured in {row['specimens'].replace(';', ', ')}", "specimen",
            allowed=tuple(row["specimens"].split(";")), where=of_analyte,
        )  # fmt: skip


def _score_rules(occurring: Collection[str], registry: Registry) -> Iterator[GateRule]:
    for name in _occurring(occurring, "instrument", registry):
        row = registry.row("instruments", name)
        where = (("instrument", name),)
        low, high = _number(row["total_low"]), _number(row["total_high"])
        yield GateRule(
            f"scores.score.range.{name}", "scores", "between", "score", "plausibility", "error",
            f"{name} lies between {_text(low)} and {_text(high)}", "score", low=low, high=high, where=where,
        )  # fmt: skip
        yield GateRule(
            f"scores.construct.allowed.{name}", "scores", "one_of", "construct", "conformance", "error",
            f"{name} measures {row['construct']}", "construct", allowed=(row["construct"],), where=where,
        )  # fmt: skip


def _occurring(occurring: Collection[str], column: str, registry: Registry) -> list[str]:
    """Return the registry's ids that occur, in the registry's order."""
    return [row[column] for row in registry.rows(f"{column}s") if row[column] in occurring]


def _number(text: str) -> float | None:
    return float(text) if text else None


def _text(number: float | None) -> str:
    return "any" if number is None else f"{number:g}"
