"""Publish a finished report under the name of its content, and list all versions."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ember.provenance.release import gather, publish
from ember.registry.load import load_study
from ember.reporting.index import render_index
from ember.steps.command import report, run_step
from ember.tables.files import write_json, write_text

DECLARES = ("templates/index.html.j2",)


def main(arguments: argparse.Namespace) -> None:
    study, _ = load_study(arguments.study)
    version = json.loads(arguments.version[0].read_text(encoding="utf-8"))["version"]
    versions: Path = arguments.versions[0]
    finished = versions / f".{version}.partial"
    gather(arguments.report[0], arguments.aggregate[0], arguments.manifest[0], finished)
    place = publish(finished, version, versions)
    known = sorted(
        path.parent.name for path in versions.glob("*/manifest.json") if not path.parent.name.startswith(".")
    )
    write_text(render_index(study.title, study.id, known, version), arguments.index)
    write_json({"study": study.id, "version": version, "report": f"{place}/report.html"}, arguments.published)
    report(arguments.log, f"published {place}")


if __name__ == "__main__":
    run_step(main, inputs=("report", "aggregate", "version", "manifest", "versions"), outputs=("published", "index"))
