"""`ember extracts`: which extract of each source stands, and what it changes in the one before."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from ember.cli.words import STUDY_HELP, counted
from ember.errors import EmberError, nearest_name
from ember.extract.claims import tables_of
from ember.extract.opening import read_joined
from ember.management.compare import Comparison, compare, locked_changes
from ember.management.keyed import keyed_rows, row_key, visit_of_column
from ember.provenance.privacy_key import pseudonym_key
from ember.registry.load import load_study
from ember.registry.model import Site, Source, Study, TableMap
from ember.registry.registry import Registry
from ember.tables.store import write_frame


def add_parser(commands: Any) -> None:
    """Add `ember extracts` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "extracts",
        help="say what each extract changes in the one that it supersedes",
        description="Compare each extract with the one that it supersedes: rows added, removed and changed by key, "
        "unannounced changes to locked visits, and participants who vanish. Counts on the console; the rows in "
        "results/<study>/restricted/extracts. Status 1 if something has to be answered by the provider.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("--source", metavar="SOURCE", help="only this source")
    parser.set_defaults(run=lambda given: extracts(given.study, given.source))


def extracts(name: str, only: str | None = None) -> int:
    """Print the extracts of a study and their comparisons; return 1 if anything has to be answered, else 0.

    Raises
    ------
    EmberError
        The study is not right, there is no such source, or an extract cannot be read.
    """
    study, registry = load_study(name)
    if only is not None and only not in study.sources:
        raise EmberError(
            f"'{only}' is no source of the study.", allowed=study.sources, nearest=nearest_name(only, study.sources)
        )
    open_questions = 0
    for source in study.sources.values():
        if only in (None, source.id):
            print(_line(source))
            open_questions += _compared(study, registry, source) if source.supersedes else 0
    if open_questions:
        print(f"{counted(open_questions, 'thing')} to answer before the new extract is used.")
    return int(bool(open_questions))


def _line(source: Source) -> str:
    told = [
        f"version {source.version}" if source.version else "no version",
        f"received {source.received}" if source.received else "no day of receipt",
        f"cut off {source.cut_off}" if source.cut_off else "no cut-off",
    ]
    return f"{source.id}  {source.shown_path}  {', '.join(told)}"


def _compared(study: Study, registry: Registry, source: Source) -> int:
    assert source.supersedes is not None
    if not source.supersedes.is_file():
        raise EmberError(
            "The superseded extract does not exist.",
            where=f"study.yaml  sources.{source.id}.supersedes",
            fix="Keep it beside the new one, or take the key out.",
        )
    earlier = replace(source, path=source.supersedes, shown_path=str(source.supersedes.name), sha256=None)
    before, now = (read_joined(one, study.sources) for one in (earlier, source))
    key = pseudonym_key(study, os.environ)
    questions = 0
    for site, table in tables_of(source.id, list(study.sites.values())):
        earlier_rows, rows = (keyed_rows(part.frame, site, table, key) for part in (before, now))
        found = compare(earlier_rows, rows, row_key(table))
        columns = visit_of_column(table, registry, study.visits, rows.columns)
        locked = locked_changes(found, study.locked_visits, columns)
        unannounced = [row for row in locked.iter_rows(named=True) if not _announced(study, source, row)]
        for line in _lines(found, locked, unannounced):
            print(f"  {site.id}  {line}")
        _write(study, source, site, table, found)
        questions += len(unannounced) + bool(found.vanished)
    return questions


def _announced(study: Study, source: Source, change: dict[str, Any]) -> bool:
    entries = study.resolved["study"]["sources"][source.id].get("announced", [])
    return any(
        entry["visit"] == change["visit"] and ("columns" not in entry or change["column"] in entry["columns"])
        for entry in entries
    )


def _lines(found: Comparison, locked: pl.DataFrame, unannounced: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        f"{found.rows_before:,} rows before, {found.rows_now:,} now: {found.added.height:,} added, "
        f"{found.removed.height:,} removed, {found.changed.select('row_now').n_unique():,} changed "
        f"({counted(found.changed.height, 'cell')})"
    )
    if found.arrived:
        yield f"{counted(found.arrived, 'participant')} new"
    if found.vanished:
        yield f"{counted(len(found.vanished), 'participant')} vanished: nothing of them is left"
    for words, columns in (("new", found.columns_added), ("gone", found.columns_removed)):
        if columns:
            yield f"columns {words}: {', '.join(columns)}"
    announced = int(locked["n"].sum()) - sum(change["n"] for change in unannounced)
    if announced:
        yield f"{announced:,} changes to locked visits were announced"
    for change in unannounced:
        what = "rows removed" if change["column"] is None else f"cells of {change['column']} changed"
        yield f"unannounced: {change['n']:,} {what} at the locked visit {change['visit']}"


def _write(study: Study, source: Source, site: Site, table: TableMap, found: Comparison) -> None:
    """Write which rows, for the data manager: pseudonyms, visits, columns and row numbers."""
    folder = study.workspace / "results" / study.id / "restricted" / "extracts"
    name = f"{source.id}.{site.id}" if table.name in (source.id, "") else f"{source.id}.{site.id}.{table.name}"
    parts = [
        found.added.with_columns(change=pl.lit("added")),
        found.removed.with_columns(change=pl.lit("removed")),
        found.changed.with_columns(change=pl.lit("changed")),
        pl.DataFrame({"participant": found.vanished}, schema={"participant": pl.String}).with_columns(
            change=pl.lit("vanished")
        ),
    ]
    order = ["change", "participant", "visit", "column", "row_before", "row_now"]
    write_frame(pl.concat(parts, how="diagonal_relaxed").select(order), folder / f"{name}.csv")
