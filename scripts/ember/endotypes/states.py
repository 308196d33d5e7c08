"""One state a participant: total and exclusive, with the rule and the results it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composite import group_numbers, mean_of_present, z_of_ln
from ember.endotypes.cuts import UNPLACED, BoolArray, FloatArray, IntArray, place
from ember.endotypes.results import (
    PERSON,
    censored,
    filled,
    of_standard_assay,
    results_at,
    standard_limits,
    values,
)
from ember.endotypes.scheme import INDETERMINATE, SchemeRules, Verdict, scheme_rules
from ember.errors import EmberError
from ember.tables.store import conform
from ember.validate.accounting import Account

COMPOSITE_SCHEMA = {
    "site_id": pl.String(),
    "participant_id": pl.String(),
    "visit": pl.String(),
    "composite": pl.Float64(),
    "n_analytes": pl.Int64(),
}
MISSING = Verdict(f"{INDETERMINATE}:missing", INDETERMINATE)
CENSORED = Verdict(f"{INDETERMINATE}:censored", INDETERMINATE)
ASSAY = Verdict(f"{INDETERMINATE}:assay", INDETERMINATE)


def assign_states(
    measurements: pl.DataFrame, participants: pl.DataFrame, scheme: Mapping[str, Any]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give every participant one state at the scheme's visit.

    Parameters
    ----------
    measurements, participants : DataFrame
        Harmonised tables of all sites, contracts measurements and participants.
    scheme : mapping
        Content of endotypes/<scheme>.yaml.

    Returns
    -------
    endotypes : DataFrame
        Contract endotypes: one row a class, probability 1 for the state and 0 otherwise.
    composite : DataFrame
        `site_id`, `participant_id`, `visit`, `composite`, `n_analytes`; no rows if the scheme has none.

    Raises
    ------
    EmberError
        The scheme is not total, or a left-censored result meets a composite that does not say how to fill it.

    Notes
    -----
    A single result is noisy: about a third of raised CRP values are normal again some weeks later, so probability 1
    says only that the rule was applied, not that the participant would be labelled the same tomorrow. A result that
    is known only as an interval is labelled where the whole interval lies in one band, and is indeterminate
    elsewhere; a standard assay sees nothing below its limit, so a number it gives there counts as "below the limit",
    and no band that the limit reaches into can be filled by it.
    """
    rules = scheme_rules(scheme)
    screen = results_at(participants, measurements, scheme["analyte"], scheme["visit"])
    composite, composite_rows = _composite(measurements, participants, scheme)
    band, blind = _bands(screen, rules)
    verdicts, code, used = _verdicts(screen, band, blind, composite, rules)
    table = _one_row_a_class(screen, scheme["visit"], rules, verdicts, code, _evidence(screen, composite_rows, used))
    return table, _composite_table(screen, scheme, composite, composite_rows)


def endotype_accounts(participants: pl.DataFrame, scheme_id: str) -> list[Account]:
    """Return one account a site: every participant comes in and leaves with a state."""
    counts = participants.group_by("site_id", maintain_order=True).len()
    return [Account(site, f"endotypes:{scheme_id}", "participant", n_in=n, n_out=n) for site, n in counts.iter_rows()]


def _bands(screen: pl.DataFrame, rules: SchemeRules) -> tuple[IntArray, BoolArray]:
    """Return the band of each result, and where it is the limit of a standard assay that leaves it open."""
    value, left, right = values(screen), censored(screen, "left"), censored(screen, "right")
    limit = standard_limits(screen)
    exact = ~left & ~right
    blind = exact & (np.isnan(limit) | (value < limit))
    band = place(np.where(blind, limit, value), left | blind, right, rules.cuts)
    return band, (blind | (left & of_standard_assay(screen))) & (band == UNPLACED)


