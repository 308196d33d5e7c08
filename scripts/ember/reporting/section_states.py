"""The block of the report on one scheme: its rules, its states by site and by population, and who would be lost."""

from __future__ import annotations

from typing import Any

from ember.endotypes.scheme import PERSISTENT_ABOVE_10, threshold_of
from ember.reporting.blocks import Block, Figure, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.figures_shares import SiteShares, shares_figure
from ember.reporting.numbers import NARROW_SPACE, percent_interval_text, wilson
from ember.reporting.section_first import inflamed_share
from ember.reporting.words import plain, unit_text

SIGNS = {">=": "at least", ">": "above", "<=": "at most", "<": "below"}
QUANTITIES = {"composite": "cytokine composite", "bmi": "body mass index", "symptoms": "symptom profile"}
POPULATIONS = {
    "all": "All participants",
    "dtd": "Difficult-to-treat depression (study-defined)",
    "trd": "Treatment-resistant depression",
    "dtd_not_trd": "Difficult to treat and not treatment-resistant",
}
GROUPS = {"site": "Site", "sex": "Sex", "bmi_band": "Body mass index, kg/m²"}
STATES_OF_SAMPLES = (
    "Only samples before treatment count, on study days {first} to {last}; two count if they lie at least {apart} days "
    "apart. The last two valid ones decide: raised twice is inflamed, repeated; raised and then not is discordant. A "
    "sample above {acute} or with a reported infection waits for its repeat; where a valid repeat is there, the person "
    "is classified on it and flagged. Two above {acute}, far enough apart and without infection, are persistently "
    "above it."
)
LOST = (
    "A value above the acute cut is kept and flagged. Leaving such people out would fall on some groups more than on "
    "others: obesity alone can hold C-reactive protein above the cut."
)


def scheme_rules(facts: Facts, content: dict[str, Any]) -> list[str]:
    """Return the rules of a scheme in words."""
    known = {name: threshold_of(name, text) for name, text in content["thresholds"].items()}
    unit, window = unit_text(content["unit"]), content["samples"]
    lines = []
    for rule in reversed(content["rules"]):
        cut = f"{_words(facts, known[rule['when']])} {unit}" if "when" in rule else "anything lower"
        name = "Inflamed" if rule["state"] == "inflamed" else facts.names.state(rule["state"])
        lines.append(f"{name}: {cut}.")
    if "support" in content:
        asked = " and ".join(_words(facts, known[name]) for name in content["support"]["all_of"])
        states = [facts.names.state(content["support"][side]["state"]) for side in ("met", "not_met")]
        lines.append(f"Of the inflamed, {states[0].lower()}: {asked}; otherwise {states[1].lower()}.")
    acute = f"{known[content['acute']].value:g} {unit}"
    lines.append(STATES_OF_SAMPLES.format(first=window["from"], last=window["to"], apart=window["apart"], acute=acute))
    lines.append(f"Version {content['version']}. Sources: {' '.join(content['sources'])}")
    return lines


def _words(facts: Facts, threshold: Any) -> str:
    name = QUANTITIES.get(threshold.quantity) or facts.names.analyte(threshold.quantity)
    return f"{name} {SIGNS[threshold.operator]} {threshold.value:g}"


def shares_block(facts: Facts, scheme: str, content: dict[str, Any]) -> Figure | None:
    """Return states by site with the share inflamed and its interval."""
    rows = facts.lines("endotypes", scheme=scheme, population="all")
    if not rows:
        return None
    sites = _sites(facts, rows)
    states = _occurring(rows)
    drawn = []
    for site in sites:
        own = [row for row in rows if row["site"] == site and row["state"] in states]
        own.sort(key=lambda row: row["state_order"])
        share = inflamed_share(facts, scheme, site)
        shares = [(row["state"], facts.names.state(row["state"]), row["share"]) for row in own]
        limits = share[:3] if share is not None else (None, None, None)
        drawn.append(SiteShares(site, facts.names.site(site), shares, *limits))
    name = f"endotypes_{scheme}"
    svg = shares_figure(name, drawn, facts.sites)
    title = f"{content['label']}: states by {facts.names.site_word.lower()}"
    spoken = "; ".join(f"{row.label} {percent_interval_text(row.inflamed, row.low, row.high)}" for row in drawn)
    weighted = (
        " Unweighted: shares of the people measured, not of the population."
        if facts.study.time_zero == "survey"
        else ""
    )
    caption = (
        "Left: states of all participants. Right: share inflamed with its "
        f"95{NARROW_SPACE}% interval (Wilson).{weighted}"
    )
    return Figure(
        name, title, caption, f"{title}. Share inflamed: {spoken}.", svg, 6.8, states_table(facts, scheme, title, sites)
    )


def _sites(facts: Facts, rows: list[Row]) -> list[str]:
    """Return the sites that are shown: surveys with different assays stand side by side and are never pooled."""
    pooled = [] if facts.study.design == "cross_sectional" else ["all"]
    return [*[site for site in facts.included if any(row["site"] == site for row in rows)], *pooled]


def _occurring(rows: list[Row]) -> list[str]:
    """Return the states that somebody has, or may have behind a protected count."""
    ordered = sorted(rows, key=lambda row: row["state_order"])
    return list(dict.fromkeys(row["state"] for row in ordered if row["n"] != 0))


