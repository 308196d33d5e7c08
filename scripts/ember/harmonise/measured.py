"""Measurements of a site: proved units, limits, evidence of the whole site, plausibility; each value leaves once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl

from ember.harmonise.bridging import SiteBridges, declared_bridges, with_bridges
from ember.harmonise.contexts import Contexts
from ember.harmonise.detection_limits import SiteLimits, declared_limits, with_limits
from ember.harmonise.evidence import find_suspicions
from ember.harmonise.evidence_counts import add_counts, count_values, with_decimals
from ember.harmonise.evidence_findings import findings_table
from ember.harmonise.evidence_sites import summarise_groups
from ember.harmonise.evidence_suspicion import AMONG_SITES, Suspicion
from ember.harmonise.fills import add_counts as add_numbers
from ember.harmonise.fills import count_numbers, fill_table, find_heaps, with_fills
from ember.harmonise.limit_findings import excluded_heaps, limit_findings
from ember.harmonise.limits import as_reported, flagged_by, flags, with_censoring, with_plausibility
from ember.harmonise.order import in_order
from ember.harmonise.passes import Passes
from ember.harmonise.units import DeclaredFactors, declared_factors, with_conversions
from ember.registry.model import Answer, Site, Study
from ember.registry.registry import Registry
from ember.tables.store import arranged, empty_table
from ember.validate.ledger import entries, join_entries

STAGE = "harmonise_site"
CONTEXT = (
    "analyte", "unit_reported", "source_file", "assay_id", "batch", "period", "visit", "value_reported", "operator",
    "limit_reported", "number",
)  # fmt: skip
"""What a result is judged by: results that are alike in all of it have one fate, and are judged once."""
PLACE = ("source_file", "sheet", "row_number", "column")


@dataclass(frozen=True)
class Results:
    """Measurements on their way, what is known of those that are alike, and the ledger of what left or was flagged."""

    alike: Contexts
    listed: tuple[pl.DataFrame, ...] = ()

    @property
    def known(self) -> pl.DataFrame:
        """Return one row for results that are alike."""
        return self.alike.table

    def knowing(self, known: pl.DataFrame) -> Results:
        """Return the results with more known of them."""
        return Results(self.alike.telling(known), self.listed)

    def without(self, leaving: pl.Expr, rule_id: str, site: Site, message: str, reason: str | None = None) -> Results:
        """Return the results that stay, with a ledger entry for each that leaves."""
        away = _which(self.known, leaving)
        if not away.any():
            return self
        told = self._entries(away, rule_id, site, message, reason)
        return Results(self.alike.without(away), (*self.listed, told))

    def flagged(self, marks: Mapping[str, pl.Expr], site: Site) -> Results:
        """Return the results with a ledger entry for each that a rule marks."""
        found = {rule_id: _which(self.known, mark) for rule_id, mark in marks.items()}
        told = [self._entries(which, rule_id, site) for rule_id, which in found.items() if which.any()]
        return Results(self.alike, (*self.listed, *told))

    def _entries(
        self, which: pl.Series, rule_id: str, site: Site, message: str = "", reason: str | None = None
    ) -> pl.DataFrame:
        places = self.alike.places(which, [name for name in PLACE if name in self.alike.rows.columns])
        return entries(places, rule_id, site=site.id, stage=STAGE, message=message, reason=reason)


def _which(known: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    return known.select(condition.fill_null(False).alias("which")).to_series()


@dataclass(frozen=True)
class Declared:
    """What a site file declares of its measurements, in canonical units."""

    factors: DeclaredFactors
    limits: SiteLimits
    bridges: SiteBridges

    @classmethod
    def of(cls, study: Study, site: Site, registry: Registry) -> Declared:
        """Return what the site declares.

        Raises
        ------
        EmberError
            Two tables over one file declare different things of an analyte.
        """
        factors = declared_factors(study, site)
        return cls(factors, declared_limits(study, site, registry), declared_bridges(study, site, registry))


@dataclass(frozen=True)
class Judged:
    """The measurements of a site after everything that is judged of the whole site.

    Attributes
    ----------
    findings, evidence : DataFrame
        Contracts of these names (unit_evidence).
    measurements : Passes
        By share: contract measurements, rows numbered on from share to share, and the ledger.
    """

    findings: pl.DataFrame
    evidence: pl.DataFrame
    measurements: Passes[tuple[pl.DataFrame, pl.DataFrame]]


def harmonise_measurements(study: Study, site: Site, registry: Registry, measurements: Passes[pl.DataFrame]) -> Judged:
    """Return the measurements of a site in canonical units.

    Parameters
    ----------
    measurements : Passes of DataFrame
        Contract standard_measurements, all results of a participant in one share.

    Raises
    ------
    EmberError
        The registry or the site file cannot be applied: an assay in a unit without conversion, two molar factors for
        one analyte of a file.

    Notes
    -----
    Each value leaves for one reason, the first in this order: factor undeclared or unit unknown, a heap that an
    answered finding excludes, limit in doubt, limit missing, excluded by an answered finding on its unit, not
    bridged, impossible. Impossible values are judged last because a wrong unit makes possible values impossible, and
    the unit is then the reason. Heaps and evidence about units are judged on counts of the whole site.
    """
    declared = Declared.of(study, site, registry)
    converted = measurements.each(partial(_converted, site=site, registry=registry, declared=declared))
    numbers = add_numbers([count_numbers(share.known) for share in converted])
    heaps = find_heaps(numbers, registry, declared.limits)
    out, fills = excluded_heaps(study, site, heaps), fill_table(heaps)
    censored = converted.each(partial(_censored, site=site, out=out, fills=fills))
    counts = add_counts([count_values(with_decimals(as_reported(share.known))) for share in censored])
    suspicions = find_suspicions(counts, registry, declared.factors)
    units = findings_table(study, site, suspicions, registry, declared.factors, STAGE)
    findings = pl.concat([units, limit_findings(study, site, heaps, numbers, STAGE)])
    evidence = summarise_groups(counts, suspicions, registry, site.id)
    excluded = _excluded(study, site, suspicions)
    finished = censored.each(
        partial(_finished, site=site, registry=registry, bridges=declared.bridges, excluded=excluded)
    )
    return Judged(findings, evidence, Passes(lambda: _numbered(finished), finished.single))


def _converted(measurements: pl.DataFrame, site: Site, registry: Registry, declared: Declared) -> Results:
    results = Results(Contexts.of(measurements, CONTEXT))
    results = results.knowing(with_conversions(results.known, registry, declared.factors))
    results = results.knowing(with_limits(results.known, registry, declared.limits))
    needed = "molar_factor (nmol_per_mg) or iu_factor (pg_per_iu) in the site file"
    results = results.without(pl.col("unit_needs").is_not_null(), "value.factor_undeclared", site, needed)
    return results.without(pl.col("unit").is_null(), "value.unit_unknown", site, "a unit of units.csv")


def _censored(results: Results, site: Site, out: Sequence[tuple[Answer, pl.Expr]], fills: pl.DataFrame) -> Results:
    for answer, stands in out:
        told = f"answer to {answer.finding}"
        results = results.without(stands, "value.finding_excluded", site, told, answer.reason)
    results = results.knowing(with_censoring(with_fills(results.known, fills)))
    unknown = pl.col("value").is_null()
    doubted = unknown & pl.col("limit_doubt").is_not_null() & (pl.col("operator") != ">")
    results = results.without(doubted, "value.limit_period", site, "a known month or batch that one limit covers")
    return results.without(unknown, "value.limit_missing", site, "a limit above zero")


def _excluded(study: Study, site: Site, suspicions: Sequence[Suspicion]) -> list[tuple[Answer, pl.Expr]]:
    """Return the answers that take values out, each with which rows it means."""
    answers = [(study.answer(one.finding(site.id)), one) for one in suspicions]
    judged = pl.coalesce("measured", "value")
    own = [(answer, one.rows(judged)) for answer, one in answers if answer is not None and answer.action == "exclude"]
    return [*own, *_excluded_among_sites(study, site)]


def _excluded_among_sites(study: Study, site: Site) -> Iterator[tuple[Answer, pl.Expr]]:
    """Yield the answers to what the comparison of sites finds, which is only known once all are harmonised."""
    for answer in study.answers:
        kind, _, rest = answer.finding.partition(f":{site.id}:")
        analyte, _, label = rest.partition(":")
        if kind == "unit" and label == AMONG_SITES and answer.action == "exclude":
            yield answer, pl.col("analyte") == analyte


def _finished(
    results: Results,
    site: Site,
    registry: Registry,
    bridges: SiteBridges,
    excluded: Sequence[tuple[Answer, pl.Expr]],
) -> Results:
    for answer, stands in excluded:
        told = f"answer to {answer.finding}"
        results = results.without(stands, "value.finding_excluded", site, told, answer.reason)
    results = results.knowing(with_bridges(results.known, bridges))
    unknown = pl.col("value").is_null()
    results = results.without(unknown, "value.not_bridged", site, "a limit within the range of the bridge")
    message = "hard_low to hard_high of analytes.csv, in the canonical unit"
    results = results.knowing(with_plausibility(results.known, registry))
    results = results.without(pl.col("impossible"), "value.outside_hard_limits", site, message)
    return results.flagged(flagged_by(), site).knowing(results.known.with_columns(flags(results.known)))


def _numbered(finished: Iterable[Results]) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    passed = 0
    for results in finished:
        rows, listed = measurement_table(results.alike, passed + 1), join_entries(results.listed)
        passed += rows.height
        del results
        yield rows, listed
        del rows, listed  # a share is let go before the next one is made


def measurement_table(results: Contexts, first: int = 1) -> pl.DataFrame:
    """Return results in the order and with the columns of the contract `measurements`, numbered from `first`."""
    wanted = empty_table("measurements").columns
    told = [name for name in wanted if name in results.table.columns and name not in results.rows.columns]
    ordered = in_order(results.spread(told), "analyte").with_row_index("row_id", offset=first)
    return arranged(ordered.select(name for name in wanted if name in ordered.columns), "measurements")
