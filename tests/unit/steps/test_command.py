"""The command line of a step: arguments, verdicts, and no participant's value on any stream."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ember.errors import EmberError
from ember.steps.command import report, run_step
from ember.tables.store import BrokenContractError


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a step's main with arguments; return exit status, what was printed, and the log."""

    def run(main, *arguments, **declared):
        log = tmp_path / "logs" / "a.log"
        monkeypatch.setattr(sys, "argv", ["step", "--study", "s", "--log", str(log), *arguments])
        status = 0
        try:
            run_step(main, **declared)
        except SystemExit as ended:
            status = ended.code
        shown = capsys.readouterr()
        return status, shown.out + shown.err, log.read_text(encoding="utf-8") if log.exists() else ""

    return run


def raising(error):
    def main(arguments):
        raise error

    return main


def test_arguments_have_their_types(run):
    seen = {}
    status, shown, _ = run(
        lambda arguments: seen.update(vars(arguments)),
        *("--site", "lund", "--analysis-set", "a.parquet", "b.parquet", "--estimates", "e.parquet"),
        inputs=("analysis_set", "more"),
        outputs=("estimates",),
        wildcards=("site",),
    )
    assert (status, shown) == (0, "")
    assert seen["study"] == "s" and seen["site"] == "lund" and seen["more"] == []
    assert seen["analysis_set"] == [Path("a.parquet"), Path("b.parquet")]
    assert seen["estimates"] == Path("e.parquet")


@pytest.mark.parametrize(
    "declared",
    [pytest.param({"outputs": ("estimates",)}, id="output"), pytest.param({"wildcards": ("site",)}, id="wildcard")],
)
def test_a_missing_argument_is_refused(run, declared):
    assert run(lambda arguments: None, **declared)[0] == 2


class Panic(BaseException):
    """What a compiled library raises when it gives up: no Exception."""


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("secret 42"), id="value_error"),
        pytest.param(KeyError("secret 42"), id="key_error"),
        pytest.param(Panic("secret 42"), id="panic"),
    ],
)
def test_an_unexpected_error_shows_its_place_and_not_its_text(run, error):
    status, shown, log = run(raising(error))
    assert status == 1
    for text in (shown, log):
        assert "secret" not in text and "42 " not in text
        assert type(error).__name__ in text and "test_command.py" in text and "in main" in text


def test_an_error_behind_an_error_is_not_shown_either(run):
    def main(arguments):
        try:
            raise ValueError("secret 42")
        except ValueError as error:
            raise RuntimeError("secret 43") from error

    status, shown, log = run(main)
    assert status == 1 and "secret" not in shown + log


def test_what_a_user_can_mend_is_shown_whole(run):
    status, shown, log = run(raising(EmberError("The unit is not known.", where="sites/a.yaml:3", allowed=["mg/L"])))
    assert status == 1 and "Traceback" not in shown
    assert "sites/a.yaml:3" in shown and "Allowed: mg/L." in shown
    assert log == shown


def test_our_own_defects_show_their_counts(run):
    status, shown, _ = run(raising(BrokenContractError("visits: day has 3 nulls")))
    assert status == 1 and "A defect in EMBER" in shown and "day has 3 nulls" in shown


def test_an_interrupt_stays_an_interrupt(run):
    with pytest.raises(KeyboardInterrupt):
        run(raising(KeyboardInterrupt()))


def test_a_log_is_added_to_and_may_be_absent(tmp_path):
    report(None, "nothing")
    for line in ("one", "two"):
        report(tmp_path / "a.log", line)
    assert (tmp_path / "a.log").read_text(encoding="utf-8") == "one\ntwo\n"
