"""What the evidence about units must amount to: `unit_evidence.csv` as numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ember.registry.registry import Registry


@dataclass(frozen=True)
class Demands:
    """The rows of `unit_evidence.csv` by name, in its units: decades are log10, odds are natural logarithms."""

    least_in_group: float
    least_in_others: float
    largest_weight: float
    stray_share: float
    laboratory_spread: float
    least_exponent: float
    size_error: float
    size_warning: float
    further_most: float
    companion_most: float
    usual_share: float
    unusual_range: float
    limit_spread: float
    group_error: float
    group_warning: float
    group_standard_errors: float
    group_warning_errors: float
    group_misfit: float
    most_censored: float
    spread_batch: float
    spread_source_file: float
    spread_from_unit: float
    spread_period: float
    spread_visit: float
    spread_sites: float
    site_error: float
    site_warning: float
    mixed_least: float
    mixed_share: float
    mixed_error_separation: float
    mixed_warning_separation: float
    mixed_error_decades: float
    mixed_narrow_separation: float
    mixed_misfit: float


def read_demands(registry: Registry) -> Demands:
    """Return the demands of the registry.

    Raises
    ------
    EmberError
        A demand has no row.
    """
    return Demands(
        **{field.name: float(registry.row("unit_evidence", field.name)["value"]) for field in fields(Demands)}
    )
