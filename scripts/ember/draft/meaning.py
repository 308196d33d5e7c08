"""What a column means: its name and label held against the registry's names, and both against the cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.draft.lexicon import Lexicon
from ember.draft.loinc import loinc_guesses
from ember.draft.profile import Profile
from ember.draft.proposal import Guess, capped
from ember.draft.tools import Tools
from ember.draft.units import BRACKETED, UnitEvidence, stated_unit
from ember.draft.visits import visit_code
from ember.draft.words import words_of
from ember.registry.registry import Registry
from ember.tables.contract import contract

DATE_ROLES = frozenset({"randomisation", "treatment_start", "enrolment", "date", "death"})
FEW = 12
MANY_VISITS = 20
MANY = 5


@dataclass(frozen=True)
class Meaning:
    """What a column may be. `kind` is variable, role or analyte."""

    kind: str
    target: str
    confidence: float
    evidence: str
    unit: UnitEvidence | None = None


@dataclass(frozen=True)
class Reading:
    """A column without its visit, what the file says of it, and its cells in aggregate."""

    base: str
    columns: dict[str, str]
    profile: Profile

    @property
    def label(self) -> str:
        """What the file itself calls the column."""
        return self.profile.info.label

    @property
    def shown(self) -> str:
        """Its name, or in a wide file its first column."""
        return next(iter(self.columns.values()), self.base)


def meanings(reading: Reading, tools: Tools) -> list[Meaning]:
    """Return what a column may mean, the most likely first; nothing that its cells rule out."""
    found: list[Meaning] = []
    for kind in ("variable", "role", "analyte"):
        for guess, unit in _by_names(reading, kind, tools):
            worth, words = _by_cells(kind, guess.target, reading, tools.registry)
            if unit is not None and kind == "variable" and not _is_own_unit(guess.target, unit):
                worth, words = 0.0, "its unit is another"
            if worth > 0:
                evidence = f"{guess.evidence}; {words}" if words else guess.evidence
                found.append(Meaning(kind, guess.target, capped(guess.confidence * worth), evidence, unit))
    if not any(meaning.target == "visit" for meaning in found) and _holds_visits(reading.profile, tools):
        found.append(Meaning("role", "visit", 0.6, "its name says nothing, and each of its texts names a visit"))
    return sorted(found, key=lambda meaning: -meaning.confidence)


def _holds_visits(profile: Profile, tools: Tools) -> bool:
    if not 2 <= len(profile.codes) <= MANY_VISITS or profile.n_other_texts:
        return False
    codes = [visit_code(code, tools.lexicon) for code in profile.codes]
    return all(code is not None and code.unit != "number" for code in codes)


def _by_names(reading: Reading, kind: str, tools: Tools) -> list[tuple[Guess, UnitEvidence | None]]:
    best: dict[str, tuple[Guess, UnitEvidence | None]] = {}
    general = tools.spellings[None]
    for text, place in ((reading.base, "header"), (reading.label, "label")):
        if not text:
            continue
        unit = stated_unit(text, place, general)
        guesses = tools.lexicon.meanings(kind, text, unit.words if unit else ())
        if kind == "analyte":
            guesses, unit = _analytes(text, place, tools)
        for guess in guesses:
            known = best.get(guess.target)
            # A label says more than a name of few letters.
            if known is None or guess.confidence > known[0].confidence:
                best[guess.target] = (guess, unit or (known[1] if known else None))
            elif unit and known[1] is None:
                best[guess.target] = (known[0], unit)
    return list(best.values())


def _analytes(text: str, place: str, tools: Tools) -> tuple[list[Guess], UnitEvidence | None]:
    """Return the analytes that a text names; a word or letter left over makes it another substance."""
    found, unit = [], None
    other = stated_unit(text, place, tools.spellings[None])
    if other is not None and other.unit == "%":
        return [], None
    for analyte, known in tools.spellings.items():
        if analyte is None:
            continue
        stated = stated_unit(text, place, known)
        free = stated.words if stated else words_of(" ".join(part for part in BRACKETED.findall(text) if "/" in part))
        for guess in tools.lexicon.meanings("analyte", text, free, analyte):
            if guess.confidence > 0.5 and "short for" not in guess.evidence:
                found.append(guess)
                unit = unit or stated
    return [*loinc_guesses(text, tools.registry), *sorted(found, key=lambda guess: -guess.confidence)], unit


def _is_own_unit(variable: str, unit: UnitEvidence) -> bool:
    own = contract("participants").mapped[variable].unit
    return own is None or unit.unit == own


def _by_cells(kind: str, target: str, reading: Reading, registry: Registry) -> tuple[float, str]:
    """Return what the cells make of a meaning: a factor, and why."""
    profile = reading.profile
    if not profile.n_filled:
        return 0.4, "the column is empty"
    if kind == "analyte":
        if profile.share_numeric < 0.7 or profile.n_distinct <= MANY:
            return 0.0, "its cells are no amounts"
        return 1.0, f"{profile.share_numeric:.0%} of the cells are numbers"
    if kind == "variable":
        return _variable_cells(target, profile)
    return _role_cells(target, profile, registry)


def _variable_cells(target: str, profile: Profile) -> tuple[float, str]:
    column = contract("participants").mapped[target]
    if column.low is not None and column.high is not None:
        if not profile.is_numeric:
            return 0.0, "its cells are no numbers"
        inside = float(np.mean((profile.numbers >= column.low) & (profile.numbers <= column.high)))
        words = f"{inside:.1%} of the values lie between {column.low:g} and {column.high:g}"
        return (1.0, words) if inside >= 0.95 and profile.n_distinct > MANY else (0.3, words)
    if target.startswith("survey"):
        return 1.0, f"{profile.n_distinct} different values"
    if profile.dates.is_date or profile.n_distinct > FEW or profile.n_distinct < 2:
        return 0.3, f"{profile.n_distinct} different texts"
    return 1.0, f"{profile.n_distinct} different texts"


def _role_cells(target: str, profile: Profile, registry: Registry) -> tuple[float, str]:
    dated = profile.dates.is_date
    if target in DATE_ROLES:
        # An abbreviation that holds nothing but dates is hardly short for anything else.
        return (1.12, "every cell is a date") if dated else (0.0, "its cells are no dates")
    share = profile.n_distinct / profile.n_filled
    filled = profile.n_filled / max(profile.n, 1)
    checks: dict[str, tuple[bool, str]] = {
        "participant": (
            filled >= 0.9 and not dated and profile.n_distinct > MANY and not _has_fractions(profile),
            f"{profile.n_distinct} different ids in {profile.n_filled} filled cells",
        ),
        "visit": (2 <= profile.n_distinct <= 40 and not dated, f"{profile.n_distinct} different texts"),
        "study_day": (profile.is_numeric, "its cells are numbers"),
        "batch": (share < 0.5 and not dated and profile.n_distinct <= 300, f"{profile.n_distinct} different texts"),
        "test": (profile.n_distinct <= 300 and not profile.is_numeric, f"{profile.n_distinct} different texts"),
        "result": (profile.share_numeric >= 0.4 and profile.n_distinct > MANY, "most cells are amounts"),
        "unit": (
            _units_among(profile, registry) >= 0.3 and profile.n_distinct <= 60,
            "its cells are spellings of units",
        ),
        "flag": (profile.n_distinct <= FEW and not dated, f"{profile.n_distinct} different texts"),
        "site": (2 <= profile.n_distinct <= 60, f"{profile.n_distinct} different texts"),
        "specimen": (profile.n_distinct <= 20 and not profile.is_numeric, f"{profile.n_distinct} different texts"),
        "medicine": (not profile.is_numeric and not dated, "its cells are texts"),
        "total": (False, ""),
    }
    fits, words = checks.get(target, (True, ""))
    return (1.0, words) if fits else (0.0, words)


def _has_fractions(profile: Profile) -> bool:
    return bool(np.any(profile.numbers != np.round(profile.numbers)))


def _units_among(profile: Profile, registry: Registry) -> float:
    if not profile.codes:
        return 0.0
    units = {row["from_unit"] for row in registry.rows("units")} | set(registry.aliases)
    return sum(n for text, n in profile.codes.items() if text in units) / max(sum(profile.codes.values()), 1)


def flag_of(reading: Reading, analytes: dict[str, str], lexicon: Lexicon) -> list[Guess]:
    """Return the analytes whose results a flag column may mark.

    Parameters
    ----------
    analytes : dict
        Base name: analyte, of the columns that are mapped already.
    """
    if reading.profile.n_distinct > FEW:
        return []
    marks = {name.joined for name in lexicon.names["role"] if name.target == "flag"}
    found = []
    joined = "".join(words_of(reading.base))
    for base, analyte in analytes.items():
        own = "".join(words_of(base))
        if any(joined in (own + mark, mark + own) for mark in marks):
            found.append(Guess(analyte, 0.9, f"'{reading.base}' is '{base}' with a word for a flag"))
    if reading.label and any(mark in words_of(reading.label) for mark in marks):
        for guess in _labelled(reading.label, lexicon):
            if guess in analytes.values():
                found.append(Guess(guess, 0.85, f"the label '{reading.label}' names the analyte and a comment"))
    return found


def _labelled(label: str, lexicon: Lexicon) -> list[str]:
    words = words_of(label)
    named = [name for name in lexicon.names["analyte"] if _within(name.words, words)]
    longest = max((len(name.words) for name in named), default=0)
    return list(dict.fromkeys(name.target for name in named if len(name.words) == longest))


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return bool(part) and any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))
