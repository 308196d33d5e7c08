"""Who was in: the flow of participants, and what they were like."""

from __future__ import annotations

import math

from ember.registry.questionnaires import analyses_in_order
from ember.reporting.blocks import Block, Bullets, Figure, Heading, Section, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.figures_flow import flow_figure
from ember.reporting.numbers import decimal_text, percent_text
from ember.reporting.section_history import history_blocks
from ember.reporting.words import inside, plain, sentence, unit_text

FLOW_WIDTH = 6.6
CONSENT_WORDS = (
    "Consent is looked at before anything else: the rows of people who did not agree to what the study needs, of whom "
    "nobody says so, or who asked for erasure leave while the files are read, and no later count includes them."
)


def people_section(facts: Facts) -> Section:
    """Return the section on who was in."""
    blocks: list[Block] = []
    main = facts.headline["analysis"]
    figure = flow_block(facts, main)
    if figure is not None:
        blocks.append(figure)
    for analysis in analyses_in_order(facts.study.analyses, facts.registry):
        if analysis != main and facts.lines("flow", analysis=analysis):
            blocks.append(flow_table(facts, analysis, folded=True))
    if facts.study.excluded_sites:
        blocks += [
            Heading("Left out of the study"),
            Bullets([f"{facts.names.site(site)}: {sentence(why)}" for site, why in facts.study.excluded_sites.items()]),
        ]
    if facts.lines("consent"):
        blocks += [Heading("Consent"), Text(CONSENT_WORDS), consent_block(facts)]
    blocks += [Heading("What they were like")]
    blocks += [
        Text(
            "Counts with share, or mean with standard deviation. Groups are described, not tested: no p values.", "note"
        ),
        characteristics_table(facts, "site"),
    ]
    # Bands of surveys with different assays are never pooled, so their members are not described together.
    if facts.study.design != "cross_sectional" and facts.lines("characteristics", group_by="state"):
        blocks.append(characteristics_table(facts, "state"))
    blocks += history_blocks(facts)
    return Section("people", "Who was in", blocks)


def flow_block(facts: Facts, analysis: str) -> Figure | None:
    """Return the flow diagram of an analysis, drawn from counts, with its table by site."""
    rows = facts.lines("flow", analysis=analysis, site="all")
    if not rows:
        return None
    boxes = {name: [row for row in rows if row["box"] == name] for name in ("enrolled", "excluded", "analysed")}
    enrolled, analysed = boxes["enrolled"][0], boxes["analysed"][0]
    gone = None if None in (enrolled["n"], analysed["n"]) else enrolled["n"] - analysed["n"]
    reasons = [row for row in boxes["excluded"] if row["n"] != 0]
    out = [
        f"{row['reason']}: {'protected' if text == '*' else text}"
        for row, text in zip(reasons, facts.parts([row["n"] for row in reasons], gone), strict=True)
    ]
    label = facts.names.sites_word
    svg = flow_figure(
        "flow",
        [f"Enrolled: {facts.size(enrolled['n'])}", *_by_site(facts, analysis, "enrolled")],
        [f"Not in the analysis: {_excluded_total(facts, enrolled, analysed)}", *out] if out else ["No one left out"],
        [f"Analysed: {facts.size(analysed['n'])}", *_by_site(facts, analysis, "analysed")],
        [
            f"Left out of the study: {len(facts.study.excluded_sites)} {label}",
            *map(facts.names.site, facts.study.excluded_sites),
        ]
        if facts.study.excluded_sites
        else [],
    )
    title = f"Flow of participants, {inside(facts.study.analyses[analysis]['title'])}"
    alternative = (
        f"{facts.size(enrolled['n'])} enrolled; left out: {'; '.join(out) or 'no one'}; "
        f"{facts.size(analysed['n'])} analysed."
    )
    caption = "Each participant leaves for the first reason that applies; reasons by size."
    return Figure("flow", title, caption, alternative, svg, FLOW_WIDTH, flow_table(facts, analysis))


def _by_site(facts: Facts, analysis: str, box: str) -> list[str]:
    rows = [row for row in facts.lines("flow", analysis=analysis, box=box) if row["site"] != "all"]
    return [f"{facts.names.site(row['site'])} {facts.size(row['n'])}" for row in rows]


def _excluded_total(facts: Facts, enrolled: Row, analysed: Row) -> str:
    if enrolled["n"] is None or analysed["n"] is None:
        return facts.size(None)
    return f"{enrolled['n'] - analysed['n']:,}"


