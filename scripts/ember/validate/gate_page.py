"""The verdicts of a gate as one page that needs nothing else: counts only, and unprotected, so it stays at the site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ember.registry.model import Study
from ember.validate.gate_rule import GATES

TEMPLATES = Path(__file__).parents[3] / "reports" / "templates"
DECLARES = ("templates/gates.html.j2", "templates/report.css")
CATEGORIES = {
    "conformance": "Do values have the form that they should have?",
    "completeness": "Is everything there that should be there?",
    "plausibility": "Can the values be true?",
}
"""Kahn's categories of data quality (2016), each with its question."""
SEVERITIES = ("error", "warning", "information")
STAGE_WORDS = {
    "raw": "Raw files",
    "standardised": "Standardised tables",
    "harmonised": "Harmonised tables",
    "analysis": "Analysis sets",
}
UNITS = {"row": "rows", "cell": "cells", "column": "columns", "table": "tables", "site": "sites"}


@dataclass(frozen=True)
class Cell:
    """One rule at one site; `text` is failed / checked."""

    text: str
    passed: bool


@dataclass(frozen=True)
class Line:
    """One rule over all sites, sites in study order."""

    rule: str
    title: str
    severity: str
    unit: str
    allowed: str
    reason: str
    cells: tuple[Cell, ...]
    total: Cell

    @property
    def order(self) -> int:
        return SEVERITIES.index(self.severity)


@dataclass(frozen=True)
class Group:
    """The rules of one category about one table."""

    table: str
    lines: tuple[Line, ...]

    @property
    def n_failed(self) -> int:
        return sum(not line.total.passed for line in self.lines)


def render_gate_page(gate: str, gates: pl.DataFrame, study: Study) -> str:
    """Return the page of a gate.

    Parameters
    ----------
    gate : str
        A key of `GATES`.
    gates : DataFrame
        Contract gates: the verdicts of the gate's stages.
    """
    sites = [site for site in study.sites if site not in study.excluded_sites]
    stages = [_stage(stage, gates.filter(pl.col("stage") == stage), sites) for stage in GATES[gate]]
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    page = template.from_string((TEMPLATES / "gates.html.j2").read_text(encoding="utf-8"))
    return page.render(
        title=_words(gate).capitalize(),
        study=study,
        stages=stages,
        sites=[study.sites[site].label for site in sites],
        siblings=[(name, _words(name), name == gate) for name in GATES],
        style=Markup(style),
    ) + "\n"  # fmt: skip


def _words(gate: str) -> str:
    return " and ".join(STAGE_WORDS[stage].lower() for stage in GATES[gate])


def _stage(stage: str, gates: pl.DataFrame, sites: Sequence[str]) -> dict[str, Any]:
    rows = gates.to_dicts()
    by_rule: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_rule.setdefault(row["rule"], {})[row["site"]] = row
    named = {rule: (next(iter(told.values())), _line(rule, told, sites)) for rule, told in by_rule.items()}
    categories = []
    for category, question in CATEGORIES.items():
        tables = dict.fromkeys(row["table"] for row, _ in named.values() if row["category"] == category)
        groups = [
            Group(
                table.replace("_", " "),
                tuple(line for row, line in named.values() if (row["category"], row["table"]) == (category, table)),
            )
            for table in tables
        ]
        categories.append({"name": category, "question": question, "groups": groups, "counts": _counts(groups)})
    told = [line for _, line in named.values() if not line.total.passed and line.severity != "information"]
    failed = sorted(told, key=lambda line: line.order)
    return {"id": stage, "title": STAGE_WORDS[stage], "categories": categories, "failed": failed, "n": len(named)}


def _counts(groups: Sequence[Group]) -> dict[str, int]:
    lines = [line for group in groups for line in group.lines]
    failed = [line.severity for line in lines if not line.total.passed]
    return {"rules": len(lines), "held": len(lines) - len(failed), **{name: failed.count(name) for name in SEVERITIES}}


def _line(rule: str, told: dict[str, dict[str, Any]], sites: Sequence[str]) -> Line:
    first = next(iter(told.values()))
    counts = [told.get(site) for site in sites]
    checked = sum(row["n_checked"] for row in told.values())
    failed = sum(row["n_failed"] for row in told.values())
    return Line(
        rule=rule,
        title=first["title"],
        severity=first["severity"],
        unit=UNITS[first["unit"] or "row"],
        allowed="none" if first["share_allowed"] is None else f"{100 * first['share_allowed']:.4g} %",
        reason=first["reason"] or "",
        cells=tuple(
            _cell(row["n_failed"], row["n_checked"], row["passed"]) if row else Cell("–", True) for row in counts
        ),
        total=_cell(failed, checked, all(row["passed"] for row in told.values())),
    )  # fmt: skip


def _cell(failed: int, checked: int, passed: bool) -> Cell:
    return Cell(f"{failed:,} / {checked:,}" if checked else "none", passed)
