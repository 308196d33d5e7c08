"""Standardise one site: its mapped columns become participants, visits, measurements, items and treatments."""

from __future__ import annotations

from argparse import Namespace
from contextlib import ExitStack

from ember.consent.rows import withdrawn_participants, without_biomarkers
from ember.extract.raw_shares import raw_shares
from ember.harmonise.row_tally import RowTally, added_tallies, site_findings
from ember.harmonise.standardise import standardise_share
from ember.harmonise.standardise_rows import RawRows
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.shares import table_writer
from ember.tables.store import read_table, write_table
from ember.validate.accounting import Account, account_table, added

TABLES = {
    "participants": "participants",
    "visits": "visits",
    "measurements": "standard_measurements",
    "items": "standard_items",
    "treatments": "treatments",
    "ledger": "ledger",
}
DECLARES: tuple[str, ...] = (
    "contracts/accounting.yaml", "contracts/consent.yaml", "contracts/findings.yaml", "contracts/ledger.yaml",
    "contracts/participants.yaml", "contracts/standard_items.yaml", "contracts/standard_measurements.yaml",
    "contracts/treatments.yaml", "contracts/visits.yaml", "validate/rules.yaml",
)  # fmt: skip


def main(arguments: Namespace) -> None:
    """Standardise the raw rows of a site share by share, and write the standard tables as they come."""
    study, registry = load_study(arguments.study)
    site = study.sites[arguments.site]
    paths = {path.stem: path for path in arguments.raw}
    register = read_table(arguments.consent[0], "consent") if arguments.consent else None
    consent = (withdrawn_participants(register, site.id), without_biomarkers(register, site))
    accounts: list[Account] = []
    tallies: list[tuple[RowTally, ...]] = []
    with ExitStack() as files:
        opened = {name: table_writer(getattr(arguments, name), table) for name, table in TABLES.items()}
        writers = {name: files.enter_context(writer) for name, writer in opened.items()}
        for raw in raw_shares({source: paths[source] for source in site.sources}, site.id):
            rows = {source: RawRows(frame, told["columns"]) for source, (frame, told) in raw.items()}
            share = standardise_share(study, site, registry, rows, *consent)
            for name, writer in writers.items():
                writer.write(getattr(share, name))
            accounts.extend(share.accounts)
            tallies.append(share.tallies)
            del raw, rows, share  # before the next one is read
        write_table(site_findings(study, site, added_tallies(tallies)), arguments.findings, "findings")
        write_table(account_table(added(accounts)), arguments.accounting, "accounting")
    report(arguments.log, f"{site.id}: " + ", ".join(f"{writer.rows} {name}" for name, writer in writers.items()))


if __name__ == "__main__":
    run_step(main, inputs=("raw", "consent"), outputs=(*TABLES, "findings", "accounting"), wildcards=("site",))
