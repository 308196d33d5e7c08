"""Name the version of a study after its content."""

from __future__ import annotations

import argparse
import json

from ember.provenance.release import identify
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.files import write_json


def main(arguments: argparse.Namespace) -> None:
    study, registry = load_study(arguments.study)
    records = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.records]
    version = identify(study, registry, records)
    write_json({**version, "input_records": records}, arguments.version)
    report(arguments.log, f"{study.id} {version['version']} from {len(records)} inputs")


if __name__ == "__main__":
    run_step(main, inputs=("records",), outputs=("version",))
