"""`ember init`: a draft of a study from its extracts alone."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ember.cli.words import counted
from ember.draft.files import files_of
from ember.draft.grouping import common_folder, group_extracts
from ember.draft.site import draft_site
from ember.draft.study import StudyDraft, study_files, summary_line
from ember.draft.tools import tools_of
from ember.draft.words import identifier
from ember.draft.write import check_target, make_key, write_folder
from ember.provenance.privacy_key import KEY_VARIABLE
from ember.registry.load import PROJECT
from ember.registry.registry import read_registry

DESCRIPTION = """\
Draft a study folder from extracts: study.yaml, sites/, endotypes/, analyses/, report.yaml, draft.csv, README.md.
Every proposal stands in draft.csv with its evidence; what the extracts do not tell is left open, and the draft does not
run before it is settled. The extracts stay where they are and are only read."""


def add_parser(commands: Any) -> None:
    """Add `ember init` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "init",
        help="draft a study from its extracts",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where the study is written; it must not exist, or be empty")
    parser.add_argument(
        "extracts", metavar="EXTRACT", nargs="*", help="files or folders; the files of one folder are one site's tables"
    )
    parser.add_argument(
        "--site",
        metavar="NAME=EXTRACT,EXTRACT",
        action="append",
        default=[],
        help="the extracts of one site, where folders do not tell; may be repeated",
    )
    parser.add_argument("--key", metavar="PATH", help=f"make a key for pseudonyms at PATH, for {KEY_VARIABLE}")
    parser.set_defaults(run=lambda arguments: run(arguments, os.environ))


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Draft the study that the command line asks for."""
    return init(
        Path(arguments.folder),
        [Path(extract) for extract in arguments.extracts],
        arguments.site,
        Path(arguments.key) if arguments.key else None,
        environment,
    )


def init(
    folder: Path,
    extracts: Sequence[Path],
    said: Sequence[str] = (),
    key: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Write a draft, print what it holds, and return 0.

    Raises
    ------
    EmberError
        The folder is not empty, an extract cannot be a table, or the key may not lie where it was asked for.
    """
    target = folder.absolute()
    check_target(target)
    grouped = group_extracts(extracts, said)
    draft = draft_study(target, grouped)
    if key is not None:
        make_key(key, [target, PROJECT, common_folder([file for files in grouped.values() for file in files])])
    write_folder(study_files(draft), target)
    _say(draft, folder, key, environment or {})
    return 0


def draft_study(target: Path, grouped: Mapping[str, Sequence[Path]]) -> StudyDraft:
    """Return the draft of a study from the files of each site."""
    registry = read_registry(PROJECT / "config" / "registry")
    tools = tools_of(registry)
    folder = common_folder([file for files in grouped.values() for file in files])
    sites = tuple(draft_site(name, files_of(files, name, folder), tools) for name, files in grouped.items())
    shipped = target.parent == PROJECT / "config" / "studies"
    relative = os.path.relpath(folder, PROJECT if shipped else target)
    return StudyDraft(identifier(target.name, "study"), Path(relative).as_posix(), sites)


def _say(draft: StudyDraft, folder: Path, key: Path | None, environment: Mapping[str, str]) -> None:
    print(f"{folder}  a draft of {counted(len(draft.sites), 'site')}; nothing was decided and nothing was run")
    for site in draft.sites:
        counts = summary_line(site)
        rows = sum(table.n_rows for table in site.tables)
        more = "+" if any(not table.whole for table in site.tables) else " "
        tables = counted(len(site.tables), "table")
        line = f"  {site.id:<12} {tables:<9} {rows:>9,}{more}rows   {counts['mapped']:>4} proposed"
        print(f"{line}  {counts['open']:>3} open")
        for proposal in site.open_points[:2]:
            print(f"    {proposal.sentence()}")
        first = counts["first"]
        if first is not None and first.confidence < 0.8:
            where = f"{first.source}, {first.column}" if first.column else first.source
            print(
                f"    look first: {where} as {first.kind} {first.proposal} ({first.confidence:.2f}): {first.evidence}"
            )
    print(f"  evidence     {folder / 'draft.csv'}   what is left to do: {folder / 'README.md'}")
    print("  next         settle the lines marked OPEN, then `ember check` the folder")
    if key is not None:
        print(f"  key          made; tell each shell of this study: export {KEY_VARIABLE}={key.absolute()}")
    elif not environment.get(KEY_VARIABLE):
        print(f"  key          {KEY_VARIABLE} is not set; `ember init … --key PATH` makes a key for restricted data")
