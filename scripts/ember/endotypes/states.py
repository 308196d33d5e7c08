"""One state a participant: total and exclusive, with the rule, the results it rests on, and what was missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.composite import Composites
from ember.endotypes.cuts import BoolArray, FloatArray, IntArray
from ember.endotypes.results import PERSON
from ember.endotypes.samples import INFECTED, Samples, numbered, samples_of
from ember.endotypes.scheme import (
    ACUTE_SUSPECT,
    CRP_ONLY,
    DISCORDANT,
    INDETERMINATE,
    INFLAMED_PERSISTENT,
    INFLAMED_SINGLE,
    PERSISTENT_ABOVE_10,
    Scheme,
    Verdict,
    scheme_rules,
)
from ember.endotypes.sequence import NONE, Sequences, sequences
from ember.endotypes.support import MET, NOT_MET, Judged, at_visit, judged
from ember.endotypes.support import UNKNOWN as NOT_KNOWN
from ember.registry.model import Visit
from ember.tables.store import arranged
from ember.validate.accounting import Account

MISSING = Verdict(f"{INDETERMINATE}:missing", INDETERMINATE)
CENSORED = Verdict(f"{INDETERMINATE}:censored", INDETERMINATE)
ASSAY = Verdict(f"{INDETERMINATE}:assay", INDETERMINATE)
UNIT = Verdict(f"{INDETERMINATE}:unit", INDETERMINATE)
REFUSED = Verdict(f"{INDETERMINATE}:refused", INDETERMINATE)
ACUTE = Verdict("acute", ACUTE_SUSPECT)
INFECTION = Verdict("infection", ACUTE_SUSPECT)
TWICE_ABOVE = Verdict("acute_twice", PERSISTENT_ABOVE_10)
FIRST = (MISSING, CENSORED, ASSAY, UNIT, REFUSED, ACUTE, INFECTION, TWICE_ABOVE)
"""Verdicts that every scheme has, in the order of their codes."""


@dataclass(frozen=True)
class Evidence:
    """What beside the screening analyte a scheme may look at; what it does not use stays empty.

    Attributes
    ----------
    composite : Composites or None
    scores : DataFrame or None
        Contract scores, for reports of infection.
    symptoms : ndarray or None
        Score of the scheme's symptom profile, one a participant.
    started : ndarray or None
        Study day on which treatment began, one a participant.
    unusable : DataFrame or None
        `site_id`, `participant_id`, `visit` and `unit` (bool) of results that were reported and could not be used.
    """

    composite: Composites | None = None
    scores: pl.DataFrame | None = None
    symptoms: FloatArray | None = None
    started: FloatArray | None = None
    unusable: pl.DataFrame | None = None


@dataclass(frozen=True)
class _Assigned:
    """One entry a participant: the verdict's code, and where the support conditions decided."""

    verdicts: list[Verdict]
    code: IntArray
    supported: BoolArray


def assign_states(
    measurements: pl.DataFrame,
    participants: pl.DataFrame,
    content: Mapping[str, Any],
    visits: Sequence[Visit],
    evidence: Evidence | None = None,
) -> pl.DataFrame:
    """Give every participant one state before treatment.

    Parameters
    ----------
    measurements, participants : DataFrame
        Harmonised tables of all sites, contracts measurements and participants.
    content : mapping
        A resolved scheme (`ember.registry.schemes`).
    visits : sequence of Visit
        The study's planned visits.
    evidence : Evidence, optional
        What else the scheme looks at.

    Returns
    -------
    DataFrame
        Contract endotypes: one row a class, probability 1 for the state and 0 otherwise.

    Raises
    ------
    EmberError
        The scheme is not total.

    Notes
    -----
    A single result is noisy: about a third of raised CRP values are normal again some weeks later, so probability 1
    says only that the rule was applied, not that the participant would be labelled the same tomorrow. A result that
    is known only as an interval is labelled where the whole interval lies in one band, and is indeterminate
    elsewhere. The last two valid samples decide, as the table in tests/spec/test_endotype_states.py lists.
    """
    scheme, seen = scheme_rules(content), evidence or Evidence()
    people = numbered(participants)
    samples = samples_of(people, measurements, scheme, visits, seen.scores, seen.started)
    order = sequences(samples, people.height, scheme.samples.apart)
    support = _support(participants, scheme, seen)
    assigned = _assigned(scheme, samples, order, support, _unusable(people, scheme, visits, seen.unusable))
    return _one_row_a_class(
        people,
        scheme,
        assigned,
        _rows_behind(people, scheme, samples, order, assigned, seen.composite),
        _flags(scheme, samples, order, assigned),
        _missing(people, scheme, samples, order, support, assigned),
        order.n_counted,
    )


