"""The Maudsley Staging Method: points for duration, severity, failures, augmentation and ECT, added to a stage."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ember.history.answers import any_known, named_where
from ember.history.lists import PERSON
from ember.registry.registry import Registry, Row

PARTS = ("duration", "severity", "failures", "augmentation", "ect")
USED = ("augmentation", "ect")


def maudsley(
    people: pl.DataFrame, trials: pl.DataFrame, trd: pl.DataFrame, listed: dict[str, pl.Series], registry: Registry
) -> pl.DataFrame:
    """Return for each participant the points of each part, their total and its band.

    Parameters
    ----------
    people : DataFrame
        Contract `participants`: `episode_months` and `episode_severity`.
    trials : DataFrame
        Contract `treatment_trials`.
    trd : DataFrame
        As from `resistance`, in the order of `people`.
    listed : dict of str to Series of bool
        For `failures`, `augmentation` and `ect`: whether every treatment of that part is listed.

    Returns
    -------
    DataFrame
        The `msm` columns of the contract `history`.

    Notes
    -----
    Fekadu et al. 2009 and 2018. A part is known or it is not; with one that is not there is no total and no band, and
    `msm_missing` names it. Failures are known where unknown trials would not change their points. Without any failed
    trial the method has no stage. Trials count as for TRD: antidepressants of the current episode, each once.
    """
    rows = {part: _rows(registry, part) for part in (*PARTS, "band")}
    told = pl.concat([people, trd, _used(people, trials, rows)], how="horizontal")
    told = told.with_columns(series.alias(f"listed_{part}") for part, series in listed.items())
    most = pl.when("listed_failures").then(pl.col("trd_n_adequate_failures") + pl.col("trd_n_unknown"))
    least = _points(pl.col("trd_n_adequate_failures"), rows["failures"])
    highest = max(int(row["points"]) for row in rows["failures"])
    settled = (least == _points(most, rows["failures"])) | (least == highest)
    points = {
        "duration": _points(pl.col("episode_months"), rows["duration"]),
        "severity": _severity(rows["severity"]),
        "failures": pl.when(settled).then(least),
        **{part: _points_used(part, rows[part]) for part in USED},
    }
    scored = told.with_columns(expr.cast(pl.Int16).alias(f"msm_{part}") for part, expr in points.items())
    parts = [f"msm_{part}" for part in PARTS]
    total = pl.when(~pl.any_horizontal(pl.col(parts).is_null())).then(pl.sum_horizontal(parts))
    none_failed = pl.col("listed_failures") & (most == 0)
    absent = {part: pl.col(f"msm_{part}").is_null() for part in PARTS}
    named = {
        **{part: absent[part] for part in ("duration", "severity")},
        "failures (none)": absent["failures"] & none_failed,
        "failures": absent["failures"] & ~none_failed,
        **{part: absent[part] for part in USED},
    }
    return scored.with_columns(total.cast(pl.Int16).alias("msm_total")).select(
        "msm_total",
        *parts,
        _band(pl.col("msm_total"), rows["band"]).alias("msm_band"),
        named_where(named).alias("msm_missing"),
    )


def _rows(registry: Registry, part: str) -> list[Row]:
    return [row for row in registry.rows("staging") if (row["scheme"], row["part"]) == ("maudsley", part)]


def _inside(number: pl.Expr, row: Row) -> pl.Expr:
    """Return where a number lies above the row's `above` and not above its `to`."""
    low = number > float(row["above"]) if row["above"] else number.is_not_null()
    return low & (number <= float(row["to"])) if row["to"] else low


def _points(number: pl.Expr, rows: Sequence[Row]) -> pl.Expr:
    return pl.coalesce(*(pl.when(_inside(number, row)).then(pl.lit(int(row["points"]))) for row in rows))


def _band(total: pl.Expr, rows: Sequence[Row]) -> pl.Expr:
    return pl.coalesce(*(pl.when(_inside(total, row)).then(pl.lit(row["level"])) for row in rows))


def _severity(rows: Sequence[Row]) -> pl.Expr:
    points = {row["level"]: int(row["points"]) for row in rows}
    return pl.col("episode_severity").replace_strict(points, default=None, return_dtype=pl.Int16)


def _points_used(part: str, rows: Sequence[Row]) -> pl.Expr:
    points = {row["level"]: int(row["points"]) for row in rows}
    # Nobody listed it: only a complete list says that it was not used.
    known = (
        pl.when(pl.col(f"used_{part}")).then(True).when(~pl.col(f"used_{part}") & pl.col(f"listed_{part}")).then(False)
    )
    return pl.when(known).then(pl.lit(points["used"])).when(~known).then(pl.lit(points["not_used"]))


def _used(people: pl.DataFrame, trials: pl.DataFrame, rows: dict[str, list[Row]]) -> pl.DataFrame:
    """Return for each participant whether augmentation and ECT are listed in the current episode; null: it may be."""
    current = (pl.col("episode") == "current") & (pl.col("role") != "arm")
    answers = []
    for part in USED:
        name = rows[part][0]["counts"]
        is_it = (pl.col("kind") == name) | (pl.col("treatment") == name)  # null where the name is not in the registry
        is_it = pl.when(pl.col("treatment").is_null()).then(None).otherwise(is_it)
        answers.append(any_known(is_it & current).alias(f"used_{part}"))
    found = trials.group_by(list(PERSON), maintain_order=True).agg(answers)
    joined = people.select(PERSON).join(found, on=list(PERSON), how="left", maintain_order="left")
    with_trials = people.select(PERSON).join(
        found.select(*PERSON, pl.lit(True).alias("any")), on=list(PERSON), how="left", maintain_order="left"
    )["any"]
    without = with_trials.is_null()
    return joined.select(
        pl.when(without).then(pl.lit(False)).otherwise(pl.col(f"used_{part}")).alias(f"used_{part}") for part in USED
    )
