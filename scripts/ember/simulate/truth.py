"""The truth of the synthetic consortium, on the scale on which the analyses estimate it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel
from ember.models.logistic import LogisticModel
from ember.registry.registry import Registry
from ember.simulate.cohort import Cohort, Scale, draw_cohort, scale_of
from ember.simulate.design import CLASSES, SiteDesign, Truth
from ember.simulate.laboratory import analysed_values, report_results

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NAMES = ("intercept", "treatment", "exposure", "treatment:exposure", "baseline", "age", "female")

METHOD = (
    "Each site's population is drawn from the generating model, without faults and without drop-out, and the "
    "estimand of the analysis is computed on it: totals rounded and bounded by the instrument, then (total - "
    "reference mean) / reference SD from config/registry; hsCRP rounded, censored and capped as the laboratory reports "
    "it, limit / sqrt 2 below the limit; log2 hsCRP centred within the site. Moderation: least squares of week-12 "
    "severity on treatment, exposure, their product, baseline severity, age and sex. Response (a fall of at least "
    "half): risks are shares of the population by randomised arm; log odds ratios are from a logistic regression on "
    "the same terms, the baseline in points. Shares are of all participants, by the rows "
    "hscrp_low, hscrp_high and hscrp_acute of thresholds.csv; 'inflamed_class' is the latent class that no file holds. "
    "std_error is the Monte Carlo error of the truth itself. 'pooled' weights the sites by their participants. "
    "'complete_cases' is the same estimand among those who came at week 12 and had a baseline sample: its distance "
    "from the truth is the bias that drop-out alone gives a complete-case analysis."
)


@dataclass(frozen=True)
class Population:
    """What the analyses see of a cohort, all shape (n,)."""

    rows: FloatArray
    severity: FloatArray
    baseline_points: FloatArray
    response: BoolArray
    crp: FloatArray
    capped: BoolArray
    complete: BoolArray
    cohort: Cohort


@dataclass(frozen=True)
class Cuts:
    """Cuts of hsCRP in mg/L: rows hscrp_low, hscrp_high and hscrp_acute of thresholds.csv."""

    low: float
    high: float
    acute: float


def analysed_population(cohort: Cohort, site: SiteDesign, scale: Scale) -> Population:
    """Return the design of the ANCOVA (columns `NAMES`), the outcomes and the analysed hsCRP of a cohort."""
    reporting = site.laboratory["hscrp"]
    reported = report_results(cohort.samples["hscrp"][:, 0], reporting)
    crp = analysed_values(reported, reporting)
    complete = cohort.attended[:, 2] & cohort.sampled[:, 0]
    exposure = np.log2(crp)
    exposure = exposure - exposure[complete].mean()
    severity = np.asarray((cohort.totals - scale.mean) / scale.sd, dtype=np.float64)
    active = cohort.active.astype(np.float64)
    columns = [np.ones(cohort.n), active, exposure, active * exposure, severity[:, 0], cohort.age, cohort.female]
    return Population(
        rows=np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1),
        severity=severity[:, 2],
        baseline_points=cohort.totals[:, 0].astype(np.float64),
        response=cohort.totals[:, 2] <= cohort.totals[:, 0] / 2,
        crp=crp,
        capped=reported.operator == ">",
        complete=complete,
        cohort=cohort,
    )


def consortium_truth(
    seed: int, sites: Sequence[SiteDesign], registry: Registry, population: int, truth: Truth = CLASSES
) -> dict[str, Any]:
    """Return the population values of every estimand, by site and pooled.

    Parameters
    ----------
    population : int
        Participants drawn in all, shared equally by the sites.
    """
    cuts = Cuts(*(float(registry.row("thresholds", f"hscrp_{name}")["value"]) for name in ("low", "high", "acute")))
    per_site = {}
    for site in sites:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(site.number, 1)))
        scale = scale_of(site.instrument, registry)
        drawn = draw_cohort(rng, site, scale, population // len(sites), truth.effects, truth.classes)
        per_site[site.id] = site_truth(analysed_population(drawn, site, scale), site, cuts)
    weights = np.array([site.participants for site in sites], dtype=np.float64)
    slopes = np.array([site.slope for site in sites])
    return {
        "method": METHOD,
        "population": population // len(sites) * len(sites),
        "seed": seed,
        "generating_model": {
            "note": "latent severity in reference SD; see scripts/ember/simulate/design.py",
            "effects": vars(truth.effects),
            **({} if truth is CLASSES else {"truth": truth.name, "behind_the_markers": truth.label}),
            "slope_by_site": {site.id: site.slope for site in sites},
            "tau": round(float(slopes.std()), 5),
        },
        "sites": per_site,
        "pooled": _pooled(list(per_site.values()), weights / weights.sum()),
    }


def site_truth(population: Population, site: SiteDesign, cuts: Cuts) -> dict[str, Any]:
    """Return the truth of one site: `{group: {estimand: {value, std_error}}}`."""
    everyone = np.ones_like(population.complete)
    moderation = _moderation(population, everyone, site)
    return {
        "moderation": moderation,
        "response": _response(population, everyone, site),
        "complete_cases": {
            "treatment:exposure": _moderation(population, population.complete, site)["treatment:exposure"],
            "risk_difference": _response(population, population.complete, site)["risk_difference"],
        },
        "shares": _shares(population, cuts),
    }


def _moderation(population: Population, keep: BoolArray, site: SiteDesign) -> dict[str, dict[str, float]]:
    rows = SiteRows(site.id, population.rows[keep], population.severity[keep])
    result = fit(LinearModel(covariance="classical"), Plan(NAMES), [rows])
    errors = np.sqrt(np.diag(result.covariance))
    return {
        name: _entry(result.coefficients[NAMES.index(name)], errors[NAMES.index(name)])
        for name in ("treatment", "exposure", "treatment:exposure")
    }


def _response(population: Population, keep: BoolArray, site: SiteDesign) -> dict[str, dict[str, float]]:
    design = population.rows[keep].copy()
    design[:, NAMES.index("baseline")] = population.baseline_points[keep]
    outcome = population.response[keep].astype(np.float64)
    result = fit(LogisticModel(), Plan(NAMES), [SiteRows(site.id, design, outcome)])
    errors = np.sqrt(np.diag(result.covariance))
    active = design[:, 1] == 1
    risks = [_share(outcome[arm] == 1) for arm in (active, ~active)]
    difference = risks[0][0] - risks[1][0]
    return {
        "risk_active": _entry(*risks[0]),
        "risk_reference": _entry(*risks[1]),
        "risk_difference": _entry(difference, float(np.hypot(risks[0][1], risks[1][1]))),
        **{
            f"log_odds_ratio_{name}": _entry(result.coefficients[place], errors[place])
            for place, name in enumerate(NAMES[1:4], start=1)
        },
    }


def _shares(population: Population, cuts: Cuts) -> dict[str, dict[str, float]]:
    crp = population.crp
    acute = (crp > cuts.acute) | (population.capped & (crp >= cuts.acute))
    raised = (crp > cuts.high) & ~acute
    shares = {
        "inflamed_class": population.cohort.inflamed,
        "hscrp_low": crp < cuts.low,
        "hscrp_intermediate": (crp >= cuts.low) & (crp <= cuts.high),
        "hscrp_high": crp > cuts.high,
        "hscrp_acute": acute,
        "hscrp_high_not_acute": raised,
        "hscrp_high_not_acute_composite_above_0": raised & (_composite(population.cohort) > 0),
    }
    return {name: _entry(*_share(flags)) for name, flags in shares.items()}


def _composite(cohort: Cohort) -> FloatArray:
    logs = [np.log(cohort.samples[analyte][:, 0]) for analyte in ("il6", "tnf")]
    return np.asarray(np.mean([(log - log.mean()) / log.std() for log in logs], axis=0), dtype=np.float64)


def _share(flags: BoolArray) -> tuple[float, float]:
    share = float(flags.mean())
    return share, float(np.sqrt(share * (1 - share) / len(flags)))


def _entry(value: float, std_error: float) -> dict[str, float]:
    return {"value": round(float(value), 4), "std_error": round(float(std_error), 5)}


def _pooled(sites: list[dict[str, Any]], weights: FloatArray) -> dict[str, Any]:
    """Return the weighted mean of each entry over the sites."""

    def mean(group: str, name: str) -> dict[str, float]:
        values, errors = (np.array([site[group][name][key] for site in sites]) for key in ("value", "std_error"))
        return _entry(float(weights @ values), float(np.linalg.norm(weights * errors)))

    return {group: {name: mean(group, name) for name in estimands} for group, estimands in sites[0].items()}
