"""The models: what each analysis estimates, what it found, how far the answer bends, what it means for a trial."""

from __future__ import annotations

from typing import Any

from ember.registry.questionnaires import analyses_in_order
from ember.reporting.blocks import Block, Definitions, Heading, Section, Table, Text, table
from ember.reporting.curves import curve_block
from ember.reporting.facts import Facts, Row, interest
from ember.reporting.forests import forest_block, variants_block
from ember.reporting.numbers import decimal_text, p_text, range_text
from ember.reporting.terms import scale_words, shown, step_words, term_words
from ember.reporting.words import DESIGNS, inside, plain, sentence

POWER_80 = 2.8
"""1.96 + 0.84: a two-sided test at 5 % finds an effect of this many standard errors in four of five trials."""
ESTIMAND = {
    "population": "Population",
    "contrast": "Contrast",
    "endpoint": "Endpoint",
    "intercurrent_events": "Intercurrent events",
    "summary": "Summary",
}


def models_section(facts: Facts) -> Section:
    """Return the analyses one after another: estimand, forest, curve and table of estimates."""
    blocks: list[Block] = [Text(_design_words(facts))]
    for analysis_id in analyses_in_order(facts.study.analyses, facts.registry):
        analysis = facts.study.analyses[analysis_id]
        rows = [row for row in facts.estimates if row["analysis"] == analysis_id]
        if rows:
            blocks += _analysis_blocks(facts, analysis_id, analysis, rows)
    return Section("models", "What the models say", blocks)


def _design_words(facts: Facts) -> str:
    if facts.study.design == "cross_sectional":
        return (
            "The study is cross-sectional: every estimate is an association at one time, not a response to treatment. "
            f"The {facts.names.sites_word} stand side by side; their bands are never "
            "pooled, because their assays differ."
        )
    if facts.study.design == "randomised":
        return (
            "Treatment was randomised within each site, so contrasts of the arms carry causal words. The biomarker was "
            "not randomised: how the effect differs along it describes for whom the contrast is larger, not why."
        )
    return f"The study is a {DESIGNS[facts.study.design]}: every estimate is an association."


def _analysis_blocks(facts: Facts, analysis_id: str, analysis: dict[str, Any], rows: list[Row]) -> list[Block]:
    blocks: list[Block] = [Heading(f"{analysis['title']} ({analysis['role']})")]
    blocks.append(
        Definitions(
            [(ESTIMAND[key], sentence(analysis["estimand"][key])) for key in ESTIMAND if key in analysis["estimand"]]
        )
    )
    for row in _leading(rows):
        name = f"forest_{analysis_id}_{row['model_id']}_{row['term'].replace(':', '_by_')}"
        block = forest_block(facts, row, "".join(c if c.isalnum() else "_" for c in name))
        if block is not None:
            blocks.append(block)
    drawn = {(facts.headline["analysis"], facts.headline["model_id"])}
    for model in dict.fromkeys(row["model_id"] for row in rows):
        if (analysis_id, model) not in drawn:
            curve = curve_block(facts, analysis_id, model, f"curve_{analysis_id}_{model}")
            if curve is not None:
                blocks.append(curve)
    blocks.append(estimates_table(facts, analysis_id, rows))
    return blocks


def _leading(rows: list[Row]) -> list[Row]:
    """Return one row for each model's first term, and every term of a descriptive model: what gets a forest."""
    found: list[Row] = []
    for model in dict.fromkeys(row["model_id"] for row in rows):
        own = [row for row in rows if row["model_id"] == model]
        best = min(interest(row) for row in own)
        terms = [row["term"] for row in own if interest(row) == best] if best < 2 else [row["term"] for row in own]
        terms += ["risk_difference"] if any(row["term"] == "risk_difference" for row in own) else []
        found += [next(row for row in own if row["term"] == term) for term in dict.fromkeys(terms)]
    return found


