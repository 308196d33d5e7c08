"""Show the study of one seed, and where it fails the fewest rows that still do."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import yaml

from tests.prove.dirty_extracts import MEMORY, draw, judge
from tests.prove.dirty_run import documents_of
from tests.prove.proof import Record

Kept = Collection[tuple[str, int]]


def show() -> None:
    """Run the console command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    seed = parser.parse_args().seed
    record, text = attempt(seed, None)
    kept: Kept | None = None
    if record["failures"]:
        kept = shrink(seed, record)
        record, text = attempt(seed, kept)
    print(text)
    print("\n".join(record["failures"]) or "no failure")
    raise SystemExit(1 if record["failures"] else 0)


def attempt(seed: int, kept: Kept | None) -> tuple[Record, str]:
    """Return the record of a seed with the rows that are kept, and its study and files in words."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as scratch:
        folder = Path(scratch)
        drawn = draw(seed, folder, lambda source, place: kept is None or (source, place) in kept)
        record = judge(drawn, folder)
        documents = documents_of(drawn.plan, drawn.answers)
        parts = [f"fault: {drawn.fault or 'none'}; rows a batch: {drawn.batch}; bytes a block: {drawn.block}"]
        parts.append(_yaml(documents.study.content))
        parts.extend(_yaml(site.content) for site in documents.sites.values())
        for path in sorted((folder / "extracts").iterdir()):
            content = path.read_bytes()
            parts.append(f"{path.name}: {len(content)} bytes\n" + "\n".join(map(repr, content.splitlines(True)[:60])))
        return record, "\n".join(parts)


def shrink(seed: int, record: Record) -> Kept:
    """Return the rows without any of which the first failure goes away or becomes another one."""
    kind = _kind(record)
    rows = everything(seed)
    size = max(1, len(rows) // 2)
    while size:
        for start in range(0, len(rows), size):
            fewer = [*rows[:start], *rows[start + size :]]
            if _kind(_safely(seed, fewer)) == kind:
                rows = fewer
                break
        else:
            size //= 2
    return rows


def everything(seed: int) -> list[tuple[str, int]]:
    """Return every row of a seed as source and place."""
    seen: list[tuple[str, int]] = []

    def note(source: str, place: int) -> bool:
        seen.append((source, place))
        return True

    with tempfile.TemporaryDirectory() as scratch:
        draw(seed, Path(scratch), note)
    return seen


def _safely(seed: int, kept: Kept) -> Record:
    try:
        return attempt(seed, kept)[0]
    except (IndexError, ValueError):  # too few rows are left to write a file
        return {"failures": []}


def _kind(record: Record) -> str:
    """Return what a failure is about without its places."""
    first = record["failures"][0] if record["failures"] else ""
    return "".join(mark for mark in first[:60] if not mark.isdigit())


def _yaml(content: object) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=140)
