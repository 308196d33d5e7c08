"""Faults of a whole file: each has to be refused with its own sentence, and nothing may be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from tests.prove.dirty_fates import fates, person_of
from tests.prove.dirty_plan import SourcePlan, StudyPlan
from tests.prove.dirty_rows import Row

# Fault: a part of the sentence that refuses it.
SENTENCES = {
    "open quote": "A quote that opens",
    "cut in a quote": "A quote that opens",
    "nul": "NUL character",
    "undecodable": "holds a byte that is not",
    "cut gzip": "The packed file cannot be read",
    "another format": "study.yaml says",
    "repeated column": "Column names stand more than once",
    "no such column": "names zero",
    "one to one": "The join is declared one_to_one",
    "partner twice": "keys stand in more than one row",
    "per participant": "participants have several rows",
    "cut file": "cannot be read",
    "correction": "does not fit",
}
AT_READING = frozenset(SENTENCES) - {"per participant"}


def draw_fault(rng: Random, plan: StudyPlan) -> tuple[str, SourcePlan]:
    """Return a fault that a source of the study can have, or "" in most studies."""
    source = plan.sources[rng.choice(list(plan.sources))]
    text, packed = source.format == "csv", "compression" in source.entry
    fitting = ["another format"] if text and not packed else []
    if text and not packed:
        fitting += ["open quote", "cut in a quote", "nul"]
        fitting += ["undecodable"] if source.entry["encoding"] in {"utf-8", "cp1252", "utf-16"} else []
        if source.entry["header_row"] and not source.partner_of:
            fitting += ["repeated column"]
    if source.entry.get("compression") == "gzip":
        fitting += ["cut gzip"]
    if source.format in {"parquet", "excel", "feather"}:
        fitting += ["cut file"]
    if "join" in source.entry:
        fitting += ["one to one"]
    if source.partner_of and not packed:
        fitting += ["partner twice"]
    return (rng.choice(fitting) if fitting else ""), source


def declare_one_row(plan: StudyPlan, rows: Mapping[str, Sequence[Row]]) -> bool:
    """Declare one row a participant for a table in which somebody has several; return whether there is one."""
    found = fates(plan, rows)
    for table in plan.tables:
        people = Counter(person_of(row) for row in found.kept(rows[table.source], table))
        if table.name == "clinic" and max(people.values(), default=0) > 1:
            table.mapping["per_participant"] = "at_most_one"
            plan.sources[table.source].fault = "per participant"
            return True
    return False


def plant(rng: Random, fault: str, source: SourcePlan, rows: list[Row], path: Path) -> bool:
    """Plant a fault in a file that has been written, or in how it is declared; return whether it could be."""
    content = path.read_bytes()
    encoding = source.entry.get("encoding", "utf-8")
    codec = {"utf-16": "utf-16-le" if content[:2] == b"\xff\xfe" else "utf-16-be"}.get(encoding, encoding)
    match fault:
        case "open quote":
            rest = rng.choice(["\n", "\nlost\n", f"\n1{source.entry['delimiter']}2\n"])
            path.write_bytes(content + f"{_open_record(source)}{rest}".encode(codec))
        case "cut in a quote":
            path.write_bytes(content + _open_record(source).encode(codec))
        case "nul":
            place = _inside(rng, content, encoding)
            path.write_bytes(content[:place] + "\0".encode(codec) + content[place:])
        case "undecodable":
            bad = {"utf-8": b"\xff", "cp1252": b"\x81", "utf-16": b"\x00\xdc"}[encoding]
            bad = bad[::-1] if codec == "utf-16-be" else bad
            place = _inside(rng, content, encoding)
            path.write_bytes(content[:place] + bad + content[place:])
        case "cut gzip":
            path.write_bytes(content[: -rng.randint(1, 9)])
        case "cut file":
            path.write_bytes(content[: len(content) * 2 // 3])
        case "another format":
            source.entry["format"] = rng.choice(["parquet", "spss", "stata"])
            for key in ("delimiter", "encoding", "header_row", "names", "thousands", "decimal"):
                source.entry.pop(key, None)
        case "repeated column":
            _repeat_column(source, path, codec)
        case "one to one":
            source.entry["join"][0]["cardinality"] = "one_to_one"
            return len({row.stripped("id_clinic") for row in rows if _has_partner(row)}) < sum(map(_has_partner, rows))
        case "partner twice":
            return _repeat_partner(source, rows, path, content, codec)
    return True


def _open_record(source: SourcePlan) -> str:
    """Return a record of the header's width whose last cell opens a quote."""
    width = len(source.header)
    return f'\n{source.entry["delimiter"] * (width - 1)}"1'


def _has_partner(row: Row) -> bool:
    header = [name for name in row.cells if name not in {"zero", "died"}]
    return row.shape == "data" and not row.partnerless and any(row.stripped(name) for name in header)


def _inside(rng: Random, content: bytes, encoding: str) -> int:
    """Return a place in the second half between two characters."""
    place = rng.randrange(len(content) // 2, len(content)) // 2 * 2
    if encoding == "utf-16":
        low = place if content[:2] == b"\xff\xfe" else place - 1
        return place + 2 if 0xDC <= content[low + 1] <= 0xDF else place
    while encoding == "utf-8" and place < len(content) and 0x80 <= content[place] < 0xC0:
        place += 1
    return place


def _repeat_column(source: SourcePlan, path: Path, codec: str) -> None:
    text = path.read_bytes().decode(codec)
    mark = source.entry["delimiter"]
    name = next(name for name in ("id_clinic", "id_roster", "id_lab", "id_drugs") if name in text)
    name = f'"{name}"' if f'"{name}"' in text else name
    path.write_bytes(text.replace(name, f"{name}{mark}{name}", 1).encode(codec))


def _repeat_partner(source: SourcePlan, rows: list[Row], path: Path, content: bytes, codec: str) -> bool:
    whole = [row for row in rows if row.shape == "data" and row.stripped("pid")]
    if not whole or not whole[0].stripped("pid").isascii() or '"' in whole[0].stripped("pid"):
        return False
    width = len(whole[0].cells)
    mark = source.entry["delimiter"]
    record = mark.join([whole[0].stripped("pid"), *[""] * (width - 1)])
    path.write_bytes(content + f"\n{record}\n".encode(codec))
    return True
