"""Build the rows of one analysis: who is in, on which scales, and why the others are out."""

from __future__ import annotations

from argparse import Namespace

from ember.history.joined import with_history
from ember.models.analysis_set import build_analysis_set
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_table
from ember.validate.accounting import account_table

DECLARES = (
    "contracts/participants.yaml",
    "contracts/measurements.yaml",
    "contracts/scores.yaml",
    "contracts/endotypes.yaml",
    "contracts/history.yaml",
    "contracts/analysis_set.yaml",
    "contracts/ledger.yaml",
    "contracts/accounting.yaml",
    "validate/rules.yaml",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    participants = read_tables(arguments.participants, "participants")
    if arguments.history:
        participants = with_history(participants, read_tables(arguments.history, "history"))
    table, ledger, accounts = build_analysis_set(
        study,
        study.analyses[arguments.analysis],
        registry,
        participants,
        read_tables(arguments.measurements, "measurements"),
        read_tables(arguments.scores, "scores"),
        read_tables(arguments.endotypes, "endotypes") if arguments.endotypes else None,
    )
    write_table(table, arguments.analysis_set, "analysis_set")
    write_table(ledger, arguments.ledger, "ledger")
    write_table(account_table(accounts), arguments.accounting, "accounting")
    report(arguments.log, f"{arguments.analysis}: {table['in_set'].sum()} of {table.height} participants in the set")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements", "scores", "endotypes", "history"),
        outputs=("analysis_set", "ledger", "accounting"),
        wildcards=("analysis",),
    )
