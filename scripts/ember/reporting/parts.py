"""Which tables a study's report is made of: some belong only to studies that have something to say in them."""

from __future__ import annotations

from ember.history.declared import has_history
from ember.registry.model import Study

SUMMARIES = ("quality", "harmonisation", "distributions", "endotypes", "characteristics", "rules", "dictionary")
"""Summaries of the sites that every study has."""
TREATMENT_NAMES = "treatment_names"
UNMATCHED = "unmatched"
"""The names behind the counts of `treatment_names`: restricted, never protected and never printed."""
CONSENT = "consent"
HISTORY = "history"
OPTIONAL = (CONSENT, TREATMENT_NAMES, HISTORY)
"""Protected tables that a study may lack."""


def maps_treatments(study: Study) -> bool:
    """Return whether a site file of the study maps a column of treatment names."""
    return any(table.treatments is not None for site in study.sites.values() for table in site.tables)


def summaries_of(study: Study) -> tuple[str, ...]:
    """Return the summaries of a study that may leave once they are protected."""
    own = {TREATMENT_NAMES: maps_treatments(study), HISTORY: has_history(study)}
    return (*SUMMARIES, *(name for name, has in own.items() if has))


def restricted_summaries(study: Study) -> tuple[str, ...]:
    """Return all summaries of a study, with those that stay."""
    return (*summaries_of(study), *((UNMATCHED,) if maps_treatments(study) else ()))


def optional_tables(study: Study) -> tuple[str, ...]:
    """Return the protected tables that this study has and others may lack."""
    has = {
        CONSENT: bool(study.consent_required),
        TREATMENT_NAMES: maps_treatments(study),
        HISTORY: has_history(study),
    }
    return tuple(name for name in OPTIONAL if has[name])
