"""Packed files: unpacked to a private folder while they are read, and refused when they lie or explode."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

from ember.errors import EmberError, nearest_name
from ember.extract.signature import check_file, kind_of
from ember.registry.model import Source

PIECE = 1 << 20
# A table packs 5 to 50 times. Beyond RATIO_FROM bytes, more than RATIO means that the file was made to explode.
RATIO, RATIO_FROM = 200, 100 * 10**6
MOST_BYTES = 64 * 10**9
DISK_RESERVE = 1 << 30
MOST_MEMBERS = 10_000
# What a Mac adds to an archive: no data.
BESIDE = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|\._)")
UNSAFE = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\x00")


class _Reader(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def unpacked(source: Source, folder: Path) -> Iterator[Source]:
    """Yield the source with its file unpacked, or the same source where nothing is packed.

    Parameters
    ----------
    folder : Path
        Where the private temporary folder is made; it is removed at the end, also after an error.

    Raises
    ------
    EmberError
        The file is not what `compression:` says, is damaged, encrypted, holds several files and no `member:` says
        which, holds a path that leads outside, another archive, or more than a table can be.
    """
    if source.compression is None:
        yield source
        return
    check_file(source)
    folder.mkdir(parents=True, exist_ok=True)
    private = Path(tempfile.mkdtemp(prefix=".unpacked-", dir=folder))
    try:
        target = private / "extract"
        if source.compression == "gzip":
            shown = source.shown_path
            _unpack_gzip(source, target)
        else:
            member = _unpack_zip(source, target)
            shown = f"{source.shown_path}  member {member}"
        plain = replace(source, path=target, shown_path=shown, compression=None, member=None)
        _refuse_nested(plain)
        yield plain
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _unpack_gzip(source: Source, target: Path) -> None:
    try:
        with gzip.open(source.path, "rb") as content:
            _copy(content, target, source, source.path.stat().st_size)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise _damaged(source.shown_path) from None


def _unpack_zip(source: Source, target: Path) -> str:
    try:
        with zipfile.ZipFile(source.path) as archive:
            entry = _chosen(archive.infolist(), source)
            _check_declared(entry, source)
            with archive.open(entry) as content:
                size = _copy(content, target, source, entry.compress_size)
    except (zipfile.BadZipFile, EOFError, zlib.error, OverflowError, UnicodeDecodeError):
        # The library stops at the announced size, so a member that lies about it fails its checksum.
        raise _damaged(source.shown_path) from None
    except (NotImplementedError, RuntimeError):
        raise EmberError(
            "The archive is packed in a way that EMBER does not read.",
            where=source.shown_path,
            fix="Pack it again as a plain zip (deflate) without a password.",
        ) from None
    if size != entry.file_size:
        raise _damaged(source.shown_path)
    return entry.filename


def _chosen(entries: Sequence[zipfile.ZipInfo], source: Source) -> zipfile.ZipInfo:
    if len(entries) > MOST_MEMBERS:
        raise _refused(source, f"The archive holds {len(entries):,} files; at most {MOST_MEMBERS:,} are looked at.")
    for entry in entries:
        _refuse_unsafe(entry, source)
    files = [entry for entry in entries if not entry.is_dir() and not BESIDE.search(entry.filename)]
    names = [entry.filename for entry in files]
    if source.member is not None:
        files = [entry for entry in files if entry.filename == source.member]
    if not files:
        raise EmberError(
            f"The archive holds no file '{source.member}'." if source.member else "The archive holds no file.",
            where=source.shown_path,
            allowed=names,
            nearest=nearest_name(source.member or "", names),
            fix="Correct `member:` of the source in study.yaml." if names else "Pack it again.",
        )
    if len(files) > 1:
        what = "two files of the same name" if source.member else f"{len(files)} files"
        raise EmberError(
            f"The archive holds {what}.",
            where=source.shown_path,
            allowed=names,
            fix="Say which one is read as `member:` of the source in study.yaml."
            if not source.member
            else "Pack it again with each file once.",
        )
    return files[0]


def _refuse_unsafe(entry: zipfile.ZipInfo, source: Source) -> None:
    # orig_filename is what the archive says; filename is what the library made of it.
    if UNSAFE.search(entry.orig_filename) or UNSAFE.search(entry.filename):
        raise _refused(source, "The archive holds a file whose path leads outside of it.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused(source, "The archive holds a link instead of a file.")
    if entry.flag_bits & 1:
        raise EmberError(
            "The archive is protected by a password.", where=source.shown_path, fix="Pack it again without one."
        )


def _check_declared(entry: zipfile.ZipInfo, source: Source) -> None:
    if entry.file_size > MOST_BYTES or _explodes(entry.file_size, entry.compress_size):
        raise _bomb(source, entry.file_size, entry.compress_size)


def _copy(content: _Reader, target: Path, source: Source, packed: int) -> int:
    """Copy to a file that only its owner can read, as long as size, ratio and disk allow; return its size."""
    written = 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := content.read(PIECE):
            written += len(piece)
            if written > MOST_BYTES or _explodes(written, packed):
                raise _bomb(source, written, packed)
            _check_disk(file, target, source)
            file.write(piece)
    return written


def _explodes(size: int, packed: int) -> bool:
    return size > RATIO_FROM and size > RATIO * packed


def _check_disk(file: IO[bytes], target: Path, source: Source) -> None:
    if file.tell() % (PIECE << 6) == 0 and shutil.disk_usage(target.parent).free < DISK_RESERVE:
        raise EmberError(
            "The disk is too full to unpack the file.", where=source.shown_path, fix="Free some space, or unpack it."
        )


def _refuse_nested(plain: Source) -> None:
    if not plain.path.stat().st_size:
        raise EmberError("The unpacked file is empty: it has 0 bytes.", where=plain.shown_path, fix="Export it again.")
    kind = kind_of(plain.path)
    if kind is not None and kind[1] and kind[0] != plain.format:
        raise EmberError(
            f"The packed file is itself {kind[2]}.",
            where=plain.shown_path,
            fix="Pack the table itself once, or unpack it and correct `path:`.",
        )


def _bomb(source: Source, size: int, packed: int) -> EmberError:
    return EmberError(
        f"The file unpacks from {packed:,} to {size:,} bytes or more, which no table does.",
        where=source.shown_path,
        allowed=[f"{RATIO} times its packed size beyond {RATIO_FROM:,} bytes", f"{MOST_BYTES:,} bytes"],
        fix="If it is right, unpack it, check it and name the unpacked file as `path:`.",
    )


def _refused(source: Source, what: str) -> EmberError:
    return EmberError(what, where=source.shown_path, fix="Nothing was unpacked. Ask for a plain archive of the table.")


def _damaged(where: str) -> EmberError:
    return EmberError(
        "The packed file cannot be read: it is damaged, cut off, or not what it announces.",
        where=where,
        fix="Compare its size with the original, or fetch it again.",
    )
