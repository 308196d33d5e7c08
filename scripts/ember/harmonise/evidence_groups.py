"""A batch, file, unit header, month or visit of a site against the rest of the site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.evidence_counts import GROUPS, Floats, histogram, histograms_by, quantile, spread
from ember.harmonise.evidence_demands import Demands
from ember.harmonise.evidence_suspicion import Suspicion, group_labels, usual_unit


@dataclass(frozen=True)
class Shifts:
    """How far each group lies from the rest, in decades, with its standard error; each of shape (groups,)."""

    shift: Floats
    error: Floats
    n: Floats
    judged: NDArray[np.bool_]


def suspect_groups(
    counts: pl.DataFrame, analyte: str, exponents: Sequence[float], demands: Demands, taken: set[str]
) -> list[Suspicion]:
    """Return the groups of one analyte whose size contradicts the rest of the site.

    Parameters
    ----------
    counts : DataFrame
        Counts of one site and one analyte (`count_values`).
    taken : set of str
        Labels that are in use; grows.

    Notes
    -----
    Kinds of groups are looked at one after the other, and values that an error already names are left out of the
    next: a batch that is also a file and a month is one finding.
    """
    found: list[Suspicion] = []
    for group in GROUPS:
        errors = [one.counts() for one in found if one.severity == "error"]
        rest = counts.filter(~pl.any_horizontal(errors)) if errors else counts
        for suspicion in _suspect(rest, analyte, group, exponents, demands, taken):
            if suspicion.severity == "error" or not any(other.exponent == suspicion.exponent for other in found):
                found.append(suspicion)
    return found


def _suspect(
    counts: pl.DataFrame, analyte: str, group: str, exponents: Sequence[float], demands: Demands, taken: set[str]
) -> Iterator[Suspicion]:
    """Yield the groups of one kind: the furthest first, and the rest without it, so that it accuses no other group."""
    values, of_groups = histograms_by(counts, group)
    labels = group_labels(group, values, taken)
    _, censored = histograms_by(counts.with_columns(pl.col("n") * (pl.col("censoring") != "none")), group)
    n_censored = float(counts.filter(pl.col("censoring") != "none")["n"].sum())
    total, left = histogram(counts), np.ones(len(values), dtype=bool)
    while left.any():
        shifts = shifts_from_rest(of_groups, total, censored.sum(axis=1), n_censored, demands)
        graded = {
            int(index): grade
            for index in np.flatnonzero(shifts.judged & left)
            if (grade := _grade(shifts, int(index), group, exponents, demands)) is not None
        }
        errors = sorted((i for i in graded if graded[i][1] == "error"), key=lambda i: -abs(shifts.shift[i]))
        # Of two halves neither is nearer to the rest: both are named.
        halves = len(errors) == 2 and float(of_groups[errors].sum()) == float(total.sum())
        named = (errors if halves else errors[:1]) or list(graded)
        for index in named:
            inside, n = counts.filter(pl.col(group) == values[index]), int(shifts.n[index])
            yield Suspicion(
                analyte, group, values[index], labels[values[index]], graded[index][0], usual_unit(inside), n,
                int(total.sum()) - n, graded[index][1],
            )  # fmt: skip
        if halves or not errors:
            return
        left[named] = False
        total, n_censored = total - of_groups[named[0]], n_censored - float(censored[named[0]].sum())


def _grade(
    shifts: Shifts, index: int, group: str, exponents: Sequence[float], demands: Demands
) -> tuple[float, str] | None:
    spread_between = float(getattr(demands, f"spread_{group}"))
    return grade_shift(float(shifts.shift[index]), float(shifts.error[index]), spread_between, exponents, demands)


def shifts_from_rest(of_groups: Floats, total: Floats, censored: Floats, n_censored: float, demands: Demands) -> Shifts:
    """Return the distance of each group's median from that of all other values.

    Parameters
    ----------
    of_groups : ndarray, shape (groups, bins)
    total : ndarray, shape (bins,)
        All values of the site, those without group included.
    censored : ndarray, shape (groups,)
        Number of censored values in each group; `n_censored` in all.

    Notes
    -----
    Medians of logarithms, because the values are skewed and a few acute ones must not decide; standard error of a
    median 1.2533 SD / sqrt(n) (normal theory). Where half of the values are censored the median is a limit of the
    laboratory and no evidence.
    """
    others = total[None, :] - of_groups
    n, n_others = of_groups.sum(axis=1), others.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = [1.2533 * spread(one) / np.sqrt(size) for one, size in ((of_groups, n), (others, n_others))]
        share = np.maximum(censored / n, (n_censored - censored) / n_others)
    judged = (n >= demands.least_in_group) & (n_others >= demands.least_in_others) & (share < demands.most_censored)
    shift = quantile(of_groups, 0.5) - quantile(others, 0.5)
    return Shifts(shift, np.hypot(*errors), n, judged)


def grade_shift(
    shift: float, error: float, extra: float, exponents: Sequence[float], demands: Demands
) -> tuple[float, str] | None:
    """Return the factor in decades that explains a shift, and how sure that is; None where nothing has to be said.

    Parameters
    ----------
    shift, error : float
        Distance from the rest in decades, and its standard error.
    extra : float
        Standard deviation of true medians between such groups.

    Notes
    -----
    The shift is normal about the factor, or about none, with the sampling error and the spread between groups as
    variance; the log odds follow. An error also lies `group_standard_errors` sampling errors away from the rest.
    """
    variance = error**2 + extra**2
    odds = {exponent: (shift**2 - (shift - exponent) ** 2) / (2 * variance) for exponent in exponents}
    best = max(odds, key=lambda exponent: odds[exponent])
    if abs(shift - best) > demands.group_misfit + 2 * error:
        return None
    if odds[best] >= demands.group_error and abs(shift) >= demands.group_standard_errors * error:
        return best, "error"
    clear = abs(shift) >= demands.group_warning_errors * variance**0.5
    return (best, "warning") if odds[best] >= demands.group_warning and clear else None
