"""Configuration as typed, frozen objects. The fields carry the names of the YAML keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ember.registry.assay_model import BridgeUse as BridgeUse
from ember.registry.assay_model import DeclaredLimit as DeclaredLimit
from ember.registry.decisions import Decision
from ember.registry.freezes import Freeze, Unfreezing
from ember.registry.treatment_model import TreatmentMap as TreatmentMap


@dataclass(frozen=True)
class Join:
    """Columns that a source brings from another one; `on` maps its own columns to those of the other."""

    source: str
    on: dict[str, str]
    cardinality: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """One file (or query) as it is declared in study.yaml.

    `file` is its name relative to the data folder; `recorded` is true where EMBER wrote down the hash itself.
    `header_row` is 0 for a file without column names, which `names` gives. `supersedes` is the earlier extract.
    """

    id: str
    path: Path
    shown_path: str
    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    sheet: str | None = None
    header_row: int = 1
    dictionary: Path | None = None
    variant: str | None = None
    sha256: str | None = None
    url: str | None = None
    recorded: bool = False
    file: str = ""
    compression: str | None = None
    member: str | None = None
    thousands: str | None = None
    header_rows: int = 1
    names: tuple[str, ...] = ()
    missing_codes: dict[str, str] = field(default_factory=dict)
    connection: str | None = None
    query: str | None = None
    joins: tuple[Join, ...] = ()
    received: str | None = None
    cut_off: str | None = None
    version: str | None = None
    supersedes: Path | None = None

    @property
    def brought(self) -> bool:
        """Whether the workflow brings it: the answer of a query, or an object of a store."""
        return self.query is not None or "://" in self.file


@dataclass(frozen=True)
class DateColumn:
    """A column of dates in one declared order."""

    column: str
    date: str


@dataclass(frozen=True)
class DayColumn:
    """A column of study days; `offset` is added to each."""

    column: str
    offset: int = 0


@dataclass(frozen=True)
class RowFilter:
    """The rows of a shared source that belong to one site."""

    column: str
    equals: str


@dataclass(frozen=True)
class CodedColumn:
    """A column whose codes are translated."""

    column: str
    codes: dict[str, str]


@dataclass(frozen=True)
class VisitMap:
    """How a row or a column of the source says its visit; exactly one of wide, long, single, by_date, by_day."""

    wide: dict[str, str] = field(default_factory=dict)
    pattern: str = "{column}_{visit}"
    long: CodedColumn | None = None
    single: str | None = None
    date: DateColumn | None = None
    by_date: DateColumn | None = None
    by_day: DayColumn | None = None

    def column_for(self, column: str, suffix: str) -> str:
        """Return the name of `column` at the visit of `suffix` in a wide file."""
        return self.pattern.format(column=column, visit=suffix)


@dataclass(frozen=True)
class ColumnMap:
    """A column of participants."""

    column: str
    unit: str | None = None
    codes: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    codelist: str | None = None
    decision: str | None = None


@dataclass(frozen=True)
class Below:
    """How a value below the detection limit is marked where its text has no "<"."""

    column: str | None = None
    codes: tuple[str, ...] = ()
    heap: float | None = None
    limit: float | None = None
    decision: str | None = None


@dataclass(frozen=True)
class MolarFactor:
    """nmol per mg, declared by the site with its reason."""

    nmol_per_mg: float
    reason: str
    decision: str | None = None


@dataclass(frozen=True)
class ActivityFactor:
    """pg per international unit, declared by the site with its reason."""

    pg_per_iu: float
    reason: str
    decision: str | None = None


@dataclass(frozen=True)
class ConfirmedCode:
    """A code of the laboratory that LOINC gives to something else, used as the site file says, with the reason."""

    reason: str
    decision: str | None = None


@dataclass(frozen=True)
class MeasurementMap:
    """A column that holds results of one analyte. Either `unit` or `unit_column` is set."""

    column: str
    unit: str | None
    unit_column: str | None = None
    unit_codes: dict[str, str] = field(default_factory=dict)
    specimen: str | None = None
    assay: str | None = None
    batch: str | None = None
    below: Below | None = None
    visits: tuple[str, ...] = ()
    molar_factor: MolarFactor | None = None
    limits: tuple[DeclaredLimit, ...] = ()
    bridge: BridgeUse | None = None
    iu_factor: ActivityFactor | None = None
    loinc: str | None = None


@dataclass(frozen=True)
class LaboratoryMap:
    """A table with one row a result. Either `unit` or `unit_column` is set.

    `unit_codes` translates the texts of the unit column (OMOP concepts); units are spelled as our registry does.
    `others` says what becomes of tests that `analyte` does not map: "quarantine" or "ignore".
    """

    analyte: CodedColumn
    value: str
    unit: str | None
    unit_column: str | None = None
    unit_codes: dict[str, str] = field(default_factory=dict)
    operator: CodedColumn | None = None
    specimen: str | None = None
    specimen_column: CodedColumn | None = None
    batch: str | None = None
    assays: dict[str, str] = field(default_factory=dict)
    molar_factor: MolarFactor | None = None
    others: str = "quarantine"
    limits: dict[str, tuple[DeclaredLimit, ...]] = field(default_factory=dict)
    bridge: dict[str, BridgeUse] = field(default_factory=dict)
    molar_factors: dict[str, MolarFactor] = field(default_factory=dict)
    iu_factors: dict[str, ActivityFactor] = field(default_factory=dict)
    confirmed_codes: dict[str, ConfirmedCode] = field(default_factory=dict)


@dataclass(frozen=True)
class LinkMap:
    """A row of config/registry/crosswalks.csv that makes scores of another instrument of these."""

    crosswalk: str
    decision: str | None = None


@dataclass(frozen=True)
class InstrumentMap:
    """Columns of the items of an instrument, or of its total; the value set it is scored with; links to others."""

    items: str | None = None
    total: str | None = None
    visits: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    value_set: str | None = None
    linked: tuple[LinkMap, ...] = ()


@dataclass(frozen=True)
class DerivedColumn:
    """A column computed from columns of the same row."""

    formula: str
    decision: str | None = None


@dataclass(frozen=True)
class Duplicates:
    """Which of several rows of one participant and visit is kept, and why."""

    keep: str
    reason: str
    decision: str | None = None


@dataclass(frozen=True)
class ConsentMap:
    """Where a table tells what participants agreed to.

    Attributes
    ----------
    purposes : dict
        By purpose (biomarkers, sharing, secondary_use) the column and its codes: granted or refused.
    withdrawn : DateColumn or None
        Day on which consent was withdrawn.
    on_withdrawal : str
        "keep" (data up to that day) or "erase", where the study says it for all.
    on_withdrawal_column : CodedColumn or None
        Where each participant chose.
    """

    purposes: dict[str, CodedColumn]
    withdrawn: DateColumn | None = None
    on_withdrawal: str = "erase"
    on_withdrawal_column: CodedColumn | None = None


@dataclass(frozen=True)
class TableMap:
    """How the columns of one source of one site become ours. `name` is unique within the site."""

    source: str
    participant: str
    rows: RowFilter | None = None
    time_zero: DateColumn | None = None
    visits: VisitMap = VisitMap()
    missing: tuple[str, ...] = ()
    columns: dict[str, ColumnMap] = field(default_factory=dict)
    measurements: dict[str, MeasurementMap] = field(default_factory=dict)
    laboratory: LaboratoryMap | None = None
    instruments: dict[str, InstrumentMap] = field(default_factory=dict)
    treatments: TreatmentMap | None = None
    name: str = ""
    derived: dict[str, DerivedColumn] = field(default_factory=dict)
    corrections: str | None = None
    per_participant: str = "many"
    duplicates: Duplicates | None = None
    death: DateColumn | None = None
    consent: ConsentMap | None = None


@dataclass(frozen=True)
class Site:
    """One site: a set of rows of one or more sources. The first table is the roster of participants.

    `selected_on` names the analytes by whose results the site chose its participants.
    """

    id: str
    label: str
    tables: tuple[TableMap, ...]
    selected_on: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the sources that the tables read, each once, in their order."""
        return tuple(dict.fromkeys(table.source for table in self.tables))


