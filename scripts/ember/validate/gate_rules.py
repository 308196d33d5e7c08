"""What a table must satisfy, generated from its contract and the registry: no rule is written by hand twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import Column, Contract, contract

STAGES: Mapping[str, tuple[str, ...]] = {
    "standardised": ("participants", "visits", "standard_measurements", "standard_items"),
    "harmonised": ("participants", "visits", "measurements", "scores"),
}
"""Tables of each gate, in the order in which they are checked."""

KEY = "_key"
KNOWN = "_participant_known"
OWN_SITE = "_own_site"


@dataclass(frozen=True)
class GateRule:
    """One expectation on a column of a table, for the rows that meet `where`.

    Parameters
    ----------
    rule : str
        Unique within a stage: table, column, what is asked and of whom.
    kind : {"unique", "present", "one_of", "between", "true"}
        All but `present` say nothing about missing values.
    checked : str
        The column that is looked at; it may be derived (see `ember.validate.gates.prepared`).
    column : str, optional
        The contract's column that a reader is told about; null for the whole table.
    where : tuple of (column, value)
        Only rows with all of these values.
    """

    rule: str
    table: str
    kind: str
    checked: str
    category: str
    severity: str
    title: str
    column: str | None = None
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    where: tuple[tuple[str, str], ...] = ()


def table_rules(
    table: str, frame: pl.DataFrame, study: Study, registry: Registry, screened: Iterable[tuple[str, str]]
) -> list[GateRule]:
    """Return the rules for one table, in order.

    Parameters
    ----------
    frame : DataFrame
        Rules about an analyte or instrument are made for those that occur in it.
    screened : iterable of (analyte, visit)
        Biomarkers that participants should have.
    """
    rules = list(_contract_rules(contract(table), study, registry))
    if table == "participants":
        rules.extend(_completeness(analyte, visit) for analyte, visit in screened)
    if table == "visits":
        rules.extend(_windows(study))
    if table == "standard_items":
        rules.extend(_item_rules(frame, registry))
    if table == "measurements":
        rules.extend(_measurement_rules(frame, registry))
    if table == "scores":
        rules.extend(_score_rules(frame, registry))
    return rules


def screening(study: Study) -> list[tuple[str, str]]:
    """Return the biomarker and visit of every scheme and exposure of the study, each once."""
    schemes = [(scheme["analyte"], scheme["visit"]) for scheme in study.schemes.values()]
    declared = [analysis["exposure"] for analysis in study.analyses.values() if "exposure" in analysis]
    return list(dict.fromkeys([*schemes, *((exposure["analyte"], exposure["visit"]) for exposure in declared)]))


def screening_column(analyte: str, visit: str) -> str:
    """Return the name of the derived column that says whether a participant has a biomarker at a visit."""
    return f"_has_{analyte}_{visit}"


def _contract_rules(rules: Contract, study: Study, registry: Registry) -> Iterator[GateRule]:
    table = rules.table
    if rules.key:
        title = f"One row for each {', '.join(rules.key)}"
        yield GateRule(f"{table}.key.unique", table, "unique", KEY, "conformance", "error", title)
    for column in rules.columns:
        if not column.nullable:
            title = f"{column.name} is there"
            rule = f"{table}.{column.name}.present"
            yield GateRule(rule, table, "present", column.name, "completeness", "error", title, column.name)
        yield from _column_rules(table, column, _allowed(column, study, registry))
    title = "The row names the site whose file it is in"
    rule = f"{table}.site_id.own"
    yield GateRule(rule, table, "true", OWN_SITE, "conformance", "error", title, "site_id")
    if table != "participants":
        title = "The participant is in the roster"
        rule = f"{table}.participant_id.known"
        yield GateRule(rule, table, "true", KNOWN, "conformance", "error", title, "participant_id")


def _column_rules(table: str, column: Column, allowed: tuple[str, ...]) -> Iterator[GateRule]:
    name = column.name
    if allowed:
        title = f"{name} is one of the allowed values"
        yield GateRule(
            f"{table}.{name}.allowed", table, "one_of", name, "conformance", "error", title, name, allowed=allowed
        )
    if column.low is not None or column.high is not None:
        title = f"{name} lies between {_text(column.low)} and {_text(column.high)} {column.unit or ''}".strip()
        low, high = column.low, column.high
        yield GateRule(
            f"{table}.{name}.range", table, "between", name, "plausibility", "error", title, name, low=low, high=high
        )


def _allowed(column: Column, study: Study, registry: Registry) -> tuple[str, ...]:
    if column.allowed:
        return column.allowed
    if column.registry:
        return tuple(row[column.registry[:-1]] for row in registry.rows(column.registry))
    if column.name == "visit":
        return tuple(visit.id for visit in study.visits)
    tables = {"analyte": "analytes", "instrument": "instruments", "assay_id": "assays"}
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


def _item_rules(frame: pl.DataFrame, registry: Registry) -> Iterator[GateRule]:
    highest: dict[str, int] = {}
    for row in registry.rows("instrument_items"):
        highest[row["instrument"]] = max(int(row["item"]), highest.get(row["instrument"], 0))
    for name in _occurring(frame, "instrument", registry, "instruments"):
        high = highest.get(name, 0)
        title = f"{name} has items 1 to {high}, 0 for its total" if high else f"{name} is given as its total, item 0"
        yield GateRule(
            f"standard_items.item.range.{name}", "standard_items", "between", "item", "conformance", "error", title,
            "item", low=0, high=high, where=(("instrument", name),),
        )  # fmt: skip


def _measurement_rules(frame: pl.DataFrame, registry: Registry) -> Iterator[GateRule]:
    yield GateRule(
        "measurements.value.present", "measurements", "present", "value", "completeness", "error",
        "A result has its canonical value", "value",
    )  # fmt: skip
    for side in ("left", "right"):
        yield GateRule(
            f"measurements.limit.present.{side}", "measurements", "present", "limit", "completeness", "error",
            f"A {side}-censored result has its limit", "limit", where=(("censoring", side),),
        )  # fmt: skip
    for name in _occurring(frame, "analyte", registry, "analytes"):
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


def _score_rules(frame: pl.DataFrame, registry: Registry) -> Iterator[GateRule]:
    for name in _occurring(frame, "instrument", registry, "instruments"):
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


def _occurring(frame: pl.DataFrame, column: str, registry: Registry, table: str) -> list[str]:
    """Return the registry's ids that occur in a column, in the registry's order."""
    present = set(frame[column].unique())
    return [row[column] for row in registry.rows(table) if row[column] in present]


def _number(text: str) -> float | None:
    return float(text) if text else None


def _text(number: float | None) -> str:
    return "any" if number is None else f"{number:g}"
