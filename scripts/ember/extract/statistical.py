"""What SPSS, Stata and SAS files share: numbers to text, labels and declared missing values to metadata."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.header import column_names
from ember.extract.statistical_dates import Moment, at_midnight, moment_of, moment_text
from ember.extract.table import ColumnInfo, RawStream, RawTable, empty_rejected, no_rows, raw_table, without_blank_rows
from ember.extract.text import column_text, number_text
from ember.registry.model import Source

LIBRARY_ENCODINGS: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "latin-1": "ISO-8859-1",
    "cp1252": "WINDOWS-1252",
}
BATCH_ROWS = 100_000

Values = dict[str, list[Any]]


@dataclass(frozen=True)
class Package:
    """One file format: its name in the library, the package whose dates it holds, and the encoding to read it in."""

    parser: str
    dates: str
    encoding: str | None
    tags: bool = False


@dataclass
class _Column:
    """What is known of a column before its cells become text; the sets grow with the rows seen."""

    text: bool
    single: bool
    moment: Moment | None
    ranges: tuple[tuple[float, float], ...]
    date_only: bool = True
    tags: set[str] = field(default_factory=set)
    missing: set[float] = field(default_factory=set)


def declared_encoding(source: Source) -> str | None:
    """Return the encoding of a file that names its own: None unless study.yaml declares another than utf-8."""
    return None if source.encoding == "utf-8" else LIBRARY_ENCODINGS[source.encoding]


def read_metadata(source: Source, package: Package) -> Any:
    """Return what the file says of itself without its rows.

    Raises
    ------
    EmberError
        The file is damaged, cut off or in another encoding.
    """
    return _read(source, package, metadataonly=True)[1]


def read_names(source: Source, package: Package) -> list[str]:
    """Return the variable names."""
    return column_names(list(read_metadata(source, package).column_names), source)


def read_statistical(source: Source, package: Package) -> RawTable:
    """Read the whole file; rows count from 1, as the data view of the package shows them.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, or has no data row.
    """
    names = read_names(source, package)
    values, meta = _read(source, package)
    columns = _columns(names, meta, package)
    _learn(values, columns)
    _check_count(source, meta, len(next(iter(values.values()), ())))
    return raw_table(source, _text_frame(values, columns, 1, source), columns=_infos(columns, meta))


def stream_statistical(source: Source, package: Package, rows: int = BATCH_ROWS) -> RawStream:
    """Read the file in batches that are together what `read_statistical` returns.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, or has no data row.

    Notes
    -----
    A first pass finds the tags of missing values and whether date-times are plain dates, because a column must
    be written alike in each batch. The library parses from the start to reach a batch, but keeps only its rows.
    """
    announced = read_metadata(source, package)
    names = column_names(list(announced.column_names), source)
    columns: dict[str, _Column] = {}
    count, meta = 0, announced
    for values, meta in _batches(source, package, rows):
        columns = columns or _columns(names, meta, package)
        _learn(values, columns)
        count += len(values[names[0]])
    if not count:
        raise no_rows(source)
    _check_count(source, announced, count)
    infos = _infos(columns, meta)
    return RawStream(names, infos, None, _text_batches(source, package, rows, columns, infos))


def _text_batches(
    source: Source, package: Package, rows: int, columns: Mapping[str, _Column], infos: Mapping[str, ColumnInfo]
) -> Iterator[RawTable]:
    first, kept = 1, 0
    for values, _ in _batches(source, package, rows):
        frame = _text_frame(values, columns, first, source)
        first += frame.height
        table = without_blank_rows(RawTable(frame, None, infos, empty_rejected()))
        kept += table.frame.height
        yield table
    if not kept:
        raise no_rows(source)


def _batches(source: Source, package: Package, rows: int) -> Iterator[tuple[Values, Any]]:
    offset = 0
    while True:
        values, meta = _read(source, package, row_offset=offset, row_limit=rows)
        found = len(next(iter(values.values()), ()))
        if found:
            yield values, meta
        if found < rows:
            return
        offset += found


def _read(source: Source, package: Package, **options: Any) -> tuple[Values, Any]:
    # The public readers of portable and transport files have no `user_missing`: declared missing values would
    # become empty cells without a word.
    from pyreadstat._readstat_parser import parser_entry_point

    try:
        found: tuple[Values, Any] = parser_entry_point(
            str(source.path),
            parser_format=package.parser,
            encoding=package.encoding,
            user_missing=True,
            disable_datetime_conversion=True,
            output_format="dict",
            **options,
        )
        return found
    except (UnicodeDecodeError, UnicodeEncodeError):
        reason = "its text is in another encoding than declared"
    except Exception as error:
        # The library raises bare exceptions of its own; their text may carry a value.
        if isinstance(error, MemoryError):
            raise
        encoding = "convert string" in str(error)
        reason = "its text is in another encoding than declared" if encoding else "it is damaged or cut off"
    raise EmberError(
        f"The file cannot be read: {reason}.",
        where=source.shown_path,
        fix="Compare its size with the original, export it again, or declare its `encoding:`.",
    )


def _check_count(source: Source, meta: Any, found: int) -> None:
    announced = meta.number_rows
    if announced is not None and 0 <= announced != found:
        raise EmberError(
            f"The file announces {announced} rows and holds {found}: it is cut off.",
            where=source.shown_path,
            fix="Export it again.",
        )


def _columns(names: Sequence[str], meta: Any, package: Package) -> dict[str, _Column]:
    kinds, formats = meta.readstat_variable_types or {}, meta.original_variable_types or {}
    return {
        name: _Column(
            text=kinds[name] == "string",
            single=kinds[name] == "float",
            moment=None if kinds[name] == "string" else moment_of(formats.get(name) or "", package.dates),
            ranges=tuple(
                (entry["lo"], entry["hi"])
                for entry in (meta.missing_ranges or {}).get(name, [])
                if not isinstance(entry["lo"], str)
            ),
            tags={f".{tag}" for tag in _labelled_tags(name, meta)}
            if package.tags and kinds[name] != "string"
            else set(),
        )
        for name in names
    }


def _labelled_tags(name: str, meta: Any) -> Iterable[str]:
    labels = (meta.variable_value_labels or {}).get(name, {})
    return (code for code in labels if isinstance(code, str))


def _learn(values: Values, columns: Mapping[str, _Column]) -> None:
    for name, column in columns.items():
        if column.text:
            continue
        column.tags.update({f".{value}" for value in values[name] if isinstance(value, str)})
        if column.moment is not None:
            numbers = _numbers(values[name])
            column.date_only = column.date_only and at_midnight(numbers, column.moment)
            for low, high in column.ranges:
                column.missing.update(numbers.filter(numbers.is_between(low, high)).to_list())


def _text_frame(values: Values, columns: Mapping[str, _Column], first: int, source: Source) -> pl.DataFrame:
    text = [_cells(name, values[name], column, source) for name, column in columns.items()]
    height = text[0].len() if text else 0
    return pl.DataFrame([*text, pl.int_range(first, first + height, dtype=pl.Int64, eager=True).alias("_row")])


def _cells(name: str, values: list[Any], column: _Column, source: Source) -> pl.Series:
    if column.text:
        return pl.Series(name, values, dtype=pl.String).fill_null("")
    numbers = _numbers(values, single=column.single)
    if column.moment is not None:
        text = moment_text(numbers, column.moment, date_only=column.date_only).fill_null("")
    else:
        text = column_text(numbers, source.shown_path)
    if column.tags:
        tags = pl.Series([f".{value}" if isinstance(value, str) else None for value in values], dtype=pl.String)
        text = tags.fill_null(text)
    return text.rename(name)


def _numbers(values: list[Any], *, single: bool = False) -> pl.Series:
    """Return the numbers of a column; one stored in single precision is written with as many digits as it has."""
    plain = [None if isinstance(value, str) else value for value in values]
    numbers = pl.Series(plain, dtype=pl.Float64, strict=False)
    return numbers.cast(pl.Float32) if single else numbers


def _infos(columns: Mapping[str, _Column], meta: Any) -> dict[str, ColumnInfo]:
    return {name: _info(name, column, meta) for name, column in columns.items()}


def _info(name: str, column: _Column, meta: Any) -> ColumnInfo:
    labels = (meta.variable_value_labels or {}).get(name, {})
    text_codes = [entry["lo"] for entry in (meta.missing_ranges or {}).get(name, []) if isinstance(entry["lo"], str)]
    singles = [low for low, high in column.ranges if low == high]
    spans = [(_finite(low), _finite(high)) for low, high in column.ranges if low != high]
    if column.moment is not None:
        # The cells are written as dates, so the codes must be too.
        singles, spans = sorted({*singles, *column.missing}), []
    return ColumnInfo(
        label=(meta.column_names_to_labels or {}).get(name) or "",
        value_labels={_code(code, column): label for code, label in labels.items()},
        missing_values=(*text_codes, *(_code(code, column) for code in singles), *sorted(column.tags)),
        missing_ranges=tuple(spans),
        type=(meta.original_variable_types or {}).get(name) or "",
    )


def _code(code: object, column: _Column) -> str:
    if isinstance(code, str):
        return code if column.text else f".{code}"
    number = float(code)  # type: ignore[arg-type]
    if column.moment is not None:
        return str(moment_text(pl.Series([number]), column.moment, date_only=column.date_only)[0])
    return number_text(number)


def _finite(end: float) -> float:
    return max(-sys.float_info.max, min(sys.float_info.max, float(end)))
