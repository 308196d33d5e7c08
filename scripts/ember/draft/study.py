"""The whole draft: sites, visits and sources together, as the files of a study folder."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ember.draft.notes import Notes
from ember.draft.plan import SCHEME_ID, analysis_text, report_text, scheme_text
from ember.draft.proposal import Proposal, one_line
from ember.draft.readme import readme_text
from ember.draft.site import SiteDraft, TableDraft
from ember.draft.table_text import draft_csv
from ember.draft.visits import PlannedVisit, placeholder_windows
from ember.draft.yaml_text import block, flow, scalar

LEAST_SURE = 0.8


@dataclass(frozen=True)
class StudyDraft:
    """What a study folder is made of."""

    id: str
    folder: str
    sites: tuple[SiteDraft, ...]

    @property
    def visits(self) -> list[PlannedVisit]:
        """Planned visits of all sites, each once, by day; those of unknown day at the end."""
        found: dict[str, PlannedVisit] = {}
        for site in self.sites:
            for visit in site.visits.values():
                if visit.id not in found or found[visit.id].day is None:
                    found[visit.id] = visit
        return sorted(found.values(), key=lambda visit: (visit.day is None, visit.day or 0, visit.id))

    @property
    def time_zero(self) -> str | None:
        """The time zero that most sites have, of several the first; None where no extract has one."""
        zeros = [p.proposal for site in self.sites for p in site.proposals if p.kind == "time_zero"]
        return max(dict.fromkeys(zeros), key=zeros.count, default=None)

    @property
    def proposals(self) -> list[Proposal]:
        """What the draft says of the study as a whole, and then of each site."""
        return [*whole_study(self), *(proposal for site in self.sites for proposal in site.proposals)]


def whole_study(draft: StudyDraft) -> list[Proposal]:
    """Return what no single extract tells: question, design, time zero, windows."""
    notes = Notes("", "study.yaml")
    notes.leave("", "question", [], "the question of the study is for people to write")
    if draft.time_zero is None:
        choices = ("randomisation", "treatment_start", "enrolment", "survey")
        notes.leave("", "time_zero", choices, "no column holds a date from which days could count")
    else:
        notes.propose("", "time_zero", draft.time_zero, "the date that most sites have for it", 0.8)
    if is_randomised(draft):
        notes.propose("", "design", "randomised", "a date of randomisation and an arm are there", 0.8)
    else:
        notes.leave("", "design", ("randomised", "cohort", "cross_sectional"), "no randomisation and arm are found")
    if any(visit.day is not None for visit in draft.visits):
        notes.leave("", "windows", [], "the windows of the visits reach half-way to the neighbours: a placeholder")
    else:
        notes.leave("", "visits", [], "no extract says when its visits take place")
    return notes.proposals


def is_randomised(draft: StudyDraft) -> bool:
    """Tell whether a date of randomisation and an arm are there."""
    return draft.time_zero == "randomisation" and any(_maps(site, "arm") for site in draft.sites)


def study_files(draft: StudyDraft) -> dict[str, str]:
    """Return the text of each file of the drafted study by its path in the folder."""
    files = {"study.yaml": study_text(draft)}
    files |= {f"sites/{site.id}.yaml": site_text(site) for site in draft.sites}
    analysis, scheme = analysis_text(draft.sites, draft.visits), _scheme(draft)
    if scheme:
        files[f"endotypes/{SCHEME_ID}.yaml"] = scheme
    files["analyses/first.yaml"] = analysis
    files["report.yaml"] = report_text(bool(scheme))
    files["draft.csv"] = draft_csv(draft.proposals)
    files["README.md"] = readme_text(draft.id, draft.sites)
    return files


def study_text(draft: StudyDraft) -> str:
    """Return study.yaml; the question is for people to write, so the key is left out and the study does not run."""
    zero = draft.time_zero
    open_points = [f"{p.kind}: {p.evidence}" for p in whole_study(draft) if p.is_open]
    lines = [
        "# Drafted by `ember init` from the extracts alone. Nothing has been decided; draft.csv has the evidence.",
        f"study: {draft.id}",
        "label: draft",
        f"title: {scalar(f'Draft of {draft.id}')}",
        "# OPEN: question: one sentence that the study answers; it cannot be read from extracts.",
        "privacy: restricted                  # synthetic | public | restricted (restricted needs EMBER_KEY_FILE)",
        "disclosure: sacro",
    ]
    if is_randomised(draft):
        lines.append("design: randomised                   # a date of randomisation and an arm are there")
    else:
        lines.append("# OPEN: design: randomised | cohort | cross_sectional")
    if zero:
        lines.append(f"time_zero: {zero}")
    else:
        lines.append("# OPEN: time_zero: randomisation | treatment_start | enrolment | survey")
    lines += _visit_lines(draft.visits)
    lines += [f"seed: {seed_of(draft.id)}", f"data: {flow({'folder': draft.folder})}", "sources:"]
    for site in draft.sites:
        for table in site.tables:
            lines += _source_lines(table, site)
            sure = {p.kind for p in table.notes.proposals if p.is_open and not p.column}
            open_points += [
                f"{kind} of {table.file.id}"
                for kind in ("encoding", "delimiter", "decimal", "header_row", "header_rows", "names")
                if kind in sure
            ]
    lines += [
        f"sites: {flow([site.id for site in draft.sites])}",
        f"endotypes: {flow([SCHEME_ID] if _scheme(draft) else [])}",
        "analyses: [first]",
    ]
    return "\n".join([*lines, *_open_lines(open_points)]) + "\n"


def _scheme(draft: StudyDraft) -> str:
    return scheme_text(draft.sites, draft.visits, draft.time_zero or "")


def _maps(site: SiteDraft, variable: str) -> bool:
    return any(variable in table.mapping.get("columns", {}) for table in site.tables)


def _visit_lines(visits: Sequence[PlannedVisit]) -> list[str]:
    windows = placeholder_windows(visits)
    lines = [
        "visits:                              # windows reach half-way to the neighbours: a placeholder to be settled"
    ]
    if not windows:
        return ["# OPEN: visits: {baseline: {day: 0, from: …, to: …}, …}; no extract says when they take place."]
    for visit, first, last in windows:
        lines.append(f"  {visit.id}: {flow({'day': visit.day, 'from': first, 'to': last})}")
    return lines + [f"  # OPEN: {visit.id}: {visit.evidence}" for visit in visits if visit.day is None]


def _source_lines(table: TableDraft, site: SiteDraft) -> list[str]:
    entry = {"path": table.file.shown, **table.file.entries()}
    if table.file.dictionary is not None:
        entry["dictionary"] = table.file.shown_dictionary
    lines = [f"  {table.file.id}: {flow(entry)}"]
    for proposal in table.notes.proposals:
        if proposal.is_open and not proposal.column and proposal.kind in FILE_KINDS:
            lines.append(f"  # OPEN: {proposal.kind}: {proposal.evidence}. {_perhaps(proposal)}".rstrip())
    return lines


FILE_KINDS = (
    "format",
    "compression",
    "sample",
    "encoding",
    "delimiter",
    "decimal",
    "header_row",
    "header_rows",
    "names",
    "file",
)


def _perhaps(proposal: Proposal) -> str:
    return f"Perhaps: {one_line(proposal.proposal)}" if proposal.proposal else ""


def _open_lines(points: Sequence[str]) -> list[str]:
    """Return the list of open points: while it stands, `ember check` refuses the file and repeats the list."""
    if not points:
        return []
    lines = [
        "# While this list stands the study is refused. Settle a point, take its line out, and last the key itself."
    ]
    return [*lines, "open_points:", *(f"  - {scalar(point)}" for point in dict.fromkeys(points))]


def site_text(site: SiteDraft) -> str:
    """Return the file of one site."""
    lines = [
        "# Drafted by `ember init`; OPEN marks what the extracts do not tell, CHECK what they tell faintly.",
        f"site: {site.id}",
        f"label: {scalar(site.id.replace('_', ' ').capitalize())}",
    ]
    if len(site.tables) == 1:
        lines.append(f"from: {site.tables[0].file.id}")
        lines += _table_lines(site.tables[0], 0)
    else:
        lines.append("tables:")
        for table in site.tables:
            lines += [f"  {table.file.id}:", *_table_lines(table, 4)]
    points = [
        f"{p.source} {p.column} {p.kind}".replace("  ", " ") for p in site.open_points if p.kind not in FILE_KINDS
    ]
    faint = [p for p in site.proposals if not p.is_open and 0 < p.confidence < LEAST_SURE and p.kind not in FILE_KINDS]
    points += [f"confirm {p.source} {p.column} {p.kind} {p.proposal}".replace("  ", " ") for p in faint]
    unread = [f"{p.source} cannot be read yet" for p in site.open_points if p.kind == "file"]
    return "\n".join([*lines, *_open_lines([*unread, *points])]) + "\n"


def _table_lines(table: TableDraft, indent: int) -> list[str]:
    said: dict[str, list[str]] = {}
    for proposal in table.notes.proposals:
        if proposal.is_open and proposal.kind not in FILE_KINDS:
            said.setdefault(proposal.column, []).append(
                f"OPEN: {proposal.kind}: {proposal.evidence}. {_perhaps(proposal)}".rstrip()
            )
        elif 0 < proposal.confidence < LEAST_SURE and proposal.kind not in FILE_KINDS:
            said.setdefault(proposal.column, []).append(
                f"CHECK ({proposal.confidence:.2f}): {one_line(proposal.proposal)}: {proposal.evidence}"
            )
    lines = block(table.mapping, indent, said)
    written = "\n".join(lines)
    space = " " * indent
    left = [(column, line) for column, rest in said.items() for line in rest if f"# {line}" not in written]
    for column, line in left:
        mark, _, words = line.partition(": ")
        lines.append(f"{space}# {mark}: {one_line(column)}: {words}" if column else f"{space}# {line}")
    return lines


def seed_of(study: str) -> int:
    """Return a seed that the study keeps: eight digits from its name."""
    return int(hashlib.sha256(study.encode()).hexdigest(), 16) % 90_000_000 + 10_000_000


def summary_line(site: SiteDraft) -> dict[str, Any]:
    """Return what the console says of one site: statements, open points and where to look first."""
    mapped = [p for p in site.proposals if not p.is_open and p.kind not in {*FILE_KINDS, "unmapped"}]
    first = min(mapped, key=lambda p: p.confidence, default=None)
    return {"mapped": len(mapped), "open": len(site.open_points), "first": first}
