"""Collect what participants agreed to, before any other step looks at their data."""

from __future__ import annotations

import os
from argparse import Namespace

from ember.consent.collect import collect_consent
from ember.consent.rows import people_counts
from ember.provenance.privacy_key import pseudonym_key
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import write_table

DECLARES = ("contracts/consent.yaml", "contracts/consent_counts.yaml")


def main(arguments: Namespace) -> None:
    """Read the tables of consent of all sites; write the register and how many people leave for which reason."""
    study, registry = load_study(arguments.study)
    register = collect_consent(study, registry, pseudonym_key(study, os.environ), arguments.register.parent)
    counts = people_counts(register, study.consent_required)
    write_table(register, arguments.register, "consent")
    write_table(counts, arguments.counts, "consent_counts")
    staying = int(counts.filter(counts["rule_id"] == "")["n"].sum())
    report(arguments.log, f"{register.height} participants in the register, {staying} stay")


if __name__ == "__main__":
    run_step(main, outputs=("register", "counts"))
