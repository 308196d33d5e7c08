"""What the treatment histories of the sites say, in counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.history.declared import tells_trials
from ember.registry.model import Study

HISTORY = {
    "site": pl.String, "variable": pl.String, "label": pl.String, "level": pl.String, "level_order": pl.Int64,
    "n": pl.Int64,
}  # fmt: skip
NO_STAGE = "no stage"
ANSWERS = ("yes", "no", "indeterminate")
LABELS = {
    "trd": "Treatment-resistant depression",
    "msm_band": "Maudsley stage",
    "dtd": "Difficult-to-treat depression, study-defined, not validated",
    "anti_inflammatory_before_sample": "Anti-inflammatory drug before the first CRP sample",
}
LEVELS = {"msm_band": ("mild", "moderate", "severe", NO_STAGE)}


def history_counts(study: Study, histories: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return how many participants of each site have each level of what a study's histories tell.

    Parameters
    ----------
    histories : mapping of str to DataFrame
        Contract `history` by site, in study order.

    Returns
    -------
    DataFrame
        site, variable, label, level, level_order, n: every level of a variable, also where n is 0.

    Notes
    -----
    Resistance and stage are told only where a site maps the outcome of trials, DTD only where the study declares a
    rule: a row of indeterminate answers to a question that nobody asked tells nothing.
    """
    trials = tells_trials(study)
    asked = {"trd": trials, "msm_band": trials, "dtd": study.dtd is not None}
    rows: list[dict[str, Any]] = []
    for site, history in histories.items():
        for variable, label in LABELS.items():
            if not asked.get(variable, True):
                continue
            column = history[variable].fill_null(NO_STAGE)
            for order, level in enumerate(LEVELS.get(variable, ANSWERS)):
                n = int((column == level).sum())
                rows.append({"site": site, "variable": variable, "label": label, "level": level, "level_order": order,
                             "n": n})  # fmt: skip
    return pl.DataFrame(rows, schema=HISTORY)
