"""The block of the report on a composite: its reference, its analytes, and what is not compared between sites."""

from __future__ import annotations

from typing import Any

from ember.endotypes.comparable import compares_states, states_within_site
from ember.reporting.blocks import Block, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.numbers import decimal_text

FILLED = {
    "conditional_mean": "with its expectation under the reference",
    "fill_lod_sqrt2": "as the limit divided by the square root of 2",
    "fill_lod_half": "as half the limit",
    "fill_lod": "as the limit",
}


def composite_blocks(facts: Facts, scheme: str, content: dict[str, Any]) -> list[Block]:
    """Return what the composite of a scheme rests on; nothing where it has none."""
    declared = content.get("composite")
    rows = facts.lines("composites", scheme=scheme)
    if declared is None or not rows:
        return []
    blocks: list[Block] = [Text(reference_words(facts, declared))]
    if not compares_states(facts.study, content):
        blocks.append(Text(refusal_words(facts, content)))
    chosen = [site for site in facts.included if any(row["selected"] for row in rows if row["site"] == site)]
    if chosen:
        blocks.append(Text(selection_words(facts, declared, chosen)))
    blocks += [references_table(facts, scheme, rows), analytes_table(facts, scheme)]
    return blocks


def reference_words(facts: Facts, declared: dict[str, Any]) -> str:
    """Return in words how the composite is made."""
    *first, last = (facts.names.analyte(analyte) for analyte in declared["analytes"])
    analytes = f"{', '.join(first)} and {last}"
    of = "batch" if declared.get("by") == "batch" else "assay"
    reference = (
        f"the baseline samples of the same site and {of}, all participants together"
        if declared["variant"] == "within_site"
        else f"the frozen reference {declared['reference']}"
    )
    limits = FILLED.get(declared.get("below_limit", ""))
    text = (
        f"The composite is the mean of the z scores of the natural logarithms of {analytes}, against {reference}; the "
        "same mean and standard deviation serve every visit. They are estimated by a likelihood in which results "
        f"beyond a limit of the assay count as such. At least {declared['minimum']} of {len(declared['analytes'])} "
        "analytes are needed."
    )
    return text + (f" A single result below its limit enters its z score {limits}." if limits else "")


def refusal_words(facts: Facts, content: dict[str, Any]) -> str:
    """Return why the states that the composite tells apart are counted together."""
    states = " and ".join(facts.names.state(state).lower() for state in states_within_site(content))
    return (
        f"Not compared: {states}. The composite is standardised within each site, so its level, a cut of it and the "
        "share above the cut mean something else at every site; they are counted together here, and neither set side "
        "by side nor added up. A slope on such a composite is per standard deviation of the site. A composite against "
        "one frozen reference, on one platform, can be compared."
    )


def selection_words(facts: Facts, declared: dict[str, Any], chosen: list[str]) -> str:
    """Return the warning about sites that chose their participants by a laboratory result."""
    names = " and ".join(facts.names.site(site) for site in chosen)
    told = f"{names} chose participants by a laboratory result"
    if declared["variant"] == "reference":
        return f"{told}; the frozen reference is not touched by that."
    return (
        f"Flagged: {told}, and the composite there is standardised against these chosen participants: its zero lies "
        "higher and its unit is smaller than in the people from whom they were chosen."
    )


def references_table(facts: Facts, scheme: str, rows: list[Row]) -> Table:
    """Return mean and SD of every site, analyte and assay, with the samples behind them."""
    printed: list[list[str]] = []
    for site in [site for site in facts.included if any(row["site"] == site for row in rows)]:
        printed.append([facts.names.site(site) + (" (flagged)" if _flagged(rows, site) else "")])
        for row in [row for row in rows if row["site"] == site]:
            batch = f", batch {row['batch']}" if row["batch"] else ""
            name = f"  {facts.names.analyte(row['analyte'])}, {facts.names.assay(row['assay_id'])}{batch}"
            counts = [_external(facts, row, name) for name in ("n", "n_below", "n_above")]
            printed.append([name, *counts, *(decimal_text(row[key]) for key in ("ln_mean", "ln_sd"))])
    columns = [
        ("", False), ("Baseline samples", True), ("Below limit", True), ("Above limit", True), ("Mean of ln", True),
        ("SD of ln", True),
    ]  # fmt: skip
    notes = [*facts.protection_notes, "Mean and SD: – where fewer than two different values lie within the limits."]
    return table(f"composite_{scheme}", "Reference of the composite", columns, printed, notes, folded=True)


def analytes_table(facts: Facts, scheme: str) -> Table:
    """Return how many participants of each site have how many of the analytes."""
    rows = facts.lines("composite_analytes", scheme=scheme)
    sites = [site for site in facts.included if any(row["site"] == site for row in rows)]
    printed = []
    for number in sorted({row["n_analytes"] for row in rows}):
        cells = [row["n"] for site in sites for row in rows if (row["site"], row["n_analytes"]) == (site, number)]
        short = any(row["minimum"] > number for row in rows)
        printed.append([f"{number}" + (" (too few: no composite)" if short else ""), *map(facts.count, cells)])
    columns = [("Analytes with a result", False), *[(facts.names.site(site), True) for site in sites]]
    title = f"Participants by number of analytes, by {facts.names.site_word.lower()}"
    return table(f"composite_{scheme}_analytes", title, columns, printed, facts.protection_notes, folded=True)


def _flagged(rows: list[Row], site: str) -> bool:
    return any(row["selected"] and row["variant"] == "within_site" for row in rows if row["site"] == site)


def _external(facts: Facts, row: Row, name: str) -> str:
    if row["variant"] == "within_site":
        return facts.count(row[name])
    return "–" if row[name] is None else f"{row[name]:,}"
