"""Mixtures: bias and coverage of the parameters of classes that are known, with missing and censored values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ember.endotypes.mixtures.labels import anchored
from ember.endotypes.mixtures.parameters import Mixtures, packed
from ember.endotypes.mixtures.search import Effort, find_best
from ember.endotypes.mixtures.uncertainty import parameter_covariance
from ember.endotypes.mixtures.values import Values, censored_values
from tests.prove.proof import Proof, Record

PEOPLE = (1000, 3000)
SEPARATIONS = (2.0, 3.0)
FORMS = ("diagonal", "shared", "full")
SHARE = 0.3
CENSORED = (0.0, 0.15, 0.3)
CRITICAL = 1.959963984540054
LEAST, MOST = 0.92, 0.98
EFFORT = Effort(starts=20, continued=3)


def case(seed: int) -> Record:
    """Fit one cohort, and return errors and whether intervals hold the truth, by parameter."""
    generator = np.random.default_rng([20261123, seed])
    form = FORMS[seed % 3]
    people, gap = PEOPLE[seed // 3 % 2], SEPARATIONS[seed // 6 % 2]
    truth = _truth(form, gap)
    values = _cohort(generator, truth, people)
    found = find_best(values, 2, form, 1e-4, EFFORT, generator)
    mixture = anchored(found.mixture, None)
    error = np.delete(packed(mixture, form)[0], 1) - np.delete(packed(truth, form)[0], 1)
    error[0] = _odds(mixture) - _odds(truth)
    width = CRITICAL * np.sqrt(np.diagonal(parameter_covariance(values, mixture, form)))
    weight = float(mixture.weights[0, 1] - truth.weights[0, 1])
    return {
        "form": form, "people": people, "gap": gap, "sound": found.sound, "weight_error": weight,
        "mean_error": error[1:7].tolist(), "odds_in": bool(abs(error[0]) <= width[0]),
        "means_in": (np.abs(error[1:7]) <= width[1:7]).tolist(),
        "spreads_in": (np.abs(error[7:]) <= width[7:]).tolist(),
    }  # fmt: skip


def _odds(mixture: Mixtures) -> float:
    return float(np.log(mixture.weights[0, 0] / mixture.weights[0, 1]))


def _truth(form: str, gap: float) -> Mixtures:
    """Return two classes whose centres are `gap` standard deviations apart on each of three markers."""
    correlation = np.eye(3) if form == "diagonal" else np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    second = 1.3 * correlation if form != "shared" else correlation
    means = np.array([[[0.0, 0.0, 0.0], [gap, gap, gap]]])
    return Mixtures(np.array([[1 - SHARE, SHARE]]), means, np.stack([correlation, second])[None], np.zeros((1, 0)))


def _cohort(generator: np.random.Generator, truth: Mixtures, people: int) -> Values:
    member = (generator.random(people) < SHARE).astype(int)
    factor = np.linalg.cholesky(truth.covariances[0])[member]
    value = truth.means[0][member] + np.einsum("nij,nj->ni", factor, generator.standard_normal((people, 3)))
    limits = np.quantile(value, CENSORED, axis=0).diagonal().copy()
    limits[0] = -np.inf
    value[generator.random((people, 3)) < 0.05] = np.nan
    return censored_values(value, limits)


def summarise(records: Sequence[Record]) -> Record:
    """Return bias and coverage by form, people and separation, and whether coverage is between 92 and 98 %."""
    groups: dict[str, list[Record]] = defaultdict(list)
    groups["all"] = list(records)
    for record in records:
        groups[f"{record['form']} n={record['people']} separation={record['gap']:g} SD"].append(record)
    table, failures = {}, []
    for name in sorted(groups):
        own = groups[name]
        line = {
            "cohorts": len(own),
            "sound": sum(record["sound"] for record in own) / len(own),
            "weight_bias": round(float(np.mean([record["weight_error"] for record in own])), 5),
            "largest_mean_bias": round(float(np.abs(np.mean([r["mean_error"] for r in own], axis=0)).max()), 5),
            **{part: round(_share(own, part), 4) for part in ("odds_in", "means_in", "spreads_in")},
        }
        table[name] = line
        for part in ("odds_in", "means_in", "spreads_in"):
            failures += [f"{name} {part}"] if _outside(_share(own, part), len(own)) else []
    return {"coverage": table, "outside_92_to_98": failures, "passed": not failures}


def _share(records: Sequence[Record], part: str) -> float:
    return float(np.mean([np.mean(record[part]) for record in records]))


def _outside(share: float, number: int) -> bool:
    """Return whether coverage is outside 92 to 98 %; in a small sample by three standard errors and one cohort."""
    slack = 3 * (0.95 * 0.05 / number) ** 0.5 + 1 / number if number < 500 else 0.0
    return not LEAST - slack <= share <= MOST + slack


mixture_recovery = Proof(
    name="mixture_recovery",
    claim="Weights, means and spreads of two classes at least 2 SD apart are found with 92 to 98 % coverage in 1,000 "
    "people or more, with 5 % missing and up to 30 % censored values.",
    modules=("ember.endotypes.mixtures.search", "ember.endotypes.mixtures.uncertainty"),
    count=12_000,
    sample=24,
    case=case,
    summarise=summarise,
)
