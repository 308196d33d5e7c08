"""Classes that the data make: their profiles, the search behind them, and how far they can be relied on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ember.reporting.blocks import Block, Figure, Heading, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.figures_mixture import WIDTH, Profile, profiles_figure
from ember.reporting.numbers import decimal_text, p_text, percent_text, rounded_text

FORMS = {
    "diagonal_equal": "diagonal, equal",
    "diagonal": "diagonal",
    "shared": "shared",
    "full": "full",
}
CAUTION = (
    "A mixture always finds classes where values are skewed; that it needs several does not show that there are kinds "
    "of people. Membership is a probability."
)


def mixture_blocks(facts: Facts) -> list[Block]:
    """Return what the report says of every mixture of the study; nothing without one."""
    blocks: list[Block] = []
    for name, content in facts.study.mixtures.items():
        rows = facts.lines("mixture_classes", mixture=name)
        if not rows:
            continue
        blocks += [Heading(content["label"]), Text(paragraph(facts, name, rows)), profiles(facts, name, rows)]
        blocks += [
            made for made in (searched(facts, name), assays(facts, name), agreed(facts, name)) if made is not None
        ]
    return blocks


def paragraph(facts: Facts, name: str, rows: Sequence[Row]) -> str:
    """Return in plain words how many classes there are, how clear they are and how stable."""
    classes = len({row["class"] for row in rows})
    parts = [f"{classes} {'class' if classes == 1 else 'classes'}; participants: {facts.size(rows[0]['total'])}."]
    for row in facts.lines("mixture_search", mixture=name, chosen=True):
        parts.append(f"Entropy R² {decimal_text(row['relative_entropy'])}; {row['replicated']} of {row['continued']} "
                     f"continued climbs (of {row['starts']} starts) found the best log-likelihood.")  # fmt: skip
        if not row["confirmed"]:
            parts.append("It was found once only: a better solution may have been missed.")
    for row in facts.lines("mixture_stability", mixture=name, kind="bootstrap"):
        if row["value"] is None:
            continue
        parts.append(f"Adjusted Rand index over {row['name']} bootstrap samples {decimal_text(row['value'])} "
                     f"({decimal_text(row['low'])} to {decimal_text(row['high'])}).")  # fmt: skip
    drift = [
        row for row in facts.lines("mixture_stability", mixture=name) if row["kind"] in ("drift_levels", "drift_fit")
    ]
    if any(row["value"] is not None for row in drift):
        least = min(row["value"] for row in drift if row["value"] is not None)
        parts.append(f"The mixture was fitted in another study and applied unchanged; least p of the drift test "
                     f"{p_text(least)}.")  # fmt: skip
    return " ".join([*parts, rows[0]["reason"] or "", CAUTION]).replace("  ", " ")


def profiles(facts: Facts, name: str, rows: Sequence[Row]) -> Figure:
    """Return the figure of the classes' profiles with its table."""
    analytes = list(dict.fromkeys(row["analyte"] for row in rows))
    labels = {row["class"]: row["label"] or row["class"].replace("_", " ") for row in rows}
    centre = {analyte: _middle([row for row in rows if row["analyte"] == analyte]) for analyte in analytes}
    drawn = [
        Profile(label, *_relative([row for row in rows if row["class"] == one], centre))
        for one, label in labels.items()
    ]
    title = f"Profiles of the classes, {facts.study.mixtures[name]['label']}"
    spoken = "; ".join(
        f"{labels[row['class']]} {facts.names.analyte(row['analyte'])} {rounded_text(row['geometric_mean'])} "
        f"{row['unit']}"
        for row in rows
    )
    svg = profiles_figure(f"mixture_{name}", [facts.names.analyte(analyte) for analyte in analytes], drawn)
    caption = "Points: geometric means of the classes. Lines: one standard deviation of ln values to either side."
    return Figure(
        f"mixture_{name}", title, caption, f"{title}. {spoken}.", svg, WIDTH, profile_table(facts, name, rows)
    )


def _middle(rows: Sequence[Row]) -> float:
    known = [row for row in rows if row["geometric_mean"] is not None and row["weight"] is not None]
    total = sum(row["weight"] for row in known)
    return sum(row["weight"] * math.log(row["geometric_mean"]) for row in known) / total if total else 0.0


