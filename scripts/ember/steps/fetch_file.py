"""Fetch one file from its address in the study's table of files."""

from __future__ import annotations

from argparse import Namespace

from ember.errors import EmberError, nearest_name
from ember.extract.fetch import fetch
from ember.registry.load import load_study
from ember.steps.command import report, run_step

DECLARES: tuple[str, ...] = ()


def main(arguments: Namespace) -> None:
    """Download the file and check its SHA-256."""
    study, _ = load_study(arguments.study)
    by_file = {source.file: source for source in study.sources.values()}
    if arguments.file not in by_file:
        nearest = nearest_name(arguments.file, by_file)
        raise EmberError("No source of the study is this file.", where=arguments.file, nearest=nearest)
    variable = study.resolved["study"].get("data", {}).get("environment", "")
    fetch(by_file[arguments.file], arguments.fetched, variable)
    report(arguments.log, f"{arguments.file}: {arguments.fetched.stat().st_size} bytes, SHA-256 as declared")


if __name__ == "__main__":
    run_step(main, outputs=("fetched",), wildcards=("file",))
