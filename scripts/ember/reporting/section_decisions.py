"""What was decided where the data left a choice, and whether the study is frozen."""

from __future__ import annotations

from ember.registry.check_decisions import citations, superseded
from ember.registry.decisions import ALL, Decision, names_of
from ember.registry.model import Study
from ember.reporting.blocks import Block, Heading, Section, Table, Text, table
from ember.reporting.facts import Facts
from ember.reporting.words import plain, sentence

NONE_LOGGED = (
    "No decision is logged: every mapping is identical, a translation of codes one to one, or an exact conversion."
)
INTRODUCTION = (
    "Where the data left a choice, somebody made it and wrote it down. Every mapping that is not identical, a "
    "translation of codes one to one or an exact conversion of units cites a line of this log."
)


def decisions_section(facts: Facts) -> Section:
    """Return the log of decisions, the freeze, and every freeze that was lifted."""
    blocks: list[Block] = []
    if facts.study.decisions:
        blocks += [Text(INTRODUCTION), decisions_table(facts)]
    else:
        blocks.append(Text(NONE_LOGGED))
    blocks += [Heading("Freeze"), Text(freeze_words(facts))]
    if facts.study.unfreezings:
        blocks.append(unfreezings_table(facts))
    return Section("decisions", "Decisions and freeze", blocks)


def decisions_table(facts: Facts) -> Table:
    """Return the log in its own order, with the mappings that cite each line."""
    later = superseded(facts.study)
    used = citing_mappings(facts.study)
    printed = [
        [
            decision.id, f"{decision.date}, {decision.who}", _about(facts, decision), decision.decision,
            _joined(decision.reason, decision.evidence), decision.alternative or "–",
            f"superseded by {later[decision.id].id}" if decision.id in later
            else "; ".join(used.get(decision.id, [])) or "no mapping cites it",
        ]
        for decision in facts.study.decisions
    ]  # fmt: skip
    columns = [
        ("Decision", False), ("When and who", False), ("About", False), ("What was decided", False),
        ("Why, on what evidence", False), ("Alternative", False), ("Used in", False),
    ]  # fmt: skip
    return table("decision_log", "Decisions", columns, printed)


def citing_mappings(study: Study) -> dict[str, list[str]]:
    """Return by id of a decision the mappings that cite it, as `Site: key, key`."""
    found: dict[str, list[str]] = {}
    for site in study.sites.values():
        nested = "tables" in study.resolved["sites"][site.id]
        for citation in citations(site, nested):
            if citation.decision is not None:
                keys = ", ".join(str(key).replace("_", " ") for key in citation.keys if key != "tables")
                found.setdefault(citation.decision, []).append(f"{site.label}: {keys}")
    return found


def _about(facts: Facts, decision: Decision) -> str:
    every = f"all {facts.names.sites_word}"
    names = [every if site == ALL else facts.names.site(site) for site in names_of(decision.sites)]
    return f"{plain(decision.variable)}; {', '.join(names)}"


def _joined(reason: str, evidence: str) -> str:
    return f"{sentence(reason)} {sentence(evidence)}".strip()


def status_words(study: Study) -> str:
    """Return what the release is called: a draft, or final under a freeze."""
    if study.release_status != "final" or study.frozen is None:
        return "Draft, not frozen"
    return f"Final, frozen as {study.frozen.label} on {study.frozen.date}"


def freeze_words(facts: Facts) -> str:
    """Return what the freeze binds, and whether the code is still that of the freeze."""
    study, freeze = facts.study, facts.study.frozen
    if study.release_status != "final" or freeze is None:
        return "This is a draft: it is not frozen. Extracts, decisions and plan may still change."
    same = facts.version.get("code") == freeze.code
    waiting = f"{freeze.open_queries:,} {'query was' if freeze.open_queries == 1 else 'queries were'} open"
    code = "The code is that of the freeze" if same else "The code has changed since, and is no part of the freeze"
    return (
        f"{status_words(study)}. Bound are the bytes of {len(freeze.extracts)} extracts and of what is read with them, "
        f"the decisions, the plan and the registry rows in use: none has changed since. When it was made, {waiting}. "
        f"{code}."
    )


def unfreezings_table(facts: Facts) -> Table:
    """Return every freeze that was lifted, by whom and why."""
    printed = [[line.label, line.date, line.who, line.reason] for line in facts.study.unfreezings]
    columns = [("Freeze", False), ("Lifted on", False), ("By", False), ("Why", False)]
    return table("unfreezings", "Freezes that were lifted", columns, printed)