def _relative(
    rows: Sequence[Row], centre: dict[str, float]
) -> tuple[list[float | None], list[float | None], list[float | None]]:
    found: list[tuple[float | None, float | None, float | None]] = []
    for row in rows:
        if row["geometric_mean"] is None or row["ln_sd"] is None:
            found.append((None, None, None))
            continue
        at = math.log(row["geometric_mean"]) - centre[row["analyte"]]
        found.append((math.exp(at), math.exp(at - row["ln_sd"]), math.exp(at + row["ln_sd"])))
    return [one for one, _, _ in found], [one for _, one, _ in found], [one for _, _, one in found]


def profile_table(facts: Facts, name: str, rows: Sequence[Row]) -> Table:
    """Return size, share and geometric means of the classes."""
    printed = [
        [
            row["label"] or row["class"].replace("_", " "), facts.count(row["n"]), percent_text(row["weight"]),
            f"{facts.names.analyte(row['analyte'])}, {row['unit']}", rounded_text(row["geometric_mean"]),
            decimal_text(row["ln_sd"]),
        ]
        for row in rows
    ]  # fmt: skip
    columns = [
        ("Class", False),
        ("n", True),
        ("Share", True),
        ("Analyte", False),
        ("Geometric mean", True),
        ("SD of ln", True),
    ]
    return table(f"mixture_{name}_classes", "Classes", columns, printed, facts.protection_notes)


def searched(facts: Facts, name: str) -> Table | None:
    """Return the table of every size and form that was fitted."""
    rows = facts.lines("mixture_search", mixture=name)
    printed = [
        [
            FORMS[row["covariance"]], f"{row['classes']}{' (chosen)' if row['chosen'] else ''}",
            decimal_text(row["log_likelihood"], 1), str(row["parameters"]), decimal_text(row["bic"], 1),
            decimal_text(row["icl"], 1), decimal_text(row["relative_entropy"]),
            f"{row['replicated']} of {row['continued']}", str(row["degenerate"]),
            p_text(row["ratio_p"]) if row["ratio_p"] is not None else "",
        ]
        for row in rows
    ]  # fmt: skip
    columns = [("Covariance", False), ("Classes", True), ("Log-likelihood", True), ("Parameters", True), ("BIC", True)]
    columns += [("ICL", True), ("Entropy R²", True), ("Best found", True), ("Degenerate", True), ("Bootstrap p", True)]
    notes = [
        "BIC and ICL: less is better. Best found: how many of the continued climbs ended at the best log-likelihood. "
        "Bootstrap p: against one class less."
    ]
    title = "Search for the number of classes"
    return table(f"mixture_{name}_search", title, columns, printed, notes) if rows else None


def assays(facts: Facts, name: str) -> Table | None:
    """Return counts of class by assay with Cramer's V."""
    rows = facts.lines("mixture_assays", mixture=name)
    printed = [
        [facts.names.analyte(row["analyte"]), facts.names.assay(row["assay_id"]), row["class"].replace("_", " "),
         facts.count(row["n"]), decimal_text(row["cramers_v"])]
        for row in rows
    ]  # fmt: skip
    columns = [("Analyte", False), ("Assay", False), ("Class", False), ("n", True), ("Cramér's V", True)]
    notes = ["Above 0.30 the classes may be laboratories, and carry no label.", *facts.protection_notes]
    return table(f"mixture_{name}_assays", "Class by assay", columns, printed, notes, folded=True) if rows else None


def agreed(facts: Facts, name: str) -> Table | None:
    """Return counts of class by the states of the schemes that a mixture is compared with."""
    rows = facts.lines("mixture_agreement", mixture=name)
    printed = [
        [facts.study.schemes[row["scheme"]]["label"], row["class"].replace("_", " "), facts.names.state(row["state"]),
         facts.count(row["n"]), decimal_text(row["adjusted_rand"]), decimal_text(row["kappa"])]
        for row in rows
    ]  # fmt: skip
    columns = [
        ("Scheme", False),
        ("Class", False),
        ("State", False),
        ("n", True),
        ("Adjusted Rand index", True),
        ("Kappa", True),
    ]
    notes = ["Kappa where both have the same number of groups.", *facts.protection_notes]
    return table(f"mixture_{name}_agreement", "Class by state", columns, printed, notes, folded=True) if rows else None
