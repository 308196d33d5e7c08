"""`make bench`: EMBER and the plain scripts on the same extract, in turn, medians and ratios, equal estimates.

The plain scripts and the generator lie in ../shared/bench (or $EMBER_BENCH). Results go to docs/evidence/bench.json
and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import psutil

from ember.provenance.code import code_digest
from ember.provenance.settings import STEPS, digest
from tests.bench.measure import Cost, measure
from tests.bench.page import as_markdown

PROJECT = Path(__file__).parents[2]
PLAIN = Path(os.environ.get("EMBER_BENCH", PROJECT / ".." / "shared" / "bench")).resolve()
SCRATCH = PROJECT / "build" / "bench"
ENVIRONMENT = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(PROJECT / "scripts"),
}
RTOL = 1e-6
PARTS = ("wall", "cpu", "memory")
CHECKS = "results/bench/checks/gates"
REACHES = {
    "standardised": ("--until", "standardise_site"),
    "harmonised": ("--until", "harmonise_site"),
    "gated": (f"{CHECKS}/standardised.passed", f"{CHECKS}/harmonised.passed"),
}
"""How far a run goes, and what asks Snakemake for it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=int, help="one more size, for reading to the gates alone, run once")
    arguments = parser.parse_args()
    results = [bench_size(size, arguments.repeats) for size in arguments.sizes]
    code = digest({step: code_digest(step) for step in STEPS})
    evidence = {"machine": machine(), "seed": 1, "repeats": arguments.repeats, "code": code, "sizes": results}
    if arguments.large:
        evidence["large"] = bench_large(arguments.large)
    target = PROJECT / "docs" / "evidence" / "bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(evidence, indent=1) + "\n", encoding="utf-8")
    page = as_markdown(evidence)
    (PROJECT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    print(page)


def bench_size(size: int, repeats: int) -> dict[str, Any]:
    """Run every peer `repeats` times in turn on one extract and hold their estimates against each other."""
    folder = SCRATCH / str(size)
    extracts = make_extract(folder, size)
    extract = extracts / "long.csv"
    peers = {"ember": lambda: run_ember(folder, extracts), "pandas": lambda: run_pandas(folder, extract)}
    if shutil.which("Rscript"):
        peers["R"] = lambda: run_r(folder, extract)
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    stages: list[dict[str, dict[str, float]]] = []
    reached: dict[str, list[dict[str, float]]] = {name: [] for name in REACHES}
    plain_stages: dict[str, list[dict[str, float]]] = {name: [] for name in peers if name != "ember"}
    for turn in range(repeats):
        for name, run in peers.items():
            costs[name].append(run())
            print(f"{size:>9,} {name:<7} {turn + 1}/{repeats} {costs[name][-1].wall:7.1f} s", flush=True)
        stages.append(stage_costs(folder))
        for name, runs in reached.items():
            runs.append(run_until(folder, extracts, name))
            print(f"{size:>9,} {name} {turn + 1}/{repeats} {runs[-1]['wall']:7.1f} s", flush=True)
        for peer in plain_stages:
            times = json.loads((folder / f"{peer}.json").read_text(encoding="utf-8"))["times"]
            plain_stages[peer].append({name: float(np.ravel(seconds)[0]) for name, seconds in times.items()})
    compared = compare(folder, [name for name in peers if name != "ember"])
    return {
        "participants": size,
        "medians": {name: middle(values) for name, values in costs.items()},
        "reached": {
            name: {part: median(run[part] for run in runs) for part in runs[0]} for name, runs in reached.items()
        },
        "stages": {stage: {part: median(run[stage][part] for run in stages) for part in PARTS} for stage in stages[0]},
        "plain_stages": {
            peer: {name: median(run[name] for run in runs) for name in runs[0]} for peer, runs in plain_stages.items()
        },
        "estimates": compared,
    }


def bench_large(size: int) -> dict[str, Any]:
    """Run reading to the gates once at a size at which the plain scripts no longer fit."""
    folder = SCRATCH / str(size)
    extracts = make_extract(folder, size)
    reached = {name: run_until(folder, extracts, name) for name in REACHES}
    stages = stage_costs(folder / "until")
    shutil.rmtree(folder)
    return {"participants": size, "reached": reached, "stages": stages}


def make_extract(folder: Path, size: int) -> Path:
    """Return the folder with the extract of so many participants, made where it is not there yet."""
    extracts = folder / "extracts"
    extracts.mkdir(parents=True, exist_ok=True)
    extract = extracts / "long.csv"
    if not extract.exists():
        subprocess.run([sys.executable, str(PLAIN / "make_long.py"), str(extract), str(size)], check=True)
    return extracts


def run_ember(folder: Path, extracts: Path, *options: str) -> Cost:
    """Run the whole workflow on the extract in a workspace of its own, from nothing."""
    study = folder / "study"
    shutil.rmtree(study, ignore_errors=True)
    shutil.copytree(PROJECT / "tests" / "bench" / "study", study)
    environment = {**ENVIRONMENT, "EMBER_BENCH_DATA": str(extracts)}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *options, "--config", f"study={study}"]
    return measure(command, PROJECT, environment, folder / "ember.log")


