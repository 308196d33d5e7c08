"""The console command `ember`: everything that is not the workflow itself."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ember.errors import EmberError

DESCRIPTION = """\
EMBER turns biomarker and outcome extracts of several sites into one harmonised, accounted and versioned analysis.

A study is a folder: study.yaml, sites/, endotypes/, analyses/, report.yaml. STUDY is the name of a folder under
config/studies, or the path of your own."""

EPILOG = """\
exit status: 0 done; 1 something needs mending, or a run stopped; 2 the command was not understood"""

COMMANDS = {
    "init": "draft a study from its extracts",
    "check": "say everything that is wrong with a study, without running it",
    "run": "check a study, run it, and say what came out",
    "describe": "say what the last run of a study came to",
    "extracts": "say what each extract changes in the one that it supersedes",
    "queries": "write the list of questions to one site",
    "freeze": "bind a study as it stands under a label",
    "unfreeze": "lift a freeze, with a name and a reason",
    "simulate": "write a synthetic consortium with known truth",
}

DONE, MENDABLE, DEFECT, INTERRUPTED = 0, 1, 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ember` and return its exit status."""
    given = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser(given).parse_args(given)
    action = getattr(arguments, "run", None) or arguments.main
    try:
        return int(action(arguments))
    except EmberError as error:
        print(error, file=sys.stderr)
        return MENDABLE
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`ember check demo | head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return MENDABLE
    except SystemExit:
        raise
    except BaseException as error:  # a panic of a compiled library is no Exception, and its text may hold values too
        print(_defect(error), file=sys.stderr)
        return DEFECT


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ember", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    chosen = next((word for word in given if not word.startswith("-")), "")
    for name, text in COMMANDS.items():
        if name == chosen:
            _add(name, commands)
        else:
            commands.add_parser(name, help=text)
    return parser


def _add(name: str, commands: Any) -> None:
    # Only the chosen command is imported: data libraries take longer to load than `ember check` to run.
    if name == "init":
        from ember.cli.init import add_parser
    elif name == "check":
        from ember.cli.check import add_parser
    elif name == "describe":
        from ember.cli.describe import add_parser
    elif name == "run":
        from ember.cli.run import add_parser
    elif name == "extracts":
        from ember.cli.extracts import add_parser
    elif name == "queries":
        from ember.cli.queries import add_parser
    elif name == "freeze":
        from ember.cli.freeze import add_parser
    elif name == "unfreeze":
        from ember.cli.freeze import add_unfreeze_parser as add_parser
    else:
        from ember.cli.simulate import add_parser
    add_parser(commands)


def _defect(error: BaseException) -> str:
    """Return the kind of an unexpected error and its places; its text may hold a participant's value."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [f"A defect in EMBER: {type(error).__name__} (its text may hold values and is not shown)", *places]
    )


if __name__ == "__main__":
    raise SystemExit(main())
