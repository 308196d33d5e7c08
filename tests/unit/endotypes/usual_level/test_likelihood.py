"""The likelihood of repeated, censored samples, against plain numerical integration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ember.endotypes.usual_level.likelihood import Components, log_likelihoods, probabilities_above
from ember.endotypes.usual_level.persons import Samples, gather

EXACT, BELOW, ABOVE = "exact", "below", "above"
AT = {EXACT: 0.9, BELOW: -1.0, ABOVE: 2.3}
COMPONENTS = Components(np.array([0.5]), np.array([1.1]), 0.6, 0.05)


def density(kind, usual, components):
    within, acute = components.within, components.acute
    if kind == EXACT:
        return (1 - acute) * norm.pdf(AT[kind], usual, within)
    if kind == BELOW:
        return (1 - acute) * norm.cdf(AT[kind], usual, within)
    return acute + (1 - acute) * norm.sf(AT[kind], usual, within)


def integral(kinds, components, low, high):
    mean, between = components.mean[0], components.between[0]

    def of(usual):
        return norm.pdf(usual, mean, between) * np.prod([density(kind, usual, components) for kind in kinds])

    return quad(of, low, high, epsabs=1e-14, epsrel=1e-12, limit=400)[0]


def one_person(kinds):
    value = np.array([AT[kind] for kind in kinds])
    marks = [np.array([kind == side for kind in kinds]) for side in (BELOW, ABOVE)]
    return gather(Samples(np.zeros(len(kinds), dtype=np.int64), value, *marks), np.zeros(1, dtype=np.int64))


ALL = [kinds for many in (1, 2, 3) for kinds in itertools.combinations_with_replacement((EXACT, BELOW, ABOVE), many)]


@pytest.mark.parametrize("kinds", [pytest.param(kinds, id="+".join(kinds)) for kinds in ALL])
@pytest.mark.parametrize("acute", [0.0, 0.05])
def test_every_mixture_of_samples(kinds, acute):
    components = Components(COMPONENTS.mean, COMPONENTS.between, COMPONENTS.within, acute)
    persons, cut = one_person(kinds), float(np.log(3))
    whole, over = integral(kinds, components, -8, 9), integral(kinds, components, cut, 9)
    assert log_likelihoods(persons, components)[0] == pytest.approx(np.log(whole), abs=1e-7)
    assert probabilities_above(persons, components, cut)[0] == pytest.approx(over / whole, abs=1e-7)


def test_without_a_sample_a_person_has_the_share_of_the_site():
    persons = gather(Samples(*[np.zeros(0, dtype=kind) for kind in (np.int64, float, bool, bool)]), np.array([0]))
    assert log_likelihoods(persons, COMPONENTS)[0] == 0
    assert probabilities_above(persons, COMPONENTS, 1.0)[0] == pytest.approx(norm.sf(1.0, 0.5, 1.1))


def test_a_second_high_sample_raises_the_probability_and_a_low_one_lowers_it():
    found = [
        probabilities_above(one_person(kinds), COMPONENTS, 0.8)[0]
        for kinds in ((EXACT, ABOVE), (EXACT,), (EXACT, BELOW))
    ]
    assert found == sorted(found, reverse=True)


def test_a_sample_that_illness_may_have_raised_says_less():
    sure = Components(COMPONENTS.mean, COMPONENTS.between, COMPONENTS.within, 0.0)
    high = one_person((ABOVE,))
    assert probabilities_above(high, COMPONENTS, 0.8)[0] < probabilities_above(high, sure, 0.8)[0]


def test_no_spread_between_persons():
    components = Components(np.array([0.5]), np.array([0.0]), 0.6, 0.0)
    persons = one_person((EXACT, EXACT))
    assert probabilities_above(persons, components, 0.4)[0] == pytest.approx(1.0)
    assert probabilities_above(persons, components, 0.6)[0] == pytest.approx(0.0)
