"""What a job depends on: its own keys and registry rows, and no other site's."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from ember.provenance import settings
from ember.registry.load import load_study
from ember.registry.model import CodedColumn, ConsentMap
from ember.registry.registry import Registry


@pytest.fixture(scope="module")
def demo():
    return load_study("demo")


def with_row(registry: Registry, table: str, key: str, **changes: str) -> Registry:
    tables = copy.deepcopy(registry.tables)
    tables[table][key] = {**tables[table][key], **changes}
    return Registry(tables)


def with_site(study, site: str):
    resolved = copy.deepcopy(study.resolved)
    resolved["sites"][site]["label"] = "another label"
    return replace(study, resolved=resolved)


def site_digests(study, registry) -> dict[str, str]:
    return {site: settings.digest(settings.site_settings(study, registry, site)) for site in study.sites}


def moved(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_the_order_of_keys_does_not_count():
    assert settings.digest({"a": 1, "b": [1, 2]}) == settings.digest({"b": [1, 2], "a": 1})
    assert settings.digest({"a": [1, 2]}) != settings.digest({"a": [2, 1]})


def test_a_change_of_one_site_moves_that_site_only(demo):
    study, registry = demo
    for site in study.sites:
        assert moved(site_digests(study, registry), site_digests(with_site(study, site), registry)) == {site}


def test_a_registry_row_moves_the_sites_that_use_it(demo):
    study, registry = demo
    users = {site.id for site in study.sites.values() if any("il6" in table.measurements for table in site.tables)}
    laboratory = {
        site.id
        for site in study.sites.values()
        if any(table.laboratory and "il6" in table.laboratory.analyte.codes.values() for table in site.tables)
    }
    changed = with_row(registry, "analytes", "il6", label="other")
    assert moved(site_digests(study, registry), site_digests(study, changed)) == users | laboratory
    assert users | laboratory


def test_a_row_that_no_site_uses_moves_nothing(demo):
    study, registry = demo
    used = {row["analyte"] for row in settings.used_rows(study, registry)["analytes"]}
    unused = next(row["analyte"] for row in registry.rows("analytes") if row["analyte"] not in used)
    changed = with_row(registry, "analytes", unused, label="other")
    assert site_digests(study, registry) == site_digests(study, changed)
    assert settings.report_settings(study, registry) == settings.report_settings(study, changed)


def test_a_site_with_arms_depends_on_the_names_of_treatments(demo):
    study, registry = demo
    name = registry.rows("treatments")[0]["treatment"]
    with_arm = {site.id for site in study.sites.values() if any("arm" in table.columns for table in site.tables)}
    changed = with_row(registry, "treatments", name, label="other")
    assert with_arm and with_arm <= moved(site_digests(study, registry), site_digests(study, changed))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        pytest.param("analytes", "hscrp", id="analyte_of_the_exposure"),
        pytest.param("instruments", "hamd17", id="instrument"),
    ],
)
def test_an_analysis_depends_on_the_rows_behind_its_numbers(demo, table, key):
    study, registry = demo
    (analysis, *_) = study.analyses
    before = settings.analysis_settings(study, registry, analysis)
    assert before != settings.analysis_settings(study, with_row(registry, table, key, label="other"), analysis)


def test_an_excluded_site_is_in_the_settings_of_an_analysis(demo):
    study, registry = demo
    (first, *others) = study.sites
    without = replace(study, excluded_sites={first: "its own reason"})
    (analysis, *_) = study.analyses
    assert settings.included_sites(without) == others
    assert settings.analysis_settings(study, registry, analysis) != settings.analysis_settings(
        without, registry, analysis
    )


def test_a_source_moves_with_its_own_declaration_and_not_with_a_mapping(demo):
    study, _ = demo
    before = {source: settings.digest(settings.source_settings(study, source)) for source in study.sources}
    resolved = copy.deepcopy(study.resolved)
    (first, *_) = study.sources
    resolved["study"]["sources"][first]["note"] = "changed"
    changed = replace(study, resolved=resolved)
    after = {source: settings.digest(settings.source_settings(changed, source)) for source in study.sources}
    assert moved(before, after) == {first}


@pytest.mark.parametrize("key", [pytest.param(key, id=key) for key in ("privacy", "visits", "time_zero")])
def test_a_key_of_the_whole_study_moves_every_site(demo, key):
    study, registry = demo
    resolved = copy.deepcopy(study.resolved)
    resolved["study"][key] = "another"
    changed = replace(study, resolved=resolved)
    assert moved(site_digests(study, registry), site_digests(changed, registry)) == set(study.sites)


def test_every_step_of_the_list_has_a_module():
    from ember.provenance.code import import_closure

    for step in settings.STEPS:
        assert f"ember.steps.{step}" in import_closure(f"ember.steps.{step}")


@pytest.mark.parametrize(
    "change",
    [pytest.param({"missing": ("-99",)}, id="missing codes"), pytest.param({"corrections": "c.csv"}, id="corrections")],
)
def test_what_the_register_of_consent_reads_moves_it(demo, change):
    study, _ = demo
    told = ConsentMap({"sharing": CodedColumn("agree", {"1": "granted"})})
    (name, site), *_ = study.sites.items()

    def with_table(**keys):
        table = replace(site.tables[0], consent=told, **keys)
        sites = {**study.sites, name: replace(site, tables=(table, *site.tables[1:]))}
        return settings.digest(settings.consent_settings(replace(study, sites=sites)))

    assert with_table() != with_table(**change)


def test_a_name_of_a_code_list_moves_the_sites_and_the_release_that_use_the_list(demo):
    study, registry = demo
    (name, site), *_ = study.sites.items()
    (roster, *others) = site.tables
    listed = {**roster.columns, "sex": replace(roster.columns["sex"], codelist="sex")}
    sites = {**study.sites, name: replace(site, tables=(replace(roster, columns=listed), *others))}
    changed = replace(study, sites=sites)
    key = next(key for key, row in registry.tables["codelist_names"].items() if row["codelist"] == "sex")
    other = with_row(registry, "codelist_names", key, source="another")
    assert moved(site_digests(changed, registry), site_digests(changed, other)) == {name}
    assert settings.used_rows(changed, registry) != settings.used_rows(changed, other)
    assert settings.used_rows(study, registry) == settings.used_rows(study, other)
