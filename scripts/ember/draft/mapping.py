"""From meanings to the mapping of one table, as it will stand in the site file, with a proposal for each statement."""

from __future__ import annotations

from typing import Any

import numpy as np

from ember.draft.codes import abbreviated_arms, codes_of
from ember.draft.meaning import Meaning
from ember.draft.notes import Notes
from ember.draft.profile import LEAST_COUNT, Profile
from ember.draft.proposal import LEAST_CONFIDENCE
from ember.draft.table import Found
from ember.draft.units import UnitEvidence, fitting_units, is_doubtful, stated_unit
from ember.draft.words import squeezed
from ember.registry.declared_factor import WHY
from ember.tables.contract import contract

ZEROS = ("randomisation", "treatment_start", "enrolment")
HEAP = 0.1
SPREAD = 2.0


def map_table(found: Found, notes: Notes) -> dict[str, Any]:
    """Return the mapping of one table without its visits; what is open is noted and left out."""
    mapping: dict[str, Any] = {}
    _participant(found, notes, mapping)
    _time_zero(found, notes, mapping)
    missing = _missing(found, notes)
    if missing:
        mapping["missing"] = missing
    for key, part in (
        ("columns", _variables(found, notes, missing)),
        ("measurements", _measurements(found, notes)),
        ("instruments", _instruments(found, notes)),
    ):
        if part:
            mapping[key] = part
    _open_columns(found, notes)
    return mapping


def _participant(found: Found, notes: Notes, mapping: dict[str, Any]) -> None:
    key = found.of("role", "participant")
    if key is None:
        free = [b for b, m in found.unsure.items() if m[0].target == "participant"]
        if not (found.chosen or found.instruments or found.unsure):
            notes.leave("", "participant", [], "nothing in it is known: perhaps notes, not a table of participants")
            return
        notes.leave("", "participant", free, "no column has a name for participants and an id in every row")
        return
    base, meaning = key
    mapping["participant"] = base
    notes.propose(base, "participant", "participant", meaning.evidence, meaning.confidence)


def _time_zero(found: Found, notes: Notes, mapping: dict[str, Any]) -> None:
    key = next((zero for name in ZEROS if (zero := found.of("role", name))), None)
    if key is None:
        return
    base, meaning = key
    notes.propose(base, "time_zero", meaning.target, meaning.evidence, meaning.confidence)
    order = date_order(found, base, notes)
    if order:
        mapping["time_zero"] = {"column": base, "date": order}


def date_order(found: Found, base: str, notes: Notes) -> str | None:
    """Return the order of the dates of a column, or None where two orders read it."""
    dates = found.columns.profile(base).dates
    if len(dates.orders) == 1:
        notes.propose(base, "date_format", dates.orders[0], dates.evidence, 0.97 * dates.share)
        return dates.orders[0]
    notes.leave(base, "date_format", dates.orders, dates.evidence)
    return None


def _missing(found: Found, notes: Notes) -> list[str]:
    for code, n in found.missing.items():
        cells = f"{n} cells" if n >= LEAST_COUNT else f"fewer than {LEAST_COUNT} cells"
        number = code.lstrip("-").isdigit()
        way = "apart from all other values; such codes mean missing" if number else "a text that means missing"
        evidence = f"{cells} of mapped columns hold it, {way}"
        notes.propose("", "missing", code, evidence, 0.85)
    return list(found.missing)


def _variables(found: Found, notes: Notes, missing: list[str]) -> dict[str, Any]:
    made = {}
    for name, column in contract("participants").mapped.items():
        key = found.of("variable", name)
        if key is None:
            continue
        base, meaning = key
        notes.propose(base, "variable", name, meaning.evidence, meaning.confidence)
        entry: dict[str, Any] = {"column": base}
        if column.unit:
            _own_unit(entry, base, column.unit, meaning, notes, found)
        elif column.allowed or column.registry or name == "ethnicity":
            _codes(entry, name, base, notes, found, missing)
        made[name] = entry
    return made


def _own_unit(entry: dict[str, Any], base: str, unit: str, meaning: Meaning, notes: Notes, found: Found) -> None:
    beside = None if meaning.unit else _unit_beside(found, base, None)
    stated = meaning.unit or beside
    if stated is not None and stated.unit == unit:
        entry["unit"] = unit
        notes.propose(base, "unit", unit, stated.evidence, 0.95)
    else:
        notes.leave(
            base,
            "unit",
            [unit],
            f"neither header nor label says the unit; participants are described in '{unit}' alone",
        )


