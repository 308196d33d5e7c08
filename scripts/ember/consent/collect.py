"""Read the tables that tell about consent, of all sites, before any raw file is written."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import polars as pl

from ember.consent.register import site_register
from ember.errors import EmberError
from ember.extract.admission import corrections_of
from ember.extract.columns import absent_columns
from ember.extract.opening import open_source
from ember.extract.own_rows import own_rows
from ember.extract.table import RawStream
from ember.harmonise.missing import missing_rule
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry
from ember.tables.store import empty_table


def collect_consent(study: Study, registry: Registry, key: bytes, folder: Path) -> pl.DataFrame:
    """Return the register of all sites, contract consent.

    Parameters
    ----------
    folder : Path
        Where packed files are unpacked while they are read.

    Raises
    ------
    EmberError
        A source cannot be read or lacks a column of the consent.
    """
    registers = []
    for site in study.sites.values():
        tables = [table for table in site.tables if table.consent is not None]
        told = [(table, consent_columns(study, site, table, registry, folder)) for table in tables]
        registers.append(site_register(site, told, key))
    return pl.concat([empty_table("consent"), *registers])


def consent_columns(study: Study, site: Site, table: TableMap, registry: Registry, folder: Path) -> pl.DataFrame:
    """Return the site's rows of a source with the columns that its consent needs, all text and corrected.

    Notes
    -----
    Whether each correction fits is told by read_source, which sees all of them.
    """
    needed = needed_columns(table)
    source = study.sources[table.source]
    corrections = corrections_of(site, table, study.data_folder, source.file, None)
    with ExitStack() as packed:
        stream = open_source(source, study.sources, folder, packed)
        if not set(needed) <= set(stream.names):
            absent = absent_columns(source, stream.names, site, table, registry)
            raise EmberError("\n".join(str(finding) for finding in absent))
        blanks = _without_missing(table, stream, source.decimal)
        own = (batch.frame.filter(own_rows(batch.frame, table)) for batch in stream.batches)
        batches = [
            (corrections.apply(rows)[0] if corrections else rows).select(needed).with_columns(blanks) for rows in own
        ]
    return pl.concat(batches) if batches else pl.DataFrame(schema=dict.fromkeys(needed, pl.String()))


def _without_missing(table: TableMap, stream: RawStream, decimal: str) -> list[pl.Expr]:
    """Return the columns of a withdrawal with their missing codes made empty: -9 is no day on which somebody left."""
    consent = table.consent
    assert consent is not None
    choice = consent.on_withdrawal_column
    codes = {column.column: column.codes for column in (choice,) if column is not None}
    told = [column.column for column in (consent.withdrawn, choice) if column is not None]
    blanks = []
    for name in told:
        text = pl.col(name).str.strip_chars()
        missing = missing_rule(text, table.missing, stream.columns[name].content(), decimal).is_not_null()
        kept = text.is_in(list(codes.get(name, {})))
        blanks.append(pl.when(missing & ~kept).then(pl.lit("")).otherwise(pl.col(name)).alias(name))
    return blanks


def needed_columns(table: TableMap) -> list[str]:
    """Return the participant's column and every column that the consent of a table names, each once."""
    consent = table.consent
    assert consent is not None
    given = [*consent.purposes.values(), consent.withdrawn, consent.on_withdrawal_column]
    return list(dict.fromkeys([table.participant, *(column.column for column in given if column is not None)]))
