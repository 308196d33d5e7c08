"""Cross-check how a site file maps treatments, and the study's own rule for difficult-to-treat depression."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.model import Site, Study, TableMap
from ember.registry.questionnaires import scores_of
from ember.registry.registry import Registry
from ember.registry.treatment_model import TRIAL, DoseMap, TreatmentMap
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.contract import contract

UNIT = "a unit of doses that a row of config/registry/dose_units.csv converts"
KIND = "a kind of config/registry/treatment_kinds.csv"
UPWARDS = frozenset({">", ">="})


def treatment_findings(
    site: Site, table: TableMap, registry: Registry, document: YamlFile, base: Keys
) -> Iterator[EmberError]:
    """Yield what leads nowhere, or does not fit together, under `treatments:` of a table."""
    mapping, keys = table.treatments, (*base, "treatments")
    if mapping is None:
        return
    if mapping.dose is not None:
        yield from _dose_findings(mapping, mapping.dose, registry, document, (*keys, "dose"))
    elif mapping.frequency is not None:
        yield EmberError(
            "Intakes a day belong to a dose, which is not mapped.", where=document.place((*keys, "frequency"))
        )
    yield from _day_findings(site, mapping, document, keys)
    yield from _trial_findings(mapping, registry, document, keys)
    yield from _number_findings(mapping, document, keys)


def _dose_findings(
    mapping: TreatmentMap, dose: DoseMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    if dose.in_name == (dose.column is not None):
        what = "The dose stands either in a `column:` or after the name (`in_name: true`)."
        yield EmberError(what, where=document.place(keys))
    if dose.in_name and (dose.unit is None or mapping.frequency):
        what = "A dose after the name is that of a day, in one declared unit."
        yield EmberError(what, where=document.place(keys), fix="Write it like `unit: mg/day`.")
    units = [row["unit"] for row in registry.rows("dose_units")]
    given = [(dose.unit, (*keys, "unit"))] if dose.unit else []
    given += [(unit, (*keys, "unit", "codes", code)) for code, unit in dose.unit_codes.items()]
    kinds = list(dict.fromkeys(row["dose_unit"] for row in registry.rows("treatment_kinds") if row["dose_unit"]))
    if dose.conversion is not None:
        yield from unknown(dose.conversion.to, kinds, "the unit of a kind", document, (*keys, "conversion", "to"))
        if dose.unit is None or dose.unit in units:
            yield EmberError(
                "A conversion is declared for one unit that the registry does not convert.",
                where=document.place((*keys, "conversion")),
            )
        return
    for unit, place in given:
        if mapping.frequency is not None:
            if f"{unit}/day" not in units:
                per_intake = [name.removesuffix("/day") for name in units if name.endswith("/day")]
                yield from unknown(unit, per_intake, "the unit of one intake", document, place)
        elif unit not in units:
            yield EmberError(
                f"'{unit}' is not {UNIT}.",
                where=document.place(place),
                allowed=units,
                fix="A unit that the registry cannot convert needs `conversion: {to, numerator, denominator, reason}`.",
            )


def _day_findings(site: Site, mapping: TreatmentMap, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    dated = [name for name, day in (("start", mapping.start), ("end", mapping.end)) if day and day.date]
    if dated and not any(table.time_zero for table in site.tables):
        what = "Days of treatments need a day to count from, and the site has no time zero."
        yield EmberError(what, where=document.place((*keys, dated[0])), fix="Map `time_zero:` in one of its tables.")
    if mapping.duration and mapping.end and mapping.start:
        what = "Start and end tell the duration already: `duration:` would be a second one."
        yield EmberError(what, where=document.place((*keys, "duration")))


def _trial_findings(mapping: TreatmentMap, registry: Registry, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    outcomes = [row["outcome"] for row in registry.rows("trial_outcomes")]
    for code, outcome in mapping.outcome.codes.items() if mapping.outcome else ():
        place = (*keys, "outcome", "codes", code)
        yield from unknown(outcome, outcomes, "an outcome of config/registry/trial_outcomes.csv", document, place)
    if mapping.outcome and not (mapping.episode or mapping.episode_column):
        yield EmberError(
            "Trials need their episode: resistance is about the current one.",
            where=document.place(keys),
            fix="Write `episode: current` where all are of it, or name the column that says it.",
        )
    for kind in mapping.complete.kinds if mapping.complete else ():
        kinds = [row["kind"] for row in registry.rows("treatment_kinds")]
        yield from unknown(kind, kinds, KIND, document, (*keys, "complete", "kinds"))


def _number_findings(mapping: TreatmentMap, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    if (TRIAL in mapping.name) != bool(mapping.trials):
        yield EmberError(
            f"`trials:` and {TRIAL} in `name:` belong together.",
            where=document.place((*keys, "name")),
            fix=f"Write it like `name: drug_{TRIAL}` and `trials: [1, 2, 3]`.",
        )
    for column in mapping.beside if not mapping.trials else ():
        if TRIAL in column:
            yield EmberError(f"'{column}' holds {TRIAL} without `trials:`.", where=document.place(keys))


def dtd_findings(study: Study, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield what leads nowhere in the study's rule for difficult-to-treat depression."""
    rule = study.dtd
    if rule is None:
        return
    yield from _documented_findings(study, rule["disorder"], document, ("dtd", "disorder"))
    burden, keys = rule["burden"], ("dtd", "burden")
    if burden["at_least"] > len(burden["domains"]):
        yield EmberError(
            f"{burden['at_least']} domains must be burdened and {len(burden['domains'])} are declared.",
            where=document.place((*keys, "at_least")),
        )
    if burden["visits"] > len(study.visits):
        yield EmberError("The study has fewer visits than that.", where=document.place((*keys, "visits")))
    days = [visit.day for visit in study.visits]
    if burden["days_apart"] > max(days) - min(days):
        yield EmberError("No two planned visits lie so far apart.", where=document.place((*keys, "days_apart")))
    for domain, limits in burden["domains"].items():
        for index, limit in enumerate(limits):
            yield from _limit_findings(study, limit, registry, document, (*keys, "domains", domain, index))
    usual = rule["usual_treatment"]
    if "column" in usual:
        yield from _documented_findings(study, usual, document, ("dtd", "usual_treatment"))
    for kind in usual.get("kinds", ()):
        kinds = [row["kind"] for row in registry.rows("treatment_kinds")]
        yield from unknown(kind, kinds, KIND, document, ("dtd", "usual_treatment", "kinds"))