def _unit_beside(found: Found, base: str, analyte: str | None) -> UnitEvidence | None:
    """Return the unit that a column beside states, where it is one for all rows."""
    tools = found.columns.tools
    names = [name.joined for name in tools.lexicon.names["role"] if name.target == "unit"]
    wanted = {squeezed(base) + name for name in (*names, "u")}
    known = tools.spellings[analyte]
    for reading in found.columns.readings:
        if squeezed(reading.base) in wanted and len(reading.profile.codes) == 1 and reading.profile.n_distinct == 1:
            text = next(iter(reading.profile.codes))
            unit = known.get(text) or known.get(f"~{squeezed(text)}")
            if unit:
                return UnitEvidence(unit, (), f"the column '{reading.base}' says '{text}' in every row")
    return None


def _unit_column(found: Found, base: str, analyte: str) -> str | None:
    """Return the column beside that holds several units, if the registry converts all of them."""
    tools = found.columns.tools
    names = [name.joined for name in tools.lexicon.names["role"] if name.target == "unit"]
    wanted = {squeezed(base) + name for name in (*names, "u")}
    for reading in found.columns.readings:
        codes = reading.profile.codes
        if squeezed(reading.base) in wanted and codes and not reading.profile.n_other_texts:
            known = [tools.registry.ucum(text, analyte) for text in codes]
            return reading.base if all(known) else None
    return None


def _codes(entry: dict[str, Any], name: str, base: str, notes: Notes, found: Found, missing: list[str]) -> None:
    tools = found.columns.tools
    profile = found.columns.profile(base)
    evidence = codes_of(name, profile, tools.lexicon, tools.registry, missing)
    told = dict(evidence.told)
    if name == "arm" and evidence.untold:
        told |= abbreviated_arms([*told, *evidence.untold], tools.registry) | told
    for code, guess in told.items():
        notes.propose(base, "code", f"{code} = {guess.target}", guess.evidence, guess.confidence)
    if told:
        entry["codes"] = {code: guess.target for code, guess in told.items()}
    for code in (code for code in evidence.untold if code not in told):
        notes.leave(base, "code", [f"{code} = {word}" for word in _words(name)], f"nothing says what '{code}' means")
    if evidence.n_other or not (told or evidence.untold):
        n = evidence.n_other or profile.n_filled
        notes.leave(base, "code", [], f"{n} cells hold other texts, which are not shown")


def _words(name: str) -> list[str]:
    column = contract("participants").mapped[name]
    return list(column.allowed)


def _measurements(found: Found, notes: Notes) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for base, meaning in list(found.chosen.items()):
        if meaning.kind != "analyte":
            continue
        analyte = _settled(found, base, meaning, notes)
        if analyte is None or analyte in made:
            continue
        entry: dict[str, Any] = {"column": base}
        _unit(entry, analyte, base, meaning, found, notes)
        made[analyte] = entry
    _batches(found, made, notes)
    _flags(found, made, notes)
    return made


def _settled(found: Found, base: str, meaning: Meaning, notes: Notes) -> str | None:
    """Return the analyte; where the name fits two assays, the one that the spread of the values speaks for."""
    twins = [m for m in found.unsure.get(base, ()) if m.kind == "analyte" and m.target != meaning.target]
    if not twins:
        notes.propose(base, "analyte", meaning.target, meaning.evidence, meaning.confidence)
        return meaning.target
    both = [meaning.target, *(m.target for m in twins)]
    words = low_end(found.columns.profile(base))
    if meaning.target == "hscrp" and words:
        evidence = f"{meaning.evidence}; {words}, which speaks against {twins[0].target}"
        notes.propose(base, "analyte", "hscrp", evidence, meaning.confidence)
        return "hscrp"
    if twins[0].confidence < meaning.confidence - 0.2:
        notes.propose(base, "analyte", meaning.target, meaning.evidence, meaning.confidence)
        return meaning.target
    notes.leave(base, "analyte", both, f"{meaning.evidence}; the values do not tell the assays apart")
    return None


def low_end(profile: Profile) -> str:
    """Return words if the values reach far below their median without a heap: a coarse assay cannot do that."""
    values = profile.numbers[profile.numbers > 0]
    if values.size < 30:
        return ""
    heap = float(np.mean(values == values.min()))
    spread = float(np.median(values) / np.quantile(values, 0.05))
    if heap > HEAP or spread < SPREAD:
        return ""
    return f"{heap:.1%} of the values stand at the lowest one, and the median is {spread:.1f} times the 5th percentile"


