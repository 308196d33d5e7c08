"""Is it a type? The verdict in one paragraph, its plots, the conditions behind it and what every witness said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ember.reporting.blocks import Block, Figure, Heading, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.figures_verdict import WIDTH, Curve, Panel, panels_figure
from ember.reporting.numbers import decimal_text, percent_text

VARIANTS = {
    "all": "Everybody",
    "all_without_bmi": "Everybody, BMI removed",
    "without_acute": "Without acute values",
    "without_acute_without_bmi": "Without acute values, BMI removed",
}
OVER = {"each": "in each variant", "any": "in any variant", "mean": "mean over the variants"}
WITNESSES = {
    "fit_index": "Comparison-curve fit index, mean of MAMBAC and L-Mode",
    "mambac": "Comparison-curve fit index of MAMBAC",
    "l_mode": "Comparison-curve fit index of L-Mode",
    "p_value": "Two components against one skewed one, p",
    "upper_share": "Share of the upper component",
    "sites_with_two": "Share of sites that point to two components",
    "ln_vr": "lnVR, log scale, against the comparison group",
    "ln_cvr": "lnCVR, raw scale, against the comparison group",
}
ENDS = {"_low": ", lower limit", "_high": ", upper limit"}
SERIES = {
    "data": "the data",
    "one_component": "one skewed component",
    "two_components": "two normal components",
    "dimensional": "simulated dimension",
    "categorical": "simulated classes",
}
WORDS = {
    "type": "The markers look like two kinds of people rather than one kind with higher and lower values: the rule "
    "that was fixed before the data were seen calls this a type.",
    "shift": "The markers look like one kind of people with higher and lower values. No separate group is needed to "
    "explain them, so “inflamed” marks here the upper part of a range, and a cut on it is a convention.",
    "undecidable": "The data do not decide between one kind of people with higher and lower values and two kinds that "
    "overlap. Neither should be claimed from them.",
}
AGAINST = (
    "Skewness alone makes two groups out of one, and so do censored values, mixed assays, acute illness and BMI: the "
    "witnesses work within site and assay, with the same limits of detection, with and without acute values, and with "
    "BMI removed."
)


def verdict_blocks(facts: Facts) -> list[Block]:
    """Return what the report says of every verdict of the study; nothing without one."""
    blocks: list[Block] = []
    for name in facts.study.verdicts:
        rows = facts.lines("verdict_conditions", verdict=name)
        if rows:
            blocks += [Heading(rows[0]["verdict_label"]), Text(paragraph(facts, name, rows))]
            blocks += [figure for figure in (densities(facts, name), comparisons(facts, name)) if figure is not None]
            blocks += [conditions(facts, name, rows), witnesses(facts, name)]
    return blocks


def paragraph(facts: Facts, name: str, rows: Sequence[Row]) -> str:
    """Return the verdict in plain words."""
    found = rows[0]["found"]
    told = {row["witness"]: row for row in facts.lines("verdict_witnesses", verdict=name, variant="all", site="all")
            if row["marker"] == "composite"}  # fmt: skip
    n = facts.size(told["fit_index"]["n"])
    index = told["fit_index"]["value"]
    seen = (
        f"With all {n} people who have every marker, the fit index is {decimal_text(index)} (below 0.40 a dimension, "
        "above 0.60 classes)"
        if index is not None
        else f"MAMBAC and L-Mode are not available ({told['fit_index']['note']})"
    )
    p = told["p_value"]["value"]
    ratio = f"two components against one skewed one have p = {decimal_text(p)}" if p is not None else ""
    return f"Verdict: {found}. {WORDS[found]} {seen}{f', and {ratio}' if ratio else ''}. {AGAINST}"


def densities(facts: Facts, name: str) -> Figure | None:
    """Return the densities of composite and markers with both explanations, everybody's values."""
    lines = facts.lines("verdict_curves", verdict=name, variant="all", curve="density")
    markers = list(dict.fromkeys(row["marker"] for row in lines))
    if not markers:
        return None
    order = ("data", "one_component", "two_components")
    panels = [
        Panel(
            _marker(facts, marker), "log value, SD within site and assay", "density",
            _curves([row for row in lines if row["marker"] == marker], order),
        )
        for marker in markers
    ]  # fmt: skip
    alternative = f"Densities of {', '.join(panel.title for panel in panels)}, with one and with two components."
    caption = (
        "Log values within site and assay; a marker's values below its limit are not drawn, but they take part in the "
        "fit. The ends, where too few people lie, are left out."
    )
    svg = panels_figure(f"verdict_{name}_densities", panels)
    return Figure(f"verdict_{name}_densities", "One skewed component, or two", caption, alternative, svg, WIDTH)