@dataclass(frozen=True)
class Visit:
    """A planned visit and its window in study days, both ends included."""

    id: str
    day: int
    first: int
    last: int


@dataclass(frozen=True)
class Answer:
    """The study's answer to a finding."""

    finding: str
    action: str
    reason: str


@dataclass(frozen=True)
class GateChange:
    """What the study says of a gate's rule: another severity, or the largest share of failures that passes."""

    rule: str
    reason: str
    severity: str | None = None
    share: float | None = None


@dataclass(frozen=True)
class Study:
    """A validated study. `schemes`, `analyses` and `report` hold the resolved YAML, `resolved` everything."""

    id: str
    label: str
    title: str
    question: str
    privacy: str
    disclosure: str
    design: str
    time_zero: str
    seed: int
    folder: Path
    workspace: Path
    visits: tuple[Visit, ...]
    sources: dict[str, Source]
    sites: dict[str, Site]
    excluded_sites: dict[str, str]
    answers: tuple[Answer, ...]
    schemes: dict[str, dict[str, Any]]
    analyses: dict[str, dict[str, Any]]
    report: dict[str, Any]
    date_of_data: str | None
    resolved: dict[str, Any]
    data_folder: Path = Path()
    consent_required: tuple[str, ...] = ()
    locked_visits: tuple[str, ...] = ()
    gate_changes: tuple[GateChange, ...] = ()
    release_status: str = "draft"
    freeze: str | None = None
    decisions: tuple[Decision, ...] = ()
    frozen: Freeze | None = None
    unfreezings: tuple[Unfreezing, ...] = ()
    dtd: dict[str, Any] | None = None
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    mixtures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, finding: str) -> Answer | None:
        """Return the study's answer to a finding, or None."""
        return next((answer for answer in self.answers if answer.finding == finding), None)

    def sites_of(self, source: str) -> list[Site]:
        """Return the sites that draw rows from a source, in study order."""
        return [site for site in self.sites.values() if source in site.sources]
