"""The lock with object storage: the pins of requirements.lock, and what the plugin adds or forces."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)", re.MULTILINE)


def read(name: str) -> tuple[str, dict[str, str]]:
    text = (PROJECT / name).read_text(encoding="utf-8")
    return text, {match[1]: match[2] for match in ENTRY.finditer(text)}


def test_it_differs_from_the_other_lock_only_where_the_plugin_needs_it() -> None:
    _, core = read("requirements.lock")
    _, storage = read("requirements-storage.lock")
    assert "snakemake-storage-plugin-s3" in storage and "snakemake-storage-plugin-s3" not in core
    # boto3 asks for an older dateutil, which brings six and has no use for tzdata.
    assert {name for name in core if storage.get(name) != core[name]} <= {"python-dateutil", "tzdata"}


def test_it_holds_hashes_and_no_address() -> None:
    text, pins = read("requirements-storage.lock")
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    assert len(pins) > 50
    assert [match[1] for match in ENTRY.finditer(text) if not match[3]] == []
