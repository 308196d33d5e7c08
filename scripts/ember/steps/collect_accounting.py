"""Join the accounts of all stages and refuse them if a row, a value or a participant is lost on the way."""

from __future__ import annotations

from argparse import Namespace

from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table
from ember.validate.chain import collect_accounts

DECLARES = ("contracts/accounting.yaml",)


def main(arguments: Namespace) -> None:
    accounting = collect_accounts([read_table(path, "accounting") for path in arguments.parts])
    write_table(accounting, arguments.accounting, "accounting")
    report(arguments.log, f"{accounting.height} accounts from {len(arguments.parts)} files balance")


if __name__ == "__main__":
    run_step(main, inputs=("parts",), outputs=("accounting",))
