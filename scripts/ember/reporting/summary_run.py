"""What the run itself tells: the files that were read, and who agreed that they may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ember.history.declared import site_steps
from ember.provenance.settings import included_sites
from ember.registry.model import Study
from ember.validate.ledger import rules

STAY = "Agreed and stay"
INPUTS = {
    "source": pl.String, "file": pl.String, "sha256": pl.String, "bytes": pl.Int64, "rows": pl.Int64,
    "variant": pl.String, "recorded": pl.Boolean,
}  # fmt: skip


def inputs_table(records: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return one row a source, from the records that were written when it was read."""
    return pl.DataFrame([{name: record.get(name) for name in INPUTS} for record in records], schema=INPUTS)


def findings_files(study: Study, checks: Path) -> list[Path]:
    """Return the findings of every step about one site, and those about all sites together."""
    own = [checks / f"findings/{site}/{step}.csv" for site in included_sites(study) for step in site_steps(study)]
    return [*own, checks / "findings/compare_sites.csv"]


def consent_table(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the participants of the register by site and reason, each reason in words.

    Parameters
    ----------
    counts : DataFrame
        Contract `consent_counts`.

    Returns
    -------
    DataFrame
        site, rule_id ("" for those who stay), reason, n.
    """
    known = rules()
    reasons = [known[rule].title if rule else STAY for rule in counts["rule_id"].fill_null("")]
    return counts.select(
        "site", pl.col("rule_id").fill_null(""), pl.Series("reason", reasons, dtype=pl.String), pl.col("n")
    )
