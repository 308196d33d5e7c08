"""Write what a version is made of: inputs, configuration, code, packages and the hash of every output."""

from __future__ import annotations

import argparse
import json

from ember.provenance.release import files_below, manifest
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.files import write_json


def main(arguments: argparse.Namespace) -> None:
    study, registry = load_study(arguments.study)
    version = json.loads(arguments.version[0].read_text(encoding="utf-8"))
    outputs = [(name, arguments.report[0] / name) for name in files_below(arguments.report[0])]
    outputs += [(f"aggregate/{name}", arguments.aggregate[0] / name) for name in files_below(arguments.aggregate[0])]
    write_json(manifest(study, registry, version, outputs), arguments.manifest)
    report(arguments.log, f"{len(outputs)} outputs in the manifest")


if __name__ == "__main__":
    run_step(main, inputs=("report", "aggregate", "version"), outputs=("manifest",))
