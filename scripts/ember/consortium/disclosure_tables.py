"""The counts of the aggregate tables, the keys they share, and the sums that hold between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from ember.consortium.disclosure_composites import add_analyte_counts, add_composites
from ember.consortium.disclosure_mixtures import (
    add_mixture_agreement,
    add_mixture_assays,
    add_mixture_classes,
    add_mixture_stability,
)
from ember.consortium.disclosure_shared import Keys, relate_absence, same_or_own
from ember.consortium.disclosure_states import add_lost, add_states
from ember.consortium.disclosure_usual import add_usual_components, add_usual_levels
from ember.consortium.disclosure_verdicts import add_verdict_witnesses
from ember.consortium.suppression import Counts, Key
from ember.registry.ways import base_of

Row = dict[str, Any]
CARRIED = ("n_in", "n_created", "n_out")


def add_tables(counts: Counts, tables: Mapping[str, pl.DataFrame]) -> dict[str, Keys]:
    """Add the counts of every table and their sums.

    Returns
    -------
    dict of str to dict of str to list of Key
        For each table and count column, the key of every row (None where the cell is empty).
    """
    return {name: add(counts, tables[name]) for name, add in _TABLES.items() if name in tables}


def _cell(counts: Counts, key: Key, value: int | None) -> Key | None:
    return None if value is None else counts.add(key, value)


def _flow(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Enrolled = excluded by reason + analysed, in each site and in all; all = sum of the sites."""
    keys: list[Key | None] = []
    for row in frame.iter_rows(named=True):
        own = ("flow", row["analysis"], row["site"], row["box"], row["rule_id"])
        shared = ("participants", row["site"]) if row["box"] == "enrolled" else own
        keys.append(same_or_own(counts, shared, own, row["n"]))
    by_box: dict[tuple[str, str], dict[str, list[Key]]] = {}
    by_line: dict[tuple[str, str, str], dict[bool, list[Key]]] = {}
    for key, row in zip(keys, frame.iter_rows(named=True), strict=True):
        assert key is not None
        by_box.setdefault((row["analysis"], row["site"]), {}).setdefault(row["box"], []).append(key)
        line = (row["analysis"], row["box"], row["rule_id"])
        by_line.setdefault(line, {}).setdefault(row["site"] == "all", []).append(key)
    for boxes in by_box.values():
        for total in boxes.get("enrolled", []):
            counts.relate(total, [*boxes.get("excluded", []), *boxes.get("analysed", [])])
    for sides in by_line.values():
        for total in sides.get(True, []):
            counts.relate(total, sides.get(False, []), "other_sites")
    _relate_ways(counts, by_box)
    return {"n": keys}


def _relate_ways(counts: Counts, by_box: Mapping[tuple[str, str], Mapping[str, list[Key]]]) -> None:
    """Whom a further way of an analysis has lost: those analysed are part of those of the analysis itself."""
    analyses = dict.fromkeys(analysis for analysis, _ in by_box)
    for (analysis, site), boxes in by_box.items():
        base = base_of(analysis, analyses)
        if base is not None and (base, site) in by_box:
            for total in by_box[base, site].get("analysed", []):
                counts.relate(total, boxes.get("analysed", []), f"lost:{analysis}")


