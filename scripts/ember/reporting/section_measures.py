"""What was measured and how it was made comparable; how complete it is; who was labelled inflamed."""

from __future__ import annotations

from ember.reporting.blocks import Block, Bullets, Figure, Heading, Section, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.figure_style import label_room
from ember.reporting.figures_distributions import Panel, distributions_figure
from ember.reporting.figures_shares import completeness_figure
from ember.reporting.numbers import percent_text, rounded_text
from ember.reporting.section_composites import composite_blocks
from ember.reporting.section_mixture import mixture_blocks
from ember.reporting.section_states import lost_blocks, population_blocks, scheme_rules, shares_block
from ember.reporting.section_usual import usual_blocks
from ember.reporting.section_verdict import verdict_blocks
from ember.reporting.words import plain, unit_text

TREATMENT_WORDS = (
    "Treatments are known by the names of the registry. A row with another name is kept without a class; such names "
    "stay at the site, in a list by how often they occur."
)
BRANCHING_WORDS = " Somebody to whom the branching of a form never showed the field is not expected to have a value."


def measures_section(facts: Facts) -> Section:
    """Return the section on measurements: assays, units, limits, and distributions before and after."""
    blocks: list[Block] = [
        Text(
            "Each result is converted by an exact factor of the registry; results below a detection limit stay marked "
            "as such and are filled only in an analysis, as it declares. Assays differ: equal units do not make levels "
            "of two platforms exchangeable, so models compare people within a site."
        ),
        harmonisation_table(facts),
    ]
    analytes = list(dict.fromkeys(row["analyte"] for row in facts.lines("distributions")))
    blocks += [figure for analyte in analytes if (figure := distribution_block(facts, analyte)) is not None]
    if facts.lines("treatment_names"):
        blocks += [Heading("Names of treatments"), Text(TREATMENT_WORDS), treatments_table(facts)]
    return Section("measures", "What was measured, and how it was made comparable", blocks)


def harmonisation_table(facts: Facts) -> Table:
    """Return assay, unit, factor and limits by analyte and site."""
    printed: list[list[str]] = []
    rows = facts.lines("harmonisation")
    for analyte in dict.fromkeys(row["analyte"] for row in rows):
        printed.append([facts.names.analyte(analyte)])
        for row in [row for row in rows if row["analyte"] == analyte]:
            printed.append(
                [
                    f"  {facts.names.site(row['site'])}", facts.names.assay(row["assay_id"]),
                    plain(row["specimen"]) or "–", unit_text(row["unit_reported"]), rounded_text(row["factor"], 5),
                    unit_text(row["unit"]), rounded_text(row["limit"]),
                    facts.size(row["n"]), _below(facts, row), facts.count(row["n_above"]),
                ]
            )  # fmt: skip
    columns = [
        ("", False), ("Assay", False), ("Specimen", False), ("Unit reported", False), ("Factor", True), ("Unit", False),
        ("Limit", True), ("Results", True), ("Below limit, n (share)", True), ("Above range", True),
    ]  # fmt: skip
    title = f"Assays, units and limits by {facts.names.site_word.lower()}"
    return table("harmonisation", title, columns, printed, facts.protection_notes)


def _below(facts: Facts, row: Row) -> str:
    if row["n_below"] is None or row["share_below"] is None:
        return facts.count(row["n_below"])
    return f"{row['n_below']:,} ({percent_text(row['share_below'])})"


def distribution_block(facts: Facts, analyte: str) -> Figure | None:
    """Return the small multiples of one analyte at its first visit, and the bins behind them."""
    rows = [row for row in facts.lines("distributions", analyte=analyte) if row["site"] in facts.included]
    visits = [visit.id for visit in facts.study.visits if any(row["visit"] == visit.id for row in rows)]
    if not visits:
        return None
    rows = [row for row in rows if row["visit"] == visits[0]]
    pairs = [
        (_panel(facts, rows, site, "before"), _panel(facts, rows, site, "after"))
        for site in facts.included
        if any(row["site"] == site for row in rows)
    ]
    if not any(n is None or n for pair in pairs for panel in pair if panel for n in panel.counts):
        return None
    label = facts.names.analyte(analyte)
    name = f"distribution_{analyte}"
    svg = distributions_figure(name, pairs, label, facts.threshold, facts.sites)
    title = f"{label} before and after harmonisation, {plain(visits[0])}"
    hatched = (
        f" Hatched: protected bins (from 1 to {facts.threshold - 1}, or held back)." if facts.threshold > 1 else ""
    )
    caption = f"Counts of results in equal steps of the logarithm. Shaded: below the detection limit.{hatched}"
    alternative = f"{title}. " + " ".join(_spoken(pair[1]) for pair in pairs if pair[1] is not None)
    return Figure(name, title, caption, alternative, svg, 6.6, _bins(facts, name, title, rows))


