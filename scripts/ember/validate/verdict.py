"""Whether a gate lets the study through: failed rules and findings that nobody has answered."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Study

STEPS = {"raw": "standardise_site", "standardised": "standardise_site", "harmonised": "harmonise_site"}
"""The step whose ledger tells which rows of a stage are meant."""


def gate_verdict(stage: str, gates: pl.DataFrame, findings: pl.DataFrame, study: Study) -> str:
    """Return the text of a passed gate.

    Parameters
    ----------
    gates, findings : DataFrame
        Contracts gates and findings, all sites.
    study : Study
        Gives the answers: a failed rule is the finding `gate:<site>:<rule>`.

    Raises
    ------
    EmberError
        An error stands without an answer: counts, rule, ledger, and how to answer; never a value.
    """
    problems = [*_failed_rules(gates, study), *_open_findings(findings, study)]
    if problems:
        raise EmberError(
            f"{len(problems)} {'errors stop' if len(problems) > 1 else 'error stops'} the study:\n  "
            + "\n  ".join(problems),
            where=f"{study.id}  gate {stage}",
            fix="Correct the extract or the site file; or answer the finding in study.yaml; or list the site under"
            " `exclude_sites:` with its reason.",
        )
    warnings = gates.filter((pl.col("severity") == "warning") & ~pl.col("passed")).height
    answered = findings.filter((pl.col("severity") == "error") & pl.col("answered")).height
    return (
        f"{stage}: {gates['site'].n_unique()} sites, {gates.height} rules, {warnings} warnings, "
        f"{findings.height} findings, {answered} errors answered\n"
    )


def _failed_rules(gates: pl.DataFrame, study: Study) -> Iterator[str]:
    for row in gates.filter((pl.col("severity") == "error") & ~pl.col("passed")).iter_rows(named=True):
        finding = f"gate:{row['site']}:{row['rule']}"
        answer = study.answer(finding)
        if answer is None or answer.action != "confirm":  # a gate removes nothing, so it cannot exclude
            allowed = "" if row["share_allowed"] is None else f", {row['share_allowed']:.3g} of them may"
            count = f"{row['n_failed']} of {row['n_checked']} fail{allowed}"
            file = _ledger_of(row["stage"], row["rule"], row["site"])
            yield _problem(study, row["site"], file, row["rule"], f"{count}: {row['title']}", finding, "confirm")


def _ledger_of(stage: str, rule: str, site: str) -> str:
    """Return the ledger that tells the rows of a rule; a rule about an analysis names it."""
    return f"analysis/{rule.split('.')[1]}" if stage == "analysis" else f"{site}/{STEPS[stage]}"


def _open_findings(findings: pl.DataFrame, study: Study) -> Iterator[str]:
    for row in findings.filter((pl.col("severity") == "error") & ~pl.col("answered")).iter_rows(named=True):
        count = "" if row["n"] is None else f"{row['n']} values: "
        yield _problem(
            study, row["site"], f"{row['site']}/{row['stage']}", row["rule_id"], f"{count}{row['message']}",
            row["finding"], "exclude or confirm",
        )  # fmt: skip


def _problem(study: Study, site: str, file: str, rule: str, what: str, finding: str, actions: str) -> str:
    ledger = f"results/{study.id}/restricted/ledger/{file}.parquet"
    answer = f"- {{finding: '{finding}', action: {actions}, reason: …}}"
    return f"{site}  {rule}  {what}\n    Rows: {ledger}\n    Add to `findings:` in study.yaml: {answer}"
