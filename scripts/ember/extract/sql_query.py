"""Ask a database and keep the answer as text in a Parquet file, batch by batch."""

from __future__ import annotations

import datetime
import decimal
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ember.errors import EmberError
from ember.extract.text import cell_text
from ember.registry.model import Source
from ember.registry.query import check_select
from ember.tables.files import replacing

BATCH = 50_000
# How a database is told that the transaction may only read. SQLite is opened read-only instead.
READ_ONLY: Mapping[str, str] = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}


def run_query(source: Source, query: str, environment: Mapping[str, str], path: Path) -> int:
    """Write the answer of a query to a Parquet file, every cell as text; return the number of rows.

    Parameters
    ----------
    source : Source
        Its `connection` names the variable that holds the database's URL.
    query : str
        One SELECT.
    environment : mapping
        Usually `os.environ`. The URL is nowhere else: no message, log or file carries it.
    path : Path
        Written whole or not at all, readable by its owner alone.

    Raises
    ------
    EmberError
        The variable is not set, the driver is absent, the database refuses, two columns share a name, a cell
        holds bytes, or there is no row. The database's own words are not shown: they may hold values or the URL.
    """
    statement = check_select(query, f"{source.id}  query")
    engine = _engine(source, environment)
    try:
        with engine.connect() as connection:
            if engine.dialect.name in READ_ONLY:
                connection.exec_driver_sql(READ_ONLY[engine.dialect.name])
            options = connection.execution_options(no_parameters=True, stream_results=True, max_row_buffer=BATCH)
            return _write(source, options, statement, path)
    except ModuleNotFoundError as error:
        raise _no_driver(source, error.name or "") from None
    except DBAPIError as error:
        raise _refused(source, type(error.orig).__name__, getattr(error.orig, "sqlstate", None)) from None
    except SQLAlchemyError as error:
        raise _refused(source, type(error).__name__) from None
    finally:
        engine.dispose()


def value_text(value: object, where: str) -> str:
    """Return one value of a database as text; none becomes "".

    Raises
    ------
    EmberError
        The value is of a kind that has no one text, such as bytes or an array.
    """
    match value:
        case decimal.Decimal():
            return format(value, "f") if value.is_finite() else ""
        case uuid.UUID():
            return str(value)
        case None | str() | bool() | int() | float() | datetime.date() | datetime.time() | datetime.timedelta():
            return cell_text(value)
    raise EmberError(
        f"The query returns {type(value).__name__}, which has no one text.",
        where=where,
        fix="Convert the column to text in the query, or leave it out.",
    )


def _engine(source: Source, environment: Mapping[str, str]) -> Engine:
    variable = source.connection or ""
    if not environment.get(variable):
        raise EmberError(
            f"The environment variable {variable} is not set.",
            where=f"{source.id}  connection",
            fix="Set it to the database's URL, for example postgresql+psycopg://user:password@host/database. "
            "It stands in no file.",
        )
    try:
        url = make_url(environment[variable])
        if url.get_backend_name() == "sqlite":
            return create_engine("sqlite://", creator=_sqlite(source, url.database or ""), poolclass=NullPool)
        return create_engine(url, poolclass=NullPool, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise _no_driver(source, error.name or "") from None
    except NoSuchModuleError:
        raise _no_driver(source, "") from None
    except (ArgumentError, ValueError):
        raise EmberError(
            f"What {variable} holds is no URL of a database.",
            where=f"{source.id}  connection",
            fix="It has the form dialect+driver://user:password@host/database.",
        ) from None


def _sqlite(source: Source, database: str) -> Any:
    if not Path(database).is_file():
        raise EmberError("The database file does not exist.", where=f"{source.id}  {source.connection}")
    return lambda: sqlite3.connect(f"file:{quote(str(Path(database).resolve()))}?mode=ro", uri=True)


def _write(source: Source, connection: Connection, statement: str, path: Path) -> int:
    count = 0
    with connection.exec_driver_sql(statement) as result, replacing(path) as temporary:
        names = _names(source, list(result.keys()))
        schema = pa.schema([(name, pa.string()) for name in names])
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        with pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=False) as writer:
            for rows in _batches(result):
                writer.write_batch(pa.record_batch(_columns(source, names, rows), schema=schema))
                count += len(rows)
        if not count:
            raise EmberError("The query returns no row.", where=f"{source.id}  query")
    return count


def _batches(result: Any) -> Iterator[Sequence[Any]]:
    while rows := result.fetchmany(BATCH):
        yield rows


def _columns(source: Source, names: Sequence[str], rows: Sequence[Any]) -> list[Any]:
    columns = zip(*rows, strict=True)
    return [
        pa.array([value_text(value, f"{source.id}  column {name}") for value in column], pa.string())
        for name, column in zip(names, columns, strict=True)
    ]


def _names(source: Source, names: list[str]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise EmberError(
            f"The query returns two columns called {', '.join(repeated)}.",
            where=f"{source.id}  query",
            fix="Give each a name of its own with AS.",
        )
    return names


def _no_driver(source: Source, module: str) -> EmberError:
    named = f" {module}" if module else ""
    return EmberError(
        f"The Python driver{named} for the database is not installed.",
        where=f"{source.id}  {source.connection}",
        fix="Install it into EMBER's environment; SQLite needs none, PostgreSQL for example psycopg.",
    )


def _refused(source: Source, kind: str, state: object = None) -> EmberError:
    code = f", SQLSTATE {state}" if isinstance(state, str) and state.isalnum() else ""
    return EmberError(
        f"The database did not answer the query ({kind}{code}).",
        where=f"{source.id}  {source.connection}",
        fix="Try the query in the database's own console: what it says there may hold values and is not shown here.",
    )
