"""What each participant agreed to: one register for all sources of a site, made before anything else is read."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ember.extract.claims import pseudonyms
from ember.harmonise.dates import day_of
from ember.registry.model import CodedColumn, ConsentMap, Site, TableMap
from ember.tables.store import conform, empty_table

PURPOSES = ("biomarkers", "sharing", "secondary_use")
CAUTION = {"granted": 0, "unknown": 1, "refused": 2}
"""Of several answers of one participant the most cautious counts."""


def site_register(site: Site, tables: Sequence[tuple[TableMap, pl.DataFrame]], key: bytes) -> pl.DataFrame:
    """Return the register of a site, contract consent.

    Parameters
    ----------
    tables : sequence of (TableMap, DataFrame)
        The tables of the site that tell about consent, with its rows of their source as text.
    key : bytes
        Key of the pseudonyms.

    Notes
    -----
    A code that is not declared, an empty cell and a purpose that no table tells are unknown, which counts as no. A
    withdrawal whose day cannot be read erases: keeping data up to a day needs that day.
    """
    parts = [_table_register(site, table, rows, key) for table, rows in tables if table.consent is not None]
    if not parts:
        return empty_table("consent")
    told = pl.concat(parts).filter(pl.col("participant_id").is_not_null())
    answers = [_most_cautious(purpose, told) for purpose in PURPOSES]
    erased, kept = ((pl.col("withdrawal") == choice).any() for choice in ("erase", "keep"))
    withdrawal = pl.when(erased).then(pl.lit("erase")).when(kept).then(pl.lit("keep")).otherwise(pl.lit("no"))
    whole = told.group_by("site_id", "participant_id", maintain_order=True).agg(
        *answers, withdrawal.alias("withdrawal"), pl.col("withdrawn_on").min()
    )
    return conform(whole, "consent")


def _table_register(site: Site, table: TableMap, rows: pl.DataFrame, key: bytes) -> pl.DataFrame:
    consent = table.consent
    assert consent is not None
    day = (
        pl.lit(None, pl.Int32)
        if consent.withdrawn is None
        else day_of(_text(consent.withdrawn.column), consent.withdrawn.date)
    )
    told = rows.select(
        pl.lit(site.id).alias("site_id"),
        pseudonyms(rows[table.participant], site.id, key).alias("participant_id"),
        *(_answer(consent.purposes.get(purpose)).alias(purpose) for purpose in PURPOSES),
        _withdrew(consent).alias("_withdrew"),
        _choice(consent).alias("_choice"),
        day.alias("withdrawn_on"),
    )
    erases = (pl.col("_choice") == "erase") | pl.col("withdrawn_on").is_null()
    action = (
        pl.when(~pl.col("_withdrew")).then(pl.lit("no")).when(erases).then(pl.lit("erase")).otherwise(pl.lit("keep"))
    )
    return told.with_columns(action.alias("withdrawal")).drop("_withdrew", "_choice")


def _text(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().fill_null("")


def _answer(coded: CodedColumn | None) -> pl.Expr:
    """Return granted, refused or unknown; null where the table does not ask."""
    if coded is None:
        return pl.lit(None, pl.String)
    codes = {code.strip(): meaning for code, meaning in coded.codes.items()}
    return _text(coded.column).replace_strict(codes, default="unknown", return_dtype=pl.String)


def _withdrew(consent: ConsentMap) -> pl.Expr:
    """Return whether the participant withdrew: a day is given, or a choice about the data."""
    given = [column.column for column in (consent.withdrawn, consent.on_withdrawal_column) if column is not None]
    return pl.any_horizontal([_text(column) != "" for column in given]) if given else pl.lit(False)


def _choice(consent: ConsentMap) -> pl.Expr:
    if consent.on_withdrawal_column is None:
        return pl.lit(consent.on_withdrawal)
    codes = {code.strip(): meaning for code, meaning in consent.on_withdrawal_column.codes.items()}
    return _text(consent.on_withdrawal_column.column).replace_strict(codes, default="erase", return_dtype=pl.String)


def _most_cautious(purpose: str, told: pl.DataFrame) -> pl.Expr:
    """Return the most cautious answer of a participant; unknown where no table tells."""
    rank = pl.col(purpose).replace_strict(CAUTION, default=None, return_dtype=pl.Int8).max()
    names = {place: name for name, place in CAUTION.items()}
    return rank.replace_strict(names, default=None, return_dtype=pl.String).fill_null("unknown").alias(purpose)
