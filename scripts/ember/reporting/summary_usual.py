"""What the usual levels say together: the components behind them, and mean probability by state and site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.comparable import compares_states
from ember.registry.model import Study
from ember.reporting.parts import USUAL
from ember.reporting.summary_states import comparable_states

PERSON = ["site_id", "participant_id"]
LEVELS = {
    "scheme": pl.String, "site": pl.String, "state": pl.String, "state_order": pl.Int64, "inflamed": pl.Boolean,
    "n": pl.Int64, "probability": pl.Float64,
}  # fmt: skip
COMPONENTS = {
    "scheme": pl.String, "site": pl.String, "cut": pl.Float64, "method": pl.String, "reason": pl.String,
    "n_people": pl.Int64, "n_samples": pl.Int64, "n_below": pl.Int64, "n_above": pl.Int64, "n_repeated": pl.Int64,
    "ln_mean": pl.Float64, "between_sd": pl.Float64, "within_sd": pl.Float64, "acute_share": pl.Float64,
}  # fmt: skip


def usual_tables(
    study: Study, usual: Mapping[str, Mapping[str, pl.DataFrame]], endotypes: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Return the summaries that `parts.USUAL` names.

    Parameters
    ----------
    usual : mapping of str to mapping of str to DataFrame
        By scheme, the tables of the contracts usual_levels and usual_components.
    endotypes : mapping of str to DataFrame
        Contract endotypes by scheme.
    """
    levels = [row for scheme in usual for row in _levels(study, scheme, usual[scheme], endotypes[scheme])]
    components = [row for scheme in usual for row in _components(study, scheme, usual[scheme])]
    tables = pl.DataFrame(levels, schema=LEVELS), pl.DataFrame(components, schema=COMPONENTS)
    return dict(zip(USUAL, tables, strict=True))


def _levels(
    study: Study, scheme: str, made: Mapping[str, pl.DataFrame], endotypes: pl.DataFrame
) -> list[dict[str, Any]]:
    """Return the mean probability of those in each state, and of all ("") for whom it is identified."""
    content = study.schemes[scheme]
    states = comparable_states(study, content, endotypes)
    known = made["usual_levels"].filter("identified").select(*PERSON, "probability")
    labelled = states.filter("assigned").select(*PERSON, state=pl.col("class").cast(pl.String))
    joined = known.join(labelled, on=PERSON, how="left", maintain_order="left")
    order = ["", *dict.fromkeys(states["class"].cast(pl.String).to_list())]
    sites = [site for site in study.sites if (joined["site_id"] == site).any()]
    counted = content["inflamed"] if compares_states(study, content) else ()
    rows = []
    for site in ["all", *sites]:
        own = joined if site == "all" else joined.filter(pl.col("site_id") == site)
        for number, state in enumerate(order):
            inside = own if state == "" else own.filter(pl.col("state") == state)
            mean = float(np.mean(inside["probability"].to_numpy())) if inside.height else None
            rows.append({"scheme": scheme, "site": site, "state": state, "state_order": number,
                         "inflamed": state in counted, "n": inside.height, "probability": mean})  # fmt: skip
    return rows


def _components(study: Study, scheme: str, made: Mapping[str, pl.DataFrame]) -> list[dict[str, Any]]:
    cut = made["usual_levels"]["cut"]
    rows = {row["site_id"]: row for row in made["usual_components"].iter_rows(named=True)}
    return [
        {"scheme": scheme, "site": site, "cut": cut[0], "reason": rows[site]["reason"] or "",
         **{name: rows[site][name] for name in COMPONENTS if name not in ("scheme", "site", "cut", "reason")}}
        for site in study.sites if site in rows
    ]  # fmt: skip
