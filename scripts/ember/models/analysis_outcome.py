"""The outcome of an analysis: each site's instrument of the construct, at baseline and at the visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.cuts import FloatArray, holds
from ember.endotypes.results import PERSON
from ember.errors import EmberError
from ember.registry.registry import Registry, Row

POOLED = ("two_stage", "one_stage", "random_intercept")
RAW_SCALES = ("points", "cut")
"""Scales that mean something only within one instrument."""

MEANS = ("points", "reference_sd")
"""Scales of averages, which the error of a link widens but does not bias."""

NUMBERS = ("baseline", "outcome", "outcome_points")

Scores = FloatArray
Conversion = Callable[[Scores, Scores], Scores]


def outcome_columns(
    people: pl.DataFrame, scores: pl.DataFrame, analysis: Mapping[str, Any], registry: Registry
) -> pl.DataFrame:
    """Return `instrument`, `baseline`, `outcome` and `outcome_points`, one row a person.

    Parameters
    ----------
    people : DataFrame
        `site_id` and `participant_id` in the order of the rows.
    scores : DataFrame
        Contract scores.
    analysis : mapping
        Content of analyses/<analysis>.yaml; without `outcome:` all four are null.

    Raises
    ------
    EmberError
        A site has several instruments of the construct and none is declared; an instrument lacks the registry
        entries that the scale needs; points of several instruments, or versions of one, would be pooled; linked
        scores enter without a word of the analysis.

    Notes
    -----
    The scale reference_sd, (score - reference mean) / reference SD, puts instruments side by side by declaration
    only: it does not make their items measure the same thing. Response and remission stay within the instrument.
    """
    declared = analysis.get("outcome")
    if declared is None:
        nothing = pl.Series([None] * people.height, dtype=pl.Float64)
        return pl.DataFrame({"instrument": nothing.cast(pl.String), **dict.fromkeys(NUMBERS, nothing)})
    where = f"analyses/{analysis['analysis']}.yaml  outcome"
    visits = [visit for visit in (declared.get("baseline"), declared["visit"]) if visit is not None]
    usable = scores.filter((pl.col("construct") == declared["construct"]) & pl.col("visit").is_in(visits))
    if "instrument" in declared:
        usable = usable.filter(pl.col("instrument") == declared["instrument"])
    usable = _with_declared_links(usable, declared, where)
    by_site = _instrument_of_sites(usable, where)
    rows = {name: registry.row("instruments", name) for name in dict.fromkeys(by_site.values())}
    _check_comparable(rows, analysis, where)
    _check_versions(rows, usable, analysis, where)
    instrument = people["site_id"].replace_strict(by_site, default=None, return_dtype=pl.String)
    points = _points(people, usable, declared["visit"])
    before = _points(people, usable, declared["baseline"]) if "baseline" in declared else np.full(people.height, np.nan)
    outcome, baseline = np.full(people.height, np.nan), np.full(people.height, np.nan)
    for name, row in rows.items():
        at = (instrument == name).fill_null(False).to_numpy()
        to_outcome, to_baseline = _conversions(declared, row, where, several=len(rows) > 1)
        outcome[at], baseline[at] = to_outcome(points[at], before[at]), to_baseline(before[at], before[at])
    numbers = dict(zip(NUMBERS, (baseline, outcome, points), strict=True))
    return pl.DataFrame(
        [instrument.alias("instrument"), *(pl.Series(name, x).fill_nan(None) for name, x in numbers.items())]
    )


def _instrument_of_sites(scores: pl.DataFrame, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for site, name in scores.select("site_id", "instrument").unique(maintain_order=True).iter_rows():
        if site in found:
            names = scores.filter(pl.col("site_id") == site)["instrument"].unique(maintain_order=True)
            raise EmberError(
                f"{site} has several instruments of the construct.",
                where=where,
                allowed=names,
                fix="Say which under `instrument:`.",
            )
        found[site] = name
    return found


def _with_declared_links(scores: pl.DataFrame, declared: Mapping[str, Any], where: str) -> pl.DataFrame:
    """Return the scores without linked ones, or with them where the analysis says so.

    Notes
    -----
    A linked score is a mean about which a person lies with the error of the link, so it can enter an average and
    nobody's response or remission. Native scores alone are the sensitivity analysis to it.
    """
    linked = scores["origin"] == "linked"
    if not linked.any():
        return scores
    said = declared.get("linked")
    if said is None:
        raise EmberError(
            "Some scores of the outcome are linked from another instrument.",
            where=where,
            allowed=("included", "excluded"),
            fix="Say `linked: included`, and run the native scores alone beside it, or `linked: excluded`.",
        )
    if said == "excluded":
        return scores.filter(~linked)
    if declared["scale"] not in MEANS:
        raise EmberError(
            f"The scale {declared['scale']} judges single people, and some scores are linked from another instrument.",
            where=where,
            allowed=MEANS,
            fix="Say `linked: excluded`.",
        )
    unknown = scores.filter(linked & scores["link_error_sd"].is_null())["crosswalk"].unique(maintain_order=True)
    if len(unknown):
        raise EmberError(
            f"The source of the crosswalk {unknown[0]} states no error for a linked score.",
            where=where,
            fix="Say `linked: excluded`; such scores are for description.",
        )
    return scores


def _check_versions(rows: Mapping[str, Row], scores: pl.DataFrame, analysis: Mapping[str, Any], where: str) -> None:
    """Refuse to pool versions of one instrument, on any scale: 17 and 21 items, 3 and 5 levels, two value sets."""
    pooled = [model["id"] for model in analysis["models"] if model.get("pool") in POOLED]
    if not pooled:
        return
    for group in dict.fromkeys(row["version_group"] for row in rows.values() if row.get("version_group")):
        versions = [name for name, row in rows.items() if row.get("version_group") == group]
        if len(versions) > 1:
            raise EmberError(
                f"The model '{pooled[0]}' pools versions of one instrument: {', '.join(versions)}.",
                where=where,
                fix="Declare one `instrument:`, exclude the other sites, or keep sites apart (`pool: by_site`).",
            )
    for name in rows:
        sets = scores.filter(pl.col("instrument") == name)["version"].drop_nulls().unique(maintain_order=True)
        if len(sets) > 1:
            raise EmberError(
                f"The model '{pooled[0]}' pools {name} of several value sets: {', '.join(sets)}.",
                where=where,
                fix="Let all sites compute the index with one value set, or keep them apart (`pool: by_site`).",
            )


def _check_comparable(rows: Mapping[str, Row], analysis: Mapping[str, Any], where: str) -> None:
    scale = analysis["outcome"]["scale"]
    if len(rows) > 1 and scale in RAW_SCALES:
        pooled = [model["id"] for model in analysis["models"] if model.get("pool") in POOLED]
        if pooled:
            raise EmberError(
                f"The model '{pooled[0]}' pools scores in {scale} of several instruments: {', '.join(rows)}.",
                where=where,
                fix="Use `scale: reference_sd`, declare one `instrument:`, or keep sites apart (`pool: by_site`).",
            )
    if len({row["direction"] for row in rows.values()}) > 1:
        raise EmberError(f"Higher is better in some of {', '.join(rows)} and worse in others.", where=where)


def _points(people: pl.DataFrame, scores: pl.DataFrame, visit: str) -> Scores:
    at = scores.filter(pl.col("visit") == visit).select(*PERSON, "score")
    joined = people.select(PERSON).join(at, on=PERSON, how="left", maintain_order="left")
    return joined["score"].fill_null(float("nan")).to_numpy().astype(np.float64)


def _conversions(declared: Mapping[str, Any], row: Row, where: str, several: bool) -> tuple[Conversion, Conversion]:
    """Return how points become the outcome and the baseline; both take (points, baseline points).

    The baseline that a binary outcome is adjusted for stands in reference SD where several instruments meet, so that
    one slope can mean the same thing for all, and in points where there is one instrument.
    """
    scale = declared["scale"]
    if scale == "points":
        return _as_points, _as_points
    baseline = _in_reference_sd(row, where) if several or scale == "reference_sd" else _as_points
    return (baseline if scale == "reference_sd" else _binary(declared, row, where)), baseline


def _in_reference_sd(row: Row, where: str) -> Conversion:
    mean, sd = (float(_entry(row, column, where)) for column in ("reference_mean", "reference_sd"))
    return lambda score, _: (score - mean) / sd


def _binary(declared: Mapping[str, Any], row: Row, where: str) -> Conversion:
    scale = declared["scale"]
    if scale == "response":
        return _response(declared, row, where)
    if scale == "remission":
        symbol, value = (_entry(row, column, where) for column in ("remission_operator", "remission_value"))
        return _condition(symbol, float(value))
    if "cut" not in declared:
        raise EmberError("The scale `cut` needs its `cut:`.", where=where)
    return _condition(declared["cut"]["operator"], declared["cut"]["value"])


def _as_points(score: Scores, _: Scores) -> Scores:
    return score


def _condition(symbol: str, threshold: float) -> Conversion:
    def meets(score: Scores, _: Scores) -> Scores:
        return np.where(np.isnan(score), np.nan, holds(score, symbol, threshold).astype(np.float64))

    return meets


def _response(declared: Mapping[str, Any], row: Row, where: str) -> Conversion:
    rule, _, percent = _entry(row, "response_rule", where).partition("_")
    if rule != "fall" or not percent.isdigit() or row["direction"] != "higher_worse":
        raise EmberError(f"The response rule of {row['instrument']} is not a fall by a percentage.", where=where)
    if "baseline" not in declared:
        raise EmberError("Response is a fall from baseline: say at which visit under `baseline:`.", where=where)
    remaining = (100 - int(percent)) / 100

    # A fall is a share of the baseline, so without points at baseline there is none to speak of, unless declared.
    lowest = 0.0 if declared.get("zero_baseline") == "counted" else np.nextafter(0.0, 1.0)

    def responds(score: Scores, before: Scores) -> Scores:
        known = ~np.isnan(score) & (np.nan_to_num(before, nan=-1.0) >= lowest)
        return np.where(known, (score <= remaining * before).astype(np.float64), np.nan)

    return responds


def _entry(row: Row, column: str, where: str) -> str:
    if not row[column]:
        raise EmberError(
            f"{row['instrument']} has no {column} in config/registry/instruments.csv.",
            where=where,
            fix="Add it with its source, or use another `scale:`.",
        )
    return row[column]
