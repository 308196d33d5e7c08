"""Give every participant of the study one state of an endotype scheme."""

from __future__ import annotations

from argparse import Namespace

from ember.endotypes.composites.composite import no_composites
from ember.endotypes.gathered import scheme_composites, scheme_symptoms, treatment_start, unusable_results
from ember.endotypes.states import Evidence, assign_states, endotype_accounts
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_table
from ember.validate.accounting import account_table

DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/treatments.yaml",
    "contracts/standard_measurements.yaml",
    "contracts/standard_items.yaml",
    "contracts/ledger.yaml",
    "contracts/endotypes.yaml",
    "contracts/composites.yaml",
    "contracts/composite_references.yaml",
    "contracts/accounting.yaml",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    scheme = study.schemes[arguments.scheme]
    participants = read_tables(arguments.participants, "participants")
    measurements = read_tables(arguments.measurements, "measurements")
    standard = read_tables(arguments.standard, "standard_measurements")
    refused = read_tables(arguments.ledgers, "ledger")
    composite = scheme_composites(study, registry, scheme, measurements, participants)
    evidence = Evidence(
        composite=composite,
        scores=read_tables(arguments.scores, "scores"),
        symptoms=scheme_symptoms(registry, scheme, participants, read_tables(arguments.answers, "standard_items")),
        started=treatment_start(participants, read_tables(arguments.treatments, "treatments")),
        unusable=unusable_results(scheme["analyte"], standard, measurements, refused),
    )
    written = composite or no_composites()
    table = assign_states(measurements, participants, scheme, study.visits, evidence)
    write_table(table, arguments.endotypes, "endotypes")
    write_table(written.table, arguments.composite, "composites")
    write_table(written.references, arguments.references, "composite_references")
    write_table(account_table(endotype_accounts(participants, arguments.scheme)), arguments.accounting, "accounting")
    report(arguments.log, f"{arguments.scheme}: {participants.height} participants, {table['class'].n_unique()} states")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements", "scores", "treatments", "standard", "answers", "ledgers"),
        outputs=("endotypes", "composite", "references", "accounting"),
        wildcards=("scheme",),
    )
