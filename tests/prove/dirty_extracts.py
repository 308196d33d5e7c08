"""Dirty extracts drawn anew: each number kept, each row and cell accounted for, each broken file refused.

`python -m tests.prove.dirty_extracts SEED` shows one study and, where it fails, the fewest rows that still do.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import polars as pl

from ember.errors import EmberError
from ember.validate.ledger import rules
from tests.prove.dirty_checks import check, secrets_in
from tests.prove.dirty_conditions import draw_corrections, spoil_correction
from tests.prove.dirty_fates import person_of, pseudonym
from tests.prove.dirty_faults import AT_READING, SENTENCES, declare_one_row, draw_fault, plant
from tests.prove.dirty_files import write_source
from tests.prove.dirty_plan import StudyPlan
from tests.prove.dirty_rows import FIRST_DAY, Row, draw_rows, header_of
from tests.prove.dirty_run import Outcome, build, documents_of, raw_path, run
from tests.prove.dirty_study import draw_study
from tests.prove.proof import Proof, Record

# Rules that other steps apply, or that these studies do not declare: consent to biomarkers is tested in
# tests/unit/steps/test_consent.py, unwanted tests in tests/unit/registry/test_cdisc_study.py.
ELSEWHERE = ("analysis.", "consent.biomarkers", "row.other_analyte")
MEMORY = Path("/dev/shm")


@dataclass
class Drawn:
    """A study on disk, ready to run."""

    plan: StudyPlan
    rows: dict[str, list[Row]]
    fault: str
    answers: list[dict[str, str]]
    withdrawn: dict[str, pl.DataFrame]
    batch: int
    block: int


def case(seed: int) -> Record:
    """Draw one study with its files, run it, and hold the result against what was written."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as scratch:
        folder = Path(scratch, "study [1]*" if seed % 20 == 0 else "study")
        drawn = draw(seed, folder)
        return judge(drawn, folder)


def draw(seed: int, folder: Path, keep: Callable[[str, int], bool] = lambda source, place: True) -> Drawn:
    """Draw the study of a seed and write its files; `keep` leaves rows out, to find the fewest that fail."""
    rng = Random(seed)
    plan = draw_study(rng)
    rows = draw_rows(rng, plan)
    rows = {name: [row for place, row in enumerate(listed) if keep(name, place)] for name, listed in rows.items()}
    (folder / "extracts").mkdir(parents=True)
    longest = 0
    for name, source in plan.sources.items():
        own = Random(f"{seed}-{name}")
        header = header_of(rows[name], plan, name)
        longest = max(longest, write_source(own, plan, source, header, rows[name], folder / "extracts" / source.file))
    draw_corrections(Random(f"{seed}-corrections"), plan, rows, folder / "extracts")
    rng = Random(f"{seed}-run")  # of its own, so that leaving rows out changes nothing else
    fault = _with_fault(rng, plan, rows, folder) if rng.random() < 0.12 else ""
    answers = _answers(rng, plan) if rng.random() < 0.4 else []
    block = max(256, 12 * longest) * rng.choice([1, 3, 1000])
    return Drawn(plan, rows, fault, answers, _withdrawn(rng, plan, rows), rng.choice([1, 3, 7, 100_000]), block)


def _with_fault(rng: Random, plan: StudyPlan, rows: dict[str, list[Row]], folder: Path) -> str:
    spoiled = spoil_correction(plan, folder / "extracts") if rng.random() < 0.3 else ""
    if spoiled:
        plan.sources[spoiled].fault = "correction"
        return "correction"
    if rng.random() < 0.25 and declare_one_row(plan, rows):
        return "per participant"
    fault, source = draw_fault(rng, plan)
    if fault and plant(rng, fault, source, rows[source.id], folder / "extracts" / source.file):
        source.fault = fault
        return fault
    return ""


def _answers(rng: Random, plan: StudyPlan) -> list[dict[str, str]]:
    site, analyte = rng.choice(list(plan.sites)), rng.choice(["hscrp", "il6"])
    action = rng.choice(["exclude", "exclude", "confirm"])
    return [{"finding": f"unit:{site}:{analyte}:all", "action": action, "reason": "as the laboratory wrote"}]


def _withdrawn(rng: Random, plan: StudyPlan, rows: Mapping[str, Sequence[Row]]) -> dict[str, pl.DataFrame]:
    found = {}
    for site, tables in plan.sites.items():
        people = sorted({person_of(row) for row in rows[tables[0].source] if row.table is tables[0]} - {""})
        if people and rng.random() < 0.15:
            some = rng.sample(people, rng.randint(1, len(people)))
            days = [FIRST_DAY + rng.randrange(700) for _ in some]
            names = [pseudonym(site, person) for person in some]
            found[site] = pl.DataFrame(
                {"participant_id": names, "withdrawn_on": days}, schema_overrides={"withdrawn_on": pl.Int32}
            )
    return found


