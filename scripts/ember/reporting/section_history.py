"""The block of the report on treatment history: resistance, stage, the study's own rule, and earlier exposure."""

from __future__ import annotations

from ember.reporting.blocks import Block, Heading, Table, Text, table
from ember.reporting.facts import Facts

WORDS = (
    "Treatment-resistant depression is failure of at least two adequate trials of different antidepressants in the "
    "current episode; a trial of unknown dose or duration is neither adequate nor inadequate, so that its answer is "
    "indeterminate. Neither resistance nor difficulty is inferred from the other."
)
RULE_WORDS = (
    "Difficult-to-treat depression follows the study's own rule: it is study-defined, not validated. It asks for a "
    "depressive disorder, burden at visits far enough apart, and continuing usual treatment; any part unknown makes it "
    "indeterminate."
)
EXPOSURE_WORDS = "An anti-inflammatory drug taken before the sample changes what the sample shows: it is a modifier."


def history_blocks(facts: Facts) -> list[Block]:
    """Return what the treatment histories say; nothing where a study has none."""
    told = {row["variable"] for row in facts.lines("history")}
    if not told:
        return []
    texts = [WORDS] if "trd" in told else []
    texts += [RULE_WORDS] if "dtd" in told else []
    texts += [EXPOSURE_WORDS]
    return [Heading("Treatment history"), *map(Text, texts), history_table(facts)]


def history_table(facts: Facts) -> Table:
    """Return the levels of each variable with one column a site."""
    rows = facts.lines("history")
    sites = [site for site in facts.sites if any(row["site"] == site for row in rows)]
    numbers = {(row["site"], row["variable"], row["level"]): row["n"] for row in rows}
    printed: list[list[str]] = []
    for variable, label in dict.fromkeys((row["variable"], row["label"]) for row in rows):
        printed.append([label])
        for level in dict.fromkeys(row["level"] for row in rows if row["variable"] == variable):
            cells = [numbers.get((site, variable, level), 0) for site in sites]
            printed.append([f"  {level}", *map(facts.count, cells)])
    columns = [("Participants", False), *[(facts.names.site(site), True) for site in sites]]
    title = f"Treatment history by {facts.names.site_word.lower()}"
    return table("history", title, columns, printed, facts.protection_notes)
