"""Small raw tables, sites and studies for the tests of the standardise stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from ember.harmonise.standardise import Standardised, standardise_site
from ember.harmonise.standardise_rows import RawRows
from ember.registry.build import build_site
from ember.registry.model import Answer, Site, Study, Visit
from ember.registry.registry import Registry, read_registry

PROJECT = Path(__file__).parents[3]
VISITS = (Visit("baseline", 0, -28, 0), Visit("week_4", 28, 21, 35), Visit("week_12", 84, 70, 98))


@cache
def shared_registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


def study_with(site: Site, answers: Sequence[Answer] = (), decimal: str = ".", thousands: str | None = None) -> Study:
    """Return the parts of a study that the standardise stage reads."""

    def answer(finding: str) -> Answer | None:
        return next((one for one in answers if one.finding == finding), None)

    sources = {source: SimpleNamespace(decimal=decimal, thousands=thousands) for source in site.sources}
    return cast(Study, SimpleNamespace(visits=VISITS, sources=sources, answer=answer))


def raw_rows(
    rows: Sequence[Mapping[str, str]],
    participant: str = "id",
    file: str = "file.csv",
    metadata: Mapping[str, Mapping[str, Any]] | None = None,
    sheet: str | None = None,
) -> RawRows:
    """Return rows as read_source writes them; the first one is row 2, an empty participant is null."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != participant))
    frame = pl.DataFrame(
        {
            "_site": ["s"] * len(rows),
            "_row": list(range(2, len(rows) + 2)),
            "_file": [file] * len(rows),
            "_sheet": [sheet] * len(rows),
            "_participant": [row.get(participant) or None for row in rows],
            **{name: [row.get(name, "") for row in rows] for name in names},
        },
        schema_overrides={"_sheet": pl.String, "_participant": pl.String, **dict.fromkeys(names, pl.String)},
    )
    return RawRows(frame, metadata or {})


def standardised(
    mapping: Mapping[str, Any],
    raw: Mapping[str, RawRows] | RawRows,
    answers: Sequence[Answer] = (),
    decimal: str = ".",
    thousands: str | None = None,
    withdrawn: pl.DataFrame | None = None,
) -> Standardised:
    """Standardise a site `s` whose file holds `mapping` (at the top with source `a`, or under `tables`)."""
    site = build_site({"site": "s", **({} if "tables" in mapping else {"from": "a", "participant": "id"}), **mapping})
    rows = {"a": raw} if isinstance(raw, RawRows) else raw
    study = study_with(site, answers, decimal, thousands)
    return standardise_site(study, site, shared_registry(), rows, withdrawn)


def listed(result: Standardised) -> list[tuple[int, str | None, str]]:
    """Return (row, column, rule) of each ledger entry."""
    return result.ledger.select("row_number", "column", "rule_id").rows()


def account(result: Standardised, unit: str) -> dict[str, int]:
    """Return the counts of one unit that are not zero."""
    found = next(account for account in result.accounts if account.unit == unit)
    return {name: value for name, value in vars(found).items() if name.startswith("n_") and value}
