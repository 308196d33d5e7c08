"""The probability that each participant's usual level lies above the cut of a scheme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray
from ember.endotypes.results import PERSON, censored, values
from ember.endotypes.samples import INFECTED, UNKNOWN, numbered, samples_of
from ember.endotypes.scheme import Scheme, scheme_rules, threshold_of
from ember.endotypes.sequence import sequences
from ember.endotypes.usual_level.fit import Fit, at_least, fit_components
from ember.endotypes.usual_level.likelihood import Components, probabilities_above
from ember.endotypes.usual_level.persons import Persons, Samples, gather
from ember.endotypes.usual_level.published import REPEATS, ln_sd
from ember.registry.model import Visit
from ember.tables.store import conform
from ember.validate.accounting import Account

NO_SAMPLE, NO_REPEATS, FEW_REPEATS = "no_sample", "no_repeats", "few_repeats"
NO_SPREAD, EXCEEDS, NOT_CONVERGED = "no_spread", "within_exceeds_spread", "not_converged"
PUBLISHED = "published"


@dataclass(frozen=True)
class UsualLevels:
    """`table` has one row a participant (contract usual_levels), `components` one a site (usual_components)."""

    table: pl.DataFrame
    components: pl.DataFrame


@dataclass(frozen=True)
class _Found:
    """Per site: the fit, if there is one, its place in the fit (-1: none), and why there is none."""

    fit: Fit | None
    place: IntArray
    reason: list[str | None]


def usual_levels(
    measurements: pl.DataFrame,
    participants: pl.DataFrame,
    content: Mapping[str, Any],
    visits: Sequence[Visit],
    published: Mapping[str, str] | None = None,
    scores: pl.DataFrame | None = None,
    started: FloatArray | None = None,
) -> UsualLevels:
    """Return every participant's probability of a usual level above the cut.

    Parameters
    ----------
    measurements, participants : DataFrame
        Harmonised tables of all sites, contracts measurements and participants.
    content : mapping
        A resolved scheme with a block `usual_level`.
    visits : sequence of Visit
        The study's planned visits.
    published : mapping, optional
        The row of within_person.csv that the block names; None where it says `repeats`.
    scores : DataFrame, optional
        Contract scores, for reports of infection.
    started : ndarray, optional
        Study day on which treatment began, one a participant.

    Notes
    -----
    The usual level is the long-run geometric mean outside acute illness: a sample with a reported infection is left
    out, one above the acute cut counts as one that illness may have raised. It is judged from the samples that may
    define the state, given the distribution of usual levels at the participant's site. Somebody without a sample
    could only be given the share of the site, which says nothing of the person, so nothing is said.
    """
    scheme, declared = scheme_rules(content), content["usual_level"]
    cut = threshold_of(declared["cut"], content["thresholds"][declared["cut"]]).value
    samples = log_samples(measurements, participants, scheme, visits, scores, started)
    sites = list(participants["site_id"].unique(maintain_order=True))
    order = {site: number for number, site in enumerate(sites)}
    group = participants["site_id"].cast(pl.String).replace_strict(order, return_dtype=pl.Int64).to_numpy()
    persons = gather(samples, group.astype(np.int64))
    found = _fitted(samples, persons, len(sites), declared, published)
    probability = np.full(group.size, np.nan)
    if found.fit is not None:
        inside = found.place[group] >= 0
        own = _of_sites(samples, found.place[group], inside)
        probability[inside] = probabilities_above(own[1], found.fit.components, float(np.log(cut)))
    probability[persons.n_samples == 0] = np.nan
    method = REPEATS if published is None else PUBLISHED
    return UsualLevels(
        _table(participants, persons, probability, cut, method, [found.reason[site] for site in group]),
        _components(sites, persons, found, method, declared.get("assay_cv")),
    )


def usual_accounts(table: pl.DataFrame, scheme_id: str) -> list[Account]:
    """Return one account a site: every participant comes in and leaves with a probability or the reason for none."""
    counts = table.group_by("site_id", maintain_order=True).len()
    stage = f"usual_level:{scheme_id}"
    return [Account(site, stage, "participant", n_in=n, n_out=n) for site, n in counts.iter_rows()]


def log_samples(
    measurements: pl.DataFrame,
    participants: pl.DataFrame,
    scheme: Scheme,
    visits: Sequence[Visit],
    scores: pl.DataFrame | None,
    started: FloatArray | None,
) -> Samples:
    """Return the logarithms of the samples that count, those beyond a limit or the acute cut as bounds."""
    people = numbered(participants)
    found = samples_of(people, measurements, scheme, visits, scores, started)
    counted = sequences(found, people.height, scheme.samples.apart).counted
    kept = (counted | (found.kind == UNKNOWN)) & (found.kind != INFECTED)
    rows = measurements.select("value", "censoring", "detection_limit")[found.at]
    value, acute = values(rows), scheme.cuts[-1].value
    limit = rows["detection_limit"].fill_null(np.nan).to_numpy().astype(np.float64)
    value = np.where(found.blind & ~censored(rows, "left"), limit, value)  # a standard assay sees nothing below it
    below = censored(rows, "left") | found.blind
    above = ~below & (censored(rows, "right") | (value > acute))
    value = np.where(above, np.minimum(value, acute), value)
    kept &= np.nan_to_num(value) > 0
    return Samples(found.person[kept], np.log(value[kept]), below[kept], above[kept])


def _fitted(
    samples: Samples, persons: Persons, sites: int, declared: Mapping[str, Any], published: Mapping[str, str] | None
) -> _Found:
    """Fit the sites that can be fitted, and say why the others cannot."""
    spread = _spread(samples, persons.group, sites)
    nothing = np.full(sites, -1, dtype=np.int64)
    repeated = int((persons.n_samples > 1).sum())
    if published is None and repeated < declared["minimum_repeats"]:
        return _Found(None, nothing, [NO_REPEATS if repeated == 0 else FEW_REPEATS] * sites)
    within = None if published is None else ln_sd(published, declared.get("assay_cv"))
    place = np.where(spread, np.cumsum(spread) - 1, -1)
    reason: list[str | None] = [None if there else NO_SPREAD for there in spread]
    if not spread.any():
        return _Found(None, nothing, reason)
    own_samples, own = _of_sites(samples, place[persons.group], place[persons.group] >= 0)
    fit = fit_components(own_samples, own, int(spread.sum()), within)
    if not fit.converged:
        return _Found(None, nothing, [one or NOT_CONVERGED for one in reason])
    told = at_least(fit.components.between)
    for site in np.flatnonzero(place >= 0):
        if not told[place[site]]:
            reason[site] = EXCEEDS
    return _Found(fit, np.where([one is None for one in reason], place, -1), reason)


def _spread(samples: Samples, group: IntArray, sites: int) -> BoolArray:
    """Return the sites with two different exact values: fewer tell nothing of a distribution."""
    low, high = np.full(sites, np.inf), np.full(sites, -np.inf)
    at = group[samples.person[samples.exact]]
    np.minimum.at(low, at, samples.value[samples.exact])
    np.maximum.at(high, at, samples.value[samples.exact])
    return np.asarray(high > low)


def _of_sites(samples: Samples, place: IntArray, inside: BoolArray) -> tuple[Samples, Persons]:
    """Return samples and persons of the sites of a fit, numbered anew."""
    number = np.cumsum(inside) - 1
    rows = inside[samples.person]
    own = Samples(number[samples.person[rows]], samples.value[rows], samples.below[rows], samples.above[rows])
    return own, gather(own, place[inside])


def _table(
    participants: pl.DataFrame,
    persons: Persons,
    probability: FloatArray,
    cut: float,
    method: str,
    reason: list[str | None],
) -> pl.DataFrame:
    none = pl.Series("none", persons.n_samples == 0)
    table = participants.select(
        *PERSON,
        pl.lit(cut).alias("cut"),
        pl.Series("probability", np.clip(probability, 0.0, 1.0)).fill_nan(None),
        pl.Series("n_samples", persons.n_samples),
        pl.when(none).then(pl.lit(NO_SAMPLE)).otherwise(pl.Series("reason", reason, dtype=pl.String)).alias("reason"),
        pl.lit(method).alias("method"),
    )
    return conform(table.with_columns(pl.col("probability").is_not_null().alias("identified")), "usual_levels")


def _components(sites: list[str], persons: Persons, found: _Found, method: str, assay_cv: float | None) -> pl.DataFrame:
    number = len(sites)
    sums = {
        "n_people": persons.n_samples > 0,
        "n_samples": persons.n_samples,
        "n_below": persons.n_below,
        "n_above": persons.n_above,
        "n_repeated": persons.n_samples > 1,
    }
    counts = {name: np.bincount(persons.group, flags, number).astype(np.int64) for name, flags in sums.items()}
    known = found.place >= 0
    fitted = found.fit.components if found.fit is not None else None
    return conform(
        pl.DataFrame(
            {
                "site_id": pl.Series(sites, dtype=pl.String),
                **counts,
                **{name: pl.Series(column).fill_nan(None) for name, column in _numbers(fitted, found, known).items()},
                "assay_sd": pl.Series([_assay_sd(assay_cv)] * number, dtype=pl.Float64),
                "method": pl.Series([method] * number, dtype=pl.String),
                "reason": pl.Series(found.reason, dtype=pl.String),
            }
        ),
        "usual_components",
    )


def _numbers(fitted: Components | None, found: _Found, known: BoolArray) -> dict[str, FloatArray]:
    empty = np.full(known.size, np.nan)
    if fitted is None:
        return dict.fromkeys(("ln_mean", "between_sd", "within_sd", "acute_share"), empty)
    return {
        "ln_mean": np.where(known, fitted.mean[found.place], np.nan),
        "between_sd": np.where(known, fitted.between[found.place], np.nan),
        "within_sd": np.where(known, fitted.within, np.nan),
        "acute_share": np.where(known, fitted.acute, np.nan),
    }


def _assay_sd(assay_cv: float | None) -> float | None:
    return None if assay_cv is None else float(np.sqrt(np.log1p(assay_cv**2)))