def _unit(entry: dict[str, Any], analyte: str, base: str, meaning: Meaning, found: Found, notes: Notes) -> None:
    registry = found.columns.tools.registry
    values = found.columns.profile(base).numbers
    fitting = fitting_units(values, analyte, registry)
    stated = meaning.unit or stated_unit_of(found, base, analyte) or _unit_beside(found, base, analyte)
    column = None if stated else _unit_column(found, base, analyte)
    if column is not None:
        entry["unit"] = {"column": column}
        notes.propose(base, "unit", "column", f"every filled cell of the column '{column}' is a unit of {analyte}", 0.9)
        return
    if stated is None:
        look = f"; the values look like {' or '.join(fitting)}" if fitting else ""
        likely = fitting or registry.units_of(analyte)[:4]
        notes.leave(base, "unit", likely, f"neither header nor label says the unit{look}")
    elif is_doubtful(values, analyte, stated.unit, registry):
        likely = [stated.unit, *(unit for unit in fitting if unit != stated.unit)]
        notes.leave(base, "unit", likely, f"{stated.evidence}, and the size of the values says otherwise")
    else:
        entry["unit"] = stated.unit
        size = ", and the values are of that size" if stated.unit in fitting else ""
        notes.propose(base, "unit", stated.unit, stated.evidence + size, 0.97 if size else 0.9)
        needs = registry.row("units", analyte, stated.unit)["needs"]
        if needs:
            why = f"{stated.unit} needs the factor that the laboratory uses: {WHY[needs]}"
            notes.leave(base, needs, [], why)


def stated_unit_of(found: Found, base: str, analyte: str) -> UnitEvidence | None:
    """Return the unit of an analyte that header or label of a column states."""
    tools = found.columns.tools
    known = tools.spellings[analyte]
    label = found.columns.profile(base).info.label
    return stated_unit(base, "header", known) or (stated_unit(label, "label", known) if label else None)


def _batches(found: Found, made: dict[str, Any], notes: Notes) -> None:
    order = [reading.base for reading in found.columns.readings]
    for base in [b for b, m in found.chosen.items() if (m.kind, m.target) == ("role", "batch")]:
        meaning = found.chosen[base]
        places = {analyte: abs(order.index(entry["column"]) - order.index(base)) for analyte, entry in made.items()}
        if not places:
            continue
        nearest = min(places, key=lambda analyte: places[analyte])
        made[nearest]["batch"] = base
        sure = len(places) == 1
        why = f"{meaning.evidence}; " + (
            "there is one analyte" if sure else f"of {len(places)} analytes {nearest} stands nearest to it"
        )
        notes.propose(base, "batch", nearest, why, meaning.confidence if sure else 0.6)


def _flags(found: Found, made: dict[str, Any], notes: Notes) -> None:
    lexicon = found.columns.tools.lexicon
    for base, guesses in found.flags.items():
        if guesses[0].target not in made:
            continue
        profile = found.columns.profile(base)
        labels = profile.info.value_labels
        below = [code for code, label in labels.items() if _says_below(label, lexicon)]
        notes.propose(base, "flag", guesses[0].target, guesses[0].evidence, guesses[0].confidence)
        if below:
            made[guesses[0].target]["below"] = {"column": base, "codes": below}
            words = "; ".join(f"{code} is labelled '{labels[code]}'" for code in below)
            notes.propose(base, "flag_code", ", ".join(below), words, 0.9)
        else:
            codes = list(profile.codes)
            notes.leave(base, "flag_code", codes, "nothing says which code means below the detection limit")


def _says_below(label: str, lexicon: Any) -> bool:
    return any(guess.target == "below_limit" for guess in lexicon.meanings("answer", label.split(",")[0]))


def _instruments(found: Found, notes: Notes) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for instrument, (series, guesses) in found.instruments.items():
        made[instrument] = {"items": series.pattern}
        others = f"; or {', '.join(g.target for g in guesses[1:])}" if len(guesses) > 1 else ""
        notes.propose(series.pattern, "items", instrument, guesses[0].evidence + others, guesses[0].confidence)
    for series, guesses in found.nameless:
        notes.leave(series.pattern, "items", [g.target for g in guesses[:4]], guesses[0].evidence)
    for instrument, (base, guesses) in found.totals.items():
        if guesses[0].confidence < LEAST_CONFIDENCE:
            notes.leave(base, "total", [g.target for g in guesses], guesses[0].evidence)
            continue
        made.setdefault(instrument, {})["total"] = base
        notes.propose(base, "total", instrument, guesses[0].evidence, guesses[0].confidence)
    return made


def _open_columns(found: Found, notes: Notes) -> None:
    done = {proposal.column for proposal in notes.proposals}
    for base, meant in found.unsure.items():
        if base in done or base in found.chosen:
            continue
        names = list(dict.fromkeys(f"{m.target}" for m in meant[:3]))
        if meant[0].confidence >= 0.4 and meant[0].target not in {"flag", "birth", "site", "batch", "unit", "result"}:
            notes.leave(base, meant[0].kind, names, meant[0].evidence)
    for reading in found.columns.readings:
        meaning = found.chosen.get(reading.base)
        if meaning is not None and meaning.target == "birth":
            notes.skip(reading.base, f"{meaning.evidence}: a date of birth identifies; ask the site to leave it out")
