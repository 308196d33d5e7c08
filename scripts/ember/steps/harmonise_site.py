"""Harmonise one site: units, limits, unit evidence, plausibility and scores."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack
from functools import partial

import polars as pl

from ember.harmonise.harmonise import harmonise_shares, site_accounts
from ember.harmonise.measured import harmonise_measurements
from ember.harmonise.passes import Passes
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.contract import contract
from ember.tables.files import copy_file
from ember.tables.shares import read_shares, share_heights, table_writer
from ember.tables.store import read_table, write_table
from ember.validate.accounting import account_table

UNCHANGED = ("participants", "visits", "treatments")
CHANGED = ("measurements", "scores", "ledger")
DECLARES: tuple[str, ...] = (
    "contracts/accounting.yaml", "contracts/findings.yaml", "contracts/ledger.yaml", "contracts/measurements.yaml",
    "contracts/participants.yaml", "contracts/scores.yaml", "contracts/standard_items.yaml",
    "contracts/standard_measurements.yaml", "contracts/treatments.yaml", "contracts/unit_evidence.yaml",
    "contracts/visits.yaml", "validate/rules.yaml",
)  # fmt: skip


def main(arguments: Namespace) -> None:
    """Harmonise the standard tables of a site share by share, and write the harmonised ones as they come."""
    study, registry = load_study(arguments.study)
    site, files = study.sites[arguments.site], {path.stem: path for path in arguments.standard}
    heights = share_heights(files["measurements"])
    read = partial(read_shares, files["measurements"], "standard_measurements", coded=True)
    judged = harmonise_measurements(study, site, registry, Passes(read, single=len(heights) == 1))
    answers = read_shares(files["items"], "standard_items", coded=True)
    accounts = []
    with ExitStack() as opened:
        writers = {name: opened.enter_context(table_writer(getattr(arguments, name), name)) for name in CHANGED}
        for share in harmonise_shares(site, registry, judged, heights, answers):
            for name, writer in writers.items():
                writer.write(getattr(share, name))
            accounts.append(share.account)
            del share  # before the next one is made
    for name in UNCHANGED:
        copy_file(files[name], getattr(arguments, name))
    write_table(judged.findings, arguments.findings, "findings")
    write_table(judged.evidence, arguments.evidence, "unit_evidence")
    before = read_table(arguments.accounts[0], "accounting").filter(pl.col("unit") == "value")
    people = read_table(files["participants"], "participants", list(contract("participants").mapped), coded=True)
    whole = site_accounts(site, people, int(before["n_out"].sum()), accounts)
    write_table(account_table(whole), arguments.accounting, "accounting")
    report(arguments.log, f"{site.id}: {sum(heights)} measurements in, {judged.findings.height} findings")


if __name__ == "__main__":
    run_step(main, ("standard", "accounts"), (*UNCHANGED, *CHANGED, "findings", "evidence", "accounting"), ("site",))