def comparisons(facts: Facts, name: str) -> Figure | None:
    """Return MAMBAC and L-Mode between simulated dimension and simulated classes, everybody's values."""
    words = {
        "mambac": ("MAMBAC, all pairs of markers", "share of people below the cut", "mean difference, SD"),
        "l_mode": ("L-Mode", "score on the first factor, SD", "density"),
    }
    lines = {curve: facts.lines("verdict_curves", verdict=name, variant="all", curve=curve) for curve in words}
    order = ("dimensional", "categorical", "data")
    panels = [Panel(*words[curve], _curves(rows, order)) for curve, rows in lines.items() if rows]
    if not panels:
        return None
    caption = "Bands hold four in five of the simulated samples, which have the shapes and correlations of the data."
    alternative = "The curves of the data between those of a simulated dimension and of simulated classes."
    svg = panels_figure(f"verdict_{name}_curves", panels)
    return Figure(f"verdict_{name}_curves", "The data beside simulated data", caption, alternative, svg, WIDTH)


def _curves(rows: Sequence[Row], order: Sequence[str]) -> list[Curve]:
    found = []
    for series in order:
        points = [row for row in rows if row["series"] == series and row["y"] is not None]
        if points:
            columns = {key: [row[key] for row in points if row[key] is not None] for key in ("x", "y", "low", "high")}
            found.append(Curve(series, SERIES[series], **columns))
    return found


def _marker(facts: Facts, marker: str) -> str:
    return "Mean of the markers" if marker == "composite" else facts.names.analyte(marker)


def conditions(facts: Facts, name: str, rows: Sequence[Row]) -> Table:
    """Return the rule: each condition, what was found and whether it holds."""
    printed: list[list[str]] = []
    for decision in ("type", "shift"):
        printed.append([f"For “{decision}”, all of these"])
        printed += [
            [
                f"  {_witness(row['witness'])}",
                OVER.get(row["over"]) or VARIANTS[row["over"]].lower(),
                f"{row['operator']} {row['limit']:g}".replace("<=", "≤").replace(">=", "≥"),
                decimal_text(row["value"], 3),
                "yes" if row["holds"] else "no",
            ]
            for row in rows
            if row["decision"] == decision
        ]
    columns = [("Condition", False), ("Where", False), ("Bound", True), ("Found", True), ("Holds", False)]
    notes = ["– is not available: the condition then counts as the plan says.", *_sources(facts.study.verdicts[name])]
    return table(f"verdict_{name}_rule", "The rule of the verdict", columns, printed, notes)


def _sources(plan: dict[str, Any]) -> list[str]:
    return ["Sources: " + "; ".join(dict.fromkeys(plan["sources"].values())) + "."]


def _witness(witness: str) -> str:
    for end, words in ENDS.items():
        if witness.endswith(end):
            return WITNESSES[witness.removesuffix(end)] + words
    return WITNESSES[witness]


def witnesses(facts: Facts, name: str) -> Table:
    """Return what every witness said in every variant of the data."""
    lines = facts.lines("verdict_witnesses", verdict=name)
    cells = {(_line(row), row["variant"]): row for row in lines}
    printed = [["People with every marker", *[_people(facts, lines, variant) for variant in VARIANTS]]]
    for line in dict.fromkeys(_line(row) for row in lines):
        values = [_value(cells.get((line, variant))) for variant in VARIANTS]
        printed.append([_name(facts, *line), *values])
    notes = list(dict.fromkeys(f"{_witness(row['witness'])}: {row['note']}." for row in lines if row["note"]))
    columns = [("Witness", False), *[(label, True) for label in VARIANTS.values()]]
    title = "What every witness said"
    return table(f"verdict_{name}_witnesses", title, columns, printed, [*notes, *facts.protection_notes], folded=True)


def _line(row: Row) -> tuple[str, str, str]:
    return row["witness"], row["site"], row["marker"]


def _name(facts: Facts, witness: str, site: str, marker: str) -> str:
    where = [facts.names.analyte(marker)] if marker != "composite" else []
    where += [facts.names.site(site)] if site != "all" else []
    return _witness(witness) + (f": {', '.join(where)}" if where else "")


def _people(facts: Facts, lines: Sequence[Row], variant: str) -> str:
    row = next(row for row in lines if row["variant"] == variant and row["witness"] == "fit_index")
    return facts.size(row["n"])


def _value(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "–"
    if row["witness"] in ("upper_share", "sites_with_two"):
        return percent_text(row["value"])
    text = decimal_text(row["value"], 3)
    if row["conf_low"] is None:
        return text
    return f"{text} ({decimal_text(row['conf_low'], 3)} to {decimal_text(row['conf_high'], 3)})"
