"""Read one source: every cell as text, rows by site, participants as pseudonyms."""

from __future__ import annotations

import os
from argparse import Namespace

from ember.extract.admission import Conditions
from ember.extract.claims import tables_of
from ember.extract.reading import read_source
from ember.extract.source import row_accounts, row_ledger
from ember.provenance.privacy_key import pseudonym_key
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_json, write_table
from ember.validate.accounting import account_table
from ember.validate.ledger import join_entries

DECLARES = ("contracts/consent.yaml", "contracts/ledger.yaml", "contracts/accounting.yaml", "validate/rules.yaml")


def main(arguments: Namespace) -> None:
    """Read the source and write its raw file, ledger, accounting and input record."""
    study, registry = load_study(arguments.study)
    source = study.sources[arguments.source]
    key = pseudonym_key(study, os.environ)
    claims = tables_of(source.id, list(study.sites.values()))
    register = read_table(arguments.consent[0], "consent") if arguments.consent else None
    conditions = Conditions(study.data_folder, register, study.consent_required)
    read = read_source(source, study.sources, claims, conditions, registry, key, arguments.raw)
    lost = row_ledger(read.tally, read.unclaimed, source.file)
    write_table(join_entries([lost, read.ledger]), arguments.ledger, "ledger")
    accounts = row_accounts(read.counts, lost, read.partners, read.left)
    write_table(account_table(accounts), arguments.accounting, "accounting")
    write_json(read.record, arguments.record)
    kept = sum(read.counts.values())
    report(arguments.log, f"{source.id}: {read.tally.n_rows} rows, {kept} kept, {len(read.counts)} sites")


if __name__ == "__main__":
    run_step(main, inputs=("consent",), outputs=("raw", "ledger", "accounting", "record"), wildcards=("source",))
