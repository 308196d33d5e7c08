"""Mixtures against mclust from the same starting classes: log-likelihood 1e-6, parameters 1e-4."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.mixtures.accelerate import climb
from ember.endotypes.mixtures.choice import criteria, posterior_of
from ember.endotypes.mixtures.fit import on_ln_scale
from ember.endotypes.mixtures.parameters import COVARIANCES, free_parameters
from ember.endotypes.mixtures.search import kernel_of
from ember.endotypes.mixtures.starts import from_classes
from ember.endotypes.mixtures.values import exact_values, scale_of

FORMS = {model: form for form, model in COVARIANCES.items()}
CASES = [f"{model} {size}" for model in ("EEI", "VVI", "EEE", "VVV") for size in (2, 3)]


@pytest.fixture(scope="module")
def markers(table):
    return table("mixture")


def test_the_grid_is_whole(witness):
    assert list(witness("mixture")["fits"]) == CASES


@pytest.mark.parametrize("case", [pytest.param(case, id=case.replace(" ", "_")) for case in CASES])
def test_equals_mclust(witness, markers, case):
    expected = witness("mixture")["fits"][case]
    classes, form = expected["classes"], FORMS[expected["model"]]
    values = exact_values(markers.select("marker1", "marker2", "marker3").to_numpy())
    scale = scale_of(values)
    scaled = scale.of(values)
    begun = from_classes(scaled, markers[f"start{classes}"].to_numpy()[None], classes, form, 1e-6, eased=False)
    reached = climb(kernel_of(scaled, form, 1e-6), begun, 5000)
    likelihood = reached.likelihood[0] + scale.log_density(values)
    found = on_ln_scale(reached.mixtures, scale, scaled.groups())
    assert reached.converged.all()
    assert likelihood == pytest.approx(expected["likelihood"], abs=1e-6)
    assert found.weights[0] == pytest.approx(np.array(expected["weights"]), abs=1e-4)
    assert found.means[0] == pytest.approx(np.array(expected["means"]), abs=1e-4)
    assert found.covariances[0] == pytest.approx(np.array(expected["covariances"]), abs=1e-4)
    posterior = posterior_of(scaled, reached.mixtures, form)
    assert posterior[:5] == pytest.approx(np.array(expected["posterior"]), abs=1e-4)
    said = criteria(likelihood, free_parameters(classes, 3, 0, form), posterior)
    assert said.bic == pytest.approx(expected["bic"], abs=1e-5)
