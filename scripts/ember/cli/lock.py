"""Regenerate requirements.lock from requirements.in, and environment.yml with the same pins (`make lock`)."""

from __future__ import annotations

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
    options = "pip compile --quiet --generate-hashes --python-version 3.11 --no-header --upgrade"
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, *options.split(), "requirements.in", "-o", "requirements.lock"]
    subprocess.run(command, cwd=PROJECT, check=True)
    (PROJECT / "environment.yml").write_text(environment(locked_packages()), encoding="utf-8")


if __name__ == "__main__":
    main()
