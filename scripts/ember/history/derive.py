"""The treatment history of a site's participants: resistance, stage, the study's own rule, and earlier exposure."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ember.history.difficult import difficult_to_treat, usual_kinds
from ember.history.exposure import KIND, arms_before_sample, before_sample, treatment_rows
from ember.history.lists import listed
from ember.history.resistance import resistance
from ember.history.staging import USED, maudsley
from ember.history.trials import trial_table
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import conform, empty_table, polars_schema
from ember.validate.accounting import Account
from ember.validate.ledger import entries, join_entries, rules

STAGE = "derive_history"
ACCOUNT = "history:treatment"
"""Stage of the account: a colon marks what is derived from the harmonised participants."""
ARM_RULE = "treatment.arm_before_sample"


@dataclass(frozen=True)
class Tables:
    """The harmonised tables of one site that tell its history."""

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    scores: pl.DataFrame
    treatments: pl.DataFrame


@dataclass(frozen=True)
class History:
    """Contracts treatment_trials, history, ledger and findings; participants in = out."""

    trials: pl.DataFrame
    history: pl.DataFrame
    ledger: pl.DataFrame
    findings: pl.DataFrame
    accounts: tuple[Account, ...]


def derive_history(study: Study, site: Site, registry: Registry, tables: Tables) -> History:
    """Return what the treatments of a site's participants say, one row a participant.

    Parameters
    ----------
    tables : Tables
        Contracts of the same names; all rows of the participants in question.

    Notes
    -----
    TRD comes from trials alone and DTD from the study's rule alone: neither is inferred from the other.
    """
    people = tables.participants
    trials = trial_table(tables.treatments, registry)
    complete = _complete(study, site, registry, tables)
    trd = resistance(people, trials, complete["failures"], registry)
    stage = maudsley(people, trials, trd, {part: complete[part] for part in ("failures", *USED)}, registry)
    exposed = before_sample(
        people, tables.treatments, tables.measurements, complete["anti_inflammatory"], registry, study.time_zero
    )
    parts = [people, trd, stage, _difficult(study, tables, complete["usual"]), exposed]
    whole = pl.concat(parts, how="horizontal").select(contract("history").names)
    arms = arms_before_sample(treatment_rows(people, tables.treatments, tables.measurements, registry, study.time_zero))
    n = people.height
    return History(
        trials=trials,
        history=conform(whole, "history"),
        ledger=join_entries([entries(arms, ARM_RULE, site=site.id, stage=STAGE)]),
        findings=_findings(study, site, arms),
        accounts=(Account(site=site.id, stage=ACCOUNT, unit="participant", n_in=n, n_out=whole.height),),
    )


def _complete(study: Study, site: Site, registry: Registry, tables: Tables) -> dict[str, pl.Series]:
    """Return for each use of an empty list whether it is known to be one, by participant."""
    kinds = {row["treatment"]: row["kind"] for row in registry.rows("treatments")}
    used = {
        row["part"]: kinds.get(row["counts"], row["counts"])
        for row in registry.rows("staging")
        if row["scheme"] == "maudsley" and row["part"] in USED
    }
    antidepressants = [row["kind"] for row in registry.rows("treatment_kinds") if row["trd"] == "yes"]
    trials = {"failures": antidepressants, **{part: [kind] for part, kind in used.items()}}
    others = {"anti_inflammatory": [KIND], "usual": list(usual_kinds(study.dtd)) if study.dtd else []}
    return {
        **{part: listed(site, of, tables.participants, tables.treatments, trials=True) for part, of in trials.items()},
        **{part: listed(site, of, tables.participants, tables.treatments) for part, of in others.items()},
    }


def _difficult(study: Study, tables: Tables, usual: pl.Series) -> pl.DataFrame:
    if study.dtd is None:
        names = [name for name in contract("history").names if name.startswith("dtd")]
        return pl.DataFrame({name: [None] * tables.participants.height for name in names}, schema_overrides={
            name: polars_schema("history")[name] for name in names
        })  # fmt: skip
    return difficult_to_treat(
        study.dtd, study.visits, tables.participants, tables.visits, tables.scores, tables.treatments, usual
    )


def _findings(study: Study, site: Site, arms: pl.DataFrame) -> pl.DataFrame:
    """Return the finding that a study arm began before the sample; only a confirmation answers it."""
    if arms.is_empty():
        return empty_table("findings")
    name = f"treatment:{site.id}:arm_before_sample"
    answer = study.answer(name)
    confirmed = answer is not None and answer.action == "confirm"
    found = {
        "finding": name,
        "stage": STAGE,
        "site": site.id,
        "rule_id": ARM_RULE,
        "severity": rules()[ARM_RULE].severity,
        "n": arms.height,
        "message": "an anti-inflammatory study arm began before the sample. Map it with the role"
        " exposure_before_sampling, correct its start, or confirm that it is an arm.",
        "answered": confirmed,
        "action": answer.action if answer and confirmed else None,
        "reason": answer.reason if answer and confirmed else None,
    }
    return conform(pl.DataFrame([found], schema=polars_schema("findings")), "findings")
