"""The measurement-error model against lme4 (nothing censored) and against R's integrate() and optim().

Tolerances: log-likelihoods and probabilities at given components 1e-7; estimates 1e-4, where both searches stop.
"""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.usual_level.fit import fit_components
from ember.endotypes.usual_level.likelihood import Components, log_likelihoods, probabilities_above
from ember.endotypes.usual_level.persons import Samples, gather


def samples_of(case):
    person, value = np.array(case["person"]), np.array(case["value"])
    marks = [np.isin(np.arange(value.size), case.get(side, [])) for side in ("below", "above")]
    return Samples(person, value, *marks), np.zeros(person.max() + 1, dtype=np.int64)


def components(case):
    return Components(np.array([case["mean"]]), np.array([case["between"]]), case["within"], case.get("acute", 0.0))


def test_equals_lme4_without_censoring(witness):
    case = witness("usual_level")["plain"]
    samples, group = samples_of(case)
    persons = gather(samples, group)
    assert log_likelihoods(persons, components(case)).sum() == pytest.approx(case["log_likelihood"], abs=1e-7)
    found = fit_components(samples, persons, 1)
    assert found.converged and found.components.acute == 0
    estimates = [found.components.mean[0], found.components.between[0], found.components.within]
    assert estimates == pytest.approx([case["mean"], case["between"], case["within"]], abs=1e-4)
    assert found.log_likelihood == pytest.approx(case["log_likelihood"], abs=1e-7)


def test_equals_integrate_with_censoring_and_acute_illness(witness):
    case = witness("usual_level")["censored"]
    samples, group = samples_of(case)
    persons = gather(samples, group)
    assert set(persons.bounds) >= {1, 2}
    at = components(case["at"])
    assert log_likelihoods(persons, at).sum() == pytest.approx(case["log_likelihood"], abs=1e-7)
    assert probabilities_above(persons, at, case["cut"]) == pytest.approx(np.array(case["probability"]), abs=1e-7)


def test_the_maximum_equals_that_of_optim(witness):
    case = witness("usual_level")["censored"]
    samples, group = samples_of(case)
    found = fit_components(samples, gather(samples, group), 1)
    best = case["best"]
    own = found.components
    assert found.log_likelihood == pytest.approx(best["log_likelihood"], abs=1e-6)
    assert [own.mean[0], own.between[0], own.within, own.acute] == pytest.approx(
        [best[name] for name in ("mean", "between", "within", "acute")], abs=1e-3
    )
