"""What may leave of mixtures: counts of people by class, and the profiles of classes that are large enough."""

from __future__ import annotations

import polars as pl

from ember.consortium.suppression import Counts, Key

Keys = dict[str, list[Key | None]]
DIGITS = 3
COARSE = 2


def add_mixture_classes(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Classes add up to the people of the mixture, who are some of all participants."""
    keys: Keys = {"n": [], "total": []}
    parts: dict[str, dict[Key, None]] = {}
    for row in frame.iter_rows(named=True):
        own: Key = ("mixture", row["mixture"], row["class"])
        keys["n"].append(own if own in counts.places else counts.add(own, row["n"]))
        keys["total"].append(_total(counts, row["mixture"], row["total"]))
        parts.setdefault(row["mixture"], {})[own] = None
    for mixture, classes in parts.items():
        counts.relate(("mixture", mixture), list(classes))
    return keys


def _total(counts: Counts, mixture: str, value: int) -> Key:
    key, everybody = ("mixture", mixture), ("participants", "all")
    if key not in counts.places:
        counts.add(key, value)
        if counts.value(everybody) is not None:
            counts.relate(everybody, [key], f"mixture:{mixture}")
    return key


def add_mixture_assays(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The assays of an analyte are within each class; who has no value is the rest."""
    return _within_classes(counts, frame, "mixture_assays", ("analyte",), "assay_id")


def add_mixture_agreement(counts: Counts, frame: pl.DataFrame) -> Keys:
    """The states of a scheme are within each class; whom the scheme does not place is the rest."""
    return _within_classes(counts, frame, "mixture_agreement", ("scheme",), "state")


def _within_classes(counts: Counts, frame: pl.DataFrame, table: str, by: tuple[str, ...], cell: str) -> Keys:
    keys: list[Key | None] = []
    groups: dict[tuple[str, str, str], list[Key]] = {}
    for row in frame.iter_rows(named=True):
        own: Key = (table, row["mixture"], row[by[0]], row["class"], row[cell])
        keys.append(counts.add(own, row["n"]))
        groups.setdefault((row["mixture"], row["class"], row[by[0]]), []).append(own)
    for (mixture, name, analyte), cells in groups.items():
        whole: Key = ("mixture", mixture, name)
        if whole in counts.places:
            counts.relate(whole, cells, f"{table}:{analyte}")
    return {"n": keys}


def add_mixture_stability(counts: Counts, frame: pl.DataFrame) -> Keys:
    """People of a site that the mixture classifies, and all of them."""
    keys: list[Key | None] = []
    for row in frame.iter_rows(named=True):
        whole = row["kind"] == "bootstrap" or row["name"] == "all"
        key: Key = ("mixture", row["mixture"]) if whole else ("mixture_site", row["mixture"], row["name"])
        if key not in counts.places:
            counts.add(key, row["n"])
            everybody: Key = ("participants", row["name"])
            if not whole and counts.value(everybody) is not None:
                counts.relate(everybody, [key], f"mixture_site:{row['mixture']}")
        keys.append(key)
    sites: dict[str, dict[Key, None]] = {}
    for at in keys:
        if at is not None and at[0] == "mixture_site":
            sites.setdefault(str(at[1]), {})[at] = None
    for mixture, found in sites.items():
        if ("mixture", mixture) in counts.places:
            counts.relate(("mixture", mixture), list(found), "other_sites")
    return {"n": keys}


def protect_mixture_classes(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return profiles of classes of at least `threshold` people, to three significant digits."""
    shown = pl.col("n").is_not_null() & (original["n"] >= max(threshold, 1))
    all_shown = shown.all().over("mixture")  # weights add up to 1: one that is hidden follows from the others
    columns = {"geometric_mean": shown, "ln_sd": shown, "weight": all_shown}
    return masked.with_columns(
        pl.when(when).then(pl.col(name).round_sig_figs(DIGITS)).alias(name) for name, when in columns.items()
    )


def protect_mixture_cells(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return the measures of a whole table of cells to two digits, so that no hidden cell follows from them."""
    coarse = [name for name in ("cramers_v", "adjusted_rand", "kappa") if name in masked.columns]
    return masked.with_columns(pl.col(name).round(COARSE) for name in coarse)


def protect_mixture_stability(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return agreement and p values of at least `threshold` people."""
    shown = pl.col("n").is_not_null() & (original["n"] >= max(threshold, 1))
    columns = ("value", "kappa", "low", "high")
    return masked.with_columns(pl.when(shown).then(pl.col(name).round_sig_figs(DIGITS)).alias(name) for name in columns)
