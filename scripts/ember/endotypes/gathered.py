"""What a scheme looks at beside the screening analyte, gathered from the study's tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.composite import Composites, composites
from ember.endotypes.composites.reference import frozen_reference
from ember.endotypes.cuts import FloatArray
from ember.endotypes.results import PERSON
from ember.endotypes.symptoms import profile_scores
from ember.registry.model import Study
from ember.registry.registry import Registry

UNIT_RULES = ("value.unit_unknown", "value.factor_undeclared")
"""Rules under which a result leaves because nobody can say in which unit it is."""


def scheme_composites(
    study: Study, registry: Registry, content: Mapping[str, Any], measurements: pl.DataFrame, participants: pl.DataFrame
) -> Composites | None:
    """Return the composite that a scheme declares, None where it declares none."""
    declared = content.get("composite")
    if declared is None:
        return None
    analytes = {content["analyte"], *declared["analytes"]}
    return composites(
        measurements,
        participants,
        declared,
        content["visit"],
        frozen=frozen_reference(registry, declared),
        selected=[site.id for site in study.sites.values() if analytes & set(site.selected_on)],
        where=f"endotypes/{content['scheme']}.yaml  composite",
    )


def scheme_symptoms(
    registry: Registry, content: Mapping[str, Any], participants: pl.DataFrame, items: pl.DataFrame
) -> FloatArray | None:
    """Return the score of a scheme's symptom profile at its visit, None where it uses no symptoms."""
    if "symptoms" not in content:
        return None
    profile = [row for row in registry.rows("symptom_items") if row["profile"] == content["symptoms"]["profile"]]
    ranges = registry.rows("instrument_items")
    return profile_scores(participants, items, content["visit"], profile, ranges)


def treatment_start(participants: pl.DataFrame, treatments: pl.DataFrame) -> FloatArray:
    """Return the study day on which each participant's randomised treatment began, nan where nobody says."""
    begun = treatments.filter((pl.col("role") == "arm") & pl.col("start_day").is_not_null())
    first = begun.group_by(PERSON, maintain_order=True).agg(pl.col("start_day").min())
    joined = participants.select(PERSON).join(first, on=PERSON, how="left", maintain_order="left")
    return joined["start_day"].cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)


def unusable_results(
    analyte: str, standard: pl.DataFrame, measurements: pl.DataFrame, ledger: pl.DataFrame
) -> pl.DataFrame:
    """Return the results of an analyte that were reported and that harmonisation could not use.

    Parameters
    ----------
    standard : DataFrame
        Contract standard_measurements.
    measurements : DataFrame
        Contract measurements.
    ledger : DataFrame
        Contract ledger, of harmonise_site.

    Returns
    -------
    DataFrame
        `site_id`, `participant_id`, `visit`, `unit`: whether the unit is why.
    """
    cell = ["site_id", "source_file", "row_number", "column"]
    key = [*PERSON, "visit"]
    reported = standard.filter(pl.col("analyte") == analyte).select(*key, *cell[1:])
    used = measurements.filter((pl.col("analyte") == analyte) & pl.col("value").is_not_null()).select(key).unique()
    refused = ledger.filter(pl.col("rule_id").is_in(UNIT_RULES)).select(cell).unique()
    left = _plain(reported).join(_plain(used), on=key, how="anti")
    marked = left.join(_plain(refused).with_columns(pl.lit(True).alias("unit")), on=cell, how="left")
    return marked.select(*key, pl.col("unit").fill_null(False))


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame whose coded text is text, so that tables of different origin can be joined."""
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
