"""What makes a history stale: the registry tables that it reads and the study's rule, and nothing before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ember.provenance import settings
from ember.registry.load import load_study
from ember.registry.registry import Registry


def changed(registry: Registry, table: str, key: str) -> Registry:
    """Return the registry with another source in one row."""
    rows = {**registry.tables[table], key: {**registry.tables[table][key], "source": "another one"}}
    return Registry({**registry.tables, table: rows})


@pytest.mark.parametrize(
    ("table", "key", "read_before"),
    [
        pytest.param("adequate_doses", "sertraline", False, id="adequate doses"),
        pytest.param("staging", "maudsley|severity|mild", False, id="stages"),
        pytest.param("treatment_kinds", "antidepressant", True, id="kinds, which doses need as well"),
        pytest.param("dose_units", "mg/day", True, id="units of doses"),
        pytest.param("trial_outcomes", "none", True, id="outcomes, which improvement needs as well"),
    ],
)
def test_registry_rows(table: str, key: str, read_before: bool) -> None:
    study, registry = load_study("nhanes")  # its sites map treatments
    (site, *_) = study.sites
    other = changed(registry, table, key)
    assert settings.history_settings(study, registry, site) != settings.history_settings(study, other, site)
    standard = settings.site_settings(study, registry, site) != settings.site_settings(study, other, site)
    assert standard == read_before
    assert settings.report_settings(study, registry) != settings.report_settings(study, other)


def test_the_rule_of_the_study() -> None:
    study, registry = load_study("nhanes")
    (site, *_) = study.sites
    ruled = replace(study, dtd={"reason": "another one"})
    assert settings.history_settings(study, registry, site) != settings.history_settings(ruled, registry, site)
    assert settings.site_settings(study, registry, site) == settings.site_settings(ruled, registry, site)
