"""The strict grammar of quotes: does a record end where its line ends?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import polars as pl

# A quoted cell up to its closing quote; "" inside it is a quote.
QUOTED = r'"[^"]*(?:""[^"]*)*"'
OPEN = r'"[^"]*(?:""[^"]*)*'
LINE_END = "\r\n"


class QuoteGrammar:
    """Follows records over lines: a quote opens a cell only at its start and must close at its end.

    Parameters
    ----------
    delimiter : str
        One character.
    """

    def __init__(self, delimiter: str) -> None:
        mark = re.escape(delimiter)
        cell = rf'(?:{QUOTED}|(?!")[^{mark}\r\n]*)'
        self._whole = re.compile(rf"{cell}(?:{mark}{cell})*")
        self._opens = re.compile(rf"(?:{cell}{mark})*{OPEN}[\r\n]*")
        self._goes_on = re.compile(r'[^"]*(?:""[^"]*)*')
        self._closes = re.compile(rf'[^"]*(?:""[^"]*)*"(?:{mark}{cell})*')
        self._opens_again = re.compile(rf'[^"]*(?:""[^"]*)*"{mark}(?:{cell}{mark})*{OPEN}')

    def after(self, line: str, within: bool) -> bool | None:
        """Return whether a quote is open after a line, or None where the line breaks the grammar.

        Parameters
        ----------
        line : str
            With its line end, which is part of an open cell.
        within : bool
            Whether a quote is open before it.
        """
        text = line.rstrip(LINE_END)
        if '"' not in text:
            return within
        if within:
            if self._closes.fullmatch(text):
                return False
            return True if self._goes_on.fullmatch(text) or self._opens_again.fullmatch(text) else None
        if self._whole.fullmatch(text):
            return False
        return True if self._opens.fullmatch(text) else None


class QuoteWatch:
    """Says of text that streams by whether any quote stands where only the strict grammar can judge it.

    Where quotes open and close cells in turn, each with a delimiter or a line end on its outer side alone, the parser
    and the grammar agree. Any other, doubled inside a cell or with text behind it, needs the grammar, which is slow.

    Attributes
    ----------
    seen, odd : bool
        Whether a quote has come by, and whether one that needs the grammar has.
    """

    def __init__(self, delimiter: str) -> None:
        mark = delimiter.encode()
        self.seen = False
        self.odd = False
        self._always = len(mark) > 1
        self._beside = np.zeros(256, dtype=bool)
        self._beside[[*mark, *LINE_END.encode()]] = True
        self._tail = b"\n"
        self._opens = True

    def see(self, text: bytes) -> None:
        """Take in the next bytes; the quote at their very end is judged with those that follow."""
        if b'"' not in text and b'"' not in self._tail:
            self._tail = (self._tail + text[-2:])[-2:]
            return
        self.seen = True
        for data in (self._tail + text[:2], text):  # apart: together they would be a copy of the text
            self.odd = self.odd or self._always or not self._in_turn(np.frombuffer(data, dtype=np.uint8))
        self._tail = (self._tail + text[-2:])[-2:]

    def _in_turn(self, data: np.ndarray) -> bool:
        """Return whether all quotes but one at either end open and close cells in turn."""
        # Polars finds the few that are true among many faster than numpy.
        places = (pl.Series(data[1:-1]) == ord('"')).arg_true().to_numpy() + 1
        before, after = self._beside[data[places - 1]], self._beside[data[places + 1]]
        opening, closing = slice(not self._opens, None, 2), slice(self._opens, None, 2)
        self._opens ^= bool(places.size % 2)
        sound = before[opening].all() and after[closing].all()
        return bool(sound and not before[closing].any() and not after[opening].any())


def first_fault(lines: Iterator[str], grammar: QuoteGrammar, longest: int) -> tuple[int, str] | None:
    """Return the line on which the first record starts that is not sound, and what it is: "quote" or "long"."""
    start, within, length = 1, False, 0
    for number, line in enumerate(lines, start=1):
        if not within:
            start, length = number, 0
        length += len(line)
        if length > longest:
            return start, "quote" if within else "long"
        state = grammar.after(line, within)
        if state is None:
            return start, "quote"
        within = state
    return (start, "quote") if within else None