def endotype_accounts(participants: pl.DataFrame, scheme_id: str) -> list[Account]:
    """Return one account a site: every participant comes in and leaves with a state."""
    counts = participants.group_by("site_id", maintain_order=True).len()
    return [Account(site, f"endotypes:{scheme_id}", "participant", n_in=n, n_out=n) for site, n in counts.iter_rows()]


def _support(participants: pl.DataFrame, scheme: Scheme, seen: Evidence) -> Judged | None:
    if scheme.support is None:
        return None
    nothing = np.full(participants.height, np.nan)
    bmi = participants["bmi"].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    quantities = {
        "composite": nothing
        if seen.composite is None
        else at_visit(participants, seen.composite.table, scheme.visit, "composite"),
        "bmi": bmi,
        "symptoms": nothing if seen.symptoms is None else seen.symptoms,
    }
    return judged(scheme.support.conditions, quantities)


def _unusable(people: pl.DataFrame, scheme: Scheme, visits: Sequence[Visit], table: pl.DataFrame | None) -> IntArray:
    """Return 0 where no result was refused, 1 where one was, and 2 where its unit is why."""
    worst = np.zeros(people.height, dtype=np.int64)
    if table is None:
        return worst
    window = scheme.samples
    inside = [visit.id for visit in visits if visit.first <= window.last and visit.last >= window.first]
    found = table.filter(pl.col("visit").is_in(inside)).join(people, on=PERSON, how="inner", maintain_order="left")
    person = found["person"].to_numpy().astype(np.int64)
    np.maximum.at(worst, person, np.where(found["unit"].to_numpy(), 2, 1))
    return worst


def _assigned(
    scheme: Scheme, samples: Samples, order: Sequences, support: Judged | None, unusable: IntArray
) -> _Assigned:
    """Return each participant's verdict: the first of the table's lines that holds."""
    verdicts = list(FIRST)
    code = {verdict: number for number, verdict in enumerate(verdicts)}
    chosen = np.where(unusable == 2, code[UNIT], np.where(unusable == 1, code[REFUSED], code[MISSING]))
    blind = _taken(samples.blind, order.unknown_last, False)
    chosen = np.where(order.unknown, np.where(blind, code[ASSAY], code[CENSORED]), chosen)
    chosen = np.where(order.infected, code[INFECTION], chosen)
    chosen = np.where(order.acute, code[ACUTE], chosen)
    supported = np.zeros(chosen.size, dtype=np.bool_)
    valid = order.last != NONE
    raised = _raised(scheme, samples, order.last)
    before = _raised(scheme, samples, order.before)
    band = _taken(samples.band, order.last, NONE)
    for number, verdict in enumerate(scheme.bands):
        here = valid & (band == number)
        if number < scheme.raised:
            chosen[here] = _added(verdicts, verdict)
            continue
        once, again = here & ~before, here & before
        single = Verdict(verdict.rule, INFLAMED_SINGLE)
        repeated = Verdict(f"{verdict.rule}:persistent", INFLAMED_PERSISTENT)
        for where, plain in ((once, single), (again, repeated)):
            chosen[where] = _added(verdicts, plain)
            supported |= _refine(scheme, support, verdicts, chosen, where, plain)
    chosen[valid & ~raised & before] = _added(verdicts, Verdict(DISCORDANT, DISCORDANT))
    supported &= raised
    chosen[order.twice_above] = code[TWICE_ABOVE]
    return _Assigned(verdicts, chosen.astype(np.int64), supported & ~order.twice_above)


