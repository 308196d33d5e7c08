"""Visits in column names and in codes: which part of a text names a visit, and which planned visit that is."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ember.draft.lexicon import Lexicon
from ember.draft.words import words_of

DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375}
# How far the median day of a visit may lie from the planned one: days, and share of the planned day.
LEAST_DISTANCE, DISTANCE = 10.0, 0.25
NEAR_A_WEEK = 2.0
SEPARATORS = ("_", ".", " ", "-")
GLUED = re.compile(r"^(.*?[A-Za-z0-9])((?:V|W|T|wk|Wk|WK)\d{1,2})$")


@dataclass(frozen=True)
class VisitCode:
    """What a text says of a visit. `unit` is baseline, screening, day, week, month, visit or number."""

    unit: str
    number: int = 0


@dataclass(frozen=True)
class PlannedVisit:
    """A visit as study.yaml will name it; `day` is None where nothing tells it."""

    id: str
    day: int | None
    confidence: float
    evidence: str


def placeholder_windows(visits: Sequence[PlannedVisit]) -> list[tuple[PlannedVisit, int, int]]:
    """Return the dated visits, each with first and last day: windows that reach half-way to the neighbours."""
    dated = [visit for visit in visits if visit.day is not None]
    if not dated:
        return []
    days = [visit.day or 0 for visit in dated]
    ends = [(low + high) // 2 for low, high in pairwise(days)]
    firsts = [days[0] - 28, *(end + 1 for end in ends)]
    lasts = [*ends, days[-1] + max(14, (days[-1] - days[-2]) // 2 if len(days) > 1 else 14)]
    return list(zip(dated, firsts, lasts, strict=True))


@dataclass(frozen=True)
class Wide:
    """How a wide file writes the visit into column names: by base name the column of each visit's text."""

    pattern: str
    suffixes: tuple[str, ...]
    bases: dict[str, dict[str, str]] = field(default_factory=dict)


def visit_code(text: str, lexicon: Lexicon) -> VisitCode | None:
    """Return what a text says of a visit, or None."""
    words = words_of(text)
    if len(words) >= 3 and words[-2] == "arm":
        # REDCap adds the arm of its events: `baseline_arm_1`.
        words = words[:-2]
    joined = " ".join(words)
    whole = [guess.target for guess in lexicon.whole("visit", joined)]
    for unit in ("baseline", "screening"):
        if unit in whole:
            return VisitCode(unit)
    first = [guess.target for guess in lexicon.whole("visit", words[0])] if words else []
    if len(words) == 2 and "screening" in first and words[1].isdigit():
        return VisitCode("screening")
    if len(words) == 1 and words[0].isdigit() and len(words[0]) <= 3:
        return VisitCode("number", int(words[0]))
    if len(words) == 2 and sum(word.isdigit() for word in words) == 1:
        number, word = (words[0], words[1]) if words[0].isdigit() else (words[1], words[0])
        units = [guess.target for guess in lexicon.whole("visit", word) if guess.target not in {"baseline"}]
        if units and len(number) <= 3:
            # A word of two meanings (`V` is visit, and vecka in Swedish) leaves the number alone.
            unit = units[0] if len(set(units)) == 1 else "visit"
            return VisitCode(unit, int(number))
    return None


def wide_layout(names: Sequence[str], lexicon: Lexicon) -> Wide | None:
    """Return how the columns of a wide file name their visits, or None.

    Notes
    -----
    Numbers at the end of a name may be items of a questionnaire: they are visits only where the name of a
    biomarker or of a date carries the same numbers.
    """
    ways: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name in names:
        for pattern, base, suffix in _splits(name, lexicon):
            ways[pattern][base][suffix] = name
    found = [_layout(pattern, bases, lexicon) for pattern, bases in ways.items()]
    layouts = [layout for layout in found if layout is not None]
    return max(layouts, key=lambda layout: sum(map(len, layout.bases.values())), default=None)


def _splits(name: str, lexicon: Lexicon) -> Iterable[tuple[str, str, str]]:
    for mark in SEPARATORS:
        parts = name.split(mark)
        for n in (1, 2):
            if len(parts) <= n:
                continue
            for pattern, base, suffix in (
                (f"{{column}}{mark}{{visit}}", mark.join(parts[:-n]), mark.join(parts[-n:])),
                (f"{{visit}}{mark}{{column}}", mark.join(parts[n:]), mark.join(parts[:n])),
            ):
                if base.strip() and suffix and visit_code(suffix, lexicon):
                    yield pattern, base, suffix
    if glued := GLUED.match(name):
        yield "{column}{visit}", glued[1], glued[2]


