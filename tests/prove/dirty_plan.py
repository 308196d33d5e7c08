"""What a drawn study is: its sources, its tables, and what each column holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.prove.dirty_cells import Dialect

VISITS: dict[str, dict[str, int]] = {
    "baseline": {"day": 0, "from": -28, "to": 7},
    "week_4": {"day": 28, "from": 21, "to": 35},
    "week_12": {"day": 84, "from": 70, "to": 98},
}
CODES = {"B": "baseline", "w4 ": "week_4", "12": "week_12"}
SUFFIXES = {"V0": "baseline", "V4": "week_4", "V12": "week_12"}
# Unit: what a number of the usual size has to be multiplied by to be written in it.
UNITS: dict[str, dict[str, float]] = {
    "hscrp": {"mg/L": 1.0, "mg/l": 1.0, "mg/dL": 0.1, "ng/mL": 1000.0},
    "il6": {"pg/mL": 1.0, "ng/L": 1.0},
    "tnf": {"pg/mL": 1.0, "ng/L": 1.0},
}
SEX = {"1": "male", "2": "female"}
ARMS = {"E": "escitalopram", "C": "citalopram"}
SMOKER = {"y": "yes", "n": "no"}
TESTS = {"CRP": "hscrp", "IL-6": "il6", "TNF a": "tnf"}
SIGNS = {"LT": "<", "GT": ">", "EQ": "="}
TUBES = {"S": "serum", "P": "plasma"}
AGREED = {"y": "granted", "n": "refused"}
CHOICES = {"K": "keep", "E": "erase"}
LAYOUTS = ("wide", "long", "by_date", "by_day", "results", "drugs", "shared", "three", "joined")


@dataclass(frozen=True)
class Column:
    """A column of a file: what it holds, of which visit, and what it becomes.

    `target` is a column of participants, an analyte or an instrument, `only` the visits at which a long table
    maps it, `form` the declared form of dates.
    """

    name: str
    kind: str
    target: str = ""
    visit: str | None = None
    item: int = 0
    only: tuple[str, ...] = ()
    form: str = ""
    scale: float = 1.0


@dataclass
class TablePlan:
    """One table of one site: its mapping as in the site file, and the columns that it names."""

    site: str
    name: str
    source: str
    mapping: dict[str, Any]
    columns: list[Column]
    layout: str
    who: str = ""

    def of(self, *kinds: str) -> list[Column]:
        return [column for column in self.columns if column.kind in kinds]

    def one(self, kind: str) -> Column | None:
        return next((column for column in self.columns if column.kind == kind), None)


@dataclass
class SourcePlan:
    """One file: how it is written and declared, and which faults it carries as a whole."""

    id: str
    format: str
    dialect: Dialect
    entry: dict[str, Any] = field(default_factory=dict)
    file: str = ""
    fault: str = ""
    partner_of: str = ""
    header: list[str] = field(default_factory=list)
    numeric: set[str] = field(default_factory=set)
    ranges: set[str] = field(default_factory=set)


@dataclass
class StudyPlan:
    """A drawn study: `tables` in the order of each site; `corrected` has row and column of each corrected cell."""

    layout: str
    sources: dict[str, SourcePlan]
    sites: dict[str, list[TablePlan]]
    slip: float = 1.0
    large: bool = False
    consent: bool = False
    corrected: list[tuple[Any, str]] = field(default_factory=list)

    @property
    def tables(self) -> list[TablePlan]:
        return [table for tables in self.sites.values() for table in tables]