def _refine(
    scheme: Scheme, support: Judged | None, verdicts: list[Verdict], chosen: IntArray, where: BoolArray, plain: Verdict
) -> BoolArray:
    """Ask the supporting conditions of those who are raised; return where they decided."""
    if scheme.support is None or support is None:
        return np.zeros(where.size, dtype=np.bool_)
    alone = (
        Verdict(f"{plain.rule}:{CRP_ONLY}", plain.state)
        if scheme.support.unknown == CRP_ONLY
        else Verdict(f"{INDETERMINATE}:no_support", INDETERMINATE)
    )
    answers = {NOT_KNOWN: alone, NOT_MET: scheme.support.not_met, MET: scheme.support.met}
    for answer, verdict in answers.items():
        chosen[where & (support.answer == answer)] = _added(verdicts, verdict)
    return np.asarray(where & (support.answer != NOT_KNOWN))


def _added(verdicts: list[Verdict], verdict: Verdict) -> int:
    if verdict not in verdicts:
        verdicts.append(verdict)
    return verdicts.index(verdict)


def _raised(scheme: Scheme, samples: Samples, at: IntArray) -> BoolArray:
    return np.asarray(_taken(samples.band, at, NONE) >= scheme.raised)


def _taken(column: Any, at: IntArray, otherwise: Any) -> Any:
    """Return a sample's entry for each participant, or `otherwise` where there is no such sample."""
    found = np.full(at.size, otherwise, dtype=column.dtype)
    there = at != NONE
    found[there] = column[at[there]]
    return found


def _flags(scheme: Scheme, samples: Samples, order: Sequences, assigned: _Assigned) -> pl.Series:
    """Return what a reader of the state has to know, as words joined by semicolons."""
    rules = np.array([verdict.rule for verdict in assigned.verdicts])
    marked = np.array([rule.endswith(f":{CRP_ONLY}") for rule in rules])[assigned.code]
    valid = (order.last != NONE) & ~order.twice_above
    placed = order.n_counted > 0
    raised, before = (_raised(scheme, samples, at) for at in (order.last, order.before))
    words = {
        CRP_ONLY: marked,
        "repeated": valid & raised & before,
        "earlier_below": valid & raised & (order.before != NONE) & ~before,
        "above_10": _anyone(samples.person[samples.band == len(scheme.cuts)], valid.size),
        "above_10_set_aside": valid & order.acute,
        "infection_set_aside": (valid | order.twice_above) & order.infected,
        "acute_last": valid & order.acute_last,
        "repeat_too_soon": order.too_soon,
        "unplaced_set_aside": placed & order.unknown,
        "undated": samples.undated,
        "after_treatment": samples.late,
        "outside_window": samples.elsewhere,
    }
    return _words(words, "flags")


def _anyone(person: IntArray, number: int) -> BoolArray:
    found = np.zeros(number, dtype=np.bool_)
    found[person] = True
    return found


def _missing(
    people: pl.DataFrame,
    scheme: Scheme,
    samples: Samples,
    order: Sequences,
    support: Judged | None,
    assigned: _Assigned,
) -> pl.Series:
    """Return what was not there to decide by, as words joined by semicolons."""
    states = np.array([verdict.state for verdict in assigned.verdicts])[assigned.code]
    sampled = (order.n_counted > 0) | order.unknown
    asked = _anyone(samples.person[samples.asked], people.height)
    site_asks = people["site_id"].is_in(people["site_id"].filter(pl.Series(asked)).unique().to_list()).to_numpy()
    words = {
        scheme.analyte: ~sampled,
        "repeat": sampled & (order.n_counted < 2),
        "infection_flag": sampled & site_asks & ~asked,
    }
    raised = _raised(scheme, samples, order.last) & (states != DISCORDANT) & ~order.twice_above
    for quantity, absent in (support.missing if support else {}).items():
        words[quantity] = raised & absent
    return _words(words, "missing")


