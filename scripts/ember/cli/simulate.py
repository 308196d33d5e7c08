"""`ember simulate`: write a synthetic consortium with known truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.registry.load import PROJECT
from ember.registry.registry import read_registry
from ember.simulate.consortium import simulate_consortium, write_consortium
from ember.simulate.design import SHAPES, TRUTHS, shape_named, truth_named
from ember.simulate.twin import DATA, twin_files
from ember.tables.files import write_text


def add_parser(commands: Any) -> None:
    """Add the command to the subparsers of `ember`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "simulate", help="write a synthetic consortium with known truth"
    )
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument("--shape", default="demo", help=f"one of {', '.join(SHAPES)} (default demo)")
    parser.add_argument("--seed", type=int, help="default the seed of the shipped files")
    parser.add_argument("--participants", type=int, metavar="N", help="per site; default the size of the shape")
    parser.add_argument(
        "--truth",
        help=f"write a study folder that asks whether there is a type, with this truth: {', '.join(TRUTHS)}",
    )
    parser.set_defaults(run=simulate)


def simulate(arguments: argparse.Namespace) -> int:
    """Write the consortium and say what was written; with a truth, as a study folder that runs.

    Raises
    ------
    EmberError
        The folder is not empty, the shape or the truth is unknown, the size too small, or a truth goes with a shape
        of which there is no study.
    """
    folder: Path = arguments.folder
    shape = shape_named(arguments.shape)
    truth = truth_named(arguments.truth or "classes")
    if arguments.truth and shape.name != "demo":
        raise EmberError("Only the demonstration has twins.", where="--shape", allowed=["demo"])
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EmberError(
            "The folder is not empty.", where=str(folder), fix="Give a new folder: nothing is overwritten."
        )
    registry = read_registry(PROJECT / "config" / "registry")
    seed = shape.seed if arguments.seed is None else arguments.seed
    consortium = simulate_consortium(seed, registry, shape.name, arguments.participants, truth)
    write_consortium(consortium, folder / DATA if arguments.truth else folder, registry)
    participants = sum(cohort.n for cohort in consortium.cohorts.values())
    print(f"{participants:,} synthetic participants of {len(consortium.sites)} sites in {folder}")
    if arguments.truth:
        for name, text in twin_files(PROJECT / "config" / "studies" / "demo", truth).items():
            write_text(text, folder / name)
        print(f"A study of them, behind whose markers stand {truth.label}: make run STUDY={folder}")
    return 0