def _documented_findings(
    study: Study, declared: dict[str, Any], document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    columns = contract("participants").mapped
    yield from unknown(declared["column"], columns, "a column of participants", document, (*keys, "column"))
    column = columns.get(declared["column"])
    if column is None:
        return
    for value in declared["equals"]:
        if column.allowed:
            yield from unknown(value, column.allowed, f"a code of '{column.name}'", document, (*keys, "equals"))
    if not any(column.name in table.columns for site in study.sites.values() for table in site.tables):
        yield EmberError(f"No site maps {column.name}.", where=document.place((*keys, "column")))


def _limit_findings(
    study: Study, limit: dict[str, Any], registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    name = limit["instrument"]
    instruments = {row["instrument"]: row for row in registry.rows("instruments")}
    mapped = {one for site in study.sites.values() for one in scores_of(site, registry)}
    what = "an instrument that a site of the study maps"
    yield from unknown(name, sorted(mapped), what, document, (*keys, "instrument"))
    row = instruments.get(name)
    if row is None:
        return
    if (limit["operator"] in UPWARDS) != (row["direction"] == "higher_worse"):
        yield EmberError(
            f"In {name} {'higher' if row['direction'] == 'higher_worse' else 'lower'} is worse: this limit would call"
            " the least burdened burdened.",
            where=document.place((*keys, "operator")),
        )
    if row["total_low"] and not float(row["total_low"]) <= limit["value"] <= float(row["total_high"]):
        what = f"{name} goes from {row['total_low']} to {row['total_high']}."
        yield EmberError(what, where=document.place((*keys, "value")))
