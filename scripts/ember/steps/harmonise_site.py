"""Harmonise one site: units, limits, unit evidence, plausibility and scores."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import polars as pl

from ember.harmonise.harmonise import Standard, harmonise_site
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table
from ember.validate.accounting import account_table

UNCHANGED = ("participants", "visits", "treatments")
IN_UNITS_OF_THE_SOURCE = ("measurements", "items")
HARMONISED = ("participants", "visits", "measurements", "scores", "treatments", "ledger", "findings")
DECLARES: tuple[str, ...] = (
    "contracts/accounting.yaml",
    "contracts/findings.yaml",
    "contracts/ledger.yaml",
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/standard_items.yaml",
    "contracts/standard_measurements.yaml",
    "contracts/treatments.yaml",
    "contracts/visits.yaml",
    "validate/rules.yaml",
)


def main(arguments: Namespace) -> None:
    """Read the standard tables of a site, harmonise them, write the harmonised ones."""
    study, registry = load_study(arguments.study)
    standard = read_standard(arguments.standard, arguments.accounts)
    result = harmonise_site(study, study.sites[arguments.site], registry, standard)
    for table in HARMONISED:
        write_table(getattr(result, table), getattr(arguments, table), table)
    write_table(account_table(result.accounts), arguments.accounting, "accounting")
    report(
        arguments.log,
        f"{arguments.site}: {standard.measurements.height} measurements in, {result.measurements.height} out; "
        f"{standard.items.height} answers in, {result.scores.height} scores out; {result.findings.height} findings",
    )


def read_standard(paths: list[Path], accounts: list[Path]) -> Standard:
    """Return the standard tables, told apart by file name, and the values that standardise_site let out."""
    by_name = {path.stem: path for path in paths}
    tables = {name: read_table(by_name[name], name) for name in UNCHANGED}
    tables |= {name: read_table(by_name[name], f"standard_{name}") for name in IN_UNITS_OF_THE_SOURCE}
    accounting = read_table(accounts[0], "accounting")
    n_values = int(accounting.filter(pl.col("unit") == "value")["n_out"].sum())
    return Standard(**tables, n_values=n_values)


if __name__ == "__main__":
    run_step(main, inputs=("standard", "accounts"), outputs=(*HARMONISED, "accounting"), wildcards=("site",))
