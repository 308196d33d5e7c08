"""Which sites a model can use, and in words why it cannot use the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from ember.models.design_matrix import INTERACTION, Design, DesignSpec, build_design
from ember.models.normal_equations import aliased_columns

NO_ROWS = "no participant in the analysis set"
NO_CONTRAST = {
    "treatment": "everyone has the same arm",
    "exposure": "the exposure does not vary",
    INTERACTION: "the exposure does not vary within each arm",
}
NO_OUTCOME = "the outcome does not vary"
TOO_FEW = "no more rows than coefficients"


def usable_sites(frame: pl.DataFrame, spec: DesignSpec, sites: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return the sites that a model can use, and the reason for each other one, both in study order.

    Parameters
    ----------
    frame : DataFrame
        Contract `analysis_set`, only the rows in the set.
    spec : DesignSpec
        Right-hand side of the model.

    Notes
    -----
    A site takes part in a joint model under the same condition as in a model of its own: with one arm only, or an
    exposure that does not vary, its rows could enter the contrast only by comparison with other sites, which no
    randomisation protects. Reasons name columns and never count rows: small counts are for the disclosure to show.
    """
    parts = {site: frame.filter(pl.col("site_id") == site) for site in sites}
    reasons = {site: obstacle(part, spec, site) for site, part in parts.items()}
    left_out = {site: reason for site, reason in reasons.items() if reason is not None}
    return [site for site in sites if site not in left_out], left_out


def obstacle(rows: pl.DataFrame, spec: DesignSpec, site: str) -> str | None:
    """Return why the rows of one site carry no information on the contrast of interest, or None."""
    if rows.is_empty():
        return NO_ROWS
    core = build_design(rows, replace(spec, baseline="none", covariates=(), sites="none"), [site])
    aliased = [core.names[at] for at in aliased_columns(core.rows[0].design.T @ core.rows[0].design)]
    if aliased:
        return NO_CONTRAST[aliased[0]]
    if np.ptp(core.rows[0].outcome) == 0:
        return NO_OUTCOME
    baseline = "none" if spec.baseline == "none" else "common"
    own = build_design(rows, replace(spec, baseline=baseline, sites="none"), [site])
    return TOO_FEW if own.n <= len(own.names) else None


def design_obstacle(design: Design) -> str | None:
    """Return why the coefficients of a design cannot all be estimated, or None."""
    if design.n <= len(design.names):
        return TOO_FEW
    cross_product = np.sum([block.design.T @ block.design for block in design.rows], axis=0)
    aliased = [design.names[at] for at in aliased_columns(cross_product)]
    return f"determined by the columns before: {', '.join(aliased)}" if aliased else None
