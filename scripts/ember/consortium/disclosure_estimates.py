"""Model results as they may leave: no numbers from too few people or too few degrees of freedom."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ember.consortium.suppression import Counts, Key

NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "df", "statistic", "p_value", "p_adjusted",
    "tau2", "i2", "pred_low", "pred_high",
)  # fmt: skip
SHARES = ("proportion", "risk", "risk_difference")
"""Scales on which the estimate times n gives back the number of events."""
GROUP = ("analysis", "model_id", "outcome", "exposure", "term", "contrast", "at", "scheme", "adjustment", "scale")
DECILES = 10


def add_estimates(counts: Counts, frame: pl.DataFrame) -> dict[str, list[Key | None]]:
    """Add the counts of the estimates: rows, people and events, and events + others = rows; sites sum to pooled."""
    keys: dict[str, list[Key | None]] = {"n": [], "n_participants": [], "n_events": []}
    pooled: dict[Key, Key] = {}
    parts: dict[Key, dict[str, Key]] = {}
    for row in frame.iter_rows(named=True):
        site = row["site"] or "all"
        number = _fit_count(counts, row, "n", site)
        people = number if row["n_participants"] == row["n"] else _fit_count(counts, row, "n_participants", site)
        events = _fit_count(counts, row, "n_events", site)
        for name, key in zip(keys, (number, people, events), strict=True):
            keys[name].append(key)
        if number is not None and events is not None:
            counts.relate(number, [events], f"no_event:{row['n_events']}")
        fit: Key = ("fit_sum", row["analysis"], row["model_id"])
        if number is not None and row["level"] == "site":
            parts.setdefault(fit, {})[site] = number
        elif number is not None:
            pooled[fit] = number
    for place, total in pooled.items():
        members = list(parts.get(place, {}).values())
        if sum(counts.value(key) or 0 for key in members) == counts.value(total):
            counts.relate(total, members)
    return keys


def _fit_count(counts: Counts, row: dict[str, object], name: str, site: str) -> Key | None:
    value = row[name]
    if not isinstance(value, int):
        return None
    analysed: Key = ("flow", str(row["analysis"]), site, "analysed", "")
    if name != "n_events" and counts.value(analysed) == value:
        return analysed
    return counts.add(("fit", str(row["analysis"]), str(row["model_id"]), site, name, value), value)


def protect_estimates(
    original: pl.DataFrame, masked: pl.DataFrame, threshold: int, minimum_df: int, note: str
) -> pl.DataFrame:
    """Take the numbers of an estimate away where too few people or degrees of freedom stand behind it.

    Parameters
    ----------
    original : DataFrame
        Contract `estimates`, unprotected.
    masked : DataFrame
        The same with hidden counts null.

    Notes
    -----
    The degrees of freedom of a two-stage estimate count sites, not people, so the rule on residual degrees of
    freedom looks at site and one-stage fits. Where just one site of a pooled estimate is withheld, its numbers
    would follow from the others and the pooled one: the site with the next fewest people is withheld as well.
    """
    if threshold == 0 and minimum_df == 0:
        return masked
    rows = original.to_dicts()
    withheld = {
        number
        for number, row in enumerate(rows)
        if _too_small(row, threshold, minimum_df)
        or (row["scale"] in SHARES and row["n_events"] is not None and masked["n_events"][number] is None)
    }
    withheld |= _companions(rows, withheld)
    taken = pl.Series("withheld", [number in withheld for number in range(len(rows))], dtype=pl.Boolean)
    return masked.with_columns(
        *[pl.when(taken).then(None).otherwise(pl.col(name)).alias(name) for name in NUMBERS],
        pl.when(taken).then(pl.lit(note)).otherwise(pl.col("note")).alias("note"),
    )


def _too_small(row: dict[str, object], threshold: int, minimum_df: int) -> bool:
    people = [value for value in (row["n"], row["n_participants"]) if isinstance(value, int)]
    df = row["df"]
    few = bool(people) and min(people) < threshold
    return few or (row["level"] != "two_stage" and isinstance(df, float) and df < minimum_df)


def _companions(rows: list[dict[str, object]], withheld: set[int]) -> set[int]:
    groups: dict[tuple[object, ...], list[int]] = {}
    pooled: set[tuple[object, ...]] = set()
    for number, row in enumerate(rows):
        group = tuple(row[name] for name in GROUP)
        if row["level"] == "site":
            groups.setdefault(group, []).append(number)
        elif number not in withheld:
            pooled.add(group)
    found = set()
    for group, members in groups.items():
        shown = [number for number in members if number not in withheld]
        if group in pooled and len(members) - len(shown) == 1 and shown:
            found.add(min(shown, key=lambda number: (_size(rows[number]), number)))
    return found


def _size(row: dict[str, object]) -> int:
    value = row["n"]
    return value if isinstance(value, int) else 0


def protect_curves(
    curves: pl.DataFrame, original: pl.DataFrame, protected: pl.DataFrame, threshold: int
) -> pl.DataFrame:
    """Take away the curve of a fit that lost its numbers, and deciles with fewer than `threshold` people each."""
    if threshold == 0:
        return curves
    shown = {
        (row["analysis"], row["model_id"], row["site"])
        for row in protected.iter_rows(named=True)
        if row["estimate"] is not None
    }
    sizes: dict[tuple[str, str, str | None], int] = {}
    for row in original.iter_rows(named=True):
        place = (row["analysis"], row["model_id"], row["site"])
        sizes[place] = max(sizes.get(place, 0), row["n"] or 0)
    keep = [_curve_point_stays(row, shown, sizes, threshold) for row in curves.iter_rows(named=True)]
    return curves.filter(pl.Series(keep, dtype=pl.Boolean))


def _curve_point_stays(
    row: dict[str, object],
    shown: Iterable[tuple[str, str, str | None]],
    sizes: dict[tuple[str, str, str | None], int],
    threshold: int,
) -> bool:
    site = row["site"]
    places = [key for key in sizes if key[:2] == (row["analysis"], row["model_id"]) and key[2] == site]
    if not any(place in shown for place in places):
        return False
    return row["kind"] != "rug" or max(sizes[place] for place in places) >= DECILES * threshold
