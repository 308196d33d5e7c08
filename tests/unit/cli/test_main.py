"""The console command: help, exit statuses, lazy imports, and errors that give nothing away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from polars.exceptions import PanicException

from ember.cli import main as command
from ember.cli.main import COMMANDS, main
from ember.registry.load import PROJECT


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    for name, text in COMMANDS.items():
        assert f"{name} " in shown
        assert text in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"ember {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [pytest.param([], id="nothing"), pytest.param(["chek", "demo"], id="typo"), pytest.param(["check"], id="bare")],
)
def test_a_command_that_is_not_understood(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    assert "usage: ember" in capsys.readouterr().err


def test_what_a_user_can_mend_is_one_message_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "nhane"]) == 1
    assert capsys.readouterr().err.startswith("study\n  There is no study 'nhane'.")


def test_a_defect_shows_its_places_and_not_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("participant 4711 has 12.5")

    monkeypatch.setattr(command, "_parser", lambda given: _Parser(fail))
    assert main(["check", "demo"]) == 1
    shown = capsys.readouterr().err
    assert "A defect in EMBER: ValueError" in shown
    assert "test_main.py" in shown
    assert "4711" not in shown


def test_a_panic_of_a_library_shows_its_places_and_not_its_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PanicException("participant 4711 has 12.5")

    monkeypatch.setattr(command, "_parser", lambda given: _Parser(fail))
    assert main(["check", "demo"]) == 1
    shown = capsys.readouterr().err
    assert "A defect in EMBER: PanicException" in shown
    assert "4711" not in shown


def test_an_interruption_has_its_own_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "_parser", lambda given: _Parser(interrupt))
    assert main([]) == 130


class _Parser:
    def __init__(self, action: object) -> None:
        self.run = action

    def parse_args(self, given: object) -> _Parser:
        return self


def test_check_imports_no_data_library_unless_it_opens_a_file(study: Path) -> None:
    """A study that cannot be built has no file to open."""
    (study / "study.yaml").write_text("study: trial\n", encoding="utf-8")
    code = (
        "import sys; from ember.cli.main import main; status = main(['check', sys.argv[1]]);"
        "print(status, [name for name in ('polars', 'numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(study)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(PROJECT / "scripts")},
    )
    assert done.stdout.splitlines()[-1] == "1 []"
