"""A whole report from protected tables: the first page and the sections in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.reporting.blocks import Report
from ember.reporting.facts import Facts
from ember.reporting.section_decisions import decisions_section, status_words
from ember.reporting.section_dictionary import dictionary_section
from ember.reporting.section_first import first_page
from ember.reporting.section_measures import endotypes_section, measures_section, quality_section
from ember.reporting.section_models import models_section, sensitivity_section, trial_section
from ember.reporting.section_people import people_section
from ember.reporting.section_run import limits_section, provenance_section, run_section

SECTIONS = (
    people_section,
    measures_section,
    quality_section,
    endotypes_section,
    models_section,
    sensitivity_section,
    trial_section,
    run_section,
    decisions_section,
    dictionary_section,
    limits_section,
    provenance_section,
)


def build_report(
    tables: Mapping[str, pl.DataFrame], study: Study, registry: Registry, version: Mapping[str, Any]
) -> Report:
    """Return the report of a study.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The aggregate tables by name (estimates, curves, flow, quality, harmonisation, distributions, endotypes,
        characteristics, rules, findings, gates, accounting, inputs, dictionary), protected.
    version : mapping
        Content of version.json.

    Raises
    ------
    EmberError
        report.yaml names a model without estimates.
    """
    facts = Facts(tables, study, registry, version)
    return Report(
        title=study.title,
        study=study.id,
        version=str(version["version"]),
        status=status_words(study),
        date_of_data=study.date_of_data or "not stated",
        first=first_page(facts),
        sections=[section(facts) for section in SECTIONS],
    )
