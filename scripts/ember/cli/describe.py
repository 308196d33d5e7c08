"""`ember describe`: what the last run of a study came to, from its protected tables alone."""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.registry.load import inspect_study
from ember.registry.model import Study
from ember.registry.registry import Registry

Line = dict[str, str]


@dataclass(frozen=True)
class Total:
    """A sum of counts of which some may be hidden."""

    known: int
    hidden: int

    def text(self, threshold: int) -> str:
        """Return the sum; where a part of it is hidden, only what it is at least, for a hidden count is never 0."""
        if not self.hidden:
            return f"{self.known:,}"
        alone = self.known == 0 and self.hidden == 1
        return f"<{threshold}" if alone else f"at least {self.known + self.hidden:,}"


def add_parser(commands: Any) -> None:
    """Add `ember describe` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "describe",
        help="say what the last run of a study came to",
        description="Print version, counts, findings, the headline answer and the report of the last run. Small "
        "counts stay hidden as in the report.",
    )
    parser.add_argument("study", metavar="STUDY", help="a study under config/studies, or a folder with a study.yaml")
    parser.add_argument("--unchanged", action="store_true", help="the run had nothing to do: one line")
    parser.add_argument("--started", type=float, metavar="SECONDS", help="when the run began (`date +%%s`)")
    parser.set_defaults(
        run=lambda given: describe(given.study, unchanged=given.unchanged, started=given.started),
    )


def describe(name: str, *, unchanged: bool = False, started: float | None = None) -> int:
    """Print what the last run came to.

    Parameters
    ----------
    name : str
        A study under config/studies or a folder.
    unchanged : bool
        Print one line: nothing to do, and the version that stands.
    started : float, optional
        When the run began, in seconds since 1970, for the time it took.

    Raises
    ------
    EmberError
        There is no such study, it is not valid, or it has not been run to its end.
    """
    found = inspect_study(name)
    if found.study is None or found.registry is None:
        raise EmberError("The study cannot be read.", where=name, fix=f"`ember check {name}` says why.")
    results = found.study.workspace / "results" / found.study.id
    version = _version(results / "release" / "version.json", found.study)
    if unchanged:
        print(f"{found.study.id}: nothing to do; {version['version']} stands.")
        return 0
    for line in _lines(found.study, found.registry, results, version, started):
        print(line)
    return 0


def _version(path: Path, study: Study) -> dict[str, Any]:
    if not path.is_file():
        raise EmberError(
            "The study has not been run to its end: it has no version.",
            where=f"results/{study.id}/release/version.json",
            fix=f"`ember run {study.id}` runs it.",
        )
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _lines(
    study: Study, registry: Registry, results: Path, version: dict[str, Any], started: float | None
) -> list[str]:
    aggregate = results / "aggregate"
    threshold = int(registry.row("disclosure", study.disclosure)["threshold"])
    accounting = _table(aggregate / "accounting.csv")
    included = [site for site in study.sites if site not in study.excluded_sites]
    people = total(
        line["n_out"]
        for line in accounting
        if (line["stage"], line["unit"]) == ("standardise_site", "participant") and line["site"] in included
    )
    measured = total(line["n"] for line in _table(aggregate / "harmonisation.csv") if line["site"] in included)
    took = f" in {time.time() - started:,.0f} s" if started is not None else ""
    sites = f"{len(included)} site{'' if len(included) == 1 else 's'}"
    lines = [
        f"{study.id} {version['version']}  {sites}, {people.text(threshold)} participants, "
        f"{measured.text(threshold)} measurements{took}",
        f"  rows      {rows_text(accounting, threshold)}      ledger: results/{study.id}/restricted/ledger",
        f"  findings  {findings_text(_table(aggregate / 'findings.csv'))}",
        f"  answer    {_answer(study, registry, aggregate, version)}",
    ]
    place = Path("reports") / study.id / str(version["version"])
    reports = [name for name in ("report.html", "report.pdf") if (study.workspace / place / name).is_file()]
    lines.append(f"  report    {'   '.join([f'{place}/{reports[0]}', *reports[1:]]) if reports else 'not published'}")
    return lines


def _table(path: Path) -> list[Line]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def total(counts: Iterable[str]) -> Total:
    """Add counts as they stand in a protected table, where a hidden one is empty."""
    given = list(counts)
    return Total(sum(int(count) for count in given if count), sum(not count for count in given))


def rows_text(accounting: Iterable[Line], threshold: int) -> str:
    """Return what became of the rows of the files, from the accounts of reading and standardising."""
    rows = [line for line in accounting if line["unit"] == "row"]
    read = [line for line in rows if line["stage"] == "read_source"]
    kept = [line for line in rows if line["stage"] == "standardise_site"]
    parts = [f"{total(line['n_out'] for line in kept).text(threshold)} kept"]
    for name in ("collapsed", "quarantined", "excluded"):
        parts.append(f"{total(line[f'n_{name}'] for line in read + kept).text(threshold)} {name}")
    return f"{total(line['n_in'] for line in read).text(threshold)} in = {' + '.join(parts)}"


def findings_text(findings: Iterable[Line]) -> str:
    """Return how many findings there are; those that the study answered by name."""
    lines = list(findings)
    errors = [line for line in lines if line["severity"] == "error"]
    answered = [line["finding"] for line in errors if line["answered"] == "true"]
    parts = []
    if answered:
        parts.append(f"{_count(len(answered), 'error')} answered ({', '.join(answered)})")
    if len(errors) > len(answered):
        parts.append(f"{_count(len(errors) - len(answered), 'error')} not answered")
    warnings = sum(line["severity"] == "warning" for line in lines)
    if warnings:
        parts.append(_count(warnings, "warning"))
    return ", ".join(parts) or "none"


def _count(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _answer(study: Study, registry: Registry, aggregate: Path, version: dict[str, Any]) -> str:
    # The words of the report; they need a data library, which `ember check` does not.
    from ember.reporting.facts import Facts
    from ember.reporting.terms import scale_words, shown, term_words
    from ember.tables.store import read_table

    facts = Facts({"estimates": read_table(aggregate / "estimates.parquet", "estimates")}, study, registry, version)
    row = facts.headline
    if row["estimate"] is None:
        return f"{term_words(facts, row)}: {row['note'] or 'no estimate'}"
    words = shown(row)
    estimate, _, interval = words.text.partition(" (")
    brackets = [f"95 % {interval.removesuffix(')')}"] if interval else []
    if row["pred_low"] is not None:
        brackets.append(f"prediction {words.prediction}")
    if row["n_sites"] is not None:
        brackets.append(_count(row["n_sites"], "site"))
    unit = "" if row["scale"] in ("proportion", "risk", "log_odds_ratio") else f" {scale_words(row)}"
    return f"{term_words(facts, row)}: {estimate}{unit}" + (f" ({'; '.join(brackets)})" if brackets else "")