def _quality(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Participants = expected + not asked; expected = present + absent; present = flagged + not flagged."""
    names = ("n_expected", "n_present", "n_excluded", "n_quarantined", "n_flagged")
    keys: Keys = {name: [] for name in names}
    for number, row in enumerate(frame.iter_rows(named=True)):
        own: Key = ("quality", row["site"], row["table"], row["variable"], row["visit"], number)
        cells = {name: _cell(counts, (*own, name), row[name]) for name in names[2:]}
        present: Key = ("present", row["site"], row["variable"], row["visit"])
        cells["n_present"] = _cell(
            counts, (*own, "n_present") if present in counts.places else present, row["n_present"]
        )
        shared: Key = ("participants", row["site"])
        expected = row["n_expected"]
        cells["n_expected"] = None if expected is None else same_or_own(counts, shared, (*own, "n_expected"), expected)
        for name in names:
            keys[name].append(cells[name])
        if cells["n_expected"] and cells["n_expected"] != shared and counts.value(shared) is not None:
            counts.relate(shared, [cells["n_expected"]], f"not_asked:{own[2:]}")
        if cells["n_expected"] and cells["n_present"]:
            counts.relate(cells["n_expected"], [cells["n_present"]], f"absent:{own[2:]}")
        if cells["n_present"] and cells["n_flagged"]:
            counts.relate(cells["n_present"], [cells["n_flagged"]], "not_flagged")
    return keys


def _presence(counts: Counts, site: str, variable: str, value: int) -> Key | None:
    """Return the completeness count of a variable of a site, at whatever visit, that is this number."""
    return next(
        (key for key in counts.places if key[:3] == ("present", site, variable) and counts.value(key) == value), None
    )


def _harmonisation(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Results = below + above + inside the limits."""
    keys: Keys = {"n": [], "n_below": [], "n_above": []}
    for number, row in enumerate(frame.iter_rows(named=True)):
        own = ("harmonisation", row["site"], row["analyte"], row["assay_id"], row["unit_reported"], number)
        cells = {name: counts.add((*own, name), row[name]) for name in keys}
        for name, cell in cells.items():
            keys[name].append(cell)
        counts.relate(cells["n"], [cells["n_below"], cells["n_above"]], "inside")
    by_analyte: dict[Key, list[Key]] = {}
    for key in keys["n"]:
        assert key is not None
        by_analyte.setdefault(("results", key[1], key[2]), []).append(key)
    for total, parts in by_analyte.items():
        counts.add(total, sum(counts.value(part) or 0 for part in parts), implied=True)
        counts.relate(total, parts)
    return keys


def _distributions(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The bins of a visit add up to its results, and the visits to the results of the site."""
    keys: list[Key | None] = []
    visits: dict[Key, list[Key]] = {}
    group: Key
    for number, row in enumerate(frame.iter_rows(named=True)):
        group = ("bins", row["site"], row["analyte"], row["stage"], row["visit"])
        key = counts.add((*group, number), row["n"])
        keys.append(key)
        visits.setdefault(group, []).append(key)
    stages: dict[Key, list[Key]] = {}
    for group, bins in visits.items():
        size = sum(counts.value(key) or 0 for key in bins)
        total = _presence(counts, str(group[1]), str(group[2]), size) or counts.add(group, size, implied=True)
        counts.relate(total, bins, f"unbinned:{group[3]}")
        stages.setdefault(group[:4], []).append(total)
    for stage, groups in stages.items():
        total = ("results", stage[1], stage[2])
        if len(set(groups)) == len(groups) and counts.value(total) == sum(counts.value(group) or 0 for group in groups):
            counts.relate(total, groups)
    return {"n": keys}


def _characteristics(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The levels of a variable (what is missing included) add up to the group; groups by site to all."""
    keys: list[Key | None] = []
    wholes: dict[tuple[str, str], Key] = {}
    levels: dict[tuple[str, str, str], list[Key]] = {}
    for row in frame.iter_rows(named=True):
        group = (row["group_by"], row["group"])
        own = ("characteristic", *group, row["variable"], row["level"])
        if row["variable"] == "participants":
            shared = ("participants", row["group"]) if row["group_by"] == "site" else own
            wholes[group] = same_or_own(counts, shared, own, row["n"])
            keys.append(wholes[group])
        else:
            variable = row["variable"].removeprefix("ln_").removeprefix("score_")
            known = None if row["level"] else _presence(counts, row["group"], variable, row["n"])
            key = known if known is not None else counts.add(own, row["n"])
            keys.append(key)
            levels.setdefault((*group, row["variable"]), []).append(key)
    for (group_by, name, variable), parts in levels.items():
        if (group_by, name) in wholes:
            counts.relate(wholes[group_by, name], parts, f"missing:{group_by}:{variable}")
    _relate_groups(counts, frame, keys)
    return {"n": keys}


def _relate_groups(counts: Counts, frame: pl.DataFrame, keys: list[Key | None]) -> None:
    lines: dict[tuple[str, str, str], dict[str, Key]] = {}
    for key, row in zip(keys, frame.iter_rows(named=True), strict=True):
        if key is not None:
            lines.setdefault((row["group_by"], row["variable"], row["level"]), {})[row["group"]] = key
    for (group_by, variable, level), by_group in lines.items():
        total = by_group.get("all") or lines.get(("site", variable, level), {}).get("all")
        parts = [key for group, key in by_group.items() if group != "all"]
        if total is not None and parts:
            counts.relate(total, parts, f"other_groups:{group_by}:{variable}:{level}")


def _rules(counts: Counts, frame: pl.DataFrame) -> Keys:
    """What the rules of an action counted in a stage adds up to the stage's account."""
    keys: list[Key | None] = []
    for row in frame.iter_rows(named=True):
        own = ("rule", row["site"], row["stage"], row["unit"], row["rule_id"], row["action"])
        shared = ("flow", analysis_of(row["stage"]), row["site"], "excluded", row["rule_id"])
        keys.append(same_or_own(counts, shared, own, row["n"]) if counts.value(shared) else counts.add(own, row["n"]))
    return {"n": keys}


def _accounting(counts: Counts, frame: pl.DataFrame) -> Keys:
    """What came is what went; what a stage took in is what an earlier one gave out; rules explain refusals."""
    names = ("n_in", "n_created", "n_out", "n_collapsed", "n_quarantined", "n_excluded")
    keys: Keys = {name: [] for name in names}
    given: dict[tuple[str, str, int], Key] = {}
    lines = frame.select("site", "stage", "unit").rows()
    for number, row in enumerate(frame.iter_rows(named=True)):
        own = ("account", row["site"], row["stage"], row["unit"], number)
        cells: dict[str, Key] = {}
        for name in names:
            known = _known_account(counts, row, name, given) if name in CARRIED else None
            cells[name] = known if known is not None else counts.add((*own, name), row[name])
            if name in CARRIED:
                given.setdefault((row["site"], row["unit"], row[name]), cells[name])
            keys[name].append(cells[name])
        came = counts.add((*own, "came"), row["n_in"] + row["n_created"], implied=True)
        counts.relate(came, [cells["n_in"], cells["n_created"]])
        counts.relate(came, [cells["n_out"], cells["n_collapsed"], cells["n_quarantined"], cells["n_excluded"]])
        if lines.count(lines[number]) == 1:
            _relate_rules(counts, lines[number], cells)
    return keys


def _relate_rules(counts: Counts, line: tuple[str, str, str], cells: Mapping[str, Key]) -> None:
    for action in ("quarantined", "excluded", "collapsed"):
        parts = [key for key in counts.places if key[0] == "rule" and key[1:4] == line and key[5] == action]
        if parts:
            counts.relate(cells[f"n_{action}"], parts, f"unlisted:{action}")


def _known_account(counts: Counts, row: Row, name: str, given: Mapping[tuple[str, str, int], Key]) -> Key | None:
    """Return the key under which a number of an account is known already: an earlier stage or the flow."""
    found = given.get((row["site"], row["unit"], row[name]))
    if found is not None or row["unit"] != "participant":
        return found
    flow = ("flow", analysis_of(row["stage"]), row["site"], "analysed", "")
    for key in (("participants", row["site"]), flow):
        if row[name] and counts.value(key) == row[name]:
            return key
    return None


def analysis_of(stage: str) -> str:
    """Return the analysis in the name of a stage, `analysis:<analysis>`."""
    return stage.removeprefix("analysis:")


def _findings(counts: Counts, frame: pl.DataFrame) -> Keys:
    return {"n": [_cell(counts, ("finding", finding), n) for finding, n in frame.select("finding", "n").iter_rows()]}


def _gates(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Checked = failed + passed; the rows of a table = checked + cells that are empty."""
    keys: Keys = {"n_checked": [], "n_failed": []}
    sizes = _table_sizes(frame)
    for row in frame.iter_rows(named=True):
        own = ("gate", row["stage"], row["site"], row["rule"])
        checked = _cell(counts, (*own, "n_checked"), row["n_checked"])
        failed = _cell(counts, (*own, "n_failed"), row["n_failed"])
        keys["n_checked"].append(checked)
        keys["n_failed"].append(failed)
        if checked and failed:
            counts.relate(checked, [failed], "passed")
            relate_absence(counts, row["site"], failed)
        if checked:
            place = (row["stage"], row["site"], row["table"])
            shared = ("participants", row["site"]) if row["table"] == "participants" else ("rows_of", *place)
            whole = same_or_own(counts, shared, ("rows_of", *place), sizes[place])
            counts.relate(whole, [checked], f"empty:{row['stage']}:{row['rule']}")
    return keys


def _table_sizes(frame: pl.DataFrame) -> dict[tuple[str, str, str], int]:
    """Return the rows of each gated table: the most that any of its expectations looked at."""
    sizes: dict[tuple[str, str, str], int] = {}
    for row in frame.iter_rows(named=True):
        place = (row["stage"], row["site"], row["table"])
        sizes[place] = max(sizes.get(place, 0), row["n_checked"] or 0)
    return sizes


def _inputs(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The rows of a file that one site read as a whole are the rows which that site took in."""
    read = {
        counts.values[place]: key
        for key, place in counts.places.items()
        if key[0] == "account" and key[2] == "read_source" and key[-1] == "n_in"
    }
    return {
        "rows": [
            _cell(counts, read.get(rows, ("input", source, file)), rows)
            for source, file, rows in frame.select("source", "file", "rows").iter_rows()
        ]
    }


def _consent(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Those who left, by reason, and those who stay add up to the register of a site."""
    keys: list[Key | None] = []
    sites: dict[str, list[Key]] = {}
    for site, rule, n in frame.select("site", "rule_id", "n").iter_rows():
        own: Key = ("consent", site, rule)
        rows: Key = ("rule", site, "read_source", "row", rule, "excluded")
        if counts.value(rows) is not None:
            counts.behind(rows, n)
        shared = rows if rule else ("participants", site)
        key = counts.add(shared if counts.value(shared) == n else own, n)
        keys.append(key)
        sites.setdefault(site, []).append(key)
    for site, parts in sites.items():
        size = sum(counts.value(part) or 0 for part in parts)
        register = _rows_read(counts, site, size) or counts.add(("register", site), size, implied=True)
        counts.relate(register, parts)
    return {"n": keys}


def _rows_read(counts: Counts, site: str, n: int) -> Key | None:
    """Return the rows that a site took in, if they are this many: then each is one participant."""
    taken = [key for key in counts.places if key[:3] == ("account", site, "read_source") and key[-1] == "n_in"]
    return next((key for key in taken if counts.value(key) == n), None)


def _treatment_names(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Rows = matched + unmatched; how many names there are follows the unmatched rows and is no count of people."""
    keys: Keys = {"n_rows": [], "n_unmatched": []}
    for site, n_rows, n_unmatched in frame.select("site", "n_rows", "n_unmatched").iter_rows():
        rule: Key = ("rule", site, "standardise_site", "value", "treatment.unknown", "flagged")
        own: Key = ("treatment_names", site, "unmatched")
        people: Key = ("participants", site)
        rows = counts.add(people if counts.value(people) == n_rows else ("treatment_names", site, "rows"), n_rows)
        unmatched = counts.add(rule if counts.value(rule) == n_unmatched else own, n_unmatched)
        counts.relate(rows, [unmatched], "matched")
        keys["n_rows"].append(rows)
        keys["n_unmatched"].append(unmatched)
    return keys


def _history(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The levels of a variable add up to the participants of the site."""
    keys: list[Key | None] = []
    wholes: dict[tuple[str, str], list[Key]] = {}
    for site, variable, level, n in frame.select("site", "variable", "level", "n").iter_rows():
        key = counts.add(("history", site, variable, level), n)
        keys.append(key)
        wholes.setdefault((site, variable), []).append(key)
    for (site, variable), parts in wholes.items():
        size = sum(counts.value(part) or 0 for part in parts)
        total = same_or_own(counts, ("participants", site), ("history_total", site), size)
        counts.relate(total, parts, f"history:{variable}")
    return {"n": keys}


_TABLES: Mapping[str, Callable[[Counts, pl.DataFrame], Keys]] = {
    "flow": _flow,
    "quality": _quality,
    "harmonisation": _harmonisation,
    "distributions": _distributions,
    "endotypes": add_states,
    "characteristics": _characteristics,
    "rules": _rules,
    "accounting": _accounting,
    "findings": _findings,
    "gates": _gates,
    "inputs": _inputs,
    "consent": _consent,
    "treatment_names": _treatment_names,
    "history": _history,
    "acute_samples": add_lost,
    "composites": add_composites,
    "composite_analytes": add_analyte_counts,
    "usual_levels": add_usual_levels,
    "usual_components": add_usual_components,
    "verdict_witnesses": add_verdict_witnesses,
    "mixture_classes": add_mixture_classes,
    "mixture_assays": add_mixture_assays,
    "mixture_agreement": add_mixture_agreement,
    "mixture_stability": add_mixture_stability,
}
