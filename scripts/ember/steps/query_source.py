"""Ask a database for one source and keep the answer, which is the file that is read from then on."""

from __future__ import annotations

import os
from argparse import Namespace

from ember.extract.sql_query import run_query
from ember.provenance.digest import sha256_of_file
from ember.registry.load import load_study
from ember.registry.query import query_text
from ember.steps.command import report, run_step

DECLARES: tuple[str, ...] = ()


def main(arguments: Namespace) -> None:
    """Run the query of the source and write its answer as text."""
    study, _ = load_study(arguments.study)
    source = study.sources[arguments.source]
    query = query_text(source.query or "", study.folder)
    rows = run_query(source, query, os.environ, arguments.snapshot)
    order = (
        ""
        if "order by" in " ".join(query.lower().split())
        else "; no ORDER BY, so another answer may be in another order"
    )
    report(
        arguments.log,
        f"{source.id}: {rows} rows, SHA-256 {sha256_of_file(arguments.snapshot)}{order}. "
        "The database is asked again only when the query changes or with `--forcerun query_source`.",
    )


if __name__ == "__main__":
    run_step(main, outputs=("snapshot",), wildcards=("source",))
