"""Make the two small analysis sets of `analysis.R`: `python tests/reference/make_analysis_data.py`.

Frozen beside this script; run it only to change them, and then run `analysis.R` again. Both have the columns of the
contract `analysis_set` that a fit reads; the exposure is log2 of its value, centred within each site.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent / "data"
INSTRUMENTS = {"alfa": "hamd17", "beta": "madrs", "gama": "phq9", "delta": "hamd17"}
SIZES = {"alfa": 84, "beta": 78, "gama": 81, "delta": 76}
NOISE = {"alfa": 0.6, "beta": 1.1, "gama": 0.9, "delta": 0.75}


def trial_set(seed: int = 424242) -> pl.DataFrame:
    """Four sites of a randomised trial: a continuous outcome with its baseline, a response, age and sex."""
    rng = np.random.default_rng(seed)
    return pl.concat([_trial_site(rng, index, site) for index, site in enumerate(SIZES)])


def _trial_site(rng: np.random.Generator, index: int, site: str) -> pl.DataFrame:
    n = SIZES[site]
    treatment = rng.permutation(np.arange(n) % 2)
    value = np.round(np.exp2(rng.normal(0.8 + 0.2 * index, 1.3, n)), 4)
    exposure = np.log2(value) - np.log2(value).mean()
    age = np.round(rng.normal(43, 12, n), 1)
    sex = np.where(rng.random(n) < 0.6, "female", "male")
    baseline = np.round(rng.normal(1.4, 0.6, n), 4)
    modified = -0.25 - 0.15 * index / 3
    mean = 0.3 * index + (0.4 + 0.1 * index) * baseline - 0.2 * treatment + 0.2 * exposure
    mean = mean + modified * treatment * exposure + 0.005 * age
    outcome = np.round(mean + rng.normal(0, NOISE[site], n), 4)
    logit = -0.6 + 0.4 * treatment - 0.2 * exposure + 0.3 * treatment * exposure + 0.2 * (baseline - 1.4)
    response = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    return pl.DataFrame(
        {
            "site_id": [site] * n,
            "participant_id": [f"{site}-{row:03d}" for row in range(n)],
            "row_number": np.arange(2, n + 2),
            "in_set": [True] * n,
            "treatment": treatment,
            "exposure_value": value,
            "exposure": exposure,
            "instrument": [INSTRUMENTS[site]] * n,
            "baseline": baseline,
            "outcome": outcome,
            "response": response,
            "age": age,
            "sex": sex,
        }
    )


def survey_set(seed: int = 515151) -> pl.DataFrame:
    """Two survey cycles, four strata of three or four sampling units each; a fifth of the rows outside the set."""
    rng = np.random.default_rng(seed)
    return pl.concat([_survey_site(rng, site, shift) for site, shift in (("cycle_a", 0.0), ("cycle_b", 0.4))])


def _survey_site(rng: np.random.Generator, site: str, shift: float, n: int = 150) -> pl.DataFrame:
    stratum = np.sort(rng.integers(1, 5, n))
    psu = 1 + rng.integers(0, np.array([3, 3, 4, 3])[stratum - 1])
    place = rng.normal(0, 0.4, (5, 5))[stratum, psu]
    age = np.round(rng.uniform(20, 80, n))
    sex = np.where(rng.random(n) < 0.5, "female", "male")
    bmi = np.round(rng.normal(28, 5, n), 1)
    value = np.round(np.exp2(rng.normal(0.6 + 0.03 * (bmi - 28), 1.4) + place), 3)
    weight = np.round(rng.gamma(4, 500, n), 2) / 2
    in_set = rng.random(n) < 0.8
    log2 = np.log2(value)
    exposure = log2 - np.average(log2[in_set], weights=weight[in_set])
    outcome = np.round(np.maximum(0, 4 + shift + 0.5 * exposure + place + rng.normal(0, 3, n)))
    return pl.DataFrame(
        {
            "site_id": [site] * n,
            "participant_id": [f"{site}-{row:03d}" for row in range(n)],
            "row_number": np.arange(2, n + 2),
            "in_set": in_set,
            "exposure_value": value,
            "exposure": exposure,
            "instrument": ["phq9"] * n,
            "outcome": outcome,
            "case": (outcome >= 6).astype(float),
            "age": age,
            "sex": sex,
            "bmi": bmi,
            "survey_weight": weight,
            "survey_stratum": stratum.astype(str),
            "survey_psu": psu.astype(str),
        }
    )


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    trial_set().write_csv(HERE / "analysis_trial.csv")
    survey_set().write_csv(HERE / "analysis_survey.csv")
