"""What every step's command line shares: its arguments, its log, and errors without participants' values."""

from __future__ import annotations

import argparse
import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from ember.errors import EmberError


def run_step(
    main: Callable[[argparse.Namespace], None],
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    wildcards: Sequence[str] = (),
) -> None:
    """Parse the command line of a step, run `main`, and exit with its verdict.

    Parameters
    ----------
    main : callable
        Takes the parsed arguments: `study` (folder), each wildcard as str, each input as a list
        of paths, each output as one path, `log` (path or None).
    inputs, outputs, wildcards : sequence of str
        Names of the options, `--name`, that the step takes.

    Notes
    -----
    The text of an unexpected exception may carry a participant's value (a failed cast names it), so only its
    type and the places in our own code are printed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--study", required=True)
    parser.add_argument("--log", type=Path)
    for name in wildcards:
        parser.add_argument(f"--{name}", required=True)
    for name in inputs:
        parser.add_argument(f"--{name.replace('_', '-')}", nargs="*", type=Path, default=[])
    for name in outputs:
        parser.add_argument(f"--{name.replace('_', '-')}", required=True, type=Path)
    arguments = parser.parse_args()
    gc.disable()  # a step is short and makes no cycles of tables: looking for them takes a twentieth of it
    try:
        main(arguments)
        gc.freeze()  # at its end the process frees everything anyway: no last search through all that it imported
    except EmberError as error:
        finish(arguments.log, str(error))
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # a panic of a compiled library is no Exception, and its text may hold values too
        places = [
            f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        shown = (
            str(error) if type(error).__module__.startswith("ember.") else "(its text may hold values and is not shown)"
        )
        finish(arguments.log, "\n".join([f"A defect in EMBER: {type(error).__name__} {shown}", *places]))


def finish(log: Path | None, message: str) -> None:
    """Print a message, keep it in the log and leave with status 1."""
    report(log, message)
    print(message, file=sys.stderr)
    raise SystemExit(1)


def report(log: Path | None, message: str) -> None:
    """Append a line of counts and names to the log of the job; never a value."""
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as lines:
            lines.write(message + "\n")
