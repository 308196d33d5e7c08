"""Estimate how likely each participant's usual level lies above the cut of a scheme."""

from __future__ import annotations

from argparse import Namespace

from ember.endotypes.gathered import treatment_start
from ember.endotypes.usual_level.estimate import usual_accounts, usual_levels
from ember.endotypes.usual_level.published import REPEATS
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_table
from ember.validate.accounting import account_table

DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/treatments.yaml",
    "contracts/usual_levels.yaml",
    "contracts/usual_components.yaml",
    "contracts/accounting.yaml",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    scheme = study.schemes[arguments.scheme]
    named = scheme["usual_level"]["within_person"]
    participants = read_tables(arguments.participants, "participants")
    found = usual_levels(
        read_tables(arguments.measurements, "measurements"),
        participants,
        scheme,
        study.visits,
        published=None if named == REPEATS else registry.row("within_person", named),
        scores=read_tables(arguments.scores, "scores"),
        started=treatment_start(participants, read_tables(arguments.treatments, "treatments")),
    )
    write_table(found.table, arguments.usual, "usual_levels")
    write_table(found.components, arguments.components, "usual_components")
    write_table(account_table(usual_accounts(found.table, arguments.scheme)), arguments.accounting, "accounting")
    known = int(found.table["identified"].sum())
    report(arguments.log, f"{arguments.scheme}: {known} of {participants.height} participants identified")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements", "scores", "treatments"),
        outputs=("usual", "components", "accounting"),
        wildcards=("scheme",),
    )
