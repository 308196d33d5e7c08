"""What may leave of the usual levels: counts, and coarse means over enough people."""

from __future__ import annotations

from typing import Any

import polars as pl

from ember.consortium.disclosure_states import EVERYONE
from ember.consortium.suppression import Counts, Key

Keys = dict[str, list[Key | None]]
DIGITS = 3
COUNTED = ("n_people", "n_samples", "n_below", "n_above", "n_repeated")


def add_usual_levels(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Those in the states add up to those of the site, the sites to all; those with a level are some of its people."""
    keys: list[Key | None] = []
    wholes: dict[tuple[str, str], tuple[Key, list[Key]]] = {}
    by_state: dict[tuple[str, str], dict[bool, list[Key]]] = {}
    for row in frame.iter_rows(named=True):
        key = _some_of(counts, row)
        keys.append(key)
        if row["state"] == "":
            wholes[row["scheme"], row["site"]] = key, []
        else:
            wholes[row["scheme"], row["site"]][1].append(key)
        by_state.setdefault((row["scheme"], row["state"]), {}).setdefault(row["site"] == "all", []).append(key)
    for (scheme, _), (total, parts) in wholes.items():
        counts.relate(total, parts, f"usual_states:{scheme}")
    for sides in by_state.values():
        for total in sides.get(True, []):
            counts.relate(total, sides.get(False, []), "other_sites")
    return {"n": keys}


def _some_of(counts: Counts, row: dict[str, Any]) -> Key:
    """Return the key of those with a level: that of all in the state (or at the site) where these are all of them.

    Where fewer have one, those without follow from the two counts. Which scheme told an equal count of the state is
    not known any more, so the number is held against every one of them.
    """
    start: Key = ("state", EVERYONE, row["site"], row["state"]) if row["state"] else ("participants", row["site"])
    wholes = [key for key in counts.places if key[: len(start)] == start]
    same = [key for key in wholes if counts.value(key) == row["n"]]
    if same:
        return same[0]
    own = counts.add(("usual", row["scheme"], row["site"], row["state"]), row["n"])
    for whole in wholes:
        if (counts.value(whole) or 0) > row["n"]:
            counts.relate(whole, [own], f"usual:{row['scheme']}")
    return own


def add_usual_components(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Samples below and above limits are some of the samples, people with two or more some of the people."""
    keys: Keys = {name: [] for name in COUNTED}
    for row in frame.iter_rows(named=True):
        own: Key = ("usual_components", row["scheme"], row["site"])
        cells = {name: counts.add((*own, name), row[name]) for name in COUNTED}
        whole: Key = ("participants", row["site"])
        if counts.value(whole) == row["n_people"]:
            cells["n_people"] = whole
        elif counts.value(whole) is not None:
            counts.relate(whole, [cells["n_people"]], f"usual_sampled:{row['scheme']}")
        counts.relate(cells["n_samples"], [cells["n_below"], cells["n_above"]], "inside")
        counts.relate(cells["n_people"], [cells["n_repeated"]], "once")
        for name in COUNTED:
            keys[name].append(cells[name])
    return keys


def protect_usual_levels(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return mean probabilities of at least `threshold` people, to three significant digits.

    Notes
    -----
    Only where the count is shown: the means of a site and of all its states but one would give that of the last.
    """
    enough = masked["n"].is_not_null() & (original["n"] >= max(threshold, 1))
    return _coarse(masked, ["probability"], enough, threshold)


def protect_usual_components(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return the components of sites with at least `threshold` people, to three significant digits."""
    names = ["ln_mean", "between_sd", "within_sd", "acute_share"]
    return _coarse(masked, names, original["n_people"] >= max(threshold, 1), threshold)


def _coarse(frame: pl.DataFrame, names: list[str], enough: pl.Series, threshold: int) -> pl.DataFrame:
    shown = [pl.col(name).round_sig_figs(DIGITS) if threshold else pl.col(name) for name in names]
    return frame.with_columns(pl.when(enough).then(column).otherwise(None) for column in shown)
