"""The only reader and writer of EMBER's own tables: every table meets its contract on write and on read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ember.tables.contract import Column, Contract, contract
from ember.tables.files import replacing, write_json, write_text

__all__ = [
    "replacing",
    "write_json",
    "write_text",
]

POLARS_TYPES: Mapping[str, pl.DataType] = {
    "string": pl.String(),
    "bool": pl.Boolean(),
    "int16": pl.Int16(),
    "int32": pl.Int32(),
    "int64": pl.Int64(),
    "float64": pl.Float64(),
}


# Tables of participants are large, stay here and are read whole. What they take to write and read counts: their texts
# are dictionaries, and compressing those would take a twentieth of a job and save a quarter of the space.
PARQUET: Mapping[str, Any] = {"compression": "uncompressed", "statistics": False}


class BrokenContractError(Exception):
    """A table that EMBER itself made does not meet its contract: a defect, not something a user can mend."""


def category(column: str) -> pl.Categorical:
    """Return the type of the text of a column of a coded table.

    Notes
    -----
    Pseudonyms have categories of their own, which go with the last column that uses them; the shared ones would keep
    those of every share and of every site.
    """
    return pl.Categorical(pl.Categories("participant")) if column == "participant_id" else pl.Categorical()


def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Return column names and polars types of a contract, in order."""
    return {column.name: POLARS_TYPES[column.type] for column in contract(table).columns}


def empty_table(table: str) -> pl.DataFrame:
    """Return a frame without rows that meets the contract."""
    return pl.DataFrame(schema=polars_schema(table))


def conform(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return `frame` with the contract's column order and types; missing nullable columns become null.

    Raises
    ------
    BrokenContractError
        A required column is absent, a column is not in the contract, a null stands where none may,
        or a value is outside the allowed ones. Counts only, never values.
    """
    result = arranged(frame, table)
    check(result, contract(table))
    return result


def arranged(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return `frame` in the contract's columns and types without a look at its values: `write_table` has one.

    Raises
    ------
    BrokenContractError
        A required column is absent, or a column is not in the contract.
    """
    rules = contract(table)
    unknown = [name for name in frame.columns if name not in rules.by_name]
    absent = [c.name for c in rules.columns if c.name not in frame.columns and not c.nullable]
    if unknown or absent:
        raise BrokenContractError(f"{table}: not in the contract {unknown}, absent {absent}")
    casts = [
        (pl.col(c.name) if c.name in frame.columns else pl.lit(None)).cast(_type_in(frame, c)).alias(c.name)
        for c in rules.columns
    ]
    return frame.select(casts)


def _type_in(frame: pl.DataFrame, column: Column) -> pl.DataType:
    categorical = column.type == "string" and isinstance(frame.schema.get(column.name), pl.Categorical)
    return category(column.name) if categorical else POLARS_TYPES[column.type]


def as_kept(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return a frame as a file of the table has it: the text of a coded one is categorical."""
    if not contract(table).coded:
        return frame
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(pl.col(name).cast(category(name)) for name in texts)


def _kept_type(column: str, table: str) -> pl.DataType:
    kind = POLARS_TYPES[contract(table).by_name[column].type]
    return category(column) if contract(table).coded and kind == pl.String else kind


def check(frame: pl.DataFrame, rules: Contract) -> None:
    """Raise BrokenContractError if a null, a value or a repeated key breaks the contract."""
    nulls = dict(zip(frame.columns, frame.null_count().row(0), strict=True))
    faults = [f"{c.name} has {nulls[c.name]} nulls" for c in rules.columns if nulls[c.name] and not c.nullable]
    faults.extend(fault for c in rules.columns if c.allowed and (fault := _outside(frame, c)))
    if rules.key and _repeats(frame.select(rules.key)):
        faults.append(f"key {list(rules.key)} repeats")
    if faults:
        raise BrokenContractError(f"{rules.table}: {'; '.join(faults)}")


def _repeats(keys: pl.DataFrame) -> bool:
    keys = keys.select(name for name in keys.columns if not _is_one(keys[name])) if keys.height > 1 else keys
    if not keys.width:
        return True
    # Different hashes tell different keys at a fraction of the cost; equal ones may be an accident.
    return keys.hash_rows().n_unique() < keys.height and bool(keys.is_duplicated().any())


def _is_one(column: pl.Series) -> bool:
    """Return whether a column holds one value or none: it tells no two keys apart."""
    if column.null_count():
        return column.null_count() == column.len()
    codes = column.to_physical() if isinstance(column.dtype, pl.Categorical) else column
    return bool(codes.min() == codes.max())


def _outside(frame: pl.DataFrame, column: Column) -> str:
    outside = frame.select((~pl.col(column.name).is_in(list(column.allowed))).sum()).item()
    return f"{column.name} has {outside} values outside {list(column.allowed)}" if outside else ""


def write_table(frame: pl.DataFrame, path: Path | str, table: str) -> None:
    """Write a frame as Parquet or CSV (by suffix), after its contract; atomically and byte for byte repeatable."""
    whole = as_kept(conform(frame, table), table)
    if Path(path).suffix == ".csv":
        write_frame(whole, path)
        return
    with replacing(path) as temporary:
        whole.write_parquet(temporary, **PARQUET)


def write_frame(frame: pl.DataFrame, path: Path | str) -> None:
    """Write a frame that has no contract (an aggregate table) as Parquet or CSV, atomically."""
    with replacing(path) as temporary:
        if Path(path).suffix == ".csv":
            frame.write_csv(temporary, line_terminator="\n")
        else:
            frame.write_parquet(temporary, compression="zstd", statistics=True)


def read_table(
    path: Path | str,
    table: str,
    columns: Sequence[str] | None = None,
    *,
    coded: bool = False,
    rows: tuple[int, int] | None = None,
) -> pl.DataFrame:
    """Read a table and check names and types against its contract.

    Parameters
    ----------
    columns : sequence of str, optional
        Read only these columns.
    coded : bool
        Leave the text of a coded table categorical.
    rows : (int, int), optional
        Of a Parquet file only so many rows from this position: position, number.

    Raises
    ------
    BrokenContractError
        A column is absent or has another type.
    """
    schema = polars_schema(table)
    names = list(columns) if columns is not None else list(schema)
    try:
        if Path(path).suffix == ".csv":
            return pl.read_csv(path, schema_overrides=schema, columns=names, glob=False).select(names)
        found = pl.scan_parquet(path, use_statistics=False, glob=False)
        found = (found if rows is None else found.slice(*rows)).select(names)
        frame = found.collect().rechunk()
    except pl.exceptions.ColumnNotFoundError:
        raise BrokenContractError(f"{table} in {Path(path).name}: a column of the contract is absent") from None
    wrong = [name for name in names if frame.schema[name] != _kept_type(name, table)]
    if wrong:
        raise BrokenContractError(
            f"{table} in {Path(path).name}: columns {wrong} have another type than the contract's"
        )
    return frame if coded else frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


def read_tables(paths: Sequence[Path | str], table: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Read the per-site files of one table together, in the order given."""
    frames = [read_table(path, table, columns) for path in paths]
    return pl.concat(frames) if frames else empty_table(table).select(list(columns or polars_schema(table)))