def _panel(facts: Facts, rows: list[Row], site: str, stage: str) -> Panel | None:
    own = [row for row in rows if row["site"] == site and row["stage"] == stage]
    units = list(dict.fromkeys(row["unit"] for row in own))
    if not own:
        return None
    bins: dict[tuple[float, float], int | None] = {}
    for row in own:
        key = (row["bin_low"], row["bin_high"])
        before = bins.get(key, 0)
        bins[key] = None if before is None or row["n"] is None else before + row["n"]
    limits = [
        r["limit"] for r in facts.lines("harmonisation", site=site, analyte=own[0]["analyte"]) if r["limit"] is not None
    ]
    return Panel(
        site, facts.names.site(site), " or ".join(units), [low for low, _ in bins], [high for _, high in bins],
        list(bins.values()), min(limits) if limits and stage == "after" else None,
    )  # fmt: skip


def _spoken(panel: Panel) -> str:
    filled = [(n, low, high) for n, low, high in zip(panel.counts, panel.low, panel.high, strict=True) if n]
    if not filled:
        return f"{panel.label}: protected."
    _, low, high = max(filled)
    return f"{panel.label}: most results from {rounded_text(low)} to {rounded_text(high)} {panel.unit}."


def _bins(facts: Facts, name: str, title: str, rows: list[Row]) -> Table:
    """Return one line a bin and one column a site and stage."""
    columns = list(dict.fromkeys((row["site"], row["stage"], row["unit"]) for row in rows))
    lines: dict[tuple[float, float], dict[tuple[str, str, str], int | None]] = {}
    for row in rows:
        cells = lines.setdefault((row["bin_low"], row["bin_high"]), {})
        cells[row["site"], row["stage"], row["unit"]] = row["n"]
    printed = [
        [f"{rounded_text(low)} to {rounded_text(high)}", *[facts.count(cells.get(column, 0)) for column in columns]]
        for (low, high), cells in sorted(lines.items())
        if any(n != 0 for n in cells.values())
    ]
    heads = [(f"{facts.names.site(site)}, {stage}, {unit}", True) for site, stage, unit in columns]
    return table(f"{name}_bins", title, [("Results from … to", False), *heads], printed, facts.protection_notes)


def treatments_table(facts: Facts) -> Table:
    """Return how many rows name a treatment that the registry does not know."""
    printed = [
        [facts.names.site(row["site"]), facts.size(row["n_rows"]), facts.count(row["n_unmatched"]), _names(row)]
        for row in facts.lines("treatment_names")
    ]
    columns = [(facts.names.site_word, False), ("Rows", True), ("Without a match", True), ("Different names", True)]
    return table("treatment_names", "Treatments by name", columns, printed, facts.protection_notes)


def _names(row: Row) -> str:
    return "–" if row["n_names"] is None else f"{row['n_names']:,}"


def quality_section(facts: Facts) -> Section:
    """Return completeness and refusals by site."""
    rows = [row for row in facts.lines("quality") if row["n_expected"] != 0]
    branching = BRANCHING_WORDS if any(row["shown_if"] for row in facts.lines("dictionary")) else ""
    blocks: list[Block] = [
        Text(
            "Expected: the participants of a site where its file maps the variable at the visit."
            f"{branching} Refused values are kept apart with a reason; excluded ones carry a code that means missing, "
            "or are left out by a decision that the study file gives with its reason."
        )
    ]
    if rows:
        blocks += [completeness_block(facts, rows), quality_table(facts, rows)]
    return Section("quality", f"Data quality by {facts.names.site_word.lower()}", blocks)


def _variable(facts: Facts, row: Row) -> str:
    name = {
        "measurements": facts.names.analyte(row["variable"]),
        "scores": facts.names.instrument_short(row["variable"]),
    }.get(row["table"], plain(row["variable"]).capitalize())
    return {"Bmi": "Body mass index", "Arm": "Treatment arm"}.get(name, name)


