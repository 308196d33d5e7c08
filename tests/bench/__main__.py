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

import polars as pl
import psutil

from ember.provenance.code import code_digest
from ember.provenance.settings import STEPS, digest
from tests.bench.measure import Cost, measure

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    results = [bench_size(size, arguments.repeats) for size in arguments.sizes]
    evidence = {"machine": machine(), "seed": 1, "code": digest({s: code_digest(s) for s in STEPS}), "sizes": results}
    target = PROJECT / "docs" / "evidence" / "bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(evidence, indent=1) + "\n", encoding="utf-8")
    page = as_markdown(evidence)
    (PROJECT / "docs" / "benchmarks.md").write_text(page, encoding="utf-8")
    print(page)


def bench_size(size: int, repeats: int) -> dict[str, Any]:
    """Run every peer `repeats` times in turn on one extract and hold their estimates against each other."""
    folder = SCRATCH / str(size)
    extracts = folder / "extracts"
    extracts.mkdir(parents=True, exist_ok=True)
    extract = extracts / "long.csv"
    if not extract.exists():
        subprocess.run([sys.executable, str(PLAIN / "make_long.py"), str(extract), str(size)], check=True)
    peers = {"ember": lambda: run_ember(folder, extracts), "pandas": lambda: run_pandas(folder, extract)}
    if shutil.which("Rscript"):
        peers["R"] = lambda: run_r(folder, extract)
    costs: dict[str, list[Cost]] = {name: [] for name in peers}
    stages: list[dict[str, Any]] = []
    for turn in range(repeats):
        for name, run in peers.items():
            costs[name].append(run())
            print(f"{size:>9,} {name:<7} {turn + 1}/{repeats} {costs[name][-1].wall:7.1f} s", flush=True)
        stages.append(stage_costs(folder))
    compared = compare(folder, [name for name in peers if name != "ember"])
    return {
        "participants": size,
        "medians": {name: middle(values) for name, values in costs.items()},
        "stages": {stage: median(run[stage] for run in stages) for stage in stages[0]},
        "estimates": compared,
    }


def run_ember(folder: Path, extracts: Path) -> Cost:
    """Run the whole workflow on the extract in a workspace of its own, from nothing."""
    study = folder / "study"
    shutil.rmtree(study, ignore_errors=True)
    shutil.copytree(PROJECT / "tests" / "bench" / "study", study)
    environment = {**ENVIRONMENT, "EMBER_BENCH_DATA": str(extracts)}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--config", f"study={study}"]
    return measure(command, PROJECT, environment, folder / "ember.log")


def run_pandas(folder: Path, extract: Path) -> Cost:
    command = [sys.executable, str(PLAIN / "plain_pandas.py"), str(extract), str(folder / "pandas.json")]
    return measure(command, folder, ENVIRONMENT, folder / "pandas.log")


def run_r(folder: Path, extract: Path) -> Cost:
    command = ["Rscript", str(PLAIN / "plain.R"), str(extract), str(folder / "R.json")]
    return measure(command, folder, ENVIRONMENT, folder / "R.log")


def middle(costs: list[Cost]) -> dict[str, float]:
    return {key: median(getattr(cost, key) for cost in costs) for key in ("wall", "cpu", "memory")}


def stage_costs(folder: Path) -> dict[str, float]:
    """Return the wall seconds of each rule, summed over its jobs, from Snakemake's own benchmark files."""
    found: dict[str, float] = {}
    for file in sorted((folder / "study" / "results" / "bench" / "benchmarks").rglob("*.tsv")):
        seconds = float(pl.read_csv(file, separator="\t")["s"][0])
        rule = file.relative_to(folder / "study" / "results" / "bench" / "benchmarks").parts[0]
        found[rule] = found.get(rule, 0.0) + seconds
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


def as_markdown(evidence: dict[str, Any]) -> str:
    """Return the page of the documentation."""
    m = evidence["machine"]
    lines = [
        "# What EMBER costs",
        "",
        "Made by `make bench`: EMBER, plain pandas + statsmodels and plain R on the same extract, in turn, at least",
        f"three times; medians. {m['cores']} cores, {m['memory_gib']} GiB, Python {m['python']}, {m['system']}.",
        "EMBER runs its whole workflow from nothing: gates, ledger, disclosure, report and release included, which the",
        "plain scripts do not have.",
        "",
        "| participants | | wall s | CPU s | peak MB | wall ratio to EMBER |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    for size in evidence["sizes"]:
        ours = size["medians"]["ember"]["wall"]
        for name, cost in size["medians"].items():
            numbers = [
                f"{cost['wall']:.1f}",
                f"{cost['cpu']:.1f}",
                f"{cost['memory']:.0f}",
                f"{cost['wall'] / ours:.2f}",
            ]
            lines.append(f"| {size['participants']:,} | {name} | {' | '.join(numbers)} |")
    lines += [
        "",
        "## Where EMBER's time goes",
        "",
        "Wall seconds of each stage, summed over its jobs (two run at a time).",
        "",
    ]
    rules = list(dict.fromkeys(rule for size in evidence["sizes"] for rule in size["stages"]))
    lines.append("| stage | " + " | ".join(f"{size['participants']:,}" for size in evidence["sizes"]) + " |")
    lines.append("|---|" + "---:|" * len(evidence["sizes"]))
    for rule in rules:
        lines.append(
            f"| {rule} | " + " | ".join(f"{size['stages'].get(rule, 0):.1f}" for size in evidence["sizes"]) + " |"
        )
    lines += [
        "",
        "## The same estimates",
        "",
        "EMBER's equal the plain scripts' to 6 digits (the mixed model: R's; statsmodels' stops short of the optimum).",
        "",
    ]
    last = evidence["sizes"][-1]["estimates"]
    peers = [peer for peer in ("ember", "pandas", "R") if any(peer in row for row in last.values())]
    lines += ["| | " + " | ".join(peers) + " |", "|---|" + "---:|" * len(peers)]
    lines += [f"| {name} | " + " | ".join(f"{row[peer]:.9g}" for peer in peers) + " |" for name, row in last.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
