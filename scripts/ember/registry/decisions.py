"""The study's log of decisions, `decisions.csv`: what was chosen where the data left a choice, by whom and why."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from ember.errors import EmberError, nearest_name

FILE = "decisions.csv"
COLUMNS = (
    "id", "date", "who", "variable", "sites", "decision", "reason", "evidence", "alternative", "supersedes",
)  # fmt: skip
MAY_BE_EMPTY = frozenset({"evidence", "alternative", "supersedes"})
ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
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
        return self.sites == ALL or site in names_of(self.sites)

    def covers_variable(self, variable: str) -> bool:
        return self.variable == ALL or variable in names_of(self.variable)


def names_of(cell: str) -> list[str]:
    """Return the names of a cell that joins them by ";"."""
    return [name.strip() for name in cell.split(";")]


def read_decisions(path: Path, shown: str, findings: list[EmberError]) -> tuple[Decision, ...]:
    """Return the log, empty where there is no file; what is wrong with its form is added to `findings`."""
    if not path.is_file():
        return ()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        findings.append(EmberError("The file is not UTF-8 text.", where=shown))
        return ()
    lines = list(_lines(text))
    header = lines[0][1] if lines else []
    faults = list(_header_findings(header, shown))
    findings.extend(faults)
    if faults:
        return ()
    read: list[Decision] = []
    for number, cells in lines[1:]:
        place = f"{shown}:{number}"
        if len(cells) != len(header):
            what = f"The line has {len(cells)} cells and the header {len(header)}."
            findings.append(EmberError(what, where=place, fix="Put quotes around text that holds a comma."))
            continue
        decision = Decision(**{name: cell.strip() for name, cell in zip(header, cells, strict=True)}, place=place)
        findings.extend(_line_findings(decision, read))
        read.append(decision)
    return tuple(read)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which a record begins, cells); a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _header_findings(header: list[str], shown: str) -> Iterator[EmberError]:
    where = f"{shown}:1"
    for name in header:
        if name not in COLUMNS:
            yield EmberError(
                f"'{name[:60]}' is not a column of the decisions log.",
                where=where,
                allowed=COLUMNS,
                nearest=nearest_name(name, COLUMNS),
            )
    absent = [name for name in COLUMNS if name not in header]
    if absent:
        yield EmberError(f"The decisions log lacks the column {', '.join(absent)}.", where=where, allowed=COLUMNS)
    for name in sorted({name for name in header if name in COLUMNS and header.count(name) > 1}):
        yield EmberError(f"The column '{name}' stands twice.", where=where)


def _line_findings(decision: Decision, before: list[Decision]) -> Iterator[EmberError]:
    where = decision.place
    content = decision.content
    blank = [name for name in COLUMNS if not content[name] and name not in MAY_BE_EMPTY]
    if blank:
        yield EmberError(f"A decision needs its {' and '.join(blank)}.", where=f"{where}  {blank[0]}")
    if decision.id and not ID.fullmatch(decision.id):
        yield EmberError(
            f"'{decision.id[:60]}' cannot be an id: a letter, then letters, digits, _ . or -.", where=f"{where}  id"
        )
    earlier = next((other for other in before if other.id and other.id == decision.id), None)
    if earlier:
        yield EmberError(
            f"The id '{decision.id}' stands twice.", where=f"{where}  id", fix=f"It is the one of {earlier.place}."
        )
    if decision.date and not _is_date(decision.date):
        yield EmberError(
            f"'{decision.date[:60]}' is not a date of the form 2025-06-30.", where=f"{where}  date"
        )  # fmt: skip


def _is_date(text: str) -> bool:
    if not ISO_DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
