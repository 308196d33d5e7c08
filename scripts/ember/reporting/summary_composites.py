"""What the composites rest on: the reference of each site, and how many analytes the participants have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.reporting.parts import COMPOSITES as COMPOSITE_TABLES

REFERENCES = {
    "scheme": pl.String, "site": pl.String, "variant": pl.String, "reference": pl.String, "analyte": pl.String,
    "assay_id": pl.String, "platform": pl.String, "batch": pl.String, "n": pl.Int64, "n_below": pl.Int64,
    "n_above": pl.Int64, "ln_mean": pl.Float64, "ln_sd": pl.Float64, "selected": pl.Boolean,
}  # fmt: skip
COUNTS = {
    "scheme": pl.String, "site": pl.String, "n_analytes": pl.Int64, "minimum": pl.Int64, "n": pl.Int64,
}  # fmt: skip


def composite_tables(study: Study, composites: Mapping[str, Mapping[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """Return the summaries that `parts.COMPOSITES` names.

    Parameters
    ----------
    composites : mapping of str to mapping of str to DataFrame
        By scheme, the tables of the contracts composites and composite_references.
    """
    references = composite_references(
        study, {scheme: made["composite_references"] for scheme, made in composites.items()}
    )
    counted = analyte_counts(study, {scheme: made["composites"] for scheme, made in composites.items()})
    return dict(zip(COMPOSITE_TABLES, (references, counted), strict=True))


def composite_references(study: Study, references: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the references of every scheme with a composite, sites in study order.

    Parameters
    ----------
    references : mapping of str to DataFrame
        Contract composite_references by scheme.
    """
    tables = [
        table.filter(pl.col("site_id") == site).with_columns(pl.lit(scheme).alias("scheme"))
        for scheme, table in references.items()
        for site in study.sites
    ]
    if not tables:
        return pl.DataFrame(schema=REFERENCES)
    joined = pl.concat(tables).rename({"site_id": "site"})
    texts = [name for name, kind in REFERENCES.items() if kind == pl.String]
    return joined.with_columns(pl.col(texts).fill_null("")).select(
        pl.col(name).cast(kind) for name, kind in REFERENCES.items()
    )


def analyte_counts(study: Study, composites: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return how many participants have results of none, one, two… of the analytes at the scheme's visit.

    Parameters
    ----------
    composites : mapping of str to DataFrame
        Contract composites by scheme.
    """
    rows: list[dict[str, Any]] = []
    for scheme, table in composites.items():
        declared, visit = study.schemes[scheme]["composite"], study.schemes[scheme]["visit"]
        at = table.filter(pl.col("visit") == visit)
        for site in [site for site in study.sites if (at["site_id"] == site).any()]:
            own = at.filter(pl.col("site_id") == site)["n_analytes"]
            rows += [
                {"scheme": scheme, "site": site, "n_analytes": number, "minimum": declared["minimum"],
                 "n": int((own == number).sum())}
                for number in range(len(declared["analytes"]) + 1)
            ]  # fmt: skip
    return pl.DataFrame(rows, schema=COUNTS)