def _layout(pattern: str, bases: Mapping[str, Mapping[str, str]], lexicon: Lexicon) -> Wide | None:
    repeated = {base: columns for base, columns in bases.items() if len(columns) >= 2}
    suffixes: dict[str, None] = {}
    for base, columns in repeated.items():
        spoken = [suffix for suffix in columns if (code := visit_code(suffix, lexicon)) and code.unit != "number"]
        told = bool(lexicon.whole("analyte", base)) or "date" in [g.target for g in lexicon.whole("role", base)]
        if len(spoken) >= 2 or (told and len(columns) >= 2):
            suffixes |= dict.fromkeys(columns)
    kept = {base: dict(columns) for base, columns in repeated.items() if set(columns) <= set(suffixes)}
    return Wide(pattern, tuple(suffixes), kept) if len(suffixes) >= 2 and kept else None


def planned_visits(
    codes: Sequence[str], days: Mapping[str, float], lexicon: Lexicon, column: str = ""
) -> dict[str, PlannedVisit]:
    """Return the planned visit of each code of one site.

    Parameters
    ----------
    days : mapping
        Median study day of the rows of each code, where dates tell it.
    column : str
        Name of the column of codes: in a column `week`, numbers are weeks.
    """
    read = {code: visit_code(code, lexicon) for code in codes}
    named = [guess.target for guess in lexicon.whole("visit", column) if guess.target in DAYS] if column else []
    if named:
        read = {code: _in_unit(found, named[0]) for code, found in read.items()}
    unit = _unit_of_numbers({code: found for code, found in read.items() if found}, days)
    return {code: _planned(code, found, unit, days.get(code)) for code, found in read.items()}


def _in_unit(found: VisitCode | None, unit: str) -> VisitCode | None:
    counted = found is not None and found.unit == "number" and found.number > 0
    return VisitCode(unit, found.number) if found is not None and counted else found


def _unit_of_numbers(read: Mapping[str, VisitCode], days: Mapping[str, float]) -> str | None:
    """Return the unit in which bare numbers count, if the dates fit one unit alone."""
    numbers = {code: found.number for code, found in read.items() if found.unit in {"number", "visit"}}
    known = {code: number for code, number in numbers.items() if number and code in days}
    if not known:
        return None
    fits = [
        unit
        for unit, length in DAYS.items()
        if all(abs(days[code] - n * length) <= max(LEAST_DISTANCE, DISTANCE * n * length) for code, n in known.items())
    ]
    if len(fits) > 1:
        fits.sort(key=lambda unit: sum(abs(days[code] - n * DAYS[unit]) for code, n in known.items()))
    return fits[0] if fits else None


def _planned(code: str, found: VisitCode | None, unit: str | None, median: float | None) -> PlannedVisit:
    seen = "" if median is None else f"; its rows lie {median:.0f} days after time zero (median)"
    if found is None:
        return PlannedVisit("", None, 0.0, f"'{code}' names no visit that is known{seen}")
    if found.unit in {"baseline", "screening"} or (found.number == 0 and found.unit != "visit"):
        name = found.unit if found.unit in {"baseline", "screening"} else "baseline"
        day = 0 if name == "baseline" else -7
        return PlannedVisit(name, day, 0.95 if name == "baseline" else 0.8, f"'{code}' stands for {name}{seen}")
    if found.unit in DAYS:
        day = round(found.number * DAYS[found.unit])
        return PlannedVisit(f"{found.unit}_{found.number}", day, 0.95, f"'{code}' says the {found.unit}{seen}")
    if unit is not None and median is not None:
        day = round(found.number * DAYS[unit])
        why = f"'{code}' has the number {found.number}, and as a {unit} it fits{seen.removeprefix(';')}"
        return PlannedVisit(f"{unit}_{found.number}", day, 0.85, why)
    if (
        median is not None
        and (week := round(median / DAYS["week"]))
        and abs(median - week * DAYS["week"]) <= NEAR_A_WEEK
    ):
        why = f"'{code}' has the number {found.number}, which is no week{seen}"
        return PlannedVisit(f"week_{week}", week * 7, 0.45, why)
    why = f"'{code}' may be visit, week or month {found.number}; nothing tells{seen}"
    return PlannedVisit(f"visit_{found.number}", None, 0.3, why)