def run_until(folder: Path, extracts: Path, name: str) -> dict[str, float]:
    """Run the workflow as far as a stage of `REACHES` with all that lies before it, from nothing.

    Returns
    -------
    dict
        `wall` from the start of the first job to the end of the last; `engine`, the whole command with the start of
        Snakemake; `memory`, the peak in MB of all processes at once.
    """
    folder = folder / "until"  # beside the whole run, whose results are compared with the plain scripts' at the end
    folder.mkdir(exist_ok=True)
    cost = run_ember(folder, extracts, *REACHES[name])
    benchmarks = folder / "study" / "results" / "bench" / "benchmarks"
    ends = {file: file.stat().st_mtime for file in benchmarks.rglob("*.tsv")}
    first = min(end - seconds(file) for file, end in ends.items())
    return {"wall": max(ends.values()) - first, "engine": cost.wall, "memory": cost.memory}


def seconds(benchmark: Path) -> float:
    """Return the wall seconds of a job from its benchmark file."""
    return float(benchmark.read_text(encoding="utf-8").splitlines()[1].split("\t")[0])


def run_pandas(folder: Path, extract: Path) -> Cost:
    command = [sys.executable, str(PLAIN / "plain_pandas.py"), str(extract), str(folder / "pandas.json")]
    return measure(command, folder, ENVIRONMENT, folder / "pandas.log")


def run_r(folder: Path, extract: Path) -> Cost:
    command = ["Rscript", str(PLAIN / "plain.R"), str(extract), str(folder / "R.json")]
    return measure(command, folder, ENVIRONMENT, folder / "R.log")


def middle(costs: list[Cost]) -> dict[str, float]:
    return {part: median(getattr(cost, part) for cost in costs) for part in PARTS}


def stage_costs(folder: Path) -> dict[str, dict[str, float]]:
    """Return wall and CPU seconds of each rule, summed over its jobs, and its largest memory, from the benchmarks."""
    found: dict[str, dict[str, float]] = {}
    benchmarks = folder / "study" / "results" / "bench" / "benchmarks"
    for file in sorted(benchmarks.rglob("*.tsv")):
        row = pl.read_csv(file, separator="\t", infer_schema=False, null_values=["NA", "-"]).row(0, named=True)
        cost = found.setdefault(file.relative_to(benchmarks).parts[0], dict.fromkeys(PARTS, 0.0))
        cost["wall"] += float(row["s"])
        cost["cpu"] += float(row["cpu_time"] or 0)
        cost["memory"] = max(cost["memory"], float(row["max_rss"] or 0))
    return found


def compare(folder: Path, peers: list[str]) -> dict[str, dict[str, float]]:
    """Return EMBER's estimates beside the plain scripts', and refuse more than 1e-6 relative difference.

    The mixed model is held against R alone: statsmodels' MixedLM stops short of the optimum on these data and says
    that it converged.
    """
    ours = ember_numbers(folder)
    table: dict[str, dict[str, float]] = {name: {"ember": value} for name, value in ours.items()}
    for peer in peers:
        for name, value in plain_numbers(json.loads((folder / f"{peer}.json").read_text(encoding="utf-8"))).items():
            table[name][peer] = value
            if name.startswith("lmm") and peer == "pandas":
                continue
            # metafor stops its search for tau2 at a relative change of 1e-5.
            tolerance = 1e-4 if (name, peer) == ("meta_tau2", "R") else RTOL
            if abs(value - ours[name]) > tolerance * abs(value) + 1e-9:
                raise SystemExit(f"{name}: EMBER {ours[name]!r}, {peer} {value!r}")
    return table


def ember_numbers(folder: Path) -> dict[str, float]:
    rows = pl.read_parquet(folder / "study" / "results" / "bench" / "aggregate" / "estimates.parquet")
    found: dict[str, float] = {}
    for model in ("ols", "logit", "lmm", "meta"):
        row = rows.filter(
            pl.col("model_id") == model, pl.col("term") == "treatment:exposure", pl.col("level") != "site"
        ).to_dicts()[0]
        found |= {f"{model}_estimate": row["estimate"], f"{model}_std_error": row["std_error"]}
        if model == "ols":
            found["n"] = row["n"]
        if model == "meta":
            found["meta_tau2"] = row["tau2"]
    found["composite_sd"] = rows.filter(pl.col("term") == "composite_sd")["estimate"][0]
    return found


def plain_numbers(plain: dict[str, Any]) -> dict[str, float]:
    found = {
        f"{model}_{part}": plain[model][i]
        for model in ("ols", "logit", "lmm", "meta")
        for i, part in enumerate(("estimate", "std_error"))
    }
    return {**found, "n": plain["n"], "meta_tau2": plain["meta"][2], "composite_sd": plain["comp_sd"]}


def machine() -> dict[str, Any]:
    memory = psutil.virtual_memory().total / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "system": platform.system(),
    }


if __name__ == "__main__":
    main()
