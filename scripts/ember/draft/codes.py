"""Codes of a column as our words: from their labels, or from the codes where they are words themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ember.draft.lexicon import Lexicon
from ember.draft.profile import Profile
from ember.draft.proposal import Guess, best
from ember.draft.words import squeezed, words_of
from ember.registry.registry import Registry

ANSWERS = {"sex": ("female", "male"), "smoker": ("yes", "no"), "adversity": ("yes", "no")}


@dataclass(frozen=True)
class CodeEvidence:
    """Our word for each code that tells it, the codes that do not, and the cells that are neither."""

    told: Mapping[str, Guess]
    untold: tuple[str, ...]
    n_other: int


def codes_of(
    variable: str, profile: Profile, lexicon: Lexicon, registry: Registry, missing: Collection[str]
) -> CodeEvidence:
    """Return our word for each code of a participant column (sex, smoker, adversity, arm, ethnicity)."""
    labels = profile.info.value_labels
    codes = [code for code in dict.fromkeys((*labels, *profile.codes)) if code not in missing]
    codes = [code for code in codes if code not in profile.info.missing_values]
    told: dict[str, Guess] = {}
    for code in codes:
        label = labels.get(code, "")
        guess = _meaning(variable, label, "its label is", lexicon, registry) if label else None
        guess = guess or _meaning(variable, code, "the code itself is", lexicon, registry)
        if guess is not None:
            told[code] = guess
    shown = tuple(code for code in codes if code not in told)
    return CodeEvidence(told, shown, profile.n_other_texts)


def _meaning(variable: str, text: str, verb: str, lexicon: Lexicon, registry: Registry) -> Guess | None:
    if variable == "arm":
        return _treatment(text, verb, registry)
    if variable == "ethnicity":
        known = {
            squeezed(row["label"]): row["code"] for row in registry.rows("codelists") if row["codelist"] == variable
        }
        code = known.get(squeezed(text))
        return Guess(code, 0.9, f"{verb} '{text}'") if code else None
    allowed = ANSWERS.get(variable, ())
    found = best(guess for guess in lexicon.whole("answer", text) if guess.target in allowed)
    return Guess(found.target, found.confidence, f"{verb} '{text}': {found.evidence}") if found else None


def _treatment(text: str, verb: str, registry: Registry) -> Guess | None:
    """Return the treatment that a text names: as a whole, as all of its parts, or by a unique abbreviation."""
    rows = registry.rows("treatments")
    joined = squeezed(text)
    for row in rows:
        if joined in (squeezed(row["treatment"]), squeezed(row["label"])):
            return Guess(row["treatment"], 0.95, f"{verb} '{text}'")
    parts = [
        word
        for word in words_of(text)
        if word not in {"and", "plus", "with", "und", "och", "et", "e", "y", "med", "mit"}
    ]
    singles = {squeezed(row["treatment"]): row["treatment"] for row in rows if not row["components"]}
    whole = [singles.get(part) for part in parts]
    if len(parts) > 1 and all(whole):
        return _combination(frozenset(filter(None, whole)), rows, f"{verb} '{text}', which names its parts", 0.9)
    return None


def _combination(parts: frozenset[str], rows: list[dict[str, str]], evidence: str, worth: float) -> Guess | None:
    for row in rows:
        if row["components"] and frozenset(row["components"].split(";")) == parts:
            return Guess(row["treatment"], worth, evidence)
    return None


def abbreviated_arms(codes: Collection[str], registry: Registry) -> dict[str, Guess]:
    """Return the treatments that the codes of one column may be short for, if one reading fits all of them.

    Notes
    -----
    `ESC` alone may be escitalopram or esketamine; of the treatments of one arm column, at least one is a
    combination that holds another, or nothing is told.
    """
    rows = registry.rows("treatments")
    singles = [row["treatment"] for row in rows if not row["components"] and row["kind"] == "antidepressant"]
    short = {part for code in codes for part in words_of(code) if len(part) >= 3}
    meant = {}
    for part in short:
        fits = [name for name in singles if name.startswith(part)]
        if len(fits) == 1:
            meant[part] = fits[0]
    found: dict[str, Guess] = {}
    for code in codes:
        parts = [part for part in words_of(code) if part]
        if not parts or not all(part in meant for part in parts):
            continue
        names = frozenset(meant[part] for part in parts)
        why = f"'{code}' may be short for {' and '.join(sorted(names))}"
        if len(names) == 1:
            found[code] = Guess(next(iter(names)), 0.7, why)
        elif made := _combination(names, rows, why, 0.7):
            found[code] = made
    return found
