"""The published error rates of the verdict about types: a table for docs/, made from the evidence.

`make prove` writes the table of docs/endotypes.md between its two marks.
"""

from __future__ import annotations

from typing import Any

from ember.provenance.code import PROJECT

PAGE = PROJECT / "docs" / "endotypes.md"
START, END = "<!-- error rates of the verdict -->", "<!-- end of error rates of the verdict -->"
LABELS = {
    "lognormal": "one dimension, log-normal",
    "skew_normal": "one dimension, skewed to the right on the log scale",
    "gamma": "one dimension, gamma values",
    "heavy_tailed": "one dimension, heavy tails (t, 4 df)",
    "two_dimensions": "two correlated dimensions",
    "censored_30": "one dimension, 30 % of values below the limit",
    "mixed_assays": "one dimension, two assays mixed in each site",
    "acute_infections_5": "one dimension, 5 % acute infections",
    "type_2_sd": "a class of 27 %, 2 SD away on three markers",
    "type_1.5_sd": "a class of 27 %, 1.5 SD away on three markers (no claim)",
    "undeclared_assays": "two assays mixed, and the data do not say which (no claim)",
}


def table(evidence: dict[str, Any]) -> str:
    """Return the verdicts by kind of cohort as a Markdown table."""
    lines = [
        "| cohorts of 1,000 people | cohorts | type (95 % limits) | shift | undecidable |",
        "|---|---|---|---|---|",
    ]
    for kind, line in evidence["verdicts"].items():
        limits = f"{100 * line['conf_low']:.1f} to {100 * line['conf_high']:.1f}"
        share = {name: f"{100 * line[name] / line['cohorts']:.1f} %" for name in ("type", "shift", "undecidable")}
        shown = f"{share['type']} ({limits})"
        lines.append(f"| {LABELS[kind]} | {line['cohorts']} | {shown} | {share['shift']} | {share['undecidable']} |")
    return "\n".join(lines)


def publish(evidence: dict[str, Any]) -> None:
    """Renew the table of docs/endotypes.md."""
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.split(START)[0], text.split(END)[1]
    PAGE.write_text(f"{head}{START}\n{table(evidence)}\n{END}{tail}", encoding="utf-8")
