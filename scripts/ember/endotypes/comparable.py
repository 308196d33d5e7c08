"""Which states of a scheme can be compared between sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ember.registry.model import Study

NOT_COMPARED = "raised_support_not_compared"
"""Raised by the screening analyte, without a word on the composite."""


def states_within_site(scheme: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the states that a composite standardised within sites decides, in the order of the scheme.

    Notes
    -----
    Each site's composite has the mean 0 in its own baseline samples, whatever their level: the share above a cut
    is then nearly the same at every site by construction, and says nothing about where people are more inflamed.
    """
    support, thresholds = scheme.get("support"), scheme.get("thresholds", {})
    if support is None or scheme.get("composite", {}).get("variant") != "within_site":
        return ()
    if not any(thresholds[name].split()[0] == "composite" for name in support["all_of"] if name in thresholds):
        return ()
    return support["not_met"]["state"], support["met"]["state"]


def compares_states(study: Study, scheme: Mapping[str, Any]) -> bool:
    """Return whether shares of all states of a scheme may stand side by side or be added up over sites."""
    included = [site for site in study.sites if site not in study.excluded_sites]
    return len(included) < 2 or not states_within_site(scheme)
