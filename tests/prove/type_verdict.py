"""Types: how often a verdict calls a cohort without classes a type, and one with classes so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import yaml
from scipy import stats

from ember.endotypes.discreteness.judgement import judge
from ember.endotypes.discreteness.rule import SHIFT, TYPE, UNDECIDABLE
from ember.registry.load import PROJECT
from tests.prove.proof import Proof, Record
from tests.prove.type_cohorts import BEYOND, NULLS, TYPES, cohort
from tests.prove.type_verdict_page import publish

RULE = PROJECT / "config" / "registry" / "verdicts" / "inflamed_type.yaml"
KINDS = {**NULLS, **TYPES, **BEYOND}
MOST_FALSE, MOST_FALSE_LIMIT, LEAST_FOUND = 0.05, 0.07, 0.80
ENOUGH = 300
"""From this many cohorts of a kind the Monte Carlo limit is asked for; a smaller sample must not contradict."""


@cache
def plan() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(RULE.read_text(encoding="utf-8"))
    return content


def case(seed: int) -> Record:
    """Draw one cohort of one kind and return its verdict."""
    kind = list(KINDS)[seed % len(KINDS)]
    panel = cohort(np.random.default_rng([20261124, seed]), KINDS[kind], seed // len(KINDS))
    judged = judge(panel, plan(), seed, markers=False)
    failed = [
        f"{holding.witness} {holding.over}"
        for holding in judged.holdings
        if holding.decision == TYPE and not holding.holds
    ]
    told = judged.told["all"]
    return {
        "kind": kind,
        "verdict": judged.verdict,
        "failed": failed,
        "all": {name: told[name] if told[name] is None else round(told[name], 4) for name in ("fit_index", "p_value")},
    }


def summarise(records: Sequence[Record]) -> Record:
    """Count the verdicts by kind of cohort, with the exact 95 % limits of the share called a type."""
    counts = {kind: Counter(r["verdict"] for r in records if r["kind"] == kind) for kind in KINDS}
    lines = {kind: _line(found) for kind, found in counts.items()}
    broken = [kind for kind in NULLS if not _few_enough(lines[kind])]
    broken += [kind for kind in TYPES if not _often_enough(lines[kind])]
    return {
        "rule": plan()["rule"],
        "people": 1000,
        "claims_not_met": broken,
        "verdicts": lines,
        "passed": not broken,
    }


def _line(found: Counter[str]) -> dict[str, float | int]:
    n, types = found.total(), found[TYPE]
    low = float(stats.beta.ppf(0.025, types, n - types + 1)) if types else 0.0
    high = float(stats.beta.ppf(0.975, types + 1, n - types)) if types < n else 1.0
    return {
        "cohorts": n,
        **{verdict: found[verdict] for verdict in (TYPE, SHIFT, UNDECIDABLE)},
        "share_type": round(types / n, 4) if n else 0.0,
        "conf_low": round(low, 4),
        "conf_high": round(high, 4),
    }


def _few_enough(line: dict[str, float | int]) -> bool:
    if line["cohorts"] >= ENOUGH:
        return line["share_type"] <= MOST_FALSE and line["conf_high"] <= MOST_FALSE_LIMIT
    return bool(line["conf_low"] <= MOST_FALSE)


def _often_enough(line: dict[str, float | int]) -> bool:
    return bool(line["share_type" if line["cohorts"] >= ENOUGH else "conf_high"] >= LEAST_FOUND)


type_verdict = Proof(
    name="type_verdict",
    claim="Of cohorts of 1,000 people without classes at most 5 % are called a type, whatever their distribution, and "
    "of cohorts with a class of 27 % that lies 2 SD away on three markers at least 80 %.",
    modules=("ember.endotypes.discreteness.judgement",),
    count=400 * len(KINDS),
    sample=3 * len(KINDS),
    case=case,
    summarise=summarise,
    publish=publish,
)
