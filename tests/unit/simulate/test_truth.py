"""The truth is the generating model on the analysed scale, and the shipped sample agrees with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel
from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from ember.simulate.cohort import scale_of
from ember.simulate.consortium import Consortium, simulate_consortium
from ember.simulate.design import SHAPES, SITES
from ember.simulate.truth import NAMES, Population, analysed_population, consortium_truth

SITE_IDS = tuple(SITES)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.fixture(scope="module")
def truth(registry: Registry) -> Mapping[str, Any]:
    return consortium_truth(SHAPES["demo"].seed, list(SITES.values()), registry, population=200_000)


@pytest.fixture(scope="module")
def demo(registry: Registry) -> Consortium:
    return simulate_consortium(SHAPES["demo"].seed, registry)


def population_of(demo: Consortium, site: str, registry: Registry) -> Population:
    return analysed_population(demo.cohorts[site], SITES[site], scale_of(SITES[site].instrument, registry))


@pytest.mark.parametrize("site", ["porto", "lund", "graz"])
def test_slope_on_the_analysed_scale_is_close_to_the_latent_one(truth: Mapping[str, Any], site: str) -> None:
    entry = truth["sites"][site]["moderation"]["treatment:exposure"]
    assert entry["value"] == pytest.approx(SITES[site].slope, abs=0.01 + 3 * entry["std_error"])


def test_cap_makes_the_slope_of_cork_steeper(truth: Mapping[str, Any]) -> None:
    assert truth["sites"]["cork"]["moderation"]["treatment:exposure"]["value"] < SITES["cork"].slope


def test_risk_difference_is_the_difference_of_the_risks(truth: Mapping[str, Any]) -> None:
    for site in SITE_IDS:
        risks = {name: entry["value"] for name, entry in truth["sites"][site]["response"].items()}
        assert risks["risk_difference"] == pytest.approx(risks["risk_active"] - risks["risk_reference"], abs=2e-4)


def test_bands_cover_everyone(truth: Mapping[str, Any]) -> None:
    shares = truth["pooled"]["shares"]
    total = sum(shares[name]["value"] for name in ("hscrp_low", "hscrp_intermediate", "hscrp_high"))
    assert total == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize("site", SITE_IDS)
@pytest.mark.parametrize("name", ["treatment", "exposure", "treatment:exposure"])
def test_shipped_sample_estimates_the_truth(
    demo: Consortium, registry: Registry, truth: Mapping[str, Any], site: str, name: str
) -> None:
    seen = population_of(demo, site, registry)
    rows = SiteRows(site, seen.rows[seen.complete], seen.severity[seen.complete])
    result = fit(LinearModel(covariance="hc3"), Plan(NAMES), [rows])
    place = NAMES.index(name)
    distance = result.coefficients[place] - truth["sites"][site]["moderation"][name]["value"]
    assert abs(distance) < 3 * np.sqrt(result.covariance[place, place])


@pytest.mark.parametrize("site", SITE_IDS)
def test_shipped_sample_has_the_true_shares(
    demo: Consortium, registry: Registry, truth: Mapping[str, Any], site: str
) -> None:
    seen = population_of(demo, site, registry)
    for name, flags in (("inflamed_class", seen.cohort.inflamed), ("hscrp_high", seen.crp > 3)):
        share = truth["sites"][site]["shares"][name]["value"]
        assert abs(flags.mean() - share) < 3 * np.sqrt(share * (1 - share) / seen.cohort.n)


@pytest.mark.parametrize("site", SITE_IDS)
def test_shipped_sample_has_the_true_risk_difference(
    demo: Consortium, registry: Registry, truth: Mapping[str, Any], site: str
) -> None:
    seen = population_of(demo, site, registry)
    active = seen.cohort.active[seen.complete]
    response = seen.response[seen.complete]
    risks = [response[arm].mean() for arm in (active, ~active)]
    counts = [int(arm.sum()) for arm in (active, ~active)]
    error = np.sqrt(sum(risk * (1 - risk) / n for risk, n in zip(risks, counts, strict=True)))
    assert abs(risks[0] - risks[1] - truth["sites"][site]["response"]["risk_difference"]["value"]) < 3 * error
