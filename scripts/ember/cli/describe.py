"""`ember describe`: what the last run of a study came to, from its protected tables alone."""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ember.cli.words import STUDY_HELP, counted
from ember.errors import EmberError
from ember.registry.load import inspect_study
from ember.registry.model import Study
from ember.registry.registry import Registry

Line = dict[str, str]


def add_parser(commands: Any) -> None:
    """Add `ember describe` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "describe",
        help="say what the last run of a study came to",
        description="Print version, counts, findings, the headline answer and the report of the last run.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
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
    # The console is the site's own, where the checks stay; counts are shown as they are, values never.
    accounting = _table(results / "checks" / "accounting.csv")
    included = [site for site in study.sites if site not in study.excluded_sites]
    people = [line for line in accounting if (line["stage"], line["unit"]) == ("standardise_site", "participant")]
    values = [line for line in accounting if (line["stage"], line["unit"]) == ("harmonise_site", "value")]
    took = f" in {time.time() - started:,.0f} s" if started is not None else ""
    sites = counted(len(included), "site")
    lines = [
        f"{study.id} {version['version']}  {sites}, {total(people, 'n_out'):,} participants, "
        f"{total(values, 'n_out'):,} values{took}",
        f"  rows      {rows_text(accounting)}",
        f"  values    {values_text(accounting)}      ledger: results/{study.id}/restricted/ledger",
        f"  findings  {findings_text(_table(aggregate / 'findings.csv'))}",
        f"  answer    {_answer(study, registry, aggregate, version)}",
    ]
    place = Path("reports") / study.id / str(version["version"])
    reports = [name for name in ("report.html", "report.pdf") if (study.workspace / place / name).is_file()]
    if started is not None:
        lines.append(f"  time      {time_text(results / 'benchmarks')}")
    lines.append(f"  report    {'   '.join([f'{place}/{reports[0]}', *reports[1:]]) if reports else 'not published'}")
    return lines


def _table(path: Path) -> list[Line]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def total(lines: Iterable[Line], name: str) -> int:
    """Add one column of accounts."""
    return sum(int(line[name]) for line in lines)


def rows_text(accounting: Iterable[Line]) -> str:
    """Return what became of the rows of the files, from the accounts of reading and standardising."""
    rows = [line for line in accounting if line["unit"] == "row"]
    read = [line for line in rows if line["stage"] == "read_source"]
    kept = [line for line in rows if line["stage"] == "standardise_site"]
    parts = [f"{total(kept, 'n_out'):,} kept"]
    parts += [f"{total(read + kept, f'n_{name}'):,} {name}" for name in ("collapsed", "quarantined", "excluded")]
    return f"{total(read, 'n_in'):,} in = {' + '.join(parts)}"


def values_text(accounting: Iterable[Line]) -> str:
    """Return what became of the values (rows x mapped columns); scored answers are joined into their scores."""
    values = [line for line in accounting if line["unit"] == "value"]
    last = [line for line in values if line["stage"] == "harmonise_site"]
    words = {"collapsed": "joined", "quarantined": "quarantined", "excluded": "empty or excluded"}
    parts = [f"{total(last, 'n_out'):,} kept"]
    parts += [f"{total(values, f'n_{name}'):,} {word}" for name, word in words.items()]
    return f"{total(values, 'n_created'):,} in = {' + '.join(parts)}"


def findings_text(findings: Iterable[Line]) -> str:
    """Return how many findings there are; those that the study answered by name."""
    lines = list(findings)
    errors = [line for line in lines if line["severity"] == "error"]
    answered = [line["finding"] for line in errors if line["answered"] == "true"]
    parts = []
    if answered:
        parts.append(f"{counted(len(answered), 'error')} answered ({', '.join(answered)})")
    if len(errors) > len(answered):
        parts.append(f"{counted(len(errors) - len(answered), 'error')} not answered")
    warnings = sum(line["severity"] == "warning" for line in lines)
    if warnings:
        parts.append(counted(warnings, "warning"))
    return ", ".join(parts) or "none"


def time_text(benchmarks: Path, most: int = 4) -> str:
    """Return which rules took longest, in seconds summed over their jobs, from the engine's own benchmarks."""
    seconds: dict[str, float] = {}
    for path in benchmarks.glob("*/*.tsv"):
        with path.open(encoding="utf-8", newline="") as lines:
            spent = sum(float(row["s"]) for row in csv.DictReader(lines, delimiter="\t"))
        seconds[path.parent.name] = seconds.get(path.parent.name, 0.0) + spent
    longest = sorted(seconds, key=lambda rule: -seconds[rule])
    named = [f"{rule} {seconds[rule]:.1f} s" for rule in longest[:most]]
    rest = sum(seconds[rule] for rule in longest[most:])
    return ", ".join([*named, *([f"the rest {rest:.1f} s"] if rest else [])]) or "not recorded"


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
        brackets.append(counted(row["n_sites"], "site"))
    unit = "" if row["scale"] in ("proportion", "risk", "log_odds_ratio") else f" {scale_words(row)}"
    return f"{term_words(facts, row)}: {estimate}{unit}" + (f" ({'; '.join(brackets)})" if brackets else "")
