"""The key under which participant ids become pseudonyms."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from ember.errors import EmberError
from ember.registry.load import PROJECT
from ember.registry.model import Study
from ember.tables.files import write_text

KEY_VARIABLE = "EMBER_KEY_FILE"
SMALLEST_KEY = 32
PUBLISHED_KEY = b"EMBER: the published key for studies that are synthetic or public"


def pseudonym_key(study: Study, environment: Mapping[str, str]) -> bytes:
    """Return the key of a study.

    Parameters
    ----------
    study : Study
        A synthetic or public study uses the published key; a restricted one the file that the
        environment names.
    environment : mapping
        Usually `os.environ`.

    Raises
    ------
    EmberError
        A restricted study has no key file, or the file is short, readable by others, or inside the
        study's workspace or the project, from where it could be copied along with the data.
    """
    if study.privacy != "restricted":
        return PUBLISHED_KEY
    if not environment.get(KEY_VARIABLE):
        raise _refused("A restricted study needs its own key, and the variable is not set.")
    path = Path(environment[KEY_VARIABLE]).resolve()
    if not path.is_file():
        raise _refused("The key file does not exist.")
    for folder in (study.workspace, study.folder, PROJECT):
        if path.is_relative_to(folder.resolve()):
            raise _refused("The key file lies inside the study or the project.")
    if path.stat().st_mode & 0o077:
        raise _refused("The key file can be read by others; its mode must be 0600.")
    key = path.read_bytes()
    if len(key) < SMALLEST_KEY:
        raise _refused(f"The key file holds {len(key)} bytes; at least {SMALLEST_KEY} are needed.")
    return key


def key_fingerprint(key: bytes) -> str:
    """Return 16 hexadecimal digits that tell keys apart and give nothing away."""
    return hashlib.sha256(b"EMBER key fingerprint\0" + key).hexdigest()[:16]


def keep_fingerprint(key: bytes, path: Path) -> None:
    """Write the fingerprint of the key once; refuse another key for the same results.

    Raises
    ------
    EmberError
        The results were made under another key: their pseudonyms would not match new ones.
    """
    fingerprint = key_fingerprint(key)
    if not path.exists():
        write_text(fingerprint + "\n", path)
    elif path.read_text(encoding="utf-8").strip() != fingerprint:
        raise EmberError(
            "These results were made under another key.",
            where=KEY_VARIABLE,
            fix=f"Name the key they were made with, or remove {path.parent.name}/ and start anew.",
        )


def _refused(what: str) -> EmberError:
    return EmberError(
        what,
        where=KEY_VARIABLE,
        fix=f"Keep a file of {SMALLEST_KEY} or more random bytes, mode 0600, outside both; "
        f"name it in {KEY_VARIABLE}. `(umask 077; head -c {SMALLEST_KEY} /dev/urandom > KEY)` makes one.",
    )
