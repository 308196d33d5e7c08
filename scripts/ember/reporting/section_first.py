"""The first page: question, answer with its interval, one figure, four numbers."""

from __future__ import annotations

from ember.reporting.blocks import Figure, FirstPage, Number
from ember.reporting.curves import curve_block
from ember.reporting.facts import INTERACTION, PROPORTIONS, Facts, Row
from ember.reporting.forests import forest_block
from ember.reporting.numbers import NARROW_SPACE, decimal_text, percent_text, range_text, wilson
from ember.reporting.terms import contrast_words, is_ratio, scale_words, shown, step_words, term_words
from ember.reporting.words import CAUTION, is_causal, not_meant, sentence

BANNERS = {"synthetic": "Synthetic data: no participant is real. Nothing here is a finding about people."}


def first_page(facts: Facts) -> FirstPage:
    """Return what stands on the first page."""
    row = facts.headline
    analyte = facts.names.analyte(row["exposure"]) if row["exposure"] else "the biomarker"
    return FirstPage(
        question=facts.study.question,
        answer=answer(facts, row),
        not_meant=not_meant(facts.study, analyte),
        caution=CAUTION,
        numbers=four_numbers(facts),
        figure=headline_figure(facts, row),
        banner=BANNERS.get(facts.study.privacy, ""),
    )


def answer(facts: Facts, row: Row) -> str:
    """Return the headline in a sentence whose verb the design carries."""
    if row["estimate"] is None:
        return "The estimate is withheld: too few people stand behind it for it to be shown."
    return sentence(f"{_statement(facts, row)} ({_uncertainty(facts, row)})")


def _statement(facts: Facts, row: Row) -> str:
    analysis = facts.study.analyses[row["analysis"]]
    size = _size(row)
    endpoint = analysis["estimand"]["endpoint"].split(",")[0]
    if row["term"] == INTERACTION:
        subject = f"The effect of {contrast_words(facts, analysis)} on {endpoint}"
        if is_causal(facts.study):
            return f"{subject} changes by {size} {step_words(facts, row)}"
        name = facts.names.analyte(analysis["exposure"]["analyte"])
        return (
            f"The difference in {endpoint} with {contrast_words(facts, analysis)} is "
            f"associated with {name}: it differs "
            f"by {size} {step_words(facts, row)}"
        )
    if row["term"] == "treatment":
        verb = "changes" if is_causal(facts.study) else "is associated with a difference in"
        return f"{contrast_words(facts, analysis)} {verb} {endpoint} by {size}"
    if row["term"] == "exposure" and row["exposure_scale"] and row["exposure_scale"].startswith("log2"):
        name = facts.names.analyte(row["exposure"])
        where = "" if row["site"] is None else f" in {facts.names.site(row['site'])}"
        if is_ratio(row):
            return f"Each doubling of {name} is associated with {size} times the odds of {endpoint}{where}"
        return f"Each doubling of {name} is associated with a difference of {size} in {endpoint}{where}"
    where = "" if row["site"] is None else f" in {facts.names.site(row['site'])}"
    return f"{term_words(facts, row)}{where}: {size}"


def _size(row: Row) -> str:
    value = shown(row).estimate
    if row["scale"] in PROPORTIONS:
        return percent_text(value)
    unit = "" if is_ratio(row) else f" {scale_words(row)}"
    return f"{decimal_text(value)}{unit}"


def _uncertainty(facts: Facts, row: Row) -> str:
    value = shown(row)
    limits = value.text.partition("(")[2].rstrip(")")
    parts = [f"95{NARROW_SPACE}% interval {limits}"] if limits else []
    if value.prediction != "–":
        parts.append(f"prediction interval for a new site {value.prediction}")
    sites = row["n_sites"]
    if sites and sites > 1:
        parts.append(f"{sites} {facts.names.sites_word}")
    if row["n"] is not None:
        parts.append(f"n = {row['n']:,}")
    return "; ".join(parts)


