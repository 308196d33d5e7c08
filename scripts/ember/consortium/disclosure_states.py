"""The counts of endotype states: by site and population, and of those whom a rule about high values would lose."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl

from ember.consortium.disclosure_shared import Keys, relate_absence, same_or_own
from ember.consortium.suppression import Counts, Key
from ember.endotypes.comparable import NOT_COMPARED
from ember.endotypes.scheme import ACUTE_SUSPECT, INDETERMINATE, INFLAMED_PERSISTENT, INFLAMED_SINGLE

EVERYONE = "all"
PARTS = (("dtd",), ("trd",), ("trd", "dtd_not_trd"))
"""Populations that do not overlap, and so are parts of all."""
RAISED = frozenset(
    (INFLAMED_SINGLE, INFLAMED_PERSISTENT, "inflamed_supported", "inflamed_unsupported", "immuno_metabolic",
     "inflamed_not_metabolic", NOT_COMPARED)
)  # fmt: skip
"""States of those whose last valid sample is raised."""
Cell = tuple[str, str, str]
"""Scheme, population and site."""


def add_states(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The states add up to the total, sites to all sites, and populations that do not overlap to everyone."""
    keys: list[Key | None] = []
    totals: list[Key | None] = []
    states: dict[Cell, dict[str, Key]] = {}
    sizes: dict[Cell, Key] = {}
    for row in frame.iter_rows(named=True):
        cell: Cell = (row["scheme"], row["population"], row["site"])
        total = _total(counts, cell, row["total"])
        # Equal counts of one state are one count, whichever scheme tells it: hidden in all of them or in none.
        key = counts.add(("state", *cell[1:], row["state"], row["n"]), row["n"])
        if row["state"] == INDETERMINATE and row["population"] == EVERYONE:
            relate_absence(counts, row["site"], key)
        keys.append(key)
        totals.append(total)
        states.setdefault(cell, {})[row["state"]] = key
        sizes[cell] = total
    for cell, parts in states.items():
        counts.relate(sizes[cell], list(parts.values()), f"no_state:{cell[0]}:{cell[1]}")
    for cell in [cell for cell in states if cell[2] == "all"]:
        sites = [other for other in states if other[:2] == cell[:2] and other[2] != "all"]
        _relate_sites(counts, states, sizes, cell, sites)
    for cell in [cell for cell in states if cell[1] == EVERYONE]:
        for names in PARTS:
            _relate_parts(counts, states, sizes, cell, names)
    for cell in [cell for cell in states if cell[1] == "dtd"]:
        _relate_parts(counts, states, sizes, cell, ("dtd_not_trd",))
    _relate_schemes(counts, states)
    return {"n": keys, "total": totals}


def _relate_schemes(counts: Counts, states: dict[Cell, dict[str, Key]]) -> None:
    """The raised of a scheme with a higher cut are among those of one with a lower cut, and their difference follows.

    Schemes of other analytes or windows are not nested; where their numbers lie close, more is hidden than need be.
    """
    raised: dict[tuple[str, str], list[Key]] = {}
    for cell, of in states.items():
        parts = [key for state, key in of.items() if state in RAISED]
        size = sum(counts.value(key) or 0 for key in parts)
        total = counts.add(("raised", *cell[1:], size), size, implied=True)
        counts.relate(total, parts)
        raised.setdefault(cell[1:], []).append(total)
    for totals in raised.values():
        falling = sorted(dict.fromkeys(totals), key=lambda key: -(counts.value(key) or 0))
        for larger, smaller in pairwise(falling):
            counts.relate(larger, [smaller], "lower_cut")


def _total(counts: Counts, cell: Cell, value: int) -> Key:
    scheme, population, site = cell
    own: Key = ("endotype_total", scheme, population, site)
    if population == EVERYONE:
        return same_or_own(counts, ("participants", site), own, value)
    return same_or_own(counts, ("history", site, population, "yes"), own, value)


def _relate_sites(
    counts: Counts, states: dict[Cell, dict[str, Key]], sizes: dict[Cell, Key], whole: Cell, sites: list[Cell]
) -> None:
    if not sites:
        return
    for state, key in states[whole].items():
        parts = [states[site][state] for site in sites if state in states[site]]
        counts.relate(key, parts, f"other_sites:{whole[0]}")
    counts.relate(sizes[whole], [sizes[site] for site in sites], "other_sites")


def _relate_parts(
    counts: Counts, states: dict[Cell, dict[str, Key]], sizes: dict[Cell, Key], whole: Cell, names: tuple[str, ...]
) -> None:
    parts = [(whole[0], name, whole[2]) for name in names]
    if not all(part in states for part in parts):
        return
    for state, key in states[whole].items():
        counts.relate(key, [states[part][state] for part in parts], f"not:{'+'.join(names)}:{whole[0]}")
    counts.relate(sizes[whole], [sizes[part] for part in parts], f"not:{'+'.join(names)}:{whole[0]}")


def add_lost(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Of the participants of a group some are above the cut, some of those without a repeat; groups add up to all."""
    names = ("n", "n_above", "n_without_repeat")
    keys: Keys = {name: [] for name in names}
    groups: dict[tuple[str, str], dict[str, dict[str, Key]]] = {}
    for row in frame.iter_rows(named=True):
        cells = _lost_keys(counts, row)
        for name in names:
            keys[name].append(cells[name])
        counts.relate(cells["n"], [cells["n_above"]], f"not_above:{row['scheme']}")
        if cells["n_above"] != cells["n_without_repeat"]:
            counts.relate(cells["n_above"], [cells["n_without_repeat"]], f"with_repeat:{row['scheme']}")
        groups.setdefault((row["scheme"], row["group_by"]), {})[row["group"]] = cells
    for (scheme, group_by), of in groups.items():
        whole = groups[scheme, "site"]["all"]
        for name in names:
            parts = [cells[name] for group, cells in of.items() if group != "all"]
            counts.relate(whole[name], parts, f"other:{group_by}:{scheme}")
    return keys


def _lost_keys(counts: Counts, row: dict[str, Any]) -> dict[str, Key]:
    """Return the keys under which the numbers are known already, so that they are hidden everywhere or nowhere."""
    group_by, group = row["group_by"], row["group"]
    own: Key = ("lost", group_by, group)
    people: Key = ("participants", group) if group_by == "site" else ("characteristic", "site", "all", group_by, group)
    # Equal numbers of the same people are one number, whichever scheme or column tells it.
    above = counts.add((*own, row["n_above"]), row["n_above"])
    without = counts.add((*own, row["n_without_repeat"]), row["n_without_repeat"])
    acute: Key = ("state", EVERYONE, group, ACUTE_SUSPECT, row["n_without_repeat"])
    if group_by == "site" and counts.value(acute) is not None and acute != without:
        counts.relate(acute, [without])
    return {"n": same_or_own(counts, people, (*own, "n"), row["n"]), "n_above": above, "n_without_repeat": without}
