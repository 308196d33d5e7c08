"""Whom a rule about values above the acute cut would take out, by site, sex and body mass index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry

if TYPE_CHECKING:
    from ember.reporting.summaries import SiteTables

ACUTE = {
    "scheme": pl.String, "scheme_label": pl.String, "group_by": pl.String, "group": pl.String, "n": pl.Int64,
    "n_above": pl.Int64, "n_without_repeat": pl.Int64,
}  # fmt: skip
PERSON = ["site_id", "participant_id"]
MISSING = "missing"
BMI_CUTS = ("bmi_overweight", "bmi_obese")
"""Rows of thresholds.csv that divide the bands of body mass index."""


def acute_samples(
    study: Study, registry: Registry, sites: Mapping[str, SiteTables], endotypes: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return how many participants there are, with a sample above the acute cut, and without a valid repeat of it.

    Notes
    -----
    Leaving out everyone above the cut selects on body mass index, because obesity alone can hold CRP up there; the
    table shows on whom such a rule would fall. Only samples that may define the baseline state are looked at.
    """
    people = _people(registry, sites)
    rows: list[dict[str, Any]] = []
    for scheme, table in endotypes.items():
        judged = table.filter("assigned").select(
            *(pl.col(name).cast(pl.String) for name in PERSON),
            pl.col("flags").str.split(";").list.contains("above_10").alias("above"),
            pl.col("flags").str.split(";").list.contains("above_10_set_aside").alias("repeated"),
        )
        joined = people.join(judged, on=PERSON, how="inner", maintain_order="left")
        for group_by, group, part in _groups(study, joined):
            above = part["above"]
            rows.append(
                {
                    "scheme": scheme, "scheme_label": study.schemes[scheme]["label"], "group_by": group_by,
                    "group": group, "n": part.height, "n_above": int(above.sum()),
                    "n_without_repeat": int((above & ~part["repeated"]).sum()),
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema=ACUTE)


def _people(registry: Registry, sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    low, high = (float(registry.row("thresholds", name)["value"]) for name in BMI_CUTS)
    band = (
        pl.when(pl.col("bmi") < low)
        .then(pl.lit(f"below {low:g}"))
        .when(pl.col("bmi") < high)
        .then(pl.lit(f"{low:g} to below {high:g}"))
        .when(pl.col("bmi") >= high)
        .then(pl.lit(f"{high:g} or more"))
        .otherwise(pl.lit(MISSING))
    )
    parts = [
        tables.participants.select(
            *(pl.col(name).cast(pl.String) for name in PERSON),
            pl.col("sex").cast(pl.String).fill_null(MISSING).alias("sex"),
            band.alias("bmi_band"),
        )
        for tables in sites.values()
    ]
    return pl.concat(parts)


def _groups(study: Study, people: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    yield "site", "all", people
    for site in study.sites:
        own = people.filter(pl.col("site_id") == site)
        if own.height:
            yield "site", site, own
    for group_by in ("sex", "bmi_band"):
        for group in sorted(people[group_by].unique().to_list(), key=lambda name: (name == MISSING, _order(name))):
            yield group_by, group, people.filter(pl.col(group_by) == group)


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("below"), name
