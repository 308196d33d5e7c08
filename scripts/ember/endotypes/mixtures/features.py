"""The features of a mixture from the harmonised tables: ln values of analytes at one visit, and what measured them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.censored_normal import fit_normals
from ember.endotypes.mixtures.values import ABOVE, BELOW, EXACT, MISSING, BoolArray, FloatArray, IntArray, Values
from ember.endotypes.results import censored, results_at, values

NO_SHIFTS, BY_ASSAY, BY_SITE, CENTRED = "none", "by_assay", "by_site", "centred_by_assay"


@dataclass(frozen=True)
class Features:
    """What a mixture is fitted to, and who it is.

    Parameters
    ----------
    values : Values
        Of the participants who have enough analytes, on the ln scale.
    used : ndarray of bool, shape (all participants,)
    groups : sequence of list of str
        By analyte the names of the groups that carry a shift, the reference first.
    assays : sequence of (names, ndarray of int)
        By analyte the assays, and which of them measured each participant used; -1 where there is no value.
    centres : sequence of dict
        By analyte what was taken off the ln values of each assay, where they are centred.
    evidence : Series
        Row ids behind each participant used.
    """

    values: Values
    used: BoolArray
    groups: Sequence[list[str]]
    assays: Sequence[tuple[list[str], IntArray]]
    centres: Sequence[dict[str, float]]
    evidence: pl.Series


def features(measurements: pl.DataFrame, participants: pl.DataFrame, content: Mapping[str, Any]) -> Features:
    """Return the features that a mixture file declares.

    Notes
    -----
    Only laboratory results are read: no symptom, score or other outcome can come in. Of several results of an
    analyte at the visit the first in contract order stands; a result that is not above nought counts as missing.
    """
    found = [results_at(participants, measurements, one, content["visit"]) for one in content["analytes"]]
    parts = [_one(results, content.get("shifts", NO_SHIFTS)) for results in found]
    present = np.stack([part["kind"] != MISSING for part in parts], axis=1)
    used = present.sum(axis=1) >= content.get("minimum", 1)
    joined = {
        name: np.stack([part[name] for part in parts], axis=1)[used]
        for name in ("value", "kind", "group", "limit_below", "limit_above")
    }
    rows = [
        results.select(pl.when(pl.Series(part["kind"] != MISSING)).then("row_id")).to_series().cast(pl.String)
        for results, part in zip(found, parts, strict=True)
    ]
    evidence = pl.DataFrame([row.alias(str(number)) for number, row in enumerate(rows)]).select(
        pl.concat_str(pl.all(), separator=";", ignore_nulls=True)
    )
    return Features(
        Values(**joined), used, [part["groups"] for part in parts],
        [(part["assays"], part["assay"][used]) for part in parts], [part["centres"] for part in parts],
        evidence.to_series().filter(pl.Series(used)),
    )  # fmt: skip


def _one(results: pl.DataFrame, shifts: str) -> dict[str, Any]:
    raw = values(results)
    there = np.nan_to_num(raw) > 0
    left, right = censored(results, "left") & there, censored(results, "right") & there
    value = np.log(np.where(there, raw, 1.0))
    limits = np.log(results["detection_limit"].fill_null(float("nan")).to_numpy())
    assays, assay = _numbered(results["assay_id"].fill_null("unknown"), there)
    sites, site = _numbered(results["site_id"], there)
    centres: dict[str, float] = {}
    taken_off = np.zeros(value.size)
    if shifts == CENTRED:
        centre = _centres(value, left, right, np.where(there, assay, -1), len(assays))
        centres = dict(zip(assays, centre.tolist(), strict=True))
        taken_off = np.where(there, centre[np.maximum(assay, 0)], 0.0)
    names, group = {BY_ASSAY: (assays, assay), BY_SITE: (sites, site)}.get(shifts, (["all"], np.where(there, 0, -1)))
    below = np.where(left, value, np.where(np.isnan(limits), -np.inf, np.minimum(limits, value)))
    above = np.full(value.size, np.inf)
    for number in range(len(assays)):
        capped = (assay == number) & right
        if capped.any():
            above[assay == number] = value[capped].min()
    return {
        "value": np.where(there, value - taken_off, 0.0),
        "kind": np.select([~there, left, right], [MISSING, BELOW, ABOVE], EXACT).astype(np.int64),
        "group": np.maximum(group, 0).astype(np.int64),
        "limit_below": below - taken_off,
        "limit_above": np.where(right, value, np.maximum(above, value)) - taken_off,
        "groups": names,
        "assays": assays,
        "assay": np.where(there, assay, -1),
        "centres": centres,
    }


def _numbered(names: pl.Series, there: BoolArray) -> tuple[list[str], IntArray]:
    """Return names in falling order of their number of values (first appearance breaks ties), and each row's number."""
    seen = names.filter(pl.Series(there))
    order = seen.unique(maintain_order=True).to_list()
    counts = dict(seen.value_counts().iter_rows())
    ranked = sorted(order, key=lambda name: -counts[name])
    numbers = {name: number for number, name in enumerate(ranked)}
    return ranked or ["none"], np.array([numbers.get(name, -1) for name in names.to_list()], dtype=np.int64)


def _centres(value: FloatArray, left: BoolArray, right: BoolArray, group: IntArray, number: int) -> FloatArray:
    """Return the mean of ln values by assay, by censored likelihood; that of all where an assay has too few values."""
    fitted = fit_normals(value, left, right, group, number).mean
    whole = fit_normals(value, left, right, np.where(group >= 0, 0, -1), 1).mean[0]
    return np.where(np.isnan(fitted), np.nan_to_num(whole), fitted)


def site_numbers(participants: pl.DataFrame, used: BoolArray) -> IntArray:
    """Return the number of the site of each participant used, in the order of the participants."""
    sites = participants["site_id"].unique(maintain_order=True).to_list()
    numbers = {site: number for number, site in enumerate(sites)}
    return np.array([numbers[site] for site in participants["site_id"].to_list()], dtype=np.int64)[used]
