"""`ember freeze` and `ember unfreeze`: bind a study's extracts, decisions and plan under a label, or lift that."""

from __future__ import annotations

import argparse
import re
from datetime import date
from typing import Any

from ember.cli.words import STUDY_HELP, counted
from ember.errors import EmberError
from ember.provenance.code import code_digest
from ember.provenance.freeze import hash_of_extract, make_freeze, write_freeze, write_unfreezing
from ember.provenance.settings import STEPS, digest
from ember.registry.freezes import FOLDER, Unfreezing
from ember.registry.load import InvalidStudyError, inspect_study
from ember.registry.model import Study
from ember.registry.registry import Registry

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def add_parser(commands: Any) -> None:
    """Add `ember freeze` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "freeze",
        help="bind a study's extracts, decisions and plan under a label",
        description="Write freezes/LABEL.json into the study folder: the hash of every extract, the number of open "
        "queries, and digests of decisions and plan. A release called final accepts only a freeze.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("label", metavar="LABEL", help="a new label; a freeze is never written over")
    parser.add_argument("--date", type=date.fromisoformat, help="the day of the freeze, 2025-06-30 (default: today)")
    parser.set_defaults(run=lambda given: freeze(given.study, given.label, given.date or date.today()))


def add_unfreeze_parser(commands: Any) -> None:
    """Add `ember unfreeze` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "unfreeze",
        help="lift a freeze, with a name and a reason",
        description="Add a line to freezes/log.csv. The freeze stays on disk and can no longer carry a final release; "
        "every later report shows who lifted it and why.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("label", metavar="LABEL", help="label of the freeze")
    parser.add_argument("--who", required=True, metavar="NAME", help="who lifts it; printed in the report")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; printed in the report")
    parser.add_argument("--date", type=date.fromisoformat, help="the day, 2025-06-30 (default: today)")
    parser.set_defaults(
        run=lambda given: unfreeze(given.study, given.label, given.who, given.reason, given.date or date.today())
    )


def freeze(name: str, label: str, today: date) -> int:
    """Freeze a study as it is now, say what was bound, and return 0.

    Raises
    ------
    EmberError
        The study is not valid, the label cannot be one or is taken, or an extract cannot be hashed.
    """
    if not LABEL.fullmatch(label):
        raise EmberError(
            f"'{label}' cannot be a label: letters, digits, _ . or -, and not one of these three first.", where="LABEL"
        )
    study, registry = _valid(name)
    extracts = {source.id: hash_of_extract(study, source) for source in study.sources.values()}
    code = digest({step: code_digest(step) for step in STEPS})
    made = make_freeze(study, registry, label, today.isoformat(), extracts, code)
    write_freeze(study, made)
    counts = f"{counted(len(extracts), 'extract')}, {counted(len(study.decisions), 'decision')}"
    print(f"{study.id}: frozen as {label}: {counts}, {counted(made.open_queries, 'open query', 'open queries')}.")
    print(f"Written to {FOLDER}/{label}.json. A final release says `release: {{status: final, freeze: {label}}}`.")
    return 0


def unfreeze(name: str, label: str, who: str, reason: str, today: date) -> int:
    """Lift a freeze and return 0.

    Raises
    ------
    EmberError
        Name or reason is blank, or there is no such freeze to lift.
    """
    for option, text in (("--who", who), ("--reason", reason)):
        if not text.strip():
            raise EmberError(f"A freeze is lifted with a name and a reason: {option} is blank.", where=option)
    study, _ = _valid(name)
    write_unfreezing(study, Unfreezing(label, today.isoformat(), " ".join(who.split()), " ".join(reason.split())))
    print(f"{study.id}: the freeze {label} is lifted; every later report shows who did it and why.")
    return 0


def _valid(name: str) -> tuple[Study, Registry]:
    # A study may already be called final while its freeze is made or lifted.
    found = inspect_study(name, release=False)
    if found.findings or found.study is None or found.registry is None:
        raise InvalidStudyError(found.findings)
    return found.study, found.registry
