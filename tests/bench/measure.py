"""Run a command and say what it cost: wall time, CPU time of its whole tree, peak memory of its whole tree."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU time, peak resident memory in MB summed over the processes that live at once."""

    wall: float
    cpu: float
    memory: float


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        The command failed; its output is in `log`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
        peak = _watch(process)
        status = process.wait()
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if status:
        raise RuntimeError(f"{command[0]} failed, see {log}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak())


def _watch(process: subprocess.Popen[bytes]) -> _Peak:
    peak = _Peak(psutil.Process(process.pid))
    peak.start()
    return peak


class _Peak(threading.Thread):
    """Samples the memory of a process and its descendants until it ends."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.highest = 0.0

    def run(self) -> None:
        while True:
            try:
                tree = [self.process, *self.process.children(recursive=True)]
                if not self.process.is_running() or self.process.status() == psutil.STATUS_ZOMBIE:
                    return
                self.highest = max(self.highest, sum(_resident(member) for member in tree) / 2**20)
            except psutil.NoSuchProcess:
                return
            time.sleep(SAMPLE_SECONDS)

    def __call__(self) -> float:
        self.join(timeout=5)
        return self.highest


def _resident(process: psutil.Process) -> float:
    try:
        return float(process.memory_info().rss)
    except psutil.Error:
        return 0.0
