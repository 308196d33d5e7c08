"""Series of numbered columns as the items of an instrument."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ember.draft.lexicon import Lexicon
from ember.draft.profile import Profile
from ember.draft.proposal import Guess, capped
from ember.draft.words import squeezed
from ember.registry.registry import Registry, Row

NUMBERED = re.compile(r"^(.*?)(\d{1,3})(\D*)$")
LEAST_ITEMS = 3
LEAST_IN_RANGE = 0.97


@dataclass(frozen=True)
class Series:
    """Columns that differ in one number: `pattern` holds {item}, `columns` is by item number."""

    prefix: str
    tail: str
    pattern: str
    columns: dict[int, str]


def numbered_series(names: Sequence[str]) -> list[Series]:
    """Return the series of at least three numbered columns that begin with item 1."""
    groups: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for name in names:
        if found := NUMBERED.match(name):
            groups[found[1], found[3]][found[2]] = name
    return [made for (prefix, tail), columns in groups.items() if (made := _series(prefix, tail, columns))]


def _series(prefix: str, tail: str, columns: Mapping[str, str]) -> Series | None:
    if len(columns) >= LEAST_ITEMS and all(digits.endswith("0") and len(digits) > 1 for digits in columns):
        # DPQ010 to DPQ090: the last digit is no part of the item's number.
        columns, tail = {digits[:-1]: name for digits, name in columns.items()}, "0" + tail
    numbers = {int(digits): name for digits, name in columns.items()}
    run = [number for number in sorted(numbers) if number <= len(numbers)]
    if len(run) < LEAST_ITEMS or run[0] != 1 or run != list(range(1, len(run) + 1)) or len(run) < 0.8 * len(numbers):
        return None
    padded = [digits for digits in columns if digits.startswith("0")]
    item = f"{{item:0{len(padded[0])}d}}" if padded else "{item}"
    return Series(prefix, tail, f"{prefix}{item}{tail}", dict(sorted(numbers.items())))


def instrument_of(
    series: Series,
    profile_of: Callable[[str], Profile],
    lexicon: Lexicon,
    registry: Registry,
    missing: Collection[float],
) -> list[Guess]:
    """Return the instruments whose items a series may hold, the best first."""
    items = _items(registry)
    named = {guess.target: guess for guess in sorted(_names(series, lexicon), key=lambda guess: guess.confidence)}
    found = []
    for instrument, rows in items.items():
        guess = named.get(instrument)
        scored = {number for number, row in rows.items() if row["scored"] == "true"}
        if not scored <= set(series.columns) or max(series.columns) > max(rows) + 1:
            continue
        share = _share_in_range(series, rows, profile_of, missing)
        if share < LEAST_IN_RANGE:
            continue
        fits = f"{len(series.columns)} columns, {share:.1%} of the answers within the range of their item"
        if guess is not None:
            found.append(Guess(instrument, capped(guess.confidence + 0.08), f"{guess.evidence}; {fits}"))
        elif len(series.columns) == len(scored):
            found.append(Guess(instrument, 0.3, f"the name says no instrument; {fits}"))
    return sorted(found, key=lambda guess: -guess.confidence)


def _names(series: Series, lexicon: Lexicon) -> Iterator[Guess]:
    for text in (series.prefix, f"{series.prefix}{series.tail}"):
        yield from lexicon.meanings("instrument", text)


def _items(registry: Registry) -> dict[str, dict[int, Row]]:
    items: dict[str, dict[int, Row]] = defaultdict(dict)
    for row in registry.rows("instrument_items"):
        items[row["instrument"]][int(row["item"])] = row
    return dict(items)


def _share_in_range(
    series: Series, rows: Mapping[int, Row], profile_of: Callable[[str], Profile], missing: Collection[float]
) -> float:
    inside, total = 0, 0
    for number, column in series.columns.items():
        if number not in rows:
            continue
        profile, row = profile_of(column), rows[number]
        codes = {float(code) for code in row["missing_codes"].split(";") if code} | set(missing)
        values = profile.without(codes)
        low, high = float(row["item_low"]), float(row["item_high"])
        inside += int(np.sum((values >= low) & (values <= high) & (values == np.round(values))))
        total += max(profile.n_filled - (profile.numbers.size - values.size), values.size)
    return inside / total if total else 0.0


def total_of(name: str, profile: Profile, lexicon: Lexicon, registry: Registry) -> list[Guess]:
    """Return the instruments whose total a column may be, by its name and range."""
    found: dict[str, Guess] = {}
    for text, worth in _total_names(name, lexicon):
        for guess in lexicon.whole("instrument", text):
            row = registry.row("instruments", guess.target)
            values = profile.numbers
            low, high = float(row["total_low"]), float(row["total_high"])
            inside = float(np.mean((values >= low) & (values <= high))) if values.size else 0.0
            if inside < 0.95 or profile.n_distinct <= LEAST_ITEMS or not profile.is_numeric:
                continue
            why = f"'{name}' names a total of {guess.target}; {inside:.1%} of the values lie within its range"
            made = Guess(guess.target, capped(guess.confidence * worth), why)
            if guess.target not in found or made.confidence > found[guess.target].confidence:
                found[guess.target] = made
    return sorted(found.values(), key=lambda guess: -guess.confidence)


def _total_names(name: str, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    yield name, 0.95
    joined = squeezed(name)
    totals = sorted((n.joined for n in lexicon.names["role"] if n.target == "total"), key=len, reverse=True)
    for total in totals:
        if total in joined and joined != total:
            yield joined.replace(total, "", 1), 0.95
