"""The block of a treatment-effect or dose-response curve: figure, words and the table behind it."""

from __future__ import annotations

from typing import Any

from ember.endotypes.scheme import threshold_of
from ember.reporting.blocks import Figure, Table, table
from ember.reporting.facts import PROPORTIONS, Facts, Row
from ember.reporting.figures_curve import WIDTH, CurveWords, Line, curve_figure
from ember.reporting.numbers import interval_text, rounded_text
from ember.reporting.terms import contrast_words, scale_words
from ember.reporting.words import lower_is_better, plain

TABLE_POINTS = 9


def curve_block(facts: Facts, analysis_id: str, model: str, name: str) -> Figure | None:
    """Return the figure of a model's curve, or None if it has none that may be shown."""
    rows = [r for r in facts.lines("curves", analysis=analysis_id, model_id=model) if r["at"] is not None]
    points = [row for row in rows if row["kind"] == "effect" and row["estimate"] is not None]
    if len(points) < 2:
        return None
    analysis = facts.study.analyses[analysis_id]
    analyte = analysis["exposure"]["analyte"]
    label, unit = facts.names.analyte(analyte), points[0]["unit"]
    lines = [_line(facts, points, rows, site) for site in dict.fromkeys(row["site"] for row in points)]
    words = _axis_words(facts, analysis, f"{label}, {unit}, log scale", points[0])
    cuts = scheme_cuts(facts, analyte)
    limit = highest_limit(facts, analyte)
    svg = curve_figure(name, lines, words, cuts, limit, facts.sites)
    what = contrast_words(facts, analysis)
    title = (
        f"Effect of {what} across the range of {label}" if what else f"{label} and {analysis['estimand']['endpoint']}"
    )
    first, last = points[0], points[-1]
    alternative = (
        f"{title}. At {rounded_text(first['at'])} {unit} the estimate is "
        f"{interval_text(first['estimate'], first['conf_low'], first['conf_high'])}; "
        f"at {rounded_text(last['at'])} {unit} it is "
        f"{interval_text(last['estimate'], last['conf_low'], last['conf_high'])}."
    )
    return Figure(
        name,
        title,
        _caption(facts, points[0], label, limit is not None and limit > points[0]["at"], bool(cuts)),
        alternative,
        svg,
        WIDTH,
        _behind(name, points, unit, label),
    )


def _line(facts: Facts, points: list[Row], rows: list[Row], site: str | None) -> Line:
    own = [row for row in points if row["site"] == site]
    return Line(
        label=facts.names.site(site),
        at=[row["at"] for row in own],
        estimate=[row["estimate"] for row in own],
        low=[row["conf_low"] for row in own],
        high=[row["conf_high"] for row in own],
        rug=[row["at"] for row in rows if row["kind"] == "rug" and row["site"] == site],
        site=site,
    )


def _axis_words(facts: Facts, analysis: dict[str, Any], horizontal: str, row: Row) -> CurveWords:
    unit = {"reference_sd": "SD", "points": "points"}.get(row["scale"], plain(row["scale"]))
    if not analysis.get("treatment"):
        return CurveWords(horizontal, f"Difference, {unit}")
    active = facts.names.treatment(analysis["treatment"]["active"])
    vertical = f"Treatment effect on {analysis['outcome']['construct']}, {unit}"
    lower = lower_is_better(analysis, facts.registry)
    if lower is None:
        return CurveWords(horizontal, vertical)
    good, bad = f"favours {active}", "favours the reference"
    return CurveWords(horizontal, vertical, above=bad if lower else good, below=good if lower else bad)


def _caption(facts: Facts, row: Row, label: str, limit: bool, cuts: bool) -> str:
    parts = [
        "Line: estimate; band: 95 % interval, point by point. Marks on the axis: "
        "decile points of the participants, never people."
    ]
    if cuts:
        parts.append(f"Dashed: cuts of the {label} bands, borrowed from cardiovascular prevention.")
    if limit:
        parts.append("Shaded: below the highest detection limit.")
    if row["scale"] in PROPORTIONS:
        parts.append(f"The scale is {scale_words(row)}.")
    return " ".join(parts)


def _behind(name: str, points: list[Row], unit: str, label: str) -> Table:
    step = max(1, (len(points) - 1) // (TABLE_POINTS - 1))
    chosen = points[::step]
    rows = [
        [rounded_text(row["at"]), interval_text(row["estimate"], row["conf_low"], row["conf_high"])] for row in chosen
    ]
    return table(
        f"{name}_points", "Points of the curve", [(f"{label}, {unit}", True), ("Estimate (95 % interval)", True)], rows
    )


def scheme_cuts(facts: Facts, analyte: str) -> list[tuple[float, str]]:
    """Return the cuts of the report's endotype scheme for an analyte, with their labels."""
    scheme = facts.study.schemes.get(facts.study.report.get("inflamed_share", ""), {})
    if scheme.get("analyte") != analyte:
        return []
    thresholds = [threshold_of(name, text) for name, text in scheme["thresholds"].items()]
    values = {threshold.value for threshold in thresholds if threshold.quantity == analyte}
    return [(value, f"{value:g}") for value in sorted(values)]


def highest_limit(facts: Facts, analyte: str) -> float | None:
    """Return the highest detection limit of the sites for an analyte, in its canonical unit."""
    limits = [row["limit"] for row in facts.lines("harmonisation", analyte=analyte) if row["limit"] is not None]
    return max(limits, default=None)
