"""Hold the sites against each other: values of an analyte a conversion factor apart point to a wrong unit."""

from __future__ import annotations

from argparse import Namespace

from ember.harmonise.evidence_sites import unit_findings
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_table

STAGE = "compare_sites"
DECLARES: tuple[str, ...] = ("contracts/findings.yaml", "contracts/unit_evidence.yaml", "validate/rules.yaml")


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    summaries = read_tables(arguments.evidence, "unit_evidence")
    findings = unit_findings(study, registry, summaries, STAGE)
    write_table(findings, arguments.findings, "findings")
    report(arguments.log, f"{len(arguments.evidence)} sites, {summaries.height} groups; {findings.height} findings")


if __name__ == "__main__":
    run_step(main, inputs=("evidence",), outputs=("findings",))