def flow_table(facts: Facts, analysis: str, folded: bool = False) -> Table:
    """Return the flow of an analysis with one column a site."""
    rows = facts.lines("flow", analysis=analysis)
    sites = ["all", *[site for site in facts.sites if any(row["site"] == site for row in rows)]]
    lines = [row for row in rows if row["site"] == "all"]
    by_site = [_flow_column(facts, [row for row in rows if row["site"] == site], lines) for site in sites]
    names = {"enrolled": "Enrolled", "analysed": "Analysed"}
    printed = [
        [names.get(line["box"], f"  {line['reason']}"), *[column[number] for column in by_site]]
        for number, line in enumerate(lines)
    ]
    columns = [("", False), *[(facts.names.site(site), True) for site in sites]]
    title = f"Participants by step, {inside(facts.study.analyses[analysis]['title'])}"
    return table(f"flow_{analysis}", title, columns, printed, facts.protection_notes, folded=folded)


def _flow_column(facts: Facts, rows: list[Row], lines: list[Row]) -> list[str]:
    """Return the printed steps of one site; what is hidden is held against what left in all."""
    found = {(row["box"], row["rule_id"]): row["n"] for row in rows}
    steps = [(line["box"], line["rule_id"]) for line in lines]
    enrolled, analysed = found.get(("enrolled", "")), found.get(("analysed", ""))
    gone = None if enrolled is None or analysed is None else enrolled - analysed
    excluded = [step for step in steps if step[0] == "excluded"]
    parts = dict(zip(excluded, facts.parts([found.get(step, 0) for step in excluded], gone), strict=True))
    return [parts[step] if step in parts else facts.size(found.get(step, 0)) for step in steps]


def consent_block(facts: Facts) -> Table:
    """Return who left for which reason and who stays, with one column a site."""
    rows = facts.lines("consent")
    sites = [site for site in facts.sites if any(row["site"] == site for row in rows)]
    numbers = {(row["site"], row["rule_id"]): row["n"] for row in rows}
    printed = [
        [reason, *[(facts.count if rule else facts.size)(numbers.get((site, rule), 0)) for site in sites]]
        for rule, reason in dict.fromkeys((row["rule_id"], row["reason"]) for row in rows)
    ]
    columns = [("Participants", False), *[(facts.names.site(site), True) for site in sites]]
    title = f"Consent by {facts.names.site_word.lower()}"
    return table("consent", title, columns, printed, facts.protection_notes)


def characteristics_table(facts: Facts, group_by: str) -> Table:
    """Return the characteristics with one column a group."""
    rows = facts.lines("characteristics", group_by=group_by)
    side_by_side = facts.study.design == "cross_sectional"
    groups = [group for group in dict.fromkeys(row["group"] for row in rows) if not (side_by_side and group == "all")]
    by_line: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_line.setdefault((row["variable"], row["level"] or ""), {})[row["group"]] = row
    printed: list[list[str]] = []
    shown_variable = ""
    for (variable, level), cells in by_line.items():
        name = _trait_name(facts, next(iter(cells.values())))
        if level and variable != shown_variable:
            printed.append([name])
        shown_variable = variable
        printed.append([f"  {plain(level)}" if level else name, *[_cell(facts, cells.get(group)) for group in groups]])
    label = facts.names.site if group_by == "site" else facts.names.state
    columns = [("", False), *[(label(group), True) for group in groups]]
    by = facts.names.site_word.lower() if group_by == "site" else "endotype state at baseline"
    notes = [
        "n (share) for groups; mean (standard deviation) [n] for numbers, without n where it is protected.",
        *facts.protection_notes,
    ]
    return table(f"characteristics_{group_by}", f"Participants by {by}", columns, printed, notes)


def _trait_name(facts: Facts, row: Row) -> str:
    """Return the name of a line; logarithms are printed as geometric means."""
    unit = f", {unit_text(row['unit'])}" if row["unit"] else ""
    kind, _, name = row["variable"].partition("_")
    if kind == "ln":
        return f"{facts.names.analyte(name)}{unit}, geometric mean (geometric SD)"
    if kind == "score":
        return f"{facts.names.instrument_short(name)}{unit}"
    return f"{row['label']}{unit}"


def _cell(facts: Facts, row: Row | None) -> str:
    if row is None:
        return "–"
    if row["mean"] is not None and row["sd"] is not None:
        logarithm = row["variable"].startswith("ln_")
        mean, spread = (math.exp(row["mean"]), math.exp(row["sd"])) if logarithm else (row["mean"], row["sd"])
        people = f" [{row['n']:,}]" if row["n"] is not None else ""
        return f"{decimal_text(mean, 1)} ({decimal_text(spread, 1)}){people}"
    if row["variable"] == "participants":
        return facts.size(row["n"])
    if not row["level"]:
        return "–"
    if row["n"] is not None and row["share"] is not None:
        return f"{row['n']:,} ({percent_text(row['share'], 0)})"
    return facts.count(row["n"])
