"""Usual levels: a probability of 70 % holds for 70 of 100 people, with and without repeated samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ember.endotypes.usual_level.fit import fit_components
from ember.endotypes.usual_level.likelihood import probabilities_above
from ember.endotypes.usual_level.persons import Samples, gather
from tests.prove.proof import Proof, Record

PEOPLE = 2000
SITES = 4
CUT, ACUTE, LIMIT = float(np.log(3)), float(np.log(10)), float(np.log(0.35))
TENTHS = 10
MOST_OFF = 0.02
LEAST_PEOPLE = 10_000


@dataclass(frozen=True)
class Scenario:
    """Share of people with a second and a third sample, and the published SD if that is what is used.

    `judged` scenarios have to be calibrated; the others show what a wrong figure does.
    """

    second: float
    third: float = 0.0
    published: bool = False
    wrong_by: float = 1.0
    judged: bool = True


SCENARIOS = {
    "one sample, published variability": Scenario(0.0, published=True),
    "a second sample of 30 %": Scenario(0.3),
    "a second sample of all": Scenario(1.0),
    "two or three samples, published variability": Scenario(1.0, third=0.3, published=True),
    "one sample, published variability a third too small": Scenario(
        0.0, published=True, wrong_by=0.67, judged=False
    ),
}  # fmt: skip


def case(seed: int) -> Record:
    """Simulate four sites and return, by tenth of the probability, people, expected and true numbers above the cut."""
    generator = np.random.default_rng([20261124, seed])
    name = list(SCENARIOS)[seed % len(SCENARIOS)]
    scenario = SCENARIOS[name]
    site = generator.integers(0, SITES, PEOPLE)
    within = float(generator.uniform(0.4, 0.8))
    mean, between = generator.uniform(0.0, 1.0, SITES), generator.uniform(0.7, 1.2, SITES)
    usual = generator.normal(mean[site], between[site])
    samples = draw_samples(generator, usual, within, scenario)
    persons = gather(samples, site)
    fit = fit_components(samples, persons, SITES, within * scenario.wrong_by if scenario.published else None)
    probability = probabilities_above(persons, fit.components, CUT)
    tenth = np.array_split(np.argsort(probability, kind="stable"), TENTHS)
    return {
        "scenario": name,
        "converged": fit.converged,
        "within": [round(within, 4), round(fit.components.within, 4)],
        "tenths": [
            [int(rows.size), round(float(probability[rows].sum()), 4), int((usual[rows] > CUT).sum())]
            for rows in tenth
        ],
    }  # fmt: skip


def draw_samples(generator: np.random.Generator, usual: np.ndarray, within: float, scenario: Scenario) -> Samples:
    """Return samples: log-normal about the usual level, 5 % in acute illness, below the limit and above 10 censored."""
    number = 1 + (generator.random(usual.size) < scenario.second)
    number += (number > 1) & (generator.random(usual.size) < scenario.third)
    person = np.repeat(np.arange(usual.size), number)
    value = usual[person] + generator.normal(0, within, person.size)
    ill = generator.random(person.size) < 0.05
    value[ill] = np.maximum(value[ill], ACUTE) + generator.exponential(1.0, int(ill.sum()))
    below, above = value < LIMIT, value > ACUTE
    return Samples(person, np.where(below, LIMIT, np.where(above, ACUTE, value)), below, above)


def summarise(records: Sequence[Record]) -> Record:
    """Return for each scenario the mean probability and the true share of each tenth."""
    found, failures = {}, []
    for name, scenario in SCENARIOS.items():
        own = [record for record in records if record["scenario"] == name]
        sums = np.array([record["tenths"] for record in own], dtype=float).sum(axis=0)
        expected, true = sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]
        ratio = [record["within"][1] / record["within"][0] for record in own]
        found[name] = {
            "judged": scenario.judged,
            "people_a_tenth": int(sums[:, 0].min()),
            "not_converged": sum(not record["converged"] for record in own),
            "mean_probability": [round(float(one), 4) for one in expected],
            "share_above": [round(float(one), 4) for one in true],
            "largest_difference": round(float(np.abs(expected - true).max()), 4),
            "within_estimated_to_true": round(float(np.mean(ratio)), 4),
        }
        enough = sums[:, 0].min() >= LEAST_PEOPLE
        # In the small sample of the suite chance alone moves a tenth by more: three standard errors come on top.
        slack = 0.0 if enough else 3 * np.sqrt(np.maximum(expected * (1 - expected), 0.0025) / sums[:, 0])
        if scenario.judged and (np.abs(expected - true) > MOST_OFF + slack).any():
            failures.append(name)
    return {"scenarios": found, "not_calibrated": failures, "passed": not failures}


usual_level = Proof(
    name="usual_level",
    claim="The probability that a person's usual level lies above 3 mg/L is calibrated within 2 points in every tenth "
    "(10,000 people or more each), with and without repeated samples; 5 % of samples are taken in acute illness, and "
    "results below a limit of 0.35 mg/L and above 10 mg/L count as censored.",
    modules=("ember.endotypes.usual_level.fit", "ember.endotypes.usual_level.likelihood"),
    count=300,
    sample=25,
    case=case,
    summarise=summarise,
)
