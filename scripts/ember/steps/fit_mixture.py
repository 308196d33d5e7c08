"""Fit one mixture, or apply a frozen one: posterior probabilities, the artefact, and how sure and stable both are."""

from __future__ import annotations

from argparse import Namespace

from ember.endotypes.mixtures.artefact import frozen_of
from ember.endotypes.mixtures.derive import derive
from ember.endotypes.mixtures.tables import class_table, mixture_accounts, mixture_tables
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, read_tables, write_json, write_table
from ember.validate.accounting import account_table

DECLARES = (
    "contracts/accounting.yaml",
    "contracts/endotypes.yaml",
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/mixture_agreement.yaml",
    "contracts/mixture_assays.yaml",
    "contracts/mixture_classes.yaml",
    "contracts/mixture_search.yaml",
    "contracts/mixture_stability.yaml",
)

TABLES = tuple(f"mixture_{part}" for part in ("search", "classes", "assays", "stability", "agreement"))


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    content = study.mixtures[arguments.mixture]
    participants = read_tables(arguments.participants, "participants")
    measurements = read_tables(arguments.measurements, "measurements")
    units = [registry.row("analytes", name)["canonical_unit"] for name in content.get("analytes", ())]
    made = derive(measurements, participants, content, units, study.seed, frozen_of(study.folder, content))
    schemes = {
        name: read_table(file, "endotypes")
        for name, file in zip(content.get("compare", ()), arguments.schemes, strict=True)
    }
    write_table(class_table(made, participants, content), arguments.classes, "endotypes")
    write_json(dict(made.artefact), arguments.artefact)
    for name, table in mixture_tables(made, participants, content, schemes).items():
        write_table(table, getattr(arguments, name), name)
    accounts = mixture_accounts(made, participants, arguments.mixture)
    write_table(account_table(accounts), arguments.accounting, "accounting")
    people, classes = made.posterior.shape
    report(arguments.log, f"{arguments.mixture}: {people} participants, {classes} classes")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements", "schemes"),
        outputs=("classes", "artefact", *TABLES, "accounting"),
        wildcards=("mixture",),
    )
