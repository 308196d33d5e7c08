"""All models of one analysis file: estimates and curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.models.contract import Effect, FloatArray, effect
from ember.models.estimate_rows import Row, estimate_row, estimates_table, missing_row
from ember.models.fit_regression import fit_regression, pool_effects, terms
from ember.models.fit_survey import fit_survey
from ember.models.fitted import Fitted
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.tables.store import conform, polars_schema

CURVE_POINTS = 41
DECILES = tuple(range(10, 100, 10))


def fit_analysis(frame: pl.DataFrame, plan: AnalysisPlan) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fit every model of an analysis.

    Parameters
    ----------
    frame : DataFrame
        Contract `analysis_set`, all rows.

    Returns
    -------
    estimates, curves : DataFrame
        Contracts `estimates` and `curves`.
    """
    inside = frame.filter("in_set")
    rows: list[Row] = []
    curves: list[Row] = []
    for model in plan.models:
        if model.family.startswith("survey"):
            rows += fit_survey(frame, plan, model)
            continue
        found, fits = fit_regression(inside, plan, model)
        rows += found
        if model.curve:
            apart = [[fitted] for fitted in fits] if model.pool == "by_site" else [fits] if fits else []
            for joined in apart:
                curves += effect_curve(inside, plan, model, joined)
    if plan.composite:
        rows.append(_composite_row(inside, plan))
    headline = terms(plan, plan.models[0])[:1]
    schema = polars_schema("curves")
    table = pl.DataFrame({name: [row.get(name) for row in curves] for name in schema}, schema=schema)
    return estimates_table(rows, plan, headline), conform(table, "curves")


def effect_curve(inside: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, fits: Sequence[Fitted]) -> list[Row]:
    """Return the treatment effect from the lowest to the highest decile point of the exposure, and these points.

    Parameters
    ----------
    inside : DataFrame
        Rows in the set.
    fits : sequence of Fitted
        One fit, or those of several sites to be pooled.

    Notes
    -----
    At each exposure the sites' lines are evaluated and pooled like any other effect. The mean exposure of a site is
    taken as known; in a joint model with a centred exposure the curve is that of the average participant. The range
    ends at the outer decile points: beyond them few participants carry the line, and extremes could point at persons.
    """
    rows_of = [_rows_of(inside, fitted) for fitted in fits]
    deciles = np.percentile(np.concatenate([rows["exposure_value"].to_numpy() for rows in rows_of]), DECILES)
    centres = [_centre(rows) for rows in rows_of]
    common = {
        "analysis": plan.id,
        "model_id": model.id,
        "site": fits[0].site if model.pool == "by_site" else None,
        "unit": plan.unit,
        "scale": "log_odds_ratio" if model.family == "logistic" else plan.outcome["scale"],
    }
    rows: list[Row] = [{**common, "kind": "rug", "at": float(point)} for point in deciles]
    for point in np.geomspace(deciles[0], deciles[-1], CURVE_POINTS):
        effects = [fit.effect_at(float(np.log2(point)), centre) for fit, centre in zip(fits, centres, strict=True)]
        value = pool_effects(effects, model).effect if len(effects) > 1 else effects[0]
        rows.append(
            {
                **common,
                "kind": "effect",
                "at": float(point),
                "estimate": value.estimate,
                "std_error": value.std_error,
                "conf_low": value.conf_low,
                "conf_high": value.conf_high,
            }
        )
    return rows


def _rows_of(inside: pl.DataFrame, fitted: Fitted) -> pl.DataFrame:
    return inside.filter(pl.col("site_id").is_in([block.site for block in fitted.design.rows]))


def _centre(rows: pl.DataFrame) -> float:
    """Return the mean of what was taken off log2 of the exposure: zero where it was not centred."""
    offset: FloatArray = np.log2(rows["exposure_value"].to_numpy()) - rows["exposure"].to_numpy()
    return float(offset.mean())


def _composite_row(inside: pl.DataFrame, plan: AnalysisPlan) -> Row:
    values = inside["composite"].drop_nulls().to_numpy()
    if values.size < 2:
        place = {"level": "one_stage", "site": None, "estimand": "description", "scale": "sd", "adjustment": "none"}
        return missing_row(plan, plan.models[0], "composite_sd", "Fewer than two composites.", **place)
    spread: Effect = effect(float(values.std(ddof=1)), float("nan"), float(values.size - 1))
    return estimate_row(
        plan, plan.models[0], "composite_sd", spread, level="one_stage", site=None, estimand="description",
        scale="sd", n=int(values.size), n_participants=int(values.size), adjustment="none",
    )  # fmt: skip