def states_table(facts: Facts, scheme: str, title: str, sites: list[str]) -> Table:
    """Return counts and shares of every state with intervals."""
    rows = facts.lines("endotypes", scheme=scheme, population="all")
    states = _occurring(rows)
    printed: list[list[str]] = []
    for site in sites:
        own = [row for row in rows if row["site"] == site and row["state"] in states]
        own.sort(key=lambda row: row["state_order"])
        printed.append([facts.names.site(site)])
        counts = facts.parts([row["n"] for row in own], own[0]["total"])
        for row, count in zip(own, counts, strict=True):
            text = percent_interval_text(row["share"], row["conf_low"], row["conf_high"])
            name = f"  {facts.names.state(row['state'])}" + (" (counted as inflamed)" if row["inflamed"] else "")
            printed.append([name, count, facts.size(row["total"]), text])
        printed += _both_ways(facts, [row for row in rows if row["site"] == site])
    columns = [("", False), ("n", True), ("of", True), ("Share (95 % interval)", True)]
    absent = [facts.names.state(row["state"]) for row in rows if row["state"] not in states]
    notes = [f"Nobody is: {', '.join(dict.fromkeys(absent)).lower()}."] if absent else []
    return table(f"endotypes_{scheme}_table", title, columns, printed, [*notes, *facts.protection_notes])


def _both_ways(facts: Facts, rows: list[Row]) -> list[list[str]]:
    """Return the share inflamed without and with those persistently above the acute cut, where there are any."""
    above = [row for row in rows if row["state"] == PERSISTENT_ABOVE_10]
    inflamed = [row["n"] for row in rows if row["inflamed"] and row["state"] != PERSISTENT_ABOVE_10]
    if not above or above[0]["n"] == 0:
        return []
    total = above[0]["total"]
    printed = []
    for name, counts in (("without", inflamed), ("with", [*inflamed, above[0]["n"]])):
        known = total and all(n is not None for n in counts)
        text = percent_interval_text(sum(counts) / total, *wilson(sum(counts), total)) if known else "–"
        count = f"{sum(counts):,}" if known else facts.mark
        label = f"  Inflamed, {name} those persistently above the acute cut"
        printed.append([label, count, facts.size(total), text])
    return printed


def population_blocks(facts: Facts, scheme: str, content: dict[str, Any]) -> list[Block]:
    """Return every state in all, in difficult-to-treat and in treatment-resistant depression, where they are told."""
    rows = [row for row in facts.lines("endotypes", scheme=scheme) if row["site"] == "all"]
    if facts.study.design == "cross_sectional" or len({row["population"] for row in rows}) < 2:
        return []
    names = [name for name in POPULATIONS if any(row["population"] == name for row in rows)]
    printed: list[list[str]] = []
    for state in _occurring(rows):
        own = {row["population"]: row for row in rows if row["state"] == state}
        printed.append([facts.names.state(state), *[_with_interval(facts, own[name]) for name in names]])
    totals = [next(row["total"] for row in rows if row["population"] == name) for name in names]
    printed.append(["Participants", *map(facts.size, totals)])
    columns = [("", False), *[(POPULATIONS[name], True) for name in names]]
    title = f"{content['label']}: states by population"
    notes = ["Who is indeterminate in one of the two is in neither of its sides.", *facts.protection_notes]
    return [table(f"endotypes_{scheme}_populations", title, columns, printed, notes)]


def _with_interval(facts: Facts, row: Row) -> str:
    if row["n"] is None or row["share"] is None:
        return facts.count(row["n"])
    return f"{row['n']:,}, {percent_interval_text(row['share'], row['conf_low'], row['conf_high'])}"


def lost_blocks(facts: Facts, scheme: str, content: dict[str, Any]) -> list[Block]:
    """Return who would be lost if values above the acute cut were left out, or counted only through a repeat."""
    rows = facts.lines("acute_samples", scheme=scheme)
    if not rows:
        return []
    side_by_side = facts.study.design == "cross_sectional"
    printed: list[list[str]] = []
    for group_by in dict.fromkeys(row["group_by"] for row in rows):
        printed.append([facts.names.site_word if group_by == "site" else GROUPS[group_by]])
        for row in [row for row in rows if row["group_by"] == group_by]:
            if side_by_side and row["group"] == "all":
                continue
            name = facts.names.site(row["group"]) if group_by == "site" else plain(row["group"])
            shown = [_share(facts, row[part], row["n"]) for part in ("n_above", "n_without_repeat")]
            printed.append([f"  {name}", facts.size(row["n"]), *shown])
    cut = threshold_of(content["acute"], content["thresholds"][content["acute"]])
    columns = [
        ("", False),
        ("Participants", True),
        (f"Lost if only values up to {cut.value:g} count, n (share)", True),
        ("Lost if a higher value counts only through its repeat, n (share)", True),
    ]
    title = f"{content['label']}: who would be lost with values above the acute cut"
    return [Text(LOST), table(f"acute_samples_{scheme}", title, columns, printed, facts.protection_notes)]


def _share(facts: Facts, n: int | None, total: int | None) -> str:
    if n is None or not total:
        return facts.count(n)
    return f"{n:,} ({100 * n / total:.1f} %)"
