"""Name the version of a study after its content; it is published, so the inputs come from their protected table."""

from __future__ import annotations

import argparse
import csv

from ember.errors import EmberError
from ember.provenance.freeze import extract_findings
from ember.provenance.release import identify
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.files import write_json


def main(arguments: argparse.Namespace) -> None:
    study, registry = load_study(arguments.study)
    with arguments.inputs[0].open(encoding="utf-8", newline="") as lines:
        records = list(csv.DictReader(lines))
    changed = extract_findings(study, {record["source"]: record["sha256"] for record in records})
    if changed:
        raise EmberError("\n".join(str(finding) for finding in changed))
    version = identify(study, registry, records)
    write_json({**version, "input_records": records}, arguments.version)
    report(arguments.log, f"{study.id} {version['version']} from {len(records)} inputs")


if __name__ == "__main__":
    run_step(main, inputs=("inputs",), outputs=("version",))
