"""Regenerate requirements.lock, the lock with object storage, and environment.yml with the same pins (`make lock`)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from ember.provenance.release import locked_packages

PROJECT = Path(__file__).parents[3]

HEADER = """\
# The pins of requirements.lock for conda users, written by `make lock`. They stand inline because Snakemake copies
# this file away (--software-deployment-method conda). A conda solve of it has not been proven.
name: ember
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def environment(pins: dict[str, str]) -> str:
    """Return the text of environment.yml for a set of pins."""
    return HEADER + "".join(f"      - {name}=={version}\n" for name, version in pins.items())


def main() -> None:
    compile_lock("requirements.in", "requirements.lock", "--upgrade")
    # What stands in a lock is kept as far as it can be: the larger one begins as a copy of the other.
    shutil.copyfile(PROJECT / "requirements.lock", PROJECT / "requirements-storage.lock")
    compile_lock("requirements-storage.in", "requirements-storage.lock")
    (PROJECT / "environment.yml").write_text(environment(locked_packages()), encoding="utf-8")


def compile_lock(wanted: str, lock: str, *more: str) -> None:
    """Pin what a file asks for, with hashes and without an address."""
    options = ["pip", "compile", "--quiet", "--generate-hashes", "--python-version", "3.11", "--no-header"]
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, *options, *more, wanted, "-o", lock], cwd=PROJECT, check=True)


if __name__ == "__main__":
    main()
