"""What a version is made of: its content id, its manifest, and its publication under a name that is never reused."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.provenance.code import PROJECT, code_digest, import_closure, logic_of
from ember.provenance.digest import sha256_of_file
from ember.provenance.settings import STEPS, digest, used_rows
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.files import write_json, write_text

# Records of one run; byte comparison leaves them out.
RUN_RECORDS = ("run.json", "ro-crate-metadata.json", "SHA256SUMS")


def identify(study: Study, registry: Registry, records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the version of a study: label and the first 12 hex digits of its content id.

    Parameters
    ----------
    records : list of dict
        The input records, with `source`, `file` and `sha256`.

    Notes
    -----
    The content id is the SHA-256 over the hashes of the inputs, the resolved configuration with the registry
    rows it uses, the code of every step, the lock file and the minor version of Python.
    """
    parts = {
        "inputs": {record["source"]: record["sha256"] for record in records},
        "configuration": digest({"resolved": study.resolved, "registry": used_rows(study, registry)}),
        "code": digest({step: code_digest(step) for step in STEPS}),
        "lock": hashlib.sha256((PROJECT / "requirements.lock").read_bytes()).hexdigest(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    content_id = digest(parts)
    return {
        "study": study.id,
        "label": study.label,
        "version": f"{study.label}-{content_id[:12]}",
        "content_id": content_id,
        **parts,
        "release": {"status": study.release_status, "freeze": study.freeze},
        "packages": locked_packages(),
    }


def locked_packages() -> dict[str, str]:
    """Return package names and versions of requirements.lock."""
    lines = (PROJECT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if "==" in line and not line.startswith((" ", "#"))]
    return {name.strip(): version.split()[0].rstrip("\\;") for name, version in pins}


def manifest(
    study: Study, registry: Registry, version: dict[str, Any], outputs: Iterable[tuple[str, Path]]
) -> dict[str, Any]:
    """Return every input, the resolved configuration, code of each step, packages, seed and output hashes."""
    modules = sorted({module for step in STEPS for module in import_closure(f"ember.steps.{step}")})
    return {
        "version": version,
        "seed": study.seed,
        "configuration": study.resolved,
        "registry": used_rows(study, registry),
        "steps": {step: code_digest(step) for step in STEPS},
        "modules": {module: digest(logic_of(module)) for module in modules},
        "outputs": {name: {"sha256": sha256_of_file(path), "bytes": path.stat().st_size} for name, path in outputs},
    }


def files_below(folder: Path) -> list[str]:
    """Return the relative paths of the files below a folder, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def publish(finished: Path, version: str, versions: Path) -> Path:
    """Move a finished copy to its place; the same content in place is left alone.

    Raises
    ------
    EmberError
        A version of that name exists with other bytes; names the first file that differs.
    """
    place = versions / version
    if place.exists():
        different = first_difference(finished, place)
        if different:
            raise EmberError(
                f"The version {version} exists with other bytes: {different} differs. It is left alone.",
                where=str(place),
                fix="The same content should give the same bytes. Rename the folder to keep both, then run again.",
            )
        shutil.rmtree(finished)
        return place
    write_text(_sums(finished), finished / "SHA256SUMS")
    finished.rename(place)
    return place


def first_difference(one: Path, other: Path) -> str | None:
    """Return the first file that is not in both folders with the same bytes, run records aside."""
    names = sorted({*files_below(one), *files_below(other)} - set(RUN_RECORDS))
    for name in names:
        a, b = one / name, other / name
        if not (a.is_file() and b.is_file() and sha256_of_file(a) == sha256_of_file(b)):
            return name
    return None


def run_record() -> dict[str, str]:
    """Return what is true of this run only: machine, platform and interpreter."""
    return {"platform": platform.platform(), "machine": platform.machine(), "python": platform.python_version()}


def _sums(folder: Path) -> str:
    return "".join(f"{sha256_of_file(folder / name)}  {name}\n" for name in files_below(folder))


def gather(report: Path, aggregate: Path, manifest_file: Path, finished: Path) -> None:
    """Copy what a version holds into one new folder: report, figures, tables, estimates, manifest and run record."""
    if finished.exists():
        shutil.rmtree(finished)
    shutil.copytree(report, finished)
    for name in files_below(aggregate):
        target = finished / "estimates.csv" if name == "estimates.csv" else finished / "aggregate" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(aggregate / name, target)
    shutil.copyfile(manifest_file, finished / "manifest.json")
    write_json(run_record(), finished / "run.json")
