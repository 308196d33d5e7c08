"""The ledger of the shipped extracts names every planted fault, and nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from ember.extract.claims import claim_rows, site_frames, tables_of
from ember.extract.readers import read_table
from ember.extract.source import row_ledger
from ember.harmonise.harmonise import Standard, harmonise_site
from ember.harmonise.standardise import standardise_site
from ember.harmonise.standardise_rows import RawRows
from ember.provenance.privacy_key import PUBLISHED_KEY
from ember.registry.load import PROJECT, load_study
from ember.registry.model import Site, Source, Study
from ember.registry.registry import Registry
from ember.simulate.draft import LEDGER_COLUMNS

STUDIES = {
    "demo": ("demo", PROJECT / "resources" / "demo"),
    "tiny": (str(PROJECT / "tests" / "data" / "tiny"), PROJECT / "tests" / "data" / "tiny" / "extracts"),
}


def raw_rows(study: Study, source: Source, site: Site) -> tuple[RawRows, pl.DataFrame]:
    """Return a site's rows of a source as read_source hands them on, and the ledger of the source."""
    claims = tables_of(source.id, list(study.sites.values()))
    table = read_table(source)
    owner = claim_rows(table.frame, source, claims)
    frame = dict(site_frames(table.frame, owner, claims, PUBLISHED_KEY))[site.id]
    file = study.resolved["study"]["sources"][source.id]["path"]
    keyed = frame.with_columns(
        pl.lit(site.id).alias("_site"),
        pl.lit(file).alias("_file"),
        pl.lit(table.sheet, dtype=pl.String).alias("_sheet"),
    )
    metadata = {name: info.content() for name, info in table.columns.items()}
    return RawRows(keyed, metadata), row_ledger(table, table.frame["_row"].filter(owner.is_null()), file)


def ledger_of(study: Study, registry: Registry) -> pl.DataFrame:
    """Return the joined ledger of read_source, standardise_site and harmonise_site."""
    parts = []
    for site in study.sites.values():
        read = {name: raw_rows(study, study.sources[name], site) for name in site.sources}
        standard = standardise_site(study, site, registry, {name: rows for name, (rows, _) in read.items()})
        n_values = sum(account.n_out for account in standard.accounts if account.unit == "value")
        tables = (standard.participants, standard.visits, standard.measurements, standard.items, standard.treatments)
        harmonised = harmonise_site(study, site, registry, Standard(*tables, n_values))
        parts += [*(ledger for _, ledger in read.values()), standard.ledger, harmonised.ledger]
    return pl.concat(parts)


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in STUDIES])
def test_ledger_is_exactly_what_was_planted(name: str) -> None:
    folder, extracts = STUDIES[name]
    study, registry = load_study(folder)
    schema = {column: pl.Int64() if column == "row_number" else pl.String() for column in LEDGER_COLUMNS}
    planted = pl.read_csv(extracts / "planted_faults.csv", schema=schema)
    found = ledger_of(study, registry).rename({"site_id": "site"}).select(LEDGER_COLUMNS)
    assert planted.height > 10
    assert sorted(found.rows(), key=str) == sorted(planted.rows(), key=str)
