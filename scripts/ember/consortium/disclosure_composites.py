"""What may leave of the composites: counts of their samples and analytes, and coarse means and SDs of enough people."""

from __future__ import annotations

import polars as pl

from ember.consortium.suppression import Counts, Key

Keys = dict[str, list[Key | None]]
DIGITS = 3


def add_composites(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Samples = below + above + inside the limits; an external reference is published and hides nothing."""
    names = ("n", "n_below", "n_above")
    keys: Keys = {name: [] for name in names}
    wholes: dict[tuple[str, str, str], list[Key]] = {}
    for number, row in enumerate(frame.iter_rows(named=True)):
        if row["variant"] != "within_site":
            for name in names:
                keys[name].append(None)
            continue
        own: Key = ("composite", row["scheme"], row["site"], row["analyte"], number)
        cells = {name: counts.add((*own, name), row[name]) for name in names}
        for name in names:
            keys[name].append(cells[name])
        counts.relate(cells["n"], [cells["n_below"], cells["n_above"]], "inside")
        wholes.setdefault((row["scheme"], row["site"], row["analyte"]), []).append(cells["n"])
    for (scheme, site, analyte), parts in wholes.items():
        size = sum(counts.value(part) or 0 for part in parts)
        present = [key for key in counts.places if key[:3] == ("present", site, analyte) and counts.value(key) == size]
        total = present[0] if present else counts.add(("composite_total", scheme, site, analyte), size, implied=True)
        counts.relate(total, parts, f"composite:{scheme}")
    return keys


def add_analyte_counts(counts: Counts, frame: pl.DataFrame) -> Keys:
    """Those with none, one, two… analytes add up to the participants of the site."""
    keys: list[Key | None] = []
    wholes: dict[tuple[str, str], list[Key]] = {}
    for scheme, site, number, n in frame.select("scheme", "site", "n_analytes", "n").iter_rows():
        key = counts.add(("composite_analytes", scheme, site, number), n)
        keys.append(key)
        wholes.setdefault((scheme, site), []).append(key)
    for (scheme, site), parts in wholes.items():
        size = sum(counts.value(part) or 0 for part in parts)
        shared: Key = ("participants", site)
        total = shared if counts.value(shared) == size else counts.add(("composite_people", scheme, site), size)
        counts.relate(total, parts, f"composite_analytes:{scheme}")
    return {"n": keys}


def protect_composites(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return mean and SD of at least `threshold` samples within the limits, to three significant digits.

    Notes
    -----
    Like the means of the characteristics they fit many sets of results; an external reference stays as it is.
    """
    external = original["variant"] != "within_site"
    inside = original["n"].fill_null(0) - original["n_below"].fill_null(0) - original["n_above"].fill_null(0)
    enough = external | (inside >= max(threshold, 1))
    coarse = pl.lit(~external & bool(threshold))
    return masked.with_columns(
        pl.when(enough)
        .then(pl.when(coarse).then(pl.col(name).round_sig_figs(DIGITS)).otherwise(pl.col(name)))
        .alias(name)
        for name in ("ln_mean", "ln_sd")
    )
