"""A table with one row a result: which column names the analyte, holds the result, its unit and its batch."""

from __future__ import annotations

from typing import Any

import polars as pl

from ember.draft.loinc import loinc_guesses
from ember.draft.mapping import low_end
from ember.draft.meaning import Meaning
from ember.draft.notes import Notes
from ember.draft.profile import profile_of
from ember.draft.proposal import LEAST_CONFIDENCE, Guess
from ember.draft.table import Found
from ember.draft.words import squeezed, words_of
from ember.extract.table import ColumnInfo

SHARE_OF_DOUBT = 0.02
Column = tuple[str, Meaning]


def map_laboratory(found: Found, notes: Notes) -> dict[str, Any] | None:
    """Return the mapping of a table of results, or None where the table is none."""
    test, result, unit = found.of("role", "test"), *_result_and_unit(found)
    if test is None or result is None:
        return None
    codes = _analytes(found, test[0], result[0], notes)
    if not codes:
        return None
    notes.propose(test[0], "test", "analyte", test[1].evidence, test[1].confidence)
    notes.propose(result[0], "result", "value", result[1].evidence, result[1].confidence)
    mapping: dict[str, Any] = {"analyte": {"column": test[0], "codes": codes}, "value": result[0]}
    _unit_column(found, test[0], unit, codes, mapping, notes)
    batch = found.of("role", "batch")
    if batch:
        mapping["batch"] = batch[0]
        notes.propose(batch[0], "batch", "batch", batch[1].evidence, batch[1].confidence)
    return mapping


def _analytes(found: Found, test: str, result: str, notes: Notes) -> dict[str, str]:
    profile = found.columns.profile(test)
    codes: dict[str, str] = {}
    unknown = 0
    for code, n in profile.codes.items():
        label = profile.info.value_labels.get(code, "")
        guesses = [g for text in (code, label) if text for g in _named(text, found)]
        if not guesses:
            unknown += n
            continue
        chosen = _one_assay(guesses, code, test, result, found, notes)
        if chosen is not None:
            codes[code] = chosen.target
            notes.propose(test, "code", f"{code} = {chosen.target}", chosen.evidence, chosen.confidence)
    if unknown and codes:
        notes.skip(test, f"{unknown} rows are results of tests that the registry does not know")
    return codes


def _named(text: str, found: Found) -> list[Guess]:
    tools = found.columns.tools
    return [*loinc_guesses(text, tools.registry), *tools.lexicon.whole("analyte", text)]


def _one_assay(guesses: list[Guess], code: str, test: str, result: str, found: Found, notes: Notes) -> Guess | None:
    ranked = sorted(guesses, key=lambda guess: -guess.confidence)
    twins = [guess for guess in ranked[1:] if guess.target != ranked[0].target]
    if not twins or ranked[0].confidence - twins[0].confidence > 0.2:
        return ranked[0]
    table = found.columns.table.frame
    cells = table.filter(pl.col(test).str.strip_chars() == code)[result]
    source = found.columns.file.source("")
    profile = profile_of(cells, ColumnInfo(), found.columns.missing_texts, source.decimal, source.thousands)
    words = low_end(profile)
    if ranked[0].target == "hscrp" and words:
        why = f"{ranked[0].evidence}; {words}, which speaks against {twins[0].target}"
        return Guess("hscrp", ranked[0].confidence, why)
    names = [f"{code} = {guess.target}" for guess in (ranked[0], *twins)]
    notes.leave(test, "code", names, f"{ranked[0].evidence}; the values do not tell the assays apart")
    return None


def _result_and_unit(found: Found) -> tuple[Column | None, Column | None]:
    """Return the column of results and that of their units: of several results that whose unit is named.

    Notes
    -----
    CDISC has the result as reported and in standard units side by side; a unit beside the other result would be
    wrong for every row.
    """
    results, units = (_candidates(found, role) for role in ("result", "unit"))
    if len(results) < 2 and len(units) < 2:
        return next(iter(results), None), next(iter(units), None)
    for result in results:
        for unit in units:
            stem = words_of(result[0])[:-1]
            if squeezed(unit[0]) == f"{squeezed(result[0])}u" or (stem and words_of(unit[0])[:-1] == stem):
                return result, unit
    return (results[0], None) if results else (None, None)


def _candidates(found: Found, role: str) -> list[Column]:
    order = [reading.base for reading in found.columns.readings]
    meant = {base: m for base, m in found.chosen.items() if (m.kind, m.target) == ("role", role)}
    meant |= {base: m[0] for base, m in found.unsure.items() if (m[0].kind, m[0].target) == ("role", role)}
    return sorted(
        ((base, m) for base, m in meant.items() if m.confidence >= LEAST_CONFIDENCE), key=lambda at: order.index(at[0])
    )


def _unit_column(
    found: Found, test: str, key: Column | None, codes: dict[str, str], mapping: dict[str, Any], notes: Notes
) -> None:
    registry = found.columns.tools.registry
    if key is None:
        notes.leave(test, "unit", [], "no column holds units, and none is said elsewhere")
        return
    base, meaning = key
    mapping["unit"] = {"column": base}
    pairs = found.columns.table.frame.group_by(test, base, maintain_order=True).len()
    told, rest = [], 0
    for code, unit, n in pairs.iter_rows():
        analyte = codes.get(code.strip())
        if analyte is None:
            continue
        if unit.strip() and registry.ucum(unit, analyte):
            told.append(n)
        else:
            rest += n
    share = rest / max(rest + sum(told), 1)
    evidence = f"{meaning.evidence}; {sum(told)} results carry a unit that the registry converts, {rest} do not"
    notes.propose(base, "unit", "column", evidence, 0.97 * (1 - share))
    if share > SHARE_OF_DOUBT:
        notes.leave(base, "unit_spelling", [], f"{rest} results have no unit, or one that no registry row converts")
