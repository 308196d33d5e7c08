"""Let the study through a gate, or stop it with counts, rule and the ledger to look in."""

from __future__ import annotations

from argparse import Namespace

from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_text
from ember.validate.verdict import gate_verdict

DECLARES = ("contracts/gates.yaml", "contracts/findings.yaml")


def main(arguments: Namespace) -> None:
    study, _ = load_study(arguments.study)
    gates = read_tables(arguments.gates, "gates")
    findings = read_tables(arguments.findings, "findings")
    text = gate_verdict(arguments.stage, gates, findings, study)
    write_text(text, arguments.passed)
    report(arguments.log, text.rstrip())


if __name__ == "__main__":
    run_step(main, inputs=("gates", "findings"), outputs=("passed",), wildcards=("stage",))
