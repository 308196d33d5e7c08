"""One table of a site: its columns without their visits, and what each of them means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from ember.draft.hint import FileDraft
from ember.draft.instruments import Series, instrument_of, numbered_series, total_of
from ember.draft.meaning import Meaning, Reading, flag_of, meanings
from ember.draft.profile import Profile, profile_of
from ember.draft.proposal import LEAST_CONFIDENCE, Guess
from ember.draft.tools import Tools
from ember.draft.visits import Wide, visit_code, wide_layout
from ember.draft.words import squeezed
from ember.extract.table import ColumnInfo, RawTable

CLOSE = 0.06
MISSING_FACTOR = 1.5


@dataclass
class Columns:
    """The columns of one table, each with its cells in aggregate."""

    file: FileDraft
    table: RawTable
    tools: Tools
    wide: Wide | None
    missing_texts: frozenset[str]
    readings: list[Reading] = field(default_factory=list)
    profiles: dict[str, Profile] = field(default_factory=dict)

    def profile(self, base: str) -> Profile:
        """Return the cells of a column at all its visits, in aggregate."""
        if base not in self.profiles:
            columns = list(self.wide.bases.get(base, {}).values()) if self.wide else []
            cells = pl.concat([self.table.frame[name].alias(base) for name in columns or [base]])
            info = next((self.table.columns[name] for name in columns or [base]), ColumnInfo())
            source = self.file.source("")
            self.profiles[base] = profile_of(cells, info, self.missing_texts, source.decimal, source.thousands)
        return self.profiles[base]


@dataclass
class Found:
    """What the columns of one table mean.

    `chosen` is by base name, `unsure` holds those with more than one meaning, `instruments` and `totals` are by
    instrument, `missing` are the numeric codes that stand outside the other values.
    """

    columns: Columns
    chosen: dict[str, Meaning] = field(default_factory=dict)
    unsure: dict[str, list[Meaning]] = field(default_factory=dict)
    instruments: dict[str, tuple[Series, list[Guess]]] = field(default_factory=dict)
    nameless: list[tuple[Series, list[Guess]]] = field(default_factory=list)
    totals: dict[str, tuple[str, list[Guess]]] = field(default_factory=dict)
    flags: dict[str, list[Guess]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)

    def of(self, kind: str, target: str) -> tuple[str, Meaning] | None:
        """Return the column chosen for a meaning."""
        return next(((base, m) for base, m in self.chosen.items() if (m.kind, m.target) == (kind, target)), None)


def read_columns(file: FileDraft, table: RawTable, tools: Tools) -> Columns:
    """Return the columns of a table, those of a wide file without their visits."""
    wide = wide_layout(table.names, tools.lexicon)
    texts = {name.text for name in tools.lexicon.names["missing"] if name.target == "text"}
    missing = frozenset(texts | {squeezed(text) for text in texts})
    columns = Columns(file, table, tools, wide, missing)
    in_wide = {name for group in wide.bases.values() for name in group.values()} if wide else set()
    bases: dict[str, dict[str, str]] = {}
    base_of = {name: base for base, group in wide.bases.items() for name in group.values()} if wide else {}
    for name in table.names:
        bases.setdefault(base_of[name] if name in in_wide else name, {})
    for base in bases:
        bases[base] = wide.bases.get(base, {}) if wide else {}
        columns.readings.append(Reading(base, bases[base], columns.profile(base)))
    return columns


def find_meanings(columns: Columns) -> Found:
    """Return what the columns of a table mean: keys, variables, biomarkers, questionnaires."""
    found = Found(columns)
    tools = columns.tools
    numbers = [float(name.text) for name in tools.lexicon.names["missing"] if name.target == "number"]
    _find_items(found, numbers)
    left = [reading for reading in columns.readings if reading.base not in found.items]
    guesses = {reading.base: meanings(reading, tools) for reading in left}
    _choose(found, guesses)
    _one_column_each(found)
    _find_totals(found, left)
    analytes = {base: m.target for base, m in found.chosen.items() if m.kind == "analyte"}
    for reading in left:
        free = reading.base not in found.chosen or found.chosen[reading.base].target == "flag"
        if free and (marks := flag_of(reading, analytes, tools.lexicon)):
            found.flags[reading.base] = marks
    _find_missing(found, numbers)
    return found


def _find_items(found: Found, missing: Collection[float]) -> None:
    columns = found.columns
    bases = [reading.base for reading in columns.readings]
    for series in numbered_series(bases):
        guesses = instrument_of(series, columns.profile, columns.tools.lexicon, columns.tools.registry, missing)
        if not guesses:
            continue
        found.items |= set(series.columns.values())
        if guesses[0].confidence >= LEAST_CONFIDENCE and guesses[0].target not in found.instruments:
            found.instruments[guesses[0].target] = (series, guesses)
        else:
            found.nameless.append((series, guesses))


def _choose(found: Found, guesses: dict[str, list[Meaning]]) -> None:
    for base, meant in guesses.items():
        if not meant or meant[0].confidence < 0.3:
            continue
        rivals = [m for m in meant[1:] if m.confidence >= meant[0].confidence - CLOSE and m.target != meant[0].target]
        if {m.target for m in (meant[0], *rivals)} <= {"randomisation", "treatment_start", "enrolment", "date"}:
            rivals = []
        twins = meant[0].kind == "analyte" and any(m.kind == "analyte" for m in meant[1:])
        if meant[0].confidence >= LEAST_CONFIDENCE and not (rivals and not twins):
            found.chosen[base] = meant[0]
            if twins:
                found.unsure[base] = meant
        else:
            found.unsure[base] = meant


def _one_column_each(found: Found) -> None:
    """Keep one column for each meaning: the surest; of equals the first key, and of other columns none."""
    groups: dict[tuple[str, str], list[str]] = {}
    for base, meaning in found.chosen.items():
        groups.setdefault((meaning.kind, meaning.target), []).append(base)
    for (kind, target), bases in groups.items():
        if len(bases) < 2 or (kind, target) in {("role", "flag"), ("role", "birth"), ("role", "batch")}:
            continue
        ranked = sorted(bases, key=lambda base: -found.chosen[base].confidence)
        if kind == "role" and target in {"participant", "visit", "test", "date", "study_day"}:
            ranked.sort(key=lambda base: -_fitness(found, base, target))
        tied = [b for b in ranked[1:] if found.chosen[b].confidence >= found.chosen[ranked[0]].confidence - 0.02]
        for base in ranked if kind != "role" and tied else ranked[1:]:
            found.unsure.setdefault(base, [found.chosen[base]])
            del found.chosen[base]


def _fitness(found: Found, base: str, target: str) -> float:
    """Return how well a column serves as a key: the surest name, then the most participants or the fewest visits."""
    profile = found.columns.profile(base)
    finer = profile.n_distinct / max(profile.n, 1)
    worth = found.chosen[base].confidence + (0.01 * finer if target == "participant" else -0.01 * finer)
    if target == "visit":
        read = [visit_code(code, found.columns.tools.lexicon) for code in profile.codes]
        worth += 0.1 * sum(1 for code in read if code and code.unit != "number") / max(len(read), 1)
    return worth


def _find_totals(found: Found, left: Sequence[Reading]) -> None:
    for reading in left:
        if reading.base in found.chosen:
            continue
        tools = found.columns.tools
        guesses = total_of(reading.base, reading.profile, tools.lexicon, tools.registry)
        if guesses and guesses[0].target not in found.totals:
            found.totals[guesses[0].target] = (reading.base, guesses)


def _find_missing(found: Found, candidates: Sequence[float]) -> None:
    """Count the conventional codes that stand outside all other values of a mapped column, and texts for missing."""
    mapped = [base for base, m in found.chosen.items() if m.kind != "role" or m.target == "result"]
    mapped += [c for series, _ in found.instruments.values() for c in series.columns.values()]
    mapped += [base for base, _ in found.totals.values()]
    for base in mapped:
        profile = found.columns.profile(base)
        for text, n in profile.missing_texts.items():
            found.missing[text] = found.missing.get(text, 0) + n
        for code in outside(profile, candidates):
            text = f"{code:g}"
            found.missing[text] = found.missing.get(text, 0) + int(np.sum(profile.numbers == code))


def outside(profile: Profile, candidates: Sequence[float]) -> list[float]:
    """Return the conventional missing codes of a column that no other value comes near."""
    if profile.share_numeric < 0.5:
        return []
    declared = [float(value) for value in profile.info.missing_values if _is_number(value)]
    ranges = profile.info.missing_ranges
    present = [c for c in candidates if np.any(profile.numbers == c)]
    others = profile.without([*present, *declared])
    if not others.size:
        return []
    low, high = float(others.min()), float(others.max())
    top = float(np.quantile(others, 0.99))
    return [
        code
        for code in present
        if code not in declared
        and not any(first <= code <= last for first, last in ranges)
        and ((code < 0 <= low) or (code > 0 and code > MISSING_FACTOR * high and code > 3 * top))
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
