"""Every rule that a study can give rise to, whatever its data: what `gates:` in study.yaml may name."""

from __future__ import annotations

from collections.abc import Iterator

from ember.errors import EmberError
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.validate.analysis_rules import analysis_rules, arms_rule
from ember.validate.gate_changes import unmatched
from ember.validate.gate_rule import STAGES
from ember.validate.gate_rules import rows_rule, screening, table_rules
from ember.validate.raw_rules import raw_rule_list


def gate_findings(study: Study, registry: Registry) -> list[EmberError]:
    """Return a finding for each entry of `gates:` that names no rule of the study."""
    return unmatched(study, possible_rules(study, registry)) if study.gate_changes else []


def possible_rules(study: Study, registry: Registry) -> list[str]:
    """Return the names of the rules of all stages, each once."""
    return list(dict.fromkeys(_rules(study, registry)))


def _rules(study: Study, registry: Registry) -> Iterator[str]:
    yield from (rule.rule for rule in raw_rule_list(study, registry))
    occurring = {row["analyte"] for row in registry.rows("analytes")}
    occurring |= {row["instrument"] for row in registry.rows("instruments")}
    screened = screening(study)
    for table in dict.fromkeys(table for tables in STAGES.values() for table in tables):
        if contract(table).must_have_rows:
            yield rows_rule(table).rule
        yield from (rule.rule for rule in table_rules(table, occurring, study, registry, screened))
    for analysis in study.analyses.values():
        yield rows_rule("analysis_set", f"analysis.{analysis['analysis']}").rule
        yield from (rule.rule for rule in analysis_rules(analysis, study, registry))
        if "treatment" in analysis:
            yield arms_rule(analysis).rule
