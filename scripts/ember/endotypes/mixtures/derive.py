"""A mixture file applied to the harmonised tables: classes of the participants, the artefact, and their stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.mixtures.artefact import Frozen, artefact, classify, placed
from ember.endotypes.mixtures.drift import Drift, drift_of
from ember.endotypes.mixtures.features import NO_SHIFTS, Features, features, site_numbers
from ember.endotypes.mixtures.fit import BOOTSTRAP, Chosen, Plan, on_ln_scale, search
from ember.endotypes.mixtures.labels import MOST_ASSOCIATION, assay_association, class_labels
from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.search import Effort
from ember.endotypes.mixtures.stability import Form, bootstrap_agreement, leave_one_out
from ember.endotypes.mixtures.starts import generator_of
from ember.endotypes.mixtures.values import FloatArray
from ember.errors import EmberError

DRIFT_SAMPLES = 199
MEAN_OF_ALL = "mean_z"


@dataclass(frozen=True)
class Derived:
    """What a mixture says of the participants.

    Parameters
    ----------
    found : Features
    posterior : ndarray, shape (participants used, k)
    mixture : Mixtures
        On the ln scale, classes in anchored order.
    labels : list of str, or None where they are blocked for `reason`
    association : list of float
        Cramer's V of class and assay by analyte.
    chosen : Chosen, or None for a frozen mixture
    stability : list of dict
        Lines of the contract mixture_stability.
    """

    found: Features
    posterior: FloatArray
    mixture: Mixtures
    labels: Sequence[str] | None
    reason: str
    association: Sequence[float]
    artefact: Mapping[str, Any]
    chosen: Chosen | None
    stability: Sequence[Mapping[str, Any]]


def derive(
    measurements: pl.DataFrame, participants: pl.DataFrame, content: Mapping[str, Any], units: Sequence[str],
    seed: int, frozen: Frozen | None = None,
) -> Derived:  # fmt: skip
    """Fit the mixture that a file declares, or apply the frozen one that it names.

    Raises
    ------
    EmberError
        Nobody has the analytes, there are too few people, or no maximum is sound.
    """
    wanted = content if frozen is None else _of_frozen(frozen, content)
    found = features(measurements, participants, wanted)
    if not found.values.people:
        raise EmberError("No participant has the analytes of the mixture.", where=f"mixtures/{content['mixture']}.yaml")
    sites = participants["site_id"].unique(maintain_order=True).to_list()
    if frozen is not None:
        return _applied(found, participants, content, seed, frozen, sites)
    return _fitted(found, participants, content, units, seed, sites)


def _of_frozen(frozen: Frozen, content: Mapping[str, Any]) -> dict[str, Any]:
    visit, minimum = content["visit"], frozen.content["minimum"]
    return {"analytes": frozen.analytes, "visit": visit, "minimum": minimum, "shifts": NO_SHIFTS}


def plan_of(content: Mapping[str, Any], seed: int) -> Plan:
    """Return the plan of a mixture file."""
    anchor = content["anchor"]
    return Plan(
        name=content["mixture"],
        seed=seed,
        classes=range(content["classes"]["from"], content["classes"]["to"] + 1),
        covariances=content["covariance"],
        floor=content["variance_floor"],
        effort=Effort(starts=content["starts"]),
        anchor=None if anchor == MEAN_OF_ALL else content["analytes"].index(anchor),
        choose=content["choose"],
        ratio_samples=content.get("bootstrap", {}).get("likelihood_ratio", 0),
    )


def _fitted(
    found: Features, participants: pl.DataFrame, content: Mapping[str, Any], units: Sequence[str], seed: int,
    sites: Sequence[str],
) -> Derived:  # fmt: skip
    plan = plan_of(content, seed)
    chosen = search(found.values, plan)
    fit = chosen.fit
    labels, reason, association = _labels(found, chosen.posterior, content["anchor"])
    mixture = on_ln_scale(chosen.mixture, chosen.scale, found.values.groups())
    fitted = {
        "people": found.values.people,
        "log_likelihood": fit.likelihood,
        "bic": fit.criteria.bic,
        "relative_entropy": fit.criteria.relative_entropy,
        "starts": fit.found.starts,
        "replicated": fit.found.replicated,
    }
    made = artefact(content, units, mixture, fit.covariance, found, labels, fitted)
    stability = _stability(found, participants, chosen, plan, content, sites)
    return Derived(found, chosen.posterior, mixture, labels, reason, association, made, chosen, stability)


def _applied(
    found: Features, participants: pl.DataFrame, content: Mapping[str, Any], seed: int, frozen: Frozen,
    sites: Sequence[str],
) -> Derived:  # fmt: skip
    values = placed(frozen, found, f"mixtures/{content['mixture']}.yaml")
    posterior = classify(frozen, values)
    classes = frozen.content["classes"]
    known = [one["label"] for one in classes]
    association = assay_association(posterior.argmax(axis=1), [assay for _, assay in found.assays], len(classes))
    labels = None if None in known else known
    reason = "" if labels else "The study that fitted the mixture could not label its classes."
    lines = []
    site = site_numbers(participants, found.used)
    for number, name in enumerate(["all", *sites]):
        rows = np.arange(values.people) if name == "all" else np.flatnonzero(site == number - 1)
        if rows.size:
            drift = drift_of(
                values.take(rows), frozen.mixture, frozen.covariance, DRIFT_SAMPLES,
                generator_of(seed, content["mixture"], "drift", name),
            )  # fmt: skip
            lines += _drift_lines(content["mixture"], name, rows.size, drift)
    return Derived(found, posterior, frozen.mixture, labels, reason, association, frozen.content, None, lines)


def _drift_lines(mixture: str, name: str, people: int, drift: Drift) -> list[dict[str, Any]]:
    parts = {"drift_shares": drift.shares_p, "drift_levels": drift.levels_p, "drift_fit": drift.fit_p}
    return [_line(mixture, kind, name, people, p) for kind, p in parts.items()]


def _line(
    mixture: str, kind: str, name: str, people: int, value: float, kappa: float = float("nan"),
    low: float = float("nan"), high: float = float("nan"),
) -> dict[str, Any]:  # fmt: skip
    numbers = {"value": value, "kappa": kappa, "low": low, "high": high}
    return {
        "mixture": mixture, "kind": kind, "name": name, "n": people,
        **{key: None if np.isnan(number) else float(number) for key, number in numbers.items()},
    }  # fmt: skip


def _labels(found: Features, posterior: FloatArray, anchor: str) -> tuple[list[str] | None, str, list[float]]:
    classes = posterior.shape[1]
    association = assay_association(posterior.argmax(axis=1), [assay for _, assay in found.assays], classes)
    if max(association) > MOST_ASSOCIATION:
        reason = (
            f"Class goes with assay (Cramer's V {max(association):.2f}, above {MOST_ASSOCIATION}): the classes may be "
            "laboratories, so they carry no label and nobody is assigned."
        )
        return None, reason, association
    return class_labels(classes, "inflammation" if anchor == MEAN_OF_ALL else anchor), "", association


def _stability(
    found: Features, participants: pl.DataFrame, chosen: Chosen, plan: Plan, content: Mapping[str, Any],
    sites: Sequence[str],
) -> list[dict[str, Any]]:  # fmt: skip
    fit, name = chosen.fit, content["mixture"]
    form = Form(fit.classes, fit.covariance, plan.floor, plan.anchor, BOOTSTRAP)
    scaled = chosen.scale.of(found.values)
    samples = content.get("bootstrap", {}).get("stability", 0)
    lines = []
    if samples and fit.classes > 1:
        generator = generator_of(plan.seed, name, "stability")
        drawn = bootstrap_agreement(scaled, chosen.mixture, form, samples, generator)
        low, high = np.quantile(drawn, [0.025, 0.975])
        lines.append(
            _line(
                name, "bootstrap", str(samples), scaled.people, float(np.mean(drawn)), low=float(low), high=float(high)
            )
        )
    site = site_numbers(participants, found.used)
    enough = all((site != number).sum() >= 10 * fit.classes for number in range(len(sites)))
    if content.get("leave_one_site_out") and fit.classes > 1 and len(sites) > 1 and enough:
        generator = generator_of(plan.seed, name, "sites")
        for one, left in zip(sites, leave_one_out(scaled, site, chosen.mixture, form, generator), strict=False):
            lines.append(_line(name, "without_site", one, int(left.table.sum()), left.adjusted_rand, left.kappa))
    return lines
