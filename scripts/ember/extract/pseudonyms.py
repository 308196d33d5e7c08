"""Participant ids as keyed hashes, each distinct id once."""

from __future__ import annotations

import hashlib

import polars as pl

PSEUDONYM_BYTES = 10
BLOCK = 64  # bytes of a block of SHA-256
REMEMBERED = 1 << 18  # ids, some 40 MB


class Pseudonyms:
    """Pseudonyms of the participants of a source.

    Parameters
    ----------
    key : bytes
        HMAC-SHA256 over site, NUL and id; the first 20 hexadecimal digits (80 bits) are kept, so that two
        of a million participants share one with a probability below 1e-12.

    Notes
    -----
    Rows of one participant mostly stand close together: a run of equal ids is looked up once, and ids are
    remembered over batches. The memory is bounded, not the number of participants: a forgotten id is hashed again.
    """

    def __init__(self, key: bytes) -> None:
        self._key = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
        self._known: dict[str, _Digests] = {}

    def of(self, ids: pl.Series, site: str) -> pl.Series:
        """Return the pseudonym of each id, null where it is empty.

        Parameters
        ----------
        ids : Series of str
            Blanks around an id do not count.
        site : str
            The same id at two sites is two people.
        """
        if sum(map(len, self._known.values())) > REMEMBERED:
            self._known.clear()
        if site not in self._known:
            self._known[site] = _Digests(self._key, site)
        written = ids.rle().struct.field("value").str.strip_chars().cast(pl.Binary).to_list()
        made = pl.Series(list(map(self._known[site].__getitem__, written)), dtype=pl.Binary)
        return made.bin.encode("hex").gather(ids.rle_id())


class _Digests(dict[bytes | None, bytes | None]):
    """HMAC-SHA256 (RFC 2104) of the ids of a site, cut to its length; made when first looked up.

    The standard library begins anew for each message; a million participants take twice as long that way.
    """

    def __init__(self, key: bytes, site: str) -> None:
        super().__init__({None: None, b"": None})
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + site.encode() + b"\0").copy
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key)).copy

    def __missing__(self, name: bytes) -> bytes:
        inside, outside = self._inner(), self._outer()
        inside.update(name)
        outside.update(inside.digest())
        made = self[name] = outside.digest()[:PSEUDONYM_BYTES]
        return made
