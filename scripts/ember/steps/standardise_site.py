"""Standardise one site: its mapped columns become participants, visits, measurements, items and treatments."""

from __future__ import annotations

from argparse import Namespace

from ember.consent.rows import withdrawn_participants, without_biomarkers
from ember.extract.raw_rows import read_raw
from ember.harmonise.standardise import standardise_site
from ember.harmonise.standardise_rows import RawRows
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table
from ember.validate.accounting import account_table

TABLES = {
    "participants": "participants",
    "visits": "visits",
    "measurements": "standard_measurements",
    "items": "standard_items",
    "treatments": "treatments",
    "ledger": "ledger",
    "findings": "findings",
}
DECLARES: tuple[str, ...] = (
    "contracts/accounting.yaml",
    "contracts/consent.yaml",
    "contracts/findings.yaml",
    "contracts/ledger.yaml",
    "contracts/participants.yaml",
    "contracts/standard_items.yaml",
    "contracts/standard_measurements.yaml",
    "contracts/treatments.yaml",
    "contracts/visits.yaml",
    "validate/rules.yaml",
)


def main(arguments: Namespace) -> None:
    """Read the raw rows of a site, standardise them, write the standard tables."""
    study, registry = load_study(arguments.study)
    site = study.sites[arguments.site]
    paths = {path.stem: path for path in arguments.raw}
    raw: dict[str, RawRows] = {}
    for source in site.sources:
        frame, metadata = read_raw(paths[source], site.id)
        raw[source] = RawRows(frame, metadata["columns"])
    register = read_table(arguments.consent[0], "consent") if arguments.consent else None
    result = standardise_site(
        study, site, registry, raw, withdrawn_participants(register, site.id), without_biomarkers(register, site)
    )
    for name, table in TABLES.items():
        write_table(getattr(result, name), getattr(arguments, name), table)
    write_table(account_table(result.accounts), arguments.accounting, "accounting")
    counts = ", ".join(f"{getattr(result, name).height} {name}" for name in TABLES)
    report(arguments.log, f"{site.id}: {counts}")


if __name__ == "__main__":
    run_step(main, inputs=("raw", "consent"), outputs=(*TABLES, "accounting"), wildcards=("site",))
