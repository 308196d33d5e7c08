"""Invented summary tables in the columns of the aggregate contract: no number here comes from data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.scheme import scheme_rules
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.reporting.dictionary import dictionary
from ember.tables.store import conform, polars_schema

PEOPLE = {"porto": 300, "lund": 250, "graz": 180, "cork": 74}
VERSION = {
    "version": "2026.1-0123456789ab",
    "content_id": "0123456789ab" + "0" * 52,
    "label": "2026.1",
    "study": "demo",
    "configuration": "c" * 64,
    "code": "d" * 64,
    "lock": "e" * 64,
    "python": "3.11",
    "packages": {"polars": "2.1.0", "numpy": "2.4.0"},
}


def invented_tables(study: Study, registry: Registry) -> dict[str, pl.DataFrame]:
    """Return unprotected tables for any study, with its own sites and analyses."""
    sizes = {site: PEOPLE.get(site, 5000 + 7 * n) for n, site in enumerate(study.sites)}
    estimates, curves = _models(study, sizes)
    return {
        "flow": _flow(study, sizes),
        "quality": _quality(study, sizes),
        "harmonisation": _harmonisation(sizes),
        "distributions": _distributions(study, sizes),
        "endotypes": _endotypes(study, sizes),
        "acute_samples": _acute_samples(study, sizes),
        "characteristics": _characteristics(sizes),
        "rules": _rules(sizes),
        "findings": _findings(sizes),
        "gates": _gates(sizes),
        "accounting": _accounting(sizes),
        "inputs": _inputs(study, sizes),
        "dictionary": dictionary(study, registry, {}, _quality(study, sizes)),
        "estimates": estimates,
        "curves": curves,
    }


def _flow(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    reasons = [
        ("analysis.no_outcome", "No outcome score", 0.1),
        ("analysis.no_exposure", "No biomarker at the visit", 0.04),
    ]
    for analysis in study.analyses:
        table = {site: [round(n * share) for _, _, share in reasons] for site, n in sizes.items()}
        for site in ["all", *sizes]:
            n = sum(sizes.values()) if site == "all" else sizes[site]
            gone = [sum(values[k] for values in table.values()) if site == "all" else table[site][k] for k in (0, 1)]
            rows.append(_box(analysis, 0, site, "enrolled", "", "", n))
            for order, ((rule, reason, _), out) in enumerate(zip(reasons, gone, strict=True), 1):
                rows.append(_box(analysis, order, site, "excluded", rule, reason, out))
            rows.append(_box(analysis, 3, site, "analysed", "", "", n - sum(gone)))
    return pl.DataFrame(rows)


def _box(analysis: str, order: int, site: str, box: str, rule: str, reason: str, n: int) -> dict[str, Any]:
    return {"analysis": analysis, "order": order, "site": site, "box": box, "rule_id": rule, "reason": reason, "n": n}


def _quality(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    visits = [visit.id for visit in study.visits]
    rows = []
    for site, n in sizes.items():
        lines = [
            ("participants", "age", ""),
            *[("measurements", "hscrp", v) for v in visits],
            *[("scores", "phq9", v) for v in visits],
        ]
        for k, (table, variable, visit) in enumerate(lines):
            present = n - round(n * 0.03 * k) - (4 if k == 1 else 0)
            rows.append(
                {
                    "site": site,
                    "table": table,
                    "variable": variable,
                    "visit": visit,
                    "n_expected": n,
                    "n_present": present,
                    "n_excluded": (n - present) // 2,
                    "n_quarantined": (n - present) // 3,
                    "n_flagged": 3 * k,
                    "share_present": present / n,
                }
            )
    return pl.DataFrame(rows)


def _harmonisation(sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    for k, (site, n) in enumerate(sizes.items()):
        for analyte, assay, unit in (("hscrp", "sim_crp_wide", "mg/L"), ("il6", "sim_il6", "pg/mL")):
            reported, factor = ("mg/dL", 10.0) if analyte == "hscrp" and k == 0 else (unit, 1.0)
            below = round(n * 0.12)
            rows.append(
                {
                    "site": site,
                    "analyte": analyte,
                    "assay_id": assay,
                    "assay_class": "high_sensitivity",
                    "platform": "simulated",
                    "specimen": "serum",
                    "unit_reported": reported,
                    "unit": unit,
                    "factor": factor,
                    "conversion_id": f"{analyte}:{reported}:{unit}",
                    "n": n,
                    "n_below": below,
                    "share_below": below / n,
                    "n_above": 3 if k == 1 else 0,
                    "limit": 0.2,
                }
            )
    return pl.DataFrame(rows)


def _distributions(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    edges = [10 ** (-3 + k / 4) for k in range(29)]
    rows = []
    for k, (site, n) in enumerate(sizes.items()):
        for stage in ("before", "after"):
            shift = -1.0 if stage == "before" and k == 0 else 0.0
            weights = np.exp(-0.5 * ((np.log10(edges[:-1]) - 0.3 - shift) / 0.5) ** 2)
            counts = np.floor(n * weights / weights.sum()).astype(int)
            for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True):
                rows.append(
                    {
                        "site": site,
                        "analyte": "hscrp",
                        "visit": study.visits[0].id,
                        "stage": stage,
                        "unit": "mg/dL" if stage == "before" and k == 0 else "mg/L",
                        "bin_low": low,
                        "bin_high": high,
                        "n": count,
                    }
                )
    return pl.DataFrame(rows)


def _endotypes(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    for scheme, content in study.schemes.items():
        states = scheme_rules(content).classes
        shares = np.array([0.3, 0.3, 0.02, 0.15, 0.1, 0.04, 0.03, 0.02, 0.02, 0.02])[: len(states)]
        table = {site: _split(n, shares) for site, n in sizes.items()}
        table = {"all": [sum(values) for values in zip(*table.values(), strict=True)], **table}
        for site, counts in table.items():
            for order, (state, n) in enumerate(zip(states, counts, strict=True)):
                rows.append(
                    {
                        "scheme": scheme,
                        "scheme_label": content["label"],
                        "population": "all",
                        "site": site,
                        "state": state,
                        "state_order": order,
                        "inflamed": state in content["inflamed"],
                        "n": n,
                        "total": sum(counts),
                        "share": n / sum(counts),
                        "conf_low": 0.0,
                        "conf_high": 1.0,
                    }
                )
    return pl.DataFrame(rows)


def _acute_samples(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    everyone = sum(sizes.values())
    groups = [("site", "all", everyone), *(("site", site, n) for site, n in sizes.items())]
    groups += [("sex", "female", everyone - 60), ("sex", "male", 60), ("bmi_band", "missing", everyone)]
    for scheme, content in study.schemes.items():
        for group_by, group, n in groups:
            above = {"all": everyone // 12, "missing": everyone // 12, "male": 5}.get(group, n // 13)
            rows.append(
                {
                    "scheme": scheme, "scheme_label": content["label"], "group_by": group_by, "group": group, "n": n,
                    "n_above": above, "n_without_repeat": above,
                }
            )  # fmt: skip
    return pl.DataFrame(rows)


def _split(n: int, shares: np.ndarray) -> list[int]:
    counts = [int(n * share / shares.sum()) for share in shares]
    counts[0] += n - sum(counts)
    return counts


def _characteristics(sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    for site, n in [("all", sum(sizes.values())), *sizes.items()]:
        women = sum(round(m * 0.6) for m in sizes.values()) if site == "all" else round(n * 0.6)
        rows += [
            _trait(site, "participants", "Participants", "", "", n, n / sum(sizes.values())),
            _trait(site, "age", "Age", "", "a", n, None, 43.2, 12.1),
            _trait(site, "sex", "Sex", "female", "", women, women / n),
            _trait(site, "sex", "Sex", "male", "", n - women, (n - women) / n),
        ]
    return pl.DataFrame(rows, schema_overrides={"share": pl.Float64, "mean": pl.Float64, "sd": pl.Float64})


def _trait(
    group: str,
    variable: str,
    label: str,
    level: str,
    unit: str,
    n: int,
    share: float | None,
    mean: float | None = None,
    sd: float | None = None,
) -> dict[str, Any]:
    return {
        "group_by": "site",
        "group": group,
        "variable": variable,
        "label": label,
        "level": level,
        "unit": unit,
        "n": n,
        "share": share,
        "mean": mean,
        "sd": sd,
    }


def _rules(sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    for k, site in enumerate(sizes):
        for rule, title, action, n in (
            ("value.missing_code", "Missing code", "excluded", 40 + k),
            ("value.not_numeric", "Not a number", "quarantined", 3 + 5 * k),
        ):
            rows.append(
                {
                    "site": site,
                    "stage": "standardise_site",
                    "unit": "value",
                    "rule_id": rule,
                    "severity": "warning",
                    "action": action,
                    "category": "conformance",
                    "title": title,
                    "n": n,
                }
            )
    return pl.DataFrame(rows)


def _findings(sizes: dict[str, int]) -> pl.DataFrame:
    site = next(iter(sizes))
    return conform(
        pl.DataFrame(
            [
                {
                    "finding": f"unit:{site}:hscrp:L3",
                    "stage": "harmonise_site",
                    "site": site,
                    "rule_id": "value.unit_suspect",
                    "severity": "error",
                    "n": 41,
                    "message": "41 values lie a factor of 10 above the reference.",
                    "answered": True,
                    "action": "exclude",
                    "reason": "The laboratory confirmed the unit.",
                },
                {
                    "finding": f"assay:{site}:il6:all",
                    "stage": "harmonise_site",
                    "site": site,
                    "rule_id": "value.limit",
                    "severity": "warning",
                    "n": 6,
                    "message": "6 values have no assay.",
                    "answered": False,
                    "action": None,
                    "reason": None,
                },
            ]
        ),
        "findings",
    )


def _gates(sizes: dict[str, int]) -> pl.DataFrame:
    rows = [
        {
            "stage": stage,
            "site": site,
            "rule": "value_in_limits",
            "category": "plausibility",
            "table": "measurements",
            "column": "value",
            "severity": "warning",
            "n_checked": n,
            "n_failed": 4 if stage == "standardised" else 0,
            "passed": stage != "standardised",
            "title": "Values lie within hard limits",
        }
        for stage in ("standardised", "harmonised")
        for site, n in sizes.items()
    ]
    return conform(pl.DataFrame(rows), "gates")


def _accounting(sizes: dict[str, int]) -> pl.DataFrame:
    rows = []
    for k, (site, n) in enumerate(sizes.items()):
        rows.append(_account(site, "read_source", "row", n + 3 * k, 0, n + 3 * k, 0, 0, 0))
        rows.append(_account(site, "standardise_site", "row", n + 3 * k, 0, n, k, 2 * k, 0))
        rows.append(_account(site, "standardise_site", "value", 0, 9 * n, 9 * n - 60 - 9 * k, 0, 3 + 5 * k, 57 + 4 * k))
    return conform(pl.DataFrame(rows), "accounting")


def _account(site: str, stage: str, unit: str, *numbers: int) -> dict[str, Any]:
    names = ("n_in", "n_created", "n_out", "n_collapsed", "n_quarantined", "n_excluded")
    return {"site": site, "stage": stage, "unit": unit, **dict(zip(names, numbers, strict=True))}


def _inputs(study: Study, sizes: dict[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "source": source,
                "file": f"{source}.csv",
                "sha256": "ab" * 32,
                "bytes": 123456,
                "rows": 1000 + k,
                "variant": None,
                "recorded": False,
            }
            for k, source in enumerate(study.sources)
        ],
        schema_overrides={"variant": pl.String},
    )


def _models(study: Study, sizes: dict[str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    for analysis_id, analysis in study.analyses.items():
        for model in analysis["models"]:
            rows += _model_rows(analysis_id, analysis, model, sizes)
            if model.get("curve"):
                curves += _curve(analysis_id, model["id"])
    schema = polars_schema("estimates")
    return (
        conform(pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema), "estimates"),
        conform(pl.DataFrame(curves, schema=polars_schema("curves")), "curves"),
    )


def _model_rows(
    analysis_id: str, analysis: dict[str, Any], model: dict[str, Any], sizes: dict[str, int]
) -> list[dict[str, Any]]:
    proportion = model["family"] == "survey_proportion"
    terms = ["treatment:exposure", "treatment", "exposure"] if analysis.get("treatment") else ["exposure", "age"]
    if proportion:
        terms = ["not_inflamed", "inflamed_single"] if "bands" in analysis else ["outcome >= 10"]
    scale = "log_odds_ratio" if "logistic" in model["family"] else analysis.get("outcome", {}).get("scale", "")
    scale = "proportion" if proportion else scale
    rows = []
    for k, term in enumerate(terms):
        places: list[tuple[str | None, str, int]] = [(site, "site", n) for site, n in sizes.items()]
        total = sum(round(n * 0.86) for n in sizes.values())
        if model["pool"] in ("two_stage", "one_stage"):
            places = ([] if model["pool"] == "one_stage" else places) + [(None, model["pool"], round(total / 0.86))]
        for j, (site, level, people) in enumerate(places):
            n = people - round(people * 0.1) - round(people * 0.04) if site else total
            error = 1.2 / math.sqrt(n)
            value = 0.27 + 0.01 * j if proportion else -0.12 + 0.09 * k + 0.02 * (j - 1)
            rows.append(
                {
                    "analysis": analysis_id,
                    "model_id": model["id"],
                    "estimand": "invented",
                    "population": "invented",
                    "outcome": "severity",
                    "instrument": "phq9" if study_wide(analysis) else None,
                    "exposure": analysis.get("exposure", {}).get("analyte"),
                    "exposure_scale": "log2, centred within site" if analysis.get("exposure") else None,
                    "term": term,
                    "scheme": analysis.get("bands", {}).get("scheme"),
                    "level": level,
                    "site": site,
                    "adjustment": "baseline score + age + sex",
                    "missing_data_method": "complete_cases",
                    "scale": scale,
                    "estimate": value,
                    "std_error": error,
                    "conf_low": value - 2 * error,
                    "conf_high": value + 2 * error,
                    "df": float(n - 6) if site else 3.0,
                    "statistic": value / error,
                    "p_value": None if proportion else 0.0123,
                    "n": n,
                    "n_participants": n,
                    "n_events": n // 3 if "logistic" in model["family"] or proportion else None,
                    "n_sites": len(sizes) if site is None else 1,
                    "tau2": 0.002 if level == "two_stage" else None,
                    "i2": 23.0 if level == "two_stage" else None,
                    "pred_low": value - 3 * error if level == "two_stage" else None,
                    "pred_high": value + 3 * error if level == "two_stage" else None,
                    "converged": True,
                    "note": "",
                    "plan_hash": "0" * 16,
                }
            )
    return rows


def study_wide(analysis: dict[str, Any]) -> bool:
    return bool(analysis.get("outcome", {}).get("instrument") == "phq9")


def _curve(analysis: str, model: str) -> list[dict[str, Any]]:
    common = {"analysis": analysis, "model_id": model, "site": None, "unit": "mg/L", "scale": "reference_sd"}
    rows: list[dict[str, Any]] = [
        {**common, "kind": "rug", "at": at, "estimate": None, "std_error": None, "conf_low": None, "conf_high": None}
        for at in (0.4, 0.7, 1.0, 1.4, 1.9, 2.6, 3.5, 5.2, 9.0)
    ]
    for at in np.geomspace(0.4, 9.0, 41).tolist():
        value = -0.1 - 0.12 * (math.log2(at) - 0.9)
        error = 0.06 + 0.03 * abs(math.log2(at) - 0.9)
        rows.append(
            {
                **common,
                "kind": "effect",
                "at": at,
                "estimate": value,
                "std_error": error,
                "conf_low": value - 2 * error,
                "conf_high": value + 2 * error,
            }
        )
    return [{name: row[name] for name in polars_schema("curves")} for row in rows]
