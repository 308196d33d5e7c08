"""Laboratory results in cells: the number and its sign, and what stands beside it in the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from ember.harmonise.distinct import Distinct
from ember.harmonise.numbers import OPERATORS, number, operator
from ember.harmonise.reading import Reading, ruled, without_blanks

SIGN_UNCLEAR = "value.operator_unclear"
SPECIMEN_UNKNOWN = "value.specimen_unknown"
UNCLEAR = "?"


def beside_measurement(reading: Reading, rows: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    """Return what stands beside a result: analyte, unit, specimen, assay, batch, and where mapped flag and sign.

    Text is categorical; each distinct one is looked at once.
    """
    table, column = reading.table, reading.column
    batch = _read(rows, column.batch, _filled) if column.batch else _word(None)
    columns = [_unit(reading, rows).alias("unit_reported"), *_specimen(reading, rows), batch.alias("batch")]
    if table.laboratory:
        assays = table.laboratory.assays
        told = Distinct.of(rows["_analyte"])
        analyte: pl.Expr | pl.Series = told.spread(told.texts.cast(pl.Categorical()))
        assay: pl.Expr | pl.Series = _word(None)
        if assays:
            assay = _coded(told, lambda text: text.replace_strict(assays, default=None, return_dtype=pl.String))
        if table.laboratory.operator:
            codes = table.laboratory.operator.codes
            sign = _read(rows, table.laboratory.operator.column, lambda text: _sign(text, codes))
            columns.append(sign.alias("sign"))
    else:
        analyte, assay = _word(column.name), _word(table.measurements[column.name].assay)
        below = table.measurements[column.name].below
        if column.flag and below:
            marks = [code.strip() for code in below.codes]
            flag = Distinct.of(rows[column.flag]).read(lambda text: text.str.strip_chars().is_in(marks))
            columns.append(flag.alias("flagged"))
    return [*columns, analyte.alias("analyte"), assay.alias("assay_id")]


def _word(name: str | None) -> pl.Expr:
    return pl.lit(name, pl.Categorical())


def _read(rows: pl.DataFrame, column: str, read: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    return _coded(Distinct.of(rows[column]), read)


def _coded(told: Distinct, read: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """Return what an expression makes of each row's text, as categories."""
    return told.read(lambda text: read(text).cast(pl.Categorical()))


def _filled(text: pl.Expr) -> pl.Expr:
    """Return a text without outer white space, null where nothing is left."""
    plain = text.str.strip_chars()
    return pl.when(plain != "").then(plain)


def read_measurement(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Return distinct texts with the number, its sign and the limit that the sign gives."""
    text = pl.col("text")
    value = number(text, reading.decimal, operators=True, thousands=reading.thousands)
    frame = frame.with_columns(value.alias("number"), operator(text).alias("operator"))
    frame = ruled(frame, "value.not_numeric", pl.col("number").is_null()).drop("text")
    frame = frame.with_columns(pl.when(pl.col("operator") != "").then("number").alias("limit_reported"))
    mapping = reading.table.measurements.get(reading.column.name)
    if mapping is None or mapping.below is None or mapping.below.heap is None:
        return frame
    heap = mapping.below.heap
    # A file format that stores floats may return the fill one unit in the last place off.
    return _left_censored(frame, (pl.col("number") - heap).abs() <= 1e-9 * abs(heap), mapping.below.limit)


def joined_marks(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Apply what the row says beside the result, which its text does not know of: specimen, sign and flag."""
    if "specimen_known" in frame.columns:
        frame = ruled(frame, SPECIMEN_UNKNOWN, ~pl.col("specimen_known")).drop("specimen_known")
    if "sign" in frame.columns:
        frame = _signed(frame)
    if "flagged" not in frame.columns:
        return frame
    below = reading.table.measurements[reading.column.name].below
    return _left_censored(frame, pl.col("flagged"), below.limit if below else None).drop("flagged")


def _unit(reading: Reading, rows: pl.DataFrame) -> pl.Expr | pl.Series:
    """Return the unit as declared, or as the row says it; a text without a code stays as it is reported."""
    mapping = reading.table.laboratory or reading.table.measurements[reading.column.name]
    if reading.column.unit_column is None:
        return _word(mapping.unit)
    codes = without_blanks(mapping.unit_codes) if mapping.unit_codes else {}
    return _read(rows, reading.column.unit_column, lambda text: text.str.strip_chars().replace(codes))


def _specimen(reading: Reading, rows: pl.DataFrame) -> list[pl.Expr | pl.Series]:
    laboratory = reading.table.laboratory
    if laboratory is None or laboratory.specimen_column is None:
        mapping = laboratory or reading.table.measurements[reading.column.name]
        return [_word(mapping.specimen).alias("specimen")]
    told = Distinct.of(rows[laboratory.specimen_column.column])
    codes = without_blanks(laboratory.specimen_column.codes)
    meaning = _coded(told, lambda text: _filled(text).replace_strict(codes, default=None, return_dtype=pl.String))
    known = told.read(lambda text: _filled(text).is_null() | _filled(text).is_in(list(codes)))
    return [meaning.alias("specimen"), known.alias("specimen_known")]


def _sign(text: pl.Expr, codes: Mapping[str, str]) -> pl.Expr:
    """Return "<", ">", "" or `UNCLEAR`; an empty cell and our name "=" say that the number is as it stands."""
    meanings = {code: meaning for code, meaning in without_blanks(codes).items() if meaning in OPERATORS}
    plain = {code: "" for code, meaning in without_blanks(codes).items() if meaning in {"=", ""}}
    told = text.str.strip_chars()
    return told.replace_strict({"": "", **plain, **meanings}, default=UNCLEAR, return_dtype=pl.String)


def _signed(frame: pl.DataFrame) -> pl.DataFrame:
    """Give the sign of its column to a number that has none of its own; two different signs are refused."""
    sign, own = pl.col("sign"), pl.col("operator")
    unclear = (sign == UNCLEAR) | ((own != "") & (sign != "") & (own != sign))
    # A sign belongs to a limit, and no limit is negative: the same as in the text of the result.
    frame = ruled(frame, SIGN_UNCLEAR, unclear | ((sign != "") & (pl.col("number") < 0)))
    takes = (own == "") & (sign != "") & pl.col("rule").is_null()
    return frame.with_columns(
        pl.when(takes).then("sign").otherwise("operator").alias("operator"),
        pl.when(takes).then("number").otherwise("limit_reported").alias("limit_reported"),
    ).drop("sign")


def _left_censored(frame: pl.DataFrame, marked: pl.Expr, limit: float | None) -> pl.DataFrame:
    """Set the operator where a result is marked and has no sign of its own: a sign carries its limit with it."""
    unsigned = marked & (pl.col("operator") == "")
    return frame.with_columns(
        pl.when(unsigned).then(pl.lit("<", frame.schema["operator"])).otherwise("operator").alias("operator"),
        pl.when(unsigned).then(pl.lit(limit, pl.Float64)).otherwise("limit_reported").alias("limit_reported"),
    )
