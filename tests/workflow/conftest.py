"""A copy of the project and of the tiny study, run once, for the tests that look at the DAG."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
COPIED = ("workflow", "config", "scripts", "reports/templates", "requirements.lock", "environment.yml")


@dataclass(frozen=True)
class Run:
    """What a call of Snakemake said and did."""

    status: int
    output: str

    @property
    def jobs(self) -> dict[str, int]:
        """Return how many jobs of each rule were (or would be) run, from the engine's own table; `all` left out."""
        table = re.search(r"Job stats:\n.*?\n-+.*?\n(.*?)\ntotal", self.output, re.DOTALL)
        if table is None:
            assert "Nothing to be done" in self.output, self.output
            return {}
        lines = (line.split() for line in table[1].splitlines())
        return {rule: int(count) for rule, count in lines if rule != "all"}

    @property
    def messages(self) -> set[str]:
        """Return what the jobs say of themselves."""
        return set(re.findall(r"^Job \d+: (.+)$", self.output, re.MULTILINE))


@dataclass(frozen=True)
class Workspace:
    """A copy of the project with a study folder that is its own workspace."""

    project: Path
    study: Path

    @property
    def name(self) -> str:
        return "tiny"

    @property
    def results(self) -> Path:
        return self.study / "results" / self.name

    @property
    def versions(self) -> list[Path]:
        return sorted(path.parent for path in (self.study / "reports" / self.name).glob("*/manifest.json"))

    def snakemake(self, *options: str, cores: int = 2, **environment: str) -> Run:
        """Run Snakemake on the study."""
        command = [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            str(cores),
            "--config",
            f"study={self.study}",
            *options,
        ]
        return call(command, self.project, environment)

    def without_results(self, folder: Path) -> Workspace:
        """Return a copy of code, configuration and extracts, as a clean clone would be."""
        made = ("results", "reports", ".snakemake", ".ember.lock", "__pycache__")
        shutil.copytree(self.project, folder / "project", ignore=shutil.ignore_patterns(".snakemake", "__pycache__"))
        shutil.copytree(self.study, folder / "study", ignore=shutil.ignore_patterns(*made))
        return Workspace(folder / "project", folder / "study")

    def copy(self, folder: Path) -> Workspace:
        """Return a copy that keeps the time stamps, as a moved tree would."""
        shutil.copytree(self.project, folder / "project")
        shutil.copytree(self.study, folder / "study")
        return Workspace(folder / "project", folder / "study")


def call(command: list[str], folder: Path, environment: dict[str, str]) -> Run:
    settings = {**os.environ, **environment}
    settings.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=folder, env=settings, text=True, capture_output=True, check=False)
    return Run(done.returncode, done.stdout + done.stderr)


def new_workspace(folder: Path) -> Workspace:
    """Copy the project's code and configuration, and the tiny study, without results."""
    project = folder / "project"
    for name in COPIED:
        source = PROJECT / name
        target = project / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    shutil.copytree(PROJECT / "tests" / "data" / "tiny", folder / "study")
    return Workspace(project, folder / "study")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The tiny study, run to its end. Tests that change something work on a copy."""
    workspace = new_workspace(tmp_path_factory.mktemp("finished"))
    run = workspace.snakemake(PYTHONHASHSEED="0")
    assert run.status == 0, run.output
    return workspace
