"""`ember run`: check a study, run its workflow with plain progress, and say what came out."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from ember.cli.check import check
from ember.cli.describe import describe
from ember.cli.words import STUDY_HELP
from ember.registry.load import PROJECT, load_study

FAILED_LOG = re.compile(r"^\s+log: (\S+)")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `ember run` to the command line."""
    parser = commands.add_parser("run", help="check a study, run it, and say what came out")
    parser.add_argument("study", help=STUDY_HELP)
    parser.add_argument("--cores", default="all", help="processes at a time (default: all)")
    parser.add_argument("options", nargs="*", help="further options for snakemake, after --")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Run a study; the exit status is that of the workflow."""
    if check(arguments.study, quiet=True):
        return 1
    study, _ = load_study(arguments.study)
    record = study.workspace / "results" / study.id / "logs" / "run.log"
    record.parent.mkdir(parents=True, exist_ok=True)
    started = time.time()
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", arguments.cores),
        *("--config", f"study={arguments.study}", *arguments.options),
    ]
    pipe, joined = subprocess.PIPE, subprocess.STDOUT
    with subprocess.Popen(command, cwd=PROJECT, stdout=pipe, stderr=joined, text=True) as workflow:
        assert workflow.stdout is not None
        unchanged, failed = follow(workflow.stdout, record)
    if workflow.returncode:
        explain(failed, study.workspace, record)
        return workflow.returncode
    return describe(arguments.study, unchanged=unchanged, started=started)


def follow(lines: Iterable[str], record: Path) -> tuple[bool, list[str]]:
    """Keep the engine's output in a file and show one plain line a job.

    Returns
    -------
    unchanged : bool
        There was nothing to do.
    failed : list of str
        Log files of the jobs that failed.
    """
    unchanged, failed = False, []
    with record.open("w", encoding="utf-8") as copy:
        for line in lines:
            copy.write(line)
            if line.startswith("Nothing to be done"):
                unchanged = True
            elif shown := re.match(r"^(?:Job \d+|Group job \S+): (.+)$", line):
                print(f"  {shown[1]}", flush=True)
            elif found := FAILED_LOG.match(line):
                failed.append(found[1])
    return unchanged, failed


def explain(failed: list[str], workspace: Path, record: Path) -> None:
    """Print what the failed jobs said; where the engine itself failed, the end of its output."""
    logs = [workspace / path for path in dict.fromkeys(failed) if (workspace / path).is_file()]
    if logs:
        for log in logs:
            print(f"\n{log.read_text(encoding='utf-8').rstrip()}", file=sys.stderr)
    else:
        print("".join(record.read_text(encoding="utf-8").splitlines(keepends=True)[-12:]), file=sys.stderr)
    print(f"\nThe run stopped. The engine's own account: {record.relative_to(workspace)}", file=sys.stderr)