def completeness_block(facts: Facts, rows: list[Row]) -> Figure:
    """Return the grid of shares present."""
    sites = [site for site in facts.included if any(row["site"] == site for row in rows)]
    by_line: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row["n_expected"] is not None or row["n_present"] is not None or row["visit"] != "unplaced":
            by_line.setdefault((_variable(facts, row), plain(row["visit"])), {})[row["site"]] = row
    by_line = {line: cells for line, cells in by_line.items() if not line[1].startswith("unplaced")}
    lines = [f"{name}, {visit}" if visit else name for name, visit in by_line]
    cells = [[cell[site]["share_present"] if site in cell else "" for site in sites] for cell in by_line.values()]
    labels = [facts.names.site(site) for site in sites]
    svg = completeness_figure("completeness", lines, labels, cells)
    known = [value for row in cells for value in row if isinstance(value, float)]
    lowest = f" The lowest share shown is {percent_text(min(known), 0)}." if known else ""
    dagger = (
        f" †: fewer than {facts.threshold} are present, or fewer than "
        f"{facts.threshold} are absent, or the share would reveal such a count."
        if facts.threshold > 1
        else ""
    )
    title = f"Share of expected values present, by {facts.names.site_word.lower()}"
    caption = f"Darker is more complete; a dot means that the variable is not collected there.{dagger}"
    printed = [
        [line, *[percent_text(v, 0) if isinstance(v, float) else ("†" if v is None else "·") for v in values]]
        for line, values in zip(lines, cells, strict=True)
    ]
    behind = table("completeness_table", title, [("", False), *[(label, True) for label in labels]], printed)
    return Figure(
        "completeness", title, caption, f"{title}.{lowest}", svg, label_room(lines) + 1.05 * len(sites) + 0.05, behind
    )


def quality_table(facts: Facts, rows: list[Row]) -> Table:
    """Return counts of expected, present, excluded, refused and flagged values."""
    printed: list[list[str]] = []
    for site in dict.fromkeys(row["site"] for row in rows):
        printed.append([facts.names.site(site)])
        for row in [row for row in rows if row["site"] == site]:
            visit = f", {plain(row['visit'])}" if row["visit"] else ""
            numbers = [facts.count(row[name]) for name in ("n_excluded", "n_quarantined", "n_flagged")]
            expected = "·" if row["n_expected"] is None else f"{row['n_expected']:,}"
            present = "†" if row["n_present"] is None else f"{row['n_present']:,}"
            printed.append([f"  {_variable(facts, row)}{visit}", expected, present, *numbers])
    columns = [
        ("", False),
        ("Expected", True),
        ("Present", True),
        ("Excluded", True),
        ("Refused", True),
        ("Flagged", True),
    ]
    notes = list(facts.protection_notes)
    if notes:
        notes.append(
            f"† fewer than {facts.threshold} are present or fewer than "
            f"{facts.threshold} are absent, or the count would reveal such a one."
        )
    notes.append("Answers of questionnaires are counted one by one in the three columns on the right.")
    return table("quality_values", "Values by variable and visit", columns, printed, notes, folded=True)


def endotypes_section(facts: Facts) -> Section:
    """Return who was labelled inflamed by each scheme, and how surely."""
    blocks: list[Block] = [
        Text(
            "The bands are borrowed from cardiovascular prevention; none is validated for depression. One blood sample "
            "classifies with error: many raised values are not raised when the sample is repeated, so a label from a "
            "single sample is a signal to measure again."
        )
    ]
    for scheme, content in facts.study.schemes.items():
        blocks.append(Heading(content["label"]))
        blocks.append(Bullets(scheme_rules(facts, content)))
        figure = shares_block(facts, scheme, content)
        if figure is not None:
            blocks.append(figure)
        blocks.extend(population_blocks(facts, scheme, content))
        blocks.extend(composite_blocks(facts, scheme, content))
        blocks.extend(usual_blocks(facts, scheme, content))
    main = facts.study.report.get("inflamed_share") or next(iter(facts.study.schemes), None)
    if main is not None:
        blocks.extend(lost_blocks(facts, main, facts.study.schemes[main]))
    blocks.extend(mixture_blocks(facts))
    blocks.extend(verdict_blocks(facts))
    return Section("endotypes", "Who was labelled inflamed, and how surely", blocks)
