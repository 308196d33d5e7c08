"""Cells of dirty extracts: a text, and what whoever wrote it meant by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random

EPOCH = date(1970, 1, 1)
# White space that may stand around a cell (Unicode White_Space); str.strip() would also take separators such as U+001C.
BLANKS = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2003\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
AROUND = (" ", "  ", "\t", "\xa0", "\u2009", "\u3000", "\x85", "\n")
# Never a number, whatever the decimal mark.
NO_NUMBERS = (
    *("abc", "1e999", "-1e999", "NaN", "nan", "inf", "-inf", "Infinity", "\u22125", "\u0663", "\u0663\u066b\u0665"),
    *("1 2", "=cmd()", "=1+1", "+5", "\u22640.2", "<=2", ">=5", "< =2", "<-1", "<<2", "<\t2", "2<", "\U0001f600"),
    *("0x10", "1_000", "5%", "5 mg/L", "1..2", "1,,2", "--1", "- 1", "TRUE", "NULL", "#N/A", "1e", "e5", "-", "<"),
    *("\uff11", "1/2", "\u00bd", "\u00b2", "5\n6", '5"', '"5"', "'5", "\x015", "5\x1f", "5\x7f", "\x1b[31m", "5\u200b"),
    *("x" * 700, "\u00e4" * 300, "very long " * 60, "null", "5;6", "5|6", "5 ,6", "@SUM(A1)", "\ufeff5", "<>5", "~5"),
)
TEXTS = (
    *("white", "Asian, other", "caf\u00e9", "\U0001f469\u200d\u2695\ufe0f", "=cmd()", "two\nlines", 'a "quoted" word'),
    *("semi;colon", "tab\tinside", "\u0645\u0631\u062d\u0628\u0627", "\x01control", "long " * 80, "NaN", "-0", "007"),
)
KNOWN_TREATMENTS = ("CITALOPRAM", "DOXEPIN", "lescol", "crestor")
UNKNOWN_TREATMENTS = ("Snake oil", "\u00c4therisches \u00d6l", "???", "=cmd()", "placebo? \U0001f600", "vitamin-Z")
PATTERNS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "iso", "excel_1900", "excel_1904")
NO_DATES = (
    "x",
    "2020-13-01",
    "2020-02-30",
    "20-01-01",
    "2020",
    "2020-01",
    "\u0662\u0660\u0662\u0660-\u0660\u0661",
    "=TODAY()",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    `status` is empty, missing_code, user_missing, unreadable, not_derived, outside, read, or beside (no value).
    `number` and `operator` are those of a number, `meaning` that of a code, `day` counts from 1970-01-01,
    `names` are the treatments of a cell.
    """

    text: str
    status: str = "beside"
    number: float | None = None
    operator: str = ""
    meaning: str | None = None
    day: int | None = None
    names: tuple[str, ...] = ()

    @property
    def stripped(self) -> str:
        return self.text.strip(BLANKS)


EMPTY = Cell("", "empty")


@dataclass(frozen=True)
class Dialect:
    """How one file writes: marks of numbers, codes of missing values, and the characters that it can hold."""

    decimal: str = "."
    thousands: str | None = None
    missing: tuple[str, ...] = ()
    user_missing: tuple[str, ...] = ()
    encoding: str = "utf-8"
    printable: bool = False
    dirt: float = 0.12

    def holds(self, text: str) -> bool:
        """Return whether the file can hold a text."""
        return _holds(self.encoding, self.printable, text)

    def clashes(self, number: float) -> bool:
        """Return whether a number would be taken for a missing code."""
        return number in {float(code) for code in (*self.missing, *self.user_missing) if _plain(code)}


@cache
def _holds(encoding: str, printable: bool, text: str) -> bool:
    if printable and (len(text) > 500 or any(mark < " " or mark in "\x7f\x85" for mark in text)):
        return False
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _plain(code: str) -> bool:
    return code.lstrip("-").isdigit()


def number_cell(rng: Random, dialect: Dialect, scale: float = 1.0, signs: bool = True) -> Cell:
    """Draw a result: a number in some spelling, nothing, a missing code, or what no one can read."""
    odd = _gap(rng, dialect, [*NO_NUMBERS, *_wrong_marks(dialect), *([] if signs else ["<2", "> 5"])])
    if odd is not None:
        return odd
    number = _draw(rng, scale)
    while dialect.clashes(float(number)) or dialect.clashes(-float(number)):
        number = _draw(rng, scale)
    if signs and rng.random() < 0.12:
        sign = rng.choice("<>")
        return Cell(
            _around(rng, dialect, sign + " " * rng.randint(0, 2) + _spelled(rng, dialect, number)),
            "read",
            float(number),
            sign,
        )
    if rng.random() < 0.03:
        return Cell("-" + _spelled(rng, dialect, number), "read", -float(number))
    return Cell(_around(rng, dialect, _spelled(rng, dialect, number)), "read", float(number))


def whole_cell(rng: Random, dialect: Dialect, low: int, high: int, stray: Sequence[int] = ()) -> Cell:
    """Draw a whole number, seldom one outside its range or a fraction."""
    odd = _gap(rng, dialect, [*NO_NUMBERS, "<2", *_wrong_marks(dialect)])
    if odd is not None:
        return odd
    number = float(rng.randint(low, high))
    if rng.random() < dialect.dirt / 2:
        number = float(rng.choice([*stray, high + 1, low + 0.5]))
    if dialect.clashes(number):
        number = float(low)
    text = f"{number:g}".replace(".", dialect.decimal)
    if number.is_integer() and rng.random() < 0.1:
        text += f"{dialect.decimal}0"
    return Cell(_around(rng, dialect, text), "read", number)


