"""A judgement as tables: the conditions of the rule, what every witness says, and the curves behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.cuts import FloatArray, IntArray
from ember.endotypes.discreteness.beside import Variability
from ember.endotypes.discreteness.curves import POINTS, densities, mambac_cuts, people_beyond
from ember.endotypes.discreteness.judgement import Judgement
from ember.endotypes.discreteness.likelihood_ratio import Ratio
from ember.endotypes.discreteness.shapes import sinh_arcsinh_density, two_normals_density
from ember.endotypes.discreteness.witnesses import CURVES, Comparison, Witnesses
from ember.tables.store import conform

ALL, COMPOSITE = "all", "composite"
DIGITS = 6
DRAWN_VARIANTS = ("all", "without_acute")
Row = dict[str, Any]


def condition_table(name: str, plan: dict[str, Any], judged: Judgement) -> pl.DataFrame:
    """Return one row a condition of the rule (contract verdict_conditions)."""
    rows, numbers = [], {"type": 0, "shift": 0}
    for holding in judged.holdings:
        numbers[holding.decision] += 1
        rows.append(
            {
                "verdict": name,
                "verdict_label": plan["label"],
                "found": judged.verdict,
                "number": numbers[holding.decision],
                **vars(holding),
            }
        )
    return conform(pl.DataFrame(rows, infer_schema_length=None), "verdict_conditions")


def witness_table(
    name: str, plan: dict[str, Any], judged: Judgement, sites: Sequence[str], beside: Sequence[Variability]
) -> pl.DataFrame:
    """Return one row a witness, variant, site and marker (contract verdict_witnesses)."""
    rows = []
    for variant, seen in judged.witnesses.items():
        rows += [{"variant": variant, **row} for row in _witness_rows(seen, judged.told[variant], plan, sites)]
        for one in beside:
            if one.variant == variant:
                ends = {"conf_low": one.ratio.conf_low, "conf_high": one.ratio.conf_high}
                rows.append(
                    _row(one.witness, one.n, one.ratio.value, marker=plan["markers"][one.marker]) | ends
                    | {"variant": variant}
                )  # fmt: skip
        if not beside:
            for witness in ("ln_vr", "ln_cvr"):
                rows.append(_row(witness, 0, None, "no comparison group with the same assay") | {"variant": variant})
    return conform(pl.DataFrame([{"verdict": name, **row} for row in rows], schema=_WITNESSES), "verdict_witnesses")


_WITNESSES = {
    **dict.fromkeys(("verdict", "variant", "site", "marker", "witness"), pl.String),
    "n": pl.Int64,
    **dict.fromkeys(("value", "conf_low", "conf_high"), pl.Float64),
    "note": pl.String,
}


def _row(witness: str, n: int, value: float | None, note: str = "", site: str = ALL, marker: str = COMPOSITE) -> Row:
    return {"site": site, "marker": marker, "witness": witness, "n": n, "value": value, "conf_low": None,
            "conf_high": None, "note": note}  # fmt: skip


def _witness_rows(
    seen: Witnesses, told: dict[str, float | None], plan: dict[str, Any], sites: Sequence[str]
) -> Iterator[Row]:
    for witness in ("fit_index", *CURVES, "p_value", "upper_share", "sites_with_two"):
        value = told[witness]
        yield _row(witness, seen.n, value, "" if value is not None else _why(witness, seen.n, plan))
    for marker, ratio in seen.markers.items():
        yield from _ratio_rows(ratio, marker=plan["markers"][marker])
    for site, ratio in seen.sites.items():
        yield from _ratio_rows(ratio, site=sites[site])


def _ratio_rows(ratio: Ratio, **place: str) -> Iterator[Row]:
    yield _row("p_value", ratio.n, ratio.p_value, **place)
    yield _row("upper_share", ratio.n, ratio.upper_share, **place)


def _why(witness: str, n: int, plan: dict[str, Any]) -> str:
    needs = plan["needs"]
    if witness == "sites_with_two":
        return f"fewer than two sites with {needs['site_people']} people"
    if witness in ("fit_index", *CURVES):
        few = len(plan["markers"]) < needs["markers"]
        return f"fewer than {needs['markers']} markers" if few else f"fewer than {needs['people']} people"
    return f"fewer than {needs['site_people']} people"


def curve_table(name: str, plan: dict[str, Any], judged: Judgement) -> pl.DataFrame:
    """Return the curves of the two variants with BMI as it is (contract verdict_curves)."""
    parts = [
        frame.with_columns(verdict=pl.lit(name), variant=pl.lit(variant))
        for variant in DRAWN_VARIANTS
        for frame in _curves(judged.witnesses[variant], plan["markers"])
    ]
    empty = pl.DataFrame(schema={"verdict": pl.String, "variant": pl.String, **_CURVES})
    return conform(pl.concat([empty, *(part.select(empty.columns) for part in parts)]), "verdict_curves")


_CURVES = {
    **dict.fromkeys(("curve", "marker", "series"), pl.String),
    **dict.fromkeys(("x", "y", "low", "high"), pl.Float64),
    "n_beyond": pl.Int64,
}


def _curves(seen: Witnesses, markers: Sequence[str]) -> Iterator[pl.DataFrame]:
    ratios = {COMPOSITE: seen.composite, **{markers[marker]: ratio for marker, ratio in seen.markers.items()}}
    for marker, ratio in ratios.items():
        if ratio is not None:
            yield from _densities(ratio, marker)
    for curve, comparison in seen.comparisons.items():
        yield from _comparison(comparison, curve, seen.n)


def _densities(ratio: Ratio, marker: str) -> Iterator[pl.DataFrame]:
    shown = ratio.exact
    if shown.size > 1:
        share = shown.size / ratio.n
        yield _frame("density", marker, "data", POINTS, densities(shown[None], POINTS)[0] * share,
                     beyond=people_beyond(shown, POINTS))  # fmt: skip
    yield _frame("density", marker, "one_component", POINTS, sinh_arcsinh_density(ratio.one, POINTS))
    yield _frame("density", marker, "two_components", POINTS, two_normals_density(ratio.two, POINTS))


def _comparison(comparison: Comparison, curve: str, n: int) -> Iterator[pl.DataFrame]:
    along = mambac_cuts(n) / n if curve == "mambac" else POINTS
    yield _frame(curve, COMPOSITE, "data", along, comparison.data, beyond=comparison.beyond)
    for series in ("dimensional", "categorical"):
        drawn: FloatArray = getattr(comparison, series)
        low, high = np.quantile(drawn, [0.1, 0.9], axis=0)
        yield _frame(curve, COMPOSITE, series, along, drawn.mean(axis=0), low, high)


def _frame(
    curve: str,
    marker: str,
    series: str,
    x: FloatArray,
    y: FloatArray,
    low: FloatArray | None = None,
    high: FloatArray | None = None,
    beyond: IntArray | None = None,
) -> pl.DataFrame:
    none = np.full(x.size, None)
    numbers = {"x": x, "y": y, "low": low, "high": high}
    columns = {name: none if number is None else np.round(number, DIGITS) for name, number in numbers.items()}
    counted = none if beyond is None else beyond
    frame = pl.DataFrame({**columns, "n_beyond": counted}, schema={name: _CURVES[name] for name in list(_CURVES)[3:]},
                         strict=False)  # fmt: skip
    return frame.with_columns(curve=pl.lit(curve), marker=pl.lit(marker), series=pl.lit(series))
