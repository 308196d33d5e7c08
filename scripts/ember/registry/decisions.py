"""The study's log of decisions, `decisions.csv`: what was chosen where the data left a choice, by whom and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ember.errors import EmberError
from ember.registry.csv_table import is_day, is_id, read_rows

FILE = "decisions.csv"
COLUMNS = (
    "id", "date", "who", "variable", "sites", "decision", "reason", "evidence", "alternative", "supersedes",
)  # fmt: skip
MAY_BE_EMPTY = frozenset({"evidence", "alternative", "supersedes"})
ALL = "all"


@dataclass(frozen=True)
class Decision:
    """One line of the log. `variable` and `sites` are `all` or names joined by ";"; `place` is its file and line."""

    id: str
    date: str
    who: str
    variable: str
    sites: str
    decision: str
    reason: str
    evidence: str
    alternative: str
    supersedes: str
    place: str

    @property
    def content(self) -> dict[str, str]:
        """Return the line without its place."""
        return {name: value for name, value in asdict(self).items() if name != "place"}

    def covers_site(self, site: str) -> bool:
        """Return whether the decision is about a site."""
        return self.sites == ALL or site in names_of(self.sites)

    def covers_variable(self, variable: str) -> bool:
        """Return whether the decision is about a variable."""
        return self.variable == ALL or variable in names_of(self.variable)


def names_of(cell: str) -> list[str]:
    """Return the names of a cell that joins them by ";"."""
    return [name.strip() for name in cell.split(";")]


def read_decisions(path: Path, shown: str, findings: list[EmberError]) -> tuple[Decision, ...]:
    """Return the log, empty where there is no file; what is wrong with its form is added to `findings`."""
    if not path.is_file():
        return ()
    rows = read_rows(path, shown, "the decisions log", COLUMNS, key="id", findings=findings)
    read = tuple(Decision(**row, place=f"{shown}:{line}") for line, row in rows)
    findings.extend(finding for decision in read for finding in _line_findings(decision))
    return read


def _line_findings(decision: Decision) -> Iterator[EmberError]:
    where, content = decision.place, decision.content
    blank = [name for name in COLUMNS if not content[name] and name not in MAY_BE_EMPTY]
    if blank:
        yield EmberError(f"A decision needs its {' and '.join(blank)}.", where=f"{where}  {blank[0]}")
    if decision.id and not is_id(decision.id):
        what = f"'{decision.id[:60]}' cannot be an id: a letter, then letters, digits, _ . or -."
        yield EmberError(what, where=f"{where}  id")
    if decision.date and not is_day(decision.date):
        yield EmberError(f"'{decision.date[:60]}' is not a date of the form 2025-06-30.", where=f"{where}  date")
