"""One set of pins: requirements.lock with its hashes, and environment.yml with the same versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ember.cli.lock import environment
from ember.provenance.release import locked_packages

PROJECT = Path(__file__).parents[2]
LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
ENTRY = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


def entries() -> list[str]:
    """Return the text of each pin, from its name to the next one."""
    starts = [match.start() for match in ENTRY.finditer(LOCK)]
    return [LOCK[begin:end] for begin, end in zip(starts, [*starts[1:], len(LOCK)], strict=True)]


def test_environment_is_written_from_the_lock():
    assert (PROJECT / "environment.yml").read_text(encoding="utf-8") == environment(locked_packages())


def test_environment_has_the_pins_of_the_lock():
    content = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    (pinned,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    assert pinned == [f"{name}=={version}" for name, version in ENTRY.findall(LOCK)]


def test_no_address_stands_in_the_lock():
    assert "://" not in LOCK and "--index" not in LOCK and "--find-links" not in LOCK and " @ " not in LOCK


def test_every_pin_has_a_hash():
    without = [text.split("==")[0] for text in entries() if "--hash=sha256:" not in text]
    assert len(entries()) > 50 and without == []


def test_every_line_is_a_pin_a_hash_or_a_remark():
    strange = [
        line for line in LOCK.splitlines() if not (ENTRY.match(line) or re.match(r"^    --hash=sha256:|^ *#|^$", line))
    ]
    assert strange == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name)
        for name in re.findall(
            r"^([a-z0-9-]+)", (PROJECT / "requirements.in").read_text(encoding="utf-8").lower(), re.MULTILINE
        )
    ],
)
def test_what_is_asked_for_is_pinned(name):
    assert name in locked_packages()
