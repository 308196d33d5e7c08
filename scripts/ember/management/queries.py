"""Queries to a site: one for each row or cell that it has to look at, with a number that stays over extracts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import yaml

from ember.errors import EmberError

SCHEMA: Mapping[str, pl.DataType] = {
    "number": pl.String(),
    "status": pl.String(),
    "opened": pl.Date(),
    "last_seen": pl.Date(),
    "answered": pl.Date(),
    "closed": pl.Date(),
    "source_file": pl.String(),
    "sheet": pl.String(),
    "row_number": pl.Int64(),
    "participant": pl.String(),
    "visit": pl.String(),
    "column": pl.String(),
    "rule_id": pl.String(),
    "question": pl.String(),
}
NUMBER = r"-[0-9]+$"
KEY = ("who", "visit", "column", "rule_id", "nth")
FOUND = ("source_file", "sheet", "row_number", "participant", "visit", "column", "rule_id")


@cache
def questions() -> dict[str, str]:
    """Return the question of each rule that is asked."""
    text = (Path(__file__).parents[1] / "validate" / "questions.yaml").read_text(encoding="utf-8")
    return dict(yaml.load(text, Loader=yaml.CSafeLoader))


def empty_register() -> pl.DataFrame:
    """Return a register without queries."""
    return pl.DataFrame(schema=dict(SCHEMA))


def read_register(path: Path, shown: str) -> pl.DataFrame:
    """Return a site's register of queries, empty where there is none yet.

    Parameters
    ----------
    shown : str
        The file's name for messages.

    Raises
    ------
    EmberError
        The file is no longer what EMBER wrote.
    """
    if not path.is_file():
        return empty_register()
    fix = "Put the register back as `ember queries` wrote it; numbers persist only in that file."
    try:
        read = pl.read_csv(path, infer_schema=False, glob=False)
    except pl.exceptions.PolarsError:
        raise EmberError("The register of queries cannot be read.", where=shown, fix=fix) from None
    if read.columns != list(SCHEMA):
        raise EmberError("The register of queries has other columns.", where=shown, allowed=SCHEMA, fix=fix)
    typed = {
        name: read[name].str.to_date("%Y-%m-%d", strict=False)
        if kind == pl.Date()
        else read[name].cast(kind, strict=False)
        for name, kind in SCHEMA.items()
    }
    changed = [name for name, column in typed.items() if column.null_count() > read[name].null_count()]
    numbers = read["number"].str.contains(NUMBER).fill_null(False)
    changed += [] if numbers.all() else ["number"]
    if changed:
        raise EmberError(f"Cells of {', '.join(changed)} are not what EMBER wrote.", where=shown, fix=fix)
    return pl.DataFrame(typed)


def asked(
    ledger: pl.DataFrame, places: pl.DataFrame, visit_of_column: Mapping[str, str], dates: Collection[str] = ()
) -> pl.DataFrame:
    """Return what the site has to be asked, in ledger order.

    Parameters
    ----------
    ledger : DataFrame
        Entries of the site, contract ledger.
    places : DataFrame
        `source_file`, `sheet`, `row_number`, `participant` and `visit` of the site's rows.
    visit_of_column : mapping
        In a wide file: the visit that a column's name tells.
    dates : collection of str
        Columns that hold the day of a visit.

    Returns
    -------
    DataFrame
        The columns of FOUND. An entry whose row is not in `places` keeps participant and visit null.
    """
    listed = ledger.filter(pl.col("rule_id").is_in(list(questions())))
    row = ["source_file", "sheet", "row_number"]
    people = places.unique(row, keep="first", maintain_order=True).select(*row, "participant", "visit")
    named = listed.select(*row, "column", "rule_id").join(
        people, on=row, how="left", nulls_equal=True, maintain_order="left"
    )
    told = pl.col("column").replace_strict(visit_of_column, default=None, return_dtype=pl.String)
    return _once_a_visit(named.with_columns(visit=pl.coalesce(told, "visit")).select(FOUND), dates)


def _once_a_visit(found: pl.DataFrame, dates: Collection[str]) -> pl.DataFrame:
    """Return what is asked with one line for a visit that cannot be placed, whose every cell the ledger lists."""
    numbered = found.with_row_index("_at").with_columns(_date=pl.col("column").is_in(list(dates)).fill_null(False))
    about_visit = pl.col("rule_id").str.starts_with("visit.") & pl.col("participant").is_not_null()
    visits = numbered.filter(about_visit).sort("_date", descending=True, maintain_order=True)
    once = visits.unique(["participant", "visit", "rule_id"], keep="first", maintain_order=True)
    # A cell that only lies in the visit is not what is asked about.
    shown = once.with_columns(column=pl.when("_date").then("column"))
    return pl.concat([numbered.filter(~about_visit), shown]).sort("_at").select(FOUND)


def updated(
    register: pl.DataFrame, found: pl.DataFrame, answers: Collection[str], site: str, today: date
) -> pl.DataFrame:
    """Return the register after a run: known queries keep their numbers, new ones get the next.

    Parameters
    ----------
    register : DataFrame
        As it stands, with the columns of SCHEMA.
    found : DataFrame
        From `asked`.
    answers : collection of str
        Numbers that a row of a file of corrections cites.

    Notes
    -----
    A query is the same if participant, visit, column and rule are the same, whatever row it has moved to. It is closed
    when it no longer arises, and open again under its number when it comes back. Where no participant is named, the
    row itself stands for one.
    """
    known, now = _keyed(register), _keyed(found)
    places = [pl.col(name).alias(f"{name}_now") for name in ("source_file", "sheet", "row_number")]
    both = known.join(now.select(*KEY, *places), on=list(KEY), how="left", nulls_equal=True, maintain_order="left")
    arises = pl.col("source_file_now").is_not_null()
    cited = pl.col("number").is_in(list(answers))
    day = pl.lit(today)
    kept = both.with_columns(
        status=pl.when(~arises).then(pl.lit("closed")).when(cited).then(pl.lit("answered")).otherwise(pl.lit("open")),
        last_seen=pl.when(arises).then(day).otherwise("last_seen"),
        answered=pl.when(cited).then(pl.coalesce("answered", day)).otherwise("answered"),
        closed=pl.when(~arises).then(pl.coalesce("closed", day)),
        source_file=pl.coalesce("source_file_now", "source_file"),
        sheet=pl.when(arises).then("sheet_now").otherwise("sheet"),
        row_number=pl.coalesce("row_number_now", "row_number"),
    ).select(list(SCHEMA))
    new = now.join(known.select(KEY), on=list(KEY), how="anti", nulls_equal=True, maintain_order="left")
    return pl.concat([kept, _numbered(new, _last_number(register), site, today)])


def with_age(register: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the register as the site gets it, with the age of each query in days until it was closed."""
    age = (pl.coalesce("closed", pl.lit(today)) - pl.col("opened")).dt.total_days()
    return register.with_columns(age_days=age.cast(pl.Int64))


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `who`, the participant or else the row, and `nth`, which tells apart what agrees in everything else."""
    row = pl.concat_str(pl.lit("row "), "source_file", pl.lit(" "), "row_number")
    named = frame.with_columns(who=pl.coalesce("participant", row))
    return named.with_columns(nth=pl.int_range(pl.len()).over(["who", "visit", "column", "rule_id"]))


def _last_number(register: pl.DataFrame) -> int:
    return max((int(number.rsplit("-", 1)[1]) for number in register["number"]), default=0)


def _numbered(new: pl.DataFrame, last: int, site: str, today: date) -> pl.DataFrame:
    numbers = [f"{site}-{place:05d}" for place in range(last + 1, last + 1 + new.height)]
    texts = [
        questions()[rule].format(column=column or "the row")
        for rule, column in new.select("rule_id", "column").iter_rows()
    ]
    return new.with_columns(
        number=pl.Series(numbers, dtype=pl.String),
        status=pl.lit("open"),
        opened=pl.lit(today),
        last_seen=pl.lit(today),
        answered=pl.lit(None, pl.Date),
        closed=pl.lit(None, pl.Date),
        question=pl.Series(texts, dtype=pl.String),
    ).select(list(SCHEMA))
