"""The dictionary: what each harmonised variable is and who has it, and what became of each column of the extracts."""

from __future__ import annotations

from ember.reporting.blocks import Block, Section, Table, Text, table
from ember.reporting.dictionary import DERIVED, HARMONISED, RAW
from ember.reporting.facts import Facts, Row
from ember.reporting.words import plain, unit_text

UNMAPPED = "not mapped"
UNITS = {"a": "years"}


def dictionary_section(facts: Facts) -> Section:
    """Return the harmonised variables, and folded all columns of the extracts."""
    rows = facts.lines("dictionary")
    raw = [row for row in rows if row["level"] == RAW]
    blocks: list[Block] = [Text(_words(raw)), variables_table(facts, rows), columns_table(rows)]
    return Section("data_dictionary", "Dictionary", blocks)


def _words(raw: list[Row]) -> str:
    sources = len({row["source"] for row in raw})
    mapped = sum(1 for row in raw if row["mapped_to"])
    files = "source has" if sources == 1 else "sources have"
    columns = "column" if len(raw) == 1 else "columns"
    return (
        f"The {sources} {files} {len(raw):,} {columns}; {mapped:,} are mapped. Names, labels and codes are those of "
        "the files. The table of columns is made at every run and lies beside the report (tables/dictionary.csv)."
    )


def variables_table(facts: Facts, rows: list[Row]) -> Table:
    """Return the harmonised variables with the sites that have them and the values present."""
    printed = []
    kinds = {"participants": "Participants", "measurements": "Biomarkers", "scores": "Questionnaires"}
    shown = None
    for row in [row for row in rows if row["level"] == HARMONISED]:
        if row["source"] != shown:
            shown = row["source"]
            printed.append([kinds.get(shown, plain(shown).capitalize())])
        sites = row["sites"].split(";")
        whole = sites == facts.included
        unit = UNITS.get(row["unit"], unit_text(row["unit"]))
        where = "all" if whole else ", ".join(facts.names.site(site) for site in sites)
        printed.append([f"  {row['label']}", row["variable"], unit or "–", row["codes"] or "–", where, _values(row)])
    columns = [
        ("Variable", False), ("Name", False), ("Unit", False), ("Codes or range", False),
        (facts.names.sites_word.capitalize(), False), ("Values", True),
    ]  # fmt: skip
    notes = ["Values: participants with a usable value, added up over visits; “at least” leaves protected counts out."]
    return table("variables", "Harmonised variables", columns, printed, notes)


def _values(row: Row) -> str:
    if row["n_present"] is not None:
        return f"{row['n_present']:,}"
    if row["n_at_least"] is None:
        return "–"
    return f"at least {row['n_at_least']:,}" if row["n_at_least"] else "protected"


def columns_table(rows: list[Row]) -> Table:
    """Return every column of every source, with what it says and what it becomes."""
    printed: list[list[str]] = []
    shown = None
    for row in [row for row in rows if row["level"] in (RAW, DERIVED)]:
        if row["source"] != shown:
            shown = row["source"]
            printed.append([f"Source {shown}"])
        label = f"= {row['label']}" if row["level"] == DERIVED else row["label"]
        condition = f"shown if {row['shown_if']}" if row["shown_if"] else ""
        codes = "; ".join(part for part in (row["codes"], condition) if part)
        becomes = row["mapped_to"] or UNMAPPED
        printed.append([f"  {row['variable']}", label, row["type"], row["unit"], codes, row["missing"], becomes])
    columns = [
        ("Column", False), ("Label", False), ("Type", False), ("Unit", False), ("Codes", False), ("Missing", False),
        ("Becomes", False),
    ]  # fmt: skip
    return table("dictionary", "Columns of the extracts", columns, printed, folded=True)
