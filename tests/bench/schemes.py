"""How long the shipped schemes take over 1,000,000 participants: `python -m tests.bench.schemes`.

Two samples a participant, invented, in the form in which the steps read them; the clock runs from the tables in memory
to the finished table of states. Results go to docs/evidence/schemes_speed.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.gathered import scheme_composites
from ember.endotypes.states import Evidence, assign_states
from ember.registry.load import load_study
from ember.registry.model import Study, Visit
from ember.registry.registry import Registry
from ember.registry.schemes import resolved_scheme, shipped_names, shipped_scheme
from ember.tables.store import as_kept, conform

PROJECT = Path(__file__).parents[2]
RESULT = PROJECT / "docs" / "evidence" / "schemes_speed.json"
NUMBER = 1_000_000
LIMIT_SECONDS = 5.0
VISITS = (Visit("screening", -35, -60, -21), Visit("baseline", 0, -7, 0))


def participants(number: int, random: np.random.Generator) -> pl.DataFrame:
    """Return participants of four sites, with pseudonyms as long as real ones."""
    ids = [f"{n:064x}" for n in range(number)]
    frame = pl.DataFrame(
        {
            "site_id": [f"site_{1 + 4 * n // number}" for n in range(number)],
            "participant_id": ids,
            "bmi": random.normal(28, 5, number).clip(15, 60),
            "source_file": ["roster.csv"] * number,
            "row_number": np.arange(2, number + 2),
        }
    )
    return as_kept(conform(frame, "participants"), "participants")


def measurements(people: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Return two results of CRP and one of each analyte of the panel a participant; one in ten is not there."""
    parts = []
    for analyte, visit, day, mean, spread in (
        ("hscrp", "screening", -35, 0.7, 1.1), ("hscrp", "baseline", 0, 0.7, 1.1),
        ("il6", "baseline", 0, 0.3, 0.8), ("tnf", "baseline", 0, 0.8, 0.5),
    ):  # fmt: skip
        own = people.select("site_id", "participant_id").filter(pl.Series(random.random(people.height) < 0.9))
        parts.append(
            own.with_columns(
                pl.lit(visit).alias("visit"),
                pl.Series("study_day", day + random.integers(-3, 1, own.height)),
                pl.lit(analyte).alias("analyte"),
                pl.Series("value", np.exp(random.normal(mean, spread, own.height))),
            )
        )
    frame = pl.concat(parts).with_columns(
        pl.int_range(1, pl.len() + 1).alias("row_id"), pl.lit(1).alias("replicate"), pl.lit("hs").alias("assay_id"),
        pl.lit("high_sensitivity").alias("assay_class"), pl.lit("x").alias("value_reported"),
        pl.lit("mg/L").alias("unit_reported"), pl.lit("mg/L").alias("unit"), pl.lit("identity").alias("conversion_id"),
        pl.lit("none").alias("censoring"), pl.lit("").alias("flags"), pl.lit("x.csv").alias("source_file"),
        pl.int_range(1, pl.len() + 1).alias("row_number"), pl.lit(0.1).alias("detection_limit"),
    )  # fmt: skip
    return as_kept(conform(frame, "measurements"), "measurements")


def timed(
    study: Study, registry: Registry, content: dict[str, Any], people: pl.DataFrame, results: pl.DataFrame
) -> dict[str, float]:
    """Return the seconds of the composite and of the states of one scheme."""
    symptoms = np.full(people.height, 0.5) if "symptoms" in content else None
    begun, used = time.perf_counter(), time.process_time()
    composite = scheme_composites(study, registry, content, results, people)
    made = time.perf_counter()
    table = assign_states(results, people, content, VISITS, Evidence(composite=composite, symptoms=symptoms))
    done, spent = time.perf_counter(), time.process_time()
    assert table["assigned"].sum() == people.height
    return {"composite_seconds": round(made - begun, 2), "states_seconds": round(done - made, 2),
            "cpu_seconds": round(spent - used, 2)}  # fmt: skip


def main(number: int) -> int:
    """Time all shipped schemes and write the result; the exit status says whether all kept to the limit."""
    random = np.random.default_rng(20261123)
    study, registry = load_study("demo")
    people = participants(number, random)
    results = measurements(people, random)
    found = {}
    for name in shipped_names(PROJECT):
        content = resolved_scheme(shipped_scheme(PROJECT, name).content, VISITS)
        found[name] = timed(study, registry, content, people, results)
        print(name, found[name], flush=True)
    worst = max(one["states_seconds"] for one in found.values())
    written = {"participants": number, "results": results.height, "limit_seconds": LIMIT_SECONDS, "schemes": found,
               "slowest_states_seconds": worst}  # fmt: skip
    if number == NUMBER:
        RESULT.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return int(worst > LIMIT_SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else NUMBER))
