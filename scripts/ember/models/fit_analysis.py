"""All models of one analysis file: estimates and curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.models.contract import Effect, FloatArray, effect
from ember.models.estimate_rows import Row, estimate_row, estimates_table
from ember.models.fit_regression import Fitted, effect_at, fit_regression, pool_effects, terms
from ember.models.fit_survey import fit_survey
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
        if model.curve and plan.treatment and plan.exposure:
            curves += effect_curve(inside, plan, model, fits)
    if plan.composite:
        rows.append(_composite_row(inside, plan))
    headline = terms(plan, plan.models[0])[:1]
    schema = polars_schema("curves")
    table = pl.DataFrame({name: [row.get(name) for row in curves] for name in schema}, schema=schema)
    return estimates_table(rows, plan, headline), conform(table, "curves")


def effect_curve(inside: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, fits: Sequence[Fitted]) -> list[Row]:
    """Return the treatment effect from the lowest to the highest decile point of the exposure, and these points.

    Notes
    -----
    At each exposure the sites' lines are evaluated and pooled like any other effect. The range ends at the outer
    decile points: beyond them few participants carry the line, and extremes could point at persons.
    """
    values = inside["exposure_value"].to_numpy()
    deciles = np.percentile(values, DECILES)
    centres = {fitted.site: _centre(inside, fitted.site) for fitted in fits}
    common = {
        "analysis": plan.id,
        "model_id": model.id,
        "site": None,
        "unit": plan.unit,
        "scale": plan.outcome["scale"],
    }
    rows: list[Row] = [{**common, "kind": "rug", "at": float(point)} for point in deciles]
    for point in np.geomspace(deciles[0], deciles[-1], CURVE_POINTS):
        effects = [effect_at(fitted, float(np.log2(point)), centres[fitted.site]) for fitted in fits]
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


def _centre(inside: pl.DataFrame, site: str | None) -> float:
    rows = inside if site is None else inside.filter(pl.col("site_id") == site)
    offset: FloatArray = np.log2(rows["exposure_value"].to_numpy()) - rows["exposure"].to_numpy()
    return float(offset.mean())


def _composite_row(inside: pl.DataFrame, plan: AnalysisPlan) -> Row:
    values = inside["composite"].drop_nulls().to_numpy()
    spread: Effect = effect(float(values.std(ddof=1)), float("nan"), 0.0)
    return estimate_row(
        plan, plan.models[0], "composite_sd", spread, level="one_stage", site=None, estimand="description",
        scale="sd", n=int(values.size), n_participants=int(values.size), adjustment="none",
    )  # fmt: skip
