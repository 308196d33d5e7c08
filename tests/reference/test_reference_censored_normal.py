"""Normal groups with censored values against R's survreg: relative tolerance 1e-6 of an SD, 1e-8 in likelihood."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.composites.censored_normal import fit_normals

CASES = ("complete", "a_few_below", "half_below", "most_below", "both_ends", "some_above", "far_from_zero")


def test_every_group_equals_survreg(witness):
    expected = witness("censored_normal")
    assert tuple(expected) == CASES
    group = np.repeat(np.arange(len(CASES)), [len(expected[case]["value"]) for case in CASES])
    value = np.concatenate([expected[case]["value"] for case in CASES])
    left, right = (
        np.concatenate([np.isin(np.arange(len(one["value"])), one[side]) for one in expected.values()])
        for side in ("left", "right")
    )
    found = fit_normals(value, left, right, group, len(CASES))
    for number, one in enumerate(expected.values()):
        assert found.mean[number] == pytest.approx(one["mean"][0], abs=1e-6 * one["sd"][0])
        assert found.sd[number] == pytest.approx(one["sd"][0], rel=1e-6)
        assert found.log_likelihood[number] == pytest.approx(one["log_likelihood"][0], rel=1e-8)
