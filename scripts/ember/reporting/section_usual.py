"""The block of the report on usual levels: how likely they lie above the cut, by state and site."""

from __future__ import annotations

from typing import Any

from ember.reporting.blocks import Block, Heading, Table, Text, table
from ember.reporting.facts import Facts, Row
from ember.reporting.numbers import decimal_text, percent_text
from ember.reporting.words import unit_text

REASONS = {
    "no_repeats": "Not identified: one sample a person, and no published variability is named.",
    "few_repeats": "Not identified: fewer people with two samples than the scheme asks for.",
    "no_spread": "Not identified: fewer than two different results within the limits.",
    "within_exceeds_spread": "Not identified: all results vary less than the published figure says of one person.",
    "not_converged": "Not identified: the likelihood has no clear maximum.",
}


def usual_blocks(facts: Facts, scheme: str, content: dict[str, Any]) -> list[Block]:
    """Return what is said of the usual levels of a scheme; nothing where it does not ask."""
    components = facts.lines("usual_components", scheme=scheme)
    if not components:
        return []
    blocks: list[Block] = [Heading("Usual level"), Text(model_words(facts, content, components))]
    levels = facts.lines("usual_levels", scheme=scheme)
    if any(row["probability"] is not None for row in levels):
        blocks += [Text(expected_words(facts, levels)), levels_table(facts, scheme, levels)]
    return [*blocks, components_table(facts, scheme, components)]


def model_words(facts: Facts, content: dict[str, Any], components: list[Row]) -> str:
    """Return in words what is estimated and from what."""
    analyte, unit = facts.names.analyte(content["analyte"]), unit_text(content["unit"])
    source = (
        "estimated from people with two samples or more"
        if components[0]["method"] == "repeats"
        else f"taken as published ({content['usual_level']['within_person']})"
    )
    return (
        f"A person's usual level is the long-run geometric mean of {analyte} outside acute illness. The probability "
        f"that it lies above {components[0]['cut']:g} {unit} follows from the person's samples and from the "
        "distribution of usual levels at the same site, in a model of the logarithm: normal between persons, normal "
        f"within persons, the latter {source}. Results below a limit count as such; a sample above the acute cut "
        "counts as one that illness may have raised. It is a statement about measurement, not a diagnosis."
    )


def expected_words(facts: Facts, levels: list[Row]) -> str:
    """Return expected prevalence against the share labelled, over all sites."""
    own = [row for row in levels if row["site"] == "all"]
    whole = next(row for row in own if row["state"] == "")
    inflamed = [row["n"] for row in own if row["inflamed"]]
    text = f"Expected share of people whose usual level is above the cut: {percent_text(whole['probability'])}"
    if inflamed and whole["n"] and all(n is not None for n in inflamed):
        return f"{text}; labelled inflamed among the same people: {percent_text(sum(inflamed) / whole['n'])}."
    return f"{text}."


def levels_table(facts: Facts, scheme: str, levels: list[Row]) -> Table:
    """Return the mean probability of each state by site."""
    printed: list[list[str]] = []
    sites = [*[site for site in facts.included if any(row["site"] == site for row in levels)], "all"]
    for site in sites:
        printed.append([facts.names.site(site)])
        own = sorted((row for row in levels if row["site"] == site), key=lambda row: row["state_order"])
        for row in own:
            if row["n"] == 0:
                continue
            name = "All with a probability" if row["state"] == "" else facts.names.state(row["state"])
            printed.append([f"  {name}", facts.count(row["n"]), percent_text(row["probability"])])
    columns = [("", False), ("n", True), ("Mean probability", True)]
    title = "Mean probability of a usual level above the cut, by state"
    return table(f"usual_{scheme}", title, columns, printed, facts.protection_notes)


def components_table(facts: Facts, scheme: str, components: list[Row]) -> Table:
    """Return the distribution of each site behind the probabilities, or why there is none."""
    printed = []
    for row in components:
        counts = [facts.count(row[name]) for name in ("n_people", "n_repeated", "n_samples", "n_below", "n_above")]
        numbers = [decimal_text(row[name]) for name in ("ln_mean", "between_sd", "within_sd", "acute_share")]
        printed.append([facts.names.site(row["site"]), *counts, *numbers])
    columns = [
        ("", False), ("People", True), ("With two samples", True), ("Samples", True), ("Below a limit", True),
        ("Above the acute cut", True), ("Mean of ln", True), ("SD between", True), ("SD within", True),
        ("Acute share", True),
    ]  # fmt: skip
    reasons = dict.fromkeys((row["site"], row["reason"]) for row in components if row["reason"])
    notes = [f"{facts.names.site(site)}: {REASONS[reason]}" for site, reason in reasons]
    notes = [*facts.protection_notes, "SDs are of natural logarithms.", *notes]
    return table(f"usual_{scheme}_components", "Distribution behind it", columns, printed, notes, folded=True)