def estimates_table(facts: Facts, analysis_id: str, rows: list[Row]) -> Table:
    """Return every estimate of an analysis; p values stand beside their interval, never alone."""
    adjusted = any(row["p_adjusted"] is not None for row in rows)
    predicted = any(row["pred_low"] is not None for row in rows)
    tested = any(row["p_value"] is not None for row in rows)
    printed: list[list[str]] = []
    notes: list[str] = []
    for model in dict.fromkeys(row["model_id"] for row in rows):
        own = [row for row in rows if row["model_id"] == model]
        printed.append([f"{plain(model).capitalize()}; adjusted for: {own[0]['adjustment'].replace('_', ' ')}"])
        term = None
        terms = list(dict.fromkeys(row["term"] for row in own))
        for row in sorted(own, key=lambda row: terms.index(row["term"])):
            value = shown(row)
            if row["term"] != term:
                term = row["term"]
                printed.append([f"  {term_words(facts, row)}"])
            cells = [
                f"    {_place(facts, row)}",
                scale_words(row),
                facts.size(row["n"]),
                value.text,
            ]
            cells += [value.prediction] if predicted else []
            cells += [p_text(row["p_value"])] if tested else []
            cells += [p_text(row["p_adjusted"])] if adjusted else []
            printed.append(cells)
            if row["note"]:
                notes.append(f"{plain(model)}, {_place(facts, row)}: {row['note']}")
    columns = [("", False), ("Scale", False), ("n", True), ("Estimate (95 % interval)", True)]
    columns += [("Prediction interval", True)] if predicted else []
    columns += [("p", True)] if tested else []
    columns += [("p, adjusted", True)] if adjusted else []
    if adjusted:
        method = facts.study.analyses[analysis_id].get("multiplicity", {})
        notes.insert(
            0, f"p adjusted within the family “{plain(method.get('family'))}” ({plain(method.get('method'))})."
        )
    title = f"Estimates, {inside(facts.study.analyses[analysis_id]['title'])}"
    return table(
        f"estimates_{analysis_id}", title, columns, printed, list(dict.fromkeys([*notes, *facts.protection_notes]))
    )


def _place(facts: Facts, row: Row) -> str:
    if row["site"] is not None:
        return facts.names.site(row["site"])
    return {"two_stage": "pooled", "one_stage": f"all {facts.names.sites_word} in one model"}.get(row["level"], "all")


def sensitivity_section(facts: Facts) -> Section:
    """Return how far the answer bends: every variant of the headline on one axis."""
    figure = variants_block(facts, facts.headline, "variants")
    blocks: list[Block] = (
        [figure] if figure is not None else [Text("The study declares no variant of its main answer.")]
    )
    return Section("sensitivity", "How far the answer bends", blocks)


def trial_section(facts: Facts) -> Section:
    """Return what the answer means for a trial: the effect that this precision could have found."""
    row = facts.headline
    analysis = facts.study.analyses[row["analysis"]]
    lines: list[str] = []
    if facts.study.design == "cross_sectional":
        lines.append(
            "Nothing here says who responds to a treatment. The shares and associations help to plan how many people a "
            "trial would have to screen, no more."
        )
    if row["std_error"] is not None and row["scale"] in ("reference_sd", "points"):
        unit = scale_words(row)
        found = POWER_80 * row["std_error"]
        lines.append(
            f"With this precision an effect of {decimal_text(found)} {unit} "
            f"{step_words(facts, row)} would be found in four "
            "of five such studies (normal approximation, two-sided 5 %). Smaller effects may be there unseen."
        )
        lines += _smallest_effect(facts, row, analysis, unit)
    lines.append(
        "An interaction needs about four times the participants of a main effect "
        "of the same size; a trial that chooses "
        "people by the biomarker should be planned on the lower end of the interval, and test the rule on new people."
    )
    return Section("trial", "What it means for a trial", [Text(line) for line in lines])


def _smallest_effect(facts: Facts, row: Row, analysis: dict[str, Any], unit: str) -> list[str]:
    smallest = analysis.get("smallest_effect_of_interest")
    value = shown(row)
    if smallest is None or value.low is None or value.high is None:
        return []
    limits = f"{range_text(value.low, value.high)} {unit}"
    if value.low > smallest or value.high < -smallest:
        verdict = "the whole interval lies beyond it"
    elif -smallest < value.low and value.high < smallest:
        verdict = "the whole interval lies within it, so an effect that matters is unlikely"
    else:
        verdict = "the interval holds effects that matter and effects that do not"
    return [
        f"The smallest effect of interest was declared as {decimal_text(smallest)} "
        f"{unit}. The interval is {limits}: {verdict}."
    ]