def four_numbers(facts: Facts) -> list[Number]:
    """Return participants, sites, share inflamed with its interval, and rows quarantined."""
    people = facts.lines("flow", analysis=facts.headline["analysis"], site="all")
    enrolled = next((row["n"] for row in people if row["box"] == "enrolled"), None)
    analysed = next((row["n"] for row in people if row["box"] == "analysed"), None)
    left_out = len(facts.study.excluded_sites)
    return [
        Number(facts.size(enrolled), "participants", f"{facts.size(analysed)} in the main analysis"),
        Number(
            str(len(facts.included)), facts.names.sites_word, f"{left_out} left out" if left_out else "none left out"
        ),
        _inflamed_number(facts),
        _quarantined_number(facts),
    ]


def _inflamed_number(facts: Facts) -> Number:
    scheme = facts.study.report.get("inflamed_share")
    if scheme is None:
        return Number("–", "share inflamed", "no scheme named in report.yaml")
    if facts.study.design == "cross_sectional":
        return _inflamed_by_site(facts, scheme)
    share = inflamed_share(facts, scheme, "all")
    label = facts.study.schemes[scheme]["label"]
    if share is None:
        return Number("protected", "share inflamed", label)
    value, low, high, _ = share
    text = f"{label}; 95{NARROW_SPACE}% interval {decimal_text(100 * low, 1)} to {decimal_text(100 * high, 1)}"
    return Number(percent_text(value), "labelled inflamed", text)


def _inflamed_by_site(facts: Facts, scheme: str) -> Number:
    """Return the shares side by side, weighted where the study has a survey model of the scheme: never pooled."""
    counted = facts.lines("endotypes", scheme=scheme, population="all")
    states = list(dict.fromkeys(row["state"] for row in counted if row["inflamed"] and row["n"] != 0))
    rows = [r for r in facts.estimates if r["scheme"] == scheme and r["scale"] == "proportion" and r["site"]]
    weighted = {row["site"]: row for row in rows if [row["term"]] == states}
    values, details = [], []
    for site in facts.included:
        row = weighted.get(site)
        share = inflamed_share(facts, scheme, site)
        estimate, low, high = share[:3] if share is not None else (None, None, None)
        if row is not None:
            estimate, low, high = row["estimate"], row["conf_low"], row["conf_high"]
        values.append(percent_text(estimate, 0))
        if low is not None and high is not None:
            details.append(f"{facts.names.site(site)}: {range_text(100 * low, 100 * high, 1)}")
    kind = "weighted" if weighted else "unweighted"
    return Number(
        " · ".join(values),
        "labelled inflamed, side by side",
        f"{kind}, 95{NARROW_SPACE}% intervals. " + "; ".join(details),
    )


def inflamed_share(facts: Facts, scheme: str, site: str) -> tuple[float, float, float, int] | None:
    """Return share, limits (Wilson) and total of the participants in an inflamed state; None where protected."""
    rows = facts.lines("endotypes", scheme=scheme, population="all", site=site)
    inflamed = [row["n"] for row in rows if row["inflamed"]]
    total = rows[0]["total"] if rows else None
    if not inflamed or not total or any(n is None for n in inflamed):
        return None
    return sum(inflamed) / total, *wilson(sum(inflamed), total), total


def _quarantined_number(facts: Facts) -> Number:
    rows, values = _quarantined(facts, "row"), _quarantined(facts, "value")
    return Number(
        rows,
        "rows quarantined",
        f"and {values} single value{'' if values == '1' else 's'}: kept apart with a reason, never dropped in silence",
    )


def _quarantined(facts: Facts, unit: str) -> str:
    rows = [row for row in facts.lines("accounting") if row["unit"] == unit and row["n_quarantined"] != 0]
    known = sum(row["n_quarantined"] for row in rows if row["n_quarantined"] is not None)
    protected = any(row["n_quarantined"] is None for row in rows)
    return f"{known:,}" if not protected else (f"at least {known:,}" if known else facts.mark)


def headline_figure(facts: Facts, row: Row) -> Figure | None:
    """Return the curve of the headline model if there is one, else its estimates side by side."""
    curve = curve_block(facts, row["analysis"], row["model_id"], "headline")
    if curve is not None:
        return curve
    if row["scale"] == "proportion" or row["site"] is not None:
        return forest_block(facts, row, "headline")
    others = [
        o
        for o in facts.estimates
        if o["level"] == "site" and o["term"] == row["term"] and o["analysis"] == row["analysis"]
    ]
    return forest_block(facts, row, "headline", extra=others)
