"""What only the whole of a table can be judged by: rows a participant, and rows that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.harmonise.standardise_rows import SortedRows
from ember.registry.model import Site, Study, TableMap
from ember.tables.store import conform, polars_schema
from ember.validate.ledger import rules

STAGE = "standardise_site"


@dataclass(frozen=True)
class RowTally:
    """Counts of one table of a site; those of shares add up, since a participant is in one share.

    Attributes
    ----------
    n_conflicts : int
        Rows that repeat a participant and visit with other content.
    n_people, n_several, n_none : int
        Participants who count, and of them those with several rows and with none.
    """

    n_conflicts: int = 0
    n_people: int = 0
    n_several: int = 0
    n_none: int = 0

    def __add__(self, other: RowTally) -> RowTally:
        return RowTally(
            self.n_conflicts + other.n_conflicts,
            self.n_people + other.n_people,
            self.n_several + other.n_several,
            self.n_none + other.n_none,
        )


def tally_rows(table: TableMap, rows: SortedRows, roster: pl.DataFrame | None) -> RowTally:
    """Return the counts of a table.

    Parameters
    ----------
    roster : DataFrame or None
        As from `roster_of`; None for the first table, whose own participants count, also those who left it.
    """
    n_conflicts = rows.count("row.duplicate_conflict")
    if table.per_participant == "many":
        return RowTally(n_conflicts)
    repeats = ["row.duplicate_exact", "row.duplicate_resolved", "row.no_participant", "row.other_analyte"]
    left = rows.refused.filter(~pl.col("_rule").is_in(repeats)).select("_participant")
    own = pl.concat([rows.kept.select("_participant"), left])
    own = own if roster is None else own.join(roster, "_participant", "semi")
    each = own.group_by("_participant").len()
    n_people = each.height if roster is None else roster.height
    n_none = n_people - each.height if table.per_participant == "one" else 0
    return RowTally(n_conflicts, n_people, each.filter(pl.col("len") > 1).height, n_none)


def added_tallies(shares: Sequence[tuple[RowTally, ...]]) -> tuple[RowTally, ...]:
    """Return the counts of each table over all shares."""
    return tuple(sum(parts, RowTally()) for parts in zip(*shares, strict=True))


def site_findings(study: Study, site: Site, tallies: Sequence[RowTally]) -> pl.DataFrame:
    """Return what the study has to answer, contract findings: sources whose rows contradict each other.

    Raises
    ------
    EmberError
        A table has another number of rows a participant than its site file states; repeats do not count.
    """
    found = []
    for table, tally in zip(site.tables, tallies, strict=True):
        _refuse_cardinality(site, table, tally)
        name = conflict_finding(site, table)
        answer = study.answer(name)
        if tally.n_conflicts:
            found.append(
                {
                    "finding": name,
                    "stage": STAGE,
                    "site": site.id,
                    "rule_id": "row.duplicate_conflict",
                    "severity": rules()["row.duplicate_conflict"].severity,
                    "n": tally.n_conflicts,
                    "message": f"{tally.n_conflicts} rows of {table.name} repeat a participant and visit "
                    "with other content.",
                    "answered": answer is not None,
                    "action": answer.action if answer else None,
                    "reason": answer.reason if answer else None,
                }
            )
    return conform(pl.DataFrame(found, schema=polars_schema("findings")), "findings")


def conflict_finding(site: Site, table: TableMap) -> str:
    """Return the id of the finding that rows of a table contradict each other."""
    return f"duplicate:{site.id}:{table.name}"


def _refuse_cardinality(site: Site, table: TableMap, tally: RowTally) -> None:
    if not (tally.n_several or tally.n_none):
        return
    none = f" and {tally.n_none} have none" if tally.n_none else ""
    raise EmberError(
        f"{tally.n_several} of {tally.n_people} participants have several rows in {table.name}{none}.",
        where=f"sites/{site.id}.yaml  {table.name}  per_participant: {table.per_participant}",
        fix="Correct `per_participant:`, or say under `duplicates:` which row is kept.",
    )
