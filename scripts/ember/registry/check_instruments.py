"""Cross-check the instruments of a site file: items, totals, value sets and links to other instruments."""

from __future__ import annotations

from collections.abc import Iterator

from ember.errors import EmberError
from ember.registry.crosswalks import scorable
from ember.registry.known import unknown
from ember.registry.model import InstrumentMap, Site
from ember.registry.registry import Registry, Row
from ember.registry.yaml_file import Keys, YamlFile


def instrument_findings(
    name: str, mapping: InstrumentMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    """Yield everything in the mapping of one instrument that leads nowhere."""
    instruments = {row["instrument"]: row for row in registry.rows("instruments")}
    yield from unknown(name, instruments, "an instrument of config/registry/instruments.csv", document, keys)
    if name not in instruments:
        return
    row = instruments[name]
    if mapping.items is not None:
        yield from _item_findings(name, mapping.items, row, document, (*keys, "items"))
    if mapping.total is not None and row["scoring"] == "subscales":
        yield EmberError(
            f"{name} has no total, only subscales.",
            where=document.place((*keys, "total")),
            allowed=[other for other, own in instruments.items() if own["parent"] == name],
            fix="Map the total of a subscale under the subscale's name.",
        )
    yield from _value_set_findings(name, mapping, row, registry, document, keys)
    for index, link in enumerate(mapping.linked):
        yield from _link_findings(name, link.crosswalk, registry, document, (*keys, "linked", index, "crosswalk"))


def _item_findings(name: str, pattern: str, row: Row, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    if not _fills(pattern):
        yield EmberError("The pattern cannot be filled with an item's number.", where=document.place(keys))
    if row["scoring"] == "given":
        yield EmberError(f"{name} is not scored from items here; only its total is read.", where=document.place(keys))


def _fills(pattern: str) -> bool:
    try:
        pattern.format(item=1)
    except (KeyError, IndexError, ValueError, AttributeError):
        return False
    return "{item" in pattern


def _value_set_findings(
    name: str, mapping: InstrumentMap, row: Row, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    sets = [own["value_set"] for own in registry.rows("value_sets") if own["instrument"] == name]
    if row["needs"] == "value_set":
        if mapping.value_set is None:
            yield EmberError(
                f"{name} is an index of a country's value set, which is not named.",
                where=document.place(keys),
                allowed=sets,
                fix="Add `value_set:` as the people who computed the index state it; one that is not listed goes into "
                "the study's registry/value_sets.csv.",
            )
        else:
            what = f"a value set of {name} in config/registry/value_sets.csv"
            yield from unknown(mapping.value_set, sets, what, document, (*keys, "value_set"))
    elif mapping.value_set is not None:
        yield EmberError(f"{name} is not scored with a value set.", where=document.place((*keys, "value_set")))


def _link_findings(
    name: str, crosswalk: str, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    fitting = [row["crosswalk"] for row in registry.rows("crosswalks") if row["from_instrument"] == name]
    yield from unknown(crosswalk, fitting, f"a crosswalk from {name} in config/registry/crosswalks.csv", document, keys)
    if crosswalk in fitting:
        try:
            scorable(registry, crosswalk)
        except EmberError as error:
            yield EmberError(error.what, where=document.place(keys), fix=error.fix)


def site_instrument_findings(site: Site, registry: Registry, document: YamlFile, nested: bool) -> Iterator[EmberError]:
    """Yield what the tables of a site say differently about one instrument, or twice."""
    sets: dict[str, str | None] = {}
    with_items: dict[str, Keys] = {}
    targets: dict[str, str] = {}
    parents = {row["instrument"]: row["parent"] for row in registry.rows("instruments")}
    for table in site.tables:
        base: Keys = ("tables", table.name) if nested else ()
        for name, mapping in table.instruments.items():
            keys: Keys = (*base, "instruments", name)
            if sets.setdefault(name, mapping.value_set) != mapping.value_set:
                yield EmberError(
                    f"Another table of the site names another value set for {name}.", where=document.place(keys)
                )
            if mapping.items is not None:
                with_items[name] = keys
            for index, link in enumerate(mapping.linked):
                if not registry.has("crosswalks", link.crosswalk):
                    continue
                target = registry.row("crosswalks", link.crosswalk)["to_instrument"]
                if targets.setdefault(target, link.crosswalk) != link.crosswalk:
                    where = document.place((*keys, "linked", index))
                    yield EmberError(f"Two crosswalks of the site make scores of {target}.", where=where)
    for name, keys in with_items.items():
        if parents.get(name) in with_items:
            yield EmberError(
                f"{name} is scored from the items of {parents[name]}; its items are mapped a second time.",
                where=document.place((*keys, "items")),
                fix=f"Map the items under {parents[name]} alone.",
            )
