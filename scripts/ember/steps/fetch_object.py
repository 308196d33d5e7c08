"""Copy one object of a store, which Snakemake has brought, to where its source is read."""

from __future__ import annotations

import shutil
from argparse import Namespace

from ember.errors import EmberError
from ember.provenance.digest import sha256_of_file
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.files import replacing

DECLARES: tuple[str, ...] = ()


def main(arguments: Namespace) -> None:
    """Copy the object, whole or not at all, readable by its owner alone; its SHA-256 is checked first."""
    study, _ = load_study(arguments.study)
    source = study.sources[arguments.source]
    (stored,) = arguments.stored
    found = sha256_of_file(stored)
    if source.sha256 is not None and found != source.sha256.lower():
        raise EmberError(
            "The object is not the declared one.",
            where=source.file,
            fix=f"Expected SHA-256 {source.sha256}, found {found}. Declare the new one in the study's table of files, "
            "or put the declared one back.",
        )
    with replacing(arguments.fetched) as temporary:
        temporary.touch(mode=0o600)
        shutil.copyfile(stored, temporary)
    report(arguments.log, f"{source.id}: {arguments.fetched.stat().st_size} bytes, SHA-256 {found}")


if __name__ == "__main__":
    run_step(main, inputs=("stored",), outputs=("fetched",), wildcards=("source",))
