"""Read one source: every cell as text, rows by site, participants as pseudonyms."""

from __future__ import annotations

import os
from argparse import Namespace

from ember.extract.claims import claim_rows, site_frames, tables_of
from ember.extract.columns import check_columns
from ember.extract.raw_file import write_raw
from ember.extract.readers import read_table
from ember.extract.source import checked_digest, input_record, row_accounts, row_ledger
from ember.provenance.privacy_key import pseudonym_key
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import write_json, write_table
from ember.validate.accounting import account_table

DECLARES = ("contracts/ledger.yaml", "contracts/accounting.yaml", "validate/rules.yaml")


def main(arguments: Namespace) -> None:
    """Read the source and write its raw file, ledger, accounting and input record."""
    study, registry = load_study(arguments.study)
    source = study.sources[arguments.source]
    key = pseudonym_key(study, os.environ)
    claims = tables_of(source.id, list(study.sites.values()))
    digest = checked_digest(source)
    table = read_table(source)
    for site, mapping in claims:
        check_columns(source, table.names, site, mapping, registry)
    owner = claim_rows(table.frame, source, claims)
    frames = site_frames(table.frame, owner, claims, key)
    counts = write_raw(frames, table.columns, arguments.raw, file=source.file, sheet=table.sheet)
    ledger = row_ledger(table, table.frame["_row"].filter(owner.is_null()), source.file)
    write_table(ledger, arguments.ledger, "ledger")
    write_table(account_table(row_accounts(counts, ledger)), arguments.accounting, "accounting")
    write_json(input_record(source, digest, table), arguments.record)
    report(arguments.log, f"{source.id}: {table.n_rows} rows, {sum(counts.values())} kept, {len(counts)} sites")


if __name__ == "__main__":
    run_step(main, outputs=("raw", "ledger", "accounting", "record"), wildcards=("source",))