def code_cell(rng: Random, dialect: Dialect, codes: Mapping[str, str]) -> Cell:
    """Draw a code of the codebook, seldom one that is not in it."""
    strange = [text for text in ("?", "X9", "maybe", "\U0001f600", "77", *NO_NUMBERS[:8]) if text not in codes]
    odd = _gap(rng, dialect, strange)
    if odd is not None:
        return odd
    code = rng.choice(list(codes))
    return Cell(_around(rng, dialect, code), "read", meaning=codes[code])


def text_cell(rng: Random, dialect: Dialect) -> Cell:
    """Draw free text."""
    odd = _gap(rng, dialect, [])
    text = rng.choice([text for text in TEXTS if dialect.holds(text)])
    return odd or Cell(text, "read", meaning=text.strip(BLANKS))


def date_cell(rng: Random, dialect: Dialect, pattern: str, day: int) -> Cell:
    """Draw a cell that means a day, seldom one that means none."""
    wrong = [text for text in NO_DATES if not (pattern.startswith("excel") and text.isdigit())]
    wrong += ["60", "1e4"] if pattern == "excel_1900" else ["44000"] if "%" in pattern else ["20200101"]
    if pattern != "%m/%d/%Y":
        wrong.append("01/02/2020")
    odd = _gap(rng, dialect, wrong)
    return odd or Cell(_around(rng, dialect, day_text(rng, pattern, day)), "read", day=day)


def day_text(rng: Random, pattern: str, day: int) -> str:
    """Return a day in a declared form."""
    moment = EPOCH + timedelta(days=day)
    if pattern == "iso":
        return moment.isoformat() + rng.choice(["", "", "T08:30", " 23:59:59", "T12", "T00:00:00.5Z", "T10:00+02:00"])
    if pattern.startswith("excel"):
        origin = date(1899, 12, 30) if pattern == "excel_1900" else date(1904, 1, 1)
        return str((moment - origin).days)
    return moment.strftime(pattern)


def treatment_cell(rng: Random, dialect: Dialect, split: str | None) -> Cell:
    """Draw names of treatments, several where the site declares what stands between them."""
    odd = _gap(rng, dialect, [])
    if odd is not None:
        return odd
    pool = [*KNOWN_TREATMENTS, *(name for name in UNKNOWN_TREATMENTS if dialect.holds(name))]
    names = tuple(rng.sample(pool, rng.choice([1, 1, 2, 3]) if split else 1))
    blank = rng.choice(["", " "])
    text = f"{blank}{split}{blank}".join(names) if split else names[0]
    if split and rng.random() < 0.1:
        text = text + split
    return Cell(text, "read", names=names)


def _gap(rng: Random, dialect: Dialect, unreadable: Sequence[str]) -> Cell | None:
    draw = rng.random()
    if draw < 0.1:
        return EMPTY if rng.random() < 0.7 else Cell(_fitting(rng, dialect, AROUND, ""), "empty")
    if draw < 0.15 and dialect.missing:
        return _code(rng, dialect, rng.choice(dialect.missing), "missing_code")
    if draw < 0.2 and dialect.user_missing:
        return _code(rng, dialect, rng.choice(dialect.user_missing), "user_missing")
    if draw < 0.2 + dialect.dirt and unreadable:
        return Cell(_fitting(rng, dialect, unreadable, "abc"), "unreadable")
    return None


def _code(rng: Random, dialect: Dialect, code: str, status: str) -> Cell:
    if _plain(code) and rng.random() < 0.3:
        code = f"{code}{dialect.decimal}0"
    return Cell(_around(rng, dialect, code), status)


def _fitting(rng: Random, dialect: Dialect, texts: Sequence[str], otherwise: str) -> str:
    for _ in range(20):
        text = rng.choice(texts)
        if dialect.holds(text) and text.strip(BLANKS) not in dialect.missing:
            return text
    return otherwise


def _around(rng: Random, dialect: Dialect, text: str) -> str:
    if rng.random() < 0.9:
        return text
    return _fitting(rng, dialect, AROUND, " ") + text + _fitting(rng, dialect, AROUND, "")


def _wrong_marks(dialect: Dialect) -> list[str]:
    """Return numbers that only another decimal mark, or one between thousands, would make readable."""
    other = "," if dialect.decimal == "." else "."
    wrong = [f"0{other}2", f"1{dialect.decimal}234{dialect.decimal}5", f"1{other}23{dialect.decimal}4", f"12{other}34"]
    wrong += ["1 234", "1'234", f"1{other}234"]
    return [text for text in wrong if dialect.thousands is None or dialect.thousands not in text or text[2:] != "234"]


def _draw(rng: Random, scale: float) -> str:
    draw = rng.random()
    if draw < 0.04:
        return rng.choice(["0", "1234567.5", "2500", "12345.6", "0.00001", "98765432", "123456789012345678"])
    return f"{rng.lognormvariate(0.6, 1.2) * scale:.{rng.randint(1, 5)}f}"


def _spelled(rng: Random, dialect: Dialect, number: str) -> str:
    whole, _, part = number.partition(".")
    style = rng.random()
    if style < 0.05:
        whole = "00" + whole
    elif dialect.thousands and len(whole) > 3:
        whole = f"{int(whole):,}".replace(",", dialect.thousands)
        if dialect.thousands in " '" and rng.random() < 0.5:
            other = {" ": "\xa0", "'": "\u2019"}[dialect.thousands]
            whole = whole.replace(dialect.thousands, other) if dialect.holds(other) else whole
    elif style < 0.1 and part:
        part += "00"
    elif style < 0.13 and part:
        return f"{whole}{dialect.decimal}{part}{rng.choice(['e0', 'E+00', 'e-0'])}"
    elif style < 0.16 and whole == "0" and part:
        whole = ""
    return f"{whole}{dialect.decimal}{part}" if part else whole
