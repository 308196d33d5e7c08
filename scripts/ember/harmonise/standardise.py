"""Standardise one site: its columns become our tables, and everything that does not is in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import polars as pl

from ember.errors import EmberError
from ember.harmonise import roster as people
from ember.harmonise import standardise_tables as tables
from ember.harmonise.missing import MISSING_RULES
from ember.harmonise.origin import Origin
from ember.harmonise.row_tally import RowTally, site_findings, tally_rows
from ember.harmonise.sampling import sampling_months
from ember.harmonise.site_cells import SiteCells, read_site
from ember.harmonise.standardise_ledger import STAGE, cell_entries, row_entries
from ember.harmonise.standardise_rows import RawRows, SortedRows, roster_of, sort_rows
from ember.harmonise.table_rows import starts, table_rows
from ember.harmonise.treatment_rows import TreatmentLists, treatment_entries, treatment_rows
from ember.harmonise.visits import BY_VISIT, Calendar, Ends, RowDays, further_samples, make_calendar, outside_window
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import arranged, empty_table
from ember.validate.accounting import Account
from ember.validate.ledger import join_entries, rules


@dataclass(frozen=True)
class StandardisedShare:
    """The standard tables of some participants of a site (contracts of the same names), with ledger and accounts.

    `tallies` has, by table of the site, what only all shares together can be judged by.
    """

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    items: pl.DataFrame
    treatments: pl.DataFrame
    ledger: pl.DataFrame
    accounts: tuple[Account, ...]
    tallies: tuple[RowTally, ...]


@dataclass(frozen=True)
class Standardised(StandardisedShare):
    """A whole site, with its findings."""

    findings: pl.DataFrame


@dataclass(frozen=True)
class Judged:
    """Cells by kind, each usable (`rule` null), a repeat, or under the rule that takes it out; None: not mapped.

    `death_days` has `person` and `death_day`, the study day.
    """

    settled: Mapping[str, pl.DataFrame]
    zero: pl.DataFrame | None
    death: pl.DataFrame | None
    death_days: pl.DataFrame | None
    dates: Sequence[pl.DataFrame | None]
    measurements: pl.DataFrame | None
    items: pl.DataFrame | None
    treatments: pl.DataFrame | None

    @property
    def frames(self) -> list[pl.DataFrame]:
        return [*self.settled.values(), *self.of_participants, *self.of_visits]

    @property
    def of_participants(self) -> list[pl.DataFrame]:
        return [part for part in (self.zero, self.death) if part is not None]

    @property
    def of_visits(self) -> list[pl.DataFrame]:
        own = [*self.dates, self.measurements, self.items, self.treatments]
        return [frame for frame in own if frame is not None]


def standardise_site(
    study: Study,
    site: Site,
    registry: Registry,
    raw: Mapping[str, RawRows],
    withdrawn: pl.DataFrame | None = None,
    without_biomarkers: pl.Series | None = None,
) -> Standardised:
    """Return the standard tables of a site that is held in memory: `standardise_share`, and what it cannot judge.

    Raises
    ------
    EmberError
        As `standardise_share`, or a table has another number of rows a participant than declared.
    """
    share = standardise_share(study, site, registry, raw, withdrawn, without_biomarkers)
    parts = {field.name: getattr(share, field.name) for field in fields(share)}
    return Standardised(**parts, findings=site_findings(study, site, share.tallies))


def standardise_share(
    study: Study,
    site: Site,
    registry: Registry,
    raw: Mapping[str, RawRows],
    withdrawn: pl.DataFrame | None = None,
    without_biomarkers: pl.Series | None = None,
) -> StandardisedShare:
    """Return the standard tables of participants of a site.

    Parameters
    ----------
    raw : mapping
        Raw rows by source, in source order: all rows of the participants in question.
    withdrawn : DataFrame, optional
        `participant_id` and `withdrawn_on` (days since 1970-01-01) of participants who withdrew their consent and
        left the data up to that day.
    without_biomarkers : Series of str, optional
        Pseudonyms of participants who did not agree to the use of laboratory results.

    Raises
    ------
    EmberError
        The source lacks a mapped column, or the mapping cannot be carried out.

    Notes
    -----
    Rows are judged first, then cells one by one, then visits; a cell that was missing stays missing in a refused
    visit, any other non-empty cell of it leaves under the visit's rule. Dates stop here.
    """
    own = table_rows(study, site, registry, raw)
    rows, tallies = _sort_all(study, site, own)
    cells = read_site(study, site, registry, own, rows)
    roster = roster_of(rows[0].kept)
    judged = _judge(study, site, cells, roster, withdrawn)
    judged = replace(judged, measurements=_withheld(judged.measurements, roster, without_biomarkers))
    origin = Origin(site.id, study.visits, cells.rows, roster, tuple(mapped.column for mapped in cells.columns))
    results, answers, treated = (
        None if part is None else _usable(part) for part in (judged.measurements, judged.items, judged.treatments)
    )
    dates = [_usable(part) for part in judged.dates if part is not None]
    seen = [*dates, *(part for part in (results, answers, treated) if part is not None)]
    lists = _treatment_lists(study, site)
    treatments = _treatments(treated, lists, cells, registry, origin, judged.zero)
    standard = StandardisedShare(
        participants=arranged(people.participants(roster, judged.settled, origin, judged.death_days), "participants"),
        visits=_made("visits", tables.visits(seen, origin) if seen else None),
        measurements=_made("standard_measurements", _built(tables.measurements, results, origin)),
        items=_made("standard_items", _built(tables.items, answers, origin)),
        treatments=_made("treatments", treatments),
        ledger=_ledger(study, site, rows, cells, judged, treatments, lists, origin),
        accounts=(),
        tallies=tallies,
    )
    return _accounted(standard, site, rows, cells, judged)


def _sort_all(study: Study, site: Site, raw: Sequence[RawRows]) -> tuple[tuple[SortedRows, ...], tuple[RowTally, ...]]:
    zero = starts(study, site, raw)
    found: list[SortedRows] = []
    tallies: list[RowTally] = []
    roster: pl.DataFrame | None = None
    for table, rows in zip(site.tables, raw, strict=True):
        found.append(sort_rows(rows, table, study.visits, roster, study.sources[table.source].decimal, zero))
        tallies.append(tally_rows(table, found[-1], roster))
        roster = roster_of(found[0].kept) if roster is None else roster
    return tuple(found), tuple(tallies)


def _judge(study: Study, site: Site, cells: SiteCells, roster: pl.DataFrame, withdrawn: pl.DataFrame | None) -> Judged:
    """Settle what is told several times, place the visits, and refuse the cells of those that cannot be placed."""
    settled = {}
    for name, column in contract("participants").mapped.items():
        told = cells.of("participant", name)
        if told is not None:
            settled[name] = people.settle(told, "number" if column.type == "float64" else "meaning")
    zero, death = _settled_day(cells.of("time_zero")), _settled_day(cells.of("death"))
    dates = [
        _settled_day(cells.of("visit_date", table=index), ("person", "visit")) for index in range(len(site.tables))
    ]
    if zero is None and any(part is not None for part in (death, *dates)):
        raise EmberError(
            f"The site {site.id} maps dates of visits or of death and no time zero.",
            where=f"sites/{site.id}.yaml  time_zero",
            fix="Map the date from which study days count, or leave the dates out.",
        )
    start = _no_starts() if zero is None else people.usable(zero)
    death_days = None if death is None else _death_days(people.usable(death), start)
    ends = Ends.of(roster, start.select("person", "day"), death_days, withdrawn)
    calendar = make_calendar(site.tables, study.visits, dates, start, roster.height, ends, RowDays.of(cells.rows))
    measurements = _placed(cells.of("measurement"), calendar, cells)
    if measurements is not None:
        dated = calendar.dates(measurements, cells.table_of(measurements))
        measurements = measurements.with_columns(sampling_months(measurements, dated, start))
    return Judged(
        settled=settled,
        zero=zero,
        death=death,
        death_days=death_days,
        dates=[None if part is None else _dates_placed(part, calendar, cells) for part in dates],
        measurements=_one_sample(measurements, study, calendar),
        items=_placed(cells.of("item"), calendar, cells),
        treatments=_placed(cells.of("treatment"), calendar, cells),
    )


def _settled_day(part: pl.DataFrame | None, key: tuple[str, ...] = ("person",)) -> pl.DataFrame | None:
    return None if part is None else people.settle(part, "day", key)


def _death_days(death: pl.DataFrame, start: pl.DataFrame) -> pl.DataFrame:
    """Return the study day of death of those who have a time zero."""
    told = death.select("person", pl.col("day").alias("died")).join(
        start.select("person", "day"), "person", "inner", maintain_order="left"
    )
    return told.select("person", (pl.col("died") - pl.col("day")).cast(pl.Int32).alias("death_day"))


def _one_sample(part: pl.DataFrame | None, study: Study, calendar: Calendar) -> pl.DataFrame | None:
    if part is None or calendar.row_day is None:
        return part
    return further_samples(part, study.visits, calendar.row_day[part["at"].to_numpy()] != BY_VISIT)


def _withheld(part: pl.DataFrame | None, roster: pl.DataFrame, participants: pl.Series | None) -> pl.DataFrame | None:
    """Take out the results of people who did not agree to them; consent goes before every other reason but missing."""
    if part is None or participants is None:
        return part
    people_without = roster["_person"].filter(roster["_participant"].is_in(participants.implode()))
    withheld = pl.col("person").is_in(people_without.implode()) & ~pl.col("rule").is_in(MISSING_RULES).fill_null(False)
    return part.with_columns(pl.when(withheld).then(pl.lit("consent.biomarkers")).otherwise("rule").alias("rule"))


def _no_starts() -> pl.DataFrame:
    return pl.DataFrame(schema={"person": pl.UInt32, "day": pl.Int32})


def _placed(part: pl.DataFrame | None, calendar: Calendar, cells: SiteCells) -> pl.DataFrame | None:
    """Return cells with their study day; a cell that is not missing leaves with a refused visit."""
    if part is None:
        return None
    placed = calendar.placed(part, cells.table_of(part))
    rule = pl.when(pl.col("rule").is_in(MISSING_RULES)).then("rule").otherwise(pl.coalesce("refusal", "rule"))
    return placed.with_columns(rule.alias("rule")).drop("refusal")


def _dates_placed(part: pl.DataFrame, calendar: Calendar, cells: SiteCells) -> pl.DataFrame:
    """Return date cells with the refusal of their visit, unless they already have a rule of their own."""
    placed = calendar.placed(part, cells.table_of(part))
    return placed.with_columns(pl.coalesce("rule", "refusal").alias("rule")).drop("refusal")


def _usable(part: pl.DataFrame) -> pl.DataFrame:
    used = part.filter(pl.col("rule").is_null()) if part["rule"].null_count() < part.height else part
    return used.filter(~pl.col("repeat")) if "repeat" in used.columns else used


def _built(
    build: Callable[[pl.DataFrame, Origin], pl.DataFrame], part: pl.DataFrame | None, origin: Origin
) -> pl.DataFrame | None:
    return None if part is None else build(part, origin)


def _made(table: str, frame: pl.DataFrame | None) -> pl.DataFrame:
    if frame is None:
        return empty_table(table)
    return arranged(frame.select([name for name in contract(table).names if name in frame.columns]), table)


def _treatment_lists(study: Study, site: Site) -> TreatmentLists:
    decimals = [study.sources[table.source].decimal for table in site.tables]
    return TreatmentLists([table.treatments for table in site.tables], [table.name for table in site.tables], decimals)


def _treatments(
    used: pl.DataFrame | None,
    lists: TreatmentLists,
    cells: SiteCells,
    registry: Registry,
    origin: Origin,
    zero: pl.DataFrame | None,
) -> pl.DataFrame | None:
    if used is None:
        return None
    listed = used.with_columns(pl.Series("mapping", cells.table_of(used), pl.Int16))
    return treatment_rows(listed, lists, registry, origin, None if zero is None else people.usable(zero))


def _ledger(
    study: Study,
    site: Site,
    rows: Sequence[SortedRows],
    cells: SiteCells,
    judged: Judged,
    treatments: pl.DataFrame | None,
    lists: TreatmentLists,
    origin: Origin,
) -> pl.DataFrame:
    refused = [frame.filter(pl.col("rule").is_not_null()) for frame in judged.frames]
    for part in judged.dates:
        if part is not None:
            late = outside_window(_usable(part), study.visits)
            refused.append(late.with_columns(pl.lit("visit.outside_window").alias("rule")))
    if treatments is not None:
        unknown = treatments.filter(pl.col("treatment").is_null())
        rule = pl.lit("treatment.unknown").alias("rule")
        refused.append(unknown.with_columns(rule, pl.lit(None, pl.Int16).alias("visit")))
    listed = [
        part
        for table, table_rows in zip(site.tables, rows, strict=True)
        for part in row_entries(study, site, table, table_rows)
    ]
    if refused:
        whole = pl.concat([part.select("at", "order", "visit", "rule") for part in refused])
        listed.extend(cell_entries(study, site, cells, whole))
    if treatments is not None:
        listed.extend(treatment_entries(treatments, lists, origin, STAGE))
    return join_entries(listed)


def _accounted(
    standard: StandardisedShare, site: Site, rows: Sequence[SortedRows], cells: SiteCells, judged: Judged
) -> StandardisedShare:
    """Return the result with its accounts, whose constructor asserts that nothing is lost."""
    n = standard.participants.height
    accounts = (
        _row_account(site, rows),
        _value_account(standard, site, cells, judged),
        Account(site=site.id, stage=STAGE, unit="participant", n_created=n, n_out=n),
    )
    return replace(standard, accounts=accounts)


def _row_account(site: Site, rows: Sequence[SortedRows]) -> Account:
    actions = [rules()[rule].action for part in rows for rule in part.refused["_rule"].to_list()]
    kept = sum(part.kept.height for part in rows)
    return Account(
        site=site.id,
        stage=STAGE,
        unit="row",
        n_in=kept + len(actions),
        n_out=kept,
        n_collapsed=actions.count("collapsed"),
        n_quarantined=actions.count("quarantined"),
        n_excluded=actions.count("excluded"),
    )


def _value_account(standard: StandardisedShare, site: Site, cells: SiteCells, judged: Judged) -> Account:
    """Return what became of rows x mapped columns; a treatment cell that names two treatments creates one value."""
    shown = standard.participants.select(list(contract("participants").mapped))
    dates = [*judged.of_participants, *(part for part in judged.dates if part is not None)]
    treatment_cells = 0 if judged.treatments is None else _usable(judged.treatments).height
    taken_out = pl.concat([frame.select("rule") for frame in judged.frames]).drop_nulls()
    excluding = [name for name, rule in rules().items() if rule.action == "excluded"]
    n_excluded = taken_out.filter(pl.col("rule").is_in(excluding)).height
    n_told_values = shown.height * shown.width - sum(shown[name].null_count() for name in shown.columns)
    settled = [*judged.settled.values(), *dates]
    return Account(
        site=site.id,
        stage=STAGE,
        unit="value",
        n_created=cells.n + standard.treatments.height - treatment_cells,
        n_out=n_told_values
        + sum(int((part["rule"].is_null() & ~part["repeat"]).sum()) for part in dates)
        + standard.measurements.height
        + standard.items.height
        + standard.treatments.height,
        n_collapsed=sum(int((part["rule"].is_null() & part["repeat"]).sum()) for part in settled),
        n_quarantined=taken_out.height - n_excluded,
        n_excluded=cells.n_empty + n_excluded,
    )
