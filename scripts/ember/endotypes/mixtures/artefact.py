"""A fitted mixture as an artefact: everything that another study needs to apply it unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ember.endotypes.mixtures.choice import posterior_of
from ember.endotypes.mixtures.features import BY_ASSAY, CENTRED, Features
from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.values import FloatArray, Values
from ember.errors import EmberError
from ember.registry.mixtures import frozen_file, read_frozen

FORMAT = "ember mixture 1"
KEYS = frozenset(
    {"format", "mixture", "version", "visit", "analytes", "transformation", "covariance", "shifts", "reference",
     "classes", "anchor", "minimum", "fitted", "hash"}
)  # fmt: skip


@dataclass(frozen=True)
class Frozen:
    """A mixture on the ln scale, with the groups whose shifts it knows: analyte -> group -> shift."""

    content: Mapping[str, Any]
    mixture: Mixtures

    @property
    def analytes(self) -> list[str]:
        """Analytes, in the order of the parameters."""
        return [one["analyte"] for one in self.content["analytes"]]

    @property
    def covariance(self) -> str:
        """Form of the covariances."""
        return str(self.content["covariance"])


def artefact(
    content: Mapping[str, Any], units: Sequence[str], mixture: Mixtures, covariance: str, found: Features,
    labels: Sequence[str] | None, fitted: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return the artefact of a mixture: parameters on the ln scale, and the hash over all of it.

    Parameters
    ----------
    content : mapping
        Of the mixture file.
    units : sequence of str
        Canonical unit of each analyte.
    fitted : mapping
        How it was fitted: people, log-likelihood, criteria, code.
    """
    first, groups = 0, []
    for names in found.groups:
        shift = [0.0, *mixture.shifts[0, first : first + len(names) - 1].tolist()]
        groups.append(dict(zip(names, shift, strict=True)))
        first += len(names) - 1
    kind = content.get("shifts", "none")
    by_group = found.centres if kind == CENTRED else groups
    body: dict[str, Any] = {
        "format": FORMAT,
        "mixture": content["mixture"],
        "version": content["version"],
        "visit": content["visit"],
        "transformation": "ln",
        "analytes": [
            {"analyte": name, "unit": unit, "groups": known}
            for name, unit, known in zip(content["analytes"], units, by_group, strict=True)
        ],
        "shifts": kind,
        "reference": [names[0] for names in found.groups],
        "minimum": content.get("minimum", 1),
        "anchor": content["anchor"],
        "covariance": covariance,
        "classes": [
            {
                "class": f"class_{one + 1}",
                "label": None if labels is None else labels[one],
                "weight": float(mixture.weights[0, one]),
                "mean": mixture.means[0, one].tolist(),
                "covariance": mixture.covariances[0, one].tolist(),
            }
            for one in range(mixture.classes)
        ],
        "fitted": dict(fitted),
    }
    return {**body, "hash": hash_of(body)}


def hash_of(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an artefact without its hash."""
    kept = {key: value for key, value in body.items() if key != "hash"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def thawed(content: Mapping[str, Any], where: str) -> Frozen:
    """Return the mixture of an artefact.

    Raises
    ------
    EmberError
        It is not one, or somebody has changed it.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT or set(content) != KEYS:
        raise EmberError("This is not a frozen mixture.", where=where, allowed=[FORMAT])
    if hash_of(content) != content["hash"]:
        raise EmberError(
            "The frozen mixture is not what it was: its hash does not fit.",
            where=where,
            fix="Take the file again from the study that fitted it; a mixture is applied unchanged or fitted anew.",
        )
    classes = content["classes"]
    return Frozen(
        content,
        Mixtures(
            np.array([[one["weight"] for one in classes]]),
            np.array([[one["mean"] for one in classes]]),
            np.array([[one["covariance"] for one in classes]]),
            np.zeros((1, 0)),
        ),
    )


def frozen_of(folder: Path, content: Mapping[str, Any]) -> Frozen | None:
    """Return the frozen mixture that a mixture file of a study folder names, if it names one."""
    file = frozen_file(folder, content)
    return None if file is None else thawed(read_frozen(file), f"mixtures/{file.name}")


def placed(frozen: Frozen, found: Features, where: str) -> Values:
    """Return the values of new people with the frozen shifts taken off.

    Raises
    ------
    EmberError
        A group (assay or site) is not one that the mixture knows.
    """
    value = found.values.value.copy()
    below, above = found.values.limit_below.copy(), found.values.limit_above.copy()
    if frozen.content["shifts"] in (CENTRED, BY_ASSAY):
        for one, (names, assay) in enumerate(found.assays):
            known = frozen.content["analytes"][one]["groups"]
            unknown = [name for name in names if name not in known and name != "none"]
            if unknown:
                raise EmberError(
                    f"The frozen mixture does not know the assay '{unknown[0]}' of {frozen.analytes[one]}.",
                    where=where,
                    allowed=known,
                    fix="Levels of two assays are not exchangeable: bridge the values, or fit a mixture anew.",
                )
            off = np.where(assay >= 0, np.array([known.get(name, 0.0) for name in names])[np.maximum(assay, 0)], 0.0)
            for part in (value, below, above):
                part[:, one] -= off
    return replace(found.values, value=value, limit_below=below, limit_above=above).ungrouped()


def classify(frozen: Frozen, values: Values) -> FloatArray:
    """Return the posterior probability of each class for new people, from `placed` values: shape (n, k)."""
    return posterior_of(values, frozen.mixture, frozen.covariance)
