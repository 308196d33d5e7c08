"""Criteria, labels, agreement, three steps and stability."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.mixtures.agreement import adjusted_rand, agreement, kappa
from ember.endotypes.mixtures.choice import bootstrap_ratio, criteria, posterior_of, simulated
from ember.endotypes.mixtures.drift import drift_of
from ember.endotypes.mixtures.fit import BOOTSTRAP, Plan, on_ln_scale, search, standardised
from ember.endotypes.mixtures.labels import anchored, class_labels, cramers_v
from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.search import Effort, find_best
from ember.endotypes.mixtures.stability import Form, bootstrap_agreement, leave_one_out
from ember.endotypes.mixtures.three_step import (
    LEAST_PEOPLE,
    agreement_matrix,
    bch_means,
    bch_weights,
    check_interaction,
    method_for,
    ml_means,
    ml_membership,
    with_bootstrap,
)
from ember.endotypes.mixtures.values import Values, censored_values
from ember.errors import EmberError


def truth(gap: float = 3.0) -> Mixtures:
    means = np.array([[[0.0, 0.0], [gap, gap]]])
    return Mixtures(np.array([[0.7, 0.3]]), means, np.tile(np.eye(2), (1, 2, 1, 1)), np.zeros((1, 0)))


def drawn(people: int, gap: float = 3.0, seed: int = 1) -> tuple[Values, np.ndarray]:
    generator = np.random.default_rng(seed)
    member = (generator.random(people) < 0.3).astype(int)
    value = generator.normal(size=(people, 2)) + gap * member[:, None]
    value[generator.random((people, 2)) < 0.05] = np.nan
    return censored_values(value, np.array([-1.0, -1.5])), member


def test_criteria_by_hand():
    said = criteria(-100.0, 5, np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert said.bic == pytest.approx(200 + 5 * np.log(2))
    assert said.entropy == pytest.approx(np.log(2))
    assert said.icl == pytest.approx(said.bic + 2 * np.log(2))
    assert said.relative_entropy == pytest.approx(0.5)


def test_a_simulated_cohort_has_the_limits_and_gaps_of_the_real_one():
    values, _ = drawn(500)
    again = simulated(values, truth(), np.random.default_rng(4))
    assert ((again.kind == 3) == (values.kind == 3)).all()
    assert again.value[again.kind == 1] == pytest.approx(np.broadcast_to(values.limit_below, (500, 2))[again.kind == 1])
    assert abs((again.kind == 1).mean() - (values.kind == 1).mean()) < 0.05


@pytest.mark.parametrize("gap, small", [pytest.param(3.0, True, id="two"), pytest.param(0.0, False, id="one")])
def test_bootstrap_ratio_tells_two_from_one(gap, small):
    values, _ = drawn(200, gap)
    one, two = (find_best(values, k, "diagonal", 1e-3, BOOTSTRAP, np.random.default_rng(k)) for k in (1, 2))
    found = bootstrap_ratio(values, one, two, "diagonal", 1e-3, 19, BOOTSTRAP, np.random.default_rng(1))
    assert (found.p_value <= 0.05) is small


def test_classes_are_ordered_by_the_anchor_whatever_the_start():
    turned = Mixtures(*(part[:, ::-1].copy() for part in (truth().weights, truth().means, truth().covariances)),
                      np.zeros((1, 0)))  # fmt: skip
    assert anchored(turned, None).means == pytest.approx(truth().means)
    assert anchored(truth(), 0).weights == pytest.approx(truth().weights)
    assert class_labels(3, "hscrp") == ["lowest hscrp", "middle hscrp", "highest hscrp"]


@pytest.mark.parametrize(
    "table, wanted",
    [
        pytest.param([[10, 0], [0, 10]], 1.0, id="one_to_one"),
        pytest.param([[5, 5], [5, 5]], 0.0, id="nothing"),
        pytest.param([[5, 5]], 0.0, id="one_class"),
        pytest.param([[8, 2], [2, 8]], 0.6, id="some"),
    ],
)
def test_cramers_v(table, wanted):
    assert cramers_v(np.array(table)) == pytest.approx(wanted)


def test_agreement_by_hand():
    table = np.array([[20, 5], [10, 15]])
    assert kappa(table) == pytest.approx(0.4)
    assert adjusted_rand(np.array([[10, 0], [0, 10]])) == 1.0
    assert adjusted_rand(table) == pytest.approx(0.1434, abs=1e-3)
    found = agreement(np.array([0, 1, -1, 1]), np.array([0, 1, 1, 0]), 2, 2)
    assert found.table.tolist() == [[1, 0], [1, 1]]


@pytest.fixture(scope="module")
def fitted():
    values, member = drawn(3000, 2.2)
    posterior = posterior_of(values, truth(2.2), "diagonal")
    return posterior, member


def test_bch_and_ml_undo_the_error_of_classification(fitted):
    posterior, member = fitted
    outcome = 1.0 * member + np.random.default_rng(6).normal(size=member.size)
    naive = outcome[posterior.argmax(axis=1) == 1].mean() - outcome[posterior.argmax(axis=1) == 0].mean()
    bch, ml = bch_means(outcome, posterior), ml_means(outcome, posterior)
    assert naive < 0.92
    assert np.diff(bch.mean)[0] == pytest.approx(1.0, abs=0.1)
    assert np.diff(ml.mean)[0] == pytest.approx(1.0, abs=0.1)
    assert bch.negative_weights > 0


def test_bch_weights_by_hand(fitted):
    posterior, _ = fitted
    weights = bch_weights(posterior)
    assert weights.sum(axis=1) == pytest.approx(1)
    modal = posterior.argmax(axis=1)[:, None] == np.arange(2)
    assert (agreement_matrix(posterior) @ np.linalg.inv(agreement_matrix(posterior))) == pytest.approx(np.eye(2))
    assert weights[modal].min() > 1


def test_ml_membership_finds_the_odds(fitted):
    posterior, member = fitted
    covariate = np.random.default_rng(5).normal(size=member.size) + 0.8 * member
    found = ml_membership(covariate[:, None], posterior)
    assert found[0, 1] == pytest.approx(0.8, abs=0.15)


def test_a_binary_outcome(fitted):
    posterior, member = fitted
    outcome = (np.random.default_rng(9).random(member.size) < np.where(member == 1, 0.7, 0.2)).astype(float)
    assert ml_means(outcome, posterior, binary=True).mean == pytest.approx([0.2, 0.7], abs=0.06)


@pytest.mark.parametrize(
    "size, entropy, method",
    [
        pytest.param(30, 0.6, "bch", id="on_the_line"),
        pytest.param(29, 0.9, "ml", id="too_small"),
        pytest.param(60, 0.59, "ml", id="too_blurred"),
    ],
)
def test_the_method_depends_on_clarity_and_size(size, entropy, method):
    posterior = np.repeat(np.eye(2), [200, size], axis=0)
    assert method_for(posterior, entropy) == method


def test_small_cohorts_have_no_interaction():
    check_interaction(LEAST_PEOPLE)
    with pytest.raises(EmberError, match="needs 250 participants"):
        check_interaction(LEAST_PEOPLE - 1)


def test_standard_errors_carry_step_one():
    values, member = drawn(400, 2.2)
    posterior = posterior_of(values, truth(2.2), "diagonal")
    outcome = 1.0 * member + np.random.default_rng(6).normal(size=member.size)

    def again(outcome, number):
        rows = np.random.default_rng(number).integers(0, 400, 400)
        own = values.take(rows)
        found = find_best(own, 2, "diagonal", 1e-3, BOOTSTRAP, np.random.default_rng(number), more=truth(2.2))
        return outcome[rows], posterior_of(own, anchored(found.mixture, None), "diagonal")

    found = with_bootstrap(outcome, posterior, again, 25, "bch")
    plain = found.standard_deviation / np.sqrt(posterior.sum(axis=0))
    assert (found.standard_error > 0.9 * plain).all()


def test_stability_of_clear_classes_and_without_a_site():
    values, _ = drawn(300, 4.0)
    form = Form(2, "diagonal", 1e-3, None, BOOTSTRAP)
    assert bootstrap_agreement(values, truth(4.0), form, 5, np.random.default_rng(1)).min() > 0.9
    left = leave_one_out(values, np.arange(300) % 3, truth(4.0), form, np.random.default_rng(1))
    assert [one.table.sum() for one in left] == [100, 100, 100]
    assert min(one.kappa for one in left) > 0.9


@pytest.mark.parametrize("shift, drifted", [pytest.param(0.0, False, id="same"), pytest.param(0.5, True, id="shifted")])
def test_drift_of_levels(shift, drifted):
    values, _ = drawn(500, 3.0)
    moved = Values(values.value + shift, values.kind, values.group, values.limit_below + shift, values.limit_above)
    found = drift_of(moved, truth(3.0), "diagonal", 99, np.random.default_rng(2))
    assert (found.levels_p < 0.01) is drifted
    assert found.shift == pytest.approx([shift, shift], abs=0.15)


def test_another_mix_of_people_is_no_drift_of_levels():
    generator = np.random.default_rng(3)
    value = generator.normal(size=(600, 2)) + 3.0 * (generator.random(600) < 0.6)[:, None]
    found = drift_of(censored_values(value, np.array([-9.0, -9.0])), truth(3.0), "diagonal", 49, generator)
    assert found.shares_p < 0.01
    assert found.levels_p > 0.01


def test_search_chooses_two_and_scales_back():
    values, _ = drawn(400, 3.0)
    plan = Plan("m", 1, range(1, 4), ["diagonal_equal", "full"], 1e-3, Effort(), None)
    chosen = search(values, plan)
    assert (chosen.fit.classes, len(chosen.searched)) == (2, 6)
    on_ln = on_ln_scale(chosen.mixture, chosen.scale, values.groups())
    assert on_ln.means[0] == pytest.approx(truth().means[0], abs=0.3)
    assert standardised(on_ln, chosen.scale, values.groups()).means == pytest.approx(chosen.mixture.means)


def test_too_few_people_are_refused():
    values, _ = drawn(30)
    with pytest.raises(EmberError, match="too few for 4 classes"):
        search(values, Plan("m", 1, range(1, 5), ["diagonal"], 1e-3, Effort(), None))
