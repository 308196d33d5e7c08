"""Run the stages of a study up to its estimates in one process, for tests and proofs that need many runs."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import polars as pl

from ember.history.declared import has_history, uses_history
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.steps import (
    build_analysis_set,
    collect_consent,
    derive_endotypes,
    derive_history,
    fit_models,
    harmonise_site,
    read_source,
    standardise_site,
)


def run_stages(folder: Path) -> tuple[Study, Path]:
    """Run read_source to fit_models on the study in `folder`; return it and its results folder."""
    study, _ = load_study(str(folder))
    results = folder / "results" / study.id
    for source in study.sources:
        read(study, folder, results, source)
    for site in included_sites(study):
        standardise(study, folder, results, site)
        harmonise(folder, results, site)
        if has_history(study):
            derive(folder, results, site)
    for analysis in study.analyses:
        fit(study, folder, results, analysis)
    return study, results


def read(study: Study, folder: Path, results: Path, source: str) -> None:
    call(
        read_source,
        folder,
        source=source,
        consent=[collected(folder, results)] if study.consent_required else [],
        raw=results / f"restricted/raw/{source}.parquet",
        ledger=results / f"restricted/ledger/{source}/read_source.parquet",
        accounting=results / f"checks/accounting/{source}/read_source.csv",
        record=results / f"checks/inputs/{source}.json",
    )


def collected(folder: Path, results: Path) -> Path:
    """Collect the consent of a study and return the register."""
    register = results / "restricted/consent.parquet"
    call(collect_consent, folder, register=register, counts=results / "checks/consent.csv")
    return register


def standardise(study: Study, folder: Path, results: Path, site: str) -> None:
    standard = results / "restricted/standard" / site
    tables = ("participants", "visits", "measurements", "items", "treatments")
    call(
        standardise_site,
        folder,
        site=site,
        raw=[results / f"restricted/raw/{source}.parquet" for source in study.sites[site].sources],
        consent=[results / "restricted/consent.parquet"] if study.consent_required else [],
        **{table: standard / f"{table}.parquet" for table in tables},
        **_checks(results, site, "standardise_site"),
    )


def harmonise(folder: Path, results: Path, site: str) -> None:
    standard = results / "restricted/standard" / site
    tables = ("participants", "visits", "measurements", "scores", "treatments")
    inputs = ("participants", "visits", "measurements", "items", "treatments")
    call(
        harmonise_site,
        folder,
        site=site,
        standard=[standard / f"{table}.parquet" for table in inputs],
        accounts=[results / f"checks/accounting/{site}/standardise_site.csv"],
        evidence=results / f"restricted/unit_evidence/{site}.parquet",
        **{table: results / f"restricted/harmonised/{site}/{table}.parquet" for table in tables},
        **_checks(results, site, "harmonise_site"),
    )


def derive(folder: Path, results: Path, site: str) -> None:
    harmonised = results / "restricted/harmonised" / site
    tables = ("participants", "visits", "measurements", "scores", "treatments")
    call(
        derive_history,
        folder,
        site=site,
        harmonised=[harmonised / f"{table}.parquet" for table in tables],
        trials=harmonised / "treatment_trials.parquet",
        history=harmonised / "history.parquet",
        **_checks(results, site, "derive_history"),
    )


def fit(study: Study, folder: Path, results: Path, analysis: str) -> None:
    tables = {
        table: [results / f"restricted/harmonised/{site}/{table}.parquet" for site in included_sites(study)]
        for table in ("participants", "measurements", "scores")
    }
    given = {
        "treatments": [results / f"restricted/harmonised/{site}/treatments.parquet" for site in included_sites(study)],
        "standard": [results / f"restricted/standard/{site}/measurements.parquet" for site in included_sites(study)],
        "answers": [results / f"restricted/standard/{site}/items.parquet" for site in included_sites(study)],
        "ledgers": [results / f"restricted/ledger/{site}/harmonise_site.parquet" for site in included_sites(study)],
    }
    analysis_set = results / f"restricted/analysis/{analysis}.parquet"
    scheme = study.analyses[analysis].get("bands", {}).get("scheme")
    endotypes = results / f"restricted/endotypes/{scheme}.parquet"
    if scheme:
        call(
            derive_endotypes,
            folder,
            scheme=scheme,
            **tables,
            **given,
            endotypes=endotypes,
            composite=results / f"restricted/endotypes/{scheme}.composite.parquet",
            references=results / f"restricted/endotypes/{scheme}.references.parquet",
            accounting=results / f"checks/accounting/endotypes/{scheme}.csv",
        )
    call(
        build_analysis_set,
        folder,
        analysis=analysis,
        **tables,
        endotypes=[endotypes] if scheme else [],
        history=[
            results / f"restricted/harmonised/{site}/history.parquet"
            for site in (included_sites(study) if uses_history(study.analyses[analysis]) else ())
        ],
        analysis_set=analysis_set,
        ledger=results / f"restricted/ledger/analysis/{analysis}.parquet",
        accounting=results / f"checks/accounting/analysis/{analysis}.csv",
    )
    fits = results / "restricted/fits" / analysis
    call(
        fit_models,
        folder,
        analysis=analysis,
        analysis_set=[analysis_set],
        estimates=fits / "estimates.parquet",
        curves=fits / "curves.parquet",
    )


def call(step: ModuleType, folder: Path, **options: str | Path | Sequence[Path]) -> None:
    """Call a step's main function as its command line would."""
    for value in options.values():
        if isinstance(value, Path):
            value.parent.mkdir(parents=True, exist_ok=True)
    step.main(argparse.Namespace(study=str(folder), log=None, **options))


def ledger_of(results: Path) -> pl.DataFrame:
    """Return the ledgers of reading, standardising and harmonising together."""
    files = sorted((results / "restricted/ledger").glob("*/*.parquet"))
    return pl.concat([pl.read_parquet(path) for path in files if path.parent.name != "analysis"])


def _checks(results: Path, site: str, stage: str) -> dict[str, Path]:
    return {
        "ledger": results / f"restricted/ledger/{site}/{stage}.parquet",
        "accounting": results / f"checks/accounting/{site}/{stage}.csv",
        "findings": results / f"checks/findings/{site}/{stage}.csv",
    }