def judge(drawn: Drawn, folder: Path) -> Record:
    """Run a study and return its record."""
    plan = drawn.plan
    record: Record = {
        "layout": plan.layout,
        "formats": sorted({source.format for source in plan.sources.values()}),
        "rows": sum(map(len, drawn.rows.values())),
        "cells": sum(len(row.cells) for listed in drawn.rows.values() for row in listed),
        "fault": drawn.fault,
        "rules": {},
        "failures": [],
    }
    try:
        study, findings = build(documents_of(plan, drawn.answers), folder, check=True)
        record["failures"] += [f"the study is not valid: {finding}" for finding in findings]
        if study is None:
            return record
        outcome = run(study, folder, drawn.batch, drawn.block, drawn.withdrawn)
    except EmberError as error:
        record["failures"] += _refusal_faults(drawn, str(error), folder)
        return record
    except Exception as error:
        record["failures"].append(f"{type(error).__name__} {error}: {traceback.format_exc(limit=-3)}"[:1500])
        return record
    if drawn.fault:
        record["failures"].append(f"the fault '{drawn.fault}' was not seen")
        return record
    record["rules"] = _rule_counts(outcome)
    record["failures"] += check(plan, drawn.rows, outcome, bool(drawn.withdrawn) or plan.consent)[:12]
    words = "\n".join(
        set(outcome.ledger["message"]) | {m for r in outcome.standard.values() for m in r.findings["message"]}
    )
    if secrets_in(words, drawn.rows):
        record["failures"].append("a message of the ledger tells a cell")
    return record


def _refusal_faults(drawn: Drawn, message: str, folder: Path) -> list[str]:
    """A planted fault is refused with its sentence, without a cell, and leaves nothing behind."""
    told = secrets_in(message, drawn.rows)
    found = ["the message tells a cell"] if told else []
    if not drawn.fault:
        return [*found, f"refused without a fault: {message[:600]}"]
    if SENTENCES[drawn.fault] not in message:
        found.append(f"the fault '{drawn.fault}' was refused as: {message[:300]}")
    source = next(source for source in drawn.plan.sources.values() if source.fault)
    here = {raw_path(folder, source.id)} if drawn.fault in AT_READING else set()
    if source.partner_of:
        here.add(raw_path(folder, source.partner_of))
    left = [path.name for path in (folder / "raw").glob("*") if path in here or path.name.startswith(".")]
    return [*found, *(f"the fault '{drawn.fault}' left {name}" for name in left)]


def _rule_counts(outcome: Outcome) -> dict[str, int]:
    counts = Counter(outcome.ledger["rule_id"])
    findings = [result.findings for result in outcome.standard.values()]
    findings += [result.findings for result in outcome.harmonised.values()]
    for finding in findings:
        counts.update(finding["rule_id"])
    return dict(sorted(counts.items()))


def summarise(records: Sequence[Record]) -> Record:
    """Add the records up; every rule of these stages has to have arisen once in many cases."""
    counts: Counter[str] = Counter()
    for record in records:
        counts.update(record["rules"])
    possible = [name for name in rules() if not name.startswith(ELSEWHERE)]
    never = [name for name in possible if name not in counts]
    failed = [place for place, record in enumerate(records) if record["failures"]]
    return {
        "cases": len(records),
        "layouts": dict(sorted(Counter(record["layout"] for record in records).items())),
        "formats": dict(sorted(Counter(name for record in records for name in record["formats"]).items())),
        "planted_faults": dict(sorted(Counter(record["fault"] for record in records if record["fault"]).items())),
        "rows": sum(record["rows"] for record in records),
        "cells": sum(record["cells"] for record in records),
        "rules": dict(sorted(counts.items())),
        "rules_that_never_arose": never,
        "failures": len(failed),
        "first_failures": {str(place): records[place]["failures"][:3] for place in failed[:10]},
        "passed": not failed and (len(records) < 2000 or not never),
    }


dirty_extracts = Proof(
    name="dirty_extracts",
    claim="Of extracts as dirty as they come each row and each cell is found again in exactly one place, no number "
    "changes, the accounts balance, and a broken file is refused without a trace.",
    modules=("ember.steps.read_source", "ember.steps.standardise_site", "ember.steps.harmonise_site"),
    count=10_000,
    sample=100,
    case=case,
    summarise=summarise,
)


def main() -> None:
    from tests.prove.dirty_shrink import show

    show()


if __name__ == "__main__":
    main()
