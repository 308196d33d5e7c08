"""Has the workflow already checked this very configuration? Then its jobs need not check it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLE = "EMBER_CHECKED"
OF_THE_STUDY = (
    *("*.yaml", "*.csv", "sites/*.yaml", "endotypes/*.yaml", "verdicts/*.yaml", "mixtures/*", "analyses/*.yaml"),
    *("registry/*", "freezes/*"),
)
OF_THE_PROJECT = (
    *("config/registry/*", "config/registry/presets/*", "config/registry/schemes/*", "config/registry/verdicts/*"),
    "workflow/schemas/*",
)


def configuration_digest(folder: Path, project: Path) -> str:
    """Return the SHA-256 over names and bytes of every file that checking a study reads, the extracts left out."""
    digest = hashlib.sha256()
    for path in sorted({*_files(folder, OF_THE_STUDY), *_files(project, OF_THE_PROJECT)}):
        content = path.read_bytes()
        digest.update(f"{path.parent.name}/{path.name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def is_vouched(folder: Path, project: Path, environment: Mapping[str, str]) -> bool:
    """Return whether the process that started this one vouches for the configuration as it stands now."""
    vouched = environment.get(VARIABLE)
    return bool(vouched) and vouched == configuration_digest(folder, project)


def _files(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in folder.glob(pattern) if path.is_file())
