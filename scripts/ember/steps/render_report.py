"""Render the report from the protected tables alone: HTML, PDF, figures and tables."""

from __future__ import annotations

import csv
import io
import json
import shutil
from argparse import Namespace
from pathlib import Path

from ember.registry.load import load_study
from ember.reporting.aggregate import read_aggregate
from ember.reporting.blocks import Report, Table
from ember.reporting.html import render_html
from ember.reporting.index import TEMPLATES
from ember.reporting.pdf import render_pdf
from ember.reporting.report import build_report
from ember.steps.command import report, run_step
from ember.tables.files import replacing, write_text

DECLARES = (
    "contracts/curves.yaml", "contracts/findings.yaml", "contracts/gates.yaml", "contracts/mixture_agreement.yaml",
    "contracts/mixture_assays.yaml", "contracts/mixture_classes.yaml", "contracts/mixture_search.yaml",
    "contracts/mixture_stability.yaml", "contracts/verdict_conditions.yaml", "contracts/verdict_curves.yaml",
    "contracts/verdict_witnesses.yaml", "templates/report.html.j2", "templates/report.css", "templates/report.typ",
)  # fmt: skip


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    version = json.loads(arguments.version[0].read_text(encoding="utf-8"))
    made = build_report(read_aggregate(arguments.aggregate[0]), study, registry, version)
    folder: Path = arguments.folder
    write_text(render_html(made, TEMPLATES), folder / "report.html")
    with replacing(folder / "report.pdf") as temporary:
        temporary.write_bytes(render_pdf(made, TEMPLATES))
    _write_parts(made, folder)
    report(arguments.log, f"{len(made.figures)} figures, {len(made.tables)} tables, {len(made.sections)} sections")


def _write_parts(made: Report, folder: Path) -> None:
    for part in ("figures", "tables"):
        shutil.rmtree(folder / part, ignore_errors=True)
    for figure in made.figures:
        write_text(figure.svg, folder / "figures" / f"{figure.id}.svg")
    for table in made.tables:
        write_text(_csv(table), folder / "tables" / f"{table.id}.csv")


def _csv(table: Table) -> str:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows([table.columns, *table.rows])
    return lines.getvalue()


if __name__ == "__main__":
    run_step(main, inputs=("aggregate", "version"), outputs=("folder",))
