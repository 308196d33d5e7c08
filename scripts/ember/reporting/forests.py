"""The blocks of estimates on one axis: the forest of sites and the variants of an answer."""

from __future__ import annotations

from collections.abc import Sequence

from ember.reporting.blocks import Figure, Table, table
from ember.reporting.facts import PROPORTIONS, Facts, Row
from ember.reporting.figures_forest import ForestRow, ForestWords, forest_figure
from ember.reporting.numbers import p_text
from ember.reporting.terms import is_ratio, scale_words, shown, sides, term_words
from ember.reporting.words import plain

WIDTH = 7.0


def forest_block(facts: Facts, row: Row, name: str, extra: Sequence[Row] = ()) -> Figure | None:
    """Return the forest plot of one quantity: its sites, the pooled estimate and the prediction interval."""
    members = [*facts.rows_like(row), *[other for other in extra if other not in facts.rows_like(row)]]
    by_site = [member for member in members if member["level"] == "site"]
    by_site.sort(key=lambda member: facts.sites.index(member["site"]) if member["site"] in facts.sites else 0)
    pooled = [member for member in members if member["level"] != "site"]
    if len(by_site) + len(pooled) < 2:
        return None
    weights = _weights(by_site, pooled)
    left, right = sides(facts, row)
    words = ForestWords(
        axis=_axis(facts, row),
        headers=("n", "95 % interval", "Weight" if any(weights.values()) else ""),
        left=left,
        right=right,
        reference=None if row["scale"] in ("proportion", "risk") else (1.0 if is_ratio(row) else 0.0),
        logarithmic=is_ratio(row),
        percent=row["scale"] in PROPORTIONS,
    )
    rows = [_site_row(facts, member, weights.get(member["site"])) for member in by_site]
    for member in pooled:
        rows += _pooled_rows(facts, member)
    svg = forest_figure(name, rows, words, facts.sites)
    title = f"{term_words(facts, row)}, by {facts.names.site_word.lower()}"
    spoken = "; ".join(f"{r.label} {r.columns[1]}" for r in rows if r.kind != "prediction")
    caption = _caption(pooled, bool(weights))
    return Figure(name, title, caption, f"{title}. {spoken}.", svg, WIDTH, _behind(name, title, rows, row))


def _axis(facts: Facts, row: Row) -> str:
    words = term_words(facts, row)
    if row["scale"] in PROPORTIONS:
        return words
    return f"{words}, log scale" if is_ratio(row) else f"{words}, {scale_words(row)}"


def _weights(by_site: Sequence[Row], pooled: Sequence[Row]) -> dict[str, float]:
    """Return the shares of the sites in a two-stage estimate, 1 / (SE² + tau²) as in its model."""
    two_stage = next((row for row in pooled if row["level"] == "two_stage"), None)
    if two_stage is None or two_stage["tau2"] is None:
        return {}
    raw = {
        row["site"]: 1 / (row["std_error"] ** 2 + two_stage["tau2"])
        for row in by_site
        if row["std_error"] is not None and row["std_error"] > 0
    }
    if len(raw) < len(by_site):
        return {}
    total = sum(raw.values())
    return {site: value / total for site, value in raw.items()}


def _site_row(facts: Facts, row: Row, weight: float | None) -> ForestRow:
    value = shown(row)
    share = f"{100 * weight:.0f} %" if weight is not None else ""
    return ForestRow(
        facts.names.site(row["site"]), (facts.size(row["n"]), value.text, share), value.estimate, value.low,
        value.high, "site", row["site"], weight,
    )  # fmt: skip


def _pooled_rows(facts: Facts, row: Row) -> list[ForestRow]:
    value = shown(row)
    label = {"two_stage": "Pooled, two stages"}.get(row["level"], "All in one model")
    rows = [ForestRow(label, (facts.size(row["n"]), value.text, ""), value.estimate, value.low, value.high, "pooled")]
    if value.pred_low is not None:
        rows.append(
            ForestRow(
                "Prediction, a new site",
                ("", value.prediction, ""),
                None,
                value.pred_low,
                value.pred_high,
                "prediction",
            )
        )
    return rows


def _caption(pooled: Sequence[Row], weighted: bool) -> str:
    size = ", their size grows with the weight" if weighted else ""
    parts = [f"Marks: estimates{size}; lines: 95 % intervals."]
    if pooled and not weighted:
        parts.append("Diamond: the estimate of one model for all.")
    for row in pooled:
        if row["tau2"] is not None:
            i2 = f", I² {row['i2']:.0f} %" if row["i2"] is not None else ""
            parts.append(
                f"Diamond: random-effects estimate (τ² {row['tau2']:.3g}{i2}); grey "
                "bar: where the effect of a new site is expected."
            )
    return " ".join(parts)


def _behind(name: str, title: str, rows: Sequence[ForestRow], row: Row) -> Table:
    columns = [("", False), ("n", True), (f"Estimate (95 % interval), {scale_words(row)}", True), ("Weight", True)]
    return table(f"{name}_table", title, columns, [[r.label, *r.columns] for r in rows])


def variants_block(facts: Facts, row: Row, name: str) -> Figure | None:
    """Return every variant of the headline on one axis, the primary one marked."""
    variants = facts.variants_of(row)
    if len(variants) < 2:
        return None
    left, right = sides(facts, row)
    rows = []
    for variant in variants:
        value = shown(variant)
        primary = variant is row or variant == row
        label = _variant_name(variant, row) + (" (primary)" if primary else "")
        rows.append(
            ForestRow(
                label,
                (facts.size(variant["n"]), value.text),
                value.estimate,
                value.low,
                value.high,
                "variant",
                None,
                None,
                primary,
            )
        )
    words = ForestWords(
        _axis(facts, row), ("n", "95 % interval"), left, right,
        reference=1.0 if is_ratio(row) else 0.0, logarithmic=is_ratio(row),
    )  # fmt: skip
    title = "Every variant of the main answer on one axis"
    spoken = "; ".join(f"{r.label} {r.columns[1]}" for r in rows)
    columns = [("Variant", False), ("n", True), ("Estimate (95 % interval)", True), ("p", True)]
    behind = table(
        f"{name}_table",
        title,
        columns,
        [[r.label, *r.columns, p_text(v["p_value"])] for r, v in zip(rows, variants, strict=True)],
    )
    svg = forest_figure(name, rows, words, facts.sites)
    return Figure(
        name,
        title,
        "The primary analysis is marked; lines are 95 % intervals.",
        f"{title}. {spoken}.",
        svg,
        WIDTH,
        behind,
    )


def _variant_name(variant: Row, row: Row) -> str:
    model = plain(variant["model_id"]).capitalize()
    return model if variant["analysis"] == row["analysis"] else f"{plain(variant['analysis']).capitalize()}: {model}"
