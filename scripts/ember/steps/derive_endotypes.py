"""Give every participant of the study one state of an endotype scheme."""

from __future__ import annotations

from argparse import Namespace

from ember.endotypes.states import assign_states, endotype_accounts
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_frame, write_table
from ember.validate.accounting import account_table

DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/endotypes.yaml",
    "contracts/accounting.yaml",
)


def main(arguments: Namespace) -> None:
    study, _ = load_study(arguments.study)
    scheme = study.schemes[arguments.scheme]
    participants = read_tables(arguments.participants, "participants")
    measurements = read_tables(arguments.measurements, "measurements")
    table, composite = assign_states(measurements, participants, scheme)
    accounts = endotype_accounts(participants, arguments.scheme)
    write_table(table, arguments.endotypes, "endotypes")
    write_frame(composite, arguments.composite)
    write_table(account_table(accounts), arguments.accounting, "accounting")
    report(arguments.log, f"{arguments.scheme}: {participants.height} participants, {table['class'].n_unique()} states")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements"),
        outputs=("endotypes", "composite", "accounting"),
        wildcards=("scheme",),
    )