def _words(where: Mapping[str, BoolArray], name: str) -> pl.Series:
    """Return for each row the words that hold, joined by semicolons; each combination is put into words once."""
    code = np.zeros(next(iter(where.values())).size, dtype=np.int64)
    for number, holds in enumerate(where.values()):
        code |= holds.astype(np.int64) << number
    seen, at = np.unique(code, return_inverse=True)
    texts = [";".join(word for number, word in enumerate(where) if one >> number & 1) for one in seen.tolist()]
    return pl.Series(name, texts, dtype=pl.String).gather(at.astype(np.int64))


def _rows_behind(
    people: pl.DataFrame,
    scheme: Scheme,
    samples: Samples,
    order: Sequences,
    assigned: _Assigned,
    composite: Composites | None,
) -> pl.Series:
    """Return the row ids of the samples that count (of those nobody can place where none does) and of the support."""
    shown = order.counted | (samples.kind != INFECTED) & (order.n_counted[samples.person] == 0)
    columns = []
    rows, person = samples.row_id[shown], samples.person[shown]
    if composite is not None:
        own = composite.parts.filter(pl.col("visit") == scheme.visit).select(*PERSON, "row_id")
        own = own.join(people, on=PERSON, how="inner", maintain_order="left")
        whose = own["person"].to_numpy().astype(np.int64)
        decided = assigned.supported[whose]
        rows = np.concatenate([rows, own["row_id"].to_numpy()[decided]])
        person = np.concatenate([person, whose[decided]])
    order_of = np.argsort(person, kind="stable")
    rows, person = rows[order_of], person[order_of]
    new = np.ones(person.size, dtype=np.bool_)
    new[1:] = person[1:] != person[:-1]
    starts = np.flatnonzero(new)
    rank = np.arange(person.size) - np.repeat(starts, np.diff(np.append(starts, person.size)))
    for step in range(int(rank.max(initial=-1)) + 1):
        here = rank == step
        column = np.full(people.height, NONE, dtype=np.int64)
        column[person[here]] = rows[here]
        ids = pl.Series(f"row_{step}", column)
        columns.append(pl.select(pl.when(ids != NONE).then(ids).cast(pl.String).alias(f"row_{step}")).to_series())
    if not columns:
        return pl.Series("evidence", [""] * people.height, dtype=pl.String)
    joined = pl.concat_str(pl.all(), separator=";", ignore_nulls=True).alias("evidence")
    return pl.DataFrame(columns).select(joined).to_series()


def _one_row_a_class(
    people: pl.DataFrame,
    scheme: Scheme,
    assigned: _Assigned,
    evidence: pl.Series,
    flags: pl.Series,
    missing: pl.Series,
    n_samples: IntArray,
) -> pl.DataFrame:
    classes = list(scheme.classes)
    number = len(classes)
    states = np.array([classes.index(v.state) if v.state in classes else NONE for v in assigned.verdicts])
    rule = pl.Series("rule_id", [verdict.rule for verdict in assigned.verdicts], dtype=pl.String)
    one = people.select(*PERSON).with_columns(
        rule.gather(assigned.code), evidence, flags, missing, pl.Series("n_samples", n_samples)
    )
    table = one[np.repeat(np.arange(one.height), number)]
    held = (np.tile(np.arange(number), one.height) == np.repeat(states[assigned.code], number)).astype(np.bool_)
    shown = pl.Series("class", classes, dtype=pl.String).gather(np.tile(np.arange(number), one.height))
    return arranged(
        table.with_columns(
            shown,
            pl.lit(scheme.visit).alias("visit"),
            pl.Series("assigned", held),
            pl.Series("probability", held.astype(np.float64)),
        ),
        "endotypes",
    )
