"""Whether a study has a treatment history to derive, and what of it an analysis may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ember.registry.model import Study

COLUMNS = ("anti_inflammatory_before_sample", "trd", "dtd")
"""Columns of the contract `history` that an analysis may name beside those of participants."""


def has_history(study: Study) -> bool:
    """Return whether a site maps treatments, or the study declares a rule for difficult-to-treat depression."""
    maps = any(table.treatments is not None for site in study.sites.values() for table in site.tables)
    return maps or study.dtd is not None


def tells_trials(study: Study) -> bool:
    """Return whether a site maps the outcome of treatment trials."""
    tables = [table for site in study.sites.values() for table in site.tables]
    return any(table.treatments is not None and table.treatments.tells_trials for table in tables)


def uses_history(analysis: Mapping[str, Any]) -> bool:
    """Return whether an analysis names a column of the history, as a covariate or in its population."""
    named = {name for model in analysis["models"] for name in model.get("covariates", ())}
    named |= {condition["column"] for condition in analysis.get("population", ())}
    return bool(named & set(COLUMNS))


def site_steps(study: Study) -> tuple[str, ...]:
    """Return the steps that write a ledger, an account and findings for every site."""
    return ("standardise_site", "harmonise_site", *(("derive_history",) if has_history(study) else ()))
