"""Derive the treatment history of one site: trials, resistance, stage, the study's own rule, earlier exposure."""

from __future__ import annotations

from argparse import Namespace

from ember.history.derive import Tables, derive_history
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table
from ember.validate.accounting import account_table

READ = ("participants", "visits", "measurements", "scores", "treatments")
DECLARES: tuple[str, ...] = (
    "contracts/accounting.yaml",
    "contracts/findings.yaml",
    "contracts/history.yaml",
    "contracts/ledger.yaml",
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/treatment_trials.yaml",
    "contracts/treatments.yaml",
    "contracts/visits.yaml",
    "validate/rules.yaml",
)
TABLES = {"trials": "treatment_trials", "history": "history", "ledger": "ledger", "findings": "findings"}


def main(arguments: Namespace) -> None:
    """Read the harmonised tables of a site, derive the history, write it."""
    study, registry = load_study(arguments.study)
    by_name = {path.stem: path for path in arguments.harmonised}
    tables = Tables(**{name: read_table(by_name[name], name) for name in READ})
    result = derive_history(study, study.sites[arguments.site], registry, tables)
    for name, table in TABLES.items():
        write_table(getattr(result, name), getattr(arguments, name), table)
    write_table(account_table(result.accounts), arguments.accounting, "accounting")
    report(
        arguments.log,
        f"{arguments.site}: {result.history.height} participants, {result.trials.height} trials; "
        f"{result.findings.height} findings",
    )


if __name__ == "__main__":
    run_step(main, inputs=("harmonised",), outputs=(*TABLES, "accounting"), wildcards=("site",))
