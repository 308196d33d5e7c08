"""Make the small synthetic tables that the R witnesses and the tests read: `python tests/reference/make_data.py`.

The tables are frozen beside this script; run it only to change them, and then run every R script again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent / "data"


def trial(seed: int = 20261123, sites: int = 6, people: int = 420) -> pl.DataFrame:
    """Six sites of unequal size and noise, an arm, a biomarker and two outcomes."""
    rng = np.random.default_rng(seed)
    site = np.sort(rng.choice(sites, people, p=[0.30, 0.22, 0.18, 0.14, 0.10, 0.06]))
    age = np.round(rng.normal(42, 12, people), 1)
    female = (rng.random(people) < 0.62).astype(int)
    arm = (rng.random(people) < 0.5).astype(int)
    log2crp = np.round(rng.normal(0.8, 1.6, people) + 0.3 * (site - 2.5), 3)
    shift = np.array([0.5, -0.4, 0.1, 0.7, -0.6, -0.2])[site]
    noise = np.array([0.7, 1.4, 1.0, 0.5, 1.8, 0.9])[site] * rng.normal(size=people)
    outcome = np.round(20 + shift + 0.03 * age - 0.4 * arm + 0.25 * log2crp - 0.3 * arm * log2crp + noise, 3)
    risk = 1 / (
        1 + np.exp(-(-0.6 + 0.4 * shift + 0.5 * arm - 0.2 * log2crp + 0.25 * arm * log2crp + 0.01 * (age - 42)))
    )
    response = (rng.random(people) < risk).astype(int)
    weight = np.round(rng.uniform(0.4, 2.5, people), 2)
    columns = {"site": [f"s{code + 1}" for code in site], "age": age, "female": female, "arm": arm}
    return pl.DataFrame({**columns, "log2crp": log2crp, "outcome": outcome, "response": response, "weight": weight})


def survey(seed: int = 7, people: int = 360) -> pl.DataFrame:
    """Eight strata with two to four sampling units (one stratum with a single unit), missing exposures, weights."""
    rng = np.random.default_rng(seed)
    stratum = np.sort(rng.integers(1, 9, people))
    units = np.array([2, 3, 2, 4, 2, 3, 2, 1])[stratum - 1]
    psu = 1 + (rng.random(people) * units).astype(int)
    effect = rng.normal(0, 0.5, (9, 5))[stratum, psu]
    age = np.round(rng.uniform(12, 80, people), 0)
    crp = np.round(rng.normal(0.5, 1.5, people) + 0.6 * effect, 3)
    score = np.round(5 + 0.8 * crp + 2 * effect + rng.normal(0, 3, people), 2)
    case = (score + rng.normal(0, 1, people) > 7).astype(int)
    weight = np.where(rng.random(people) < 0.04, 0.0, np.round(rng.gamma(3, 400, people), 3))
    columns = {"stratum": stratum, "psu": psu, "weight": weight, "age": age}
    frame = pl.DataFrame({**columns, "crp": crp, "score": score, "case": case})
    absent = pl.Series(rng.random(people) < 0.08)
    return frame.with_columns(crp=pl.when(~absent).then(pl.col("crp")))


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    trial().write_csv(HERE / "trial.csv")
    survey().write_csv(HERE / "survey.csv")
