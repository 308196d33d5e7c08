"""Participant ids as keyed hashes, each distinct id once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl

PSEUDONYM_BYTES = 10
BLOCK = 64  # bytes of a block of SHA-256
# Ids of one generation; two are remembered, some 40 MB.
GENERATION = 1 << 17


class Pseudonyms:
    """Pseudonyms of the participants of a source.

    Parameters
    ----------
    key : bytes
        HMAC-SHA256 over site, NUL and id; the first 20 hexadecimal digits (80 bits) are kept, so that two
        of a million participants share one with a probability below 1e-12.

    Notes
    -----
    Rows of one participant mostly stand close together, so the latest ids are remembered over batches. The
    memory is bounded, not the number of participants: an id that was forgotten is hashed again.
    """

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
        self._inner = bytes(byte ^ 0x36 for byte in block)
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._latest: dict[str, dict[bytes, bytes]] = {}
        self._earlier: dict[str, dict[bytes, bytes]] = {}

    def of(self, ids: pl.Series, site: str) -> pl.Series:
        """Return the pseudonym of each id, null where it is empty.

        Parameters
        ----------
        ids : Series of str
            Blanks around an id do not count.
        site : str
            The same id at two sites is two people.
        """
        written = ids.unique(maintain_order=True)
        distinct = written.str.strip_chars()
        made = pl.Series(self._digests(distinct.cast(pl.Binary).to_list(), site), dtype=pl.Binary).bin.encode("hex")
        known = pl.DataFrame({"id": written, "made": made}).filter(distinct != "")
        return ids.alias("id").to_frame().join(known, "id", "left", maintain_order="left")["made"]

    def _digests(self, ids: Sequence[bytes], site: str) -> list[bytes]:
        if sum(len(known) for known in self._latest.values()) > GENERATION:
            self._earlier, self._latest = self._latest, {}
        latest, earlier = self._latest.setdefault(site, {}), self._earlier.get(site, {})
        new = [name for name in ids if name not in latest]
        before = [name for name in new if name in earlier]
        latest.update({name: earlier[name] for name in before})
        fresh = [name for name in new if name not in earlier] if before else new
        latest.update(zip(fresh, self._hashed(fresh, site), strict=True))
        return [latest[name] for name in ids]

    def _hashed(self, ids: Sequence[bytes], site: str) -> Iterator[bytes]:
        """Yield HMAC-SHA256 (RFC 2104), cut to its length.

        The standard library begins anew for each message; a million participants take twice as long that way.
        """
        start = hashlib.sha256(self._inner + site.encode() + b"\0")
        copy_inner, copy_outer = start.copy, self._outer.copy
        for name in ids:
            inside, outside = copy_inner(), copy_outer()
            inside.update(name)
            outside.update(inside.digest())
            yield outside.digest()[:PSEUDONYM_BYTES]
