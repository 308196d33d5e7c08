"""Files in object storage: their addresses, and the Snakemake plugin that fetches them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

# By the scheme of an address: the name that Snakemake gives the plugin, and its package.
PLUGINS: Mapping[str, tuple[str, str]] = {
    "s3": ("s3", "snakemake-storage-plugin-s3"),
    "gs": ("gcs", "snakemake-storage-plugin-gcs"),
    "gcs": ("gcs", "snakemake-storage-plugin-gcs"),
    "az": ("azure", "snakemake-storage-plugin-azure"),
}


def scheme_of(path: str) -> str:
    """Return the scheme of an address, or "" for a path."""
    return path.partition("://")[0].lower() if "://" in path else ""


def object_name(address: str) -> str:
    """Return the last part of an address, which becomes the name of the local file."""
    return PurePosixPath(address.partition("://")[2]).name


def address_faults(address: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with an address and how to mend it; nothing where it is a path."""
    scheme = scheme_of(address)
    if not scheme:
        return
    parts = address.partition("://")[2].split("/")
    if scheme in {"http", "https"}:
        yield (
            "A web address is no path.",
            "Name the file under `path:` and give its address and SHA-256 in the table of files (`files:`).",
        )
    elif scheme not in PLUGINS:
        yield f"'{scheme}' is no object storage that EMBER knows.", f"Known are {', '.join(PLUGINS)}."
    elif len(parts) < 2 or any(part in {"", ".", ".."} for part in parts):
        yield "The address does not name one object.", f"Write {scheme}://bucket/key."
    elif any(sign in address for sign in "@?#{}*"):
        yield (
            "The address holds a sign that has no place in it.",
            "Credentials come from the environment, never from a file.",
        )
