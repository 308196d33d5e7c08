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
ACUTE = "acute_samples"
COMPOSITES = ("composites", "composite_analytes")
COMPOSITE_FILES = (("composite", "composites"), ("references", "composite_references"))
"""Ending of the file and contract of what a scheme with a composite leaves beside its states."""
USUAL = ("usual_levels", "usual_components")
USUAL_FILES = (("usual", "usual_levels"), ("usual_components", "usual_components"))
"""The same of a scheme that asks for the usual level."""
VERDICTS = ("verdict_conditions", "verdict_witnesses", "verdict_curves")
"""What a verdict about types leaves: the contracts, in files <verdict>.<ending> with the endings below."""
VERDICT_FILES = dict(zip(VERDICTS, ("conditions", "witnesses", "curves"), strict=True))
MIXTURES = ("mixture_search", "mixture_classes", "mixture_assays", "mixture_stability", "mixture_agreement")
"""What a mixture leaves: the contracts, and the endings of its files."""
OPTIONAL = (CONSENT, TREATMENT_NAMES, HISTORY, ACUTE, *COMPOSITES, *USUAL, *VERDICTS, *MIXTURES)
"""Protected tables that a study may lack."""


def maps_treatments(study: Study) -> bool:
    """Return whether a site file of the study maps a column of treatment names."""
    return any(table.treatments is not None for site in study.sites.values() for table in site.tables)


def schemes_with_composite(study: Study) -> list[str]:
    """Return the endotype schemes that declare a composite."""
    return [name for name, scheme in study.schemes.items() if "composite" in scheme]


def schemes_with_usual_level(study: Study) -> list[str]:
    """Return the endotype schemes that ask for the usual level."""
    return [name for name, scheme in study.schemes.items() if "usual_level" in scheme]


def summaries_of(study: Study) -> tuple[str, ...]:
    """Return the summaries of a study that may leave once they are protected."""
    own = {TREATMENT_NAMES: maps_treatments(study), HISTORY: has_history(study), ACUTE: bool(study.schemes)}
    own |= dict.fromkeys(COMPOSITES, bool(schemes_with_composite(study)))
    own |= dict.fromkeys(USUAL, bool(schemes_with_usual_level(study)))
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
        ACUTE: bool(study.schemes),
        **dict.fromkeys(COMPOSITES, bool(schemes_with_composite(study))),
        **dict.fromkeys(USUAL, bool(schemes_with_usual_level(study))),
        **dict.fromkeys(VERDICTS, bool(study.verdicts)),
        **dict.fromkeys(MIXTURES, bool(study.mixtures)),
    }
    return tuple(name for name in OPTIONAL if has[name])
