"""`python -m tests.bench.mixtures`: the full search, and EM against mclust from the same classes, in one run.

Results go to docs/evidence/mixture_bench.json. mclust is timed where Rscript and mclust are there.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ember.endotypes.mixtures.accelerate import climb
from ember.endotypes.mixtures.fit import Plan, search
from ember.endotypes.mixtures.parameters import COVARIANCES
from ember.endotypes.mixtures.search import Effort, kernel_of
from ember.endotypes.mixtures.starts import from_classes
from ember.endotypes.mixtures.values import FloatArray, IntArray, censored_values, exact_values, scale_of

PROJECT = Path(__file__).parents[2]
EVIDENCE = PROJECT / "docs" / "evidence" / "mixture_bench.json"
SIZES = range(1, 7)
PER_PERSON = 4.2
"""Log-likelihood of a participant here, about: mclust's tolerance is relative to the whole."""
TOLERANCES = {"default": (1e-5 * PER_PERSON, SIZES, 3), "tight": (1e-13, range(1, 4), 1)}
"""Gain in log-likelihood a participant at which EM stops, numbers of classes and repeats: mclust's default, and 1e-9
of the total in 10,000 participants."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--forms", nargs="+", default=["diagonal"], choices=list(COVARIANCES))
    arguments = parser.parse_args()
    value = cohort(arguments.people)
    evidence = {
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
        "people": arguments.people,
        "search": {form: full_search(value, form) for form in arguments.forms},
        "against_mclust": against_mclust(value),
    }
    EVIDENCE.write_text(json.dumps(evidence, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(evidence, indent=1))


def cohort(people: int) -> FloatArray:
    """Return ln values of three correlated markers in two classes."""
    generator = np.random.default_rng(1)
    member = generator.random(people) < 0.3
    factor = np.linalg.cholesky(np.full((3, 3), 0.4) + 0.6 * np.eye(3))
    return generator.normal(size=(people, 3)) @ factor.T + 2.0 * member[:, None]


def full_search(value: FloatArray, form: str) -> dict[str, Any]:
    """Time one to six classes from 200 starts, a quarter of the values censored."""
    values = censored_values(value, np.array([-1.0, -0.5, 0.2]))
    begun, used = time.perf_counter(), time.process_time()
    found = search(values, Plan("bench", 1, SIZES, [form], 1e-3, Effort(), None))
    return {
        "wall_seconds": round(time.perf_counter() - begun, 2),
        "processor_seconds": round(time.process_time() - used, 2),
        "censored": round(float(values.censored.mean()), 3),
        "starts": 200,
        "fits": [
            {"classes": fit.classes, "log_likelihood": round(fit.likelihood, 4), "replicated": fit.found.replicated,
             "steps": fit.found.steps}
            for fit in found.searched
        ],
    }  # fmt: skip


def against_mclust(value: FloatArray) -> dict[str, Any]:
    """Time EM from the same classes, every form, without censoring: at mclust's own tolerance, and at a tight one."""
    if shutil.which("Rscript") is None:
        return {}
    rank = np.argsort(np.argsort(value.sum(axis=1)))
    starts = {size: rank * size // value.shape[0] for size in SIZES}
    theirs = _mclust(value, starts)
    result: dict[str, Any] = {}
    for name, (gain, sizes, repeats) in TOLERANCES.items():
        for form, model in COVARIANCES.items():
            own = {size: _own(value, starts[size], size, form, gain * value.shape[0], repeats) for size in sizes}
            other = {size: theirs[name][model][str(size)] for size in sizes}
            gap = [round(own[size][1] - other[size]["likelihood"], 6) for size in sizes]
            ours = sum(seconds for seconds, _ in own.values())
            all_theirs = sum(one["seconds"] for one in other.values())
            result[f"{name} {form}"] = {
                "mclust": model, "classes": list(sizes), "seconds": round(ours, 3),
                "mclust_seconds": round(all_theirs, 3), "ratio": round(ours / all_theirs, 3),
                "log_likelihood_minus_mclust": gap,
            }  # fmt: skip
    return result


def _own(
    value: FloatArray, classes: IntArray, size: int, form: str, tolerance: float, repeats: int
) -> tuple[float, float]:
    best, likelihood = np.inf, 0.0
    for _ in range(repeats):
        begun = time.process_time()
        values = exact_values(value)
        scale = scale_of(values)
        scaled = scale.of(values)
        start = from_classes(scaled, classes[None], size, form, 1e-6, eased=False)
        reached = climb(kernel_of(scaled, form, 1e-6), start, 20_000, tolerance)
        likelihood = float(reached.likelihood[0]) + scale.log_density(scaled)
        best = min(best, time.process_time() - begun)
    return best, likelihood


SCRIPT = """
suppressPackageStartupMessages({library(jsonlite); library(mclust)})
data <- as.matrix(read.csv("data.csv")); x <- data[, 1:3]; found <- list()
run <- function(model, k, tolerance, repeats) {
  z <- unmap(data[, 3 + k] + 1)
  control <- emControl(tol = c(tolerance, 1e-9), itmax = c(1e6, 1e6))
  once <- function(i) system.time(fit <<- me(x, modelName = model, z = z, control = control))[[1]]
  seconds <- min(sapply(1:repeats, once))
  list(seconds = seconds, likelihood = fit$loglik)
}
"""


def _mclust(value: FloatArray, starts: dict[int, IntArray]) -> dict[str, Any]:
    """Return seconds and log-likelihoods of mclust, which takes its tolerance relative to the log-likelihood."""
    lines = [SCRIPT]
    for name, (gain, sizes, repeats) in TOLERANCES.items():
        lines.append(f"found${name} <- list()")
        for model in COVARIANCES.values():
            for size in sizes:
                call = f'run("{model}", {size}, {gain / PER_PERSON!r}, {repeats})'
                lines.append(f'found${name}[["{model}"]][["{size}"]] <- {call}')
    lines.append('write(toJSON(found, digits = NA, auto_unbox = TRUE), "found.json")')
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["a", "b", "c", *(f"k{size}" for size in SIZES)])
            writer.writerows(np.column_stack([value, *starts.values()]).tolist())
        (folder / "run.R").write_text("\n".join(lines), encoding="utf-8")
        subprocess.run(["Rscript", "run.R"], cwd=folder, check=True)
        return dict(json.loads((folder / "found.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
