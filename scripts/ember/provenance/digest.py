"""SHA-256 of files, read in pieces."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, without holding the file in memory."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