def _verdicts(
    screen: pl.DataFrame, band: IntArray, blind: BoolArray, composite: FloatArray, rules: SchemeRules
) -> tuple[list[Verdict], IntArray, BoolArray]:
    """Return the verdicts, which of them each participant gets, and where the composite decided."""
    verdicts = [MISSING, CENSORED, ASSAY, rules.acute]
    code = np.where(np.isnan(values(screen)), 0, np.where(blind, 2, 1))
    code[band == len(rules.cuts)] = 3
    used = np.zeros(band.size, dtype=np.bool_)
    no = np.zeros(band.size, dtype=np.bool_)
    for number, rule in enumerate(rules.bands):
        here = band == number
        code[here] = len(verdicts)
        verdicts.append(rule.alone)
        if rule.cut is not None and rule.low is not None and rule.high is not None:
            side = place(composite, no, no, [rule.cut])
            for at, verdict in enumerate((rule.low, rule.high)):
                code[here & (side == at)] = len(verdicts)
                verdicts.append(verdict)
            used |= here & (side != UNPLACED)
    return verdicts, code.astype(np.int64), used


def _composite(
    measurements: pl.DataFrame, participants: pl.DataFrame, scheme: Mapping[str, Any]
) -> tuple[FloatArray, dict[str, pl.Series]]:
    """Return the composite of each participant, and by analyte the row ids that went into it."""
    declared = scheme.get("composite")
    if declared is None:
        return np.full(participants.height, np.nan), {}
    scores, rows = [], {}
    everyone = np.ones(participants.height, dtype=np.bool_)
    for analyte in declared["analytes"]:
        found = results_at(participants, measurements, analyte, scheme["visit"])
        z = z_of_ln(_usable(found, scheme), group_numbers(found, ["site_id", "assay_id"]), everyone)
        scores.append(z)
        rows[analyte] = found.select(pl.when(pl.Series(~np.isnan(z))).then("row_id")).to_series()
    return mean_of_present(scores, declared["minimum"])[0], rows


def _usable(found: pl.DataFrame, scheme: Mapping[str, Any]) -> FloatArray:
    method = scheme["composite"].get("below_limit")
    if method is not None:
        return filled(found, method)
    if censored(found, "left").any():
        raise EmberError(
            "A result of the composite is below its limit and the scheme does not say what stands for it.",
            where=f"endotypes/{scheme['scheme']}.yaml  composite.below_limit",
        )
    return values(found)


def _evidence(screen: pl.DataFrame, composite_rows: Mapping[str, pl.Series], used: BoolArray) -> pl.Series:
    columns = [screen["row_id"].cast(pl.String).alias("screen")]
    decided = pl.Series("decided", used)
    for number, rows in enumerate(composite_rows.values()):
        text = rows.cast(pl.String).alias(f"part_{number}")
        columns.append(pl.select(pl.when(decided).then(text).alias(f"part_{number}")).to_series())
    return (
        pl.DataFrame(columns)
        .select(pl.concat_str(pl.all(), separator=";", ignore_nulls=True).alias("evidence"))
        .to_series()
    )


def _one_row_a_class(
    people: pl.DataFrame, visit: str, rules: SchemeRules, verdicts: list[Verdict], code: IntArray, evidence: pl.Series
) -> pl.DataFrame:
    state = pl.Series([verdict.state for verdict in verdicts], dtype=pl.String).gather(code)
    rule = pl.Series([verdict.rule for verdict in verdicts], dtype=pl.String).gather(code)
    one = people.select(*PERSON, state.alias("state"), rule.alias("rule_id"), evidence)
    number = len(rules.classes)
    table = one[np.repeat(np.arange(one.height), number)].with_columns(
        pl.Series("class", list(rules.classes) * one.height, dtype=pl.String), pl.lit(visit).alias("visit")
    )
    assigned = pl.col("class") == pl.col("state")
    return conform(
        table.with_columns(assigned.alias("assigned"), assigned.cast(pl.Float64).alias("probability")).drop("state"),
        "endotypes",
    )


def _composite_table(
    people: pl.DataFrame, scheme: Mapping[str, Any], composite: FloatArray, rows: Mapping[str, pl.Series]
) -> pl.DataFrame:
    if "composite" not in scheme:
        return pl.DataFrame(schema=COMPOSITE_SCHEMA)
    number = pl.DataFrame([series.alias(name) for name, series in rows.items()]).select(
        pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int64)).alias("n_analytes")
    )
    table = people.select(
        *PERSON,
        pl.lit(scheme["visit"]).alias("visit"),
        pl.Series("composite", composite).fill_nan(None),
        number.to_series(),
    )
    return table.select(pl.col(name).cast(kind) for name, kind in COMPOSITE_SCHEMA.items())
