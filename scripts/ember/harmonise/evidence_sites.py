"""The sites of a study against each other: what a reference would have said, for analytes that have none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.harmonise.evidence_counts import GROUPS, histogram, histograms_by, quantile, spread
from ember.harmonise.evidence_demands import Demands, read_demands
from ember.harmonise.evidence_findings import FindingRow, as_findings, finding_row, unanswerable
from ember.harmonise.evidence_suspicion import (
    AMONG_SITES,
    WHOLE_SITE,
    Suspicion,
    possible_exponents,
    usual_unit,
)
from ember.harmonise.units import unit_factors
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.store import conform, empty_table


def summarise_groups(
    counts: pl.DataFrame, suspicions: Sequence[Suspicion], registry: Registry, site: str
) -> pl.DataFrame:
    """Return where the values of each analyte and group of a site lie (contract `unit_evidence`).

    Parameters
    ----------
    counts : DataFrame
        Counts of the site before any answer is applied (`evidence_counts.count_values`).
    suspicions : sequence of Suspicion
        Found within the site. Errors on groups are left out of the site's own line, and an error on the whole
        site marks it, so that the other sites are not held against it.
    """
    rows: list[dict[str, object]] = []
    errors = [one for one in suspicions if one.severity == "error"]
    for analyte in counts["analyte"].unique().sort():
        own = counts.filter(pl.col("analyte") == analyte)
        of_groups = [one for one in errors if one.analyte == analyte and one.group is not None]
        clean = own.filter(~pl.any_horizontal([one.counts() for one in of_groups])) if of_groups else own
        doubted = any(one.analyte == analyte and one.label == WHOLE_SITE for one in errors)
        unit = registry.row("analytes", analyte)["canonical_unit"]
        if clean.height:
            rows.append({"group": "site", "label": WHOLE_SITE, "suspected": doubted, **_line(clean)})
        for group in GROUPS:
            named = {one.value for one in of_groups if one.group == group}
            for label in histograms_by(own, group)[0]:
                inside = own.filter(pl.col(group) == label)
                rows.append({"group": group, "label": label, "suspected": doubted or label in named, **_line(inside)})
        for row in rows:
            row.setdefault("analyte", analyte)
            row.setdefault("unit", unit)
    if not rows:
        return empty_table("unit_evidence")
    return conform(pl.DataFrame([{"site": site, **row} for row in rows], infer_schema_length=None), "unit_evidence")


def _line(counts: pl.DataFrame) -> dict[str, object]:
    values = histogram(counts)[None, :]
    n = int(counts["n"].sum())
    decimals = counts.filter(pl.col("decimals").is_not_null()).group_by("decimals").agg(pl.col("n").sum())
    usual = decimals.sort(["n", "decimals"], descending=True)["decimals"][0] if decimals.height else None
    return {
        "from_unit": usual_unit(counts),
        "n": n,
        "median_log10": round(float(quantile(values, 0.5)[0]), 4),
        "spread_log10": round(float(spread(values)[0]), 4),
        "share_censored": round(int(counts.filter(pl.col("censoring") != "none")["n"].sum()) / n, 4),
        "decimals": usual,
    }


def unit_findings(study: Study, registry: Registry, summaries: pl.DataFrame, stage: str) -> pl.DataFrame:
    """Return the findings of all sites against each other with the study's answers (contract `findings`).

    Parameters
    ----------
    summaries : DataFrame
        Contract unit_evidence, all sites that are analysed.
    """
    demands = read_demands(registry)
    found = [
        (site, one)
        for rows in summaries.filter(pl.col("group") == "site").partition_by("analyte", maintain_order=True)
        for site, one in suspect_sites(rows, registry, demands)
    ]
    rows: list[FindingRow] = [finding_row(study, site, one, registry, {}) for site, one in found]
    arisen = {row["finding"] for row in rows}
    sites = set(summaries["site"])
    for answer in study.answers:
        kind, site, *rest = answer.finding.split(":")
        if kind == "unit" and rest[-1:] == [AMONG_SITES] and site in sites and answer.finding not in arisen:
            rows.append(unanswerable(answer.finding, site))
    return as_findings(rows, stage)


def suspect_sites(rows: pl.DataFrame, registry: Registry, demands: Demands) -> list[tuple[str, Suspicion]]:
    """Return the sites whose values of one analyte lie a factor away from the other sites.

    Parameters
    ----------
    rows : DataFrame
        One line a site, one analyte (contract unit_evidence, group "site").

    Notes
    -----
    The median of a site against the median of the other sites' medians, each with its standard error and a spread
    between sites, because populations and platforms differ. The furthest site is named first and left out of what the
    next one is held against. A site that its own findings already name is neither
    judged nor held against others. Two sites alone cannot say which of them is wrong: both are named, as a warning.
    """
    usable = rows.filter(
        ~pl.col("suspected")
        & (pl.col("n") >= demands.least_in_group)
        & (pl.col("share_censored") < demands.most_censored)
    )
    found: list[tuple[str, Suspicion]] = []
    while usable.height > 1:
        named = _named(usable, registry, demands)
        furthest = max(named, key=lambda one: abs(one[2]), default=None)
        if furthest is None:
            break
        found += [(site, suspicion) for site, suspicion, _ in (named if usable.height == 2 else [furthest])]
        usable = usable.filter(pl.col("site") != furthest[0]) if usable.height > 2 else usable.clear()
    return found


def _named(usable: pl.DataFrame, registry: Registry, demands: Demands) -> list[tuple[str, Suspicion, float]]:
    """Return each site that lies a factor away from the others, with its distance in decades."""
    analyte = str(usable["analyte"][0])
    exponents = possible_exponents(unit_factors(registry, analyte, {}), demands.least_exponent)
    medians, n = usable["median_log10"].to_numpy(), usable["n"].to_numpy()
    variances = (1.2533 * usable["spread_log10"].to_numpy()) ** 2 / n + demands.spread_sites**2
    found = []
    for index, site in enumerate(usable["site"]):
        others = np.delete(np.arange(len(medians)), index)
        shift = float(medians[index] - np.median(medians[others]))
        # The median of k normal values has pi / 2 times the variance of their mean; of one or two it is the mean.
        factor = 1.0 if len(others) < 3 else np.pi / 2
        variance = float(variances[index] + factor * variances[others].mean() / len(others))
        graded = grade_site(shift, variance, exponents, demands)
        if graded is not None:
            exponent, severity = graded
            severity = severity if len(others) > 1 else "warning"
            unit, n_others = str(usable["from_unit"][index]), int(n[others].sum())
            suspicion = Suspicion(
                analyte, None, None, AMONG_SITES, exponent, unit, int(n[index]), n_others, severity, "sites"
            )
            found.append((site, suspicion, shift))
    return found


def grade_site(shift: float, variance: float, exponents: Sequence[float], demands: Demands) -> tuple[float, str] | None:
    """Return the factor in decades that explains a shift between sites, and how sure that is."""
    odds = {exponent: (shift**2 - (shift - exponent) ** 2) / (2 * variance) for exponent in exponents}
    best = max(odds, key=lambda exponent: odds[exponent])
    if odds[best] < demands.site_warning:
        return None
    return best, "error" if odds[best] >= demands.site_error else "warning"
