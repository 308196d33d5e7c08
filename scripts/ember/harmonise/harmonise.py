"""Harmonise one site: canonical units, censored values, plausible values, and scores of questionnaires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.harmonise.evidence import Suspicion, find_suspicions, findings_table
from ember.harmonise.instruments import score_instruments
from ember.harmonise.limits import flag_text, with_censoring, with_plausibility
from ember.harmonise.units import declared_factors, with_conversions
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import BrokenContractError, conform, empty_table
from ember.validate.accounting import Account
from ember.validate.ledger import count, entries, join_entries

STAGE = "harmonise_site"


@dataclass(frozen=True)
class Standard:
    """The standard tables of one site, and `n_values`, the values that standardise_site let out."""

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    items: pl.DataFrame
    treatments: pl.DataFrame
    n_values: int


@dataclass(frozen=True)
class Harmonised:
    """The harmonised tables of one site, and what became of every value."""

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    scores: pl.DataFrame
    treatments: pl.DataFrame
    ledger: pl.DataFrame
    accounts: tuple[Account, ...]
    findings: pl.DataFrame


def harmonise_site(study: Study, site: Site, registry: Registry, standard: Standard) -> Harmonised:
    """Return the harmonised tables of one site with their ledger, accounts and findings.

    Parameters
    ----------
    standard : Standard
        Tables that meet the contracts participants, visits, standard_measurements, standard_items and treatments.

    Raises
    ------
    EmberError
        The registry or the site file cannot be applied: an assay in a unit without conversion, an item without a
        row, two molar factors for one analyte of a file.
    BrokenContractError
        The values do not add up.

    Notes
    -----
    Each value leaves for one reason, the first in this order: unit unknown, limit missing, excluded by an answered
    finding, impossible. Impossible values are judged last because a wrong unit makes possible values impossible,
    and the unit is then the reason.
    """
    measurements, measured_ledger, findings = harmonise_measurements(study, site, registry, standard.measurements)
    scored = score_instruments(standard.items, registry, site.id, STAGE)
    ledger = join_entries([measured_ledger, scored.ledger])
    # score.incomplete is listed once a questionnaire; its answers are counted in n_unscored.
    listed = ledger.filter(pl.col("rule_id") != "score.incomplete")
    carried_on = _carried_on(standard)
    values = Account(
        site=site.id,
        stage=STAGE,
        unit="value",
        n_in=standard.n_values,
        n_created=scored.scores.height,
        n_out=measurements.height + scored.scores.height + carried_on,
        n_collapsed=scored.n_collapsed,
        n_quarantined=count(listed, "quarantined", "value"),
        n_excluded=count(listed, "excluded", "value") + scored.n_unscored,
    )
    n = standard.participants.height
    participants = Account(site=site.id, stage=STAGE, unit="participant", n_in=n, n_out=n)
    return Harmonised(
        participants=standard.participants,
        visits=standard.visits,
        measurements=measurements,
        scores=scored.scores,
        treatments=standard.treatments,
        ledger=ledger,
        accounts=(values, participants),
        findings=findings,
    )


def harmonise_measurements(
    study: Study, site: Site, registry: Registry, measurements: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the measurements (contract `measurements`), their ledger and the findings on their units."""
    declared = declared_factors(study, site)
    listed: list[pl.DataFrame] = []
    rows = with_conversions(measurements, registry, declared)
    rows = _without(rows, pl.col("unit").is_null(), "value.unit_unknown", site, listed, "a unit of units.csv")
    rows = with_censoring(rows, registry)
    rows = _without(rows, pl.col("value").is_null(), "value.limit_missing", site, listed, "a limit above zero")
    suspicions = find_suspicions(rows, registry, declared)
    findings = findings_table(study, site, suspicions, registry, declared, STAGE)
    rows = without_excluded(rows, suspicions, study, site, listed)
    rows = with_plausibility(rows, registry)
    message = "hard_low to hard_high of analytes.csv, in the canonical unit"
    rows = _without(rows, pl.col("impossible"), "value.outside_hard_limits", site, listed, message)
    flagged = {
        "value.below_limit": pl.col("censoring") == "left",
        "value.above_limit": pl.col("censoring") == "right",
        "value.acute": pl.col("acute"),
    }
    for rule_id, mark in flagged.items():
        listed.append(entries(rows.filter(mark), rule_id, site=site.id, stage=STAGE))
    return measurement_table(rows.with_columns(flag_text().alias("flags"))), join_entries(listed), findings


def without_excluded(
    rows: pl.DataFrame, suspicions: Sequence[Suspicion], study: Study, site: Site, listed: list[pl.DataFrame]
) -> pl.DataFrame:
    """Return rows without those whose finding the study answers with `exclude`; these go to the ledger."""
    for suspicion in suspicions:
        answer = study.answer(suspicion.finding(site.id))
        if answer is None or answer.action != "exclude":
            continue
        named = pl.col("analyte") == suspicion.analyte
        if suspicion.batch is not None:
            named = named & (pl.col("batch") == suspicion.batch).fill_null(False)
        rows = _without(
            rows, named, "value.finding_excluded", site, listed, f"answer to {answer.finding}", answer.reason
        )
    return rows


def measurement_table(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order and with the columns of the contract `measurements`, numbered from 1."""
    files = rows.select("source_file").unique(maintain_order=True).with_row_index("file_order")
    ordered = (
        rows.join(files, on="source_file", how="left", maintain_order="left")
        .sort("file_order", "row_number", "analyte", maintain_order=True)
        .with_row_index("row_id", offset=1)
    )
    names = [name for name in empty_table("measurements").columns if name in ordered.columns]
    return conform(ordered.select(names), "measurements")


def _without(
    rows: pl.DataFrame,
    leaving: pl.Expr,
    rule_id: str,
    site: Site,
    listed: list[pl.DataFrame],
    message: str,
    reason: str | None = None,
) -> pl.DataFrame:
    """Return the rows that stay; append a ledger entry for each that leaves to `listed`."""
    listed.append(entries(rows.filter(leaving), rule_id, site=site.id, stage=STAGE, message=message, reason=reason))
    return rows.filter(~leaving)


def _carried_on(standard: Standard) -> int:
    """Return how many values are neither measurement nor answer: participants' columns, dates and treatments.

    They pass unchanged, and the tables do not show all of them (a date has become a study day), so they are what
    standardise_site let out beside measurements and answers; fewer than the tables show is a defect.
    """
    rest = standard.n_values - standard.measurements.height - standard.items.height
    mapped = standard.participants.select(list(contract("participants").mapped))
    shown = mapped.height * mapped.width - sum(mapped.null_count().row(0)) if mapped.height else 0
    if rest < shown:
        raise BrokenContractError(f"standardise_site counted {rest} values of participants and visits; {shown} stand")
    return rest
