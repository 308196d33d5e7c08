"""Counts of values on a logarithmic grid: all that the evidence about units looks at, and small at any size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.distinct import Distinct

Floats = NDArray[np.float64]

LOWEST, HIGHEST, STEP = -10.0, 10.0, 0.02
N_BINS = round((HIGHEST - LOWEST) / STEP)
EDGES: Floats = np.linspace(LOWEST, HIGHEST, N_BINS + 1)

GROUPS = ("batch", "source_file", "from_unit", "period", "visit")
"""What a site's values are grouped by, in the order in which a slip is looked for."""

KEYS = ("analyte", *GROUPS, "censoring", "decimals", "own_limit")
TYPES = {
    **dict.fromkeys(("analyte", *GROUPS, "censoring"), pl.String()),
    "decimals": pl.Int8(),
    "own_limit": pl.Boolean(),
    "bin": pl.Int16(),
    "n": pl.Int64(),
}


def count_values(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return how many values of a site, or of a share of it, lie in each bin.

    Parameters
    ----------
    measurements : DataFrame
        Columns analyte, value (canonical; the limit where censored), censoring ("none", "left" or "right"); and,
        where there are any, batch, source_file, from_unit, period ("YYYY-MM" of sampling), visit, decimals (of the
        reported text), limit_reported (not null where the file itself gives the limit) and n (how many values a row
        stands for; one without it).

    Returns
    -------
    DataFrame
        Columns analyte, batch, source_file, from_unit, period, visit, censoring, decimals, own_limit, bin (of
        log10(value), 0.02 decades wide) and n; in no order. Values without logarithm are left out.

    Notes
    -----
    Counts of shares add up to the counts of the site (`add_counts`), so a site need not lie in memory. A bin of 0.02
    decades is 5 % of a value: below the coefficient of variation of any assay here.
    """
    value = pl.col("value")
    usable = measurements.lazy().filter(value.is_finite() & (value > 0))
    place = ((value.log10() - LOWEST) / STEP).floor().clip(0, N_BINS - 1).cast(pl.Int16).alias("bin")
    own = pl.col("limit_reported").is_not_null() & (pl.col("censoring") == "left")
    given = set(measurements.columns)
    constants = [name for name in KEYS if name not in given and name != "own_limit"]
    columns = [pl.col(name) for name in KEYS if name in given and name != "own_limit"]  # categories group faster
    columns += [(own if "limit_reported" in given else pl.lit(False)).alias("own_limit"), place]
    narrow = usable.select(*columns, pl.col("n") if "n" in given else pl.lit(1, pl.Int64).alias("n")).collect()
    looked_at = [name for name in narrow.columns if name != "n"]
    varying = [name for name in looked_at if not _is_constant(narrow[name])] or ["bin"]
    counted = narrow.group_by(varying).agg(pl.col("n").sum())
    same = [pl.lit(narrow[name][0], dtype=TYPES[name]).alias(name) for name in looked_at if name not in varying]
    absent = [pl.lit(None, dtype=TYPES[name]).alias(name) for name in constants]
    return _arranged(counted.with_columns(*(same if narrow.height else ()), *absent))


def add_counts(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the counts of a site from those of its shares."""
    return _arranged(pl.concat(parts).group_by([*KEYS, "bin"]).agg(pl.col("n").sum()))


def _is_constant(column: pl.Series) -> bool:
    column = column.to_physical() if column.dtype == pl.Categorical else column  # texts would be put in order
    return column.len() > 0 and (
        column.null_count() == column.len() or (column.null_count() == 0 and bool(column.min() == column.max()))
    )


def _arranged(counts: pl.DataFrame) -> pl.DataFrame:
    if counts.height == 0:
        return pl.DataFrame(schema=TYPES)
    return counts.select(pl.col(name).cast(kind) for name, kind in TYPES.items())


def histogram(counts: pl.DataFrame) -> Floats:
    """Return the number of values in each bin; shape (bins,)."""
    return np.bincount(counts["bin"].to_numpy(), weights=counts["n"].to_numpy(), minlength=N_BINS).astype(np.float64)


def histograms_by(counts: pl.DataFrame, group: str) -> tuple[list[str], Floats]:
    """Return the values of a group column, sorted, and the histogram of each; shape (groups, bins)."""
    labels = counts[group].drop_nulls().unique().sort()
    if not len(labels):
        return [], np.zeros((0, N_BINS))
    known = counts.filter(pl.col(group).is_not_null())
    index = known[group].replace_strict(labels, pl.int_range(len(labels), eager=True), return_dtype=pl.Int64)
    place = index.to_numpy() * N_BINS + known["bin"].to_numpy()
    flat = np.bincount(place, weights=known["n"].to_numpy(), minlength=len(labels) * N_BINS)
    return labels.to_list(), flat.reshape(len(labels), N_BINS).astype(np.float64)


def quantile(histograms: Floats, share: float) -> Floats:
    """Return a quantile of log10(value) of each histogram, interpolated within its bin; shape (groups,).

    Parameters
    ----------
    histograms : ndarray, shape (groups, bins)
        An empty histogram has the quantile nan.
    """
    cumulated = np.cumsum(histograms, axis=1)
    total = cumulated[:, -1]
    target = share * total
    place = (cumulated < target[:, None]).sum(axis=1).clip(0, N_BINS - 1)
    rows = np.arange(len(histograms))
    inside = histograms[rows, place]
    below = cumulated[rows, place] - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        found = EDGES[place] + STEP * (target - below) / inside
    return np.asarray(np.where(total > 0, found, np.nan), dtype=np.float64)


def spread(histograms: Floats) -> Floats:
    """Return a robust standard deviation of log10(value) of each histogram; shape (groups,).

    Notes
    -----
    From the median to the upper quartile, over 0.6745 (normal theory): the lower half may be a limit of the
    laboratory. It is at least one bin.
    """
    return np.asarray(np.maximum((quantile(histograms, 0.75) - quantile(histograms, 0.5)) / 0.6745, STEP))


@lru_cache(maxsize=1)
def centres() -> Floats:
    """Return the middle of each bin; shape (bins,)."""
    return np.asarray((EDGES[:-1] + EDGES[1:]) / 2)


def with_decimals(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return measurements with `decimals`, the number of digits after the last point or comma of the reported text."""
    told = Distinct.of(measurements["value_reported"])
    digits = told.read(lambda text: text.str.extract(r"[.,](\d+)\s*$").str.len_chars().fill_null(0))
    return measurements.with_columns(digits.clip(0, 100).cast(pl.Int8).alias("decimals"))
