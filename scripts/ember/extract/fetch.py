"""Download a file of the study's table of files."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ember.errors import EmberError
from ember.provenance.digest import sha256_of_file
from ember.registry.model import Source
from ember.tables.files import replacing

TIMEOUT_SECONDS = 60
PIECE = 1 << 20


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follow a redirect only to another https address."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme != "https":
            raise urllib.error.URLError("redirected to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def fetch(source: Source, target: Path, variable: str = "") -> None:
    """Download the file of a source to `target`, whole or not at all.

    Parameters
    ----------
    variable : str
        The environment variable of the data folder, for the message.

    Raises
    ------
    EmberError
        There is no address or no hash, the address is not https, the download fails, or the hash differs.
    """
    if not source.url:
        raise _failed(source, target, variable, "The table of files has no address for it.")
    if source.sha256 is None:
        raise EmberError(
            "The table of files gives no SHA-256, so what is downloaded cannot be known.",
            where=f"{source.shown_path}  {source.url}",
            fix="Download it once by hand, then `ember check STUDY --record` writes its hash into the table of files.",
        )
    if urlsplit(source.url).scheme != "https":
        raise _failed(source, target, variable, "Only https addresses are fetched.")
    with replacing(target) as temporary:
        try:
            _download(source.url, temporary)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or type(error).__name__
            raise _failed(source, target, variable, f"The download failed: {reason}.") from None
        found = sha256_of_file(temporary)
        if found != source.sha256.lower():
            raise _failed(
                source, target, variable, f"The download has SHA-256 {found}; the table says {source.sha256}."
            )


def _download(url: str, path: Path) -> None:
    opener = urllib.request.build_opener(_SecureRedirects())
    request = urllib.request.Request(url, headers={"User-Agent": "EMBER"})
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer, path.open("wb") as content:
        shutil.copyfileobj(answer, content, PIECE)
        announced = answer.headers.get("Content-Length")
    if announced is not None and int(announced) != path.stat().st_size:
        raise OSError("the download is cut off")


def _failed(source: Source, target: Path, variable: str, what: str) -> EmberError:
    folder = f"set {variable} to the folder that holds it, or " if variable else ""
    return EmberError(
        what,
        where=f"{source.shown_path}  {source.url or ''}".rstrip(),
        fix=f"To go on without the network, {folder}put the file at {'/'.join(target.parts[-3:])}.",
    )
